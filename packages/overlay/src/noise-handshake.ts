/**
 * The handshake of Noise_XX_25519_ChaChaPoly_SHA256: three messages, after which each side knows the other's static
 * key and both have a key for each direction. No I/O. Source: The Noise Protocol Framework, revision 34.
 */
import {
  type Aead,
  type AeadKey,
  assert,
  concatBytes,
  emptyBytes,
  encodeUtf8,
  type Hashes,
  type X25519,
  type X25519Pair,
} from '@tequio/kernel';

export type NoiseCrypto = {
  readonly aead: Aead;
  readonly x25519: X25519;
  readonly hashes: Pick<Hashes, 'sha256'>;
};

type Token = 'e' | 's' | 'ee' | 'es' | 'se';

const protocolName = encodeUtf8('Noise_XX_25519_ChaChaPoly_SHA256');
const pattern: readonly (readonly Token[])[] = [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']];
const keyBytes = 32;
const blockBytes = 64;
export const tagBytes = 16;

/** One key, under which messages are numbered from zero. */
export class NoiseCipher {
  readonly #key: AeadKey;
  readonly #nonce = new Uint8Array(12);
  readonly #view = new DataView(this.#nonce.buffer);
  #count = 0;

  constructor(key: AeadKey) {
    this.#key = key;
  }

  /** The text encrypted, and its tag as the last part. */
  seal(text: Uint8Array, associated: Uint8Array = emptyBytes): Uint8Array[] {
    return this.#key.seal(this.#next(), [text], associated);
  }

  /** Null: something was changed. Then the cipher is of no more use. */
  tryOpen(sealed: Uint8Array, associated: Uint8Array = emptyBytes): Uint8Array | null {
    if (sealed.length < tagBytes) return null;
    const end = sealed.length - tagBytes;
    const opened = this.#key.tryOpen(
      this.#next(),
      [sealed.subarray(0, end)],
      sealed.subarray(end),
      associated,
    );
    return opened?.[0] ?? null;
  }

  #next(): Uint8Array {
    // At a million messages a second it would take centuries.
    assert(this.#count < Number.MAX_SAFE_INTEGER, 'a key is used no oftener than it has numbers');
    this.#view.setUint32(4, this.#count >>> 0, true);
    this.#view.setUint32(8, Math.floor(this.#count / 2 ** 32), true);
    this.#count++;
    return this.#nonce;
  }
}

export type NoiseKeys = {
  readonly isInitiator: boolean;
  readonly prologue?: Uint8Array;
  readonly staticPair: X25519Pair;
  /** Fresh by default, as it must be outside of tests. */
  readonly ephemeralPair?: X25519Pair;
};

/** One handshake. Messages are written and read in turn, the initiator's first. */
export class NoiseHandshake {
  readonly #crypto: NoiseCrypto;
  readonly #isInitiator: boolean;
  readonly #static: X25519Pair;
  readonly #ephemeral: X25519Pair;
  #theirEphemeral: Uint8Array | null = null;
  #theirStatic: Uint8Array | null = null;
  #chainingKey: Uint8Array = protocolName;
  #hash: Uint8Array = protocolName;
  #cipher: NoiseCipher | null = null;
  #messageCount = 0;

  constructor(crypto: NoiseCrypto, { isInitiator, prologue, staticPair, ephemeralPair }: NoiseKeys) {
    this.#crypto = crypto;
    this.#isInitiator = isInitiator;
    this.#static = staticPair;
    this.#ephemeral = ephemeralPair ?? crypto.x25519.createPair();
    this.#mixHash(prologue ?? emptyBytes);
  }

  /** All messages are said. */
  get isDone(): boolean {
    return this.#messageCount === pattern.length;
  }

  /** Of all that was said: both sides have the same. */
  get hash(): Uint8Array {
    return this.#hash;
  }

  /** The other side's static key, which it has proved to have once this is done. */
  get theirStatic(): Uint8Array {
    assert(this.#theirStatic !== null, 'their key is asked for after the message that has it');
    return this.#theirStatic;
  }

  /** The next message, which is ours. @returns null: the other side's keys are of no use */
  tryWrite(payload: Uint8Array): Uint8Array | null {
    assert((this.#messageCount % 2 === 0) === this.#isInitiator, 'it is our turn');
    const parts: Uint8Array[] = [];
    for (const token of this.#nextTokens()) {
      if (token === 'e') {
        parts.push(this.#ephemeral.publicKey);
        this.#mixHash(this.#ephemeral.publicKey);
      } else if (token === 's') parts.push(this.#seal(this.#static.publicKey));
      else if (!this.#tryMix(token)) return null;
    }
    parts.push(this.#seal(payload));
    return concatBytes(parts);
  }

  /** The next message, which is theirs. @returns its payload, or null when it is no such message */
  tryRead(message: Uint8Array): Uint8Array | null {
    assert((this.#messageCount % 2 === 1) === this.#isInitiator, 'it is their turn');
    let at = 0;
    for (const token of this.#nextTokens()) {
      if (token === 'e') {
        if (message.length < at + keyBytes) return null;
        this.#theirEphemeral = message.slice(at, at + keyBytes);
        this.#mixHash(this.#theirEphemeral);
        at += keyBytes;
      } else if (token === 's') {
        const end = at + keyBytes + tagBytes;
        if (message.length < end) return null;
        this.#theirStatic = this.#tryOpen(message.subarray(at, end));
        if (this.#theirStatic === null) return null;
        at = end;
      } else if (!this.#tryMix(token)) return null;
    }
    return this.#tryOpen(message.subarray(at));
  }

  /** Keys of the two directions, once this is done. */
  split(): { readonly send: NoiseCipher; readonly receive: NoiseCipher } {
    assert(this.isDone, 'keys come of a handshake that is done');
    const [first, second] = this.#derive(emptyBytes).map(
      (key) => new NoiseCipher(this.#crypto.aead.chacha20Poly1305(key)),
    );
    return this.#isInitiator ? { send: first!, receive: second! } : { send: second!, receive: first! };
  }

  #nextTokens(): readonly Token[] {
    const tokens = pattern[this.#messageCount++];
    assert(tokens !== undefined, 'a handshake has three messages');
    return tokens;
  }

  /** `es` is the initiator's ephemeral and the responder's static key, whoever mixes it. */
  #tryMix(token: 'ee' | 'es' | 'se'): boolean {
    const isOursEphemeral = token === 'ee' || (token === 'es') === this.#isInitiator;
    const isTheirsEphemeral = token === 'ee' || (token === 'se') === this.#isInitiator;
    const theirs = isTheirsEphemeral ? this.#theirEphemeral : this.#theirStatic;
    assert(theirs !== null, 'a key is mixed after it has come');
    const secret = (isOursEphemeral ? this.#ephemeral : this.#static).trySecretWith(theirs);
    if (secret === null) return false;
    const [chainingKey, key] = this.#derive(secret);
    this.#chainingKey = chainingKey;
    this.#cipher = new NoiseCipher(this.#crypto.aead.chacha20Poly1305(key));
    return true;
  }

  #seal(text: Uint8Array): Uint8Array {
    const sealed = this.#cipher === null ? text : concatBytes(this.#cipher.seal(text, this.#hash));
    this.#mixHash(sealed);
    return sealed;
  }

  #tryOpen(sealed: Uint8Array): Uint8Array | null {
    const text = this.#cipher === null ? sealed : this.#cipher.tryOpen(sealed, this.#hash);
    this.#mixHash(sealed);
    return text;
  }

  #mixHash(bytes: Uint8Array): void {
    this.#hash = this.#crypto.hashes.sha256(concatBytes([this.#hash, bytes]));
  }

  /** HKDF (RFC 5869) with two outputs, the chaining key being the salt. */
  #derive(secret: Uint8Array): readonly [Uint8Array, Uint8Array] {
    const temporary = this.#hmac(this.#chainingKey, secret);
    const first = this.#hmac(temporary, new Uint8Array([1]));
    return [first, this.#hmac(temporary, concatBytes([first, new Uint8Array([2])]))];
  }

  /** HMAC-SHA256 (RFC 2104) under a key of 32 bytes. */
  #hmac(key: Uint8Array, bytes: Uint8Array): Uint8Array {
    const { sha256 } = this.#crypto.hashes;
    const [inner, outer] = [new Uint8Array(blockBytes).fill(0x36), new Uint8Array(blockBytes).fill(0x5c)];
    key.forEach((byte, index) => {
      inner[index] = byte ^ 0x36;
      outer[index] = byte ^ 0x5c;
    });
    return sha256(concatBytes([outer, sha256(concatBytes([inner, bytes]))]));
  }
}
