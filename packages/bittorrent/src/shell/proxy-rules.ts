/**
 * What a service does otherwise behind a proxy; everything else that knows of proxies is in the ports. Whoever adds a
 * way to reach others, or to be reached, says here what becomes of it:
 *
 *   behind it        SOCKS5                                HTTP
 *   TCP to peers     through it                            through it
 *   web seeds        through it                            through it
 *   incoming         only at a port that the user names: who comes in has found our address already
 *   uTP              only where the user asks for it alone: not every proxy relays datagrams     off
 *   DHT              through it, hosts by name; asking only, as its queries say (BEP 43)    off
 *   local discovery  off: it is for those who see our address
 *   port mapping     off (daemon/compose.ts): the router is asked directly
 *   peer exchange    on: it goes over the connections that there are
 *   trackers         through it, UDP too (by name)         HTTP through it, UDP off
 *
 * The ports refuse what is off here as well, so that a mistake in this table loses a way and leaks nothing.
 */
import type { CompleteOptions } from '../options.ts';

/** The options as they are to be obeyed. */
export function withProxyRules(options: CompleteOptions): CompleteOptions {
  const { proxy, dht, port, listen } = options;
  if (proxy === null || !proxy.peers) return options;
  const hasDatagrams = proxy.kind === 'socks5';
  const isUtpAlone = hasDatagrams && options.transport === 'utp';
  return {
    ...options,
    listen: listen && port !== null,
    transport: isUtpAlone ? 'utp' : 'tcp',
    dht: { ...dht, enabled: dht.enabled && hasDatagrams, readOnly: true },
    lsd: false,
  };
}
