import {
  addressScope,
  addressToBytes,
  type Endpoint,
  formatEndpoint,
  type IpAddress,
  isIpv6,
  toHex,
} from '@tequio/kernel';

/**
 * What limits and bans by address count under: an IPv4 address, or the first 64 bits of an IPv6 address as
 * `20010db800000001::/64`. One subscriber usually has a whole /64 and can use any address in it; on a local network
 * one /64 is everybody's, so there each address counts for itself.
 */
export function addressKey(address: IpAddress): string {
  if (!isIpv6(address) || addressScope(address) !== 'global') return address;
  return `${toHex(addressToBytes(address).subarray(0, 8))}::/64`;
}

/** The same for whoever is at an endpoint: on loopback, where one address is many programs, the endpoint. */
export function peerKey(endpoint: Endpoint): string {
  return addressScope(endpoint.address) === 'loopback'
    ? formatEndpoint(endpoint)
    : addressKey(endpoint.address);
}
