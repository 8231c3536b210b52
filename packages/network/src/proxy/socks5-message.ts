/**
 * Byte forms of SOCKS5 (RFC 1928): addresses, and the heads of datagrams.
 *
 *   address    type (1: IPv4, 3: name, 4: IPv6)   4, 1 + length, or 16 bytes   port (2)
 *   datagram   0 0   fragment (0: whole)   address   data
 */
import {
  addressFromBytes,
  addressToBytes,
  concatBytes,
  decodeUtf8Lossy,
  encodeUtf8,
  readUint16,
  tryParseAddress,
  writeUint16,
} from '@tequio/kernel';
import type { ProxyTarget } from './proxy-handshake.ts';

const addressTypes = { ipv4: 1, name: 3, ipv6: 4 } as const;
const nameBytesMax = 255;

/** Type, address, port. A name longer than 255 bytes, which no host has, loses its end. */
export function encodeSocks5Address({ host, port }: ProxyTarget): Uint8Array {
  const address = tryParseAddress(host);
  const end = new Uint8Array(2);
  writeUint16(end, 0, port);
  if (address === null) {
    const name = encodeUtf8(host).subarray(0, nameBytesMax);
    return concatBytes([Uint8Array.of(addressTypes.name, name.length), name, end]);
  }
  const bytes = addressToBytes(address);
  const type = bytes.length === 4 ? addressTypes.ipv4 : addressTypes.ipv6;
  return concatBytes([Uint8Array.of(type), bytes, end]);
}

/** An address and the index after it; how many bytes are needed at least; or null: no such type. */
export function decodeSocks5Address(
  bytes: Uint8Array,
  at: number,
): { readonly target: ProxyTarget; readonly end: number } | { readonly needed: number } | null {
  const type = bytes[at];
  if (type === undefined) return { needed: at + 1 };
  const isName = type === addressTypes.name;
  if (isName && bytes[at + 1] === undefined) return { needed: at + 2 };
  const length = isName ? bytes[at + 1]! : type === addressTypes.ipv4 ? 4 : 16;
  if (!isName && type !== addressTypes.ipv4 && type !== addressTypes.ipv6) return null;
  const start = at + (isName ? 2 : 1);
  const end = start + length + 2;
  if (bytes.length < end) return { needed: end };
  const field = bytes.subarray(start, start + length);
  const host = isName ? decodeUtf8Lossy(field) : addressFromBytes(field);
  return { target: { host, port: readUint16(bytes, start + length) }, end };
}

/** A datagram for the proxy to send on. */
export function encodeSocks5Datagram(to: ProxyTarget, data: Uint8Array): Uint8Array {
  return concatBytes([new Uint8Array(3), encodeSocks5Address(to), data]);
}

/** Who sent it and what, or null: no datagram of a proxy, or a part of one, which we do not put together. */
export function tryDecodeSocks5Datagram(
  bytes: Uint8Array,
): { readonly from: ProxyTarget; readonly data: Uint8Array } | null {
  if (bytes.length < 3 || bytes[2] !== 0) return null;
  const address = decodeSocks5Address(bytes, 3);
  if (address === null || 'needed' in address) return null;
  return { from: address.target, data: bytes.subarray(address.end) };
}
