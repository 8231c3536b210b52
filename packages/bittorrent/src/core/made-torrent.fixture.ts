/** Real torrents of made-up content, in memory: v1, v2 and hybrid, of any file and piece sizes. */
import { createHash } from 'node:crypto';
import { assert, bytesEqual, type Hashes, Prng } from '@tequio/kernel';
import { encodeBencode } from '../wire/bencode.ts';
import { decodeMetainfo, encodeMetainfo } from '../wire/metainfo.ts';
import { blockBytes, type Metainfo } from '../wire/torrent-info.ts';
import { assembleTorrent, CreationHashes, type CreationVersion, planCreation } from './creation.ts';
import { merkleRoot } from './merkle.ts';

const digest = (name: string, bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash(name).update(bytes).digest());

export const nodeHashes: Hashes = {
  sha1: (bytes) => digest('sha1', bytes),
  sha256: (bytes) => digest('sha256', bytes),
};

export type MadeTorrent = {
  readonly metainfo: Metainfo;
  /** The .torrent file. */
  readonly bytes: Uint8Array;
  /** The torrent's linear space, pads as zeros. */
  readonly content: Uint8Array;
};

const noText = {
  trackers: [],
  webSeeds: [],
  private: false,
  source: null,
  similar: [],
  collections: [],
  comment: null,
  createdBy: null,
  createdAt: null,
};

/** SHA-256 of each block, one after the other. */
export function leavesOf(bytes: Uint8Array): Uint8Array {
  const leaves = new Uint8Array(Math.ceil(bytes.length / blockBytes) * 32);
  for (let at = 0, leaf = 0; at < bytes.length; at += blockBytes, leaf += 32) {
    leaves.set(nodeHashes.sha256(bytes.subarray(at, at + blockBytes)), leaf);
  }
  return leaves;
}

/** @param sizes bytes of the files; one makes a single-file torrent; `pieceBytes` a power of two from 16 KiB */
export function makeTorrent(
  version: CreationVersion,
  pieceBytes: number,
  sizes: readonly number[],
  seed = 1,
): MadeTorrent {
  const plan = planCreation({
    name: 'made',
    isSingle: sizes.length === 1,
    files: sizes.map((bytes, index) => ({
      path: sizes.length === 1 ? 'made' : `file-${index}.bin`,
      bytes,
      executable: false,
    })),
    version,
    pieceBytes,
  });
  assert(plan.ok, 'the plan is possible');
  const { layout } = plan.value;
  const content = randomContent(layout.files, layout.totalBytes, seed);
  const hashes = new CreationHashes(plan.value);
  for (let piece = 0; piece < layout.pieceCount; piece++) {
    const start = piece * pieceBytes;
    const { bytes, tree } = layout.pieceOf(piece);
    const sha1 = version === 'v2' ? null : nodeHashes.sha1(content.subarray(start, start + bytes));
    const root =
      tree === null
        ? null
        : merkleRoot(nodeHashes, leavesOf(content.subarray(start, start + tree.bytes)), 0, tree.leafCount);
    hashes.handlePiece(piece, sha1, root);
  }
  const bytes = assembleTorrent(plan.value, hashes, noText, nodeHashes);
  assert(bytes.ok, 'the torrent can be made');
  return read(bytes.value, content);
}

/** A v1 torrent of one file whose pieces may have any size, as some old programs made them. */
export function makeOddTorrent(pieceBytes: number, totalBytes: number, seed = 1): MadeTorrent {
  const content = new Prng(seed).bytes(totalBytes);
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < totalBytes; at += pieceBytes) {
    hashes.push(nodeHashes.sha1(content.subarray(at, at + pieceBytes)));
  }
  const pieces = new Uint8Array(Buffer.concat(hashes));
  const info = { length: totalBytes, name: 'odd.bin', 'piece length': pieceBytes, pieces };
  const bytes = encodeMetainfo({ ...noText, infoBytes: encodeBencode(info), pieceLayers: new Map() });
  return read(bytes, content);
}

/** The same torrent, with a wrong v1 hash for each of these pieces: a hybrid is then at odds with itself. */
export function withWrongSha1(made: MadeTorrent, pieces: readonly number[]): MadeTorrent {
  const pieceHashes = made.metainfo.info.pieceHashes!.slice();
  for (const piece of pieces) pieceHashes[20 * piece]! ^= 1;
  const at = findBytes(made.bytes, made.metainfo.info.pieceHashes!);
  const bytes = made.bytes.slice();
  bytes.set(pieceHashes, at);
  return read(bytes, made.content);
}

function read(bytes: Uint8Array, content: Uint8Array): MadeTorrent {
  const metainfo = decodeMetainfo(bytes, nodeHashes);
  assert(metainfo.ok, metainfo.ok ? '' : metainfo.fault.message);
  const { info } = metainfo.value;
  assert(info.totalBytes === content.length, 'the torrent is as long as its content');
  return { metainfo: metainfo.value, bytes, content };
}

function randomContent(
  files: readonly { readonly bytes: number; readonly offset: number; readonly pad: boolean }[],
  totalBytes: number,
  seed: number,
): Uint8Array {
  const content = new Prng(seed).bytes(totalBytes).slice();
  for (const { offset, bytes, pad } of files) if (pad) content.fill(0, offset, offset + bytes);
  return content;
}

function findBytes(whole: Uint8Array, part: Uint8Array): number {
  const at = Buffer.from(whole).indexOf(part);
  assert(at >= 0 && bytesEqual(whole.subarray(at, at + part.length), part), 'the hashes stand in the file');
  return at;
}
