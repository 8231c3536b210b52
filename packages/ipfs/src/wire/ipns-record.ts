/**
 * IPNS records (specs.ipfs.tech/ipns/ipns-record): what a name points to, signed by its key.
 *
 *   IpnsEntry { value 1, signatureV1 2, validityType 3, validity 4, sequence 5, ttl 6, pubKey 7,
 *               signatureV2 8, data 9 }
 *   data = dag-cbor { Value, Validity, ValidityType, Sequence, TTL }      signatureV2 is over "ipns-signature:" + data
 *
 * Only `data` under its signature V2 is believed. Fields outside of it may be there for readers of before 2021, and
 * then must say the same: a record that says two things is none.
 */
import * as dagCbor from '@ipld/dag-cbor';
import {
  bytesEqual,
  concatBytes,
  decodeUtf8Lossy,
  encodeUtf8,
  type Hashes,
  ok,
  type Result,
} from '@tequio/kernel';
import { refused } from '../faults.ts';
import {
  encodePublicKey,
  type IpfsPublicKey,
  isNameOf,
  tryDecodePublicKey,
  tryKeyInName,
} from './ipns-name.ts';
import { ProtobufReader, ProtobufWriter } from './protobuf.ts';
import { formatRfc3339 } from './rfc3339.ts';

/** Larger ones nobody keeps. */
export const ipnsRecordBytesMax = 10 * 1024;

const signaturePrefix = encodeUtf8('ipns-signature:');

/** What a record says, by its signed part alone. */
export type IpnsRecord = {
  /** A content path: `/ipfs/CID/…`, `/ipns/NAME`. */
  readonly value: string;
  /** Until when it holds, in ms since 1970. */
  readonly validUntilMs: number;
  /** The same as it stands in the record (RFC 3339 with nanoseconds): the order of equal sequences. */
  readonly validity: string;
  readonly sequence: bigint;
  /** How long a reader may use it without asking again. */
  readonly ttlMs: number;
  /** As it came. */
  readonly bytes: Uint8Array;
};

/** Whether `signature` is `key`'s over `message`. */
export type VerifySignature = (key: IpfsPublicKey, message: Uint8Array, signature: Uint8Array) => boolean;

type Entry = {
  value: Uint8Array | null;
  signatureV1: Uint8Array | null;
  validityType: bigint | null;
  validity: Uint8Array | null;
  sequence: bigint | null;
  ttl: bigint | null;
  publicKey: Uint8Array | null;
  signatureV2: Uint8Array | null;
  data: Uint8Array | null;
};

type SignedPart = {
  readonly value: Uint8Array;
  readonly validity: Uint8Array;
  readonly validityType: bigint;
  readonly sequence: bigint;
  readonly ttl: bigint;
};

/**
 * The record, if it is `name`'s: signed by its key, whole, and saying one thing. That it has not ended is for the
 * caller to see. Total; a fault (`IPFS_IPNS_RECORD`) says what is wrong.
 */
export function readIpnsRecord(
  name: Uint8Array,
  bytes: Uint8Array,
  deps: { readonly hashes: Hashes; readonly verify: VerifySignature },
): Result<IpnsRecord> {
  if (bytes.length > ipnsRecordBytesMax) return broken('is longer than 10 KiB');
  const entry = tryReadEntry(bytes);
  if (entry === null) return broken('is not written as the standard says');
  if (entry.signatureV2 === null || entry.data === null)
    return broken('has no signature of version 2, and others prove nothing');
  const key = keyOf(name, entry, deps.hashes);
  if (key === null) return broken('is not of the key that the name is of');
  if (!deps.verify(key, concatBytes([signaturePrefix, entry.data]), entry.signatureV2))
    return broken('has a wrong signature');
  const signed = tryReadSigned(entry.data);
  if (signed === null) return broken('has a signed part that cannot be read');
  if (!saysTheSame(entry, signed)) return broken('says one thing in its signed part, and another beside it');
  if (signed.validityType !== 0n) return broken('has an end of a kind that nobody knows');
  const validity = decodeUtf8Lossy(signed.validity);
  const validUntilMs = Date.parse(validity);
  if (!/^\d{4}-\d\d-\d\dT/.test(validity) || Number.isNaN(validUntilMs))
    return broken('has an end that is no time');
  return ok({
    value: decodeUtf8Lossy(signed.value),
    validUntilMs,
    validity,
    sequence: signed.sequence,
    ttlMs: Number(signed.ttl / 1_000_000n),
    bytes,
  });
}

function broken(what: string): Result<never> {
  return refused('IPNS_RECORD', `An IPNS record ${what}.`);
}

function tryReadEntry(bytes: Uint8Array): Entry | null {
  const entry: Entry = {
    value: null,
    signatureV1: null,
    validityType: null,
    validity: null,
    sequence: null,
    ttl: null,
    publicKey: null,
    signatureV2: null,
    data: null,
  };
  const reader = new ProtobufReader(bytes);
  while (reader.next()) {
    if (reader.isBytes(1)) entry.value = reader.bytes();
    else if (reader.isBytes(2)) entry.signatureV1 = reader.bytes();
    else if (reader.isVarint(3)) entry.validityType = reader.uint64();
    else if (reader.isBytes(4)) entry.validity = reader.bytes();
    else if (reader.isVarint(5)) entry.sequence = reader.uint64();
    else if (reader.isVarint(6)) entry.ttl = reader.uint64();
    else if (reader.isBytes(7)) entry.publicKey = reader.bytes();
    else if (reader.isBytes(8)) entry.signatureV2 = reader.bytes();
    else if (reader.isBytes(9)) entry.data = reader.bytes();
  }
  return reader.ok ? entry : null;
}

function keyOf(name: Uint8Array, entry: Entry, hashes: Hashes): IpfsPublicKey | null {
  if (entry.publicKey === null || entry.publicKey.length === 0) return tryKeyInName(name);
  const key = tryDecodePublicKey(entry.publicKey);
  return key !== null && isNameOf(name, key, hashes) ? key : null;
}

function tryReadSigned(data: Uint8Array): SignedPart | null {
  let map: Record<string, unknown>;
  try {
    map = dagCbor.decode(data);
  } catch {
    return null;
  }
  if (typeof map !== 'object' || map === null) return null;
  const { Value: value, Validity: validity } = map;
  const [validityType, sequence, ttl] = ['ValidityType', 'Sequence', 'TTL'].map((key) => tryBigint(map[key]));
  if (!(value instanceof Uint8Array) || !(validity instanceof Uint8Array)) return null;
  if (validityType == null || sequence == null || ttl == null) return null;
  return { value, validity, validityType, sequence, ttl };
}

function tryBigint(value: unknown): bigint | null {
  if (typeof value === 'bigint') return value >= 0n ? value : null;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : null;
}

/** Records of version 2 alone have nothing beside the signed part. */
function saysTheSame(entry: Entry, signed: SignedPart): boolean {
  const isVersion1 = entry.signatureV1 !== null && entry.signatureV1.length > 0;
  const hasOld = isVersion1 || (entry.value !== null && entry.value.length > 0);
  if (!hasOld) return true;
  return (
    bytesEqual(entry.value ?? new Uint8Array(0), signed.value) &&
    bytesEqual(entry.validity ?? new Uint8Array(0), signed.validity) &&
    (entry.validityType ?? 0n) === signed.validityType &&
    (entry.sequence ?? 0n) === signed.sequence &&
    (entry.ttl ?? 0n) === signed.ttl
  );
}

export type IpnsRecordFields = {
  readonly value: string;
  readonly sequence: bigint;
  /** Until when it holds, in ms since 1970. */
  readonly validUntilMs: number;
  readonly ttlMs: number;
};

/**
 * A record with both signatures, as other programs write it.
 * @param publicKey goes into the record only when the name is its hash
 */
export function encodeIpnsRecord(
  fields: IpnsRecordFields,
  publicKey: IpfsPublicKey,
  sign: (message: Uint8Array) => Uint8Array,
): Uint8Array {
  const value = encodeUtf8(fields.value);
  // Nanoseconds, as others write them: the text is compared byte by byte.
  const validity = encodeUtf8(formatRfc3339(fields.validUntilMs));
  const ttl = BigInt(Math.round(fields.ttlMs)) * 1_000_000n;
  const data = dagCbor.encode({
    Value: value,
    Validity: validity,
    ValidityType: 0,
    Sequence: fields.sequence,
    TTL: ttl,
  });
  const writer = new ProtobufWriter(512)
    .bytes(1, value)
    .bytes(2, sign(concatBytes([value, validity, encodeUtf8('EOL')])))
    .uint(3, 0)
    .bytes(4, validity)
    .int64(5, fields.sequence)
    .int64(6, ttl);
  if (publicKey.type !== 'ed25519') writer.bytes(7, encodePublicKey(publicKey));
  return writer
    .bytes(8, sign(concatBytes([signaturePrefix, data])))
    .bytes(9, data)
    .finish();
}

/** Order of two valid records of one name: above zero when the first is to be kept. */
export function compareIpnsRecords(a: IpnsRecord, b: IpnsRecord): number {
  if (a.sequence !== b.sequence) return a.sequence > b.sequence ? 1 : -1;
  if (a.validUntilMs !== b.validUntilMs) return a.validUntilMs > b.validUntilMs ? 1 : -1;
  // Within a millisecond: nanoseconds stand in the text.
  return a.validity === b.validity ? 0 : a.validity > b.validity ? 1 : -1;
}
