/**
 * A peer's byte stream into messages, without waiting for whole blocks: a block's bytes are copied from the receive
 * buffer straight to where the sink says, in whatever portions they arrive.
 *
 *   handshake -> length -> (head of `piece` -> data)* | (small message, gathered only when it is split over chunks)
 *
 * Total: any bytes give messages or one fault, after which the decoder refuses everything. Memory: at most the
 * longest gathered message (`peerWireLimits`), allocated as its bytes arrive, never because a length field says so.
 */
import { type ByteTarget, emptyBytes, type Fault, readUint16, readUint32 } from '@tequio/kernel';
import {
  type Handshake,
  handshakeBytes,
  messageId,
  type PeerMessage,
  tryDecodeHandshake,
} from './peer-message.ts';

export const peerWireLimits = {
  /** A bitfield of 8 M pieces; with the torrent known, its exact size is required (core/peer). */
  bitfieldBytesMax: 1 << 20,
  /** Metadata blocks are 16 KiB; peer-exchange and handshakes stay far below. */
  extendedBytesMax: 1 << 17,
  /** 512 hashes and their proof are 17 KiB. */
  hashBytesMax: 1 << 19,
  /** Some old programs send larger blocks than they were asked for; longer is an attack. */
  blockBytesMax: 1 << 17,
  /** Messages that we do not know are passed over up to this length. */
  unknownBytesMax: 1 << 20,
} as const;

/** Where decoded things go. A returned fault ends the connection. */
export interface PeerSink {
  onHandshake(handshake: Handshake): Fault | null;
  onMessage(message: PeerMessage): Fault | null;
  /**
   * A block begins. The sink sets `blockTarget` and `blockTargetAt` to where its bytes go, or `blockTarget` to null
   * to pass them over.
   */
  onBlockHead(piece: number, offset: number, bytes: number): Fault | null;
  /** All bytes of the block that began last have been copied (or passed over). */
  onBlockEnd(): Fault | null;
  blockTarget: ByteTarget | null;
  blockTargetAt: number;
}

export function wireFault(code: string, message: string, penalty = 100): Fault {
  return { code: `BITTORRENT_WIRE_${code}`, message, blame: 'peer', penalty };
}

/** Payload lengths of messages that have only one; others are checked against `peerWireLimits`. */
const exactPayloadBytes = new Map<number, number>([
  [messageId.choke, 0],
  [messageId.unchoke, 0],
  [messageId.interested, 0],
  [messageId.notInterested, 0],
  [messageId.have, 4],
  [messageId.request, 12],
  [messageId.cancel, 12],
  [messageId.port, 2],
  [messageId.suggest, 4],
  [messageId.haveAll, 0],
  [messageId.haveNone, 0],
  [messageId.reject, 12],
  [messageId.allowedFast, 4],
]);

const longestPayloadBytes = new Map<number, number>([
  [messageId.bitfield, peerWireLimits.bitfieldBytesMax],
  [messageId.extended, peerWireLimits.extendedBytesMax],
  [messageId.hashRequest, peerWireLimits.hashBytesMax],
  [messageId.hashes, peerWireLimits.hashBytesMax],
  [messageId.hashReject, peerWireLimits.hashBytesMax],
]);

export class PeerDecoder {
  readonly #sink: PeerSink;
  /** Bytes of an unfinished handshake, length, head or message. */
  #gathered = emptyBytes;
  #gatheredBytes = 0;
  /** How many bytes `#gathered` must have before it can be read on. */
  #neededBytes = handshakeBytes;
  #state: 'handshake' | 'length' | 'message' | 'block' | 'skip' | 'dead' = 'handshake';
  #blockBytesLeft = 0;
  #skipBytesLeft = 0;

  constructor(sink: PeerSink) {
    this.#sink = sink;
  }

  /** Takes all of `bytes` (borrowed). The fault that ended the stream, or null. */
  push(bytes: Uint8Array): Fault | null {
    let at = 0;
    while (at < bytes.length) {
      let fault: Fault | null = null;
      if (this.#state === 'block') {
        const taken = Math.min(this.#blockBytesLeft, bytes.length - at);
        fault = this.#pushBlock(bytes, at, taken);
        at += taken;
      } else if (this.#state === 'skip') {
        const taken = Math.min(this.#skipBytesLeft, bytes.length - at);
        this.#skipBytesLeft -= taken;
        at += taken;
        if (this.#skipBytesLeft === 0) this.#expectLength();
      } else if (this.#state === 'dead') {
        return null;
      } else if (this.#gatheredBytes === 0 && bytes.length - at >= this.#neededBytes) {
        const taken = this.#neededBytes;
        fault = this.#read(bytes.subarray(at, at + taken));
        at += taken;
      } else {
        at += this.#gather(bytes, at);
        if (this.#gatheredBytes === this.#neededBytes) {
          const whole = this.#gathered.subarray(0, this.#gatheredBytes);
          this.#gatheredBytes = 0;
          fault = this.#read(whole);
          if (this.#gathered.length > 4096 && this.#gatheredBytes === 0) this.#gathered = emptyBytes;
        }
      }
      if (fault !== null) {
        this.#state = 'dead';
        this.#gathered = emptyBytes;
        return fault;
      }
    }
    return null;
  }

  #pushBlock(bytes: Uint8Array, at: number, taken: number): Fault | null {
    const sink = this.#sink;
    if (sink.blockTarget !== null) {
      sink.blockTarget.copyFrom(bytes, at, at + taken, sink.blockTargetAt);
      sink.blockTargetAt += taken;
    }
    this.#blockBytesLeft -= taken;
    if (this.#blockBytesLeft > 0) return null;
    this.#expectLength();
    return sink.onBlockEnd();
  }

  #gather(bytes: Uint8Array, at: number): number {
    const taken = Math.min(this.#neededBytes - this.#gatheredBytes, bytes.length - at);
    if (this.#gatheredBytes + taken > this.#gathered.length) {
      // Doubles with what has arrived: a length field alone never makes us allocate.
      const grown = new Uint8Array(
        Math.min(this.#neededBytes, Math.max(64, 2 * (this.#gatheredBytes + taken))),
      );
      grown.set(this.#gathered.subarray(0, this.#gatheredBytes));
      this.#gathered = grown;
    }
    this.#gathered.set(bytes.subarray(at, at + taken), this.#gatheredBytes);
    this.#gatheredBytes += taken;
    return taken;
  }

  /** `bytes` are exactly what was needed. */
  #read(bytes: Uint8Array): Fault | null {
    if (this.#state === 'handshake') {
      const handshake = tryDecodeHandshake(bytes);
      if (handshake === null) return wireFault('HANDSHAKE', 'What came was not a BitTorrent handshake.', 10);
      this.#expectLength();
      return this.#sink.onHandshake(handshake);
    }
    if (this.#state === 'length') return this.#readLength(bytes);
    return this.#readMessage(bytes);
  }

  #expectLength(): void {
    this.#state = 'length';
    this.#neededBytes = 4;
  }

  #readLength(bytes: Uint8Array): Fault | null {
    const length = readUint32(bytes, 0);
    if (length === 0) return this.#sink.onMessage({ type: 'keep-alive' });
    if (length > peerWireLimits.unknownBytesMax + 1) {
      return wireFault('TOO_LONG', `The peer announced a message of ${length} bytes.`);
    }
    this.#state = 'message';
    // The id decides how much more is wanted; a block's head is read together with it.
    this.#neededBytes = 1;
    this.#messageBytes = length;
    return null;
  }

  #messageBytes = 0;

  #readMessage(bytes: Uint8Array): Fault | null {
    const id = bytes[0]!;
    const payloadBytes = this.#messageBytes - 1;
    if (id === messageId.piece) return this.#readBlockHead(bytes, payloadBytes);
    const exact = exactPayloadBytes.get(id);
    if (exact !== undefined && exact !== payloadBytes) {
      return wireFault(
        'LENGTH',
        `The peer sent message ${id} with ${payloadBytes} bytes instead of ${exact}.`,
      );
    }
    const longest = exact ?? longestPayloadBytes.get(id);
    if (longest === undefined) return this.#skip(payloadBytes);
    if (payloadBytes > longest)
      return wireFault('TOO_LONG', `The peer sent message ${id} with ${payloadBytes} bytes.`);
    if (bytes.length < this.#messageBytes) return this.#needWhole(bytes, this.#messageBytes);
    this.#expectLength();
    const message = decodePayload(id, bytes.subarray(1));
    return message === null
      ? wireFault('LENGTH', `The peer sent message ${id} without its payload.`)
      : this.#sink.onMessage(message);
  }

  #readBlockHead(bytes: Uint8Array, payloadBytes: number): Fault | null {
    if (payloadBytes < 8) return wireFault('BLOCK_LENGTH', 'The peer sent a block without its place.');
    if (payloadBytes - 8 > peerWireLimits.blockBytesMax) {
      return wireFault('BLOCK_LENGTH', `The peer sent a block of ${payloadBytes - 8} bytes.`);
    }
    if (bytes.length < 9) return this.#needWhole(bytes, 9);
    const sink = this.#sink;
    sink.blockTarget = null;
    const fault = sink.onBlockHead(readUint32(bytes, 1), readUint32(bytes, 5), payloadBytes - 8);
    if (fault !== null) return fault;
    this.#blockBytesLeft = payloadBytes - 8;
    this.#state = 'block';
    return this.#blockBytesLeft === 0 ? this.#pushBlock(bytes, 0, 0) : null;
  }

  /** Puts the id back and waits until `byteCount` bytes of the message are together. */
  #needWhole(bytes: Uint8Array, byteCount: number): null {
    this.#neededBytes = byteCount;
    if (this.#gathered.length < bytes.length) this.#gathered = new Uint8Array(64);
    this.#gathered.set(bytes, 0);
    this.#gatheredBytes = bytes.length;
    return null;
  }

  #skip(payloadBytes: number): null {
    this.#skipBytesLeft = payloadBytes;
    if (payloadBytes === 0) this.#expectLength();
    else this.#state = 'skip';
    return null;
  }
}

const namesWithoutPayload = new Map<
  number,
  'choke' | 'unchoke' | 'interested' | 'not-interested' | 'have-all' | 'have-none'
>([
  [messageId.choke, 'choke'],
  [messageId.unchoke, 'unchoke'],
  [messageId.interested, 'interested'],
  [messageId.notInterested, 'not-interested'],
  [messageId.haveAll, 'have-all'],
  [messageId.haveNone, 'have-none'],
]);

/** `payload` has an allowed length for `id`; null when an extended message has no id of its own. */
function decodePayload(id: number, payload: Uint8Array): PeerMessage | null {
  const name = namesWithoutPayload.get(id);
  if (name !== undefined) return { type: name };
  switch (id) {
    case messageId.have:
      return { type: 'have', piece: readUint32(payload, 0) };
    case messageId.suggest:
      return { type: 'suggest', piece: readUint32(payload, 0) };
    case messageId.allowedFast:
      return { type: 'allowed-fast', piece: readUint32(payload, 0) };
    case messageId.request:
      return { type: 'request', ...decodeRange(payload) };
    case messageId.cancel:
      return { type: 'cancel', ...decodeRange(payload) };
    case messageId.reject:
      return { type: 'reject', ...decodeRange(payload) };
    case messageId.bitfield:
      return { type: 'bitfield', bytes: payload };
    case messageId.port:
      return { type: 'port', port: readUint16(payload, 0) };
    case messageId.extended:
      return payload.length < 1 ? null : { type: 'extended', id: payload[0]!, payload: payload.subarray(1) };
    case messageId.hashRequest:
      return { type: 'hash-request', payload };
    case messageId.hashes:
      return { type: 'hashes', payload };
    default:
      return { type: 'hash-reject', payload };
  }
}

function decodeRange(payload: Uint8Array): { piece: number; offset: number; bytes: number } {
  return { piece: readUint32(payload, 0), offset: readUint32(payload, 4), bytes: readUint32(payload, 8) };
}
