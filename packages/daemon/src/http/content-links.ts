/**
 * Addresses of content, which carry their permission in themselves: what plays them (a video element, VLC, a
 * television) knows no key, and the origin that serves content knows no cookie. A link is good for one file until its
 * time is over.
 *
 *   /stream/<torrent>/<file>/<expiry, base 36>/<32 characters of HMAC-SHA256>/<name>
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export type ContentLink = { readonly torrent: string; readonly file: number };

/** Long enough for a film that is paused for the night. */
const lifeMs = 48 * 3600_000;
/** Links of the same file within this time are the same, so that a browser's cache knows them. */
const roundMs = 12 * 3600_000;

export class ContentLinks {
  readonly #key: Uint8Array;

  /** @param key 32 bytes that nobody else knows */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** The path; `name` is for people and players, and means nothing. */
  pathOf({ torrent, file }: ContentLink, name: string, nowMs: number): string {
    const expiry = (Math.ceil((nowMs + lifeMs) / roundMs) * roundMs).toString(36);
    const seal = this.#sealOf(torrent, String(file), expiry);
    return `/stream/${torrent}/${file}/${expiry}/${seal}/${encodeURIComponent(name.toWellFormed())}`;
  }

  /** Null: it is none of ours, or was changed; `expired`: it was good once. */
  read(path: string, nowMs: number): ContentLink | 'expired' | null {
    const match =
      /^\/stream\/([0-9a-f]{40}|[0-9a-f]{64})\/(\d{1,8})\/([0-9a-z]{1,12})\/([\w-]{32})\/[^/]*$/.exec(path);
    if (match === null) return null;
    const [, torrent = '', file = '', expiry = '', seal = ''] = match;
    if (!timingSafeEqual(Buffer.from(seal), Buffer.from(this.#sealOf(torrent, file, expiry)))) return null;
    return Number.parseInt(expiry, 36) < nowMs ? 'expired' : { torrent, file: Number(file) };
  }

  #sealOf(torrent: string, file: string, expiry: string): string {
    return createHmac('sha256', this.#key)
      .update(`${torrent}/${file}/${expiry}`)
      .digest('base64url')
      .slice(0, 32);
  }
}
