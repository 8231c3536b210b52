/**
 * The extension protocol's handshake (BEP 10) and the extensions whose messages are a few bytes:
 * `lt_donthave` (BEP 54) and `upload_only` (BEP 21). Metadata, peer exchange and hole punching have their own files.
 *
 * Each side chooses the message ids that it wants to receive. A handshake may come again at any time; it
 * then says only what has changed, and an id of 0 turns an extension off. Nothing in it is obligatory, so
 * what cannot be read is left out and only a payload that is no dictionary at all is a fault.
 */
import {
  addressFromBytes,
  addressToBytes,
  decodeUtf8Lossy,
  type Fault,
  failed,
  type IpAddress,
  isIpv6,
  ok,
  type Result,
  readUint32,
  writeUint32,
} from '@tequio/kernel';
import { type BencodeValue, decodeBencodePrefix, encodeBencode } from './bencode.ts';

export const extensionLimits = {
  /** Handshakes in use have about 30 values. */
  tokenCountMax: 1024,
  depthMax: 10,
  /** Of a client's name, in characters, after what cannot be shown was taken out. */
  clientNameLengthMax: 64,
  /** Of a client's name as sent; the rest is not looked at. */
  clientNameBytesMax: 512,
};

/** Extensions that we know by name; others in a peer's `m` are left out. */
export const extensionNames = [
  'ut_metadata',
  'lt_donthave',
  'upload_only',
  'ut_pex',
  'ut_holepunch',
] as const;
export type ExtensionName = (typeof extensionNames)[number];

/** Message ids by extension. Absent: not mentioned; 0: turned off. */
export type ExtensionIds = Readonly<Partial<Record<ExtensionName, number>>>;

/** The ids under which we receive what we can receive. */
export const ourExtensionIds = {
  ut_metadata: 1,
  lt_donthave: 2,
  upload_only: 3,
  ut_pex: 4,
  ut_holepunch: 5,
} as const;

/** Everything null was not said, or could not be read. */
export type ExtensionHandshake = {
  readonly ids: ExtensionIds;
  /** Safe to show: no control or direction characters, short. Null when empty. */
  readonly clientName: string | null;
  /** Requests that the peer holds at once without dropping any. */
  readonly requestCountMax: number | null;
  /** Bytes of the torrent's `info`, as the peer says. */
  readonly metadataBytes: number | null;
  /** How the peer sees our address. */
  readonly yourAddress: IpAddress | null;
  readonly listenPort: number | null;
  /** Other addresses at which the peer says it can be reached. */
  readonly ipv4: IpAddress | null;
  readonly ipv6: IpAddress | null;
  /** BEP 21: it wants nothing. */
  readonly uploadOnly: boolean | null;
};

/** Payload of extended message 0. What is null or absent is left out. */
export function encodeExtensionHandshake(handshake: Partial<ExtensionHandshake>): Uint8Array {
  const { yourAddress, ipv4, ipv6, uploadOnly } = handshake;
  return encodeBencode({
    m: { ...handshake.ids },
    v: handshake.clientName ?? undefined,
    reqq: handshake.requestCountMax ?? undefined,
    metadata_size: handshake.metadataBytes ?? undefined,
    p: handshake.listenPort ?? undefined,
    yourip: yourAddress == null ? undefined : addressToBytes(yourAddress),
    ipv4: ipv4 == null ? undefined : addressToBytes(ipv4),
    ipv6: ipv6 == null ? undefined : addressToBytes(ipv6),
    upload_only: uploadOnly == null ? undefined : Number(uploadOnly),
  });
}

/**
 * Decodes the payload of extended message 0; nothing of it is borrowed. Fault:
 * `BITTORRENT_EXTENSION_HANDSHAKE`.
 */
export function decodeExtensionHandshake(payload: Uint8Array): Result<ExtensionHandshake> {
  const { tokenCountMax, depthMax } = extensionLimits;
  const prefix = decodeBencodePrefix(payload, { tokenCountMax, depthMax });
  if (!prefix.ok || prefix.value.value.kind !== 'dictionary') return failed(handshakeFault);
  const root = prefix.value.value;
  const yourAddress = tryAddress(root.getBytes('yourip'));
  const ipv4 = tryAddress(root.getBytes('ipv4'));
  const ipv6 = tryAddress(root.getBytes('ipv6'));
  const uploadOnly = root.getInteger('upload_only');
  return ok({
    ids: decodeIds(root.getDictionary('m')),
    clientName: tryClientName(root.getBytes('v')),
    requestCountMax: tryInRange(root.getInteger('reqq'), 1, 0x7fffffff),
    metadataBytes: tryInRange(root.getInteger('metadata_size'), 1, Number.MAX_SAFE_INTEGER),
    yourAddress,
    listenPort: tryInRange(root.getInteger('p'), 1, 65535),
    ipv4: ipv4 === null || isIpv6(ipv4) ? null : ipv4,
    ipv6: ipv6 === null || !isIpv6(ipv6) ? null : ipv6,
    uploadOnly: uploadOnly === null ? null : uploadOnly !== 0,
  });
}

/** The ids that hold after a further handshake: what it did not mention stays. */
export function mergeExtensionIds(known: ExtensionIds, update: ExtensionIds): ExtensionIds {
  return { ...known, ...update };
}

/**
 * The extension of a message that we received under one of {@link ourExtensionIds}; null for any other id.
 */
export function tryOurExtension(id: number): keyof typeof ourExtensionIds | null {
  for (const name of extensionNames) if (ourExtensionIds[name] === id) return name;
  return null;
}

/** BEP 54: the sender no longer has this piece. */
export function encodeDontHave(piece: number): Uint8Array {
  const payload = new Uint8Array(4);
  writeUint32(payload, 0, piece);
  return payload;
}

/** The piece. Whether the torrent has it the caller knows. Fault: `BITTORRENT_EXTENSION_MESSAGE`. */
export function decodeDontHave(payload: Uint8Array): Result<number> {
  return payload.length === 4 ? ok(readUint32(payload, 0)) : failed(messageFault);
}

/** BEP 21, as libtorrent sends it: one byte. */
export function encodeUploadOnly(on: boolean): Uint8Array {
  return Uint8Array.of(on ? 1 : 0);
}

/** True: the sender wants nothing any more. Fault: `BITTORRENT_EXTENSION_MESSAGE`. */
export function decodeUploadOnly(payload: Uint8Array): Result<boolean> {
  return payload.length === 1 ? ok(payload[0] !== 0) : failed(messageFault);
}

/**
 * A client's name as it can be shown in one line: UTF-8, else U+FFFD; no control, format, direction or
 * unassigned characters; spaces collapsed; at most 64 characters. Null when nothing is left.
 */
export function tryClientName(bytes: Uint8Array | null): string | null {
  if (bytes === null) return null;
  const text = decodeUtf8Lossy(bytes.subarray(0, extensionLimits.clientNameBytesMax))
    .replace(/[\s\p{Z}]+/gu, ' ')
    .replace(/\p{C}/gu, '')
    .trim();
  const name = [...text].slice(0, extensionLimits.clientNameLengthMax).join('').trimEnd();
  return name === '' ? null : name;
}

function decodeIds(m: BencodeValue | null): ExtensionIds {
  const ids: Partial<Record<ExtensionName, number>> = {};
  for (const name of extensionNames) {
    const id = tryInRange(m?.getInteger(name) ?? null, 0, 255);
    if (id !== null) ids[name] = id;
  }
  return ids;
}

function tryInRange(value: number | null, low: number, high: number): number | null {
  return value === null || value < low || value > high ? null : value;
}

function tryAddress(bytes: Uint8Array | null): IpAddress | null {
  return bytes !== null && (bytes.length === 4 || bytes.length === 16) ? addressFromBytes(bytes) : null;
}

const handshakeFault: Fault = {
  code: 'BITTORRENT_EXTENSION_HANDSHAKE',
  message: 'The peer sent an extension handshake that cannot be read.',
  blame: 'peer',
  penalty: 25,
};

const messageFault: Fault = {
  code: 'BITTORRENT_EXTENSION_MESSAGE',
  message: 'The peer sent an extension message of the wrong length.',
  blame: 'peer',
  penalty: 10,
};
