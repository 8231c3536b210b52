/**
 * Magnet links (BEP 9, BEP 52 for `btmh`, BEP 53 for `so`), and bare info-hashes in their place. A link comes
 * from anywhere, so its length and the count of everything in it are limited; parameters that are not
 * understood or not valid are skipped, for one bad tracker must not make the link useless.
 */
import { decodeUtf8Lossy, type Fault, failed, ok, type Result, toHex, tryFromHex } from '@tequio/kernel';
import { safeElement } from './file-name.ts';
import type { Magnet } from './torrent-info.ts';

export const magnetLimits = {
  /** Characters of the whole link; browsers and shells pass on about this much. */
  lengthMax: 64 * 1024,
  trackerCountMax: 200,
  webSeedCountMax: 200,
  peerCountMax: 200,
  rangeCountMax: 1000,
  /** No torrent that we accept has more files. */
  fileIndexMax: 3_000_000,
} as const;

const base32Digits = 'abcdefghijklmnopqrstuvwxyz234567';
/** Multihash prefix of SHA-256: function 0x12, 0x20 bytes. */
const sha256Prefix = '1220';
const urlShape = /^[a-z][a-z0-9+.-]{0,20}:\/\/[^\u0000-\u0020\u007f]+$/i;
const peerShape = /^(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\]):(\d{1,5})$/i;

/**
 * Decodes a magnet link, 40 or 64 hex digits, or 32 base32 digits. Faults: `BITTORRENT_MAGNET_*`, blame
 * `user`.
 */
export function decodeMagnet(text: string): Result<Magnet> {
  if (text.length > magnetLimits.lengthMax) return refused('LENGTH', 'The magnet link is too long.');
  const trimmed = text.trim();
  const bare = tryHash(trimmed);
  if (bare !== null) return ok({ ...emptyMagnet, ...bare });
  const query = /^magnet:\/{0,2}\?(.*)$/is.exec(trimmed)?.[1];
  if (query === undefined) return refused('SYNTAX', 'This is neither a magnet link nor an info-hash.');
  const draft = new MagnetDraft();
  for (const parameter of query.split(/&(?:amp;)?/)) {
    const equals = parameter.indexOf('=');
    if (equals > 0) draft.add(parameter.slice(0, equals), percentDecoded(parameter.slice(equals + 1)));
  }
  const { magnet } = draft;
  return magnet.infoHashV1 === null && magnet.infoHashV2 === null
    ? refused('HASH', 'The magnet link has no BitTorrent info-hash.')
    : ok(magnet);
}

const emptyMagnet: Magnet = {
  infoHashV1: null,
  infoHashV2: null,
  name: null,
  trackers: [],
  webSeeds: [],
  peers: [],
  select: null,
};

/** The parameters read so far; the first hash of each kind counts. */
class MagnetDraft {
  #infoHashV1: Uint8Array | null = null;
  #infoHashV2: Uint8Array | null = null;
  #name: string | null = null;
  #select: (readonly [number, number])[] | null = null;
  readonly #trackers = new Set<string>();
  readonly #webSeeds = new Set<string>();
  readonly #peers = new Set<string>();

  get magnet(): Magnet {
    return {
      infoHashV1: this.#infoHashV1,
      infoHashV2: this.#infoHashV2,
      name: this.#name,
      trackers: [...this.#trackers],
      webSeeds: [...this.#webSeeds],
      peers: [...this.#peers],
      select: this.#select,
    };
  }

  add(key: string, value: string): void {
    // `tr.1`, `xt.2`: the number only tells equal keys apart.
    switch (key.toLowerCase().replace(/\.\d+$/, '')) {
      case 'xt':
        this.#addTopic(value);
        break;
      case 'dn':
        this.#name ??= safeElement(value).text || null;
        break;
      case 'tr':
        addShaped(this.#trackers, value.trim(), urlShape, magnetLimits.trackerCountMax);
        break;
      case 'ws':
        addShaped(this.#webSeeds, value.trim(), urlShape, magnetLimits.webSeedCountMax);
        break;
      case 'x.pe':
        this.#addPeer(value.trim());
        break;
      case 'so':
        this.#select ??= tryRanges(value);
    }
  }

  #addPeer(value: string): void {
    const port = Number(peerShape.exec(value)?.[1] ?? 0);
    if (port >= 1 && port <= 65535) addShaped(this.#peers, value, peerShape, magnetLimits.peerCountMax);
  }

  #addTopic(value: string): void {
    const topic = /^urn:(btih|btmh):(.+)$/i.exec(value);
    if (topic === null) return;
    const isV1 = topic[1]!.toLowerCase() === 'btih';
    const text = topic[2]!;
    if (isV1) this.#infoHashV1 ??= tryHash(text)?.infoHashV1 ?? null;
    else if (text.startsWith(sha256Prefix))
      this.#infoHashV2 ??= tryHash(text.slice(sha256Prefix.length))?.infoHashV2 ?? null;
  }
}

/** 40 hex or 32 base32 digits: v1. 64 hex digits: v2. */
function tryHash(text: string): Pick<Magnet, 'infoHashV1' | 'infoHashV2'> | null {
  if (text.length === 32) {
    const hash = tryBase32(text);
    return hash === null ? null : { infoHashV1: hash, infoHashV2: null };
  }
  if (text.length !== 40 && text.length !== 64) return null;
  const hash = tryFromHex(text);
  if (hash === null) return null;
  return hash.length === 20 ? { infoHashV1: hash, infoHashV2: null } : { infoHashV1: null, infoHashV2: hash };
}

/** RFC 4648 base32 of 32 digits: 20 bytes. */
function tryBase32(text: string): Uint8Array | null {
  const bytes = new Uint8Array((text.length * 5) >> 3);
  let bits = 0;
  let bitCount = 0;
  let at = 0;
  for (const character of text.toLowerCase()) {
    const digit = base32Digits.indexOf(character);
    if (digit < 0) return null;
    bits = ((bits << 5) | digit) & 0xfff;
    bitCount += 5;
    if (bitCount >= 8) bytes[at++] = bits >> (bitCount -= 8);
  }
  return bytes;
}

function addShaped(set: Set<string>, value: string, shape: RegExp, countMax: number): void {
  if (set.size < countMax && shape.test(value)) set.add(value);
}

/** BEP 53: `0,2,4-6`. Parts that are not valid are skipped; null when none is. */
function tryRanges(text: string): (readonly [number, number])[] | null {
  const ranges: (readonly [number, number])[] = [];
  for (const part of text.split(',', magnetLimits.rangeCountMax)) {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part.trim());
    if (match === null) continue;
    const from = Number(match[1]);
    const to = Number(match[2] ?? match[1]);
    if (from <= to && to <= magnetLimits.fileIndexMax) ranges.push([from, to]);
  }
  return ranges.length === 0 ? null : ranges;
}

/**
 * Percent-encoding undone; `+` is a space, what is malformed stays as it is, what is no UTF-8 becomes U+FFFD.
 */
function percentDecoded(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const spaced = text.replaceAll('+', ' ');
  return spaced.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    decodeUtf8Lossy(tryFromHex(run.replaceAll('%', '')) ?? new Uint8Array(0)),
  );
}

/** The link; at least one info-hash. What is not given is left out. */
export function encodeMagnet(magnet: Partial<Magnet>): string {
  const parts: string[] = [];
  const add = (key: string, value: string): number => parts.push(`${key}=${percentEncoded(value)}`);
  // The colons of a URN stay as they are, for old programs compare the text.
  if (magnet.infoHashV1) parts.push(`xt=urn:btih:${toHex(magnet.infoHashV1)}`);
  if (magnet.infoHashV2) parts.push(`xt=urn:btmh:${sha256Prefix}${toHex(magnet.infoHashV2)}`);
  if (magnet.name) add('dn', magnet.name);
  for (const url of magnet.trackers ?? []) add('tr', url);
  for (const url of magnet.webSeeds ?? []) add('ws', url);
  for (const peer of magnet.peers ?? []) add('x.pe', peer);
  const ranges = (magnet.select ?? []).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  if (ranges.length > 0) parts.push(`so=${ranges.join(',')}`);
  return `magnet:?${parts.join('&')}`;
}

function percentEncoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function refused(code: string, message: string): { readonly ok: false; readonly fault: Fault } {
  return failed({ code: `BITTORRENT_MAGNET_${code}`, message, blame: 'user', penalty: 0 });
}
