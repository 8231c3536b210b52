import { NodeError } from '@tequio/kernel';

/** Thrown where work was given up because the user asked to stop. */
export class InterruptedError extends NodeError {
  constructor() {
    super('CLI_INTERRUPTED', 'Interrupted.');
  }
}

/** The user's wish to stop: set once, by the first Ctrl-C, and never taken back. */
export class Interrupt {
  readonly #controller = new AbortController();

  get isSet(): boolean {
    return this.#controller.signal.aborted;
  }

  /** For work that can be cut short. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  set(): void {
    this.#controller.abort();
  }

  /** The value of `work`, unless the user asks to stop before. @throws InterruptedError then */
  async race<Value>(work: Promise<Value>): Promise<Value> {
    if (this.isSet) {
      work.catch(() => {});
      throw new InterruptedError();
    }
    let stop = (): void => {};
    const stopped = new Promise<never>((_, reject) => {
      stop = () => reject(new InterruptedError());
      this.signal.addEventListener('abort', stop, { once: true });
    });
    try {
      return await Promise.race([work, stopped]);
    } finally {
      this.signal.removeEventListener('abort', stop);
    }
  }
}
