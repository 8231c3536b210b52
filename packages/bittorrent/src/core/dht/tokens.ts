/**
 * Write tokens (BEP 5): whoever shows one has received it at his address, so nobody can announce or store in another's
 * name. And transaction ids that nobody can guess, so that answers cannot be forged by whoever does not see the query.
 *
 * A token is a keyed hash (SipHash-2-4) of the address and the period of five minutes; the one before is good too. It
 * is not tied to the info-hash: nothing is gained by using it for another. Nothing is remembered.
 * A transaction id is a keyed hash of a counter: four bytes, beside the address that must fit too.
 */
import { bytesEqual, writeUint32 } from '@tequio/kernel';
import { SipHash } from '../tracker-server-udp-token.ts';
import { dhtLimits } from './dht-limits.ts';

/** Bytes of a token; other nodes copy it as it is. */
export const writeTokenBytes = 8;

export class WriteTokens {
  readonly #hash: SipHash;
  readonly #message = new Uint8Array(24);
  readonly #token = new Uint8Array(writeTokenBytes);

  /** @param key 16 secret bytes */
  constructor(key: Uint8Array) {
    this.#hash = new SipHash(key);
  }

  /** Good until the next call of anything here. @param address 4 or 16 bytes */
  issue(address: Uint8Array, nowMs: number): Uint8Array {
    return this.#tokenOf(address, periodOf(nowMs));
  }

  isGood(token: Uint8Array, address: Uint8Array, nowMs: number): boolean {
    if (token.length !== writeTokenBytes) return false;
    const period = periodOf(nowMs);
    return (
      bytesEqual(token, this.#tokenOf(address, period)) ||
      bytesEqual(token, this.#tokenOf(address, period - 1))
    );
  }

  #tokenOf(address: Uint8Array, period: number): Uint8Array {
    for (let i = 0; i < 16; i++) this.#message[i] = i < address.length ? address[i]! : 0;
    writeUint32(this.#message, 16, period >>> 0);
    this.#message[20] = address.length;
    this.#hash.hash(this.#message, 24, this.#token);
    return this.#token;
  }
}

export class TransactionIds {
  readonly #hash: SipHash;
  readonly #message = new Uint8Array(8);
  readonly #out = new Uint8Array(8);
  #counter = 0;

  /** @param key 16 secret bytes */
  constructor(key: Uint8Array) {
    this.#hash = new SipHash(key);
  }

  /** Four fresh bytes. */
  next(): Uint8Array {
    writeUint32(this.#message, 0, this.#counter++ >>> 0);
    this.#hash.hash(this.#message, 8, this.#out);
    return this.#out.slice(0, 4);
  }
}

function periodOf(nowMs: number): number {
  return Math.floor(nowMs / dhtLimits.tokenPeriodMs);
}
