import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { createHashes } from '@tequio/runtime';
import { CID } from 'multiformats/cid';
import { BlockMaker } from '../core/block-maker.ts';
import type { BlockReader } from './blocks.ts';
import { HotBlocks } from './hot-blocks.ts';

/** A store of random blocks that counts how often it is read. */
function startStore(count: number, blockBytes: number) {
  const maker = new BlockMaker(createHashes(), 1, () => {});
  const random = new Prng(7);
  const blocks = new Map<string, Uint8Array>();
  const cids: CID[] = [];
  for (let i = 0; i < count; i++) {
    const bytes = random.bytes(blockBytes);
    const { cid } = maker.addRaw(bytes);
    blocks.set(cid.toString(), bytes);
    cids.push(cid);
  }
  let reads = 0;
  const reader: BlockReader = {
    has: async (cid) => blocks.has(cid.toString()),
    get: async (cid) => {
      reads++;
      return blocks.get(cid.toString())?.slice() ?? null;
    },
  };
  return { reader, blocks, cids, reads: () => reads };
}

test('from the second reading on a block is kept, and no longer when it has left the store', async () => {
  const { reader, blocks, cids, reads } = startStore(1, 100);
  const hot = new HotBlocks(reader);
  const front = hot.before(reader);
  const [cid] = cids as [CID];
  for (let i = 0; i < 10; i++) deepEqual(await front.get(cid), blocks.get(cid.toString()));
  equal(reads(), 2);
  equal(hot.bytes, 100);
  blocks.delete(cid.toString());
  equal(await front.get(cid), null);
  equal(hot.bytes, 0);
});

test('the blocks that are wanted least leave first, and never more bytes are kept than allowed', async () => {
  const { reader, cids, reads } = startStore(50, 1000);
  const hot = new HotBlocks(reader, 10_000);
  const front = hot.before(reader);
  const random = new Prng(3);
  for (let i = 0; i < 2000; i++) {
    await front.get(cids[0]!);
    await front.get(cids[random.below(50)]!);
    ok(hot.bytes <= 10_000, `${hot.bytes}`);
  }
  const before = reads();
  await front.get(cids[0]!);
  equal(reads(), before);
});

test('what is read once is not kept, and a block above the limit never', async () => {
  const { reader, cids, reads } = startStore(100, 500);
  const hot = new HotBlocks(reader, 499);
  const front = hot.before(reader);
  for (let round = 0; round < 3; round++) for (const cid of cids) await front.get(cid);
  equal(reads(), 300);
  equal(hot.bytes, 0);
});

test('the same content under two CIDs is one block', async () => {
  const { reader, blocks, cids, reads } = startStore(1, 100);
  const [cid] = cids as [CID];
  const other = CID.createV1(0x70, cid.multihash);
  blocks.set(other.toString(), blocks.get(cid.toString())!);
  const front = new HotBlocks(reader).before(reader);
  await front.get(cid);
  await front.get(cid);
  ok((await front.get(other)) !== null);
  equal(reads(), 2);
});
