/**
 * What an HTTP tracker answers, bencoded: announces (BEP 3; compact 23, IPv6 7, external address 24, retry 31) and
 * scrapes (BEP 48), read and written.
 *
 * Reading is lenient where trackers in the wild are sloppy: bytes after the end, peers as dictionaries, missing
 * counts. Host names in place of peer addresses are not looked up: a tracker could make us ask any name server.
 */
import {
  addressFromBytes,
  addressToBytes,
  decodeUtf8Lossy,
  type Endpoint,
  type Fault,
  failed,
  type IpAddress,
  ok,
  type Result,
  toLatin1,
  tryParseAddress,
} from '@tequio/kernel';
import { type BencodeInput, type BencodeValue, decodeBencodePrefix, encodeBencode } from './bencode.ts';
import { decodeCompactPeers } from './compact-peers.ts';
import { httpTrackerLimits } from './tracker-http.ts';
import type { SwarmCounts } from './tracker-udp.ts';

export const httpAnswerLimits = {
  /** Bytes of an answer, decompressed: some thousand peers, or the scrape of a request's worth of hashes. */
  bytesMax: 1024 * 1024,
  /** Peers taken from one answer, both families together. */
  peerCountMax: 2000,
  /** Values in an answer: three for each peer in dictionary form, and some. */
  tokenCountMax: 50_000,
  depthMax: 8,
  /** Bytes of a text that are kept for the user. */
  messageBytesMax: 512,
  /** Swarms taken from a scrape. */
  swarmCountMax: 1000,
} as const;

/** An announce that worked, over HTTP or UDP. What the tracker did not say is null. */
export type TrackerAnswer = {
  readonly intervalMs: number | null;
  readonly minIntervalMs: number | null;
  readonly seedCount: number | null;
  readonly leechCount: number | null;
  readonly completedCount: number | null;
  readonly peers: readonly Endpoint[];
  /** Our own address as the tracker sees it. */
  readonly externalAddress: IpAddress | null;
  readonly trackerId: Uint8Array | null;
  readonly warning: string | null;
};

/** The tracker's own no. `retryInMs`: when to come back; null when it did not say. */
export type TrackerRefusal = { readonly message: string; readonly retryInMs: number | 'never' | null };

export type HttpAnnounceResponse =
  | { readonly type: 'answer'; readonly answer: TrackerAnswer }
  | { readonly type: 'refusal'; readonly refusal: TrackerRefusal };

export type HttpScrapeResponse =
  | { readonly type: 'swarms'; readonly swarms: ReadonlyMap<string, SwarmCounts> }
  | { readonly type: 'refusal'; readonly refusal: TrackerRefusal };

/** Reads an announce's answer. A fault only when it is no bencoded dictionary. */
export function decodeHttpAnnounceResponse(bytes: Uint8Array): Result<HttpAnnounceResponse> {
  const root = decodeRoot(bytes);
  if (!root.ok) return root;
  const refusal = tryRefusal(root.value);
  if (refusal !== null) return ok({ type: 'refusal', refusal });
  const external = root.value.getBytes('external ip');
  const trackerId = root.value.getBytes('tracker id');
  return ok({
    type: 'answer',
    answer: {
      intervalMs: secondsOf(root.value, 'interval'),
      minIntervalMs: secondsOf(root.value, 'min interval'),
      seedCount: countOf(root.value, 'complete'),
      leechCount: countOf(root.value, 'incomplete'),
      completedCount: countOf(root.value, 'downloaded'),
      peers: decodePeers(root.value),
      externalAddress:
        external !== null && (external.length === 4 || external.length === 16)
          ? addressFromBytes(external)
          : null,
      trackerId:
        trackerId !== null && trackerId.length <= httpTrackerLimits.trackerIdBytesMax
          ? trackerId.slice()
          : null,
      warning: textOf(root.value, 'warning message'),
    },
  });
}

/** Reads a scrape's answer: counts by the Latin-1 text of the hash. */
export function decodeHttpScrapeResponse(bytes: Uint8Array): Result<HttpScrapeResponse> {
  const root = decodeRoot(bytes);
  if (!root.ok) return root;
  const refusal = tryRefusal(root.value);
  if (refusal !== null) return ok({ type: 'refusal', refusal });
  const swarms = new Map<string, SwarmCounts>();
  for (const { key, value } of root.value.getDictionary('files')?.tryEntries() ?? []) {
    if (swarms.size === httpAnswerLimits.swarmCountMax) break;
    if (key.length !== 20) continue;
    swarms.set(toLatin1(key), {
      seedCount: countOf(value, 'complete') ?? 0,
      completedCount: countOf(value, 'downloaded') ?? 0,
      leechCount: countOf(value, 'incomplete') ?? 0,
    });
  }
  return ok({ type: 'swarms', swarms });
}

/** What our own tracker says. Peer lists are compact already. */
export type HttpAnnounceReply = SwarmCounts & {
  readonly intervalS: number;
  readonly minIntervalS: number;
  readonly peers4: Uint8Array;
  readonly peers6: Uint8Array;
  /** False: peers as dictionaries, for clients that ask for that. */
  readonly compact: boolean;
  readonly externalAddress: IpAddress;
};

export function encodeHttpAnnounceReply(reply: HttpAnnounceReply): Uint8Array {
  if (reply.compact) return encodeCompactReply(reply);
  const count = httpAnswerLimits.peerCountMax;
  const peers = [
    ...decodeCompactPeers(reply.peers4, 4, count),
    ...decodeCompactPeers(reply.peers6, 6, count),
  ];
  return encodeBencode({
    complete: reply.seedCount,
    downloaded: reply.completedCount,
    'external ip': addressToBytes(reply.externalAddress),
    incomplete: reply.leechCount,
    interval: reply.intervalS,
    'min interval': reply.minIntervalS,
    peers: peers.map(({ address, port }) => ({ ip: address, port })),
  });
}

/** The answer that nearly everybody gets, written as it stands: what bencode's writer makes, in a fifth of the time. */
function encodeCompactReply({ peers4, peers6, externalAddress, ...reply }: HttpAnnounceReply): Uint8Array {
  const seen = addressToBytes(externalAddress);
  const start = `d8:completei${reply.seedCount}e10:downloadedi${reply.completedCount}e11:external ip${seen.length}:`;
  const middle =
    `10:incompletei${reply.leechCount}e8:intervali${reply.intervalS}e` +
    `12:min intervali${reply.minIntervalS}e5:peers${peers4.length}:`;
  const end = peers6.length > 0 || seen.length === 16 ? `6:peers6${peers6.length}:` : '';
  const length = start.length + seen.length + middle.length + peers4.length + end.length + peers6.length + 1;
  const bytes = new Uint8Array(length);
  let at = writeAscii(bytes, 0, start);
  bytes.set(seen, at);
  at = writeAscii(bytes, at + seen.length, middle);
  bytes.set(peers4, at);
  at = writeAscii(bytes, at + peers4.length, end);
  bytes.set(peers6, at);
  bytes[length - 1] = 0x65;
  return bytes;
}

/** @returns where it ends */
function writeAscii(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}

export function encodeHttpScrapeReply(swarms: Iterable<readonly [Uint8Array, SwarmCounts]>): Uint8Array {
  const files = new Map<Uint8Array, BencodeInput>();
  const seen = new Set<string>();
  for (const [hash, counts] of swarms) {
    const key = toLatin1(hash);
    if (seen.has(key)) continue;
    seen.add(key);
    files.set(hash, {
      complete: counts.seedCount,
      downloaded: counts.completedCount,
      incomplete: counts.leechCount,
    });
  }
  return encodeBencode({ files });
}

export function encodeHttpFailure(
  message: string,
  retryInMinutes: number | 'never' | null = null,
): Uint8Array {
  return encodeBencode({ 'failure reason': message, 'retry in': retryInMinutes ?? undefined });
}

function decodeRoot(bytes: Uint8Array): Result<BencodeValue> {
  const prefix = decodeBencodePrefix(bytes, httpAnswerLimits);
  if (!prefix.ok) return failed(notAnAnswer(prefix.fault.message));
  const { value } = prefix.value;
  return value.kind === 'dictionary' ? ok(value) : failed(notAnAnswer('It is no dictionary.'));
}

function tryRefusal(root: BencodeValue): TrackerRefusal | null {
  if (root.get('failure reason') === null) return null;
  const message = textOf(root, 'failure reason') ?? 'no reason given';
  const retry = root.get('retry in');
  const minutes = retry?.tryInteger() ?? null;
  if (minutes !== null && minutes >= 0) return { message, retryInMs: minutes * 60_000 };
  return { message, retryInMs: retry?.tryText() === 'never' ? 'never' : null };
}

function decodePeers(root: BencodeValue): Endpoint[] {
  const { peerCountMax } = httpAnswerLimits;
  const peers: Endpoint[] = [];
  const compact6 = root.getBytes('peers6');
  const compact4 = root.getBytes('peers');
  if (compact4 !== null) peers.push(...decodeCompactPeers(compact4, 4, peerCountMax));
  for (const entry of root.getItems('peers') ?? []) {
    if (peers.length === peerCountMax) break;
    const address = tryParseAddress(entry.getText('ip') ?? '');
    const port = entry.getInteger('port') ?? 0;
    if (address !== null && port > 0 && port < 65536) peers.push({ address, port });
  }
  if (compact6 !== null) peers.push(...decodeCompactPeers(compact6, 6, peerCountMax - peers.length));
  return peers;
}

/** Seconds as milliseconds; nonsense is null. */
function secondsOf(root: BencodeValue, key: string): number | null {
  const seconds = root.getInteger(key);
  return seconds !== null && seconds > 0 && seconds < 2 ** 31 ? seconds * 1000 : null;
}

function countOf(root: BencodeValue, key: string): number | null {
  const count = root.getInteger(key);
  return count !== null && count >= 0 ? count : null;
}

function textOf(root: BencodeValue, key: string): string | null {
  const bytes = root.getBytes(key);
  return bytes === null || bytes.length === 0
    ? null
    : decodeUtf8Lossy(bytes.subarray(0, httpAnswerLimits.messageBytesMax));
}

function notAnAnswer(why: string): Fault {
  return {
    code: 'BITTORRENT_TRACKER_ANSWER',
    message: `The tracker's answer cannot be read. ${why}`,
    blame: 'tracker',
    penalty: 0,
  };
}
