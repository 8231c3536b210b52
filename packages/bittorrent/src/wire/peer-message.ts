/**
 * Messages between peers (BEP 3, 6, 10, 52): encoding, and the names of what the decoder in `peer-decoder.ts` gives.
 * All numbers are big-endian; a message is its length, its id, its payload.
 */
import { writeUint16, writeUint32 } from '@tequio/kernel';

export const messageId = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  port: 9,
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  extended: 20,
  hashRequest: 21,
  hashes: 22,
  hashReject: 23,
} as const;

/** A run of bytes in a piece, as `request`, `cancel` and `reject` name it. */
export type BlockRange = { readonly piece: number; readonly offset: number; readonly bytes: number };

/** A decoded message other than `piece`. Byte strings are borrowed until the sink returns. */
export type PeerMessage =
  | {
      readonly type:
        | 'keep-alive'
        | 'choke'
        | 'unchoke'
        | 'interested'
        | 'not-interested'
        | 'have-all'
        | 'have-none';
    }
  | { readonly type: 'have'; readonly piece: number }
  | { readonly type: 'suggest' | 'allowed-fast'; readonly piece: number }
  | { readonly type: 'bitfield'; readonly bytes: Uint8Array }
  | ({ readonly type: 'request' | 'cancel' | 'reject' } & BlockRange)
  | { readonly type: 'port'; readonly port: number }
  | { readonly type: 'extended'; readonly id: number; readonly payload: Uint8Array }
  | { readonly type: 'hash-request' | 'hashes' | 'hash-reject'; readonly payload: Uint8Array };

export type Handshake = {
  /** v1 info-hash, or the first 20 bytes of the v2 one. */
  readonly infoHash: Uint8Array;
  readonly peerId: Uint8Array;
  /** BEP 10. */
  readonly extended: boolean;
  /** BEP 6. */
  readonly fast: boolean;
  /** BEP 5. */
  readonly dht: boolean;
  /** BEP 52: can go on with the v2 info-hash of a hybrid torrent. */
  readonly v2: boolean;
};

export const handshakeBytes = 68;
/** Where the info-hash ends: from here on a listener knows which torrent is meant. */
export const handshakePrefixBytes = 48;
const protocolName = Uint8Array.from('\x13BitTorrent protocol', (c) => c.charCodeAt(0));

/** The 68 bytes of a BEP 3 handshake. */
export function encodeHandshake(handshake: Handshake): Uint8Array {
  const bytes = new Uint8Array(handshakeBytes);
  bytes.set(protocolName, 0);
  if (handshake.extended) bytes[25]! |= 0x10;
  if (handshake.fast) bytes[27]! |= 0x04;
  if (handshake.dht) bytes[27]! |= 0x01;
  if (handshake.v2) bytes[27]! |= 0x10;
  bytes.set(handshake.infoHash.subarray(0, 20), 28);
  bytes.set(handshake.peerId, 48);
  return bytes;
}

/** Whether `bytes`, however few, are how a handshake begins. */
export function beginsHandshake(bytes: Uint8Array): boolean {
  const length = Math.min(bytes.length, protocolName.length);
  for (let i = 0; i < length; i++) if (bytes[i] !== protocolName[i]) return false;
  return true;
}

/** The info-hash in the first 48 bytes of a handshake, or null when they are not one. */
export function tryInfoHashOfPrefix(bytes: Uint8Array): Uint8Array | null {
  return bytes.length >= handshakePrefixBytes && beginsHandshake(bytes) ? bytes.slice(28, 48) : null;
}

/** The handshake in 68 bytes, or null. */
export function tryDecodeHandshake(bytes: Uint8Array): Handshake | null {
  const infoHash = tryInfoHashOfPrefix(bytes);
  if (infoHash === null || bytes.length < handshakeBytes) return null;
  return {
    infoHash,
    peerId: bytes.slice(48, 68),
    extended: (bytes[25]! & 0x10) !== 0,
    fast: (bytes[27]! & 0x04) !== 0,
    dht: (bytes[27]! & 0x01) !== 0,
    v2: (bytes[27]! & 0x10) !== 0,
  };
}

/**
 * Collects messages for one connection and gives them out as few byte strings: small messages share a buffer, a
 * block's data is passed by reference between two of them.
 */
export class MessageWriter {
  #parts: Uint8Array[] = [];
  #buffer = new Uint8Array(0);
  #used = 0;
  #start = 0;
  #byteCount = 0;

  /** Bytes waiting to be taken. */
  get byteCount(): number {
    return this.#byteCount;
  }

  get isEmpty(): boolean {
    return this.#byteCount === 0;
  }

  /** All that was written, in order; the writer is then empty. */
  take(): Uint8Array[] {
    this.#cut();
    const parts = this.#parts;
    this.#parts = [];
    this.#byteCount = 0;
    return parts;
  }

  writeBytes(bytes: Uint8Array): void {
    this.#cut();
    this.#parts.push(bytes);
    this.#byteCount += bytes.length;
  }

  writeKeepAlive(): void {
    writeUint32(this.#buffer, this.#reserve(4), 0);
  }

  /** A message that is its id alone: choke, unchoke, interested, notInterested, haveAll, haveNone. */
  writeEmpty(id: number): void {
    this.#head(id, 0);
  }

  /** have, suggest, allowedFast. */
  writeIndex(id: number, piece: number): void {
    const at = this.#head(id, 4);
    writeUint32(this.#buffer, at, piece);
  }

  /** request, cancel, reject. */
  writeRange(id: number, piece: number, offset: number, bytes: number): void {
    const at = this.#head(id, 12);
    writeUint32(this.#buffer, at, piece);
    writeUint32(this.#buffer, at + 4, offset);
    writeUint32(this.#buffer, at + 8, bytes);
  }

  /** Any message with a payload of its own: bitfield, the hash messages. */
  writePayload(id: number, payload: Uint8Array): void {
    this.#head(id, payload.length, 0);
    this.writeBytes(payload);
  }

  writePort(port: number): void {
    const at = this.#head(messageId.port, 2);
    writeUint16(this.#buffer, at, port);
  }

  /** BEP 10: `id` 0 is the extension handshake, others as the peer's handshake said. */
  writeExtended(id: number, payload: Uint8Array): void {
    const at = this.#head(messageId.extended, payload.length + 1, 1);
    this.#buffer[at] = id;
    this.writeBytes(payload);
  }

  /** A block; `data` is passed on by reference and must not change until it was sent. */
  writeBlock(piece: number, offset: number, data: Uint8Array): void {
    const at = this.#head(messageId.piece, data.length + 8, 8);
    writeUint32(this.#buffer, at, piece);
    writeUint32(this.#buffer, at + 4, offset);
    this.writeBytes(data);
  }

  /** Writes length and id, makes room for `here` bytes of the payload, and says where they go. */
  #head(id: number, payloadBytes: number, here = payloadBytes): number {
    const at = this.#reserve(5 + here);
    writeUint32(this.#buffer, at, payloadBytes + 1);
    this.#buffer[at + 4] = id;
    return at + 5;
  }

  #reserve(byteCount: number): number {
    if (this.#used + byteCount > this.#buffer.length) {
      this.#cut();
      this.#buffer = new Uint8Array(Math.max(1024, byteCount));
      this.#used = 0;
      this.#start = 0;
    }
    const at = this.#used;
    this.#used += byteCount;
    this.#byteCount += byteCount;
    return at;
  }

  #cut(): void {
    if (this.#used > this.#start) this.#parts.push(this.#buffer.subarray(this.#start, this.#used));
    this.#start = this.#used;
  }
}
