/**
 * Who is nearest to a key, for many keys: keys of one region of the keyspace have the same few dozen peers to choose
 * from, so these are looked up once for all of them. Pure of libp2p: a lookup is a function.
 *
 *   key ─> region known and fresh? nearest of its peers
 *      └─> lookup of the key ─> too few peers in the part that is surely known? lookups in its other half, and so on up
 *
 * A lookup gives the `nearestCount` peers nearest to a place. If the farthest of them shares L bits with it, everybody
 * who shares more than L is among them: that prefix is known whole. A prefix that is known whole and has at least
 * `nearestCount` peers answers for every key in it exactly, for whoever is outside is farther than all who are inside.
 */
import type { Hashes } from '@tequio/kernel';
import { limits } from './limits.ts';

export type RegionPeer<Peer> = {
  readonly peer: Peer;
  readonly id: string;
  /** Of the peer, in the keyspace: SHA-256 of its bytes. */
  readonly place: Uint8Array;
};

/** The peers nearest to a key that answer, up to `nearestCount`. */
export type Lookup<Peer> = (key: Uint8Array) => Promise<readonly RegionPeer<Peer>[]>;

type Region<Peer> = {
  readonly peers: readonly RegionPeer<Peer>[];
  readonly untilMs: number;
  /** Peers that were known when it was found. */
  readonly knownCount: number;
};

export type KeyRegionsDeps<Peer> = {
  readonly lookup: Lookup<Peer>;
  /** How many peers are known without looking: where a lookup found far fewer, it has not found all that there are. */
  readonly knownCount: () => number;
  readonly hashes: Pick<Hashes, 'sha256'>;
  readonly nowMs: () => number;
  /** Of keys that nobody has, to look into a part of the keyspace. */
  readonly randomBytes: (count: number) => Uint8Array;
};

/** See the top of the file. */
export class KeyRegions<Peer> {
  readonly #deps: KeyRegionsDeps<Peer>;
  /** By prefix, as bits and their number; the one that was found first comes first. */
  readonly #regions = new Map<string, Region<Peer>>();
  /** How many bits the last region's prefix had: others are likely to be as wide. */
  #bits = 0;
  readonly #exploring: { readonly place: Uint8Array; readonly done: Promise<unknown> }[] = [];

  constructor(deps: KeyRegionsDeps<Peer>) {
    this.#deps = deps;
  }

  get regionCount(): number {
    return this.#regions.size;
  }

  /** The peers nearest to a key, nearest first; empty: nobody is known. @param mayTake some may have failed of late */
  async nearest(
    key: Uint8Array,
    mayTake: (peer: RegionPeer<Peer>) => boolean = () => true,
  ): Promise<readonly RegionPeer<Peer>[]> {
    const place = this.#deps.hashes.sha256(key);
    const peers = await this.#peersAround(key, place);
    return nearestOf(peers.filter(mayTake), place);
  }

  async #peersAround(key: Uint8Array, place: Uint8Array): Promise<readonly RegionPeer<Peer>[]> {
    for (;;) {
      const known = this.#find(place);
      if (known !== null) return known;
      const near = this.#exploring.find((other) => sharedBits(other.place, place) >= this.#bits);
      const inTheWay =
        near ?? (this.#exploring.length >= limits.regions.exploredAtOnce ? this.#exploring[0] : undefined);
      if (inTheWay === undefined) return await this.#exploreOnce(key, place);
      // It may have found less than this key needs: then this one looks for itself, or waits for who is before it.
      await inTheWay.done;
    }
  }

  async #exploreOnce(key: Uint8Array, place: Uint8Array): Promise<readonly RegionPeer<Peer>[]> {
    const work = this.#explore(key, place);
    const entry = { place, done: work.catch(() => {}) };
    this.#exploring.push(entry);
    try {
      return await work;
    } finally {
      this.#exploring.splice(this.#exploring.indexOf(entry), 1);
    }
  }

  #find(place: Uint8Array): readonly RegionPeer<Peer>[] | null {
    const nowMs = this.#deps.nowMs();
    for (let bits = 0; bits <= limits.regions.prefixBits; bits++) {
      const name = prefixName(place, bits);
      const region = this.#regions.get(name);
      if (region === undefined) continue;
      // All that there are is soon too few, where a node has just begun to meet others.
      const isOutgrown =
        region.peers.length < limits.regions.nearestCount && this.#deps.knownCount() > region.knownCount;
      if (region.untilMs > nowMs && !isOutgrown) return region.peers;
      this.#regions.delete(name);
    }
    return null;
  }

  async #explore(key: Uint8Array, place: Uint8Array): Promise<readonly RegionPeer<Peer>[]> {
    const { lookup } = this.#deps;
    const found = await lookup(key);
    if (found.length < limits.regions.nearestCount) {
      const isAll =
        found.length > 0 && found.length >= this.#deps.knownCount() * limits.regions.answeringPart;
      // A few of many, or nobody, is no knowledge: whoever asks next looks again.
      if (isAll) this.#keep(place, 0, found);
      return found;
    }
    const all = new Map(found.map((one) => [one.id, one]));
    const left = { lookups: limits.regions.lookups - 1 };
    let bits = wholeBits(found, place);
    for (; bits > 0 && countIn(all.values(), place, bits) < limits.regions.nearestCount; bits--) {
      const isKnown = await this.#cover(flipped(place, bits - 1), bits, all, left);
      if (!isKnown) return found;
    }
    const peers = [...all.values()].filter((one) => sharedBits(one.place, place) >= bits);
    this.#keep(place, bits, peers);
    return peers;
  }

  /** Finds all who share the first `bits` bits of `prefix`. False: it takes too long, or some do not answer. */
  async #cover(
    prefix: Uint8Array,
    bits: number,
    all: Map<string, RegionPeer<Peer>>,
    left: { lookups: number },
  ): Promise<boolean> {
    const key = left.lookups-- <= 0 ? null : this.#keyWithin(prefix, bits);
    if (key === null) return false;
    const place = this.#deps.hashes.sha256(key);
    const found = await this.#deps.lookup(key);
    for (const one of found) all.set(one.id, one);
    if (found.length < limits.regions.nearestCount) return false;
    const whole = wholeBits(found, place);
    for (let depth = bits; depth < whole; depth++)
      if (!(await this.#cover(flipped(place, depth), depth + 1, all, left))) return false;
    return true;
  }

  /** Some key whose place begins so: the DHT is asked for keys, not for places. Null: it would take too long. */
  #keyWithin(prefix: Uint8Array, bits: number): Uint8Array | null {
    if (bits > limits.regions.prefixBits) return null;
    const { hashes, randomBytes } = this.#deps;
    // As a multihash of SHA-256: what others may look at.
    const key = new Uint8Array(34);
    key.set([0x12, 0x20]);
    key.set(randomBytes(32), 2);
    const counter = new DataView(key.buffer);
    for (let i = 0; i < 2 ** (limits.regions.prefixBits + 5); i++) {
      counter.setUint32(2, i);
      if (sharedBits(hashes.sha256(key), prefix) >= bits) return key;
    }
    return null;
  }

  #keep(place: Uint8Array, bits: number, peers: readonly RegionPeer<Peer>[]): void {
    this.#bits = Math.min(bits, limits.regions.prefixBits);
    if (bits > limits.regions.prefixBits) return;
    const [oldest] = this.#regions.keys();
    if (this.#regions.size >= limits.regions.count && oldest !== undefined) this.#regions.delete(oldest);
    this.#regions.set(prefixName(place, bits), {
      peers,
      untilMs: this.#deps.nowMs() + limits.regions.trustedMs,
      knownCount: this.#deps.knownCount(),
    });
  }
}

/** How many bits two places have in common, from the first on. */
export function sharedBits(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! ^ b[i]!;
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24;
  }
  return a.length * 8;
}

/** The prefix of `place` of which a lookup there has surely found everybody. */
function wholeBits<Peer>(found: readonly RegionPeer<Peer>[], place: Uint8Array): number {
  let least = Number.POSITIVE_INFINITY;
  for (const one of found) least = Math.min(least, sharedBits(one.place, place));
  return least + 1;
}

function countIn<Peer>(peers: Iterable<RegionPeer<Peer>>, place: Uint8Array, bits: number): number {
  let count = 0;
  for (const one of peers) if (sharedBits(one.place, place) >= bits) count++;
  return count;
}

/** The same place with another bit there. */
function flipped(place: Uint8Array, bit: number): Uint8Array {
  const other = place.slice();
  other[bit >> 3]! ^= 0x80 >> (bit & 7);
  return other;
}

function prefixName(place: Uint8Array, bits: number): string {
  const first = ((place[0]! << 24) | (place[1]! << 16) | (place[2]! << 8) | place[3]!) >>> 0;
  return `${bits}:${bits === 0 ? 0 : first >>> (32 - bits)}`;
}

function nearestOf<Peer>(peers: readonly RegionPeer<Peer>[], place: Uint8Array): readonly RegionPeer<Peer>[] {
  const { nearestCount } = limits.regions;
  if (peers.length <= 1) return peers;
  // Six bytes decide among a few dozen.
  const measured = peers.map((peer) => ({ peer, distance: distanceTo(peer.place, place) }));
  return measured
    .sort((a, b) => a.distance - b.distance)
    .slice(0, nearestCount)
    .map(({ peer }) => peer);
}

/** The first 48 bits of the distance. */
function distanceTo(a: Uint8Array, b: Uint8Array): number {
  let distance = 0;
  for (let i = 0; i < 6; i++) distance = distance * 256 + (a[i]! ^ b[i]!);
  return distance;
}
