/** What the handshakes with proxies have in common: bytes in, bytes out, no I/O. */
import type { Endpoint, Fault } from '@tequio/kernel';

/** Where the proxy shall connect to: a name, which it resolves itself, or an address. */
export type ProxyTarget = { readonly host: string; readonly port: number };

export type ProxyHandshakeResult = {
  /** Of SOCKS5, where it says so by address: the proxy's own end; for datagrams, where to send them. */
  readonly bound: Endpoint | null;
  /** What came after the handshake: the first bytes of the other side. */
  readonly rest: Uint8Array;
};

export interface ProxyHandshake {
  /** Not null when the way is open: then no more bytes come here. */
  readonly result: ProxyHandshakeResult | null;
  /** Takes what arrived (borrowed). A fault ends it for good. */
  handleBytes(bytes: Uint8Array): Fault | null;
  /** Moves what is to be sent, given away, to the end of `out`. */
  drain(out: Uint8Array[]): void;
}

export function proxyFault(code: string, message: string): Fault {
  return { code: `NET_PROXY_${code}`, message, blame: 'none', penalty: 0 };
}
