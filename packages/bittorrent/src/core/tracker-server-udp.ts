/**
 * The UDP side of our tracker (BEP 15): a datagram in, a datagram or nothing out.
 *
 * Attacker: anybody can send datagrams with somebody else's address on them, so that our answers flood him, or put him
 * into swarms. So: a connect is answered with as many bytes as it had; announces and scrapes need the id that went to
 * that address (tracker-server-udp-token.ts); a wrong id is answered with an error that is shorter than the request,
 * because honest clients with an old id then connect again at once; everything else is dropped. Nothing is remembered
 * of who connects.
 * Peers in an answer: what fits in an Ethernet frame, 200 of IPv4 or 70 of IPv6.
 * Cost: no allocation but the answer's view of a slab; one hash, one or two look-ups, a run of copied rows.
 */
import {
  addressToBytes,
  type Endpoint,
  encodeUtf8,
  type IpAddress,
  type Prng,
  readUint16,
  readUint32,
  writeUint32,
} from '@tequio/kernel';
import { compactPeerBytes } from '../wire/compact-peers.ts';
import {
  udpAnnounceBytes,
  udpConnectBytes,
  udpMagicHigh,
  udpMagicLow,
  udpRequestAt,
  udpTrackerAction,
  udpTrackerLimits,
} from '../wire/tracker-udp.ts';
import { ConnectionTokens } from './tracker-server-udp-token.ts';
import { announceRefusal, type TrackerStore } from './tracker-store.ts';

export const udpServerLimits = {
  /** 20 + 200 * 6 and 20 + 70 * 18 bytes: below the 1,280 and 1,472 that pass nearly everywhere. */
  peer4CountMax: 200,
  peer6CountMax: 70,
  /** When the client does not say how many it wants. */
  peerCountDefault: 50,
  /** Answers are cut from slabs of this size. */
  slabBytes: 65536,
} as const;

export type UdpServerOptions = {
  readonly store: TrackerStore;
  /** 16 bytes that nobody can guess. */
  readonly secret: Uint8Array;
  readonly intervalS: number;
  readonly prng: Prng;
};

/** Counts since the start. */
export type UdpServerStats = {
  connectCount: number;
  announceCount: number;
  scrapeCount: number;
  /** Answered with an error. */
  refusedCount: number;
  /** Not answered. */
  droppedCount: number;
};

const staleId = encodeUtf8('connection id expired');
const refusalTexts = {
  [announceRefusal.denied]: encodeUtf8('torrent not served here'),
  [announceRefusal.full]: encodeUtf8('tracker is full'),
} as const;

export class UdpTrackerServer {
  readonly stats: UdpServerStats = {
    connectCount: 0,
    announceCount: 0,
    scrapeCount: 0,
    refusedCount: 0,
    droppedCount: 0,
  };
  readonly #store: TrackerStore;
  readonly #tokens: ConnectionTokens;
  readonly #intervalS: number;
  readonly #prng: Prng;
  readonly #address4 = new Uint8Array(4);
  #slab = new Uint8Array(udpServerLimits.slabBytes);
  #slabUsed = 0;

  constructor(options: UdpServerOptions) {
    this.#store = options.store;
    this.#tokens = new ConnectionTokens(options.secret);
    this.#intervalS = options.intervalS;
    this.#prng = options.prng;
  }

  /** The answer to send to `from`, given away; null: none. `bytes` are borrowed. */
  handle(bytes: Uint8Array, from: Endpoint, nowMs: number): Uint8Array | null {
    if (bytes.length < udpConnectBytes) return this.#drop();
    const action = readUint32(bytes, udpRequestAt.action);
    const address = this.#addressOf(from.address);
    if (action === udpTrackerAction.connect) return this.#connect(bytes, address, nowMs);
    if (action === udpTrackerAction.announce && bytes.length >= udpAnnounceBytes) {
      if (!this.#tokens.isGood(address, nowMs, bytes)) return this.#refuse(bytes, staleId);
      return this.#announce(bytes, address, nowMs);
    }
    if (action === udpTrackerAction.scrape && bytes.length >= 36) {
      if (!this.#tokens.isGood(address, nowMs, bytes)) return this.#refuse(bytes, staleId);
      return this.#scrape(bytes);
    }
    return this.#drop();
  }

  #connect(bytes: Uint8Array, address: Uint8Array, nowMs: number): Uint8Array | null {
    if (readUint32(bytes, 0) !== udpMagicHigh || readUint32(bytes, 4) !== udpMagicLow) return this.#drop();
    this.stats.connectCount++;
    const at = this.#begin(16, udpTrackerAction.connect, bytes);
    this.#tokens.write(address, nowMs, this.#slab, at + 8);
    return this.#end(at, 16);
  }

  #announce(bytes: Uint8Array, address: Uint8Array, nowMs: number): Uint8Array {
    this.stats.announceCount++;
    const store = this.#store;
    const isSeed =
      readUint32(bytes, udpRequestAt.left) === 0 && readUint32(bytes, udpRequestAt.left + 4) === 0;
    const event = readUint32(bytes, udpRequestAt.event);
    const port = readUint16(bytes, udpRequestAt.port);
    const nowS = Math.floor(nowMs / 1000);
    const swarm = store.announce(bytes, udpRequestAt.infoHash, address, port, event, isSeed, nowS);
    if (swarm === announceRefusal.denied || swarm === announceRefusal.full)
      return this.#refuse(bytes, refusalTexts[swarm]);
    const family = address.length === 4 ? 4 : 6;
    const countMax = peerCountOf(readUint32(bytes, udpRequestAt.numWant), family);
    const at = this.#begin(20 + countMax * compactPeerBytes(family), udpTrackerAction.announce, bytes);
    const slab = this.#slab;
    // A tenth more or less, so that clients that began together do not come back together.
    writeUint32(slab, at + 8, this.#intervalS + this.#prng.below(1 + Math.floor(this.#intervalS / 10)));
    writeUint32(slab, at + 12, store.leechCount(swarm));
    writeUint32(slab, at + 16, store.seedCount(swarm));
    const wantsPeers = swarm >= 0 && event !== 3;
    return this.#end(
      at,
      20 + (wantsPeers ? store.pickPeers(swarm, family, isSeed, countMax, slab, at + 20) : 0),
    );
  }

  #scrape(bytes: Uint8Array): Uint8Array {
    this.stats.scrapeCount++;
    const count = Math.min(Math.floor((bytes.length - 16) / 20), udpTrackerLimits.scrapeCountMax);
    const at = this.#begin(8 + 12 * count, udpTrackerAction.scrape, bytes);
    for (let i = 0; i < count; i++) {
      const swarm = this.#store.find(bytes, 16 + 20 * i);
      writeUint32(this.#slab, at + 8 + 12 * i, this.#store.seedCount(swarm));
      writeUint32(this.#slab, at + 12 + 12 * i, this.#store.completedCount(swarm));
      writeUint32(this.#slab, at + 16 + 12 * i, this.#store.leechCount(swarm));
    }
    return this.#end(at, 8 + 12 * count);
  }

  /** Errors are shorter than any request that gets them. */
  #refuse(bytes: Uint8Array, text: Uint8Array): Uint8Array {
    this.stats.refusedCount++;
    const at = this.#begin(8 + text.length, udpTrackerAction.error, bytes);
    this.#slab.set(text, at + 8);
    return this.#end(at, 8 + text.length);
  }

  #drop(): null {
    this.stats.droppedCount++;
    return null;
  }

  /** Room for an answer of up to `bytesMax` bytes, begun with action and transaction. Returns its place. */
  #begin(bytesMax: number, action: number, request: Uint8Array): number {
    if (this.#slabUsed + bytesMax > this.#slab.length) {
      this.#slab = new Uint8Array(udpServerLimits.slabBytes);
      this.#slabUsed = 0;
    }
    const at = this.#slabUsed;
    writeUint32(this.#slab, at, action);
    for (let i = 0; i < 4; i++) this.#slab[at + 4 + i] = request[udpRequestAt.transaction + i]!;
    return at;
  }

  #end(at: number, length: number): Uint8Array {
    this.#slabUsed = at + length;
    return this.#slab.subarray(at, at + length);
  }

  /** 4 or 16 bytes; those of IPv4 are good until the next call. */
  #addressOf(address: IpAddress): Uint8Array {
    return readIpv4(address, this.#address4) ? this.#address4 : addressToBytes(address);
  }
}

function peerCountOf(numWant: number, family: 4 | 6): number {
  const countMax = family === 4 ? udpServerLimits.peer4CountMax : udpServerLimits.peer6CountMax;
  return Math.min(numWant >= 0x80000000 ? udpServerLimits.peerCountDefault : numWant, countMax);
}

/** The bytes of a canonical IPv4 address, without the cost of a general parser; false: it is IPv6. */
function readIpv4(text: string, out: Uint8Array): boolean {
  let value = 0;
  let index = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      out[index++] = value;
      value = 0;
    } else if (code >= 0x30 && code <= 0x39) value = value * 10 + code - 0x30;
    else return false;
  }
  out[3] = value;
  return index === 3;
}
