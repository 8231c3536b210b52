/** ADD_PROVIDER and FIND_NODE of the DHT, as they go over a stream. Source: libp2p specs, kad-dht, RPC messages. */
import { concatBytes } from '@tequio/kernel';
import { limits } from './limits.ts';

/** Field 1: the message's type. */
const [addProvider, findNode] = [Uint8Array.of(0x08, 0x02), Uint8Array.of(0x08, 0x04)];
/** Fields 2 (key) and 9 (provider peers) of a message, 1 (id) and 2 (addresses) of a peer: bytes with their length. */
const [keyTag, providerTag, idTag, addressTag] = [0x12, 0x4a, 0x0a, 0x12];

/** The part of a message that is the same for all keys. @param id the peer's, as bytes */
export function encodeProvider(id: Uint8Array, addresses: readonly Uint8Array[]): Uint8Array {
  const peer = concatBytes([field(idTag, id), ...addresses.map((address) => field(addressTag, address))]);
  return field(providerTag, peer);
}

/** Framed by its length. Nothing is answered. @param key a multihash @param provider of {@link encodeProvider} */
export function encodeAddProvider(key: Uint8Array, provider: Uint8Array): Uint8Array {
  return framed([addProvider, field(keyTag, key), provider]);
}

/** Framed. It is answered with a few peers. */
export function encodeFindNode(key: Uint8Array): Uint8Array {
  return framed([findNode, field(keyTag, key)]);
}

/** Finds where an answer ends, which is not read: that it came is what counts. */
export class AnswerEnd {
  #lengthBits = 0;
  #length = 0;
  /** Of the answer still to come; null: its length is not known yet. */
  #left: number | null = null;

  /** @returns whether it is over, or `broken`: what came is no answer, or a second one */
  take(bytes: Uint8Array): boolean | 'broken' {
    let at = 0;
    while (this.#left === null && at < bytes.length) {
      const byte = bytes[at++]!;
      this.#length += (byte & 0x7f) * 2 ** this.#lengthBits;
      this.#lengthBits += 7;
      if (this.#length > limits.lines.answerBytes || this.#lengthBits > 28) return 'broken';
      if (byte < 0x80) this.#left = this.#length;
    }
    if (this.#left === null) return false;
    this.#left -= bytes.length - at;
    if (this.#left > 0) return false;
    if (this.#left < 0) return 'broken';
    return true;
  }
}

function framed(parts: readonly Uint8Array[]): Uint8Array {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  return concatBytes([varint(bytes), ...parts]);
}

function field(tag: number, bytes: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(tag), varint(bytes.length), bytes]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left >>>= 7) bytes.push((left & 0x7f) | 0x80);
  return Uint8Array.of(...bytes, left);
}
