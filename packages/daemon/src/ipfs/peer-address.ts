/** What a multiaddr tells people. */
import type { IpfsPeerView } from '@tequio/api';

export function transportOf(address: string): IpfsPeerView['transport'] {
  if (address.includes('/p2p-circuit')) return 'relay';
  if (/\/webrtc(?:-direct)?(?:\/|$)/.test(address)) return 'webrtc';
  if (/\/quic(?:-v1)?(?:\/|$)/.test(address)) return 'quic';
  if (/\/wss?(?:\/|$)/.test(address)) return 'websocket';
  return /\/tcp\/\d+/.test(address) ? 'tcp' : 'other';
}

/** `ADDRESS:PORT`, IPv6 in brackets, as peers of other networks are written; empty: it names no address. */
export function whereOf(address: string): string {
  const match = /^\/ip([46])\/([^/]+)(?:\/(?:tcp|udp)\/(\d+))?/.exec(address);
  if (match === null) return '';
  const [, family, ip, port = '0'] = match;
  return family === '6' ? `[${ip}]:${port}` : `${ip}:${port}`;
}
