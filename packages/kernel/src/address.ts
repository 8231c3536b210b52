import type { Brand } from './brand.ts';

/** An IP address as its canonical text: `192.0.2.1`, or IPv6 as RFC 5952 writes it; never IPv4-mapped. */
export type IpAddress = Brand<string, 'IpAddress'>;

/** An IP address and a port. */
export type Endpoint = { readonly address: IpAddress; readonly port: number };

/**
 * Where an address lies, seen from us. `loopback` 127/8, ::1; `link` 169.254/16, fe80::/10; `private` RFC 1918,
 * RFC 6598 (100.64/10), fc00::/7; `multicast`; `unspecified` 0/8, ::; `reserved` 240/4 and documentation ranges are
 * `global` here, for nobody is harmed by dialling them.
 */
export type AddressScope = 'loopback' | 'link' | 'private' | 'multicast' | 'unspecified' | 'global';

/** The canonical address, or null when `text` is no IPv4 or IPv6 address. IPv4-mapped IPv6 becomes IPv4. */
export function tryParseAddress(text: string): IpAddress | null {
  // IPv4 is written in one way only.
  if (!text.includes(':')) return ipv4ToNumber(text) < 0 ? null : (text as IpAddress);
  const bytes = tryParseIpv6(text);
  return bytes === null ? null : addressFromBytes(bytes);
}

/** 4 or 16 bytes in network order, or null when `text` is no IP address. Mapped addresses give 4 bytes. */
export function tryAddressToBytes(text: string): Uint8Array | null {
  return text.includes(':') ? tryParseIpv6(text) : tryParseIpv4(text);
}

/** Bytes (4 or 16) of an address that is already canonical. */
export function addressToBytes(address: IpAddress): Uint8Array {
  return tryAddressToBytes(address) ?? new Uint8Array(4);
}

/** An IPv4 address as a number of 32 bits; -1: it is none. In one pass: every datagram's sender comes this way. */
export function ipv4ToNumber(text: string): number {
  let address = 0;
  let at = 0;
  for (let i = 0; i < 4; i++) {
    if (i > 0 && text.charCodeAt(at++) !== 0x2e) return -1;
    const start = at;
    let value = 0;
    for (; at < start + 3; at++) {
      const digit = text.charCodeAt(at) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    if (at === start || value > 255) return -1;
    // No leading zeros: some resolvers read them as octal, so the same text would name two hosts.
    if (at > start + 1 && text.charCodeAt(start) === 0x30) return -1;
    address = address * 256 + value;
  }
  return at === text.length ? address : -1;
}

/** The canonical address of 4 or 16 bytes in network order. */
export function addressFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}` as IpAddress;
  if (isMapped(bytes)) return bytes.subarray(12).join('.') as IpAddress;
  return formatIpv6(bytes) as IpAddress;
}

export function isIpv6(address: IpAddress): boolean {
  return address.includes(':');
}

/** `192.0.2.1:6881`, `[2001:db8::1]:6881`: also the Map key of an endpoint. */
export function formatEndpoint(endpoint: Endpoint): string {
  return isIpv6(endpoint.address)
    ? `[${endpoint.address}]:${endpoint.port}`
    : `${endpoint.address}:${endpoint.port}`;
}

/** The endpoint of `1.2.3.4:5` or `[::1]:5`, or null. Names are not looked up. */
export function tryParseEndpoint(text: string): Endpoint | null {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const address = tryParseAddress(match[1] ?? match[2] ?? '');
  const port = Number(match[3]);
  return address === null || port < 1 || port > 65535 ? null : { address, port };
}

/** See {@link AddressScope}. */
export function addressScope(address: IpAddress): AddressScope {
  const b = addressToBytes(address);
  return b.length === 4 ? ipv4Scope(b) : ipv6Scope(b);
}

/**
 * True for 240.0.0.0/8, which no machine has: behind a proxy that resolves names itself such an address stands for a
 * name, and nobody here knows where it leads.
 */
export function isStandInAddress(address: IpAddress): boolean {
  return address.startsWith('240.');
}

/** True for addresses that only mean something on this machine or network: strangers must not send us there. */
export function isLocalAddress(address: IpAddress): boolean {
  return addressScope(address) !== 'global';
}

function ipv4Scope(b: Uint8Array): AddressScope {
  const [first, second] = [b[0]!, b[1]!];
  if (first === 127) return 'loopback';
  if (first === 0) return 'unspecified';
  if (first === 10 || (first === 172 && second >> 4 === 1) || (first === 192 && second === 168))
    return 'private';
  if (first === 100 && second >> 6 === 1) return 'private';
  if (first === 169 && second === 254) return 'link';
  return first >> 4 === 14 || (first === 255 && b[3] === 255) ? 'multicast' : 'global';
}

function ipv6Scope(b: Uint8Array): AddressScope {
  const embedded = embeddedIpv4(b);
  if (embedded !== null) return ipv4Scope(embedded);
  if (b.every((byte, i) => byte === (i === 15 ? 1 : 0))) return 'loopback';
  if (b.every((byte) => byte === 0)) return 'unspecified';
  if (b[0] === 0xff) return 'multicast';
  if (b[0] === 0xfe && b[1]! >> 6 === 2) return 'link';
  return b[0]! >> 1 === 0x7e ? 'private' : 'global';
}

/** The IPv4 address inside NAT64 (64:ff9b::/96, RFC 6052) and 6to4 (2002::/16, RFC 3056) addresses, or null. */
function embeddedIpv4(b: Uint8Array): Uint8Array | null {
  if (b[0] === 0x20 && b[1] === 0x02) return b.subarray(2, 6);
  const nat64 = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];
  return nat64.every((byte, i) => b[i] === byte) ? b.subarray(12) : null;
}

function isMapped(b: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (b[i] !== 0) return false;
  return b[10] === 0xff && b[11] === 0xff;
}

function tryParseIpv4(text: string): Uint8Array | null {
  const number = ipv4ToNumber(text);
  return number < 0 ? null : Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);
}

function tryParseIpv6(text: string): Uint8Array | null {
  const zoneless = text.replace(/%[^%]*$/, '');
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(zoneless);
  const tailBytes = tail === null ? null : tryParseIpv4(tail[2]!);
  if (tail !== null && tailBytes === null) return null;
  const plain =
    tail === null
      ? zoneless
      : `${tail[1]}${((tailBytes![0]! << 8) | tailBytes![1]!).toString(16)}:${((tailBytes![2]! << 8) | tailBytes![3]!).toString(16)}`;
  const halves = plain.split('::');
  if (halves.length > 2) return null;
  const groupsOf = (half: string | undefined): string[] =>
    half === undefined || half === '' ? [] : half.split(':');
  const [head, rest] = [groupsOf(halves[0]), groupsOf(halves[1])];
  const missing = 8 - head.length - rest.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...Array<string>(missing).fill('0'), ...rest];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  const bytes = new Uint8Array(16);
  groups.forEach((group, i) => {
    const value = Number.parseInt(group, 16);
    bytes[2 * i] = value >> 8;
    bytes[2 * i + 1] = value & 0xff;
  });
  return isMapped(bytes) ? bytes.slice(12) : bytes;
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as `::`, the first on a tie. */
function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && groups[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (best.at < 0) return hex(groups);
  return `${hex(groups.slice(0, best.at))}::${hex(groups.slice(best.at + best.length))}`;
}
