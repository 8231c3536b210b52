/** What libp2p says inside of a handshake of Noise. Source: libp2p specs, noise, "The libp2p Handshake Payload". */
import { concatBytes, encodeUtf8, tryDecodeUtf8 } from '@tequio/kernel';
import { limits } from './limits.ts';

export type NoisePayload = {
  /** The public key by which the peer is named, in libp2p's form. */
  readonly identityKey: Uint8Array;
  /** By that key, over the static key of the handshake. */
  readonly signature: Uint8Array;
  /** Protocols of muxers, the best first: chosen here, they need no negotiation of their own. */
  readonly muxers: readonly string[];
};

const signedHead = encodeUtf8('noise-libp2p-static-key:');

/** What {@link NoisePayload.signature} is over. */
export function signedText(staticKey: Uint8Array): Uint8Array {
  return concatBytes([signedHead, staticKey]);
}

/** Fields of the protobuf messages NoiseHandshakePayload and NoiseExtensions, all of them bytes. */
const fields = { identityKey: 1, signature: 2, extensions: 4, muxers: 2 } as const;

export function encodeNoisePayload({ identityKey, signature, muxers }: NoisePayload): Uint8Array {
  const extensions = concatBytes(muxers.map((name) => field(fields.muxers, encodeUtf8(name))));
  return concatBytes([
    field(fields.identityKey, identityKey),
    field(fields.signature, signature),
    ...(muxers.length === 0 ? [] : [field(fields.extensions, extensions)]),
  ]);
}

/** Null: it is none. Fields that are not known are passed over. */
export function tryDecodeNoisePayload(bytes: Uint8Array): NoisePayload | null {
  const payload = {
    identityKey: new Uint8Array(),
    signature: new Uint8Array(),
    extensions: new Uint8Array(),
  };
  const isSound = tryEachField(bytes, (number, value) => {
    if (number === fields.identityKey) payload.identityKey = value.slice();
    if (number === fields.signature) payload.signature = value.slice();
    if (number === fields.extensions) payload.extensions = value.slice();
  });
  const muxers: string[] = [];
  const areSound = tryEachField(payload.extensions, (number, value) => {
    const name = number === fields.muxers ? tryDecodeUtf8(value) : null;
    if (name !== null && muxers.length < limits.noise.muxerCount) muxers.push(name);
  });
  if (!isSound || !areSound || payload.identityKey.length === 0 || payload.signature.length === 0)
    return null;
  return { identityKey: payload.identityKey, signature: payload.signature, muxers };
}

function field(number: number, value: Uint8Array): Uint8Array {
  const head = [(number << 3) | 2];
  let rest = value.length;
  for (; rest >= 0x80; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
  head.push(rest);
  return concatBytes([new Uint8Array(head), value]);
}

/** False: these are no fields. */
function tryEachField(bytes: Uint8Array, take: (number: number, value: Uint8Array) => void): boolean {
  let at = 0;
  /** -1: it does not end, or is larger than a message can be. */
  const readVarint = (): number => {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70 && at < bytes.length; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return -1;
  };
  while (at < bytes.length) {
    const tag = readVarint();
    const kind = tag & 7;
    if (tag < 0 || (kind !== 0 && kind !== 2)) return false;
    const length = readVarint();
    if (length < 0) return false;
    if (kind === 0) continue;
    if (length > bytes.length - at) return false;
    take(Math.floor(tag / 8), bytes.subarray(at, at + length));
    at += length;
  }
  return true;
}
