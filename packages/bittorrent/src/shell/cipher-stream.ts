/**
 * A connection whose bytes go through RC4. Nothing is changed in place: what is sent may lie in the cache of pieces,
 * where other peers' blocks are taken from, and what is received is only lent, by a port that may not own it either.
 */
import type { Endpoint, StreamConnection, StreamHandler } from '@tequio/kernel';
import type { Rc4 } from '../wire/rc4.ts';

/** Fits the processor's cache, so that decrypted bytes are still there when the engine copies them to their place. */
const portionBytes = 64 * 1024;

/** Where received bytes become plain, lent to one handler at a time. */
export class DecryptMemory {
  readonly #buffer = new Uint8Array(portionBytes);
  #isLent = false;

  /** Gives `bytes`, decrypted, to `take` in portions, until all are gone or `take` says false. */
  decrypt(cipher: Rc4, bytes: Uint8Array, take: (plain: Uint8Array) => boolean): void {
    // A handler from whose inside another stream is read finds the buffer lent already.
    const isOurs = !this.#isLent;
    const buffer = isOurs ? this.#buffer : new Uint8Array(Math.min(bytes.length, portionBytes));
    if (isOurs) this.#isLent = true;
    try {
      for (let at = 0; at < bytes.length; at += portionBytes) {
        const portion = bytes.subarray(at, at + portionBytes);
        cipher.transform(portion, buffer, 0);
        if (!take(buffer.subarray(0, portion.length))) return;
      }
    } finally {
      if (isOurs) this.#isLent = false;
    }
  }
}

export class CipherStream implements StreamConnection {
  readonly isEncrypted = true;
  readonly #under: StreamConnection;
  readonly #encrypt: Rc4;
  readonly #decrypt: Rc4;
  readonly #memory: DecryptMemory;
  #isReading = true;

  constructor(
    under: StreamConnection,
    ciphers: { readonly encrypt: Rc4; readonly decrypt: Rc4 },
    memory: DecryptMemory,
  ) {
    this.#under = under;
    this.#encrypt = ciphers.encrypt;
    this.#decrypt = ciphers.decrypt;
    this.#memory = memory;
  }

  get remote(): Endpoint {
    return this.#under.remote;
  }

  get local(): Endpoint {
    return this.#under.local;
  }

  get transport(): 'tcp' | 'utp' {
    return this.#under.transport ?? 'tcp';
  }

  get queuedBytes(): number {
    return this.#under.queuedBytes;
  }

  /** Bytes came over the connection below; `handler` hears them in plain. */
  receive(bytes: Uint8Array, handler: Pick<StreamHandler, 'onBytes'>): void {
    if (!this.#isReading) return;
    this.#memory.decrypt(this.#decrypt, bytes, (plain) => {
      handler.onBytes(plain);
      return this.#isReading;
    });
  }

  write(parts: readonly Uint8Array[], sent?: () => void): void {
    let length = 0;
    for (const part of parts) length += part.length;
    const whole = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      this.#encrypt.transform(part, whole, at);
      at += part.length;
    }
    this.#under.write([whole], sent);
  }

  pause(): void {
    this.#under.pause();
  }

  resume(): void {
    this.#under.resume();
  }

  end(): void {
    this.#isReading = false;
    this.#under.end();
  }

  destroy(): void {
    this.#isReading = false;
    this.#under.destroy();
  }
}
