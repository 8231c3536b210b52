/**
 * How long a packet a path carries, found by trying (as RFC 8899 does it for datagrams).
 *
 * Rules: what every path is taken to carry is the floor. While the ceiling is well above it, now and then one packet is
 * as long as the middle of both; when it is acknowledged the floor rises to its length, when it alone is lost twice
 * the ceiling falls below it. Found out, it is tried again after ten minutes, for paths change.
 * Ethernet's length is tried first. Nothing longer is tried unless the other side has said to take it: some read a
 * longer datagram into a short buffer and acknowledge what is left of it. Nor where routers cut up what is too long:
 * there it would arrive, in pieces, and nothing be learned.
 * A probe is longer by padding, not by payload: payload that was once sent as one packet can never be cut into
 * two, and a packet that is too long for its path would be sent in vain for ever.
 * When nothing passes any more, packets made from then on have the first floor's length again.
 */
import { limits } from '../limits.ts';

const { mtuFloorBytes, mtuStepBytes, mtuCoarseStepShare, mtuProbeTryCount, mtuRaiseMs } = limits.utp;

export class UtpMtu {
  /** What most paths carry. */
  readonly #usualBytes: number;
  #mostBytes: number;
  #floorBytes: number;
  #ceilingBytes: number;
  /** Length of the probe that is on its way; 0: none is. */
  #probeBytes = 0;
  #lostCount = 0;
  #doneAtMs: number | null = null;

  /** @param mostBytes the longest datagram (payload of UDP) that is worth trying, unless `raise` says more */
  constructor(mostBytes: number) {
    this.#usualBytes = mostBytes;
    this.#mostBytes = mostBytes;
    this.#floorBytes = Math.min(mtuFloorBytes, mostBytes);
    this.#ceilingBytes = mostBytes;
  }

  /** How long packets are made. */
  get packetBytes(): number {
    return this.#floorBytes;
  }

  /** The other side takes datagrams of this length too. */
  raise(mostBytes: number): void {
    if (mostBytes <= this.#mostBytes) return;
    this.#mostBytes = mostBytes;
    this.#ceilingBytes = mostBytes;
    this.#doneAtMs = null;
  }

  /** How long a packet to try the path with would be, or null when there is nothing to try now. */
  tryProbeBytes(nowMs: number): number | null {
    if (this.#probeBytes !== 0) return null;
    if (this.#ceilingBytes - this.#floorBytes < this.#stepBytes) {
      if (this.#floorBytes === this.#mostBytes) return null;
      this.#doneAtMs ??= nowMs;
      if (nowMs - this.#doneAtMs < mtuRaiseMs) return null;
      this.#ceilingBytes = this.#mostBytes;
    }
    this.#doneAtMs = null;
    // What most paths carry first: then mostly one probe is all.
    if (this.#floorBytes < this.#usualBytes && this.#ceilingBytes === this.#mostBytes)
      return this.#usualBytes;
    if (this.#ceilingBytes === this.#mostBytes && this.#mostBytes < 2 * this.#floorBytes)
      return this.#mostBytes;
    return Math.min(
      this.#ceilingBytes,
      2 * this.#floorBytes,
      (this.#floorBytes + this.#ceilingBytes + 1) >> 1,
    );
  }

  get #stepBytes(): number {
    if (this.#floorBytes < this.#usualBytes) return mtuStepBytes;
    return Math.max(mtuStepBytes, Math.floor(this.#floorBytes * mtuCoarseStepShare));
  }

  markProbeSent(bytes: number): void {
    this.#probeBytes = bytes;
  }

  /** It has arrived. */
  handleProbeAcked(): void {
    this.#floorBytes = Math.max(this.#floorBytes, this.#probeBytes);
    this.#probeBytes = 0;
    this.#lostCount = 0;
  }

  /** It was lost, and packets around it were not. */
  handleProbeLost(): void {
    if (++this.#lostCount >= mtuProbeTryCount) {
      this.#ceilingBytes = Math.max(this.#floorBytes, this.#probeBytes - 1);
      this.#lostCount = 0;
    }
    this.#probeBytes = 0;
  }

  /** Nothing passed for a time-out: says nothing about the probe. */
  handleTimeout(): void {
    this.#probeBytes = 0;
  }

  /** Nothing has passed for several time-outs. */
  handleBlackHole(): void {
    this.#probeBytes = 0;
    this.#ceilingBytes = Math.max(Math.min(mtuFloorBytes, this.#mostBytes), this.#floorBytes - 1);
    this.#floorBytes = Math.min(mtuFloorBytes, this.#mostBytes);
  }
}
