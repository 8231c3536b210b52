import assert from 'node:assert/strict';
import { open, readFile, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { allowedFastLimits } from './core/allowed-fast.ts';
import { assertContent, makeContent, withBench } from './service.fixture.ts';

const small = makeContent([300_000, 5, 0, 700_001]);

for (const version of ['v1', 'v2', 'hybrid'] as const) {
  test(`a torrent is made, seeded and downloaded: ${version}`, () =>
    withBench(async (bench) => {
      const [seeder, leech] = [await bench.start('seed'), await bench.start('leech')];
      const { torrent } = await bench.seed(seeder, small, version);
      const id = await bench.get(leech, torrent, seeder);
      await leech.until(id, ({ state }) => state === 'seeding');
      await leech.until(id, () => leech.eventsOf('bittorrent.torrent.finished').length > 0);
      await assertContent(leech.folder, small);
      const { pieceCount, doneBytes, wantedBytes, downloadedBytes, wastedBytes } = leech.snapshot(id);
      assert.deepEqual([doneBytes, wantedBytes], [1_000_006, 1_000_006]);
      assert.ok(downloadedBytes >= 1_000_006 && wastedBytes < 200_000);
      const kept = leech.eventsOf('bittorrent.pieces.kept').flatMap(({ pieces }) => pieces);
      assert.deepEqual(
        kept.sort((a, b) => a - b),
        Array.from({ length: pieceCount }, (_, piece) => piece),
      );
      assert.deepEqual(leech.eventsOf('bittorrent.peer.banned'), []);
      await seeder.until(id, ({ peerCount }) => peerCount === 0);
    }));
}

test('a magnet link is enough', () =>
  withBench(async (bench) => {
    const [seeder, leech] = [await bench.start('seed'), await bench.start('leech')];
    const { torrent, id } = await bench.seed(seeder, small, 'hybrid', 16_384);
    const { magnet } = leech.service.show({ torrent });
    await leech.service.add({ magnet }, { folder: leech.folder, peers: [seeder.address] });
    await leech.until(id, ({ state }) => state === 'seeding');
    await assertContent(leech.folder, small);
    assert.deepEqual(
      leech.service.show({ torrent: leech.service.exportTorrent(id)! }),
      leech.service.show({ torrent }),
    );
  }));

test('selected files first, others later', () =>
  withBench(async (bench) => {
    const content = makeContent([200_000, 300_000, 250_000]);
    const [seeder, leech] = [await bench.start('seed'), await bench.start('leech')];
    const { torrent } = await bench.seed(seeder, content);
    const id = await bench.get(leech, torrent, seeder, { select: ['1.bin'] });
    await leech.until(id, () => leech.eventsOf('bittorrent.torrent.finished').length === 1);
    await assertContent(leech.folder, content, [0, 2]);
    assert.equal(leech.snapshot(id).wantedBytes, 300_000);
    const want = async (name: string): Promise<void> => {
      const { index } = leech.snapshot(id).files.find(({ path }) => path.endsWith(name))!;
      const before = leech.eventsOf('bittorrent.torrent.finished').length;
      await leech.service.setFilePriority(id, [index], 4);
      await leech.until(id, () => leech.eventsOf('bittorrent.torrent.finished').length > before);
    };
    await want('2.bin');
    await assertContent(leech.folder, content, [0]);
    await want('0.bin');
    await assertContent(leech.folder, content);
  }));

/** Into how many ascending sequences the numbers can be dealt, at least: a random order of 92 has about 17. */
function ascendingRunCount(numbers: readonly number[]): number {
  const tails: number[] = [];
  for (const number of numbers) {
    const fitting = tails.filter((tail) => tail < number);
    if (fitting.length === 0) tails.push(number);
    else tails[tails.indexOf(Math.max(...fitting))] = number;
  }
  return tails.length;
}

test('sequential: pieces come in order', () =>
  withBench(async (bench) => {
    const content = makeContent([3_000_000]);
    const [seeder, leech] = [await bench.start('seed'), await bench.start('leech')];
    const { torrent } = await bench.seed(seeder, content, 'v1', 32_768);
    const id = await bench.get(leech, torrent, seeder, { sequential: true });
    await leech.until(id, ({ state }) => state === 'seeding');
    const order = leech.eventsOf('bittorrent.piece.verified').map(({ piece }) => piece);
    assert.equal(order.length, 92);
    // Each disk thread verifies in order; before that come the pieces that were allowed while we were choked.
    const threadCount = Math.max(2, availableParallelism() - 1);
    assert.ok(
      ascendingRunCount(order) <= Math.min(threadCount, 8) + allowedFastLimits.pieceCountMax,
      `${order}`,
    );
  }));

test('a paused torrent does nothing, and goes on where it was', () =>
  withBench(async (bench) => {
    const content = makeContent([3_000_000]);
    const [seeder, leech] = [await bench.start('seed', { limitUp: 3_000_000 }), await bench.start('leech')];
    const { torrent } = await bench.seed(seeder, content);
    const id = await bench.get(leech, torrent, seeder);
    await leech.until(id, ({ havePieceCount }) => havePieceCount >= 5);
    await leech.service.pause(id);
    await leech.until(id, ({ state, peerCount }) => state === 'paused' && peerCount === 0);
    await seeder.until(id, ({ peerCount }) => peerCount === 0);
    const before = leech.snapshot(id).downloadedBytes;
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(leech.snapshot(id).downloadedBytes, before);
    await leech.service.resume(id);
    await leech.until(id, ({ state }) => state === 'seeding');
    await assertContent(leech.folder, content);
    assert.ok(leech.snapshot(id).downloadedBytes < 4_000_000, 'what it had was not fetched again');
  }));

test('a recheck finds what was damaged, and it is fetched again', () =>
  withBench(async (bench) => {
    const [seeder, leech] = [await bench.start('seed'), await bench.start('leech')];
    const { torrent } = await bench.seed(seeder, small);
    const id = await bench.get(leech, torrent, seeder);
    await leech.until(id, () => leech.eventsOf('bittorrent.torrent.finished').length === 1);
    const file = await open(join(leech.folder, 'content/0.bin'), 'r+');
    await file.write(new Uint8Array(10), 0, 10, 100_000);
    await file.close();
    await leech.service.recheck(id);
    await leech.until(id, () => leech.eventsOf('bittorrent.torrent.finished').length === 2);
    await assertContent(leech.folder, small);
    const { downloadedBytes } = leech.snapshot(id);
    assert.ok(downloadedBytes < 1_000_006 + 200_000, `${downloadedBytes}: only what was wrong`);
  }));

test('content is moved and renamed while it is downloaded', () =>
  withBench(async (bench) => {
    const content = makeContent([1_000_000, 1_500_000]);
    const [seeder, leech] = [await bench.start('seed', { limitUp: 3_000_000 }), await bench.start('leech')];
    const { torrent } = await bench.seed(seeder, content);
    const id = await bench.get(leech, torrent, seeder);
    await leech.until(id, ({ havePieceCount }) => havePieceCount >= 4);
    const elsewhere = join(bench.root, 'elsewhere');
    await leech.service.move(id, elsewhere);
    await leech.until(id, ({ havePieceCount }) => havePieceCount >= 12);
    await leech.service.renameFile(id, 0, 'content/new-name.bin');
    await leech.until(id, () => leech.eventsOf('bittorrent.torrent.finished').length === 1);
    const [first, second] = content.files;
    assert.equal(Buffer.compare(await readFile(join(elsewhere, 'content/new-name.bin')), first!.bytes), 0);
    assert.equal(Buffer.compare(await readFile(join(elsewhere, 'content/inner/1.bin')), second!.bytes), 0);
    await assert.rejects(stat(join(leech.folder, 'content')));
    await leech.service.recheck(id);
    await leech.until(
      id,
      ({ state, havePieceCount, pieceCount }) => state === 'seeding' && havePieceCount === pieceCount,
    );
  }));

test('a torrent is removed with its content, in the middle and at the end', () =>
  withBench(async (bench) => {
    const content = makeContent([2_000_000, 100_000]);
    const [seeder, leech] = [await bench.start('seed', { limitUp: 3_000_000 }), await bench.start('leech')];
    const { torrent } = await bench.seed(seeder, content);
    for (const pieceCount of [4, 33]) {
      const id = await bench.get(leech, torrent, seeder);
      await leech.until(id, ({ havePieceCount }) => havePieceCount >= pieceCount);
      await leech.service.remove(id, { removeContent: true });
      assert.equal(leech.service.torrent(id), null);
      await assert.rejects(stat(join(leech.folder, 'content')), 'nothing is left of it');
    }
  }));
