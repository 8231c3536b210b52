import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateLimiter } from '@tequio/network';
import type { BitswapEntry } from '../src/wire/bitswap-message.ts';
import { BitswapWorld, makeBlocks, travelling } from './bitswap-world.ts';

const seed = Number(process.env['TEQUIO_SEED'] ?? 1);
const KiB = 1024;

function have(cid: Uint8Array, type: 'block' | 'have' = 'block'): BitswapEntry {
  return { cid, priority: 1, cancel: false, type, sendDontHave: true };
}

test('two nodes: 64 MiB come at nine tenths of the line, each block once', async () => {
  const sim = new BitswapWorld(seed);
  const [a, b] = [sim.addNode('a'), sim.addNode('b')];
  const blocks = makeBlocks(sim.prng, 256, 256 * KiB);
  a.keep(blocks);
  await sim.connect(b, a);
  const startMs = sim.nowMs;
  const { missing } = await sim.until(b.fetch(blocks.map(({ cid }) => cid)));
  const seconds = (sim.nowMs - startMs) / 1000;
  assert.equal(missing, 0);
  assert.deepEqual(b.bitswap.counts.duplicateBlocks, 0);
  assert.equal(b.bitswap.counts.bytes, 64 * KiB * KiB);
  // The line carries 12.5 MB/s: 64 MiB in 5.37 s.
  assert.ok(seconds < 5.37 / 0.9, `${seconds} s`);
  assert.deepEqual([...b.faults, ...a.faults], []);
});

test('ten nodes that have it all: their lines add up, and next to nothing comes twice', async () => {
  const sim = new BitswapWorld(seed);
  const blocks = makeBlocks(sim.prng, 1000, 64 * KiB);
  const seeds = Array.from({ length: 10 }, (_, i) =>
    sim.addNode(`s${i}`, { latencyMs: 10 + 15 * i, bytesPerSecond: 1_000_000 }),
  );
  for (const node of seeds) node.keep(blocks);
  const leech = sim.addNode('leech', { latencyMs: 5 });
  await sim.connect(leech, ...seeds);
  const startMs = sim.nowMs;
  const { missing } = await sim.until(
    leech.fetch(
      blocks.map(({ cid }) => cid),
      400,
    ),
  );
  const seconds = (sim.nowMs - startMs) / 1000;
  assert.equal(missing, 0);
  // 65.5 MB over ten lines of 1 MB/s: 6.6 s; one alone would take 65 s.
  assert.ok(seconds < 10, `${seconds} s`);
  assert.ok(leech.bitswap.counts.duplicateBlocks <= 30, `${leech.bitswap.counts.duplicateBlocks}`);
  assert.deepEqual(leech.faults, []);
});

test('each block at another node: all are found by asking, without providers', async () => {
  const sim = new BitswapWorld(seed);
  const blocks = makeBlocks(sim.prng, 200, 4 * KiB);
  const nodes = Array.from({ length: 20 }, (_, i) => sim.addNode(`n${i}`, { latencyMs: 20 + i }));
  for (const [index, block] of blocks.entries()) nodes[index % 20]!.keep([block]);
  const leech = sim.addNode('leech');
  await sim.connect(leech, ...nodes);
  const { missing } = await sim.until(
    leech.fetch(
      blocks.map(({ cid }) => cid),
      200,
    ),
    60_000,
  );
  assert.equal(missing, 0);
  assert.deepEqual(leech.faults, []);
});

test('nobody connected: providers are looked for at once, and connected to', async () => {
  const sim = new BitswapWorld(seed);
  const [a, b] = [sim.addNode('a'), sim.addNode('b')];
  const blocks = makeBlocks(sim.prng, 50, 16 * KiB);
  a.keep(blocks);
  await sim.until(a.overlay.provide(blocks[0]!.cid.subarray(2)));
  const startMs = sim.nowMs;
  const { missing } = await sim.until(b.fetch(blocks.map(({ cid }) => cid)));
  assert.equal(missing, 0);
  assert.ok(sim.nowMs - startMs < 2000, `${sim.nowMs - startMs} ms`);
});

test('a block that comes to be somewhere later is sent to who has been waiting for it', async () => {
  const sim = new BitswapWorld(seed);
  const [a, b] = [sim.addNode('a'), sim.addNode('b')];
  const [block] = makeBlocks(sim.prng, 1, 16 * KiB);
  await sim.connect(b, a);
  const fetching = b.fetch([block!.cid]);
  await sim.world.run(3000);
  assert.equal(b.bitswap.counts.blocks, 0);
  const startMs = sim.nowMs;
  a.keep([block!]);
  assert.deepEqual(await sim.until(fetching), { missing: 0 });
  assert.ok(sim.nowMs - startMs < 100, `${sim.nowMs - startMs} ms`);
});

test('what a node refuses to give away is as if it were not there, also when it comes to be there', async () => {
  const sim = new BitswapWorld(seed);
  const [open, denied, late] = makeBlocks(sim.prng, 3, 16 * KiB);
  const isGiven = (cid: Uint8Array): boolean => Buffer.compare(cid, open!.cid) === 0;
  const giver = sim.addNode('giver', { maySend: isGiven });
  giver.keep([open!, denied!]);
  const leech = sim.addNode('leech');
  await sim.connect(leech, giver);
  const session = leech.bitswap.openSession();
  const fetching = [open!, denied!, late!].map(({ cid }) => leech.bitswap.get(session, cid));
  assert.deepEqual(await sim.until(fetching[0]!), open!.bytes);
  giver.keep([late!]);
  await sim.world.run(60_000);
  assert.deepEqual(leech.bitswap.counts.blocks, 1);
  leech.bitswap.closeSession(session);
  assert.deepEqual(await Promise.all(fetching.slice(1)), [null, null]);
  assert.deepEqual([...leech.faults, ...giver.faults], []);
});

test('who sends wrong bytes is named and sent away; the file comes from others', async () => {
  const sim = new BitswapWorld(seed);
  const blocks = makeBlocks(sim.prng, 100, 16 * KiB);
  const honest = sim.addNode('honest', { latencyMs: 100 });
  honest.keep(blocks);
  const forger = sim.addHostile('forger', ({ entries }, say) => {
    const wanted = entries.filter((entry) => !entry.cancel);
    say({ presences: wanted.map(({ cid }) => ({ cid, have: true })) });
    for (const _ of wanted.filter(({ type }) => type === 'block'))
      say({ blocks: [travelling(sim.prng.bytes(16 * KiB))] });
  });
  const leech = sim.addNode('leech', { latencyMs: 5 });
  await sim.connect(leech, honest, forger);
  assert.deepEqual(await sim.until(leech.fetch(blocks.map(({ cid }) => cid)), 60_000), { missing: 0 });
  assert.deepEqual(leech.bans, ['forger']);
  assert.ok(leech.faults.every(({ peer, code }) => peer === 'forger' && code === 'IPFS_BITSWAP_UNWANTED'));
  assert.equal(leech.faults.length, 5);
  for (const { cid, bytes } of blocks) assert.deepEqual(leech.kept.get(String.fromCharCode(...cid)), bytes);
});

test('who says HAVE and sends nothing costs a second, is named, and loses its place', async () => {
  const sim = new BitswapWorld(seed);
  const blocks = makeBlocks(sim.prng, 300, 16 * KiB);
  const honest = sim.addNode('honest', { latencyMs: 80 });
  honest.keep(blocks);
  const liars = Array.from({ length: 5 }, (_, i) =>
    sim.addHostile(
      `liar${i}`,
      ({ entries }, say) =>
        say({
          presences: entries.filter(({ type }) => type === 'have').map(({ cid }) => ({ cid, have: true })),
        }),
      { latencyMs: 5 },
    ),
  );
  const leech = sim.addNode('leech', { latencyMs: 5 });
  await sim.connect(leech, ...liars, honest);
  const startMs = sim.nowMs;
  assert.deepEqual(await sim.until(leech.fetch(blocks.map(({ cid }) => cid)), 120_000), { missing: 0 });
  assert.ok(sim.nowMs - startMs < 10_000, `${sim.nowMs - startMs} ms`);
  const named = new Set(leech.faults.map(({ peer, code }) => `${code} ${peer.slice(0, 4)}`));
  assert.deepEqual([...named], ['IPFS_BITSWAP_HAVE_LIE liar']);
  assert.ok(leech.faults.length >= 5);
});

test('a flood of wants: kept ones are bounded, the flooder is named, others are served meanwhile', async () => {
  const sim = new BitswapWorld(seed);
  const server = sim.addNode('server');
  const blocks = makeBlocks(sim.prng, 200, 16 * KiB);
  server.keep(blocks);
  const flooder = sim.addHostile('flooder', () => undefined);
  const honest = sim.addNode('honest');
  await sim.connect(server, honest);
  await sim.until(flooder.overlay.connect('server'));
  const say = flooder.speakTo('server');
  // Wants for blocks that are here, over and over, and 10,000 that are not, in each of 200 messages.
  const real = blocks.map(({ cid }) => have(cid));
  for (let i = 0; i < 200; i++) {
    const fakes = Array.from({ length: 10_000 }, (_, j) => {
      const cid = blocks[0]!.cid.slice();
      new DataView(cid.buffer).setUint32(8, i * 10_000 + j);
      return have(cid);
    });
    say({ entries: [...real, ...fakes] });
    if (server.bans.length > 0) break;
    await sim.world.run(100);
    const view = server.bitswap.peers.find(({ peer }) => peer === 'flooder');
    assert.ok((view?.wantCount ?? 0) <= 1024, `${view?.wantCount}`);
  }
  assert.deepEqual(await sim.until(honest.fetch(blocks.map(({ cid }) => cid)), 60_000), { missing: 0 });
  assert.deepEqual(server.bans, ['flooder']);
  assert.deepEqual([...new Set(server.faults.map(({ code }) => code))], ['IPFS_BITSWAP_FLOOD']);
});

test('two leeches share the upload by bytes, though one wants small blocks and the other large ones', async () => {
  const sim = new BitswapWorld(seed);
  const server = sim.addNode('server', { bytesPerSecond: 1_000_000 });
  const [small, large] = [makeBlocks(sim.prng, 4000, 4 * KiB), makeBlocks(sim.prng, 64, 256 * KiB)];
  server.keep([...small, ...large]);
  const [a, b] = [sim.addNode('a'), sim.addNode('b')];
  await sim.connect(server, a, b);
  void a.fetch(
    small.map(({ cid }) => cid),
    500,
  );
  void b.fetch(
    large.map(({ cid }) => cid),
    64,
  );
  await sim.world.run(12_000);
  const [got, others] = [a.bitswap.counts.bytes, b.bitswap.counts.bytes];
  assert.ok(got > 3_500_000 && others > 3_500_000, `${got} and ${others} of 12 MB`);
  assert.ok(Math.max(got, others) / Math.min(got, others) < 1.4, `${got} and ${others}`);
  a.bitswap.close();
  b.bitswap.close();
});

for (const direction of ['down', 'up'] as const) {
  for (const [rateBytes, blockBytes] of [
    [100_000, 256],
    [1_000_000, 64 * KiB],
    [3_000_000, 256 * KiB],
  ] as const) {
    test(`${rateBytes / 1e6} MB/s ${direction} are kept within 5 %, blocks of ${blockBytes} bytes, and lifted at once`, async () => {
      const sim = new BitswapWorld(seed);
      const rates = { down: new RateLimiter('down', null), up: new RateLimiter('up', null) };
      rates[direction].setLimit(rateBytes);
      const limited = sim.addNode('limited', { rates });
      const others = [sim.addNode('x'), sim.addNode('y')];
      const blocks = makeBlocks(sim.prng, Math.ceil((20 * rateBytes) / blockBytes), blockBytes);
      const [givers, takers] = direction === 'up' ? [[limited], others] : [others, [limited]];
      for (const giver of givers) giver.keep(blocks);
      await sim.connect(limited, ...others);
      for (const taker of takers)
        void taker.fetch(
          blocks.map(({ cid }) => cid),
          200,
        );
      const carriedIn = async (seconds: number): Promise<number> => {
        const before = { ...limited.overlay.carried };
        await sim.world.run(seconds * 1000);
        return limited.overlay.carried[direction] - before[direction];
      };
      await carriedIn(2);
      const perSecond = (await carriedIn(10)) / 10;
      assert.ok(Math.abs(perSecond - rateBytes) <= 0.05 * rateBytes, `${perSecond} B/s`);
      // Who waits looks again within a second.
      rates[direction].setLimit(null);
      const unlimited = await carriedIn(2);
      assert.ok(unlimited > 3 * rateBytes, `${unlimited} bytes in two seconds without a limit`);
      for (const { bitswap } of [limited, ...others]) bitswap.close();
    });
  }
}

test('a limit under which one block takes ten seconds: no source is late, and nothing comes twice', async () => {
  const sim = new BitswapWorld(seed);
  const rates = { down: new RateLimiter('down', null), up: new RateLimiter('up', null) };
  rates.down.setLimit(100_000);
  const limited = sim.addNode('limited', { rates });
  const givers = [sim.addNode('x'), sim.addNode('y')];
  const blocks = makeBlocks(sim.prng, 12, KiB * KiB);
  for (const giver of givers) giver.keep(blocks);
  await sim.connect(limited, ...givers);
  const { missing } = await sim.until(limited.fetch(blocks.map(({ cid }) => cid)), 600_000);
  assert.equal(missing, 0);
  const { duplicateBlocks } = limited.bitswap.counts;
  assert.equal(duplicateBlocks, 0);
  for (const { client } of limited.bitswap.peers) assert.equal(client!.timeouts, 0);
});

test('churn: peers come and go all the time, and the file is whole in the end', async () => {
  const sim = new BitswapWorld(seed);
  const blocks = makeBlocks(sim.prng, 600, 32 * KiB);
  const nodes = Array.from({ length: 12 }, (_, i) => {
    const node = sim.addNode(`n${i}`, { bytesPerSecond: 500_000, latencyMs: 10 + 5 * i });
    node.keep(blocks.filter(() => sim.prng.chance(0.6)));
    return node;
  });
  nodes[0]!.keep(blocks);
  const leech = sim.addNode('leech');
  const fetching = leech.fetch(
    blocks.map(({ cid }) => cid),
    128,
  );
  let done = false;
  void fetching.then(() => {
    done = true;
  });
  for (let round = 0; round < 200 && !done; round++) {
    const node = sim.prng.pick(nodes);
    if (leech.overlay.peers.some(({ peer }) => peer === node.overlay.peer))
      void leech.overlay.disconnect(node.overlay.peer);
    else void leech.overlay.connect(node.overlay.peer).catch(() => undefined);
    await sim.world.run(sim.prng.between(50, 400));
  }
  await sim.until(leech.overlay.connect('n0'));
  assert.deepEqual(await sim.until(fetching), { missing: 0 });
  assert.equal(leech.kept.size, 600);
  assert.deepEqual(leech.bans, []);
});

test('what is not wanted any more is cancelled: nothing is sent for it, and nobody keeps it', async () => {
  const sim = new BitswapWorld(seed);
  const [a, b] = [sim.addNode('a', { bytesPerSecond: 100_000 }), sim.addNode('b')];
  const blocks = makeBlocks(sim.prng, 100, 64 * KiB);
  a.keep(blocks);
  await sim.connect(b, a);
  const end = new AbortController();
  const session = b.bitswap.openSession();
  const gets = blocks.map(({ cid }) => b.bitswap.get(session, cid, end.signal));
  await sim.world.run(1000);
  end.abort();
  const got = (await sim.until(Promise.all(gets))).filter((bytes) => bytes !== null).length;
  await sim.world.run(60_000);
  assert.equal(b.bitswap.wantlist.length, 0);
  assert.equal(a.bitswap.peers[0]!.wantCount, 0);
  // What was in the pipe: a megabyte in the stream, one message that was being read.
  assert.ok(a.bitswap.peers[0]!.sentBlocks <= got + 18, `${a.bitswap.peers[0]!.sentBlocks} after ${got}`);
  assert.deepEqual(b.faults, []);
});
