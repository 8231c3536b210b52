/** Names blocks: by SHA-256 or another hash, in CIDs of the version that was chosen. */
import { assert, type Hashes } from '@tequio/kernel';
import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';
import { codecs } from '../wire/cid.ts';
import type { DagPbLink } from '../wire/dag-pb.ts';
import { encodeDagPb } from '../wire/dag-pb.ts';
import { tryDigest } from './block-hash.ts';

export const sha256Code = 0x12;
/** Of hashes that can be of any length. */
const digestBytes = 32;

/** A block that is in a DAG, and how large all of that is. */
export type DagRoot = {
  readonly cid: CID;
  /** Of the content, when it is a file's. */
  readonly fileBytes: number;
  /** Of the block and all blocks below it, each as often as it is linked. */
  readonly dagBytes: number;
};

/** Where made blocks go. The bytes are given away. */
export type BlockSink = (block: { readonly cid: CID; readonly bytes: Uint8Array }) => void;

export class BlockMaker {
  readonly #hashes: Hashes;
  readonly #version: 0 | 1;
  readonly #sink: BlockSink;
  readonly #hashCode: number;

  /** @param hashCode of `hashCodes`; another than SHA-256 goes with version 1 alone */
  constructor(hashes: Hashes, version: 0 | 1, sink: BlockSink, hashCode: number = sha256Code) {
    this.#hashes = hashes;
    this.#version = hashCode === sha256Code ? version : 1;
    this.#sink = sink;
    this.#hashCode = hashCode;
  }

  get isSha256(): boolean {
    return this.#hashCode === sha256Code;
  }

  /** Of a block's bytes, by this maker's hash. */
  digestOf(bytes: Uint8Array): Uint8Array {
    if (this.isSha256) return this.#hashes.sha256(bytes);
    const digest = tryDigest(this.#hashes, this.#hashCode, bytes, digestBytes);
    assert(digest !== null, 'blocks are named by hashes that are known');
    return digest;
  }

  /** Makes a dag-pb block and hands it to the sink. */
  addNode(links: readonly DagPbLink[], data: Uint8Array | null, fileBytes: number): DagRoot {
    const bytes = encodeDagPb(links, data);
    const cid = this.nodeCid(this.digestOf(bytes));
    this.#sink({ cid, bytes });
    let dagBytes = bytes.length;
    for (const link of links) dagBytes += link.dagBytes ?? 0;
    return { cid, fileBytes, dagBytes };
  }

  /** Hands a block of content to the sink. */
  addRaw(bytes: Uint8Array): DagRoot {
    const cid = this.rawCid(this.digestOf(bytes));
    this.#sink({ cid, bytes });
    return { cid, fileBytes: bytes.length, dagBytes: bytes.length };
  }

  /** Of a dag-pb block with this hash. */
  nodeCid(digest: Uint8Array): CID {
    const multihash = createDigest(this.#hashCode, digest);
    return this.#version === 0
      ? CID.createV0(createDigest(sha256Code, digest))
      : CID.createV1(codecs['dag-pb'], multihash);
  }

  /** Of a raw block with this hash: version 0 has no name for it. */
  rawCid(digest: Uint8Array): CID {
    return CID.createV1(codecs.raw, createDigest(this.#hashCode, digest));
  }
}
