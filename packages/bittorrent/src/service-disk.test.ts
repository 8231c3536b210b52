/** What goes wrong with disks, and that a torrent goes on by itself when the cause is gone. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertContent, makeContent, withBench } from './service.fixture.ts';

/** Far more than the disk takes and all that can be on its way. */
const contentBytes = 40_000_000;
/** Open files are looked up by name at least this often. */
const noticeMs = 1100;

function mount(...args: string[]): boolean {
  return spawnSync('mount', args, { stdio: 'ignore' }).status === 0;
}

for (const pieceBytes of [65_536, 2_097_152]) {
  test(`a full disk stops a download, and it goes on when there is space: pieces of ${pieceBytes} bytes`, (t) =>
    withBench(async (bench) => {
      const folder = join(bench.root, 'tiny');
      await mkdir(folder);
      if (process.getuid?.() !== 0 || !mount('-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder)) {
        t.skip('only root may mount a tiny file system');
        return;
      }
      try {
        const content = makeContent([contentBytes]);
        const seeder = await bench.start('seed', { limitUp: 4_000_000 });
        const leech = await bench.start('leech');
        const { torrent } = await bench.seed(seeder, content, 'v1', pieceBytes);
        const id = await bench.get(leech, torrent, seeder, { folder });
        await leech.until(id, ({ state }) => state === 'error');
        assert.match(leech.snapshot(id).error ?? '', /space.*by itself\.$/);
        assert.equal(leech.eventsOf('bittorrent.torrent.failed')[0]?.code, 'BITTORRENT_DISK_FULL');
        assert.equal(seeder.snapshot(id).state, 'seeding');
        // What was on its way comes; the probes of the next seconds ask for nothing new.
        await leech.untilStill(id, ({ downloadedBytes }) => downloadedBytes, 2500);
        assert.equal(leech.snapshot(id).state, 'error');
        assert.ok(leech.snapshot(id).downloadedBytes < contentBytes);
        assert.ok(mount('-o', 'remount,size=64m', folder));
        seeder.service.setLimits({ down: null, up: null });
        await leech.until(id, ({ state }) => state === 'seeding');
        assert.equal(leech.eventsOf('bittorrent.torrent.recovered').length, 1);
        await assertContent(folder, content);
        await leech.service.remove(id);
      } finally {
        spawnSync('umount', ['-l', folder]);
      }
    }));
}

test('a file that vanished while it was seeded is asked back, and served again when it is there', () =>
  withBench(async (bench) => {
    const content = makeContent([1_000_000, 200_000]);
    const [seeder, leech] = [await bench.start('seed'), await bench.start('leech')];
    const { torrent, id } = await bench.seed(seeder, content);
    const file = join(seeder.folder, 'content/0.bin');
    await rename(file, `${file}.away`);
    await new Promise((resolve) => setTimeout(resolve, noticeMs));
    await bench.get(leech, torrent, seeder);
    await seeder.until(id, ({ state }) => state === 'error');
    const failed = seeder.eventsOf('bittorrent.torrent.failed');
    assert.equal(failed[0]?.code, 'BITTORRENT_FILE_MISSING');
    assert.match(failed[0]?.message ?? '', /0\.bin.*Put it back/);
    await rename(`${file}.away`, file);
    await seeder.until(id, ({ state }) => state === 'seeding');
    assert.equal(seeder.eventsOf('bittorrent.torrent.recovered').length, 1);
    await leech.until(id, ({ state }) => state === 'seeding', 30_000);
    await assertContent(leech.folder, content);
  }));

test('a file that was cut short is noticed, and a recheck downloads what is gone', () =>
  withBench(async (bench) => {
    const content = makeContent([1_000_000, 200_000]);
    const [first, second] = [await bench.start('first'), await bench.start('second')];
    const { torrent, id } = await bench.seed(first, content);
    await bench.get(second, torrent, first);
    await second.until(id, ({ state }) => state === 'seeding');
    await truncate(join(second.folder, 'content/0.bin'), 300_000);
    await second.service.recheck(id);
    await second.until(id, () => second.eventsOf('bittorrent.torrent.finished').length === 2, 30_000);
    await assertContent(second.folder, content);
  }));

test('content that was deleted while it was downloaded is missed, and a recheck begins anew', () =>
  withBench(async (bench) => {
    const content = makeContent([2_000_000, 200_000]);
    const [seeder, leech] = [await bench.start('seed', { limitUp: 1_000_000 }), await bench.start('leech')];
    const { torrent } = await bench.seed(seeder, content);
    const id = await bench.get(leech, torrent, seeder);
    await leech.until(id, ({ havePieceCount }) => havePieceCount > 8);
    await rm(join(leech.folder, 'content'), { recursive: true });
    await leech.until(id, ({ state }) => state === 'error');
    assert.equal(leech.eventsOf('bittorrent.torrent.failed')[0]?.code, 'BITTORRENT_FILE_MISSING');
    await leech.service.recheck(id);
    await leech.until(id, ({ state }) => state === 'seeding', 30_000);
    await assertContent(leech.folder, content);
  }));
