import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StoreWorld, storeFolder, wrongCounts } from './block-store.fixture.ts';
import type { Block } from './blocks.ts';

/** A root over two nodes over four leaves, which share one. */
function tree(at: StoreWorld, name: string): { blocks: Block[]; root: Block } {
  const leaves = [0, 1, 2].map((i) => at.leaf(new TextEncoder().encode(`${name} ${i}`.repeat(100))));
  const nodes = [at.node([leaves[0]!.cid, leaves[1]!.cid]), at.node([leaves[1]!.cid, leaves[2]!.cid])];
  const root = at.node(
    nodes.map(({ cid }) => cid),
    name,
  );
  return { blocks: [...leaves, ...nodes, root], root };
}

async function presentCount(at: StoreWorld, blocks: readonly Block[]): Promise<number> {
  let count = 0;
  for (const { cid } of blocks) if (await at.run(at.store.has(cid))) count++;
  return count;
}

describe('collections', () => {
  test('remove what no root leads to, and nothing else', async () => {
    const at = await StoreWorld.start(1);
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => tree(at, name));
    for (const { blocks } of [a!, b!, c!, d!]) await at.run(at.store.put(blocks));
    await at.run(at.pins.add(a!.root.cid, at.collector));
    await at.run(at.pins.add(b!.root.cid, at.collector, { mode: 'direct' }));
    at.partialRoots = [c!.root.cid, at.leaf(new Uint8Array(3)).cid];
    const report = await at.run(at.collector.collect());
    deepEqual(
      [report.removedCount, report.markedCount],
      [b!.blocks.length - 1 + d!.blocks.length, a!.blocks.length + 1 + c!.blocks.length],
    );
    equal(await presentCount(at, [...a!.blocks, b!.root, ...c!.blocks]), 13);
    equal(await presentCount(at, [...b!.blocks, ...d!.blocks]), 1);
    equal(wrongCounts(at.store), null);
  });

  test('leave what an add has put since it began, also what was there before', async () => {
    const at = await StoreWorld.start(2);
    const [old, added] = [tree(at, 'old'), tree(at, 'added')];
    await at.run(at.store.put([...old.blocks, ...added.blocks.slice(0, 3)]));
    const hold = at.store.hold();
    await at.run(at.store.put(added.blocks.slice(0, 2)));
    equal((await at.run(at.collector.collect())).removedCount, old.blocks.length + 1);
    await at.run(at.store.put(added.blocks.slice(2)));
    await at.run(at.pins.add(added.root.cid, at.collector));
    at.store.holds.release(hold);
    equal((await at.run(at.collector.collect())).removedCount, 0);
    equal(await presentCount(at, added.blocks), added.blocks.length);
  });

  test('leave what is put, pinned or held while they run, at whatever moment', async () => {
    for (let delayMs = 0; delayMs < 12; delayMs += 0.8) {
      const at = await StoreWorld.start(3, { segmentBytes: 4000 });
      const [a, b, c] = ['a', 'b', 'c'].map((name) => tree(at, name));
      const others = Array.from({ length: 20 }, (_, i) => tree(at, `other ${i}`));
      for (const { blocks } of [a!, b!, ...others]) await at.run(at.store.put(blocks));
      for (const { root } of others.slice(0, 10)) await at.run(at.pins.add(root.cid, at.collector));
      const collecting = at.collector.collect();
      await at.world.run(delayMs);
      const putting = at.store.put([...b!.blocks, ...c!.blocks]);
      const pinning = at.pins.add(a!.root.cid, at.collector).then(
        () => true,
        // The sweep had begun with it, so that it was gone before it was named.
        (error) => (error.code === 'IPFS_BLOCK_MISSING' ? false : Promise.reject(error)),
      );
      await at.run(Promise.all([collecting, putting]));
      const isPinned = await at.run(pinning);
      const kept = others.slice(0, 10).flatMap(({ blocks }) => blocks);
      equal(await presentCount(at, kept), kept.length, `pinned before, ${delayMs} ms`);
      equal(await presentCount(at, [...b!.blocks, ...c!.blocks]), 12, `put meanwhile, ${delayMs} ms`);
      if (isPinned) equal(await presentCount(at, a!.blocks), 6, `pinned meanwhile, ${delayMs} ms`);
      equal(at.pins.find(a!.root.cid) !== null, isPinned);
      equal(wrongCounts(at.store), null);
    }
  });

  test('do nothing when something pinned is incomplete, and say what is missing', async () => {
    const at = await StoreWorld.start(4);
    const [a, b] = [tree(at, 'a'), tree(at, 'b')];
    await at.run(at.store.put([...a.blocks, ...b.blocks]));
    await at.run(at.pins.add(a.root.cid, at.collector));
    at.store.remove([a.blocks[3]!.cid]);
    await rejects(at.run(at.collector.collect()), {
      code: 'IPFS_PIN_INCOMPLETE',
      data: { cid: a.blocks[3]!.cid.toString() },
    });
    equal(await presentCount(at, b.blocks), b.blocks.length);
    const source = { get: async () => a.blocks[3]!.bytes, has: async () => true };
    at.pins.remove(a.root.cid);
    await at.run(at.pins.add(a.root.cid, at.collector, { source }));
    equal((await at.run(at.collector.collect())).removedCount, b.blocks.length);
  });

  test('write mostly unused segments anew, and their files go', async () => {
    const at = await StoreWorld.start(5, { segmentBytes: 100_000 });
    const leaves = Array.from({ length: 100 }, (_, i) => at.leaf(new Uint8Array(9000).fill(i)));
    for (const leaf of leaves) await at.run(at.store.put([leaf]));
    equal(at.store.state().segmentCount, 10);
    const kept = leaves.filter((_, i) => i % 10 < 3);
    for (const { cid } of kept) await at.run(at.pins.add(cid, at.collector));
    const { freedBytes } = await at.run(at.collector.collect());
    ok(freedBytes > 600_000, `${freedBytes} freed`);
    ok(at.volume.files(`${storeFolder}/segments`).length <= 4);
    equal(await presentCount(at, kept), kept.length);
    equal(wrongCounts(at.store), null);
    await at.losePower();
    for (const { cid, bytes } of kept) deepEqual(await at.run(at.store.get(cid)), bytes);
  });
});

describe('pins', () => {
  test('say what is missing, and are not made', async () => {
    const at = await StoreWorld.start(1);
    const { blocks, root } = tree(at, 'a');
    await at.run(at.store.put(blocks.slice(1)));
    await rejects(at.run(at.pins.add(root.cid, at.collector)), {
      code: 'IPFS_BLOCK_MISSING',
      data: { cid: blocks[0]!.cid.toString() },
    });
    deepEqual(at.pins.list(), []);
  });

  test('have names and modes as kubo has them', async () => {
    const at = await StoreWorld.start(2);
    const { blocks, root } = tree(at, 'a');
    const other = tree(at, 'b');
    await at.run(at.store.put([...blocks, ...other.blocks]));
    await at.run(at.pins.add(root.cid, at.collector, { mode: 'direct', name: 'mine' }));
    equal(at.pins.find(root.cid)?.mode, 'direct');
    await at.run(at.pins.add(root.cid, at.collector));
    deepEqual(at.pins.list(), [{ cid: root.cid, mode: 'recursive', name: 'mine' }]);
    await rejects(at.run(at.pins.add(root.cid, at.collector, { mode: 'direct' })), {
      code: 'IPFS_PIN_RECURSIVE',
    });
    const indirect: string[] = [];
    await at.run(at.pins.indirect((cid) => void indirect.push(cid.toString())));
    deepEqual(
      indirect.sort(),
      blocks
        .slice(0, 5)
        .map(({ cid }) => cid.toString())
        .sort(),
    );
    await at.run(at.pins.update(root.cid, other.root.cid, at.collector));
    deepEqual(at.pins.list(), [{ cid: other.root.cid, mode: 'recursive', name: 'mine' }]);
    at.pins.remove(other.root.cid);
    deepEqual(at.pins.list(), []);
    await rejects(async () => at.pins.remove(root.cid), { code: 'IPFS_PIN_NONE' });
  });

  test('are fetched where they are not here, and verified', async () => {
    const [at, there] = [await StoreWorld.start(3), await StoreWorld.start(4)];
    const { blocks, root } = tree(at, 'a');
    await there.run(there.store.put(blocks));
    const asked: number[] = [];
    const byCid = new Map(blocks.map(({ cid, bytes }) => [cid.toString(), bytes]));
    const source = {
      get: async (cid: Block['cid']) => byCid.get(cid.toString()) ?? null,
      has: async () => true,
    };
    await at.run(
      at.pins.add(root.cid, at.collector, { source, onProgress: (count) => void asked.push(count) }),
    );
    deepEqual(asked, [1, 2, 3, 4, 5, 6]);
    const checks = at.pins.verify();
    deepEqual((await at.run(checks.next())).value?.missing, []);
    await at.run(checks.next());
    at.volume.rot(`${storeFolder}/segments/000001.blocks`, 100);
    const again = await at.run(at.pins.verify().next());
    equal(again.value?.missing.length, 1);
  });
});
