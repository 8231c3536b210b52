/**
 * `sockaddr_in` and `sockaddr_in6` as they lie in memory:
 *
 *   IPv4  family 2, port 2, address 4                                        16 bytes with what fills them up
 *   IPv6  family 2, port 2, flow 4, address 16, scope 4                      28 bytes
 *
 * Ports and addresses in network order, family and scope in the machine's.
 */
import type { Endpoint, IpAddress } from '@tequio/kernel';
import { addressFromBytes, addressToBytes, ipv4ToNumber } from '@tequio/kernel';
import { libcNumbers } from './libc.ts';

export const socketAddressBytes = { ipv4: 16, ipv6: 28 } as const;
/** Room for either, in whole cache lines' halves. */
export const socketAddressStride = 32;

/** Writes a place of 32 bytes. @param scope the number of an interface, for link-local addresses; IPv6 alone */
export function writeSocketAddress(
  view: DataView,
  at: number,
  to: Endpoint,
  ipv6: boolean,
  scope: number,
): void {
  view.setUint16(at, ipv6 ? libcNumbers.familyIpv6 : libcNumbers.familyIpv4, true);
  view.setUint16(at + 2, to.port);
  if (!ipv6) {
    view.setUint32(at + 4, ipv4ToNumber(to.address));
    return;
  }
  const address = addressToBytes(to.address);
  for (let i = 0; i < 16; i++) view.setUint8(at + 8 + i, address[i]!);
  view.setUint32(at + 24, scope, true);
}

/** 1,024 senders of late: most datagrams come from one of them, and then nothing is put into words. */
const slotBits = 10;
const keyWords = 5;

/** Endpoints of socket addresses. One object for each sender, while it is among those of late. */
export class SocketAddressReader {
  readonly #keys = new Uint32Array(keyWords << slotBits);
  readonly #endpoints: (Endpoint | undefined)[] = new Array<undefined>(1 << slotBits);

  /** @param words memory with the address, @param at where in it, in words of 32 bits */
  read(words: Uint32Array, at: number, ipv6: boolean): Endpoint {
    const keys = this.#keys;
    // Family and port; then the address, without flow and scope.
    const first = words[at]!;
    const second = words[at + (ipv6 ? 2 : 1)]!;
    const [third, fourth, fifth] = ipv6 ? [words[at + 3]!, words[at + 4]!, words[at + 5]!] : noMore;
    const mixed = Math.imul(first ^ Math.imul(second ^ third ^ fourth ^ fifth, 0x9e3779b1), 0x85ebca6b);
    const slot = mixed >>> (32 - slotBits);
    const key = slot * keyWords;
    const known = this.#endpoints[slot];
    if (
      known !== undefined &&
      keys[key] === first &&
      keys[key + 1] === second &&
      keys[key + 2] === third &&
      keys[key + 3] === fourth &&
      keys[key + 4] === fifth
    ) {
      return known;
    }
    keys[key] = first;
    keys[key + 1] = second;
    keys[key + 2] = third;
    keys[key + 3] = fourth;
    keys[key + 4] = fifth;
    const endpoint = { address: addressIn(words, at, ipv6), port: portIn(first) };
    this.#endpoints[slot] = endpoint;
    return endpoint;
  }
}

const noMore = [0, 0, 0] as const;

/** The endpoint of a place of 32 bytes. */
export function readSocketAddress(words: Uint32Array, at: number, ipv6: boolean): Endpoint {
  return { address: addressIn(words, at, ipv6), port: portIn(words[at]!) };
}

/** Of the first word: the upper half, whose bytes are in network order. */
function portIn(first: number): number {
  const port = first >>> 16;
  return ((port & 0xff) << 8) | (port >>> 8);
}

function addressIn(words: Uint32Array, at: number, ipv6: boolean): IpAddress {
  const offset = words.byteOffset + (at + (ipv6 ? 2 : 1)) * 4;
  return addressFromBytes(new Uint8Array(words.buffer, offset, ipv6 ? 16 : 4));
}
