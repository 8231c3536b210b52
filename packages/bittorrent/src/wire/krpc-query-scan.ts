/**
 * The questions that nearly all datagrams of the DHT are, read where they lie: `ping`, `find_node` and `get_peers` as
 * every program writes them, keys in their order and none that is unknown.
 *
 *   d 1:a d 2:id20:... [9:info_hash20:... [6:noseedi1e] [6:scrapei1e] | 6:target20:...] [4:wantl(2:n4|2:n6)...e] e
 *     1:q(4:ping|9:find_node|9:get_peers) [2:roi1e] 1:t... [1:v...] 1:y1:q e
 *
 * Whatever differs by a byte is left to the decoder of everything (krpc.ts), which gives the same for what this takes:
 * shown by fuzzing one against the other. No views are made, for making them costs more than reading.
 */
import { emptyBytes } from '@tequio/kernel';
import { nodeIdBytes } from './dht-node-id.ts';
import type { KrpcMessage, KrpcQuery, Want } from './krpc.ts';

const pattern = (ascii: string): Uint8Array => Uint8Array.from(ascii, (letter) => letter.charCodeAt(0));
const head = pattern('d1:ad2:id20:');
const infoHash = pattern('9:info_hash20:');
const target = pattern('6:target20:');
const noSeed = pattern('6:noseedi1e');
const scrape = pattern('6:scrapei1e');
const want = pattern('4:wantl');
const ipv4 = pattern('2:n4');
const ipv6 = pattern('2:n6');
const ping = pattern('e1:q4:ping');
const findNode = pattern('e1:q9:find_node');
const getPeers = pattern('e1:q9:get_peers');
const readOnly = pattern('2:roi1e');
const transaction = pattern('1:t');
const version = pattern('1:v');
const end = pattern('1:y1:qe');

const [digit0, colon, letterE] = [0x30, 0x3a, 0x65];

/** A question as {@link QueryScan} gives it. */
export type ScannedQuery = Extract<KrpcMessage, { type: 'query' }>;

/** Reads one question after the other. */
export class QueryScan {
  readonly #id = new Uint8Array(nodeIdBytes);
  readonly #target = new Uint8Array(nodeIdBytes);
  /** One of each length. */
  readonly #transactions = Array.from({ length: 10 }, (_, length) => new Uint8Array(length));
  #bytes: Uint8Array = emptyBytes;
  #at = 0;

  /** Null: it is no such question, or not written in this way. All that is given is good until the next call. */
  tryRead(bytes: Uint8Array): ScannedQuery | null {
    this.#bytes = bytes;
    this.#at = 0;
    if (!this.#takes(head) || !this.#takeBytes(this.#id)) return null;
    const query = this.#tryQuery();
    if (query === null) return null;
    const isReadOnly = this.#takes(readOnly);
    const id = this.#takes(transaction) ? this.#transactions[this.#takeLength()] : undefined;
    if (id === undefined || !this.#takeBytes(id)) return null;
    if (this.#takes(version)) {
      const length = this.#takeLength();
      if (length < 0) return null;
      this.#at += length;
    }
    if (!this.#takes(end) || this.#at !== bytes.length) return null;
    return { type: 'query', transaction: id, query, isReadOnly };
  }

  /** The other arguments, their end, and the method that they are for. */
  #tryQuery(): KrpcQuery | null {
    const [id, wanted] = [this.#id, this.#target];
    if (this.#takes(infoHash)) {
      if (!this.#takeBytes(wanted)) return null;
      const withoutSeeds = this.#takes(noSeed);
      const withFilters = this.#takes(scrape);
      const want = this.#takeWant();
      if (!this.#takes(getPeers)) return null;
      return { method: 'get_peers', id, target: wanted, want, noSeed: withoutSeeds, scrape: withFilters };
    }
    if (this.#takes(target)) {
      if (!this.#takeBytes(wanted)) return null;
      const want = this.#takeWant();
      return this.#takes(findNode) ? { method: 'find_node', id, target: wanted, want } : null;
    }
    return this.#takes(ping) ? { method: 'ping', id } : null;
  }

  /** A list that has more than these, or twice the same, does not end where this ends. */
  #takeWant(): Want {
    if (!this.#takes(want)) return null;
    const wanted = { ipv4: this.#takes(ipv4), ipv6: this.#takes(ipv6) };
    if (this.#bytes[this.#at] === letterE) this.#at++;
    return wanted.ipv4 || wanted.ipv6 ? wanted : null;
  }

  /** Copies as many bytes as there is room for; false: there are not so many. */
  #takeBytes(into: Uint8Array): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    if (at + into.length > bytes.length) return false;
    for (let i = 0; i < into.length; i++) into[i] = bytes[at + i]!;
    this.#at = at + into.length;
    return true;
  }

  /** A length of one digit; -1: there is none. */
  #takeLength(): number {
    const length = this.#bytes[this.#at]! - digit0;
    if (!(length >= 0 && length <= 9) || this.#bytes[this.#at + 1] !== colon) return -1;
    this.#at += 2;
    return length;
  }

  /** Past the end nothing is equal. */
  #takes(expected: Uint8Array): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    if (at + expected.length > bytes.length) return false;
    for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false;
    this.#at = at + expected.length;
    return true;
  }
}
