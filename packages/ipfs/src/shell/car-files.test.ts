import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { createRuntimePorts } from '@tequio/runtime';
import { BlockMaker } from '../core/block-maker.ts';
import { parseChunker } from '../core/chunker.ts';
import { makeFolder } from '../core/folder.ts';
import { encodeValue } from '../core/ipld.ts';
import { type ImportProfile, profiles } from '../core/profile.ts';
import { type CID, codecs, makeCid } from '../wire/cid.ts';
import type { Block } from './blocks.ts';
import { exportCar, importCar } from './car-files.ts';
import { MemoryBlocks } from './memory-blocks.ts';
import { exportBytes } from './unixfs-export.ts';
import { importBytes } from './unixfs-import.ts';

const { hashes } = createRuntimePorts();
const chunker = parseChunker('size-1000');
assert.ok(chunker.ok);
const profile: ImportProfile = { ...profiles['unixfs-v1-2025'], chunker: chunker.value, fileLinkCountMax: 5 };

async function carOf(...args: Parameters<typeof exportCar>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of exportCar(...args)) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

/** A folder with two files that share content, and one that is small. */
async function sample(): Promise<{ blocks: MemoryBlocks; folder: CID; file: CID; content: Uint8Array }> {
  const blocks = new MemoryBlocks();
  const content = new Prng(5).bytes(40_500);
  const large = await importBytes({ hashes, blocks }, profile, content);
  const part = await importBytes({ hashes, blocks }, profile, content.subarray(0, 20_000));
  const small = await importBytes({ hashes, blocks }, profile, new Uint8Array([1, 2, 3]));
  const made: Block[] = [];
  const folder = makeFolder(new BlockMaker(hashes, 1, (block) => made.push(block)), profile.directory, [
    { name: 'small', ...small },
    { name: 'large', ...large },
    { name: 'part', ...part },
  ]);
  assert.ok(folder.ok);
  await blocks.put(made);
  return { blocks, folder: folder.value.cid, file: large.cid, content };
}

test('an archive holds each block once, before what it links to, and brings all of it elsewhere', async () => {
  const { blocks, folder, file, content } = await sample();
  const car = await carOf(blocks, [folder]);
  for (const windowBlocks of [1, 2, 7, 100])
    assert.deepEqual(await carOf(blocks, [folder], { windowBlocks }), car, 'the window changes nothing');
  const elsewhere = new MemoryBlocks();
  const result = await importCar({ hashes, blocks: elsewhere }, [car]);
  assert.deepEqual(result.roots.map(String), [String(folder)]);
  assert.equal(result.blockCount, blocks.size);
  assert.equal(elsewhere.size, blocks.size);
  assert.deepEqual(await exportBytes(elsewhere, file, content.length), content);
  assert.equal(String([...elsewhere.values()][0]!.cid), String(folder));
});

test('an archive is read in parts of any size', async () => {
  const { blocks, folder } = await sample();
  const car = await carOf(blocks, [folder]);
  const prng = new Prng(9);
  for (const partMax of [1, 3, 50, 5000]) {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < car.length; ) {
      const end = at + 1 + prng.below(partMax);
      parts.push(car.subarray(at, end));
      at = end;
    }
    const elsewhere = new MemoryBlocks();
    await importCar({ hashes, blocks: elsewhere }, parts);
    assert.equal(elsewhere.size, blocks.size);
  }
});

test('version 2 is read: what is around the archive inside is passed over', async () => {
  const { blocks, folder } = await sample();
  const inner = await carOf(blocks, [folder]);
  const header = Buffer.alloc(51 + 9);
  Buffer.from('0aa16776657273696f6e02', 'hex').copy(header);
  header.writeBigUInt64LE(60n, 11 + 16);
  header.writeBigUInt64LE(BigInt(inner.length), 11 + 24);
  header.writeBigUInt64LE(BigInt(60 + inner.length), 11 + 32);
  const car = Buffer.concat([header, inner, Buffer.from('an index, of no interest')]);
  for (const size of [1, 64, car.length]) {
    const parts = Array.from(
      { length: Math.ceil(car.length / size) },
      (_, i) => new Uint8Array(car.subarray(i * size, (i + 1) * size)),
    );
    const elsewhere = new MemoryBlocks();
    const result = await importCar({ hashes, blocks: elsewhere }, parts);
    assert.equal(String(result.roots[0]), String(folder));
    assert.equal(elsewhere.size, blocks.size);
  }
  await assert.rejects(importCar({ hashes, blocks: new MemoryBlocks() }, [car.subarray(0, 300)]), {
    code: 'IPFS_CAR',
  });
});

test('a block that is not what its CID says is named, and not kept', async () => {
  const { blocks, folder } = await sample();
  const car = await carOf(blocks, [folder]);
  for (let at = car.length - 1; at > car.length - 500; at -= 7) {
    const broken = car.slice();
    broken[at]! ^= 1;
    const elsewhere = new MemoryBlocks();
    await assert.rejects(importCar({ hashes, blocks: elsewhere }, [broken]), { code: 'IPFS_BLOCK_CORRUPT' });
  }
});

test('cut anywhere an archive is refused, unless it is cut between two blocks', async () => {
  const { blocks, file } = await sample();
  const car = await carOf(blocks, [file], { scope: 'block' });
  for (let length = 0; length < car.length; length++) {
    const work = importCar({ hashes, blocks: new MemoryBlocks() }, [car.subarray(0, length)]);
    const headerEnd = 1 + car[0]!;
    if (length === headerEnd) assert.equal((await work).blockCount, 0);
    else await assert.rejects(work, { code: 'IPFS_CAR' });
  }
});

test('an entity is a file or the bytes of it that are wanted, or a folder without what is in it', async () => {
  const { blocks, folder, file } = await sample();
  const count = async (cid: CID, options: Parameters<typeof exportCar>[2]): Promise<number> =>
    (await importCar({ hashes, blocks: new MemoryBlocks() }, [await carOf(blocks, [cid], options)]))
      .blockCount;
  assert.equal(await count(folder, { scope: 'block' }), 1);
  assert.equal(await count(folder, { scope: 'entity' }), 1);
  // 41 leaves, 9 blocks above them, 2 above those, and the root.
  assert.equal(await count(file, { scope: 'entity' }), 41 + 9 + 2 + 1);
  assert.equal(await count(file, { scope: 'entity', range: { from: 1500, to: 1501 } }), 1 + 3);
  assert.equal(await count(file, { scope: 'entity', range: { from: 4999, to: 5001 } }), 2 + 4);
});

test('links of data are followed, and a CID that is its own content needs no block', async () => {
  const blocks = new MemoryBlocks();
  const leaf = {
    cid: makeCid(codecs.raw, 0x12, hashes.sha256(new Uint8Array([7]))),
    bytes: new Uint8Array([7]),
  };
  const inline = makeCid(codecs.raw, 0, new Uint8Array([1, 2]));
  const value = encodeValue(codecs['dag-cbor'], { list: [leaf.cid, { inline }, leaf.cid], text: 'x' });
  assert.ok(value.ok);
  const root = { cid: makeCid(codecs['dag-cbor'], 0x12, hashes.sha256(value.value)), bytes: value.value };
  await blocks.put([leaf, root]);
  const elsewhere = new MemoryBlocks();
  const imported = await importCar({ hashes, blocks: elsewhere }, [await carOf(blocks, [root.cid])]);
  assert.equal(imported.blockCount, 2);
  assert.ok(await elsewhere.has(leaf.cid));
  const twice = await importCar({ hashes, blocks: elsewhere }, [
    await carOf(blocks, [root.cid], { duplicates: true }),
  ]);
  assert.equal(twice.blockCount, 3);
});
