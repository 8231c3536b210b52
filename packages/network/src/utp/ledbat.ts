/**
 * How much may be on its way: a window that shrinks before queues grow long (LEDBAT, RFC 6817).
 *
 * Rules, for every acknowledgement, with W the window, Q the queueing delay and T the target of 100 ms:
 *   - start: W grows by what was acknowledged, until Q passes half of T, packets are lost, or the old threshold comes;
 *   - Q below T: W grows by (1 - Q/T) packets in a round trip, never faster than Reno (RFC 6817: GAIN at most 1);
 *   - Q above T: W shrinks by W * (Q/T - 1) in a round trip, at most by half of W;
 *   - loss: W is halved, once in a round trip; a time-out leaves one packet;
 *   - W grows only while it is used: at most to what is on its way and one packet more;
 *   - now and then, when there was queueing, W is two packets for two round trips, and then, by slow start, what it
 *     was without the part that stood in the queue.
 * The shrinking by a share and the pauses go beyond RFC 6817 on its cautious side (LEDBAT++ has both,
 * draft-irtf-iccrg-ledbat-plus-plus). A flow that pauses sees the path without its own packets: without that, who comes
 * last takes the first one's queue for the path and keeps more. Who has more gives up more with each pause and
 * wins back no more than the others, so flows become equal: simulated, Jain's index of two and of four is 0.99 with
 * this, and 0.54 and 0.36 by RFC 6817 alone. A pause, with the way back, is a tenth of the time at most.
 * Attacker: lies about delays or acknowledges at will; that only ever sets its own rate, up to the receiver's window.
 * Cost: O(1) an acknowledgement.
 */
import { limits } from '../limits.ts';

const { targetMs, windowPacketsMin, slowStartExitShare, pausePackets, pauseRoundTrips, pauseShare } =
  limits.utp;

/** growing: slow start; steady: by delay; paused: looks at the empty path; back: slow start to where it was. */
type Phase = 'growing' | 'steady' | 'paused' | 'back';

export class Ledbat {
  #packetBytes: number;
  #windowBytes: number;
  #thresholdBytes = Number.POSITIVE_INFINITY;
  #phase: Phase = 'growing';
  /** Since the last pause there was queueing that may hide the path's true delay. */
  #hasQueued = false;
  #pauseStartMs = 0;
  #phaseEndMs = 0;
  #nextPauseMs = Number.POSITIVE_INFINITY;

  constructor(packetBytes: number) {
    this.#packetBytes = packetBytes;
    this.#windowBytes = limits.utp.windowPacketsFirst * packetBytes;
  }

  get windowBytes(): number {
    return this.#windowBytes;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Packets have a new size. */
  setPacketBytes(packetBytes: number): void {
    this.#packetBytes = packetBytes;
    this.#windowBytes = Math.max(this.#windowBytes, this.#leastBytes);
  }

  /**
   * @param ackedBytes acknowledged just now
   * @param flightBytes what was on its way before that
   * @param queueingMs null: not known yet
   */
  handleAck(
    ackedBytes: number,
    flightBytes: number,
    queueingMs: number | null,
    roundTripMs: number,
    nowMs: number,
  ): void {
    const queued = queueingMs ?? 0;
    if (queued > targetMs * slowStartExitShare) this.#hasQueued = true;
    if (this.#phase === 'paused') {
      if (nowMs >= this.#phaseEndMs) this.#phase = 'back';
      return;
    }
    if (this.#phase === 'steady' && nowMs >= this.#nextPauseMs) {
      this.#considerPause(queued, roundTripMs, nowMs);
      if ((this.#phase as Phase) === 'paused') return;
    }
    const isStart = this.#phase !== 'steady';
    if (isStart && this.#mustEndStart(queued, ackedBytes)) this.#endStart(roundTripMs, nowMs);
    const change = this.#changeFor(ackedBytes, queued);
    if (change <= 0) this.#windowBytes = Math.max(this.#leastBytes, this.#windowBytes + change);
    else {
      const usedMax = flightBytes + (this.#phase === 'steady' ? this.#packetBytes : ackedBytes);
      this.#windowBytes = Math.max(this.#windowBytes, Math.min(this.#windowBytes + change, usedMax));
    }
  }

  /** A packet was lost, for the first time in this round trip. */
  handleLoss(roundTripMs: number, nowMs: number): void {
    if (this.#phase === 'paused') {
      this.#thresholdBytes = Math.max(this.#leastBytes, this.#thresholdBytes / 2);
      return;
    }
    this.#windowBytes = Math.max(this.#leastBytes, this.#windowBytes / 2);
    this.#thresholdBytes = this.#windowBytes;
    if (this.#phase !== 'steady') this.#endStart(roundTripMs, nowMs);
  }

  /** Nothing was heard for a whole time-out. */
  handleTimeout(): void {
    this.#thresholdBytes = Math.max(2 * this.#leastBytes, this.#windowBytes / 2);
    this.#windowBytes = this.#packetBytes;
    this.#phase = 'growing';
    this.#nextPauseMs = Number.POSITIVE_INFINITY;
  }

  /** Nothing was on its way for a time-out: what the path carried then says little now. */
  handleIdle(): void {
    const firstBytes = limits.utp.windowPacketsFirst * this.#packetBytes;
    if (this.#windowBytes <= firstBytes) return;
    this.#thresholdBytes = this.#windowBytes;
    this.#windowBytes = firstBytes;
    this.#phase = 'growing';
    this.#nextPauseMs = Number.POSITIVE_INFINITY;
  }

  get #leastBytes(): number {
    return windowPacketsMin * this.#packetBytes;
  }

  #changeFor(ackedBytes: number, queuedMs: number): number {
    if (this.#phase !== 'steady') return ackedBytes;
    const share = Math.min(1, ackedBytes / this.#windowBytes);
    const growth = Math.max(0, 1 - queuedMs / targetMs) * this.#packetBytes * share;
    const excess = Math.max(0, queuedMs / targetMs - 1);
    return growth - Math.min(0.5, excess) * ackedBytes;
  }

  #mustEndStart(queuedMs: number, ackedBytes: number): boolean {
    return queuedMs > targetMs * slowStartExitShare || this.#windowBytes + ackedBytes > this.#thresholdBytes;
  }

  /** growing, back -> steady */
  #endStart(roundTripMs: number, nowMs: number): void {
    const isFirst = this.#phase === 'growing';
    this.#phase = 'steady';
    const tookMs = isFirst ? 0 : nowMs - this.#pauseStartMs;
    this.#nextPauseMs = nowMs + Math.max(pauseRoundTrips * roundTripMs, tookMs * (1 / pauseShare - 1));
  }

  /** steady -> paused, unless there was no queueing */
  #considerPause(queuedMs: number, roundTripMs: number, nowMs: number): void {
    if (!this.#hasQueued) {
      this.#nextPauseMs = nowMs + pauseRoundTrips * roundTripMs;
      return;
    }
    this.#hasQueued = false;
    const queueShare = Math.min(0.9, queuedMs / Math.max(1, roundTripMs));
    this.#thresholdBytes = this.#windowBytes * (1 - queueShare);
    this.#windowBytes = Math.min(this.#windowBytes, pausePackets * this.#packetBytes);
    this.#phase = 'paused';
    this.#pauseStartMs = nowMs;
    this.#phaseEndMs = nowMs + pauseRoundTrips * roundTripMs;
  }
}
