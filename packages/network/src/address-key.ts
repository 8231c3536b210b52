import { addressToBytes, type IpAddress, isIpv6, toHex } from '@tequio/kernel';

/**
 * What limits and bans by address count under: an IPv4 address, or the first 64 bits of an IPv6 address as
 * `20010db800000001::/64`. One subscriber usually has a whole /64 and can use any address in it.
 */
export function addressKey(address: IpAddress): string {
  return isIpv6(address) ? `${toHex(addressToBytes(address).subarray(0, 8))}::/64` : address;
}
