import type { ConnectionGater } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Admission } from '@tequio/network';
import { tryEndpointOf } from './tcp-addresses.ts';

/**
 * Bans and the address filter, for every transport, whatever opens its sockets. Of libp2p's own gate this takes the
 * place: that one refuses all addresses of the local network to browsers, and none to others.
 */
export function createGate(admission: Admission | null): ConnectionGater {
  if (admission === null) return {};
  const isRefused = (address: Multiaddr): boolean => {
    const endpoint = tryEndpointOf(address);
    return endpoint !== null && !admission.isWelcome(endpoint);
  };
  return {
    denyDialMultiaddr: isRefused,
    denyInboundConnection: ({ remoteAddr }) => isRefused(remoteAddr),
    denyOutboundConnection: (_, { remoteAddr }) => isRefused(remoteAddr),
    filterMultiaddrForPeer: (_, address) => !isRefused(address),
  };
}
