/**
 * The questions that nearly all datagrams of the DHT are, read where they lie: `ping`, `find_node` and `get_peers` as
 * every program writes them, keys in their order and none that is unknown.
 *
 *   d 1:a d 2:id20:... [9:info_hash20:... [6:noseedi1e] [6:scrapei1e] | 6:target20:...] [4:wantl(2:n4|2:n6)...e] e
 *     1:q(4:ping|9:find_node|9:get_peers) [2:roi1e] 1:t... [1:v...] 1:y1:q e
 *
 * Whatever differs by a byte is left to the decoder of everything (krpc.ts), which gives the same for what this takes:
 * shown by fuzzing one against the other. Nothing is allocated.
 */
import { emptyBytes } from '@tequio/kernel';
import { nodeIdBytes } from './dht-node-id.ts';

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

/** Where the parts of a question lie. One object serves for all of them. */
export class QueryScan {
  method: 'ping' | 'find_node' | 'get_peers' = 'ping';
  idAt = 0;
  /** 0: none. */
  targetAt = 0;
  noSeed = false;
  scrape = false;
  wantsIpv4 = false;
  wantsIpv6 = false;
  isReadOnly = false;
  transactionAt = 0;
  transactionBytes = 0;
  #bytes: Uint8Array = emptyBytes;
  #at = 0;

  /** False, with everything in any state: it is no such question, or not written in this way. */
  read(bytes: Uint8Array): boolean {
    this.#bytes = bytes;
    this.#at = 0;
    return this.#takes(head) && this.#readArguments() && this.#readMethod() && this.#readRest();
  }

  #readArguments(): boolean {
    this.idAt = this.#at;
    this.#at += nodeIdBytes;
    this.targetAt = 0;
    this.noSeed = false;
    this.scrape = false;
    this.wantsIpv4 = false;
    this.wantsIpv6 = false;
    this.method = 'ping';
    if (this.#takes(infoHash)) {
      this.method = 'get_peers';
      this.#skipTarget();
      this.noSeed = this.#takes(noSeed);
      this.scrape = this.#takes(scrape);
    } else if (this.#takes(target)) {
      this.method = 'find_node';
      this.#skipTarget();
    } else return true;
    if (!this.#takes(want)) return true;
    this.wantsIpv4 = this.#takes(ipv4);
    this.wantsIpv6 = this.#takes(ipv6);
    if (this.#bytes[this.#at] !== letterE) return false;
    this.#at++;
    return true;
  }

  /** The end of the arguments, and the method that they are for. */
  #readMethod(): boolean {
    if (this.method === 'get_peers') return this.#takes(getPeers);
    return this.method === 'find_node' ? this.#takes(findNode) : this.#takes(ping);
  }

  #readRest(): boolean {
    this.isReadOnly = this.#takes(readOnly);
    if (!this.#takes(transaction)) return false;
    this.transactionBytes = this.#takeLength();
    this.transactionAt = this.#at;
    if (this.transactionBytes < 0) return false;
    this.#at += this.transactionBytes;
    if (this.#takes(version)) {
      const versionBytes = this.#takeLength();
      if (versionBytes < 0) return false;
      this.#at += versionBytes;
    }
    return this.#takes(end) && this.#at === this.#bytes.length;
  }

  #skipTarget(): void {
    this.targetAt = this.#at;
    this.#at += nodeIdBytes;
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
