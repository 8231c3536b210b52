import { addressScope, addressToBytes, type IpAddress, isIpv6, tryParseAddress } from '@tequio/kernel';

/** An http address on a router, taken apart and checked. */
export type RouterUrl = {
  readonly address: IpAddress;
  readonly port: number;
  /** With its query, beginning with `/`. */
  readonly path: string;
};

/** Where a router may be: the gateway itself, or somewhere in the network that our address is in. */
export type RouterPlace = {
  readonly gateway: IpAddress | null;
  readonly local: IpAddress;
  readonly prefixBits: number;
};

/**
 * The address of a description or of a service, or null where it may not be.
 *
 * Whoever sends us a datagram can name any address in it, and what we do there (GET, then POST with our words) is done
 * by us: so only the gateway, or a host of the very network that our own address is in, and only as a number, so that
 * no name can be made to mean something else later. Never this machine.
 */
export function tryParseRouterUrl(text: string, place: RouterPlace): RouterUrl | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol !== 'http:' || url.username !== '' || url.password !== '') return null;
  const address = tryParseAddress(url.hostname.replace(/^\[(.*)\]$/, '$1'));
  const port = url.port === '' ? 80 : Number(url.port);
  if (address === null || port === 0 || !isAllowed(address, place)) return null;
  return { address, port, path: url.pathname + url.search };
}

function isAllowed(address: IpAddress, { gateway, local, prefixBits }: RouterPlace): boolean {
  const scope = addressScope(address);
  if (address === local || scope === 'loopback' || scope === 'multicast' || scope === 'unspecified')
    return false;
  if (address === gateway) return true;
  // A link-local address needs its interface named, which a URL here cannot do.
  if (isIpv6(address) && scope === 'link') return false;
  return isInNetwork(address, local, prefixBits);
}

/** True when both are of one family and have the first `prefixBits` bits in common. */
export function isInNetwork(address: IpAddress, local: IpAddress, prefixBits: number): boolean {
  const [a, b] = [addressToBytes(address), addressToBytes(local)];
  if (a.length !== b.length || prefixBits <= 0) return false;
  for (let bit = 0; bit < Math.min(prefixBits, 8 * a.length); bit += 8) {
    const shift = Math.max(0, 8 - (prefixBits - bit));
    if (a[bit / 8]! >> shift !== b[bit / 8]! >> shift) return false;
  }
  return true;
}
