/**
 * uTP packets (BEP 29) as bytes: a header of 20 bytes, a chain of extensions, payload.
 *
 *    0       4       8               16              24              32
 *   +-------+-------+---------------+---------------+---------------+
 *   | type  | ver 1 | extension     | connection id                 |
 *   | timestamp of the sender, microseconds                         |
 *   | how long the last packet of the other side took, microseconds |
 *   | room for more bytes at the sender                             |
 *   | sequence number               | last number received in order |
 *   +---------------------------------------------------------------+
 *
 * An extension is the type of the next one (0: none), its length, and so many bytes; unknown ones are skipped.
 */
import { readUint16, readUint32, writeUint16, writeUint32 } from '@tequio/kernel';

/** Types of packets. */
export const utpType = { data: 0, fin: 1, state: 2, reset: 3, syn: 4 } as const;

/** Types of extensions. */
export const utpExtension = {
  none: 0,
  /** Selective acknowledgement: bit i, lowest first in each byte, is the packet i + 2 after the acknowledged one. */
  sack: 1,
  /**
   * Eight bytes of flags, all zero here. libutp takes a packet for one of uTP only when its first extension is one of
   * these two, so ours come behind this one.
   */
  flags: 2,
  /** Means nothing to anybody: makes a packet as long as a path is asked to carry. */
  padding: 0x70,
  /** Ours: how long a datagram its sender takes, 32 bits. Others skip it, as they do all that they do not know. */
  capacity: 0x71,
} as const;

export const utpHeaderBytes = 20;
const version = 1;

/** A packet that has been read. One object serves for all of them. */
export class UtpPacket {
  type = 0;
  connectionId = 0;
  /** The sender's clock; 0: it has none. */
  timestampUs = 0;
  /** What our last packet took, by both clocks; 0: no packet of ours has arrived. */
  delayUs = 0;
  windowBytes = 0;
  sequence = 0;
  acknowledged = 0;
  /** The bits of the selective acknowledgement lie here; length 0: there is none. */
  sackAt = 0;
  sackBytes = 0;
  /** The longest datagram that the sender says to take; 0: it says nothing. */
  capacityBytes = 0;
  /** From here to the end. */
  payloadAt = 0;
}

/** Reads `bytes` into `packet`. False, with `packet` in any state: it is no uTP packet of version 1. */
export function decodeUtpPacket(bytes: Uint8Array, packet: UtpPacket): boolean {
  if (bytes.length < utpHeaderBytes) return false;
  const first = bytes[0]!;
  packet.type = first >> 4;
  if ((first & 0x0f) !== version || packet.type > utpType.syn) return false;
  packet.connectionId = readUint16(bytes, 2);
  packet.timestampUs = readUint32(bytes, 4);
  packet.delayUs = readUint32(bytes, 8);
  packet.windowBytes = readUint32(bytes, 12);
  packet.sequence = readUint16(bytes, 16);
  packet.acknowledged = readUint16(bytes, 18);
  packet.sackBytes = 0;
  packet.capacityBytes = 0;
  packet.payloadAt = utpHeaderBytes;
  return bytes[1] === utpExtension.none || decodeExtensions(bytes, packet);
}

/** Each extension takes two bytes at least, so the chain ends. */
function decodeExtensions(bytes: Uint8Array, packet: UtpPacket): boolean {
  let at = utpHeaderBytes;
  let type = bytes[1]!;
  while (type !== utpExtension.none) {
    if (at + 2 > bytes.length) return false;
    const next = bytes[at]!;
    const length = bytes[at + 1]!;
    at += 2;
    if (at + length > bytes.length) return false;
    if (type === utpExtension.sack && packet.sackBytes === 0) {
      packet.sackAt = at;
      packet.sackBytes = length;
    } else if (type === utpExtension.capacity && length === 4) packet.capacityBytes = readUint32(bytes, at);
    at += length;
    type = next;
  }
  packet.payloadAt = at;
  return true;
}

/** Writes what is known when a packet is made: its type, first extension, connection and number. */
export function writeUtpIdentity(
  bytes: Uint8Array,
  type: number,
  extension: number,
  connectionId: number,
  sequence: number,
): void {
  bytes[0] = (type << 4) | version;
  bytes[1] = extension;
  writeUint16(bytes, 2, connectionId);
  writeUint16(bytes, 16, sequence);
}

/** Writes what is known when a packet leaves, each time that it does. */
export function writeUtpMoment(
  bytes: Uint8Array,
  timestampUs: number,
  delayUs: number,
  windowBytes: number,
  acknowledged: number,
): void {
  writeUint32(bytes, 4, timestampUs);
  writeUint32(bytes, 8, delayUs);
  writeUint32(bytes, 12, windowBytes);
  writeUint16(bytes, 18, acknowledged);
}

/** What {@link writeUtpFlags} writes. */
const flagsBytes = 10;

/** Writes the extension that extensions of ours come behind. @returns where the next one begins */
function writeUtpFlags(bytes: Uint8Array, at: number, next: number): number {
  bytes[at] = next;
  bytes[at + 1] = flagsBytes - 2;
  bytes.fill(0, at + 2, at + flagsBytes);
  return at + flagsBytes;
}

/** What {@link writeUtpCapacity} takes. */
export const utpCapacityBytes = flagsBytes + 6;

/** Writes the extensions, the first of them `flags`, that say how long datagrams may be. */
export function writeUtpCapacity(bytes: Uint8Array, start: number, capacityBytes: number): void {
  const at = writeUtpFlags(bytes, start, utpExtension.capacity);
  bytes[at] = utpExtension.none;
  bytes[at + 1] = 4;
  writeUint32(bytes, at + 2, capacityBytes);
}

/** The least that {@link writeUtpPadding} writes. */
export const utpPaddingBytesMin = flagsBytes + 2;

/** Writes so many bytes of extensions that mean nothing, the first of them `flags`. */
export function writeUtpPadding(bytes: Uint8Array, at: number, length: number): void {
  const end = at + length;
  let position = writeUtpFlags(bytes, at, utpExtension.padding);
  while (position < end) {
    // No rest of a single byte, which would be no extension.
    const left = end - position - 2;
    const content = left <= 255 ? left : Math.min(255, left - 2);
    bytes[position] = left === content ? utpExtension.none : utpExtension.padding;
    bytes[position + 1] = content;
    bytes.fill(0, position + 2, position + 2 + content);
    position += 2 + content;
  }
}

/** How far `to` lies after `from`, counting modulo 2^16. */
export function sequenceDistance(from: number, to: number): number {
  return (to - from) & 0xffff;
}

/** True when `a` comes after `b`, of two numbers less than 2^15 apart. */
export function isSequenceAfter(a: number, b: number): boolean {
  const distance = (a - b) & 0xffff;
  return distance !== 0 && distance < 0x8000;
}
