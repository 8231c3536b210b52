/** The naive twin of tracker-store.ts: maps of texts, one object a peer, everything looked at every time. */
import { toHex } from '@tequio/kernel';
import type { TrackerAccess } from './tracker-store.ts';

type Peer = { readonly address: Uint8Array; readonly port: number; seed: boolean; seenS: number };
type Swarm = { readonly peers: Map<string, Peer>; completed: number; emptySinceS: number };

export class TrackerStoreModel {
  readonly swarms = new Map<string, Swarm>();
  readonly #limits: { swarmCountMax: number; peerCountMax: number; peerTtlS: number; emptyTtlS: number };
  readonly #access: TrackerAccess;

  constructor(
    limits: { swarmCountMax: number; peerCountMax: number; peerTtlS: number; emptyTtlS: number },
    access: TrackerAccess,
  ) {
    this.#limits = limits;
    this.#access = access;
  }

  announce(
    hash: Uint8Array,
    address: Uint8Array,
    port: number,
    event: number,
    seed: boolean,
    nowS: number,
  ): Swarm | 'unknown' | 'denied' | 'full' {
    const id = toHex(hash);
    if (!this.#allows(id)) return 'denied';
    let swarm = this.swarms.get(id);
    const key = keyOf(address, port);
    if (event === 3 || port === 0) {
      if (swarm === undefined) return 'unknown';
      if (event === 3 && swarm.peers.delete(key)) swarm.emptySinceS = nowS;
      return swarm;
    }
    const peer = swarm?.peers.get(key);
    if (swarm !== undefined && peer !== undefined) {
      if (event === 1 && seed && !peer.seed) swarm.completed++;
      peer.seed = seed;
      peer.seenS = nowS;
      return swarm;
    }
    if (this.peerCount() >= this.#limits.peerCountMax) return 'full';
    if (swarm === undefined) {
      if (this.swarms.size >= this.#limits.swarmCountMax) return 'full';
      swarm = { peers: new Map(), completed: 0, emptySinceS: 0 };
      this.swarms.set(id, swarm);
    }
    swarm.peers.set(key, { address, port, seed, seenS: nowS });
    return swarm;
  }

  sweepAll(nowS: number): void {
    for (const [id, swarm] of this.swarms) {
      for (const [key, peer] of swarm.peers)
        if (peer.seenS < nowS - this.#limits.peerTtlS && swarm.peers.delete(key)) swarm.emptySinceS = nowS;
      if (swarm.peers.size === 0 && nowS - swarm.emptySinceS >= this.#limits.emptyTtlS)
        this.swarms.delete(id);
    }
  }

  peerCount(): number {
    return [...this.swarms.values()].reduce((sum, swarm) => sum + swarm.peers.size, 0);
  }

  #allows(id: string): boolean {
    if (this.#access.mode === 'all') return true;
    return this.#access.infoHashes.some((hash) => toHex(hash) === id) === (this.#access.mode === 'allow');
  }
}

export function keyOf(address: Uint8Array, port: number): string {
  return `${toHex(address)}:${port}`;
}
