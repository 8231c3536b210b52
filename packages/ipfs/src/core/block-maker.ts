/** Names blocks: SHA-256, in CIDs of the version that was chosen. */
import type { Hashes } from '@tequio/kernel';
import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';
import { codecs } from '../wire/cid.ts';
import type { DagPbLink } from '../wire/dag-pb.ts';
import { encodeDagPb } from '../wire/dag-pb.ts';

const sha256Code = 0x12;

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

  constructor(hashes: Hashes, version: 0 | 1, sink: BlockSink) {
    this.#hashes = hashes;
    this.#version = version;
    this.#sink = sink;
  }

  /** Makes a dag-pb block and hands it to the sink. */
  addNode(links: readonly DagPbLink[], data: Uint8Array | null, fileBytes: number): DagRoot {
    const bytes = encodeDagPb(links, data);
    const cid = this.nodeCid(this.#hashes.sha256(bytes));
    this.#sink({ cid, bytes });
    let dagBytes = bytes.length;
    for (const link of links) dagBytes += link.dagBytes ?? 0;
    return { cid, fileBytes, dagBytes };
  }

  /** Hands a block of content to the sink. */
  addRaw(bytes: Uint8Array): DagRoot {
    const cid = this.rawCid(this.#hashes.sha256(bytes));
    this.#sink({ cid, bytes });
    return { cid, fileBytes: bytes.length, dagBytes: bytes.length };
  }

  /** Of a dag-pb block with this hash. */
  nodeCid(digest: Uint8Array): CID {
    const multihash = createDigest(sha256Code, digest);
    return this.#version === 0 ? CID.createV0(multihash) : CID.createV1(codecs['dag-pb'], multihash);
  }

  /** Of a raw block with this hash: version 0 has no name for it. */
  rawCid(digest: Uint8Array): CID {
    return CID.createV1(codecs.raw, createDigest(sha256Code, digest));
  }
}
