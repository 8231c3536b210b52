import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NodeError } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { StoreWorld, storeFolder, wrongCounts } from './block-store.fixture.ts';
import { verifyBlocks } from './block-verification.ts';
import type { Block } from './blocks.ts';

const segment = `${storeFolder}/segments/000001.blocks`;

function bytesOf(length: number, fill: number): Uint8Array {
  return new Uint8Array(length).fill(fill);
}

async function present(at: StoreWorld, blocks: readonly Block[]): Promise<boolean[]> {
  const found: boolean[] = [];
  for (const { cid, bytes } of blocks) {
    const got = await at.run(at.store.get(cid));
    if (got !== null) deepEqual(got, bytes);
    found.push(got !== null);
  }
  return found;
}

describe('block store', () => {
  test('gives what was put, once in the file however often it was put', async () => {
    const at = await StoreWorld.start(1);
    const blocks = [
      at.leaf(bytesOf(10, 1)),
      at.leaf(bytesOf(0, 0)),
      at.leaf(bytesOf(300_000, 2)),
      at.node([]),
    ];
    await at.run(
      Promise.all([at.store.put(blocks), at.store.put(blocks.slice(1)), at.store.put([blocks[0]!])]),
    );
    await at.run(at.store.put([...blocks, ...blocks]));
    deepEqual(await present(at, blocks), [true, true, true, true]);
    equal(at.volume.get(segment)?.length, at.store.state().diskBytes);
    equal(at.store.state().diskBytes, 300_010 + blocks[3]!.bytes.length + 4 * 54);
    equal(at.store.state().blockCount, 4);
    const listed: string[] = [];
    for await (const cid of listedIn(at)) listed.push(cid.toString());
    equal(listed.length, 4);
    equal(await at.run(at.store.get(at.leaf(bytesOf(5, 9)).cid)), null);
  });

  test('what was put outlives the process, what was pinned a power failure', async () => {
    const at = await StoreWorld.start(2);
    const [a, b, c] = [at.leaf(bytesOf(1000, 1)), at.leaf(bytesOf(2000, 2)), at.leaf(bytesOf(3000, 3))];
    const root = at.node([a.cid, b.cid]);
    await at.run(at.store.put([a, b, root]));
    await at.run(at.pins.add(root.cid, at.collector));
    await at.run(at.store.put([c]));
    await at.kill();
    deepEqual(await present(at, [a, b, c, root]), [true, true, true, true]);
    await at.losePower();
    deepEqual((await present(at, [a, b, root])).concat(at.pins.list().length === 1), [
      true,
      true,
      true,
      true,
    ]);
    equal(wrongCounts(at.store), null);
    await at.run(at.store.put([c]));
    deepEqual(await present(at, [c]), [true]);
  });

  test('blocks written and not recorded are taken in; a lost index is made anew', async () => {
    const at = await StoreWorld.start(3);
    const blocks = [at.leaf(bytesOf(1000, 1)), at.leaf(bytesOf(2000, 2)), at.leaf(bytesOf(10, 3))];
    await at.run(at.store.put(blocks));
    const whole = at.volume.get(segment)!;
    at.volume.put(segment, whole.subarray(0, whole.length - 3));
    at.store.index.database.exec('DELETE FROM blocks; DELETE FROM segments');
    await at.kill();
    deepEqual(await present(at, blocks), [true, true, false]);
    await at.run(at.store.put(blocks));
    deepEqual(await present(at, blocks), [true, true, true]);
    equal(wrongCounts(at.store), null);
  });

  test('a block that has changed on the disk is named, dropped, and can be put again', async () => {
    const at = await StoreWorld.start(4);
    const blocks = [1, 2, 3].map((fill) => at.leaf(bytesOf(5000, fill)));
    await at.run(at.store.put(blocks));
    at.volume.rot(segment, 5054 + 60);
    await rejects(at.run(at.store.get(blocks[1]!.cid)), {
      code: 'IPFS_BLOCK_CORRUPT',
      data: { cid: blocks[1]!.cid.toString(), where: 'segment 1', at: 5054 },
    });
    deepEqual(await present(at, blocks), [true, false, true]);
    await at.run(at.store.put(blocks));
    deepEqual(await present(at, blocks), [true, true, true]);
    equal(wrongCounts(at.store), null);
  });

  test('a verification finds broken contents and broken heads, with the blocks behind them', async () => {
    const at = await StoreWorld.start(5);
    const blocks = Array.from({ length: 40 }, (_, i) => at.leaf(bytesOf(1000, i)));
    await at.run(at.store.put(blocks));
    at.volume.rot(segment, 3 * 1054 + 500);
    at.volume.rot(segment, 20 * 1054 + 5);
    at.volume.rot(segment, 30 * 1054 + 40);
    let last = { checkedCount: 0, corruptCount: 0, totalCount: 0 };
    const onProgress = (progress: typeof last): void => void (last = progress);
    const report = await at.run(verifyBlocks(at.store, { onProgress }));
    const named = report.corrupt.map((cid) => blocks.findIndex((block) => block.cid.equals(cid))).sort();
    deepEqual(named, [20, 3, 30].sort());
    equal(report.checkedCount, 40);
    deepEqual(last, { checkedCount: 40, totalCount: 40, corruptCount: 3 });
    equal(at.store.state().blockCount, 37);
    const again = await at.run(verifyBlocks(at.store));
    deepEqual(again, { checkedCount: 37, corrupt: [] });
  });

  test('a full disk is told, leaves no damage, and is over when there is room', async () => {
    const at = await StoreWorld.start(6);
    const blocks = Array.from({ length: 20 }, (_, i) => at.leaf(bytesOf(100_000, i)));
    await at.run(at.store.put(blocks.slice(0, 3)));
    at.volume.setCapacity(500_000);
    await rejects(at.run(at.store.put(blocks)), { code: 'DISK_FULL', retry: true });
    deepEqual((await present(at, blocks)).filter(Boolean).length, 3);
    await at.kill();
    equal((await present(at, blocks.slice(0, 3))).every(Boolean), true);
    at.volume.setCapacity(Number.POSITIVE_INFINITY);
    await at.run(at.store.put(blocks));
    equal((await present(at, blocks)).every(Boolean), true);
    equal(wrongCounts(at.store), null);
  });

  test('what the device has refused to keep once is not taken for kept when it is asked again', async () => {
    const at = await StoreWorld.start(8);
    const [a, b] = [at.leaf(bytesOf(1000, 1)), at.leaf(bytesOf(2000, 2))];
    await at.run(at.store.put([a]));
    const { disk } = at;
    const sync = disk.sync.bind(disk);
    let refusedCount = 0;
    disk.sync = async () => {
      refusedCount++;
      throw new NodeError('DISK_IO', 'The disk could not write it.', { op: 'sync' });
    };
    await rejects(at.run(at.pins.add(a.cid, at.collector)), { code: 'DISK_IO' });
    disk.sync = sync;
    await rejects(at.run(at.pins.add(a.cid, at.collector)), { code: 'DISK_IO' });
    equal(refusedCount, 1);
    await at.run(at.store.put([b]));
    equal(at.volume.files(storeFolder).length, 2, 'what comes later goes elsewhere');
    deepEqual(await present(at, [a, b]), [true, true]);
  });

  test('the quota is kept, with a sentence that says what to do, and a collection makes room', async () => {
    const at = await StoreWorld.start(7, { quotaBytes: 1_000_000 });
    const [kept, other, more] = [1, 2, 3].map((fill) => at.leaf(bytesOf(400_000, fill)));
    await at.run(at.store.put([kept!, other!]));
    await rejects(at.run(at.store.put([more!])), { code: 'IPFS_STORE_FULL', message: /collect garbage/ });
    await at.run(at.pins.add(kept!.cid, at.collector));
    const report = await at.run(at.collector.collect());
    deepEqual([report.removedCount, report.removedBytes], [1, 400_000]);
    ok(at.store.state().diskBytes < 1_000_000);
    await rejects(at.run(at.store.put([other!, more!])), { code: 'IPFS_STORE_FULL' });
  });

  test('a block too long for any network is refused', async () => {
    const at = await StoreWorld.start(8);
    await rejects(at.run(at.store.put([at.leaf(bytesOf(4_194_305, 1))])), { code: 'IPFS_BLOCK_TOO_LONG' });
  });
});

describe('blocks in files of the user', () => {
  const file = '/home/film.mkv';

  async function withFile(seed: number): Promise<{ at: StoreWorld; blocks: Block[] }> {
    const at = await StoreWorld.start(seed);
    const blocks = [1, 2, 3].map((fill) => at.leaf(bytesOf(70_000, fill)));
    const content = new Uint8Array(210_000);
    for (const [i, { bytes }] of blocks.entries()) content.set(bytes, i * 70_000);
    at.volume.put(file, content, 5);
    const places = blocks.map(({ cid }, i) => ({ cid, offset: i * 70_000, bytes: 70_000 }));
    await at.run(at.store.putInFile(file, places));
    return { at, blocks };
  }

  test('are given out of them, and not stored when they are put', async () => {
    const { at, blocks } = await withFile(1);
    await at.run(at.store.put(blocks));
    deepEqual(await present(at, blocks), [true, true, true]);
    deepEqual([at.store.state().diskBytes, at.store.state().blockCount], [0, 3]);
    await at.run(at.pins.add(blocks[0]!.cid, at.collector));
    equal((await at.run(at.collector.collect())).removedCount, 2);
    deepEqual(await present(at, blocks), [true, false, false]);
  });

  test('are dropped one by one when the file has changed, and are stored when they are put then', async () => {
    const { at, blocks } = await withFile(2);
    const changed = at.volume.get(file)!;
    changed[70_000] = 99;
    at.volume.put(file, changed, 6);
    await at.world.run(3000);
    equal(await at.run(at.store.has(blocks[0]!.cid)), false);
    await rejects(at.run(at.store.get(blocks[1]!.cid)), { code: 'IPFS_BLOCK_CORRUPT', message: /film\.mkv/ });
    deepEqual(await present(at, blocks), [true, false, true]);
    await at.run(at.store.put(blocks));
    at.volume.remove(file);
    deepEqual(await present(at, blocks), [true, true, true]);
    equal(wrongCounts(at.store), null);
  });

  test('a file that is shorter than what it is said to hold is refused', async () => {
    const at = await StoreWorld.start(3);
    at.volume.put(file, bytesOf(10, 1));
    const { cid } = at.leaf(bytesOf(20, 1));
    await rejects(at.run(at.store.putInFile(file, [{ cid, offset: 0, bytes: 20 }])), {
      code: 'DISK_MISSING',
    });
  });
});

/** Listing waits for virtual time. */
async function* listedIn(at: StoreWorld): AsyncGenerator<CID> {
  const all = at.store.list();
  for (;;) {
    const next = await at.run(all.next());
    if (next.done === true) return;
    yield next.value;
  }
}
