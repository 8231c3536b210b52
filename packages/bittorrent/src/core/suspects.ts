import type { Endpoint } from '@tequio/kernel';
import type { Peer, PeerKey } from './peer.ts';

const suspectCountMax = 1000;

/** Peers that left while a failed piece of theirs was not explained yet: where to lay the blame when it is. */
export class Suspects {
  readonly #endpoints = new Map<PeerKey, Endpoint>();

  add({ key, endpoint }: Peer): void {
    if (this.#endpoints.size >= suspectCountMax) this.#endpoints.clear();
    this.#endpoints.set(key, endpoint);
  }

  endpointOf(key: PeerKey): Endpoint | null {
    return this.#endpoints.get(key) ?? null;
  }
}
