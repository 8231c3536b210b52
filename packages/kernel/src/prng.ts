import { writeUint32 } from './bytes.ts';

/**
 * Seeded pseudo-random numbers (xoshiro128**, Blackman and Vigna 2018), so that every decision can be replayed from
 * its seed. Not for secrets: keys, tokens and ids that an attacker must not guess come from the `Entropy` port.
 */
export class Prng {
  readonly #state = new Uint32Array(4);

  /** @param seed any number; its low 32 bits are stretched by splitmix32 into the whole state. */
  constructor(seed: number) {
    let x = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      x = (x + 0x9e3779b9) >>> 0;
      let z = x;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      this.#state[i] = z ^ (z >>> 15);
    }
  }

  nextUint32(): number {
    const s = this.#state;
    const product = Math.imul(s[1]!, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = (s[3]! << 11) | (s[3]! >>> 21);
    return result;
  }

  /** Uniform in [0, 1). */
  nextFloat(): number {
    return this.nextUint32() / 0x1_0000_0000;
  }

  /** Uniform integer in [0, limit), limit from 1 to 2^32. Multiply-shift; the bias is below 2^-21 for limit < 2^11. */
  below(limit: number): number {
    return Math.floor(this.nextFloat() * limit);
  }

  /** Uniform integer in [low, high], both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.nextFloat() < p;
  }

  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** Shuffles in place (Fisher-Yates) and returns the same array. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [items[i], items[j]] = [items[j] as T, items[i] as T];
    }
    return items;
  }

  bytes(length: number): Uint8Array {
    const words = new Uint8Array(Math.ceil(length / 4) * 4);
    for (let at = 0; at < words.length; at += 4) writeUint32(words, at, this.nextUint32());
    return words.subarray(0, length);
  }

  /** A generator of its own for a part of the program, so that one part's draws never shift another's. */
  fork(): Prng {
    return new Prng(this.nextUint32());
  }
}
