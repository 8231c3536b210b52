import type { BitswapEntry } from '../wire/bitswap-message.ts';
import type { CidKey } from '../wire/cid-bytes.ts';
import { bitswapLimits } from './bitswap-limits.ts';

const smoothing = 1 / 8;
const deviationSmoothing = 1 / 4;
/** Of a peer that has broken its word: each time it seems so much further away. */
const lieWeight = 0.5;
const blockMsGuess = 20;

/** What one peer has done, for the page and for scores. */
export type BitswapPeerCounts = {
  blocks: number;
  bytes: number;
  duplicateBlocks: number;
  duplicateBytes: number;
  unwantedBlocks: number;
  timeouts: number;
  lies: number;
};

/**
 * The client's view of one peer: how fast it answers, how much it is asked for at once, what is to be told to it.
 *
 * Window: as TCP's. It starts small and grows by one with each block that comes (so it doubles each round trip while
 * nothing is late), and is halved when a block is late. Time: round trips are smoothed as in RFC 6298; a peer that goes
 * on sending is not late however long its queue is, so what counts is the time since it sent anything that was wanted,
 * or a good part of something. Time in which we do not read, because of a limit of our own, counts for nobody.
 */
export class BitswapPeer<Want> {
  readonly id: string;
  /** It knows HAVE and DONT_HAVE (1.2). */
  readonly speaksHave: boolean;
  /** Want-blocks under way, by when they were sent; the oldest first. */
  readonly outstanding = new Map<Want, number>();
  /** What the next message to it will say. */
  readonly outbox = new Map<CidKey, BitswapEntry>();
  readonly counts: BitswapPeerCounts = {
    blocks: 0,
    bytes: 0,
    duplicateBlocks: 0,
    duplicateBytes: 0,
    unwantedBlocks: 0,
    timeouts: 0,
    lies: 0,
  };
  #window: number = bitswapLimits.windowFirst;
  #latencyMs: number | null = null;
  #deviationMs = 0;
  #blockMs = blockMsGuess;
  #blockBytes: number = bitswapLimits.blockBytesGuess;
  #lastMs = Number.NEGATIVE_INFINITY;
  #hedgedMs = Number.NEGATIVE_INFINITY;
  /** When parts of a message came last, and how much since the last block. */
  #heardMs = Number.NEGATIVE_INFINITY;
  #heardBytes = 0;
  #markedBytes = 0;
  /** Streams of it that we do not read just now. */
  #heldCount = 0;

  constructor(id: string, speaksHave: boolean) {
    this.id = id;
    this.speaksHave = speaksHave;
  }

  /** Null: nothing was measured yet. */
  get latencyMs(): number | null {
    return this.#latencyMs;
  }

  get window(): number {
    return Math.max(1, Math.min(this.#window, Math.floor(bitswapLimits.windowBytes / this.#blockBytes)));
  }

  get hasRoom(): boolean {
    return this.outstanding.size < this.window;
  }

  /** When one more block from it is to be expected; only for comparing. */
  get expectedMs(): number {
    const latencyMs = this.#latencyMs ?? bitswapLimits.latencyGuessMs;
    const broken = this.counts.lies + this.counts.timeouts;
    const kept = Math.max(1, this.counts.blocks / 16);
    return (latencyMs + this.outstanding.size * this.#blockMs) * (1 + (lieWeight * broken) / kept);
  }

  get timeoutMs(): number {
    if (this.#latencyMs === null) return bitswapLimits.timeoutFirstMs;
    const ms = 4 * (this.#latencyMs + 4 * this.#deviationMs);
    return Math.min(bitswapLimits.timeoutMaxMs, Math.max(bitswapLimits.timeoutMinMs, ms));
  }

  get hedgeMs(): number {
    if (this.#latencyMs === null) return bitswapLimits.timeoutFirstMs / 2;
    const ms = bitswapLimits.hedgeRoundTrips * this.#latencyMs + 4 * this.#deviationMs;
    return Math.max(bitswapLimits.hedgeMinMs, ms);
  }

  /** Since when it owes us the want that has waited longest without anything else from it; null: it owes nothing. */
  get silentSinceMs(): number | null {
    if (this.#heldCount > 0) return null;
    for (const askedMs of this.outstanding.values()) return this.sinceMs(askedMs);
    return null;
  }

  /** When others may be asked for what it owes: one round of that in each `hedgeMs`. */
  nextHedgeMs(silentSinceMs: number): number {
    return Math.max(silentSinceMs, this.#hedgedMs) + this.hedgeMs;
  }

  markHedge(nowMs: number): void {
    this.#hedgedMs = nowMs;
  }

  sinceMs(askedMs: number): number {
    return Math.max(askedMs, this.#lastMs, this.#heardMs);
  }

  /** Bytes have come that are no whole message yet. */
  markBytes(bytes: number, nowMs: number): void {
    this.#heardBytes += bytes;
    if (this.#heardBytes > bitswapLimits.progressBytesMax) return;
    if (this.#heardBytes - this.#markedBytes < bitswapLimits.progressBytes) return;
    this.#markedBytes = this.#heardBytes;
    this.#heardMs = nowMs;
  }

  /** We have stopped reading a stream of it, or go on. */
  markHeld(isHeld: boolean, nowMs: number): void {
    this.#heldCount += isHeld ? 1 : -1;
    this.#heardMs = nowMs;
  }

  /** An answer to something that was asked at `askedMs` has come. */
  markAnswer(askedMs: number, nowMs: number): void {
    this.#lastMs = nowMs;
    const sampleMs = Math.max(0, nowMs - askedMs);
    // In a long queue a block's way is not what its answer takes: only the shorter times are round trips.
    if (this.#latencyMs === null) {
      this.#latencyMs = sampleMs;
      this.#deviationMs = sampleMs / 2;
    } else if (this.outstanding.size < bitswapLimits.windowFirst || sampleMs < this.#latencyMs) {
      this.#deviationMs += deviationSmoothing * (Math.abs(sampleMs - this.#latencyMs) - this.#deviationMs);
      this.#latencyMs += smoothing * (sampleMs - this.#latencyMs);
    }
  }

  markBlock(bytes: number, nowMs: number): void {
    this.counts.blocks++;
    this.counts.bytes += bytes;
    this.#heardBytes = 0;
    this.#markedBytes = 0;
    this.#window = Math.min(bitswapLimits.windowMax, this.#window + 1);
    this.#blockBytes += smoothing * (bytes - this.#blockBytes);
    if (Number.isFinite(this.#lastMs) && this.outstanding.size > 0)
      this.#blockMs += smoothing * (nowMs - this.#lastMs - this.#blockMs);
    this.#lastMs = nowMs;
  }

  markTimeout(): void {
    this.counts.timeouts++;
    this.#window = Math.max(1, Math.floor(this.#window / 2));
  }
}
