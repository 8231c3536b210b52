/**
 * `ut_holepunch` (BEP 55): how two peers that nobody can dial find each other through a third one that is connected to
 * both. The functions here take and give what follows the extended message id:
 *
 *   type (1 byte), address type (1 byte: 0 IPv4, 1 IPv6), address (4 or 16), port (2), error (4)
 *
 * libtorrent leaves the error out where there is none; both forms are understood.
 */
import {
  addressFromBytes,
  addressToBytes,
  type Endpoint,
  type Fault,
  failed,
  isIpv6,
  ok,
  type Result,
  readUint16,
  readUint32,
  writeUint16,
  writeUint32,
} from '@tequio/kernel';

/** Why a rendezvous cannot be. */
export const holepunchError = {
  /** The endpoint is none that can be dialled. */
  noSuchPeer: 1,
  /** The relaying peer is not connected to it. */
  notConnected: 2,
  /** The other peer does not speak `ut_holepunch`. */
  noSupport: 3,
  /** It is the relaying peer itself. */
  noSelf: 4,
} as const;

export type HolepunchMessage =
  /** rendezvous: "bring me together with it"; connect: "dial it by uTP, now". */
  | { readonly type: 'rendezvous' | 'connect'; readonly endpoint: Endpoint }
  /** The answer to a rendezvous; `error` is one of {@link holepunchError} or a number of tomorrow's. */
  | { readonly type: 'error'; readonly endpoint: Endpoint; readonly error: number }
  /** A type or a kind of address that BEP 55 does not have: to be ignored. */
  | { readonly type: 'unknown' };

const typeNumbers = { rendezvous: 0, connect: 1, error: 2 } as const;

export function encodeHolepunch(message: Exclude<HolepunchMessage, { type: 'unknown' }>): Uint8Array {
  const { address, port } = message.endpoint;
  const addressBytes = addressToBytes(address);
  const bytes = new Uint8Array(8 + addressBytes.length);
  bytes[0] = typeNumbers[message.type];
  bytes[1] = isIpv6(address) ? 1 : 0;
  bytes.set(addressBytes, 2);
  writeUint16(bytes, 2 + addressBytes.length, port);
  writeUint32(bytes, 4 + addressBytes.length, message.type === 'error' ? message.error : 0);
  return bytes;
}

/**
 * Decodes one message; nothing of it is borrowed. A port of 0 is not refused here, for an error repeats what was
 * asked. Bytes after the end are ignored. Fault: `BITTORRENT_HOLEPUNCH_MESSAGE`.
 */
export function decodeHolepunch(payload: Uint8Array): Result<HolepunchMessage> {
  if (payload.length < 2) return failed(messageFault);
  const [type, addressType] = [payload[0]!, payload[1]!];
  if (type > 2 || addressType > 1) return ok({ type: 'unknown' });
  const portAt = addressType === 0 ? 6 : 18;
  if (payload.length < portAt + 2) return failed(messageFault);
  const endpoint = {
    address: addressFromBytes(payload.subarray(2, portAt)),
    port: readUint16(payload, portAt),
  };
  if (type !== typeNumbers.error)
    return ok({ type: type === typeNumbers.connect ? 'connect' : 'rendezvous', endpoint });
  if (payload.length < portAt + 6) return failed(messageFault);
  return ok({ type: 'error', endpoint, error: readUint32(payload, portAt + 2) });
}

const messageFault: Fault = {
  code: 'BITTORRENT_HOLEPUNCH_MESSAGE',
  message: 'The peer sent a hole punching message that is too short.',
  blame: 'peer',
  penalty: 10,
};
