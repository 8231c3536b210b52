/** Bans as the contract shows them, and as a user names whom to ban. */
import { addressScope, type Endpoint, NodeError, tryParseAddress, tryParseEndpoint } from '@tequio/kernel';
import type { Ban } from '@tequio/network';
import type { BanSnapshot } from '../contract.ts';

export function toBanSnapshot({ key, code, message, untilMs }: Ban): BanSnapshot {
  return { address: key, code, message, untilMs: Number.isFinite(untilMs) ? untilMs : null };
}

/** @param text an address, or `address:port`, which says more on loopback alone. @throws NodeError `BITTORRENT_ADDRESS` */
export function banTarget(text: string): Endpoint {
  const address = tryParseAddress(text);
  const endpoint = address === null ? tryParseEndpoint(text) : { address, port: 0 };
  if (endpoint === null)
    throw new NodeError('BITTORRENT_ADDRESS', `${text} is not an IP address.`, { data: { address: text } });
  if (endpoint.port === 0 && addressScope(endpoint.address) === 'loopback')
    throw new NodeError(
      'BITTORRENT_ADDRESS',
      'On loopback every program is somebody else: name its port too.',
    );
  return endpoint;
}
