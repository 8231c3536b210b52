/**
 * Links to torrents that change (BEP 46): `magnet:?xs=urn:btpk:KEY&s=SALT`, key and salt in hex. Under them the DHT
 * keeps a signed item (BEP 44) whose value is a dictionary with the present torrent's info-hash.
 */
import { toHex, tryFromHex } from '@tequio/kernel';
import { decodeBencode, encodeBencode } from './bencode.ts';
import { dhtItemLimits } from './dht-item.ts';

/** Whose torrent it is: 32 bytes of public key, and what tells several of one key apart. */
export type MutableLink = { readonly publicKey: Uint8Array; readonly salt: Uint8Array };

const linkLengthMax = 4096;
const infoHashBytes = 20;

/** What the link names; null when it is no such link. */
export function tryDecodeMutableLink(text: string): MutableLink | null {
  const query = text.length > linkLengthMax ? undefined : /^magnet:\/{0,2}\?(.*)$/i.exec(text.trim())?.[1];
  if (query === undefined) return null;
  let publicKey: Uint8Array | null = null;
  let salt: Uint8Array = new Uint8Array(0);
  for (const parameter of query.split(/&(?:amp;)?/)) {
    const [, key, value] = /^([^=]+)=(.*)$/.exec(parameter) ?? [];
    if (key?.toLowerCase() === 'xs') {
      const hex = /^urn(?::|%3a)btpk(?::|%3a)([0-9a-f]{64})$/i.exec(value!)?.[1];
      if (hex !== undefined) publicKey = tryFromHex(hex);
    } else if (key?.toLowerCase() === 's') {
      const bytes = tryFromHex(value!);
      // Another salt would be another torrent: rather none than the wrong one.
      if (bytes === null || bytes.length > dhtItemLimits.saltBytesMax) return null;
      salt = bytes;
    }
  }
  return publicKey === null ? null : { publicKey, salt };
}

export function encodeMutableLink({ publicKey, salt }: MutableLink): string {
  const rest = salt.length === 0 ? '' : `&s=${toHex(salt)}`;
  return `magnet:?xs=urn:btpk:${toHex(publicKey)}${rest}`;
}

/** The value of the item: which torrent it is now. @param infoHash 20 bytes */
export function encodeMutableTorrent(infoHash: Uint8Array): Uint8Array {
  return encodeBencode({ ih: infoHash });
}

/** The info-hash in an item's value, or null. */
export function tryDecodeMutableTorrent(value: Uint8Array): Uint8Array | null {
  const decoded = decodeBencode(value);
  const infoHash = decoded.ok ? decoded.value.getBytes('ih') : null;
  return infoHash?.length === infoHashBytes ? infoHash.slice() : null;
}
