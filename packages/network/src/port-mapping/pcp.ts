/**
 * Port Control Protocol, version 2 (RFC 6887): the requests ANNOUNCE and MAP, and their answers. Big-endian.
 *
 *   header 24   version 1, response bit and opcode 1, reserved 1, result 1, lifetime 4,
 *               request: client address 16        answer: epoch 4, reserved 12
 *   MAP 36      nonce 12, protocol 1, reserved 3, internal port 2, external port 2, external address 16
 *
 * IPv4 addresses are written as ::ffff:a.b.c.d.
 */
import {
  addressFromBytes,
  addressToBytes,
  copyBytes,
  failed,
  type IpAddress,
  isIpv6,
  ok,
  type Result,
  readUint16,
  readUint32,
  writeUint16,
  writeUint32,
} from '@tequio/kernel';
import { offlineReason, protocolNumbers, routerFault, type Transport } from './mapping.ts';

export const pcpLimits = {
  /** RFC 6887, section 7: no message is longer. */
  messageBytesMax: 1100,
  nonceBytes: 12,
} as const;

/** Servers listen here; NAT-PMP has the same port. */
export const pcpServerPort = 5351;
export const pcpVersion = 2;
const headerBytes = 24;
const mapBytes = 36;
const responseBit = 0x80;
const opcodes = { announce: 0, map: 1 } as const;

/** RFC 6887, section 7.4. */
export const pcpResults = {
  success: 0,
  unsupportedVersion: 1,
  notAuthorized: 2,
  malformedRequest: 3,
  unsupportedOpcode: 4,
  unsupportedOption: 5,
  malformedOption: 6,
  networkFailure: 7,
  noResources: 8,
  unsupportedProtocol: 9,
  userExceededQuota: 10,
  cannotProvideExternal: 11,
  addressMismatch: 12,
  excessiveRemotePeers: 13,
} as const;

export type PcpMapRequest = {
  /** Our own address, from which the datagram is sent. */
  readonly clientAddress: IpAddress;
  /** 12 bytes; who renews or removes a mapping shows the same. */
  readonly nonce: Uint8Array;
  readonly transport: Transport;
  readonly internalPort: number;
  /** 0: any. */
  readonly externalPort: number;
  /** 0 removes. */
  readonly lifetimeSeconds: number;
};

export type PcpResponse =
  | { readonly type: 'announce'; readonly result: number; readonly epochSeconds: number }
  | {
      readonly type: 'map';
      readonly result: number;
      readonly epochSeconds: number;
      /** Of an error: do not ask again before this has passed. */
      readonly lifetimeSeconds: number;
      readonly nonce: Uint8Array;
      readonly transport: Transport;
      readonly internalPort: number;
      readonly externalPort: number;
      readonly externalAddress: IpAddress;
    };

/** Changes nothing in the router; its answer shows that it speaks PCP. */
export function encodePcpAnnounce(clientAddress: IpAddress): Uint8Array {
  const bytes = new Uint8Array(headerBytes);
  bytes[0] = pcpVersion;
  bytes[1] = opcodes.announce;
  writeWideAddress(bytes, 8, clientAddress);
  return bytes;
}

export function encodePcpMap(request: PcpMapRequest): Uint8Array {
  const bytes = new Uint8Array(headerBytes + mapBytes);
  bytes[0] = pcpVersion;
  bytes[1] = opcodes.map;
  writeUint32(bytes, 4, request.lifetimeSeconds);
  writeWideAddress(bytes, 8, request.clientAddress);
  bytes.set(request.nonce.subarray(0, pcpLimits.nonceBytes), 24);
  bytes[36] = protocolNumbers[request.transport];
  writeUint16(bytes, 40, request.internalPort);
  writeUint16(bytes, 42, request.externalPort);
  // "Any external address of this family" (section 11.1): zero after the prefix of the family.
  writeWideAddress(bytes, 44, (isIpv6(request.clientAddress) ? '::' : '0.0.0.0') as IpAddress);
  return bytes;
}

/**
 * An answer, or an announcement that the server sends unasked (it looks the same).
 * Faults: `NETWORK_PCP_VERSION` (the server speaks another version, perhaps NAT-PMP), `NETWORK_PCP_SYNTAX`.
 */
export function decodePcpResponse(bytes: Uint8Array): Result<PcpResponse> {
  if (bytes.length < 4) return failed(badSyntax);
  // What NAT-PMP answers to its own questions comes to the same socket: only a refusal is about ours.
  if (bytes[0] !== pcpVersion) {
    return failed(bytes[3] === pcpResults.unsupportedVersion ? otherVersion : badSyntax);
  }
  if (bytes.length < headerBytes || bytes.length > pcpLimits.messageBytesMax || bytes.length % 4 !== 0) {
    return failed(badSyntax);
  }
  const result = bytes[3]!;
  const epochSeconds = readUint32(bytes, 8);
  if (bytes[1] === (responseBit | opcodes.announce)) {
    return ok({ type: 'announce', result, epochSeconds });
  }
  if (bytes[1] !== (responseBit | opcodes.map) || bytes.length < headerBytes + mapBytes) {
    return failed(badSyntax);
  }
  const transport = transportOf(bytes[36]!);
  if (transport === null) return failed(badSyntax);
  return ok({
    type: 'map',
    result,
    epochSeconds,
    lifetimeSeconds: readUint32(bytes, 4),
    nonce: copyBytes(bytes.subarray(24, 36)),
    transport,
    internalPort: readUint16(bytes, 40),
    externalPort: readUint16(bytes, 42),
    externalAddress: addressFromBytes(bytes.subarray(44, 60)),
  });
}

function transportOf(protocol: number): Transport | null {
  if (protocol === protocolNumbers.tcp) return 'tcp';
  return protocol === protocolNumbers.udp ? 'udp' : null;
}

function writeWideAddress(bytes: Uint8Array, at: number, address: IpAddress): void {
  const own = addressToBytes(address);
  bytes.fill(0, at, at + 16);
  if (own.length === 4) bytes.fill(0xff, at + 10, at + 12);
  bytes.set(own, at + 16 - own.length);
}

/** In words, for the user. */
export function describePcpResult(result: number): string {
  return pcpResultTexts.get(result) ?? `the router gives error ${result}`;
}

const pcpResultTexts: ReadonlyMap<number, string> = new Map([
  [pcpResults.notAuthorized, 'the router does not allow it'],
  [pcpResults.malformedRequest, 'the router does not understand the request'],
  [pcpResults.unsupportedOpcode, 'the router cannot map ports'],
  [pcpResults.networkFailure, offlineReason],
  [pcpResults.noResources, 'the router has no room for another mapping'],
  [pcpResults.unsupportedProtocol, 'the router cannot map this kind of port'],
  [pcpResults.userExceededQuota, 'the router grants this machine no more mappings'],
  [pcpResults.cannotProvideExternal, 'the router cannot give that port'],
  [pcpResults.addressMismatch, 'there is another router between this machine and the one that was asked'],
]);

const badSyntax = routerFault('NETWORK_PCP_SYNTAX', 'The answer is no PCP message.');
const otherVersion = routerFault('NETWORK_PCP_VERSION', 'The router speaks another version.');
