/** A sink that writes down what the decoder gives it, and messages at random. */
import { type Fault, PlainMemory, type Prng, toHex } from '@tequio/kernel';
import { type PeerSink, wireFault } from './peer-decoder.ts';
import { type Handshake, type MessageWriter, messageId, type PeerMessage } from './peer-message.ts';

/** A message as it is written; blocks besides those that the decoder gives as such. */
export type AnyMessage =
  | PeerMessage
  | { readonly type: 'piece'; readonly piece: number; readonly offset: number; readonly bytes: Uint8Array };

/** Room before and after a block's place, which must stay as it was. */
const marginBytes = 8;

export class RecordingSink implements PeerSink {
  readonly seen: string[] = [];
  handshakeCount = 0;
  failAt: 'handshake' | 'have' | 'head' | 'end' | null = null;
  /** Blocks of odd pieces are passed over. */
  passesOverOdd = true;
  blockTarget: PlainMemory | null = null;
  blockTargetAt = 0;
  #head = '';
  #bytes = 0;

  onHandshake(_handshake: Handshake): Fault | null {
    this.handshakeCount++;
    return this.#faultAt('handshake');
  }

  onMessage(message: PeerMessage): Fault | null {
    this.seen.push(lineOf(message));
    return message.type === 'have' ? this.#faultAt('have') : null;
  }

  onBlockHead(piece: number, offset: number, bytes: number): Fault | null {
    this.#head = `piece ${piece} ${offset}`;
    this.#bytes = bytes;
    if (!this.passesOverOdd || piece % 2 === 0) {
      this.blockTarget = new PlainMemory(new Uint8Array(bytes + 2 * marginBytes));
      this.blockTargetAt = marginBytes;
    }
    return this.#faultAt('head');
  }

  onBlockEnd(): Fault | null {
    const target = this.blockTarget?.bytes ?? null;
    if (target === null) this.seen.push(`${this.#head} passed over`);
    else {
      const spilt = [...target.subarray(0, marginBytes), ...target.subarray(target.length - marginBytes)];
      const isClean = spilt.every((byte) => byte === 0) && this.blockTargetAt === marginBytes + this.#bytes;
      const data = target.subarray(marginBytes, target.length - marginBytes);
      this.seen.push(`${this.#head} ${isClean ? toHex(data) : 'spilt'}`);
    }
    this.blockTarget = null;
    return this.#faultAt('end');
  }

  #faultAt(where: RecordingSink['failAt']): Fault | null {
    return this.failAt === where ? wireFault('TEST', 'The sink has had enough.') : null;
  }
}

function lineOf(message: AnyMessage): string {
  const fields = Object.entries(message).map(([, value]) =>
    value instanceof Uint8Array ? toHex(value) : String(value),
  );
  return fields.join(' ');
}

const emptyTypes = ['choke', 'unchoke', 'interested', 'not-interested', 'have-all', 'have-none'] as const;
const emptyIds = {
  choke: messageId.choke,
  unchoke: messageId.unchoke,
  interested: messageId.interested,
  'not-interested': messageId.notInterested,
  'have-all': messageId.haveAll,
  'have-none': messageId.haveNone,
} as const;

export function randomMessage(prng: Prng): AnyMessage {
  const piece = prng.chance(0.1) ? 0xffffffff : prng.below(1000);
  const range = { piece, offset: prng.below(64) * 16384, bytes: prng.nextUint32() };
  switch (prng.below(9)) {
    case 0:
      return { type: 'keep-alive' };
    case 1:
      return { type: prng.pick(emptyTypes) };
    case 2:
      return { type: prng.pick(['have', 'suggest', 'allowed-fast'] as const), piece };
    case 3:
      return { type: 'bitfield', bytes: prng.bytes(prng.below(300)) };
    case 4:
      return { type: prng.pick(['request', 'cancel', 'reject'] as const), ...range };
    case 5:
      return { type: 'port', port: prng.below(65536) };
    case 6:
      return { type: 'extended', id: prng.below(256), payload: prng.bytes(prng.below(5000)) };
    case 7: {
      const type = prng.pick(['hash-request', 'hashes', 'hash-reject'] as const);
      return { type, payload: prng.bytes(prng.below(600)) };
    }
    default:
      return {
        type: 'piece',
        piece,
        offset: range.offset,
        bytes: prng.bytes(prng.below(prng.pick([2, 40, 17_000]))),
      };
  }
}

/** Writes the message. @returns the line that a {@link RecordingSink} makes of it */
export function writeMessage(writer: MessageWriter, message: AnyMessage): string {
  switch (message.type) {
    case 'keep-alive':
      writer.writeKeepAlive();
      break;
    case 'have':
      writer.writeIndex(messageId.have, message.piece);
      break;
    case 'suggest':
      writer.writeIndex(messageId.suggest, message.piece);
      break;
    case 'allowed-fast':
      writer.writeIndex(messageId.allowedFast, message.piece);
      break;
    case 'bitfield':
      writer.writePayload(messageId.bitfield, message.bytes);
      break;
    case 'request':
    case 'cancel':
    case 'reject':
      writer.writeRange(messageId[message.type], message.piece, message.offset, message.bytes);
      break;
    case 'port':
      writer.writePort(message.port);
      break;
    case 'extended':
      writer.writeExtended(message.id, message.payload);
      break;
    case 'hash-request':
      writer.writePayload(messageId.hashRequest, message.payload);
      break;
    case 'hashes':
      writer.writePayload(messageId.hashes, message.payload);
      break;
    case 'hash-reject':
      writer.writePayload(messageId.hashReject, message.payload);
      break;
    case 'piece':
      writer.writeBlock(message.piece, message.offset, message.bytes);
      return message.piece % 2 === 0
        ? lineOf(message)
        : `piece ${message.piece} ${message.offset} passed over`;
    default:
      writer.writeEmpty(emptyIds[message.type]);
  }
  return lineOf(message);
}
