/**
 * Peers that do not keep to the rules: an honest service whose outgoing messages are changed on the way to the socket.
 * Each write of the engine holds whole messages, so a message can be looked at, replaced or dropped by itself.
 */
import {
  assert,
  type Clock,
  concatBytes,
  type Prng,
  readUint32,
  type StreamConnection,
  writeUint32,
} from '@tequio/kernel';
import { handshakeBytes, messageId } from '../src/wire/peer-message.ts';

/** `-1`: the handshake. */
export type OutgoingMessage = {
  readonly id: number;
  /** The whole message with its length; the tamperer's own copy. */
  readonly bytes: Uint8Array;
};

export interface Tamper {
  /** What goes out in place of this message; null: nothing. May use the connection, even destroy it. */
  rewrite(message: OutgoingMessage, connection: StreamConnection): Uint8Array | null;
}

/** The connection as the service sees it. */
export function tamperWith(connection: StreamConnection, tamper: Tamper): StreamConnection {
  let isStarted = false;
  return {
    remote: connection.remote,
    get local() {
      return connection.local;
    },
    get queuedBytes() {
      return connection.queuedBytes;
    },
    write(parts, sent) {
      const bytes = concatBytes(parts);
      const out: Uint8Array[] = [];
      let at = 0;
      const give = (id: number, length: number): void => {
        const changed = tamper.rewrite({ id, bytes: bytes.subarray(at, at + length) }, connection);
        if (changed !== null) out.push(changed);
        at += length;
      };
      if (!isStarted && bytes.length > 0) give(-1, handshakeBytes);
      isStarted ||= bytes.length > 0;
      while (at < bytes.length) {
        const length = readUint32(bytes, at);
        give(length === 0 ? -2 : bytes[at + 4]!, 4 + length);
      }
      assert(at === bytes.length, 'a write holds whole messages');
      connection.write(out, sent);
    },
    pause: () => connection.pause(),
    resume: () => connection.resume(),
    end: () => connection.end(),
    destroy: () => connection.destroy(),
  };
}

/** Takes and never gives: nobody hears that it would serve them. */
export const freeRider: Tamper = {
  rewrite: ({ id, bytes }) => (id === messageId.unchoke || id === messageId.allowedFast ? null : bytes),
};

export type Lie = { readonly to: string; readonly atMs: number };

/** Flips a byte in this share of the blocks that it sends. */
export class Liar implements Tamper {
  /** Who was lied to (addresses), and when. */
  readonly lies: Lie[] = [];
  readonly #share: number;
  readonly #prng: Prng;
  readonly #clock: Clock;

  constructor(share: number, prng: Prng, clock: Clock) {
    this.#share = share;
    this.#prng = prng;
    this.#clock = clock;
  }

  rewrite({ id, bytes }: OutgoingMessage, connection: StreamConnection): Uint8Array {
    if (id !== messageId.piece || !this.#prng.chance(this.#share)) return bytes;
    bytes[13 + this.#prng.below(bytes.length - 13)]! ^= 1 + this.#prng.below(255);
    this.lies.push({ to: connection.remote.address, atMs: this.#clock.nowMs() });
    return bytes;
  }
}

/** Spoils what a newcomer with a magnet link needs: each long extension message (metadata) and all v2 hashes. */
export class FalseGuide implements Tamper {
  /** Addresses of those that got something false. */
  readonly misled = new Set<string>();

  rewrite({ id, bytes }: OutgoingMessage, connection: StreamConnection): Uint8Array {
    const isMetadata = id === messageId.extended && bytes.length > 500;
    if (!isMetadata && id !== messageId.hashes) return bytes;
    bytes[bytes.length - 1]! ^= 1;
    this.misled.add(connection.remote.address);
    return bytes;
  }
}

/** Unchokes, is asked, and never sends a block after the first `blockCount` of each connection. */
export class Staller implements Tamper {
  readonly #blockCount: number;
  readonly #sent = new WeakMap<StreamConnection, number>();

  constructor(blockCount: number) {
    this.#blockCount = blockCount;
  }

  rewrite({ id, bytes }: OutgoingMessage, connection: StreamConnection): Uint8Array | null {
    if (id !== messageId.piece) return bytes;
    const sent = this.#sent.get(connection) ?? 0;
    this.#sent.set(connection, sent + 1);
    return sent < this.#blockCount ? bytes : null;
  }
}

/** Sends each block ten times over: nine of them unasked. */
export const flooder: Tamper = {
  rewrite: ({ id, bytes }) => {
    if (id !== messageId.piece) return bytes;
    return concatBytes(Array.from({ length: 10 }, () => bytes));
  },
};

/** Announces a message of two gigabytes after its third block. */
export class GiantLength implements Tamper {
  readonly #sent = new WeakMap<StreamConnection, number>();

  rewrite({ id, bytes }: OutgoingMessage, connection: StreamConnection): Uint8Array {
    if (id !== messageId.piece) return bytes;
    const sent = (this.#sent.get(connection) ?? 0) + 1;
    this.#sent.set(connection, sent);
    if (sent !== 3) return bytes;
    const giant = bytes.slice();
    writeUint32(giant, 0, 0x7fffffff);
    return giant;
  }
}

/** Sends half of its third block on each connection, then hangs up. */
export class Quitter implements Tamper {
  readonly #sent = new WeakMap<StreamConnection, number>();

  rewrite({ id, bytes }: OutgoingMessage, connection: StreamConnection): Uint8Array | null {
    if (id !== messageId.piece) return bytes;
    const sent = (this.#sent.get(connection) ?? 0) + 1;
    this.#sent.set(connection, sent);
    if (sent !== 3) return sent < 3 ? bytes : null;
    // After this write.
    queueMicrotask(() => connection.end());
    return bytes.subarray(0, bytes.length >> 1);
  }
}
