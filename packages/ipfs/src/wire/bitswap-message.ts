/**
 * Messages of bitswap 1.0, 1.1 and 1.2 (ipfs/specs, bitswap-protocol): one message for all three, of which older ones
 * use less. Every message may carry wants (or their end), blocks, and who has what.
 *
 *   1.0  wants by CIDv0, blocks without a prefix        1.1  blocks with the CID's prefix        1.2  HAVE, DONT_HAVE
 */
import { concatBytes, emptyBytes, type Fault, failed, ok, type Result } from '@tequio/kernel';
import { cidBytesMax, encodeVarint, tryReadCid } from './cid-bytes.ts';
import { ProtobufReader, ProtobufWriter, varintBytes, writeVarint } from './protobuf.ts';

/** The newest first: the order in which they are offered. */
export const bitswapProtocols: readonly string[] = [
  '/ipfs/bitswap/1.2.0',
  '/ipfs/bitswap/1.1.0',
  '/ipfs/bitswap/1.0.0',
];

export const bitswapMessageLimits = {
  /** What other programs read as one message. */
  messageBytesMax: 4 * 1024 * 1024,
  /** A block that is larger travels nowhere. */
  blockBytesMax: 2 * 1024 * 1024,
  /** Sixteen times what a program that keeps to the rules lets another want at once. */
  entryCountMax: 16_384,
  presenceCountMax: 16_384,
  blockCountMax: 16_384,
} as const;

/** One want, or the end of one. */
export type BitswapEntry = {
  /** Its bytes, checked to be a CID. */
  readonly cid: Uint8Array;
  /** Higher first. */
  readonly priority: number;
  readonly cancel: boolean;
  readonly type: 'block' | 'have';
  /** 1.2: an answer is wanted also when the block is not there. */
  readonly sendDontHave: boolean;
};

export type BitswapBlock = {
  /** The CID without its digest (version, codec, hash, length); null: 1.0, whose blocks are all CIDv0. */
  readonly prefix: Uint8Array | null;
  readonly data: Uint8Array;
};

export type BitswapPresence = { readonly cid: Uint8Array; readonly have: boolean };

export type BitswapMessage = {
  /** The entries are all that is wanted: what was wanted before and is not among them is not wanted any more. */
  readonly full: boolean;
  readonly entries: readonly BitswapEntry[];
  readonly blocks: readonly BitswapBlock[];
  readonly presences: readonly BitswapPresence[];
  /** What the sender has still to send, as it says. */
  readonly pendingBytes: number;
};

export const emptyBitswapMessage: BitswapMessage = {
  full: false,
  entries: [],
  blocks: [],
  presences: [],
  pendingBytes: 0,
};

type Building = {
  full: boolean;
  entries: BitswapEntry[];
  blocks: BitswapBlock[];
  presences: BitswapPresence[];
  pendingBytes: number;
  fault: Fault | null;
};

/**
 * Total: a message, or a fault (`IPFS_BITSWAP_MESSAGE`). Blocks and CIDs are windows onto `bytes`, which belong to the
 * message from now on. A block's data has not been compared with any name: it has none until it is hashed.
 */
export function decodeBitswapMessage(bytes: Uint8Array): Result<BitswapMessage> {
  const { messageBytesMax, blockCountMax } = bitswapMessageLimits;
  if (bytes.length > messageBytesMax) return failed(broken('is longer than 4 MiB'));
  const out: Building = {
    full: false,
    entries: [],
    blocks: [],
    presences: [],
    pendingBytes: 0,
    fault: null,
  };
  const reader = new ProtobufReader(bytes);
  while (out.fault === null && reader.next()) {
    if (reader.isBytes(1)) readWantlist(reader.message(), out);
    else if (reader.isBytes(2)) addBlock(out, { prefix: null, data: reader.bytes() });
    else if (reader.isBytes(3)) readBlock(reader.message(), out);
    else if (reader.isBytes(4)) readPresence(reader.message(), out);
    else if (reader.isVarint(5)) out.pendingBytes = Math.max(0, reader.uint32() | 0);
    if (out.blocks.length > blockCountMax) out.fault = broken('has too many blocks');
  }
  if (!reader.ok) out.fault ??= broken('is not written as its protocol says');
  const { fault, ...message } = out;
  return fault === null ? ok(message) : failed(fault);
}

function broken(what: string): Fault {
  return { code: 'IPFS_BITSWAP_MESSAGE', message: `A bitswap message ${what}.`, blame: 'peer', penalty: 50 };
}

function readWantlist(reader: ProtobufReader, out: Building): void {
  while (out.fault === null && reader.next()) {
    if (reader.isBytes(1)) readEntry(reader.message(), out);
    else if (reader.isVarint(2)) out.full = reader.uint32() !== 0;
  }
  if (!reader.ok) out.fault ??= broken('has a broken list of wants');
}

function readEntry(reader: ProtobufReader, out: Building): void {
  let cid: Uint8Array | null = null;
  let priority = 0;
  let cancel = false;
  let type = 0;
  let sendDontHave = false;
  while (reader.next()) {
    if (reader.isBytes(1)) cid = reader.bytes();
    else if (reader.isVarint(2)) priority = reader.uint32() | 0;
    else if (reader.isVarint(3)) cancel = reader.uint32() !== 0;
    else if (reader.isVarint(4)) type = reader.uint32();
    else if (reader.isVarint(5)) sendDontHave = reader.uint32() !== 0;
  }
  if (!reader.ok) out.fault = broken('has a broken want');
  else if (cid === null || tryReadCid(cid) === null) out.fault = broken('wants something that is no CID');
  else if (out.entries.length >= bitswapMessageLimits.entryCountMax)
    out.fault = broken('wants too much at once');
  else out.entries.push({ cid, priority, cancel, type: type === 1 ? 'have' : 'block', sendDontHave });
}

function readBlock(reader: ProtobufReader, out: Building): void {
  let prefix: Uint8Array = emptyBytes;
  let data: Uint8Array = emptyBytes;
  while (reader.next()) {
    if (reader.isBytes(1)) prefix = reader.bytes();
    else if (reader.isBytes(2)) data = reader.bytes();
  }
  if (!reader.ok || prefix.length > cidBytesMax) out.fault = broken('has a broken block');
  else addBlock(out, { prefix, data });
}

function addBlock(out: Building, block: BitswapBlock): void {
  if (block.data.length > bitswapMessageLimits.blockBytesMax)
    out.fault = broken('has a block of more than 2 MiB');
  else out.blocks.push(block);
}

function readPresence(reader: ProtobufReader, out: Building): void {
  let cid: Uint8Array | null = null;
  let type = 0;
  while (reader.next()) {
    if (reader.isBytes(1)) cid = reader.bytes();
    else if (reader.isVarint(2)) type = reader.uint32();
  }
  if (!reader.ok) out.fault = broken('has a broken presence');
  else if (cid === null || tryReadCid(cid) === null) out.fault = broken('tells of something that is no CID');
  else if (out.presences.length >= bitswapMessageLimits.presenceCountMax)
    out.fault = broken('tells of too much at once');
  else out.presences.push({ cid, have: type === 0 });
}

/**
 * The message, with its length in front; blocks' bytes are copied once. For a protocol before 1.2 the caller leaves out
 * what it does not know: presences and wants of type `have`.
 */
export function encodeBitswapMessage(message: BitswapMessage): Uint8Array {
  const head = new ProtobufWriter();
  if (message.entries.length > 0 || message.full) {
    const wantlist = new ProtobufWriter(48 * message.entries.length + 8);
    for (const entry of message.entries) wantlist.bytes(1, encodeEntry(entry));
    if (message.full) wantlist.uint(2, 1);
    head.bytes(1, wantlist.finish());
  }
  for (const { cid, have } of message.presences) {
    const presence = new ProtobufWriter(64).bytes(1, cid);
    head.bytes(4, (have ? presence : presence.uint(2, 1)).finish());
  }
  if (message.pendingBytes > 0) head.uint(5, message.pendingBytes);
  const parts: Uint8Array[] = [head.finish()];
  for (const { prefix, data } of message.blocks) parts.push(blockHead(prefix, data.length), data);
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  return concatBytes([encodeVarint(bytes), ...parts]);
}

function encodeEntry(entry: BitswapEntry): Uint8Array {
  const writer = new ProtobufWriter(64).bytes(1, entry.cid);
  if (entry.priority !== 0) writer.int64(2, BigInt(entry.priority));
  if (entry.cancel) writer.uint(3, 1);
  if (entry.type === 'have') writer.uint(4, 1);
  if (entry.sendDontHave) writer.uint(5, 1);
  return writer.finish();
}

/** All of a block's field but its data, which follows. */
function blockHead(prefix: Uint8Array | null, dataBytes: number): Uint8Array {
  const bytes = new Uint8Array(16 + (prefix?.length ?? 0) + 8);
  if (prefix === null) {
    bytes[0] = (2 << 3) | 2;
    return bytes.subarray(0, writeVarint(bytes, 1, dataBytes));
  }
  const inside = 1 + varintBytes(prefix.length) + prefix.length + 1 + varintBytes(dataBytes) + dataBytes;
  bytes[0] = (3 << 3) | 2;
  let at = writeVarint(bytes, 1, inside);
  bytes[at++] = (1 << 3) | 2;
  at = writeVarint(bytes, at, prefix.length);
  bytes.set(prefix, at);
  at += prefix.length;
  bytes[at++] = (2 << 3) | 2;
  return bytes.subarray(0, writeVarint(bytes, at, dataBytes));
}
