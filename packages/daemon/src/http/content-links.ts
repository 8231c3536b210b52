/**
 * Addresses of content, which carry their permission in themselves: what plays them (a video element, VLC, a
 * television) knows no key, and the origin that serves content knows no cookie. A link is good for one file until its
 * time is over.
 *
 *   /stream/<torrent>/<file>/<expiry, base 36>/<32 characters of HMAC-SHA256>/<name>
 *   /stream/<CID, base 32>/<expiry>/<seal>/<name>
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export type ContentLink = { readonly torrent: string; readonly file: number } | { readonly cid: string };

/** Long enough for a film that is paused for the night. */
const lifeMs = 48 * 3600_000;
/** Links of the same file within this time are the same, so that a browser's cache knows them. */
const roundMs = 12 * 3600_000;

const linkForm =
  /^\/stream\/(?:([0-9a-f]{40}|[0-9a-f]{64})\/(\d{1,8})|(b[a-z2-7]{8,200}))\/([0-9a-z]{1,12})\/([\w-]{32})\/[^/]*$/;

export class ContentLinks {
  readonly #key: Uint8Array;

  /** @param key 32 bytes that nobody else knows */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** The path; `name` is for people and players, and for the content's type. */
  pathOf(link: ContentLink, name: string, nowMs: number): string {
    const expiry = (Math.ceil((nowMs + lifeMs) / roundMs) * roundMs).toString(36);
    const what = placeOf(link);
    return `/stream/${what}/${expiry}/${this.#sealOf(what, expiry)}/${encodeURIComponent(name.toWellFormed())}`;
  }

  /** Null: it is none of ours, or was changed; `expired`: it was good once. */
  read(path: string, nowMs: number): ContentLink | 'expired' | null {
    const match = linkForm.exec(path);
    if (match === null) return null;
    const [, torrent = '', file = '', cid, expiry = '', seal = ''] = match;
    const link = cid === undefined ? { torrent, file: Number(file) } : { cid };
    const what = cid ?? `${torrent}/${file}`;
    if (!timingSafeEqual(Buffer.from(seal), Buffer.from(this.#sealOf(what, expiry)))) return null;
    return Number.parseInt(expiry, 36) < nowMs ? 'expired' : link;
  }

  #sealOf(what: string, expiry: string): string {
    return createHmac('sha256', this.#key).update(`${what}/${expiry}`).digest('base64url').slice(0, 32);
  }
}

function placeOf(link: ContentLink): string {
  return 'cid' in link ? link.cid : `${link.torrent}/${link.file}`;
}
