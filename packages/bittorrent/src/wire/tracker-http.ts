/**
 * What a client asks an HTTP tracker: the query of an announce (BEP 3, 7, 23) and of a scrape (BEP 48), written and
 * read. Byte strings stand in the query as they are, percent-encoded. Answers are in tracker-http-response.ts.
 *
 * Never sent: `ip`, `ipv4`, `ipv6` (the tracker sees where we come from, and we announce over both families),
 * `supportcrypto` and `requirecrypto`. When reading, an address that the client claims is handed on as a claim:
 * whether it is believed is the server's decision.
 */
import { type Fault, failed, ok, type Result } from '@tequio/kernel';
import { type AnnounceEvent, announceEvents } from './tracker-udp.ts';

export const httpTrackerLimits = {
  /** Characters of a query that are read: a scrape of {@link scrapeCountMax} hashes fits. */
  queryCharsMax: 8192,
  /** Fields of a query that are read. */
  fieldCountMax: 128,
  /** Hashes in one scrape. */
  scrapeCountMax: 74,
  /** Bytes of a `trackerid` that we give back to a tracker. */
  trackerIdBytesMax: 256,
} as const;

export type HttpAnnounceRequest = {
  /** 20 bytes; a v2 hash is truncated. */
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
  readonly port: number;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  readonly leftBytes: number;
  readonly event: AnnounceEvent;
  /** Tells the tracker that a peer with a new address is the same one. */
  readonly key: number;
  /** -1: as many as the tracker thinks right. */
  readonly numWant: number;
  /** As an earlier answer gave it. */
  readonly trackerId: Uint8Array | null;
};

/** An announce as a server reads it. */
export type HttpAnnounceQuery = HttpAnnounceRequest & {
  /** False only when the client says `compact=0`. */
  readonly compact: boolean;
  /** Addresses that the client claims to have, as it wrote them. */
  readonly claimedAddresses: readonly string[];
};

/** The URL of one announce. @param href the tracker's URL, without fragment; may have a query of its own */
export function encodeHttpAnnounceUrl(href: string, request: HttpAnnounceRequest): string {
  const fields = [
    `info_hash=${encodeQueryBytes(request.infoHash.subarray(0, 20))}`,
    `peer_id=${encodeQueryBytes(request.peerId)}`,
    `port=${request.port}`,
    `uploaded=${request.uploadedBytes}`,
    `downloaded=${request.downloadedBytes}`,
    `left=${request.leftBytes}`,
    'compact=1',
    'no_peer_id=1',
    `key=${request.key.toString(16).padStart(8, '0')}`,
  ];
  if (request.numWant >= 0) fields.push(`numwant=${request.numWant}`);
  if (request.event !== 'none') fields.push(`event=${request.event}`);
  if (request.trackerId !== null) fields.push(`trackerid=${encodeQueryBytes(request.trackerId)}`);
  return withFields(href, fields);
}

/**
 * The URL of a scrape, or null when the tracker has none: BEP 48 makes it of the announce URL by putting `scrape` for
 * the `announce` that the last part of the path must begin with.
 */
export function encodeHttpScrapeUrl(href: string, infoHashes: readonly Uint8Array[]): string | null {
  const match = /^([^?]*\/)announce([^/?]*)(\?.*)?$/.exec(href);
  if (match === null) return null;
  const hashes = infoHashes.slice(0, httpTrackerLimits.scrapeCountMax);
  return withFields(
    `${match[1]}scrape${match[2]}${match[3] ?? ''}`,
    hashes.map((hash) => `info_hash=${encodeQueryBytes(hash.subarray(0, 20))}`),
  );
}

const claimNames = ['ip', 'ipv4', 'ipv6'] as const;

/** Reads the query of an announce, without its `?`. */
export function decodeHttpAnnounceQuery(query: string): Result<HttpAnnounceQuery> {
  const fields = decodeFirstFields(query);
  if (fields === null) return failed(badQuery('is too long'));
  const bytesOf = (name: string): Uint8Array | null => tryDecodeQueryBytes(fields.get(name) ?? '');
  const [infoHash, peerId] = [bytesOf('info_hash'), bytesOf('peer_id')];
  if (infoHash?.length !== 20) return failed(badQuery('has no info_hash of 20 bytes'));
  if (peerId?.length !== 20) return failed(badQuery('has no peer_id of 20 bytes'));
  const port = tryWhole(fields.get('port'));
  if (port === null || port > 65535) return failed(badQuery('has no port'));
  const event = fields.get('event') as AnnounceEvent | undefined;
  const trackerId = fields.has('trackerid') ? bytesOf('trackerid') : null;
  return ok({
    infoHash,
    peerId,
    port,
    uploadedBytes: tryWhole(fields.get('uploaded')) ?? 0,
    downloadedBytes: tryWhole(fields.get('downloaded')) ?? 0,
    // Who does not say what is missing is taken for a downloader: it is then told of everybody.
    leftBytes: tryWhole(fields.get('left')) ?? 1,
    event: event !== undefined && announceEvents.includes(event) ? event : 'none',
    key: decodeKey(fields.get('key')),
    numWant: tryWhole(fields.get('numwant')) ?? -1,
    trackerId: trackerId !== null && trackerId.length > 0 ? trackerId : null,
    compact: fields.get('compact') !== '0',
    claimedAddresses: claimNames.flatMap((name) => {
      const bytes = fields.has(name) ? bytesOf(name) : null;
      return bytes === null || bytes.length === 0 ? [] : [String.fromCharCode(...bytes.subarray(0, 64))];
    }),
  });
}

/** The hashes of a scrape's query, without its `?`: none asks for everything, which the server may refuse. */
export function decodeHttpScrapeQuery(query: string): Result<readonly Uint8Array[]> {
  const fields = decodeFields(query);
  if (fields === null) return failed(badQuery('is too long'));
  const hashes: Uint8Array[] = [];
  for (const text of fields.get('info_hash') ?? []) {
    const hash = tryDecodeQueryBytes(text);
    if (hash?.length !== 20) return failed(badQuery('has an info_hash that is not 20 bytes'));
    if (hashes.length < httpTrackerLimits.scrapeCountMax) hashes.push(hash);
  }
  return ok(hashes);
}

/** Percent-encoding of all but the unreserved characters (RFC 3986, 2.3). */
export function encodeQueryBytes(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    text += isUnreserved(byte)
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

/** Where texts are decoded that are no longer than a query may be. */
const scratch = new Uint8Array(httpTrackerLimits.queryCharsMax);

/** The bytes of a percent-encoded text; `+` is a space, as in forms. Null when a `%` has no two hex digits. */
export function tryDecodeQueryBytes(text: string): Uint8Array | null {
  const bytes = text.length <= scratch.length ? scratch : new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    let code = text.charCodeAt(at);
    if (code > 255) return null;
    if (code === 0x25) {
      const [high, low] = [hexDigit(text.charCodeAt(at + 1)), hexDigit(text.charCodeAt(at + 2))];
      if (high < 0 || low < 0) return null;
      code = 16 * high + low;
      at += 2;
    } else if (code === 0x2b) code = 0x20;
    bytes[length++] = code;
  }
  return bytes.slice(0, length);
}

/** -1: it is none, as what lies behind the end of a text. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function isUnreserved(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x2d ||
    byte === 0x2e ||
    byte === 0x5f ||
    byte === 0x7e
  );
}

function withFields(href: string, fields: readonly string[]): string {
  const joint = !href.includes('?') ? '?' : /[?&]$/.test(href) ? '' : '&';
  return `${href}${joint}${fields.join('&')}`;
}

/** Values by name, in order, still percent-encoded; null: longer than is read. */
function decodeFields(query: string): Map<string, string[]> | null {
  if (query.length > httpTrackerLimits.queryCharsMax) return null;
  const fields = new Map<string, string[]>();
  for (const field of query.split('&', httpTrackerLimits.fieldCountMax)) {
    const at = field.indexOf('=');
    if (at < 1) continue;
    const values = fields.get(field.slice(0, at));
    if (values === undefined) fields.set(field.slice(0, at), [field.slice(at + 1)]);
    else values.push(field.slice(at + 1));
  }
  return fields;
}

/** The same with the first value of each name alone. */
function decodeFirstFields(query: string): Map<string, string> | null {
  if (query.length > httpTrackerLimits.queryCharsMax) return null;
  const fields = new Map<string, string>();
  let count = 0;
  for (let from = 0; from <= query.length && count < httpTrackerLimits.fieldCountMax; count++) {
    const next = query.indexOf('&', from);
    const end = next < 0 ? query.length : next;
    const at = query.indexOf('=', from);
    if (at > from && at < end) {
      const name = query.slice(from, at);
      if (!fields.has(name)) fields.set(name, query.slice(at + 1, end));
    }
    from = end + 1;
  }
  return fields;
}

/** A whole number that a double holds exactly. */
function tryWhole(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,20}$/.test(text)) return null;
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

function decodeKey(text: string | undefined): number {
  return text !== undefined && /^[0-9a-fA-F]{1,8}$/.test(text) ? Number.parseInt(text, 16) : 0;
}

function badQuery(what: string): Fault {
  return {
    code: 'BITTORRENT_TRACKER_QUERY',
    message: `The request ${what}.`,
    blame: 'peer',
    penalty: 0,
  };
}
