/**
 * Hash tables over bytes in flat arrays, for the tracker's store: no object and no string per entry.
 *
 * Attacker: who announces chooses info-hashes, ports and (with IPv6) addresses, so he would choose colliding ones.
 * Tabulation hashing with secret random tables (Zobrist 1970; Patrascu and Thorup 2012: linear probing stays O(1)
 * expected for any set of keys chosen without knowing the tables) leaves him nothing to choose by.
 * Cost: one table look-up a key byte, tables of 24 KiB that stay in the first cache.
 */
import { assert, type Prng } from '@tequio/kernel';

/** The longest key: torrent id 4, address 16, port 2; rounded up. */
const keyBytesMax = 24;

export class TabulationHash {
  readonly #tables = new Uint32Array(keyBytesMax * 256);

  constructor(prng: Prng) {
    for (let i = 0; i < this.#tables.length; i++) this.#tables[i] = prng.nextUint32();
  }

  /** @param seed hash of the key's earlier bytes, 0 for none @param position of the first byte within the key */
  hash(bytes: Uint8Array, at: number, length: number, seed = 0, position = 0): number {
    const tables = this.#tables;
    let hash = seed;
    for (let i = 0; i < length; i++) hash ^= tables[((position + i) << 8) | bytes[at + i]!]!;
    return hash >>> 0;
  }

  hashUint32(value: number, position = 0): number {
    const tables = this.#tables;
    const base = position << 8;
    return (
      (tables[base | (value & 255)]! ^
        tables[(base + 256) | ((value >>> 8) & 255)]! ^
        tables[(base + 512) | ((value >>> 16) & 255)]! ^
        tables[(base + 768) | (value >>> 24)]!) >>>
      0
    );
  }
}

/**
 * Ids (small numbers, used again after `remove`) for keys of 20 bytes. Open addressing with linear probing at most
 * half full; deletion moves later entries back, so there are no tombstones to fill the table.
 */
export class InfoHashIndex {
  readonly #hash: TabulationHash;
  #keys = new Uint8Array(64 * 20);
  /** Id + 1; 0: empty. Length is a power of two. */
  #slots = new Int32Array(128);
  #free: number[] = [];
  /** 1: the id is in use. */
  #used = new Uint8Array(64);
  /** Ids below this were given out at some time. */
  #idEnd = 0;
  #count = 0;

  constructor(hash: TabulationHash) {
    this.#hash = hash;
  }

  get count(): number {
    return this.#count;
  }

  /** Ids are below this: the length that columns by id need. */
  get idEnd(): number {
    return this.#idEnd;
  }

  /** The id of the 20 bytes at `at`, or -1. */
  find(bytes: Uint8Array, at: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = this.#hash.hash(bytes, at, 20) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]!;
      if (entry === 0) return -1;
      if (this.#isKey(entry - 1, bytes, at)) return entry - 1;
    }
  }

  /** A new id for a key that `find` does not know. */
  add(bytes: Uint8Array, at: number): number {
    if (2 * (this.#count + 1) > this.#slots.length) this.#growSlots();
    const id = this.#free.pop() ?? this.#idEnd++;
    if (id * 20 === this.#keys.length) this.#growKeys();
    for (let i = 0; i < 20; i++) this.#keys[id * 20 + i] = bytes[at + i]!;
    this.#used[id] = 1;
    this.#insert(id);
    this.#count++;
    return id;
  }

  remove(id: number): void {
    const mask = this.#slots.length - 1;
    let hole = this.#home(id);
    while (this.#slots[hole] !== id + 1) {
      assert(this.#slots[hole] !== 0, 'a removed info-hash was in the index');
      hole = (hole + 1) & mask;
    }
    for (let slot = (hole + 1) & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#home(this.#slots[slot]! - 1);
      // An entry may go back to the hole when its home is not between the hole and where it stands.
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      this.#slots[hole] = this.#slots[slot]!;
      hole = slot;
    }
    this.#slots[hole] = 0;
    this.#free.push(id);
    this.#used[id] = 0;
    this.#count--;
  }

  /** True for an id in use. */
  has(id: number): boolean {
    return this.#used[id] === 1;
  }

  #isKey(id: number, bytes: Uint8Array, at: number): boolean {
    const keys = this.#keys;
    for (let i = 0, from = id * 20; i < 20; i++) if (keys[from + i] !== bytes[at + i]) return false;
    return true;
  }

  #home(id: number): number {
    return this.#hash.hash(this.#keys, id * 20, 20) & (this.#slots.length - 1);
  }

  #insert(id: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#home(id);
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = id + 1;
  }

  #growSlots(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    for (const entry of old) if (entry !== 0) this.#insert(entry - 1);
  }

  #growKeys(): void {
    const grown = new Uint8Array(this.#keys.length * 2);
    grown.set(this.#keys);
    this.#keys = grown;
    const used = new Uint8Array(this.#used.length * 2);
    used.set(this.#used);
    this.#used = used;
  }
}
