/** Which network a node's address belongs to, and what may be told to whom. */
import { addressScope, type Endpoint, type IpAddress, isLocalAddress, toLatin1 } from '@tequio/kernel';
import type { NodeInfo } from '../../wire/dht-node-info.ts';

/** Addresses of this machine or network: exempt from the rules about addresses, and told only to their like. */
export function isLocalNode(node: NodeInfo): boolean {
  return isLocalBytes(node.addressBytes);
}

/** See the kernel's `addressScope`; here without making text, for each node of each answer. */
function isLocalBytes(b: Uint8Array): boolean {
  if (b.length !== 4) return isLocalIpv6(b);
  const [first, second] = [b[0]!, b[1]!];
  if (first === 127 || first === 0 || first === 10) return true;
  if (first >= 224) return first < 240 || (first === 255 && b[3] === 255);
  if (first === 172) return second >> 4 === 1;
  if (first === 192) return second === 168;
  if (first === 100) return second >> 6 === 1;
  return first === 169 && second === 254;
}

function isLocalIpv6(b: Uint8Array): boolean {
  // Global unicast is 2000::/3; 6to4 and NAT64 hide an IPv4 address.
  if (b[0]! >> 5 === 1) return b[0] === 0x20 && b[1] === 0x02 && isLocalBytes(b.subarray(2, 6));
  if (b[0] === 0 && b[1] === 0x64 && b[2] === 0xff && b[3] === 0x9b) return isLocalBytes(b.subarray(12));
  return true;
}

/**
 * May `namer` send us to `node`? What is local may be named by what is local; nobody may name what no datagram can
 * be sent to. As core/peer-list.ts has it for peers.
 */
export function mayNameNode(node: NodeInfo, isNamerLocal: boolean): boolean {
  const b = node.addressBytes;
  if (!isLocalBytes(b)) return true;
  if (!isNamerLocal) return false;
  return b.length === 4 ? b[0] !== 0 && b[0]! < 224 : b[0] !== 0xff && b.some((byte) => byte !== 0);
}

/** The same for a peer that a node gives. */
export function mayNamePeer(endpoint: Endpoint, isNamerLocal: boolean): boolean {
  if (!isLocalAddress(endpoint.address)) return true;
  const scope = addressScope(endpoint.address);
  return isNamerLocal && scope !== 'unspecified' && scope !== 'multicast';
}

/** What one holder has many of: an IPv4 address, an IPv6 /64. */
export function ownerBlockOf(addressBytes: Uint8Array): string {
  return toLatin1(addressBytes.length === 4 ? addressBytes : addressBytes.subarray(0, 8));
}

/** What one attacker can cheaply have many of: an IPv4 /24, an IPv6 /48. */
export function networkBlockOf(addressBytes: Uint8Array): string {
  return toLatin1(addressBytes.subarray(0, addressBytes.length === 4 ? 3 : 6));
}

export function isLocal(address: IpAddress): boolean {
  return isLocalAddress(address);
}

/** The same of an address that is at hand as 4 or 16 bytes too. */
export function isLocalSender(address: IpAddress, bytes: Uint8Array): boolean {
  return bytes.length === 4 ? isLocalBytes(bytes) : isLocalAddress(address);
}
