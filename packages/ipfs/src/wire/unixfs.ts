/**
 * UnixFS (specs.ipfs.tech/unixfs): what the data of a dag-pb node says of a file or folder.
 *
 *   Data { Type = 1; Data = 2; filesize = 3; repeated blocksizes = 4; hashType = 5; fanout = 6; mode = 7; mtime = 8 }
 */
import { ok, type Result } from '@tequio/kernel';
import { refused } from '../faults.ts';
import { ipfsLimits } from '../limits.ts';
import { ProtobufReader, ProtobufWriter, varintBytes, writeVarint } from './protobuf.ts';

const kinds = ['raw', 'directory', 'file', 'metadata', 'symlink', 'hamt-shard'] as const;

export type UnixfsKind = (typeof kinds)[number];

/** Since 1970; `nanoseconds` below 10^9 count forward, also before 1970. */
export type UnixfsTime = { readonly seconds: number; readonly nanoseconds: number };

/** What may be said of any file or folder besides its content. */
export type UnixfsMetadata = {
  /** Permissions: the low 12 bits of a Unix mode; null: not said. */
  readonly mode: number | null;
  readonly modified: UnixfsTime | null;
};

export type UnixfsData = UnixfsMetadata & {
  readonly kind: UnixfsKind;
  /** Content of a file, target of a symlink, bit field of a shard: a view of the block; null: absent. */
  readonly data: Uint8Array | null;
  /** Content bytes of this node and all below it; null: not said. */
  readonly fileBytes: number | null;
  /** Content bytes below each link. */
  readonly childBytes: readonly number[];
  /** Of a shard: multicodec number of the hash of names. */
  readonly hashCode: number | null;
  /** Of a shard: how many children it has room for. */
  readonly fanout: number | null;
};

export const noMetadata: UnixfsMetadata = { mode: null, modified: null };

/** Seconds of the years 1 and 9999. */
const secondsMin = -62_135_596_800;
const secondsMax = 253_402_300_799;

/** Total: whatever the bytes are, UnixFS or a fault. Unknown fields are passed over, as Protocol Buffers ask. */
export function decodeUnixfs(bytes: Uint8Array): Result<UnixfsData> {
  const reader = new ProtobufReader(bytes);
  const childBytes: number[] = [];
  let kind: UnixfsKind | null = null;
  let data: Uint8Array | null = null;
  let fileBytes: number | null = null;
  let hashCode: number | null = null;
  let fanout: number | null = null;
  let mode: number | null = null;
  let modified: UnixfsTime | null = null;
  while (reader.next()) {
    if (reader.isVarint(1)) kind = kinds[reader.uint()] ?? null;
    else if (reader.isBytes(2)) data = reader.bytes();
    else if (reader.isVarint(3)) fileBytes = reader.uint();
    else if (reader.isVarint(4)) childBytes.push(reader.uint());
    else if (reader.isBytes(4)) readPacked(reader, childBytes);
    else if (reader.isVarint(5)) hashCode = reader.uint();
    else if (reader.isVarint(6)) fanout = reader.uint();
    else if (reader.isVarint(7)) mode = reader.uint32() & 0xfff;
    else if (reader.isBytes(8)) modified = readTime(reader);
    if (childBytes.length > ipfsLimits.linkCountMax) reader.refuse();
  }
  if (!reader.ok || kind === null)
    return refused('UNIXFS', 'A block that should be a file or a folder is none.');
  return ok({ kind, data, fileBytes, childBytes, hashCode, fanout, mode, modified });
}

/** Numbers one after the other in one byte string: the other way to write a repeated field. */
function readPacked(reader: ProtobufReader, into: number[]): void {
  const bytes = reader.bytes();
  for (let at = 0; at < bytes.length; ) {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined || scale > 2 ** 49) return void reader.refuse();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) break;
    }
    if (value > Number.MAX_SAFE_INTEGER || into.length >= ipfsLimits.linkCountMax)
      return void reader.refuse();
    into.push(value);
  }
}

/** A time out of range is as good as none. */
function readTime(outer: ProtobufReader): UnixfsTime | null {
  const reader = outer.message();
  let seconds: number | null = null;
  let nanoseconds = 0;
  while (reader.next()) {
    if (reader.isVarint(1)) seconds = Number(reader.int64());
    else if (reader.isFixed32(2)) nanoseconds = reader.fixed32();
  }
  if (!reader.ok) outer.refuse();
  if (seconds === null || seconds < secondsMin || seconds > secondsMax || nanoseconds > 999_999_999)
    return null;
  return { seconds, nanoseconds };
}

/** As other programs write it: fields by number, child sizes one by one. */
export function encodeUnixfs(node: Partial<UnixfsData> & { readonly kind: UnixfsKind }): Uint8Array {
  const data = node.data ?? null;
  const childBytes = node.childBytes ?? [];
  const writer = new ProtobufWriter(64 + (data?.length ?? 0) + 9 * childBytes.length);
  writer.uint(1, kinds.indexOf(node.kind));
  if (data !== null) writer.bytes(2, data);
  if ((node.fileBytes ?? null) !== null) writer.uint(3, node.fileBytes!);
  for (const bytes of childBytes) writer.uint(4, bytes);
  if ((node.hashCode ?? null) !== null) writer.uint(5, node.hashCode!);
  if ((node.fanout ?? null) !== null) writer.uint(6, node.fanout!);
  if ((node.mode ?? null) !== null) writer.uint(7, node.mode!);
  const modified = node.modified ?? null;
  if (modified !== null) writer.bytes(8, encodeTime(modified));
  return writer.finish();
}

function encodeTime({ seconds, nanoseconds }: UnixfsTime): Uint8Array {
  const writer = new ProtobufWriter(16).int64(1, BigInt(seconds));
  if (nanoseconds > 0) writer.fixed32(2, nanoseconds);
  return writer.finish();
}

/**
 * What stands around the content of a leaf that is a dag-pb block, so that the leaf can be put together, or hashed,
 * where its content lies.
 *
 *   0a LEN [ 08 KIND  12 LEN content  18 LEN ]
 *          '---- head -----'       '- tail -'
 */
export function leafFrame(
  kind: 'raw' | 'file',
  contentBytes: number,
): { head: Uint8Array; tail: Uint8Array } {
  const tail = new ProtobufWriter(12).uint(3, contentBytes).finish();
  const dataBytes = contentBytes === 0 ? 0 : 1 + varintBytes(contentBytes) + contentBytes;
  const insideBytes = 2 + dataBytes + tail.length;
  const head = new Uint8Array(1 + varintBytes(insideBytes) + 2 + (dataBytes - contentBytes));
  let at = 0;
  head[at++] = 0x0a;
  at = writeVarint(head, at, insideBytes);
  head[at++] = 0x08;
  head[at++] = kinds.indexOf(kind);
  if (contentBytes > 0) {
    head[at++] = 0x12;
    writeVarint(head, at, contentBytes);
  }
  return { head, tail };
}
