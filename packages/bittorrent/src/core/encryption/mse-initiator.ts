/**
 * The side that dials (A in mse.ts):
 *
 *   (made: Ya goes out) -> key -> sync -> select -> pad -> done
 *                           |      |        |        |
 *                           +------+--------+--------+--> dead, with a fault
 *
 * B may begin its answer with up to 512 bytes of padding. Where that ends, only the eight bytes tell that the
 * verification constant becomes under keyB; they are looked for at no more than 513 places.
 */
import {
  concatBytes,
  emptyBytes,
  type Fault,
  type KeyPair,
  readUint16,
  readUint32,
  SteppedHandshake,
  writeUint16,
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
  mseKeyBytes,
  mseLimits,
  mseTorrentHash,
  xorInto,
} from './mse.ts';

export type MseInitiatorOptions = {
  /** 20 bytes. */
  readonly skey: Uint8Array;
  /** Bits of `mseCrypto`. */
  readonly provide: number;
  /** IA: the first words of what follows, sent along; empty is fine. */
  readonly initialPayload: Uint8Array;
  /** Random bytes, up to 512, that go out as PadA. */
  readonly pad: Uint8Array;
  /** Length of PadC, up to 512: its bytes are zeros under the cipher. */
  readonly innerPadBytes: number;
};

export class MseInitiator extends SteppedHandshake<'key' | 'sync' | 'select' | 'pad', MseResult> {
  readonly #options: MseInitiatorOptions;
  readonly #deps: MseDeps;
  readonly #pair: KeyPair;
  #encrypt!: Rc4;
  #decrypt!: Rc4;
  #constant = emptyBytes;
  #searchFrom = mseKeyBytes;
  #selected = 0;
  #padBytes = 0;

  constructor(options: MseInitiatorOptions, deps: MseDeps) {
    super('key');
    this.#options = options;
    this.#deps = deps;
    this.#pair = createMsePair(deps);
    this.out.push(concatBytes([this.#pair.publicKey, options.pad.subarray(0, mseLimits.padBytesMax)]));
  }

  protected step(): Fault | null {
    if (this.state === 'key') return this.#readKey();
    if (this.state === 'sync') return this.#findConstant();
    if (this.state === 'select') return this.#readSelection();
    this.#readPad();
    return null;
  }

  /** key -> sync */
  #readKey(): Fault | null {
    if (this.held.length < mseKeyBytes) return null;
    const secret = this.#pair.trySecretWith(this.held.slice(0, mseKeyBytes));
    if (secret === null) return mseFault('KEY', 'The peer gave a key that is none.');
    const { hashes } = this.#deps;
    const { ofA, ofB } = createMseCiphers(hashes, secret, this.#options.skey);
    this.#encrypt = ofA;
    this.#decrypt = ofB;
    this.#constant = new Uint8Array(mseConstantBytes);
    this.#decrypt.apply(this.#constant);
    const torrent = mseTorrentHash(hashes, this.#options.skey);
    xorInto(torrent, mseHash(hashes, 'req3', secret));
    this.out.push(concatBytes([mseHash(hashes, 'req1', secret), torrent, this.#createOffer()]));
    this.state = 'sync';
    return null;
  }

  #createOffer(): Uint8Array {
    const { provide, initialPayload } = this.#options;
    const padBytes = Math.min(this.#options.innerPadBytes, mseLimits.padBytesMax);
    const offer = new Uint8Array(mseConstantBytes + 8 + padBytes + initialPayload.length);
    writeUint32(offer, mseConstantBytes, provide);
    writeUint16(offer, mseConstantBytes + 4, padBytes);
    writeUint16(offer, mseConstantBytes + 6 + padBytes, initialPayload.length);
    offer.set(initialPayload, mseConstantBytes + 8 + padBytes);
    this.#encrypt.apply(offer);
    return offer;
  }

  /** sync -> select */
  #findConstant(): Fault | null {
    const last = mseKeyBytes + mseLimits.padBytesMax;
    const at = indexOfBytes(this.held, this.#constant, this.#searchFrom, last);
    if (at >= 0) {
      this.held = this.held.slice(at + mseConstantBytes);
      this.state = 'select';
      return null;
    }
    this.#searchFrom = Math.max(this.#searchFrom, this.held.length - mseConstantBytes + 1);
    if (this.#searchFrom <= last) return null;
    return mseFault('SYNC', 'The peer does not answer as one who has this torrent and speaks encrypted.');
  }

  /** select -> pad */
  #readSelection(): Fault | null {
    if (this.held.length < 6) return null;
    const head = this.held.subarray(0, 6);
    this.#decrypt.apply(head);
    this.#selected = readUint32(head, 0);
    this.#padBytes = readUint16(head, 4);
    const isOne = this.#selected === mseCrypto.plain || this.#selected === mseCrypto.rc4;
    if (!isOne || (this.#selected & this.#options.provide) === 0)
      return mseFault('SELECT', 'The peer chose an encryption that was not offered.');
    if (this.#padBytes > mseLimits.padBytesMax)
      return mseFault('PAD', 'The peer announced too much padding.');
    this.held = this.held.subarray(6);
    this.state = 'pad';
    return null;
  }

  /** pad -> done */
  #readPad(): void {
    if (this.held.length < this.#padBytes) return;
    this.#decrypt.apply(this.held.subarray(0, this.#padBytes));
    const rest = this.held.subarray(this.#padBytes);
    const isEncrypted = this.#selected === mseCrypto.rc4;
    if (isEncrypted) this.#decrypt.apply(rest);
    this.finish({
      skey: this.#options.skey,
      encrypt: isEncrypted ? this.#encrypt : null,
      decrypt: isEncrypted ? this.#decrypt : null,
      rest,
    });
  }
}
