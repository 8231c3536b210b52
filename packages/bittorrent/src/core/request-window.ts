import { blockBytes } from '../wire/torrent-info.ts';

/** Blocks asked of a peer from the start; fewer leave a distant peer idle between answers. */
const depthMin = 4;
/** 8 MiB on their way from one peer: enough for 10 Gbit/s at 6 ms, or 1 Gbit/s at 60 ms. */
export const depthMax = 500;
/** What is outstanding lasts this long at the present rate. */
const queueMs = 3000;
/** At most, while our own limit holds the peer back. */
const heldQueueMs = 500;
const heldMemoryMs = 100;
const sampleMs = 1000;
/** Slow start ends when a second brings less than a tenth more than the one before. */
const growthMin = 1.1;
const timeoutMinMs = 10_000;
const timeoutMaxMs = 60_000;
const timeoutStartMs = 30_000;
/** Silence after which a peer counts as snubbing us. */
export const snubMs = 60_000;

/** Oldest requests that a late peer keeps. */
const lateCount = 2;

export type Silence =
  /** The peer answers in time, or owes nothing. */
  | 'none'
  /** Longer silent than its answers so far explain. */
  | 'late'
  /** Nothing for a minute. */
  | 'snubbed';

/**
 * How many blocks to have asked of one peer at a time, and how long to wait for them.
 *
 *   depth
 *    500 |                    ..........     slow start: +1 a block, so x2 a round trip, while the window is what
 *        |              .'                   limits the rate and the rate still grows by a tenth a second;
 *        |          .'     '-----            then 3 s x rate / 16 KiB, anew each second
 *      4 |___.-'                             (the shape is libtorrent's, the figures too)
 *        +------------------------> t
 *
 * Rationale: too few and the line idles a round trip for each answer; too many and blocks wait in a slow peer's queue
 * while faster peers run out of work. Three seconds outlast a choke round's jitter and our own pauses.
 * The window grows only when it was full, so a peer that we simply do not ask does not get a deep
 * queue by having been quick with one block. A block that came while our own limit held the
 * peer back says nothing about the peer: it makes the window no larger. Then half a second's worth is the most, for
 * what is outstanding stands in the system's buffers, ahead of the limit.
 *
 * Time-out: as TCP's (RFC 6298), smoothed answer time + 4 deviations, in [10 s, 60 s], 30 s before the first answer. It
 * is applied to silence, not to single requests: an answer of any kind shows that the queue moves. On `late` the newest
 * requests go back to others and only the two oldest stay (they are nearest to being sent); nothing new is asked until
 * it answers, and then slow start begins anew. After 60 s the peer is snubbing: nothing stays, and it is asked for one
 * block a minute until it sends one. A late block is still welcome if nobody else has brought it.
 * Single requests that were lost while later ones were answered are told by {@link isOverdue}.
 *
 * Attacker: a peer that answers one block a minute holds 4 blocks, and after `late` 2. It cannot make the window large
 * without sending much. Cost: O(1) a block, no allocation.
 */
export class RequestWindow {
  #depth = depthMin;
  #peerLimit = depthMax;
  #isSlowStart = true;
  #silentSinceMs: number | null = null;
  #silence: Silence = 'none';
  #sampleSinceMs: number | null = null;
  #sampleBytes = 0;
  /** Our own limit made the peer wait after the last bytes, when it did so last, and whether in the present sample. */
  #isHeld = false;
  #heldMs = Number.NEGATIVE_INFINITY;
  #wasHeld = false;
  /** Bytes per ms in the last whole sample. */
  #lastRate = 0;
  #answerMs: number | null = null;
  #deviationMs = 0;

  /** Blocks that should be outstanding now. */
  get depth(): number {
    if (this.#silence !== 'none') return this.#silence === 'late' ? lateCount : 1;
    return Math.max(1, Math.min(Math.floor(this.#depth), this.#peerLimit));
  }

  get isSlowStart(): boolean {
    return this.#isSlowStart;
  }

  get isSnubbed(): boolean {
    return this.#silence === 'snubbed';
  }

  /** Longest silence, and a usual answer's longest delay, before something is released. */
  get timeoutMs(): number {
    if (this.#answerMs === null) return timeoutStartMs;
    return Math.max(timeoutMinMs, Math.min(timeoutMaxMs, this.#answerMs + 4 * this.#deviationMs));
  }

  /** Requests that the peer accepts at once (`reqq`, BEP 10). */
  setPeerLimit(count: number): void {
    this.#peerLimit = Math.max(1, Math.min(depthMax, Math.floor(count)));
  }

  /** At least one more block was asked for. */
  markAsked(nowMs: number): void {
    this.#silentSinceMs ??= nowMs;
  }

  /** Bytes have come. @param isHeld our own limit makes the peer wait now */
  markBytes(isHeld: boolean, nowMs: number): void {
    this.#isHeld = isHeld;
    if (!isHeld) return;
    this.#heldMs = nowMs;
    this.#wasHeld = true;
  }

  /** Nothing is outstanding any more: choked, or all released. */
  markIdle(): void {
    this.#silentSinceMs = null;
  }

  /**
   * A block arrived that had been asked for.
   * @param outstandingCount requests left after this one
   * @param wasFull as many were outstanding as {@link depth} allowed, when the peer was last asked
   */
  markBlock(bytes: number, askedMs: number, outstandingCount: number, nowMs: number, wasFull: boolean): void {
    if (this.#silence !== 'none') {
      this.#silence = 'none';
      this.#restart();
    }
    this.#silentSinceMs = outstandingCount > 0 ? nowMs : null;
    this.#measureAnswer(Math.max(0, nowMs - askedMs));
    this.#sampleSinceMs ??= askedMs;
    this.#sampleBytes += bytes;
    const isHeld = this.#isHeld || nowMs - this.#heldMs <= heldMemoryMs;
    if (this.#isSlowStart && wasFull && !isHeld) this.#depth = Math.min(depthMax, this.#depth + 1);
    const elapsedMs = nowMs - this.#sampleSinceMs;
    if (elapsedMs >= sampleMs) this.#endSample(elapsedMs, nowMs);
  }

  /**
   * Call when time has passed. `late` is told once, `snubbed` each minute: then {@link keptCount} says how many of the
   * oldest requests stay; the others are released.
   */
  tryTimeout(nowMs: number): Silence {
    const next = this.nextTimeoutMs();
    if (next === null || nowMs < next) return 'none';
    this.#silence = nowMs >= this.#silentSinceMs! + snubMs ? 'snubbed' : 'late';
    if (this.#silence === 'snubbed') this.#silentSinceMs = null;
    this.#restart();
    return this.#silence;
  }

  /** When {@link tryTimeout} will have something to tell, or null. */
  nextTimeoutMs(): number | null {
    if (this.#silentSinceMs === null) return null;
    return this.#silentSinceMs + (this.#silence === 'none' ? this.timeoutMs : snubMs);
  }

  /** The oldest requests that stay with the peer after a time-out. */
  get keptCount(): number {
    return this.#silence === 'snubbed' ? 0 : this.#silence === 'late' ? lateCount : depthMax;
  }

  /** A request so old that it was lost, for the peer has answered others since. Ask of the oldest one. */
  isOverdue(askedMs: number, nowMs: number): boolean {
    return nowMs - askedMs > 2 * this.timeoutMs;
  }

  #restart(): void {
    this.#depth = depthMin;
    this.#isSlowStart = true;
    this.#sampleSinceMs = null;
    this.#sampleBytes = 0;
    this.#lastRate = 0;
  }

  #endSample(elapsedMs: number, nowMs: number): void {
    const rate = this.#sampleBytes / elapsedMs;
    const smooth = this.#lastRate === 0 ? rate : (rate + this.#lastRate) / 2;
    if (this.#wasHeld) {
      this.#isSlowStart = true;
      this.#depth = Math.max(depthMin, Math.min(this.#depth, (smooth * heldQueueMs) / blockBytes));
    } else if (this.#isSlowStart && this.#lastRate > 0 && rate < this.#lastRate * growthMin)
      this.#isSlowStart = false;
    if (!this.#isSlowStart)
      this.#depth = Math.max(depthMin, Math.min(depthMax, (smooth * queueMs) / blockBytes));
    this.#wasHeld = false;
    this.#lastRate = rate;
    this.#sampleBytes = 0;
    this.#sampleSinceMs = nowMs;
  }

  #measureAnswer(answerMs: number): void {
    if (this.#answerMs === null) {
      this.#answerMs = answerMs;
      this.#deviationMs = answerMs / 2;
      return;
    }
    this.#deviationMs += (Math.abs(answerMs - this.#answerMs) - this.#deviationMs) / 4;
    this.#answerMs += (answerMs - this.#answerMs) / 8;
  }
}
