/**
 * What a client sees of us, and we of it: address, host and scheme. Behind a reverse proxy these stand in headers,
 * which anybody can write, so they are believed only when the connection comes from a proxy that the user has named.
 */
import { tryParseAddress, type WebRequest } from '@tequio/kernel';

export type ClientView = {
  readonly address: string;
  /** Host and port as the client typed them; '' when it said none. */
  readonly host: string;
  readonly scheme: 'http' | 'https';
  /** The request has come through a proxy that is trusted. */
  readonly proxied: boolean;
};

export function viewOf(request: WebRequest, trustedProxies: readonly string[]): ClientView {
  const { headers, remote } = request;
  const host = headers['host'] ?? '';
  if (!trustedProxies.includes(remote.address))
    return { address: remote.address, host, scheme: 'http', proxied: false };
  return {
    address: forwardedFor(headers['x-forwarded-for'] ?? '', trustedProxies) ?? remote.address,
    host: headers['x-forwarded-host']?.trim() || host,
    scheme: headers['x-forwarded-proto']?.trim().toLowerCase() === 'https' ? 'https' : 'http',
    proxied: true,
  };
}

/** Each proxy writes whom it has seen at the end: the last one that is no proxy of ours is the client. */
function forwardedFor(header: string, trustedProxies: readonly string[]): string | null {
  for (const text of header.split(',').reverse()) {
    const address = tryParseAddress(text.trim().replace(/^\[(.*)\]$/, '$1'));
    if (address === null) return null;
    if (!trustedProxies.includes(address)) return address;
  }
  return null;
}
