/**
 * The second origin, which serves nothing but content: of torrents, also while it is downloading, and of IPFS. What
 * strangers made never runs: names decide the type, only media and plain text are shown, and a sandbox without any
 * right is around them. It knows no cookie and no key, only links that carry their permission (`ContentLinks`).
 */
import type { Management } from '@tequio/api';
import { NodeError, type WebRequest, type WebResponse } from '@tequio/kernel';
import { readByteRange } from './byte-range.ts';
import type { ClientView } from './client-view.ts';
import type { ContentLink, ContentLinks } from './content-links.ts';
import { httpLimits } from './http-limits.ts';
import { mediaTypeOf } from './media-type.ts';
import { problemOf, problemResponse } from './problem.ts';
import { tryDecode } from './router.ts';

type ContentFile = {
  readonly name: string;
  /** Null: not known before the end; then it is read whole. */
  readonly bytes: number | null;
  /** Of this content and no other. */
  readonly tag: string;
  read(offset: number, length: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
};

export class ContentServer {
  readonly #node: Management;
  readonly #links: ContentLinks;
  readonly #nowMs: () => number;
  #streamCount = 0;

  constructor(node: Management, links: ContentLinks, nowMs: () => number) {
    this.#node = node;
    this.#links = links;
    this.#nowMs = nowMs;
  }

  get streamCount(): number {
    return this.#streamCount;
  }

  /** @param path without the base path, undecoded */
  async handle(request: WebRequest, path: string, view: ClientView): Promise<WebResponse> {
    const answer = await this.#answer(request, path).catch((error: unknown) => {
      const problem = problemOf(error);
      if (problem === null) throw error;
      return problem;
    });
    const origin = request.headers['origin'];
    return {
      ...answer,
      headers: {
        'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-site',
        // Subtitles and pictures on a canvas need this; the guard has let our own page through, and no other.
        ...(origin === undefined || view.host === ''
          ? {}
          : { 'access-control-allow-origin': origin, vary: 'origin' }),
        ...answer.headers,
      },
    };
  }

  async #answer(request: WebRequest, path: string): Promise<WebResponse> {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return problemResponse(405, 'HTTP_METHOD', 'Content can only be read.', {}, { allow: 'GET, HEAD' });
    const link = this.#links.read(path, this.#nowMs());
    if (link === null) return problemResponse(404, 'HTTP_PATH', 'There is nothing here.');
    if (link === 'expired')
      return problemResponse(410, 'HTTP_LINK_EXPIRED', 'This link is too old. The page gives a new one.');
    const file = 'cid' in link ? await this.#fileOf(link, path) : await this.#fileOfTorrent(link);
    if (file.bytes === null) return this.#whole(file, request);
    const range = readByteRange(request.headers['range'], file.bytes);
    if (range === 'unsatisfiable')
      return problemResponse(
        416,
        'HTTP_RANGE',
        `The file has ${file.bytes} bytes.`,
        {},
        { 'content-range': `bytes */${file.bytes}` },
      );
    const tag = `"${file.tag}"`;
    const whole = { offset: 0, length: file.bytes };
    // A range of another version would be a range of something else: content never changes, so the tag never does.
    const isPart = range !== null && (request.headers['if-range'] ?? tag) === tag;
    const { offset, length } = isPart ? range : whole;
    const headers = {
      ...typeHeaders(file.name),
      'accept-ranges': 'bytes',
      'cache-control': 'private, max-age=3600, immutable',
      etag: tag,
      'content-length': String(length),
      ...(isPart ? { 'content-range': `bytes ${offset}-${offset + length - 1}/${file.bytes}` } : {}),
    };
    const status = isPart ? 206 : 200;
    if (request.method === 'HEAD' || length === 0) return { status, headers, body: null };
    if (this.#streamCount >= httpLimits.contentStreamCount) return busy();
    const { signal } = request;
    return { status, headers, body: this.#read(file.read(offset, length, signal), signal) };
  }

  /** Of which nobody knows how long it will be: an archive that is made while it is sent. */
  #whole(file: ContentFile, { method, signal }: WebRequest): WebResponse {
    const headers = { ...typeHeaders(file.name), 'cache-control': 'no-store' };
    if (method === 'HEAD') return { status: 200, headers, body: null };
    if (this.#streamCount >= httpLimits.contentStreamCount) return busy();
    return { status: 200, headers, body: this.#read(file.read(0, 0, signal), signal) };
  }

  async #fileOfTorrent(link: Extract<ContentLink, { file: number }>): Promise<ContentFile> {
    const { torrents } = this.#node;
    const files = await torrents.files(link.torrent);
    const file = files.find(({ index }) => index === link.file);
    if (file === undefined || file.pad)
      throw new NodeError('FILE_MISSING', 'The torrent has no such file.', { op: 'read' });
    return {
      name: file.path.split('/').at(-1) ?? '',
      bytes: file.bytes,
      tag: `${link.torrent.slice(0, 16)}-${link.file}`,
      read: (offset, length, signal) => torrents.readContent(link.torrent, link.file, offset, length, signal),
    };
  }

  /** The name is in the address, for a CID has none. */
  async #fileOf({ cid }: Extract<ContentLink, { cid: string }>, path: string): Promise<ContentFile> {
    const { ipfs } = this.#node;
    const { kind, bytes } = await ipfs.entry(cid);
    const name = tryDecode(path.split('/').at(-1) ?? '') ?? cid;
    if (kind === 'folder') {
      const inside = name.replace(/\.tar$/, '');
      const read: ContentFile['read'] = (_, __, signal) => ipfs.readArchive(cid, inside, signal);
      return { name: `${inside}.tar`, bytes: null, tag: cid, read };
    }
    if (kind !== 'file' || bytes === null)
      throw new NodeError('FILE_MISSING', 'There is no such file.', { op: 'read' });
    const read: ContentFile['read'] = (offset, length, signal) =>
      ipfs.readFile(cid, { from: offset, to: offset + length, signal });
    return { name, bytes, tag: cid, read };
  }

  async *#read(content: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    this.#streamCount++;
    try {
      yield* content;
    } catch (error) {
      // A player seeks by going away and coming back.
      if (!signal.aborted) throw error;
    } finally {
      this.#streamCount--;
    }
  }
}

function busy(): WebResponse {
  return problemResponse(503, 'HTTP_BUSY', 'Too much is being played at once.', {}, { 'retry-after': '5' });
}

function typeHeaders(path: string): Record<string, string> {
  const name = encodeURIComponent((path.split('/').at(-1) ?? '').toWellFormed()).replace(
    /['()*]/g,
    escapeByte,
  );
  const type = mediaTypeOf(path);
  return type === null
    ? {
        'content-type': 'application/octet-stream',
        'content-disposition': `attachment; filename*=UTF-8''${name}`,
      }
    : { 'content-type': type, 'content-disposition': `inline; filename*=UTF-8''${name}` };
}

/** What `encodeURIComponent` leaves, and RFC 8187 does not. */
function escapeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
