/**
 * Compact peer lists: addresses and ports in network order, 6 bytes an IPv4 peer (BEP 23), 18 bytes an IPv6 peer
 * (BEP 7). Trackers, peer exchange and the DHT share the format.
 */
import {
  addressFromBytes,
  addressToBytes,
  type Endpoint,
  isIpv6,
  readUint16,
  writeUint16,
} from '@tequio/kernel';

export type AddressFamily = 4 | 6;

/** Bytes of one entry of a compact list. */
export function compactPeerBytes(family: AddressFamily): 6 | 18 {
  return family === 4 ? 6 : 18;
}

/**
 * Entries of a compact list, at most `countMax`, in the list's order. Port 0 cannot be dialled and is left out, and so
 * is a torn entry at the end: trackers behind careless proxies cut lists, and what came before it is still true.
 */
export function decodeCompactPeers(
  bytes: Uint8Array,
  family: AddressFamily,
  countMax: number,
  from = 0,
): Endpoint[] {
  const entryBytes = compactPeerBytes(family);
  const endpoints: Endpoint[] = [];
  for (let at = from; at + entryBytes <= bytes.length && endpoints.length < countMax; at += entryBytes) {
    const port = readUint16(bytes, at + entryBytes - 2);
    if (port === 0) continue;
    endpoints.push({ address: addressFromBytes(bytes.subarray(at, at + entryBytes - 2)), port });
  }
  return endpoints;
}

/** The compact list of those `endpoints` that are of `family`, in order. */
export function encodeCompactPeers(endpoints: readonly Endpoint[], family: AddressFamily): Uint8Array {
  const entryBytes = compactPeerBytes(family);
  const chosen = endpoints.filter((endpoint) => isIpv6(endpoint.address) === (family === 6));
  const bytes = new Uint8Array(chosen.length * entryBytes);
  chosen.forEach((endpoint, i) => {
    bytes.set(addressToBytes(endpoint.address), i * entryBytes);
    writeUint16(bytes, (i + 1) * entryBytes - 2, endpoint.port);
  });
  return bytes;
}
