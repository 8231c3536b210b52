/**
 * Items that the DHT keeps for anybody (BEP 44): immutable ones, stored under their hash, and mutable ones, stored
 * under the hash of a public key (and a salt), signed, and replaced by a higher sequence number. Values are passed on
 * as the bencode that came, byte for byte, because that is what was hashed and signed.
 */
import { bytesEqual, concatBytes, encodeUtf8, type Hashes, type Signatures } from '@tequio/kernel';

export const dhtItemLimits = {
  /** Of the bencoded value; storing nodes may refuse more (BEP 44). */
  valueBytesMax: 1000,
  saltBytesMax: 64,
} as const;

/** The largest sequence number: 2^63 - 1. */
export const sequenceMax = 2n ** 63n - 1n;

export type ImmutableItem = {
  readonly type: 'immutable';
  /** Bencode. */
  readonly value: Uint8Array;
};

export type MutableItem = {
  readonly type: 'mutable';
  readonly value: Uint8Array;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Empty: none. */
  readonly salt: Uint8Array;
  readonly sequence: bigint;
  /** 64 bytes. */
  readonly signature: Uint8Array;
};

export type DhtItem = ImmutableItem | MutableItem;

/** What a mutable item's key signs. */
export function signedBytesOf(item: Pick<MutableItem, 'salt' | 'sequence' | 'value'>): Uint8Array {
  const salt = item.salt.length === 0 ? [] : [encodeUtf8(`4:salt${item.salt.length}:`), item.salt];
  return concatBytes([...salt, encodeUtf8(`3:seqi${item.sequence}e1:v`), item.value]);
}

/** Makes and signs an item. @param secretKey 32 bytes, the seed of the key */
export function signItem(
  secretKey: Uint8Array,
  item: Pick<MutableItem, 'salt' | 'sequence' | 'value'>,
  signatures: Signatures,
): MutableItem {
  return {
    type: 'mutable',
    ...item,
    publicKey: signatures.publicKeyOf(secretKey),
    signature: signatures.sign(secretKey, signedBytesOf(item)),
  };
}

/** Where a mutable item is stored: the hash of its key and salt. */
export function mutableTargetOf(publicKey: Uint8Array, salt: Uint8Array, hashes: Hashes): Uint8Array {
  return hashes.sha1(salt.length === 0 ? publicKey : concatBytes([publicKey, salt]));
}

/** Where an item is stored. */
export function targetOf(item: DhtItem, hashes: Hashes): Uint8Array {
  return item.type === 'immutable'
    ? hashes.sha1(item.value)
    : mutableTargetOf(item.publicKey, item.salt, hashes);
}

/** True when the item may stand under `target`: the hash is right and so is the signature. The costly check is last. */
export function isGenuineItem(
  item: DhtItem,
  target: Uint8Array,
  hashes: Hashes,
  signatures: Signatures,
): boolean {
  if (item.value.length > dhtItemLimits.valueBytesMax) return false;
  if (!bytesEqual(targetOf(item, hashes), target)) return false;
  return item.type === 'immutable' || signatures.verify(item.publicKey, signedBytesOf(item), item.signature);
}
