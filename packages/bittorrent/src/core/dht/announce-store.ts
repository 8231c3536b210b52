/**
 * The peers that others announce to us (BEP 5, BEP 33): for each info-hash one entry an address, with port and whether
 * it is a seed, for 45 minutes.
 *
 * Ceilings, so that strangers cannot fill the memory: 3,000 info-hashes, 1,000 peers each (beyond that no token is
 * given out, as BEP 33 says), 50,000 peers in all, 500 info-hashes from one owner of addresses (local networks
 * exempt). When it is full the info-hash that was announced least recently gives way: one that is alive is announced
 * every few minutes by each of its peers, so a flood of made-up hashes drives out other made-up ones first; it needs
 * as many addresses as 3,000 / 500 to turn everything over once in 45 minutes.
 *
 * Cost: O(1) to announce; answers copy at most 50 entries from a random place on.
 */
import { type Endpoint, type Hashes, type IpAddress, type Prng, toLatin1 } from '@tequio/kernel';
import type { AddressFamily } from '../../wire/compact-peers.ts';
import { bloomBytes, insertIntoBloom } from '../../wire/dht-bloom.ts';
import { idKey } from '../../wire/dht-node-id.ts';
import { dhtLimits } from './dht-limits.ts';
import { isLocal } from './place.ts';

type StoredPeer = {
  /** 6 or 18 bytes. */
  readonly compact: Uint8Array;
  readonly isLocal: boolean;
  readonly seed: boolean;
  readonly owner: string | null;
  heardMs: number;
};

type Swarm = { readonly hash: Uint8Array; readonly peers: Map<IpAddress, StoredPeer> };

export type PeersWanted = {
  readonly family: AddressFamily;
  readonly noSeed: boolean;
  /** Local peers are told to local askers only. */
  readonly askerIsLocal: boolean;
  readonly countMax: number;
};

const nothingStored = { peers: [], accepts: true } as const;

export type Announced = {
  readonly endpoint: Endpoint;
  readonly compact: Uint8Array;
  readonly seed: boolean;
  /** See `ownerBlockOf`. */
  readonly owner: string;
};

const {
  storedHashCountMax,
  storedPeersPerHashMax,
  storedPeerCountMax,
  storedHashesPerBlockMax,
  storedPeerMs,
} = dhtLimits;

export class AnnounceStore {
  readonly #prng: Prng;
  readonly #hashes: Hashes;
  /** The least recently announced first. */
  readonly #swarms = new Map<string, Swarm>();
  readonly #ownerCount = new Map<string, number>();
  #peerCount = 0;

  constructor(prng: Prng, hashes: Hashes) {
    this.#prng = prng;
    this.#hashes = hashes;
  }

  get hashCount(): number {
    return this.#swarms.size;
  }

  get peerCount(): number {
    return this.#peerCount;
  }

  /** False when a ceiling forbids it. */
  announce(hash: Uint8Array, { endpoint, compact, seed, owner }: Announced, nowMs: number): boolean {
    const key = idKey(hash);
    const { address } = endpoint;
    const local = isLocal(address);
    // Peers behind one local address are told apart by their ports: a test network on one machine is a swarm too.
    const name = (local ? toLatin1(compact) : address) as IpAddress;
    let swarm = this.#swarms.get(key);
    const known = swarm?.peers.get(name);
    if (known === undefined) {
      if ((swarm?.peers.size ?? 0) >= storedPeersPerHashMax) return false;
      if (!local && (this.#ownerCount.get(owner) ?? 0) >= storedHashesPerBlockMax) return false;
    }
    this.#swarms.delete(key);
    swarm ??= { hash: hash.slice(), peers: new Map() };
    this.#swarms.set(key, swarm);
    if (known !== undefined) this.#forgetPeer(swarm, name, known);
    swarm.peers.set(name, { compact, isLocal: local, seed, owner: local ? null : owner, heardMs: nowMs });
    this.#peerCount++;
    if (!local) this.#ownerCount.set(owner, (this.#ownerCount.get(owner) ?? 0) + 1);
    while (this.#swarms.size > storedHashCountMax || this.#peerCount > storedPeerCountMax) this.#evict();
    return true;
  }

  /**
   * Some of the peers of one family, each 6 or 18 bytes.
   */
  peers(hash: Uint8Array, want: PeersWanted, nowMs: number): readonly Uint8Array[] {
    const swarm = this.#freshSwarm(idKey(hash), nowMs);
    return swarm === null ? [] : this.#fitting(swarm, want);
  }

  /** The same, and whether the info-hash may get more peers, with one look: for whoever asks may announce next. */
  peersAndRoom(
    hash: Uint8Array,
    want: PeersWanted,
    nowMs: number,
  ): { readonly peers: readonly Uint8Array[]; readonly accepts: boolean } {
    const swarm = this.#freshSwarm(idKey(hash), nowMs);
    if (swarm === null) return nothingStored;
    return { peers: this.#fitting(swarm, want), accepts: swarm.peers.size < storedPeersPerHashMax };
  }

  #fitting(swarm: Swarm, want: PeersWanted): Uint8Array[] {
    const fitting: Uint8Array[] = [];
    for (const peer of swarm.peers.values()) {
      if (peer.compact.length !== (want.family === 4 ? 6 : 18)) continue;
      if ((peer.isLocal && !want.askerIsLocal) || (peer.seed && want.noSeed)) continue;
      fitting.push(peer.compact);
    }
    if (fitting.length <= want.countMax) return fitting;
    const from = this.#prng.below(fitting.length);
    return Array.from({ length: want.countMax }, (_, i) => fitting[(from + i) % fitting.length]!);
  }

  /** The filters of a scrape (BEP 33); null when nothing is stored. They hold addresses of both families. */
  blooms(
    hash: Uint8Array,
    askerIsLocal: boolean,
    nowMs: number,
  ): { readonly seeds: Uint8Array; readonly peers: Uint8Array } | null {
    const swarm = this.#freshSwarm(idKey(hash), nowMs);
    if (swarm === null) return null;
    const [seeds, peers] = [new Uint8Array(bloomBytes), new Uint8Array(bloomBytes)];
    for (const { compact, isLocal: local, seed } of swarm.peers.values())
      if (askerIsLocal || !local)
        insertIntoBloom(seed ? seeds : peers, compact.subarray(0, -2), this.#hashes);
    return { seeds, peers };
  }

  /** Info-hashes that are stored, chosen by chance (BEP 51). */
  samples(countMax: number): Uint8Array[] {
    const all = [...this.#swarms.values()].map(({ hash }) => hash);
    return all.length <= countMax ? all : this.#prng.shuffle(all).slice(0, countMax);
  }

  /** Forgets what was not announced for too long. */
  expire(nowMs: number): void {
    for (const key of [...this.#swarms.keys()]) this.#freshSwarm(key, nowMs);
  }

  #freshSwarm(key: string, nowMs: number): Swarm | null {
    const swarm = this.#swarms.get(key);
    if (swarm === undefined) return null;
    // Entries are in the order of their last announcement.
    for (const [name, peer] of swarm.peers) {
      if (nowMs - peer.heardMs < storedPeerMs) return swarm;
      this.#forgetPeer(swarm, name, peer);
    }
    this.#swarms.delete(key);
    return null;
  }

  #evict(): void {
    const [key, swarm] = this.#swarms.entries().next().value!;
    for (const [name, peer] of swarm.peers) this.#forgetPeer(swarm, name, peer);
    this.#swarms.delete(key);
  }

  #forgetPeer(swarm: Swarm, name: IpAddress, peer: StoredPeer): void {
    swarm.peers.delete(name);
    this.#peerCount--;
    if (peer.owner === null) return;
    const left = this.#ownerCount.get(peer.owner)! - 1;
    if (left === 0) this.#ownerCount.delete(peer.owner);
    else this.#ownerCount.set(peer.owner, left);
  }
}
