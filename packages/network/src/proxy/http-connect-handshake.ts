/**
 * The client's side of an HTTP tunnel (RFC 9110, section 9.3.6: CONNECT), with a user and password where given (Basic,
 * RFC 7617). What the proxy says besides the status is passed over, and may not be longer than 16 KiB.
 */
import { concatBytes, encodeUtf8, type Fault, toLatin1, tryParseAddress } from '@tequio/kernel';
import {
  type ProxyHandshake,
  type ProxyHandshakeResult,
  type ProxyTarget,
  proxyFault,
} from './proxy-handshake.ts';
import type { ProxyCredentials } from './proxy-settings.ts';

export const httpConnectLimits = { headBytesMax: 16 * 1024 } as const;

export class HttpConnectHandshake implements ProxyHandshake {
  readonly #out: Uint8Array[];
  #held: Uint8Array = new Uint8Array(0);
  #searchFrom = 0;
  #isDead = false;
  #result: ProxyHandshakeResult | null = null;

  constructor(target: ProxyTarget, credentials: ProxyCredentials | null) {
    const isIpv6 = tryParseAddress(target.host)?.includes(':') === true;
    // What is no part of a name cannot become a line of its own.
    const name = target.host.replaceAll(/[^\p{L}\p{N}._:-]/gu, '');
    const host = `${isIpv6 ? `[${name}]` : name}:${target.port}`;
    const login =
      credentials === null
        ? ''
        : `Proxy-Authorization: Basic ${btoa(toLatin1(encodeUtf8(`${credentials.user}:${credentials.password}`)))}\r\n`;
    this.#out = [encodeUtf8(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n${login}\r\n`)];
  }

  get result(): ProxyHandshakeResult | null {
    return this.#result;
  }

  handleBytes(bytes: Uint8Array): Fault | null {
    if (this.#isDead || this.#result !== null) return null;
    this.#held = concatBytes([this.#held, bytes]);
    const end = this.#endOfHead();
    const headBytes = end ?? this.#held.length;
    const fault =
      headBytes > httpConnectLimits.headBytesMax ? tooLong : end === null ? null : this.#read(end);
    if (fault === null) return null;
    this.#isDead = true;
    this.#held = new Uint8Array(0);
    return fault;
  }

  drain(out: Uint8Array[]): void {
    out.push(...this.#out.splice(0));
  }

  /** The index after the empty line. */
  #endOfHead(): number | null {
    const held = this.#held;
    for (let at = this.#searchFrom; at < held.length; at++) {
      if (held[at] !== 10) continue;
      const isEmpty = held[at - 1] === 10 || (held[at - 1] === 13 && held[at - 2] === 10);
      if (isEmpty) return at + 1;
    }
    this.#searchFrom = held.length;
    return null;
  }

  #read(end: number): Fault | null {
    const head = toLatin1(this.#held.subarray(0, Math.min(end, 256)));
    const status = /^HTTP\/1\.[01] ([1-5]\d\d)(?!\d)/.exec(head)?.[1];
    if (status === undefined) return proxyFault('PROTOCOL', 'The proxy does not speak HTTP.');
    if (status === '407') return proxyFault('LOGIN', 'The proxy wants a user and a password, or others.');
    if (!status.startsWith('2')) return proxyFault('REFUSED', `The proxy refused with status ${status}.`);
    this.#result = { bound: null, rest: this.#held.slice(end) };
    this.#held = new Uint8Array(0);
    return null;
  }
}

const tooLong = proxyFault('PROTOCOL', 'The proxy does not come to the end of its answer.');
