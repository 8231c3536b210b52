/**
 * What our tracker knows: swarms and their peers, in flat arrays (tracker-store-peers.ts, tracker-store-index.ts).
 *
 * Rules:
 *  1. A peer is an address and a port in a swarm. It counts as a seed when it has nothing left. It is forgotten when
 *     it says `stopped`, or is not heard for `peerTtlS`.
 *  2. Seeds are not told of seeds. Nobody is told of himself. Port 0 gets answers and is not remembered.
 *  3. `completed` counts peers that were known as incomplete; what a newcomer claims counts for nothing.
 *  4. With an access list, swarms off the list (`allow`) or on it (`deny`) are neither made nor told of.
 *  5. An empty swarm is kept for `emptyTtlS`, for its count of completions, then forgotten.
 *
 * Attackers invent swarms and ports to fill memory: there are ceilings on both, newcomers beyond them are refused and
 * those who are known go on; nothing an address sends costs more than one row for a time-to-live. That the address is
 * real the transport has shown (connection id, TCP).
 * Cost: an announce is O(1) and allocates nothing; expiry is a slow sweep over the rows, some thousand a tick, so a
 * dead peer may be named for one sweep longer than its time.
 */
import type { Prng } from '@tequio/kernel';
import type { AddressFamily } from '../wire/compact-peers.ts';
import { announceEvents, type SwarmCounts } from '../wire/tracker-udp.ts';
import { InfoHashIndex, TabulationHash } from './tracker-store-index.ts';
import { PeerArena } from './tracker-store-peers.ts';

export const trackerStoreLimits = {
  /** Swarms, empty ones too: about 100 bytes each. */
  swarmCountMax: 1_000_000,
  /** Peers of both families: about 30 bytes an IPv4 peer, 45 an IPv6 peer, up to twice that after growth. */
  peerCountMax: 4_000_000,
  /** Two announce intervals of half an hour, and some. */
  peerTtlS: 65 * 60,
  emptyTtlS: 65 * 60,
  /** A whole sweep of everything takes this long. */
  sweepS: 120,
} as const;

export type TrackerStoreOptions = {
  readonly prng: Prng;
  readonly access?: TrackerAccess;
  /** Lower ceilings than {@link trackerStoreLimits}, and times. */
  readonly limits?: Partial<Record<keyof typeof trackerStoreLimits, number>>;
};

/** Which info-hashes are served; 20 bytes each. */
export type TrackerAccess =
  | { readonly mode: 'all' }
  | { readonly mode: 'allow' | 'deny'; readonly infoHashes: readonly Uint8Array[] };

export type TrackerStoreStats = {
  readonly swarmCount: number;
  readonly seedCount: number;
  readonly leechCount: number;
  readonly peer4Count: number;
  readonly peer6Count: number;
  readonly memoryBytes: number;
};

/** What {@link TrackerStore.announce} returns in place of a swarm. */
export const announceRefusal = {
  /** Nobody is in that swarm, and this announce does not begin it. */
  unknown: -1,
  /** Not served here. */
  denied: -2,
  /** No room for another swarm or peer. */
  full: -3,
} as const;

const completedEvent = announceEvents.indexOf('completed');
const stoppedEvent = announceEvents.indexOf('stopped');

export class TrackerStore {
  readonly #prng: Prng;
  readonly #limits: Record<keyof typeof trackerStoreLimits, number>;
  readonly #swarms: InfoHashIndex;
  readonly #arena4: PeerArena;
  readonly #arena6: PeerArena;
  readonly #accessMode: TrackerAccess['mode'];
  readonly #accessList: InfoHashIndex;
  #completed = new Uint32Array(64);
  /** When a swarm became empty; meaningless while it has peers. */
  #emptySinceS = new Uint32Array(64);
  #swarmSweepAt = 0;
  /** The row of the last announce, and its family: who is not to be told of himself. */
  #selfRow = -1;
  #selfFamily: AddressFamily = 4;

  constructor(options: TrackerStoreOptions) {
    this.#prng = options.prng;
    this.#limits = { ...trackerStoreLimits, ...options.limits };
    const hash = new TabulationHash(options.prng.fork());
    this.#swarms = new InfoHashIndex(hash);
    this.#arena4 = new PeerArena(4, hash);
    this.#arena6 = new PeerArena(6, hash);
    this.#accessList = new InfoHashIndex(hash);
    const access = options.access ?? { mode: 'all' };
    this.#accessMode = access.mode;
    if (access.mode !== 'all')
      for (const infoHash of access.infoHashes)
        if (this.#accessList.find(infoHash, 0) < 0) this.#accessList.add(infoHash, 0);
  }

  /**
   * Takes in one announce. @param bytes has the info-hash at `hashAt` @param address 4 or 16 bytes; mapped IPv4 as 4
   * @param event its number on the wire (BEP 15) @returns the swarm, for `pickPeers` and the counts until the next
   * announce or sweep, or an {@link announceRefusal}
   */
  announce(
    bytes: Uint8Array,
    hashAt: number,
    address: Uint8Array,
    port: number,
    event: number,
    isSeed: boolean,
    nowS: number,
  ): number {
    this.#selfRow = -1;
    if (!this.#isAllowed(bytes, hashAt)) return announceRefusal.denied;
    const known = this.#swarms.find(bytes, hashAt);
    const leaves = event === stoppedEvent || port === 0;
    if (known < 0 && leaves) return announceRefusal.unknown;
    const arena = address.length === 4 ? this.#arena4 : this.#arena6;
    const row = known < 0 || port === 0 ? -1 : arena.find(known, address, port);
    if (leaves) {
      if (event === stoppedEvent && row >= 0) this.#remove(arena, known, row, nowS);
      return known;
    }
    this.#selfFamily = arena.family;
    if (row >= 0) {
      if (event === completedEvent && isSeed && !arena.isSeed(known, row)) this.#completed[known]!++;
      this.#selfRow = arena.update(known, row, isSeed, nowS);
      return known;
    }
    if (this.#arena4.peerCount + this.#arena6.peerCount >= this.#limits.peerCountMax)
      return announceRefusal.full;
    const swarm = known >= 0 ? known : this.#addSwarm(bytes, hashAt);
    if (swarm >= 0) this.#selfRow = arena.add(swarm, address, port, isSeed, nowS);
    return swarm;
  }

  /** Peers for who has just announced himself to `swarm`, compact, at `at` of `out`. @returns the bytes written */
  pickPeers(
    swarm: number,
    family: AddressFamily,
    forSeed: boolean,
    countMax: number,
    out: Uint8Array,
    at: number,
  ): number {
    const arena = family === 4 ? this.#arena4 : this.#arena6;
    const selfRow = family === this.#selfFamily ? this.#selfRow : -1;
    return arena.pick(swarm, forSeed, selfRow, countMax, this.#prng, out, at);
  }

  /** The swarm of the info-hash at `at`, or -1: unknown or not served. */
  find(bytes: Uint8Array, at: number): number {
    return this.#isAllowed(bytes, at) ? this.#swarms.find(bytes, at) : -1;
  }

  seedCount(swarm: number): number {
    return swarm < 0 ? 0 : this.#arena4.seedsOf(swarm) + this.#arena6.seedsOf(swarm);
  }

  leechCount(swarm: number): number {
    if (swarm < 0) return 0;
    return this.#arena4.peersOf(swarm) + this.#arena6.peersOf(swarm) - this.seedCount(swarm);
  }

  completedCount(swarm: number): number {
    return swarm < 0 ? 0 : this.#completed[swarm]!;
  }

  counts(swarm: number): SwarmCounts {
    return {
      seedCount: this.seedCount(swarm),
      completedCount: this.completedCount(swarm),
      leechCount: this.leechCount(swarm),
    };
  }

  /** Forgets some of what is dead: called about once a second, it gets around in `sweepS`. */
  sweep(nowS: number): void {
    const { peerTtlS, sweepS } = this.#limits;
    for (const arena of [this.#arena4, this.#arena6])
      arena.sweep(nowS - peerTtlS, Math.ceil((2 * arena.peerCount) / sweepS) + 64, (swarm) =>
        this.#markEmpty(swarm, nowS),
      );
    this.#sweepSwarms(nowS, Math.ceil(this.#swarms.idEnd / sweepS) + 64);
  }

  /** Forgets all that is dead now. */
  sweepAll(nowS: number): void {
    for (const arena of [this.#arena4, this.#arena6])
      for (let left = 2, before = -1; left > 0; ) {
        const isEnd = arena.sweep(nowS - this.#limits.peerTtlS, 65536, (swarm) =>
          this.#markEmpty(swarm, nowS),
        );
        if (!isEnd) continue;
        left = arena.peerCount === before ? left - 1 : 2;
        before = arena.peerCount;
      }
    this.#swarmSweepAt = 0;
    this.#sweepSwarms(nowS, this.#swarms.idEnd);
  }

  stats(): TrackerStoreStats {
    const [four, six] = [this.#arena4, this.#arena6];
    const seedCount = four.seedCount + six.seedCount;
    return {
      swarmCount: this.#swarms.count,
      seedCount,
      leechCount: four.peerCount + six.peerCount - seedCount,
      peer4Count: four.peerCount,
      peer6Count: six.peerCount,
      memoryBytes: four.memoryBytes + six.memoryBytes + 8 * this.#completed.length,
    };
  }

  #isAllowed(bytes: Uint8Array, at: number): boolean {
    if (this.#accessMode === 'all') return true;
    return this.#accessList.find(bytes, at) >= 0 === (this.#accessMode === 'allow');
  }

  #addSwarm(bytes: Uint8Array, hashAt: number): number {
    if (this.#swarms.count >= this.#limits.swarmCountMax) return announceRefusal.full;
    const swarm = this.#swarms.add(bytes, hashAt);
    if (swarm >= this.#completed.length) {
      const completed = new Uint32Array(2 * this.#completed.length);
      completed.set(this.#completed);
      this.#completed = completed;
      const emptySinceS = new Uint32Array(2 * this.#emptySinceS.length);
      emptySinceS.set(this.#emptySinceS);
      this.#emptySinceS = emptySinceS;
    }
    this.#completed[swarm] = 0;
    return swarm;
  }

  #remove(arena: PeerArena, swarm: number, row: number, nowS: number): void {
    arena.remove(swarm, row);
    this.#markEmpty(swarm, nowS);
  }

  #markEmpty(swarm: number, nowS: number): void {
    this.#emptySinceS[swarm] = nowS;
  }

  #sweepSwarms(nowS: number, count: number): void {
    for (let left = count; left > 0; left--) {
      if (this.#swarmSweepAt >= this.#swarms.idEnd) {
        this.#swarmSweepAt = 0;
        return;
      }
      const swarm = this.#swarmSweepAt++;
      if (this.#arena4.peersOf(swarm) + this.#arena6.peersOf(swarm) > 0) continue;
      if (!this.#swarms.has(swarm) || nowS - this.#emptySinceS[swarm]! < this.#limits.emptyTtlS) continue;
      this.#swarms.remove(swarm);
    }
  }
}
