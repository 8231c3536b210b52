/**
 * RC4, which Message Stream Encryption uses. No protection against who wants to read: it only keeps streams from being
 * recognised at a glance. Written here because OpenSSL 3 has it in its legacy provider alone, which Node does not load.
 */

/** One direction of a stream: each byte that passes moves it on. Encrypting and decrypting are the same. */
export class Rc4 {
  readonly #state: Uint8Array;
  #i = 0;
  #j = 0;

  /** @param key 1 to 256 bytes */
  constructor(key: Uint8Array) {
    const state = new Uint8Array(256);
    for (let i = 0; i < 256; i++) state[i] = i;
    for (let i = 0, j = 0; i < 256; i++) {
      const value = state[i]!;
      j = (j + value + key[i % key.length]!) & 255;
      state[i] = state[j]!;
      state[j] = value;
    }
    this.#state = state;
  }

  /** Passes over `byteCount` bytes of the key stream: the first ones tell something of the key. */
  discard(byteCount: number): void {
    for (let left = byteCount; left > 0; left -= 256) this.apply(new Uint8Array(Math.min(left, 256)));
  }

  /** Changes `bytes` in place. */
  apply(bytes: Uint8Array): void {
    this.transform(bytes, bytes, 0);
  }

  /** Writes what `from` becomes into `to` at `at`, where there must be room for all of it. */
  transform(from: Uint8Array, to: Uint8Array, at: number): void {
    const state = this.#state;
    const { length } = from;
    let i = this.#i;
    let j = this.#j;
    for (let n = 0; n < length; n++) {
      i = (i + 1) & 255;
      const a = state[i]!;
      j = (j + a) & 255;
      const b = state[j]!;
      state[i] = b;
      state[j] = a;
      to[at + n] = from[n]! ^ state[(a + b) & 255]!;
    }
    this.#i = i;
    this.#j = j;
  }
}
