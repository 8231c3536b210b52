/** A node of the DHT as lists name it: 20 bytes of id, its address, its port. */
import {
  addressFromBytes,
  addressToBytes,
  type Endpoint,
  readUint16,
  toLatin1,
  writeUint16,
} from '@tequio/kernel';
import type { AddressFamily } from './compact-peers.ts';
import { nodeIdBytes } from './dht-node-id.ts';

/** Most nodes that answers name are known already, so the endpoint's text is only made when somebody asks. */
export class NodeInfo {
  /** 26 (IPv4) or 38 (IPv6) bytes, owned. */
  readonly compact: Uint8Array;
  readonly id: Uint8Array;
  #endpoint: Endpoint | null = null;
  #place: string | null = null;

  constructor(compact: Uint8Array) {
    this.compact = compact;
    this.id = compact.subarray(0, nodeIdBytes);
  }

  get family(): AddressFamily {
    return this.compact.length === 26 ? 4 : 6;
  }

  /** 4 or 16 bytes. */
  get addressBytes(): Uint8Array {
    return this.compact.subarray(nodeIdBytes, this.compact.length - 2);
  }

  /** Address and port as a Map's key, the same as {@link placeOf} gives. */
  get place(): string {
    this.#place ??= toLatin1(this.compact.subarray(nodeIdBytes));
    return this.#place;
  }

  get endpoint(): Endpoint {
    this.#endpoint ??= {
      address: addressFromBytes(this.addressBytes),
      port: readUint16(this.compact, this.compact.length - 2),
    };
    return this.#endpoint;
  }
}

/** An address and a port as 6 or 18 bytes. */
export function compactEndpoint(endpoint: Endpoint): Uint8Array {
  const address = addressToBytes(endpoint.address);
  const bytes = new Uint8Array(address.length + 2);
  bytes.set(address);
  writeUint16(bytes, address.length, endpoint.port);
  return bytes;
}

/** The key of an endpoint in Maps of nodes. */
export function placeOf(endpoint: Endpoint): string {
  return placeOfCompact(compactEndpoint(endpoint));
}

/** The same of 6 or 18 bytes. */
export function placeOfCompact(b: Uint8Array): string {
  // Of IPv4 without the list of arguments that a call with an array makes: for every datagram there is one of these.
  return b.length === 6 ? String.fromCharCode(b[0]!, b[1]!, b[2]!, b[3]!, b[4]!, b[5]!) : toLatin1(b);
}

export function nodeInfo(id: Uint8Array, endpoint: Endpoint): NodeInfo {
  const place = compactEndpoint(endpoint);
  const compact = new Uint8Array(nodeIdBytes + place.length);
  compact.set(id);
  compact.set(place, nodeIdBytes);
  return new NodeInfo(compact);
}
