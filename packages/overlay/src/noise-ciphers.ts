/**
 * libp2p's Noise with ciphers that keep their key. As it comes it makes a key object for every message, which takes as
 * long as the cipher itself needs for 16 KiB.
 */
import type { ConnectionEncrypter } from '@libp2p/interface';
import { type NoiseComponents, type NoiseExtensions, noise } from '@libp2p/noise';
import type { Aead, AeadKey } from '@tequio/kernel';
import { Uint8ArrayList } from 'uint8arraylist';

type Bytes = Uint8Array | Uint8ArrayList;
type Cipher = (
  text: Bytes,
  nonce: Uint8Array,
  associated: Uint8Array,
  key: Uint8Array,
  to?: Uint8Array,
) => Bytes;
type Ciphers = { readonly encrypt: Cipher; readonly decrypt: Cipher };

const tagBytes = 16;
/** Shorter ones are faster without OpenSSL, and are left to libp2p. */
const longBytes = 1200;

/** @returns what libp2p is given as an encrypter of connections */
export function noiseWith(aead: Aead): (components: NoiseComponents) => ConnectionEncrypter<NoiseExtensions> {
  return (components) => {
    const made = noise()(components) as ConnectionEncrypter<NoiseExtensions> & { crypto: Ciphers };
    made.crypto = { ...made.crypto, ...keptCiphers(aead, made.crypto) };
    return made;
  };
}

/** A connection has one array of bytes for each of its two keys, as long as it lasts. */
function keptCiphers(aead: Aead, short: Ciphers): Ciphers {
  const keys = new WeakMap<Uint8Array, AeadKey>();
  const keyOf = (bytes: Uint8Array): AeadKey => {
    let key = keys.get(bytes);
    if (key === undefined) {
      key = aead.chacha20Poly1305(bytes);
      keys.set(bytes, key);
    }
    return key;
  };
  return {
    encrypt: (text, nonce, associated, key) => {
      if (text.byteLength < longBytes) return short.encrypt(text, nonce, associated, key);
      return new Uint8ArrayList(...keyOf(key).seal(nonce, partsOf(text), associated));
    },
    decrypt: (sealed, nonce, associated, key, to) => {
      if (sealed.byteLength < longBytes) return short.decrypt(sealed, nonce, associated, key, to);
      const textBytes = sealed.byteLength - tagBytes;
      const text =
        sealed instanceof Uint8Array ? sealed.subarray(0, textBytes) : sealed.sublist(0, textBytes);
      const tag = sealed.subarray(textBytes);
      const opened = keyOf(key).tryOpen(nonce, partsOf(text), tag, associated);
      if (opened === null) throw new Error('a message that was changed on its way');
      return opened.length === 1 ? opened[0]! : new Uint8ArrayList(...opened);
    },
  };
}

function partsOf(bytes: Bytes): readonly Uint8Array[] {
  return bytes instanceof Uint8Array ? [bytes] : [...bytes];
}
