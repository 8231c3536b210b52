/**
 * The words of the assertion library that the shared block store suite is written with, as many as it uses: the
 * library itself comes with a thousand packages.
 */
import { deepEqual, equal, ok } from 'node:assert/strict';

/** What is expected of a value, or of what a promise will bring. */
class Expectation implements PromiseLike<unknown> {
  readonly #subject: Promise<unknown> | { readonly value: unknown };
  #isDeep = false;

  constructor(subject: Promise<unknown> | { readonly value: unknown }) {
    this.#subject = subject;
    for (const word of ['to', 'be', 'have', 'of', 'with', 'that', 'a', 'an'])
      Object.defineProperty(this, word, { get: () => this });
  }

  get deep(): this {
    this.#isDeep = true;
    return this;
  }

  get eventually(): Expectation {
    const { value } = this.#subject as { value: unknown };
    return new Expectation(Promise.resolve(value));
  }

  /** From here on the reason is spoken of. */
  get rejected(): Expectation {
    const reason = (this.#subject as Promise<unknown>).then(
      () => Promise.reject(new Error('it was expected to be rejected')),
      (error) => error,
    );
    return new Expectation(reason);
  }

  // biome-ignore lint/suspicious/noThenProperty: the suite waits for an expectation
  then<A, B>(
    resolve: (value: unknown) => A | PromiseLike<A>,
    reject: (reason: unknown) => B | PromiseLike<B>,
  ): Promise<A | B> {
    const { value } = this.#subject as { value?: unknown };
    return (this.#subject instanceof Promise ? this.#subject : Promise.resolve(value)).then(resolve, reject);
  }

  equal(wanted: unknown): Expectation {
    return this.#check((value) => {
      if (this.#isDeep) deepEqual(value, wanted);
      else equal(value, wanted);
      return value;
    });
  }

  property(name: string, wanted?: unknown): Expectation {
    return this.#check((value) => {
      const found = (value as Record<string, unknown>)[name];
      if (wanted !== undefined) equal(found, wanted);
      return found;
    });
  }

  include(part: string): Expectation {
    return this.#check((value) => {
      ok(String(value).includes(part), `"${value}" was expected to include "${part}"`);
      return value;
    });
  }

  lengthOf(wanted: number): Expectation {
    return this.#check((value) => {
      equal((value as ArrayLike<unknown>).length, wanted);
      return value;
    });
  }

  ok(): Expectation {
    return this.#check((value) => {
      ok(value);
      return value;
    });
  }

  true(): Expectation {
    return this.equal(true);
  }

  false(): Expectation {
    return this.equal(false);
  }

  #check(look: (value: unknown) => unknown): Expectation {
    if (this.#subject instanceof Promise) return new Expectation(this.#subject.then(look));
    return new Expectation({ value: look(this.#subject.value) });
  }
}

export function expect(value: unknown): Expectation {
  return new Expectation({ value });
}
