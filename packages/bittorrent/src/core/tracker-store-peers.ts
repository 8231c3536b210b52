/**
 * The peers of one address family of all swarms, in one arena of rows: address and port (6 or 18 bytes), second last
 * seen, owning swarm. About 30 bytes an IPv4 peer with its index entry, no object.
 *
 * A swarm's rows lie together in a block of 2^k rows, seeds first, leechers after them. So counts are kept, a seed's
 * answer is cut from the leechers' part, and a random choice is two runs of neighbours from random places: O(answer),
 * whatever the swarm's size. Neighbours change as peers come and go (the last row fills a hole), and every peer is
 * as likely as any other of its part.
 *
 * An index over (swarm, address, port) finds a row. Blocks that are given back are used again by size; when the arena
 * has no room left it is laid out anew, with the unused space squeezed out: growth and defragmentation in one.
 */
import type { Prng } from '@tequio/kernel';
import { type AddressFamily, compactPeerBytes } from '../wire/compact-peers.ts';
import type { TabulationHash } from './tracker-store-index.ts';

const free = -1;
const noBlock = 0xffffffff;

export class PeerArena {
  readonly family: AddressFamily;
  readonly rowBytes: number;
  readonly #hash: TabulationHash;
  // Columns by row. `#owner` is `free` for rows that hold no peer.
  #peers: Uint8Array;
  #seenS: Uint32Array;
  #owner: Int32Array;
  // Columns by swarm.
  #start = new Int32Array(64).fill(free);
  #order = new Uint8Array(64);
  #count = new Uint32Array(64);
  #seeds = new Uint32Array(64);
  /** Row + 1; 0: empty. Length is a power of two, at most half full. */
  #slots = new Int32Array(128);
  /** First free block of each size; the next one's number stands in its first row's `seenS`. */
  readonly #freeBlocks = new Uint32Array(32).fill(noBlock);
  #rowEnd = 0;
  #peerCount = 0;
  #seedCount = 0;
  #sweepRow = 0;

  constructor(family: AddressFamily, hash: TabulationHash) {
    this.family = family;
    this.rowBytes = compactPeerBytes(family);
    this.#hash = hash;
    this.#peers = new Uint8Array(64 * this.rowBytes);
    this.#seenS = new Uint32Array(64);
    this.#owner = new Int32Array(64).fill(free);
  }

  get peerCount(): number {
    return this.#peerCount;
  }

  get seedCount(): number {
    return this.#seedCount;
  }

  /** Bytes that the columns take. */
  get memoryBytes(): number {
    const rows = this.#peers.byteLength + this.#seenS.byteLength + this.#owner.byteLength;
    return rows + this.#slots.byteLength + 13 * this.#start.length;
  }

  peersOf(swarm: number): number {
    return swarm < this.#count.length ? this.#count[swarm]! : 0;
  }

  seedsOf(swarm: number): number {
    return swarm < this.#seeds.length ? this.#seeds[swarm]! : 0;
  }

  /** The row of a peer, or -1. `address` has the family's length. */
  find(swarm: number, address: Uint8Array, port: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = this.#hashOf(swarm, address, 0, port) & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot]! - 1;
      if (row < 0) return -1;
      if (this.#owner[row] === swarm && this.#isPeer(row, address, port)) return row;
    }
  }

  isSeed(swarm: number, row: number): boolean {
    return row - this.#start[swarm]! < this.#seeds[swarm]!;
  }

  /** Adds a peer that `find` does not know. Returns its row. */
  add(swarm: number, address: Uint8Array, port: number, isSeed: boolean, nowS: number): number {
    this.#reserve(swarm);
    let row = this.#start[swarm]! + this.#count[swarm]!++;
    this.#peerCount++;
    if (isSeed) {
      const boundary = this.#start[swarm]! + this.#seeds[swarm]!++;
      this.#seedCount++;
      if (boundary !== row) this.#move(boundary, row);
      row = boundary;
    }
    const at = row * this.rowBytes;
    for (let i = 0; i < this.rowBytes - 2; i++) this.#peers[at + i] = address[i]!;
    this.#peers[at + this.rowBytes - 2] = port >>> 8;
    this.#peers[at + this.rowBytes - 1] = port;
    this.#seenS[row] = nowS;
    this.#owner[row] = swarm;
    if (2 * this.#peerCount > this.#slots.length) this.#rebuildIndex(this.#slots.length * 2);
    else this.#index(row);
    return row;
  }

  /** Refreshes a known peer. Returns its row, which changes when it becomes a seed or stops being one. */
  update(swarm: number, row: number, isSeed: boolean, nowS: number): number {
    this.#seenS[row] = nowS;
    const wasSeed = this.isSeed(swarm, row);
    if (wasSeed === isSeed) return row;
    const other = this.#start[swarm]! + (isSeed ? this.#seeds[swarm]! : this.#seeds[swarm]! - 1);
    const step = isSeed ? 1 : -1;
    this.#seeds[swarm]! += step;
    this.#seedCount += step;
    if (other !== row) this.#swap(row, other);
    return other;
  }

  remove(swarm: number, row: number): void {
    this.#unindex(row);
    const last = this.#start[swarm]! + this.#count[swarm]! - 1;
    let hole = row;
    if (this.isSeed(swarm, row)) {
      const lastSeed = this.#start[swarm]! + --this.#seeds[swarm]!;
      this.#seedCount--;
      if (lastSeed !== hole) this.#move(lastSeed, hole);
      hole = lastSeed;
    }
    if (last !== hole) this.#move(last, hole);
    this.#owner[last] = free;
    this.#peerCount--;
    if (--this.#count[swarm]! === 0) this.#giveBack(swarm);
  }

  /**
   * Writes at most `countMax` compact peers of a swarm to `out`, never the one in `selfRow`. Seeds are told of
   * leechers only. Others get both as they stand in the swarm, but of each, if there, at least a quarter: a few seeds
   * among a thousand leechers would hardly ever be named, and a swarm is held together by both.
   * @returns the bytes written
   */
  pick(
    swarm: number,
    forSeed: boolean,
    selfRow: number,
    countMax: number,
    prng: Prng,
    out: Uint8Array,
    at: number,
  ): number {
    if (this.peersOf(swarm) === 0) return 0;
    const start = this.#start[swarm]!;
    const [allSeeds, all] = [this.#seeds[swarm]!, this.#count[swarm]!];
    const selfIn = selfRow >= start && selfRow < start + all;
    const selfIsSeed = selfIn && selfRow < start + allSeeds;
    const seeds = forSeed ? 0 : allSeeds - (selfIsSeed ? 1 : 0);
    const leechers = all - allSeeds - (selfIn && !selfIsSeed ? 1 : 0);
    const count = Math.min(countMax, seeds + leechers);
    const quarter = Math.ceil(count / 4);
    const share = Math.round((count * seeds) / Math.max(1, seeds + leechers));
    const least = Math.max(Math.min(seeds, quarter), count - leechers);
    const most = Math.min(seeds, count - Math.min(leechers, quarter));
    const seedPicks = Math.min(Math.max(share, least), Math.max(most, least));
    let to = at;
    to = this.#pickRun(start, allSeeds, selfRow, seedPicks, prng, out, to);
    to = this.#pickRun(start + allSeeds, all - allSeeds, selfRow, count - seedPicks, prng, out, to);
    return to - at;
  }

  /**
   * Looks at the next `rowCount` rows and removes the peers last seen before `deadS`; `onEmpty` is told of swarms
   * that lost their last one. @returns true when the end of the arena was reached, and the next call begins anew
   */
  sweep(deadS: number, rowCount: number, onEmpty: (swarm: number) => void): boolean {
    for (let left = rowCount; left > 0; left--) {
      if (this.#sweepRow >= this.#rowEnd) {
        this.#sweepRow = 0;
        return true;
      }
      const row = this.#sweepRow;
      const swarm = this.#owner[row]!;
      if (swarm === free || this.#seenS[row]! >= deadS) {
        this.#sweepRow++;
        continue;
      }
      // Another row of the swarm comes here, and is looked at next.
      this.remove(swarm, row);
      if (this.#count[swarm] === 0) onEmpty(swarm);
    }
    return false;
  }

  /** `count` rows of a ring from a random place, without `selfRow`. */
  #pickRun(
    start: number,
    length: number,
    selfRow: number,
    count: number,
    prng: Prng,
    out: Uint8Array,
    at: number,
  ): number {
    if (count === 0) return at;
    const { rowBytes } = this;
    const peers = this.#peers;
    let offset = prng.below(length);
    let to = at;
    for (let left = count; left > 0; ) {
      const row = start + offset;
      offset = offset + 1 === length ? 0 : offset + 1;
      if (row === selfRow) continue;
      const from = row * rowBytes;
      for (let i = 0; i < rowBytes; i++) out[to + i] = peers[from + i]!;
      to += rowBytes;
      left--;
    }
    return to;
  }

  #hashOf(swarm: number, address: Uint8Array, at: number, port: number): number {
    const { rowBytes } = this;
    const hash = this.#hash.hash(address, at, rowBytes - 2, this.#hash.hashUint32(swarm), 4);
    // The port's two bytes stand in the last places of the key, as they would in a row.
    return (hash ^ this.#hash.hashUint32(port, 20)) >>> 0;
  }

  #hashOfRow(row: number): number {
    const at = row * this.rowBytes;
    const portAt = at + this.rowBytes - 2;
    return this.#hashOf(
      this.#owner[row]!,
      this.#peers,
      at,
      (this.#peers[portAt]! << 8) | this.#peers[portAt + 1]!,
    );
  }

  #isPeer(row: number, address: Uint8Array, port: number): boolean {
    const at = row * this.rowBytes;
    const portAt = at + this.rowBytes - 2;
    if (this.#peers[portAt] !== port >>> 8 || this.#peers[portAt + 1] !== (port & 255)) return false;
    for (let i = 0; i < this.rowBytes - 2; i++) if (this.#peers[at + i] !== address[i]) return false;
    return true;
  }

  /** Makes room for one more row of a swarm. */
  #reserve(swarm: number): void {
    if (swarm >= this.#start.length) this.#growSwarms(swarm + 1);
    const count = this.#count[swarm]!;
    if (this.#start[swarm] === free) {
      this.#start[swarm] = this.#takeBlock(0);
      this.#order[swarm] = 0;
    } else if (count === 1 << this.#order[swarm]!) {
      const order = this.#order[swarm]! + 1;
      const to = this.#takeBlock(order);
      // Only now: taking a block may have moved all others.
      const from = this.#start[swarm]!;
      for (let i = 0; i < count; i++) this.#move(from + i, to + i);
      this.#owner.fill(free, from, from + count);
      this.#pushBlock(from, order - 1);
      this.#start[swarm] = to;
      this.#order[swarm] = order;
    }
  }

  #giveBack(swarm: number): void {
    this.#pushBlock(this.#start[swarm]!, this.#order[swarm]!);
    this.#start[swarm] = free;
  }

  #pushBlock(start: number, order: number): void {
    this.#seenS[start] = this.#freeBlocks[order]!;
    this.#freeBlocks[order] = start;
  }

  #takeBlock(order: number): number {
    const block = this.#freeBlocks[order]!;
    if (block !== noBlock) {
      this.#freeBlocks[order] = this.#seenS[block]!;
      return block;
    }
    const rows = 1 << order;
    if (this.#rowEnd + rows > this.#owner.length) this.#layOut(rows);
    const start = this.#rowEnd;
    this.#rowEnd += rows;
    return start;
  }

  /** Copies every block to the front of new columns with room for `extraRows` and as much again as there is. */
  #layOut(extraRows: number): void {
    let used = 0;
    for (let swarm = 0; swarm < this.#start.length; swarm++)
      if (this.#start[swarm] !== free) used += 1 << this.#order[swarm]!;
    const rows = 2 * (used + extraRows);
    const { rowBytes } = this;
    const [peers, seenS, owner] = [this.#peers, this.#seenS, this.#owner];
    this.#peers = new Uint8Array(rows * rowBytes);
    this.#seenS = new Uint32Array(rows);
    this.#owner = new Int32Array(rows).fill(free);
    this.#rowEnd = 0;
    for (let swarm = 0; swarm < this.#start.length; swarm++) {
      const from = this.#start[swarm]!;
      if (from === free) continue;
      const end = from + this.#count[swarm]!;
      this.#peers.set(peers.subarray(from * rowBytes, end * rowBytes), this.#rowEnd * rowBytes);
      this.#seenS.set(seenS.subarray(from, end), this.#rowEnd);
      this.#owner.set(owner.subarray(from, end), this.#rowEnd);
      this.#start[swarm] = this.#rowEnd;
      this.#rowEnd += 1 << this.#order[swarm]!;
    }
    this.#freeBlocks.fill(noBlock);
    this.#sweepRow = 0;
    this.#rebuildIndex(this.#slots.length);
  }

  #growSwarms(swarmEnd: number): void {
    const length = Math.max(swarmEnd, 2 * this.#start.length);
    const start = new Int32Array(length).fill(free);
    start.set(this.#start);
    this.#start = start;
    const order = new Uint8Array(length);
    order.set(this.#order);
    this.#order = order;
    const count = new Uint32Array(length);
    count.set(this.#count);
    this.#count = count;
    const seeds = new Uint32Array(length);
    seeds.set(this.#seeds);
    this.#seeds = seeds;
  }

  /** Copies a row over one that holds nothing any more; the index follows. */
  #move(from: number, to: number): void {
    const slot = this.#slotOf(from);
    this.#copyRow(from, to);
    this.#slots[slot] = to + 1;
  }

  #swap(a: number, b: number): void {
    const [slotA, slotB] = [this.#slotOf(a), this.#slotOf(b)];
    const { rowBytes } = this;
    for (let i = 0; i < rowBytes; i++) {
      const byte = this.#peers[a * rowBytes + i]!;
      this.#peers[a * rowBytes + i] = this.#peers[b * rowBytes + i]!;
      this.#peers[b * rowBytes + i] = byte;
    }
    const seen = this.#seenS[a]!;
    this.#seenS[a] = this.#seenS[b]!;
    this.#seenS[b] = seen;
    this.#slots[slotA] = b + 1;
    this.#slots[slotB] = a + 1;
  }

  #copyRow(from: number, to: number): void {
    const { rowBytes } = this;
    this.#peers.copyWithin(to * rowBytes, from * rowBytes, (from + 1) * rowBytes);
    this.#seenS[to] = this.#seenS[from]!;
    this.#owner[to] = this.#owner[from]!;
  }

  #slotOf(row: number): number {
    const mask = this.#slots.length - 1;
    let slot = this.#hashOfRow(row) & mask;
    while (this.#slots[slot] !== row + 1) slot = (slot + 1) & mask;
    return slot;
  }

  #index(row: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hashOfRow(row) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = row + 1;
  }

  #unindex(row: number): void {
    const mask = this.#slots.length - 1;
    let hole = this.#slotOf(row);
    for (let slot = (hole + 1) & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#hashOfRow(this.#slots[slot]! - 1) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      this.#slots[hole] = this.#slots[slot]!;
      hole = slot;
    }
    this.#slots[hole] = 0;
  }

  #rebuildIndex(slotCount: number): void {
    this.#slots = new Int32Array(slotCount);
    for (let row = 0; row < this.#rowEnd; row++) if (this.#owner[row] !== free) this.#index(row);
  }
}
