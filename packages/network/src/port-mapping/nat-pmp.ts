/**
 * NAT Port Mapping Protocol (RFC 6886): datagrams to and from the gateway. Big-endian.
 *
 *   external address  -> version 0, opcode 0                      <- 0, 128, result 2, epoch 4, address 4
 *   map               -> 0, 1 UDP or 2 TCP, reserved 2,           <- 0, 129 or 130, result 2, epoch 4,
 *                        internal 2, external 2, lifetime 4          internal 2, external 2, lifetime 4
 */
import {
  addressFromBytes,
  failed,
  type IpAddress,
  ok,
  type Result,
  readUint16,
  readUint32,
  writeUint16,
  writeUint32,
} from '@tequio/kernel';
import { offlineReason, routerFault, type Transport } from './mapping.ts';

/** Section 3.5. */
export const natPmpResults = {
  success: 0,
  unsupportedVersion: 1,
  notAuthorized: 2,
  networkFailure: 3,
  noResources: 4,
  unsupportedOpcode: 5,
} as const;

const responseBit = 0x80;
const opcodes = { address: 0, udp: 1, tcp: 2 } as const;

export type NatPmpResponse =
  | {
      readonly type: 'address';
      readonly result: number;
      readonly epochSeconds: number;
      readonly address: IpAddress;
    }
  | {
      readonly type: 'map';
      readonly result: number;
      readonly epochSeconds: number;
      readonly transport: Transport;
      readonly internalPort: number;
      readonly externalPort: number;
      readonly lifetimeSeconds: number;
    };

/** Asks for the external address; changes nothing. */
export function encodeNatPmpAddress(): Uint8Array {
  return Uint8Array.of(0, opcodes.address);
}

/** `externalPort` 0: any; `lifetimeSeconds` 0, with `externalPort` 0, removes. */
export function encodeNatPmpMap(request: {
  readonly transport: Transport;
  readonly internalPort: number;
  readonly externalPort: number;
  readonly lifetimeSeconds: number;
}): Uint8Array {
  const bytes = new Uint8Array(12);
  bytes[1] = opcodes[request.transport];
  writeUint16(bytes, 4, request.internalPort);
  writeUint16(bytes, 6, request.externalPort);
  writeUint32(bytes, 8, request.lifetimeSeconds);
  return bytes;
}

/**
 * An answer, or an announcement of a new address (section 3.2.1), which looks the same.
 * Fault: `NETWORK_NAT_PMP_SYNTAX`.
 */
export function decodeNatPmpResponse(bytes: Uint8Array): Result<NatPmpResponse> {
  if (bytes.length < 8 || bytes[0] !== 0) return failed(badSyntax);
  const result = readUint16(bytes, 2);
  const epochSeconds = readUint32(bytes, 4);
  if (bytes[1] === (responseBit | opcodes.address)) {
    // A server that refuses may leave the address away.
    if (bytes.length < 12 && result === natPmpResults.success) return failed(badSyntax);
    const address = addressFromBytes(bytes.length < 12 ? new Uint8Array(4) : bytes.subarray(8, 12));
    return ok({ type: 'address', result, epochSeconds, address });
  }
  const transport = transportOf(bytes[1]!);
  if (transport === null || bytes.length < 16) return failed(badSyntax);
  return ok({
    type: 'map',
    result,
    epochSeconds,
    transport,
    internalPort: readUint16(bytes, 8),
    externalPort: readUint16(bytes, 10),
    lifetimeSeconds: readUint32(bytes, 12),
  });
}

function transportOf(code: number): Transport | null {
  if (code === (responseBit | opcodes.udp)) return 'udp';
  return code === (responseBit | opcodes.tcp) ? 'tcp' : null;
}

/** In words, for the user. */
export function describeNatPmpResult(result: number): string {
  return natPmpResultTexts.get(result) ?? `the router gives error ${result}`;
}

const natPmpResultTexts: ReadonlyMap<number, string> = new Map([
  [natPmpResults.unsupportedVersion, 'the router speaks another version'],
  [natPmpResults.notAuthorized, 'the router does not allow it'],
  [natPmpResults.networkFailure, offlineReason],
  [natPmpResults.noResources, 'the router has no room for another mapping'],
  [natPmpResults.unsupportedOpcode, 'the router cannot map this kind of port'],
]);

const badSyntax = routerFault('NETWORK_NAT_PMP_SYNTAX', 'The answer is no NAT-PMP message.');
