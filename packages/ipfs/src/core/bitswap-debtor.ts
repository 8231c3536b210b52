import type { CidKey } from '../wire/cid-bytes.ts';
import { bitswapLimits } from './bitswap-limits.ts';

/**
 * One want of a peer:
 *
 *   looking   the store is asked whether it is here    -> absent, queued, or gone (HAVE is said)
 *   absent    it is not here; kept                     -> looking when a block of this name is stored
 *   queued    waits for its turn                       -> reading
 *   reading   the store reads it                       -> gone (sent), or absent (it has just been removed)
 */
export type ServedWant = {
  readonly cid: Uint8Array;
  readonly key: CidKey;
  priority: number;
  type: 'block' | 'have';
  sendDontHave: boolean;
  state: 'looking' | 'absent' | 'queued' | 'reading';
  bytes: number;
};

/** What the server knows of one peer: its wants, and how much it was given. */
export class BitswapDebtor {
  readonly peer: string;
  readonly speaksHave: boolean;
  readonly speaksPrefix: boolean;
  readonly wants = new Map<CidKey, ServedWant>();
  /** Of those, the ones that wait for their turn; the most urgent first. */
  readonly queue: ServedWant[] = [];
  /** On the scale that all share (see {@link BitswapServer}). */
  servedBytes: number;
  /** Read for it, or in its stream and not taken yet. */
  pendingBytes = 0;
  sentBlocks = 0;
  sentBytes = 0;
  refusedWants = 0;
  #refusedFree: number = bitswapLimits.refusedFree;
  #refusedMs: number;

  constructor(peer: string, protocol: string, servedBytes: number, nowMs: number) {
    this.peer = peer;
    this.speaksHave = protocol.endsWith('/1.2.0');
    this.speaksPrefix = this.speaksHave || protocol.endsWith('/1.1.0');
    this.servedBytes = servedBytes;
    this.#refusedMs = nowMs;
  }

  get mayGetMore(): boolean {
    return this.queue.length > 0 && this.pendingBytes < bitswapLimits.peerQueueBytes;
  }

  /** absent or looking -> queued. */
  enqueue(want: ServedWant): void {
    want.state = 'queued';
    let low = 0;
    let high = this.queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.queue[middle]!.priority >= want.priority) low = middle + 1;
      else high = middle;
    }
    this.queue.splice(low, 0, want);
  }

  remove(want: ServedWant): void {
    this.wants.delete(want.key);
    if (want.state !== 'queued') return;
    const index = this.queue.indexOf(want);
    if (index >= 0) this.queue.splice(index, 1);
  }

  /** A want for which there is no place. @returns whether that is more than can be forgiven */
  markRefused(nowMs: number): boolean {
    this.refusedWants++;
    const free = this.#refusedFree + ((nowMs - this.#refusedMs) / 1000) * bitswapLimits.refusedFreePerSecond;
    this.#refusedFree = Math.min(bitswapLimits.refusedFree, free) - 1;
    this.#refusedMs = nowMs;
    if (this.#refusedFree >= 0) return false;
    this.#refusedFree = bitswapLimits.refusedFree / 8;
    return true;
  }
}
