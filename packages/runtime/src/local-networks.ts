import { readFile } from 'node:fs/promises';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import {
  addressFromBytes,
  addressScope,
  addressToBytes,
  type IpAddress,
  isIpv6,
  type LocalNetwork,
  type LocalNetworks,
  tryFromHex,
  tryParseAddress,
} from '@tequio/kernel';

/** Ceilings of this port. */
export const localNetworkLimits = {
  /** Of a machine's routing table: routers of providers have a million routes, and a default route first. */
  routeTextBytes: 1 << 20,
} as const;

/** A default route. */
export type DefaultRoute = {
  readonly interface: string;
  readonly gateway: IpAddress;
  /** The system takes the lowest. */
  readonly metric: number;
};

/**
 * Addresses are those that Node lists. Gateways are read from Linux's routing tables under /proc; other systems tell
 * them only through programs of their own, which are not run: there, and where /proc is closed (Android), the first
 * address of the network is the guess.
 */
export function createLocalNetworks(): LocalNetworks {
  return {
    async list() {
      const [four, six] = await Promise.all([readRoutes('route'), readRoutes('ipv6_route')]);
      const routes =
        four === null && six === null
          ? null
          : [...parseIpv4Routes(four ?? ''), ...parseIpv6Routes(six ?? '')];
      return listNetworks(networkInterfaces(), routes);
    },
  };
}

async function readRoutes(name: string): Promise<string | null> {
  if (process.platform !== 'linux') return null;
  try {
    const text = await readFile(`/proc/net/${name}`, 'latin1');
    return text.slice(0, localNetworkLimits.routeTextBytes);
  } catch {
    return null;
  }
}

/** Exported for its test. `routes` null: the system does not tell them. */
export function listNetworks(
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
  routes: readonly DefaultRoute[] | null,
): readonly LocalNetwork[] {
  const found: (LocalNetwork & { readonly metric: number })[] = [];
  for (const [name, infos] of Object.entries(interfaces)) {
    for (const info of infos ?? []) {
      const address = tryParseAddress(info.address);
      const prefixBits = Number(info.cidr?.split('/')[1] ?? Number.NaN);
      if (address === null || !Number.isInteger(prefixBits)) continue;
      const hasNoRouter = info.internal || !['private', 'global'].includes(addressScope(address));
      const route = hasNoRouter ? null : routeOf(routes, name, address);
      const isGuess = routes === null && !hasNoRouter;
      found.push({
        name,
        address,
        prefixBits,
        gateway: isGuess ? guessGateway(address, prefixBits) : (route?.gateway ?? null),
        gatewayIsGuess: isGuess,
        metric: isGuess ? 0 : (route?.metric ?? Number.POSITIVE_INFINITY),
      });
    }
  }
  // The sort is stable: without metrics the order is the system's.
  return found
    .toSorted((a, b) => (a.metric < b.metric ? -1 : a.metric > b.metric ? 1 : 0))
    .map(withoutMetric);
}

function withoutMetric({ metric: _, ...network }: LocalNetwork & { readonly metric: number }): LocalNetwork {
  return network;
}

/** The best default route of this interface and family. */
function routeOf(
  routes: readonly DefaultRoute[] | null,
  name: string,
  address: IpAddress,
): DefaultRoute | null {
  let best: DefaultRoute | null = null;
  for (const route of routes ?? []) {
    if (route.interface !== name || isIpv6(route.gateway) !== isIpv6(address)) continue;
    if (best === null || route.metric < best.metric) best = route;
  }
  return best;
}

/** The first address of an IPv4 network, where most home routers are, unless that is ourselves. */
function guessGateway(address: IpAddress, prefixBits: number): IpAddress | null {
  if (isIpv6(address) || prefixBits > 30) return null;
  const bytes = addressToBytes(address);
  for (let bit = prefixBits; bit < 32; bit++) bytes[bit >> 3]! &= ~(0x80 >> (bit & 7));
  bytes[3]! |= 1;
  const guess = addressFromBytes(bytes);
  return guess === address ? null : guess;
}

/** RTF_UP and RTF_GATEWAY of Linux. */
const gatewayFlags = 3;

/** /proc/net/route: interface, destination, gateway, flags, …, metric, mask; addresses in the processor's order. */
export function parseIpv4Routes(text: string): readonly DefaultRoute[] {
  const routes: DefaultRoute[] = [];
  for (const line of text.split('\n')) {
    const [name, destination, gateway, flags, , , metric, mask] = line.split(/\s+/);
    if (name === undefined || destination !== '00000000' || mask !== '00000000') continue;
    const bytes = tryFromHex(gateway ?? '');
    const isGateway = (Number.parseInt(flags ?? '0', 16) & gatewayFlags) === gatewayFlags;
    if (bytes?.length !== 4 || !isGateway) continue;
    routes.push({
      interface: name,
      gateway: addressFromBytes(isLittleEndian ? bytes.reverse() : bytes),
      metric: Number(metric),
    });
  }
  return routes;
}

/** /proc/net/ipv6_route: destination, its bits, source, its bits, next hop, metric, …, flags, interface; all in hex. */
export function parseIpv6Routes(text: string): readonly DefaultRoute[] {
  const routes: DefaultRoute[] = [];
  for (const line of text.split('\n')) {
    const [destination, bits, , , next, metric, , , flags, name] = line.trim().split(/\s+/);
    if (name === undefined || bits !== '00' || !/^0{32}$/.test(destination ?? '')) continue;
    const bytes = tryFromHex(next ?? '');
    const isGateway = (Number.parseInt(flags ?? '0', 16) & gatewayFlags) === gatewayFlags;
    if (bytes?.length !== 16 || !isGateway) continue;
    routes.push({
      interface: name,
      gateway: addressFromBytes(bytes),
      metric: Number.parseInt(metric ?? '', 16),
    });
  }
  return routes;
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
