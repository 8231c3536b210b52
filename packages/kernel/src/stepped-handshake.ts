import { concatBytes, emptyBytes } from './bytes.ts';
import type { Fault } from './fault.ts';

/**
 * What handshakes of bytes have in common: they go through named states, one step after the other, for as long as
 * what has arrived is enough. Who derives from it bounds what is held: a step may only wait for so many bytes.
 */
export abstract class SteppedHandshake<State extends string, Result> {
  protected state: State | 'done' | 'dead';
  /** What has arrived and no step has used yet. */
  protected held: Uint8Array = emptyBytes;
  /** What is to be sent. */
  protected readonly out: Uint8Array[] = [];
  #result: Result | null = null;

  protected constructor(first: State) {
    this.state = first;
  }

  /** Not null when all is said: then no more bytes come here. */
  get result(): Result | null {
    return this.#result;
  }

  /** Takes what arrived (borrowed). A fault ends it for good. */
  handleBytes(bytes: Uint8Array): Fault | null {
    if (this.state === 'done' || this.state === 'dead') return null;
    this.held = concatBytes([this.held, bytes]);
    for (;;) {
      const before: string = this.state;
      const fault = this.step();
      if (fault !== null) {
        this.state = 'dead';
        this.held = emptyBytes;
        return fault;
      }
      if (this.state === before || this.#result !== null) return null;
    }
  }

  /** Moves what is to be sent, given away, to the end of `out`. */
  drain(out: Uint8Array[]): void {
    out.push(...this.out.splice(0));
  }

  /** Uses some of `held` and goes to the next state, or leaves the state as it is and waits for more. */
  protected abstract step(): Fault | null;

  /** The last step: nothing is held any more. */
  protected finish(result: Result): void {
    this.held = emptyBytes;
    this.state = 'done';
    this.#result = result;
  }
}
