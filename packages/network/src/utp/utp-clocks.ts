/** What the timestamps of both sides say: how long packets wait on their way there, and on their way here. */
import { UtpDelay } from './utp-delay.ts';
import type { UtpPacket } from './utp-packet.ts';

/** More than this in one step is no drift of clocks. */
const driftUsMax = 10_000;

export class UtpClocks {
  /** Of our packets, as the other side has measured it. */
  readonly #ours = new UtpDelay();
  readonly #theirs = new UtpDelay();
  #replyUs = 0;

  /** How long their last packet took by both clocks, which they want to hear. */
  get replyUs(): number {
    return this.#replyUs;
  }

  /** How long our packets wait in queues; null: not known yet. */
  get queueingMs(): number | null {
    return this.#ours.hasSamples ? this.#ours.queueingUs / 1000 : null;
  }

  handlePacket(packet: UtpPacket, nowMs: number): void {
    if (packet.timestampUs !== 0) {
      this.#replyUs = (microseconds(nowMs) - packet.timestampUs) >>> 0;
      const hadSamples = this.#theirs.hasSamples;
      const before = this.#theirs.baseUs;
      this.#theirs.handleSample(this.#replyUs, nowMs);
      // Their packets seem to get faster: the clocks drift apart, so ours would seem to get slower.
      const driftUs = (before - this.#theirs.baseUs) | 0;
      const isDrift = hadSamples && driftUs > 0 && driftUs < driftUsMax;
      if (isDrift && this.#ours.hasSamples) this.#ours.shiftBase(driftUs);
    }
    // Some send the largest signed number when they mean none.
    if (packet.delayUs !== 0 && packet.delayUs !== 0x7fffffff) this.#ours.handleSample(packet.delayUs, nowMs);
  }
}

/** The clock of timestamps: microseconds, modulo 2^32, never 0. */
export function microseconds(nowMs: number): number {
  return Math.floor(nowMs * 1000) >>> 0 || 1;
}
