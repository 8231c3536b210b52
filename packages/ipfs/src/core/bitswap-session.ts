import { bitswapLimits } from './bitswap-limits.ts';
import type { BitswapPeer } from './bitswap-peer.ts';

/**
 * Wants that belong together, such as the blocks of one file. Who had one of them probably has the others: those peers
 * are asked for the next blocks at once, without asking first whether they have them.
 */
export class BitswapSession<Want> {
  readonly id: number;
  readonly wants = new Set<Want>();
  /** Who had something of it, or was found to provide it, with the number of its blocks that came from there. */
  readonly peers = new Map<BitswapPeer<Want>, number>();
  /** When those of its wants that nobody has are looked for again; null: none is. */
  searchMs: number | null = null;
  /** When providers are looked for; null: not wished for now. */
  findMs: number | null = null;
  #searchDelayMs: number = bitswapLimits.searchFirstMs;
  #findDelayMs: number = bitswapLimits.findFirstMs;

  constructor(id: number) {
    this.id = id;
  }

  /** A want has nobody: it is looked for now, and for providers a little later unless there is nobody else to ask. */
  startSearch(nowMs: number, hasPeers: boolean): void {
    this.searchMs ??= nowMs;
    this.findMs ??= hasPeers ? nowMs + this.#findDelayMs : nowMs;
  }

  markSearched(nowMs: number): void {
    this.searchMs = nowMs + this.#searchDelayMs;
    this.#searchDelayMs = Math.min(bitswapLimits.searchMaxMs, 2 * this.#searchDelayMs);
  }

  markFound(nowMs: number): void {
    this.#findDelayMs = Math.min(bitswapLimits.searchMaxMs, 4 * this.#findDelayMs);
    this.findMs = nowMs + this.#findDelayMs;
  }

  /** Nothing of it is looked for any more. */
  endSearch(): void {
    this.searchMs = null;
    this.findMs = null;
  }

  markBlock(peer: BitswapPeer<Want>): void {
    this.addPeer(peer);
    const count = this.peers.get(peer);
    if (count !== undefined) this.peers.set(peer, count + 1);
    this.#searchDelayMs = bitswapLimits.searchFirstMs;
    this.#findDelayMs = bitswapLimits.findFirstMs;
  }

  /** @returns whether it is new here, and there was a place */
  addPeer(peer: BitswapPeer<Want>): boolean {
    if (this.peers.has(peer) || this.peers.size >= bitswapLimits.sessionPeerMax) return false;
    this.peers.set(peer, 0);
    return true;
  }
}
