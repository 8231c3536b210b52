/**
 * Verified pieces on their way into the resume database: gathered for a moment, so that a fast download makes a few
 * transactions a second and not a thousand. A piece is reported as kept only after its transaction.
 */
import type { Clock, Timer } from '@tequio/kernel';

const gatherMs = 200;
const gatherCountMax = 256;

export class PieceKeeper {
  readonly #clock: Clock;
  readonly #keep: (pieces: readonly number[]) => void;
  #waiting: number[] = [];
  #timer: Timer | null = null;

  /** @param keep commits before it returns */
  constructor(clock: Clock, keep: (pieces: readonly number[]) => void) {
    this.#clock = clock;
    this.#keep = keep;
  }

  add(piece: number): void {
    this.#waiting.push(piece);
    if (this.#waiting.length >= gatherCountMax) this.flush();
    else this.#timer ??= this.#clock.setTimer(gatherMs, () => this.flush());
  }

  flush(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#waiting.length === 0) return;
    const pieces = this.#waiting;
    this.#waiting = [];
    this.#keep(pieces);
  }
}
