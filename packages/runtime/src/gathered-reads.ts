/**
 * Fewer and larger reads of a connection that brings bytes fast: the system is told to wake us only when a few hundred
 * kilobytes lie there (SO_RCVLOWAT), as network cards gather their interrupts.
 *
 *   measuring ── `measuredBytes` at `fastBytesPerMs` or more ──> gathering
 *       ^─────── nothing was read between two looks ────────────────┘
 *
 * What is less than that waits for the next look but one at the longest, and then for nothing. Who asks for so little
 * at a time that it never comes to so much (a window smaller than what is gathered) would be held up at each look: when
 * gathering has ended soon, twice as many bytes are measured before it is tried again.
 */
import { type Libc, libcNumbers } from './libc.ts';

export const gatheringLimits = {
  /** Bytes that must lie there before they are read. Half of the receive buffer: more has come when they are. */
  gatheredBytes: 256 * 1024,
  /** How fast a connection must be for these to come in less than `lookEveryMs`. */
  fastBytesPerMs: 100_000,
  /** Over so many bytes that is measured, at first. */
  measuredBytes: 4 << 20,
  /** A connection that is held up again and again is left alone from here on. */
  measuredBytesMax: 2 ** 40,
  lookEveryMs: 10,
  /** It has ended soon when fewer than so many times the measured bytes came meanwhile. */
  worthwhile: 4,
} as const;

const gathering = new Set<GatheredReads>();
let looks: NodeJS.Timeout | null = null;

/** One connection's. `close` before its descriptor may belong to somebody else. */
export class GatheredReads {
  /** Sets how many bytes must lie there; false: the system does not do that. */
  readonly #trySet: (bytes: number) => boolean;
  readonly #nowMs: () => number;
  #isGathering = false;
  /** Since the measuring, or the gathering, began. */
  #bytes = 0;
  #sinceMs: number;
  #measuredBytes: number = gatheringLimits.measuredBytes;
  #hasRead = false;

  constructor(trySet: (bytes: number) => boolean, nowMs: () => number = () => performance.now()) {
    this.#trySet = trySet;
    this.#nowMs = nowMs;
    this.#sinceMs = nowMs();
  }

  /** So many bytes were read. */
  handleRead(bytes: number): void {
    this.#hasRead = true;
    this.#bytes += bytes;
    if (this.#isGathering || this.#bytes < this.#measuredBytes) return;
    const nowMs = this.#nowMs();
    const isFast = this.#bytes >= (nowMs - this.#sinceMs) * gatheringLimits.fastBytesPerMs;
    this.#bytes = 0;
    this.#sinceMs = nowMs;
    if (isFast) this.#begin();
  }

  /** Ends the gathering when nothing was read since the last look: what lies there must not wait any longer. */
  look(): void {
    const hasRead = this.#hasRead;
    this.#hasRead = false;
    if (hasRead) return;
    this.#trySet(1);
    this.#isGathering = false;
    gathering.delete(this);
    const { measuredBytes, measuredBytesMax, worthwhile } = gatheringLimits;
    const hasPaid = this.#bytes >= worthwhile * this.#measuredBytes;
    this.#measuredBytes = hasPaid ? measuredBytes : Math.min(2 * this.#measuredBytes, measuredBytesMax);
    this.#bytes = 0;
    this.#sinceMs = this.#nowMs();
  }

  close(): void {
    this.#measuredBytes = Number.POSITIVE_INFINITY;
    gathering.delete(this);
  }

  #begin(): void {
    this.#isGathering = this.#trySet(gatheringLimits.gatheredBytes);
    if (!this.#isGathering) {
      this.close();
      return;
    }
    gathering.add(this);
    looks ??= setInterval(lookAtAll, gatheringLimits.lookEveryMs).unref();
  }
}

function lookAtAll(): void {
  for (const reads of gathering) reads.look();
  if (gathering.size > 0 || looks === null) return;
  clearInterval(looks);
  looks = null;
}

const value = new Int32Array(1);

/** SO_RCVLOWAT of a stream socket. */
export function trySetGathered(libc: Libc, fd: number, bytes: number): boolean {
  value[0] = bytes;
  const at = libc.addressOf(new Uint8Array(value.buffer));
  return libc.setsockopt(fd, libcNumbers.socketLevel, libcNumbers.receiveLowWater, at, 4) === 0;
}
