/**
 * The UDP tracker protocol (BEP 15, IPv6 as its 2017 revision and BEP 7 have it, options of BEP 41): datagrams to and
 * from values. All numbers are big-endian.
 *
 *   connect   -> magic 8, action 0, transaction 4                          <- action 0, transaction, connection id 8
 *   announce  -> id 8, action 1, transaction, hash 20, peer id 20,         <- action 1, transaction, interval,
 *                downloaded 8, left 8, uploaded 8, event 4, address 4,        leechers, seeders, compact peers
 *                key 4, wanted 4, port 2, options
 *   scrape    -> id 8, action 2, transaction, hashes 20 each               <- action 2, transaction, 12 each
 *                                                                          <- action 3, transaction, error text
 *
 * The peers of an answer are of the family of the datagram that carries it; nothing inside says which.
 */
import {
  decodeUtf8Lossy,
  type Endpoint,
  encodeUtf8,
  type Fault,
  failed,
  ok,
  type Result,
  readUint16,
  readUint32,
  readUint64,
  writeUint16,
  writeUint32,
  writeUint64,
} from '@tequio/kernel';
import { type AddressFamily, decodeCompactPeers } from './compact-peers.ts';

export const udpTrackerLimits = {
  /** Peers taken from one answer: more than fit in the largest datagram over Ethernet-sized paths is a flood. */
  peerCountMax: 1000,
  /** Hashes in one scrape: BEP 15 names about 74 as what fits in a datagram. */
  scrapeCountMax: 74,
  /** Bytes of an error text that are kept for the user. */
  messageBytesMax: 512,
  /** Options read from one announce: BEP 41 has no more than a path in pieces of 255 bytes. */
  optionCountMax: 16,
} as const;

export const udpTrackerAction = { connect: 0, announce: 1, scrape: 2, error: 3 } as const;

/** Places of the fields in requests, for the server's hot path. */
export const udpRequestAt = {
  action: 8,
  transaction: 12,
  infoHash: 16,
  peerId: 36,
  downloaded: 56,
  left: 64,
  uploaded: 72,
  event: 80,
  address: 84,
  key: 88,
  numWant: 92,
  port: 96,
  options: 98,
} as const;

export const udpConnectBytes = 16;
export const udpAnnounceBytes = 98;
/** The protocol id that opens every connect request. */
export const udpMagicHigh = 0x417;
export const udpMagicLow = 0x27101980;

export type AnnounceEvent = 'none' | 'completed' | 'started' | 'stopped';
/** By their numbers on the wire. */
export const announceEvents: readonly AnnounceEvent[] = ['none', 'completed', 'started', 'stopped'];

export type UdpAnnounceRequest = {
  /** 8 bytes, as the tracker gave them. */
  readonly connectionId: Uint8Array;
  readonly transaction: number;
  /** 20 bytes; a v2 hash is truncated. */
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
  readonly downloadedBytes: number;
  readonly leftBytes: number;
  readonly uploadedBytes: number;
  readonly event: AnnounceEvent;
  readonly key: number;
  /** -1: as many as the tracker thinks right. */
  readonly numWant: number;
  readonly port: number;
  /** Path and query of the tracker's address (BEP 41); empty: none is sent. */
  readonly urlData: string;
};

export type UdpTrackerRequest =
  | { readonly type: 'connect'; readonly transaction: number }
  | ({ readonly type: 'announce' } & UdpAnnounceRequest)
  | {
      readonly type: 'scrape';
      readonly connectionId: Uint8Array;
      readonly transaction: number;
      readonly infoHashes: readonly Uint8Array[];
    };

export type SwarmCounts = {
  readonly seedCount: number;
  readonly completedCount: number;
  readonly leechCount: number;
};

export type UdpTrackerResponse =
  | { readonly type: 'connect'; readonly transaction: number; readonly connectionId: Uint8Array }
  | {
      readonly type: 'announce';
      readonly transaction: number;
      readonly intervalS: number;
      readonly leechCount: number;
      readonly seedCount: number;
      readonly peers: readonly Endpoint[];
    }
  | { readonly type: 'scrape'; readonly transaction: number; readonly swarms: readonly SwarmCounts[] }
  | { readonly type: 'error'; readonly transaction: number; readonly message: string };

export function encodeUdpConnect(transaction: number): Uint8Array {
  const bytes = new Uint8Array(udpConnectBytes);
  writeUint32(bytes, 0, udpMagicHigh);
  writeUint32(bytes, 4, udpMagicLow);
  writeUint32(bytes, udpRequestAt.action, udpTrackerAction.connect);
  writeUint32(bytes, udpRequestAt.transaction, transaction);
  return bytes;
}

/** Byte totals are whole numbers up to 2^53; the tracker's 64 bits hold them. The address field is always 0. */
export function encodeUdpAnnounce(request: UdpAnnounceRequest): Uint8Array {
  const options = encodeUrlData(request.urlData);
  const bytes = new Uint8Array(udpAnnounceBytes + options.length);
  bytes.set(request.connectionId.subarray(0, 8), 0);
  writeUint32(bytes, udpRequestAt.action, udpTrackerAction.announce);
  writeUint32(bytes, udpRequestAt.transaction, request.transaction);
  bytes.set(request.infoHash.subarray(0, 20), udpRequestAt.infoHash);
  bytes.set(request.peerId.subarray(0, 20), udpRequestAt.peerId);
  writeUint64(bytes, udpRequestAt.downloaded, BigInt(request.downloadedBytes));
  writeUint64(bytes, udpRequestAt.left, BigInt(request.leftBytes));
  writeUint64(bytes, udpRequestAt.uploaded, BigInt(request.uploadedBytes));
  writeUint32(bytes, udpRequestAt.event, announceEvents.indexOf(request.event));
  writeUint32(bytes, udpRequestAt.key, request.key);
  writeUint32(bytes, udpRequestAt.numWant, request.numWant);
  writeUint16(bytes, udpRequestAt.port, request.port);
  bytes.set(options, udpRequestAt.options);
  return bytes;
}

/** At most {@link udpTrackerLimits.scrapeCountMax} hashes; more are left out. */
export function encodeUdpScrape(
  connectionId: Uint8Array,
  transaction: number,
  infoHashes: readonly Uint8Array[],
): Uint8Array {
  const hashes = infoHashes.slice(0, udpTrackerLimits.scrapeCountMax);
  const bytes = new Uint8Array(16 + 20 * hashes.length);
  bytes.set(connectionId.subarray(0, 8), 0);
  writeUint32(bytes, udpRequestAt.action, udpTrackerAction.scrape);
  writeUint32(bytes, udpRequestAt.transaction, transaction);
  hashes.forEach((hash, i) => {
    bytes.set(hash.subarray(0, 20), 16 + 20 * i);
  });
  return bytes;
}

/** What a tracker sent to us. `family` is that of the socket it came in on. Longer datagrams than needed are fine. */
export function decodeUdpTrackerResponse(
  bytes: Uint8Array,
  family: AddressFamily,
): Result<UdpTrackerResponse> {
  if (bytes.length < 8) return failed(malformed('is shorter than its header'));
  const transaction = readUint32(bytes, 4);
  switch (readUint32(bytes, 0)) {
    case udpTrackerAction.connect:
      if (bytes.length < 16) return failed(malformed('has no whole connection id'));
      return ok({ type: 'connect', transaction, connectionId: bytes.slice(8, 16) });
    case udpTrackerAction.announce:
      if (bytes.length < 20) return failed(malformed('is shorter than an announce answer'));
      return ok({
        type: 'announce',
        transaction,
        intervalS: readUint32(bytes, 8),
        leechCount: readUint32(bytes, 12),
        seedCount: readUint32(bytes, 16),
        peers: decodeCompactPeers(bytes, family, udpTrackerLimits.peerCountMax, 20),
      });
    case udpTrackerAction.scrape:
      return ok({ type: 'scrape', transaction, swarms: decodeSwarms(bytes) });
    case udpTrackerAction.error: {
      const text = bytes.subarray(8, 8 + udpTrackerLimits.messageBytesMax);
      return ok({ type: 'error', transaction, message: decodeUtf8Lossy(text) });
    }
    default:
      return failed(malformed('has an unknown action'));
  }
}

/** What a client sent to a tracker. */
export function decodeUdpTrackerRequest(bytes: Uint8Array): Result<UdpTrackerRequest> {
  if (bytes.length < udpConnectBytes) return failed(malformed('is shorter than its header'));
  const transaction = readUint32(bytes, udpRequestAt.transaction);
  switch (readUint32(bytes, udpRequestAt.action)) {
    case udpTrackerAction.connect:
      if (readUint32(bytes, 0) !== udpMagicHigh || readUint32(bytes, 4) !== udpMagicLow)
        return failed(malformed('does not start with the protocol id'));
      return ok({ type: 'connect', transaction });
    case udpTrackerAction.announce:
      if (bytes.length < udpAnnounceBytes) return failed(malformed('is shorter than an announce'));
      return ok({ type: 'announce', ...decodeAnnounce(bytes) });
    case udpTrackerAction.scrape: {
      const infoHashes: Uint8Array[] = [];
      for (let at = 16; at + 20 <= bytes.length; at += 20) {
        if (infoHashes.length === udpTrackerLimits.scrapeCountMax) break;
        infoHashes.push(bytes.slice(at, at + 20));
      }
      return ok({ type: 'scrape', connectionId: bytes.slice(0, 8), transaction, infoHashes });
    }
    default:
      return failed(malformed('has an unknown action'));
  }
}

/**
 * The URL data that the options after an announce spell (BEP 41), as text; null when they break off in the middle.
 * Option 0 ends the list, 1 is padding, 2 is a length byte and that many bytes of URL data; others have a length byte
 * and are skipped.
 */
export function decodeUrlData(bytes: Uint8Array, from: number): string | null {
  let text = '';
  let at = from;
  for (let count = 0; at < bytes.length && count < udpTrackerLimits.optionCountMax; count++) {
    const kind = bytes[at]!;
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    const end = at + 2 + (bytes[at + 1] ?? bytes.length);
    if (end > bytes.length) return null;
    if (kind === 2) text += decodeUtf8Lossy(bytes.subarray(at + 2, end));
    at = end;
  }
  return text;
}

function encodeUrlData(urlData: string): Uint8Array {
  if (urlData === '') return new Uint8Array(0);
  const data = encodeUtf8(urlData).subarray(0, 255 * (udpTrackerLimits.optionCountMax - 1));
  const options = new Uint8Array(data.length + 2 * Math.ceil(data.length / 255) + 1);
  let to = 0;
  for (let at = 0; at < data.length; at += 255) {
    const part = data.subarray(at, at + 255);
    options[to] = 2;
    options[to + 1] = part.length;
    options.set(part, to + 2);
    to += 2 + part.length;
  }
  return options;
}

function decodeAnnounce(bytes: Uint8Array): UdpAnnounceRequest {
  const numWant = readUint32(bytes, udpRequestAt.numWant) | 0;
  return {
    connectionId: bytes.slice(0, 8),
    transaction: readUint32(bytes, udpRequestAt.transaction),
    infoHash: bytes.slice(udpRequestAt.infoHash, udpRequestAt.infoHash + 20),
    peerId: bytes.slice(udpRequestAt.peerId, udpRequestAt.peerId + 20),
    downloadedBytes: Number(readUint64(bytes, udpRequestAt.downloaded)),
    leftBytes: Number(readUint64(bytes, udpRequestAt.left)),
    uploadedBytes: Number(readUint64(bytes, udpRequestAt.uploaded)),
    event: announceEvents[readUint32(bytes, udpRequestAt.event)] ?? 'none',
    key: readUint32(bytes, udpRequestAt.key),
    numWant: numWant < 0 ? -1 : numWant,
    port: readUint16(bytes, udpRequestAt.port),
    urlData: decodeUrlData(bytes, udpRequestAt.options) ?? '',
  };
}

function decodeSwarms(bytes: Uint8Array): SwarmCounts[] {
  const swarms: SwarmCounts[] = [];
  for (let at = 8; at + 12 <= bytes.length && swarms.length < udpTrackerLimits.scrapeCountMax; at += 12) {
    swarms.push({
      seedCount: readUint32(bytes, at),
      completedCount: readUint32(bytes, at + 4),
      leechCount: readUint32(bytes, at + 8),
    });
  }
  return swarms;
}

function malformed(what: string): Fault {
  return {
    code: 'BITTORRENT_TRACKER_DATAGRAM',
    message: `A UDP tracker datagram ${what}.`,
    blame: 'tracker',
    penalty: 0,
  };
}
