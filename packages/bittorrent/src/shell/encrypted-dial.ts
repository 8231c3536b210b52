/**
 * An outgoing connection that begins with the encrypted handshake:
 *
 *   dialling -- connected --> greeting -- handshake done --> open
 *       |                        |  what is written waits      |  plain: handed on; RC4: through a cipher stream
 *       +------------------------+-----------------------------+--> closed
 *
 * `onOpen` is called as soon as the connection is made: what the handler writes then, a BitTorrent handshake, goes out
 * as the initial payload, which saves a round trip.
 */
import {
  type Clock,
  concatBytes,
  type Endpoint,
  emptyBytes,
  type StreamConnection,
  type StreamHandler,
  type StreamPort,
  type Timer,
} from '@tequio/kernel';
import type { MseResult } from '../core/encryption/mse.ts';
import type { MseInitiator } from '../core/encryption/mse-initiator.ts';
import { CipherStream } from './cipher-stream.ts';
import type { PeerDialOptions } from './peer-dial-options.ts';
import type { PeerEncryption } from './peer-encryption.ts';

export const encryptedDialLimits = {
  /** From the connection to the end of the handshake: two round trips. Who speaks no encryption may say nothing. */
  handshakeMs: 6000,
  /** A first write that is longer is not sent along with the handshake: some listeners take little. */
  initialPayloadBytesMax: 1024,
} as const;

type Waiting = { readonly parts: readonly Uint8Array[]; readonly sent: (() => void) | undefined };

export class EncryptedDial implements StreamConnection {
  readonly #encryption: PeerEncryption;
  readonly #clock: Clock;
  readonly #handler: StreamHandler;
  readonly #infoHash: Uint8Array;
  #under!: StreamConnection;
  /** Where writes go once the handshake is done. */
  #way: StreamConnection | null = null;
  #cipher: CipherStream | null = null;
  #machine: MseInitiator | null = null;
  #waiting: Waiting[] = [];
  #sentAlong: (() => void) | undefined = undefined;
  #timer: Timer | null = null;
  #error: string | null = null;
  #isGone = false;

  constructor(encryption: PeerEncryption, clock: Clock, infoHash: Uint8Array, handler: StreamHandler) {
    this.#encryption = encryption;
    this.#clock = clock;
    this.#infoHash = infoHash;
    this.#handler = handler;
  }

  /** To be called once. */
  dial(port: Pick<StreamPort, 'dial'>, to: Endpoint, options: PeerDialOptions): void {
    this.#under = port.dial(to, options, {
      onOpen: () => this.#handleOpen(),
      onBytes: (bytes) => this.#handleBytes(bytes),
      onClose: (error) => this.#handleClose(error),
    });
  }

  get remote(): Endpoint {
    return this.#under.remote;
  }

  get local(): Endpoint {
    return this.#under.local;
  }

  get transport(): 'tcp' | 'utp' {
    return this.#under.transport ?? 'tcp';
  }

  /** False as well when the handshake alone was. */
  get isEncrypted(): boolean {
    return this.#cipher !== null;
  }

  get queuedBytes(): number {
    let bytes = this.#under.queuedBytes;
    for (const { parts } of this.#waiting) for (const part of parts) bytes += part.length;
    return bytes;
  }

  write(parts: readonly Uint8Array[], sent?: () => void): void {
    if (this.#way !== null) this.#way.write(parts, sent);
    else if (!this.#isGone) this.#waiting.push({ parts, sent });
  }

  pause(): void {
    this.#under.pause();
  }

  resume(): void {
    this.#under.resume();
  }

  end(): void {
    this.#isGone = true;
    (this.#way ?? this.#under).end();
  }

  destroy(): void {
    this.#isGone = true;
    (this.#way ?? this.#under).destroy();
  }

  /** dialling -> greeting */
  #handleOpen(): void {
    this.#handler.onOpen?.();
    if (this.#isGone) return;
    this.#timer = this.#clock.setTimer(encryptedDialLimits.handshakeMs, () =>
      this.#fail('no answer to the encrypted handshake'),
    );
    const first = concatBytes(this.#waiting[0]?.parts ?? []);
    const goesAlong = first.length <= encryptedDialLimits.initialPayloadBytesMax;
    if (goesAlong) this.#sentAlong = this.#waiting.shift()?.sent;
    this.#machine = this.#encryption.createInitiator(this.#infoHash, goesAlong ? first : emptyBytes);
    const out: Uint8Array[] = [];
    this.#machine.drain(out);
    this.#under.write(out);
  }

  #handleBytes(bytes: Uint8Array): void {
    if (this.#cipher !== null) this.#cipher.receive(bytes, this.#handler);
    else if (this.#way !== null) this.#handler.onBytes(bytes);
    else if (!this.#isGone) this.#greet(bytes);
  }

  #greet(bytes: Uint8Array): void {
    const machine = this.#machine!;
    const fault = machine.handleBytes(bytes);
    if (fault !== null) {
      this.#fail(fault.message);
      return;
    }
    const out: Uint8Array[] = [];
    machine.drain(out);
    // The second and last flight, with the initial payload in it.
    if (out.length > 0) this.#under.write(out, this.#sentAlong);
    if (machine.result !== null) this.#begin(machine.result);
  }

  /** greeting -> open */
  #begin({ encrypt, decrypt, rest }: MseResult): void {
    this.#timer?.cancel();
    this.#machine = null;
    if (encrypt !== null && decrypt !== null)
      this.#cipher = new CipherStream(this.#under, { encrypt, decrypt }, this.#encryption.memory);
    this.#way = this.#cipher ?? this.#under;
    for (const { parts, sent } of this.#waiting.splice(0)) this.#way.write(parts, sent);
    if (rest.length > 0) this.#handler.onBytes(rest);
  }

  #fail(error: string): void {
    this.#error ??= error;
    this.#isGone = true;
    this.#under.destroy();
  }

  #handleClose(error: string | null): void {
    this.#timer?.cancel();
    this.#isGone = true;
    this.#waiting = [];
    this.#handler.onClose(this.#error ?? error);
  }
}
