/**
 * A stranger's connection until it is known what he wants:
 *
 *   opening -- the protocol's name --> naming -- 48 bytes, a torrent of ours --> handed over
 *      |                                 ^
 *      +-- anything else --> greeting ---+ encrypted handshake done: the same, readable
 *
 * A plain connection is handed over as it is; so is one whose handshake was encrypted and whose payload is plain.
 */
import {
  type Clock,
  concatBytes,
  emptyBytes,
  type StreamConnection,
  type StreamHandler,
  type StreamPort,
  type Timer,
  toHex,
} from '@tequio/kernel';
import type { Admission, ConnectionSlot } from '@tequio/network';
import type { MseResult } from '../core/encryption/mse.ts';
import type { MseResponder } from '../core/encryption/mse-responder.ts';
import { beginsHandshake, handshakePrefixBytes, tryInfoHashOfPrefix } from '../wire/peer-message.ts';
import { CipherStream } from './cipher-stream.ts';
import type { PeerEncryption } from './peer-encryption.ts';

export type StrangerDeps = {
  readonly ports: { readonly tcp: StreamPort; readonly clock: Clock };
  /** The torrent's handler for a connection that names it, or null: nobody here has it, or it is full. */
  readonly route: (
    infoHashHex: string,
    connection: StreamConnection,
    prefix: Uint8Array,
    slot: ConnectionSlot,
  ) => StreamHandler | null;
  readonly admission: Admission;
  readonly encryption: PeerEncryption;
};

export class IncomingPeer implements StreamHandler {
  readonly #raw: StreamConnection;
  readonly #slot: ConnectionSlot;
  readonly #deps: StrangerDeps;
  readonly #timer: Timer;
  #state: 'opening' | 'greeting' | 'naming' | 'handed' | 'gone' = 'opening';
  #held: Uint8Array = emptyBytes;
  #machine: MseResponder | null = null;
  #cipher: CipherStream | null = null;
  #inner: StreamHandler | null = null;

  constructor(connection: StreamConnection, slot: ConnectionSlot, timeoutMs: number, deps: StrangerDeps) {
    this.#raw = connection;
    this.#slot = slot;
    this.#deps = deps;
    this.#timer = deps.ports.clock.setTimer(timeoutMs, () => this.#refuse());
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#cipher !== null) this.#cipher.receive(bytes, this.#decrypted);
    else if (this.#inner !== null) this.#inner.onBytes(bytes);
    else if (this.#state === 'opening') this.#open(bytes);
    else if (this.#state === 'greeting') this.#greet(bytes);
    else if (this.#state === 'naming') this.#name(bytes);
  }

  onClose(error: string | null): void {
    this.#settle('gone');
    this.#inner?.onClose(error);
  }

  readonly #decrypted = {
    onBytes: (bytes: Uint8Array): void => {
      if (this.#inner !== null) this.#inner.onBytes(bytes);
      else if (this.#state === 'naming') this.#name(bytes);
    },
  };

  /** opening -> naming, or greeting */
  #open(bytes: Uint8Array): void {
    const { encryption } = this.#deps;
    const all = this.#held.length === 0 ? bytes : concatBytes([this.#held, bytes]);
    if (!beginsHandshake(all)) {
      this.#machine = encryption.tryCreateResponder(this.#raw.remote);
      this.#held = emptyBytes;
      this.#state = 'greeting';
      this.#greet(all);
    } else if (encryption.policy === 'require') this.#refuse();
    else if (all.length < handshakePrefixBytes) this.#held = concatBytes([all]);
    else this.#handOver(all);
  }

  /** greeting -> naming */
  #greet(bytes: Uint8Array): void {
    const machine = this.#machine;
    const fault = machine?.handleBytes(bytes) ?? null;
    if (machine === null || fault !== null) {
      this.#refuse();
      return;
    }
    const out: Uint8Array[] = [];
    machine.drain(out);
    if (out.length > 0) this.#raw.write(out);
    if (machine.result !== null) this.#begin(machine.result);
  }

  #begin({ encrypt, decrypt, rest }: MseResult): void {
    this.#machine = null;
    this.#state = 'naming';
    if (encrypt !== null && decrypt !== null)
      this.#cipher = new CipherStream(this.#raw, { encrypt, decrypt }, this.#deps.encryption.memory);
    this.#name(rest);
  }

  #name(bytes: Uint8Array): void {
    this.#held = concatBytes([this.#held, bytes]);
    if (this.#held.length >= handshakePrefixBytes) this.#handOver(this.#held);
    else if (!beginsHandshake(this.#held)) this.#refuse();
  }

  /** opening, naming -> handed */
  #handOver(prefix: Uint8Array): void {
    const infoHash = tryInfoHashOfPrefix(prefix);
    this.#held = emptyBytes;
    const connection = this.#cipher ?? this.#raw;
    if (infoHash !== null)
      this.#inner = this.#deps.route(toHex(infoHash), connection, concatBytes([prefix]), this.#slot);
    if (this.#inner === null) this.#refuse();
    else this.#settle('handed');
  }

  #refuse(): void {
    if (this.#state === 'handed' || this.#state === 'gone') return;
    this.#settle('gone');
    (this.#cipher ?? this.#raw).destroy();
  }

  /** The stranger's place is given back, unless a torrent has it now. */
  #settle(state: 'handed' | 'gone'): void {
    if (this.#state === 'handed' || this.#state === 'gone') return;
    this.#state = state;
    this.#timer.cancel();
    this.#machine = null;
    this.#held = emptyBytes;
    if (state === 'gone') this.#slot.release();
  }
}
