/**
 * What libp2p's fetch says (libp2p specs, fetch): one question for a key, one answer, each with its length in front.
 *
 *   FetchRequest { identifier 1 }      FetchResponse { status 1 (0 ok, 1 not found, 2 error), data 2 }
 */
import { ProtobufReader, ProtobufWriter } from './protobuf.ts';

export const fetchProtocol = '/libp2p/fetch/0.0.1';

const statusNotFound = 1;
const headBytes = 16;

export function encodeFetchRequest(key: Uint8Array): Uint8Array {
  return new ProtobufWriter(key.length + headBytes).bytes(1, key).finish();
}

/** The key; null when the bytes are no question. */
export function tryDecodeFetchRequest(bytes: Uint8Array): Uint8Array | null {
  const reader = new ProtobufReader(bytes);
  let key: Uint8Array | null = null;
  while (reader.next()) if (reader.isBytes(1)) key = reader.bytes();
  return reader.ok ? key : null;
}

/** @param data null: it is not here */
export function encodeFetchAnswer(data: Uint8Array | null): Uint8Array {
  if (data === null) return new ProtobufWriter(headBytes).uint(1, statusNotFound).finish();
  return new ProtobufWriter(data.length + headBytes).bytes(2, data).finish();
}

/** What was asked for; null: the other side has it not, or what it says is no answer. */
export function tryDecodeFetchAnswer(bytes: Uint8Array): Uint8Array | null {
  const reader = new ProtobufReader(bytes);
  let status = 0;
  let data: Uint8Array | null = null;
  while (reader.next()) {
    if (reader.isVarint(1)) status = reader.uint32();
    else if (reader.isBytes(2)) data = reader.bytes();
  }
  return reader.ok && status === 0 ? data : null;
}
