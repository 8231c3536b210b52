/**
 * The side that is dialled (B in mse.ts):
 *
 *   key -> sync -> torrent -> offer -> pad -> payload -> done
 *    |       |        |         |       |        |
 *    +-------+--------+---------+-------+--------+--> dead, with a fault
 *
 * Says nothing before it has A's whole key, and after its own key nothing before A has shown that it knows a torrent
 * of ours. Of what A offers, plain is taken when we may: the headers of the connection are hidden then as A wants them,
 * and neither side pays for RC4 on every byte.
 */
import {
  concatBytes,
  emptyBytes,
  type Fault,
  readUint16,
  readUint32,
  SteppedHandshake,
  writeUint32,
} from '@tequio/kernel';
import type { Rc4 } from '../../wire/rc4.ts';
import {
  createMseCiphers,
  createMsePair,
  indexOfBytes,
  type MseDeps,
  type MseResult,
  mseConstantBytes,
  mseCrypto,
  mseFault,
  mseHash,
  mseHashBytes,
  mseKeyBytes,
  mseLimits,
  xorInto,
} from './mse.ts';

export type MseResponderOptions = {
  /** What we may take, bits of `mseCrypto`. */
  readonly accept: number;
  /** Of what both take, RC4 for all that is said; else the payload is plain, which is less work. */
  readonly prefersRc4: boolean;
  /** Random bytes, up to 512, that go out as PadB. PadD is empty: it hides nothing that PadB does not. */
  readonly pad: Uint8Array;
  /** The SKEY of this H('req2', SKEY), or null: nobody here has it. */
  readonly findSkey: (torrentHash: Uint8Array) => Uint8Array | null;
};

type MseResponderState = 'key' | 'sync' | 'torrent' | 'offer' | 'pad' | 'payload';

export class MseResponder extends SteppedHandshake<MseResponderState, MseResult> {
  readonly #options: MseResponderOptions;
  readonly #deps: MseDeps;
  #secret = emptyBytes;
  #mark = emptyBytes;
  #searchFrom = mseKeyBytes;
  #skey: Uint8Array = emptyBytes;
  #encrypt!: Rc4;
  #decrypt!: Rc4;
  #selected = 0;
  #padBytes = 0;
  #payloadBytes = 0;

  constructor(options: MseResponderOptions, deps: MseDeps) {
    super('key');
    this.#options = options;
    this.#deps = deps;
  }

  protected step(): Fault | null {
    switch (this.state) {
      case 'key':
        return this.#readKey();
      case 'sync':
        return this.#findMark();
      case 'torrent':
        return this.#readTorrent();
      case 'offer':
        return this.#readOffer();
      case 'pad':
        return this.#readPad();
      default:
        this.#readPayload();
        return null;
    }
  }

  /** key -> sync */
  #readKey(): Fault | null {
    if (this.held.length < mseKeyBytes) return null;
    const pair = createMsePair(this.#deps);
    const secret = pair.trySecretWith(this.held.slice(0, mseKeyBytes));
    if (secret === null) return mseFault('KEY', 'The peer gave a key that is none.');
    this.out.push(concatBytes([pair.publicKey, this.#options.pad.subarray(0, mseLimits.padBytesMax)]));
    this.#secret = secret;
    this.#mark = mseHash(this.#deps.hashes, 'req1', secret);
    this.state = 'sync';
    return null;
  }

  /** sync -> torrent */
  #findMark(): Fault | null {
    const last = mseKeyBytes + mseLimits.padBytesMax;
    const at = indexOfBytes(this.held, this.#mark, this.#searchFrom, last);
    if (at >= 0) {
      this.held = this.held.slice(at + mseHashBytes);
      this.state = 'torrent';
      return null;
    }
    this.#searchFrom = Math.max(this.#searchFrom, this.held.length - mseHashBytes + 1);
    if (this.#searchFrom <= last) return null;
    return mseFault('SYNC', 'The peer speaks neither BitTorrent nor its encryption.');
  }

  /** torrent -> offer */
  #readTorrent(): Fault | null {
    if (this.held.length < mseHashBytes) return null;
    const { hashes } = this.#deps;
    const torrent = this.held.slice(0, mseHashBytes);
    xorInto(torrent, mseHash(hashes, 'req3', this.#secret));
    const skey = this.#options.findSkey(torrent);
    if (skey === null) return mseFault('TORRENT', 'The peer wants a torrent that is not here.');
    this.#skey = skey;
    const { ofA, ofB } = createMseCiphers(hashes, this.#secret, skey);
    this.#encrypt = ofB;
    this.#decrypt = ofA;
    this.held = this.held.subarray(mseHashBytes);
    this.state = 'offer';
    return null;
  }

  /** offer -> pad */
  #readOffer(): Fault | null {
    const headBytes = mseConstantBytes + 6;
    if (this.held.length < headBytes) return null;
    const head = this.held.subarray(0, headBytes);
    this.#decrypt.apply(head);
    for (let i = 0; i < mseConstantBytes; i++)
      if (head[i] !== 0) return mseFault('CONSTANT', 'The peer encrypts otherwise than both should.');
    const usable = readUint32(head, mseConstantBytes) & this.#options.accept;
    const { plain, rc4 } = mseCrypto;
    const order = this.#options.prefersRc4 ? [rc4, plain] : [plain, rc4];
    this.#selected = order.find((crypto) => (usable & crypto) !== 0) ?? 0;
    if (this.#selected === 0) return mseFault('OFFER', 'The peer offers no encryption that is allowed here.');
    this.#padBytes = readUint16(head, mseConstantBytes + 4);
    if (this.#padBytes > mseLimits.padBytesMax)
      return mseFault('PAD', 'The peer announced too much padding.');
    this.held = this.held.subarray(headBytes);
    this.state = 'pad';
    return null;
  }

  /** pad -> payload, with the answer */
  #readPad(): Fault | null {
    if (this.held.length < this.#padBytes + 2) return null;
    const tail = this.held.subarray(0, this.#padBytes + 2);
    this.#decrypt.apply(tail);
    this.#payloadBytes = readUint16(tail, this.#padBytes);
    // Under RC4 nobody has to know where it ends.
    if (this.#selected === mseCrypto.rc4) this.#payloadBytes = 0;
    if (this.#payloadBytes > mseLimits.initialPayloadBytesMax)
      return mseFault('PAYLOAD', 'The peer announced too much to say along with the handshake.');
    this.held = this.held.subarray(this.#padBytes + 2);
    const answer = new Uint8Array(mseConstantBytes + 6);
    writeUint32(answer, mseConstantBytes, this.#selected);
    this.#encrypt.apply(answer);
    this.out.push(answer);
    this.state = 'payload';
    return null;
  }

  /** payload -> done */
  #readPayload(): void {
    if (this.held.length < this.#payloadBytes) return;
    const isEncrypted = this.#selected === mseCrypto.rc4;
    const rest = this.held;
    this.#decrypt.apply(isEncrypted ? rest : rest.subarray(0, this.#payloadBytes));
    this.finish({
      skey: this.#skey,
      encrypt: isEncrypted ? this.#encrypt : null,
      decrypt: isEncrypted ? this.#decrypt : null,
      rest,
    });
  }
}
