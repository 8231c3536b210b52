/** Many torrents in one process, and what players and careful users ask for, over real sockets and files. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeUtf8 } from '@tequio/kernel';
import { assertContent, makeContent, withBench } from './service.fixture.ts';
import { encodeBencode } from './wire/bencode.ts';

const torrentCount = 100;

test(`${torrentCount} torrents are downloaded at once, by one node from one other`, (t) =>
  withBench(async (bench) => {
    const [seeder, leech] = [await bench.start('seed'), await bench.start('leech')];
    const contents = Array.from({ length: torrentCount }, (_, n) => ({
      ...makeContent([60_000 + n, 20_000], n + 1),
      name: `content-${n}`,
    }));
    const torrents: Uint8Array[] = [];
    for (const content of contents) torrents.push((await bench.seed(seeder, content, 'v1', 16_384)).torrent);
    const startMs = performance.now();
    const ids = await Promise.all(torrents.map((torrent) => bench.get(leech, torrent, seeder)));
    assert.equal(new Set(ids).size, torrentCount);
    for (const id of ids) await leech.until(id, ({ state }) => state === 'seeding', 60_000);
    t.diagnostic(`${Math.round(performance.now() - startMs)} ms`);
    for (const content of contents) await assertContent(leech.folder, content);
    assert.deepEqual(leech.eventsOf('bittorrent.peer.banned'), []);
  }));

test('the total of connections is kept over all torrents, and all complete by turns', () =>
  withBench(async (bench) => {
    const seeder = await bench.start('seed');
    const leech = await bench.start('leech', { totalConnectionCountMax: 5 });
    const contents = Array.from({ length: 12 }, (_, n) => ({
      ...makeContent([200_000], n + 1),
      name: `c-${n}`,
    }));
    const torrents: Uint8Array[] = [];
    for (const content of contents) torrents.push((await bench.seed(seeder, content)).torrent);
    const ids = await Promise.all(torrents.map((torrent) => bench.get(leech, torrent, seeder)));
    for (const id of ids) {
      await leech.until(id, ({ state }) => state === 'seeding', 60_000);
      const open = leech.service.torrents().reduce((sum, { peerCount }) => sum + peerCount, 0);
      assert.ok(open <= 5, `${open}`);
    }
    for (const content of contents) await assertContent(leech.folder, content);
  }));

test('preallocation: every wanted file has its whole length, and its place on the disk, before the first byte', () =>
  withBench(async (bench) => {
    const content = makeContent([3_000_000, 500_000]);
    const [seeder, leech] = [await bench.start('seed', { limitUp: 1 }), await bench.start('leech')];
    const { torrent } = await bench.seed(seeder, content);
    const id = await bench.get(leech, torrent, seeder, { preallocate: true, select: ['0.bin'] });
    await leech.until(id, ({ state }) => state === 'downloading');
    const { size, blocks } = await stat(join(leech.folder, 'content/0.bin'));
    assert.deepEqual([size, blocks * 512 >= 3_000_000], [3_000_000, true]);
    await assert.rejects(stat(join(leech.folder, 'content/inner/1.bin')), 'not wanted');
    seeder.service.setLimits({ down: null, up: null });
    await leech.until(id, () => leech.eventsOf('bittorrent.torrent.finished').length > 0, 30_000);
    await assertContent(leech.folder, content, [1]);
  }));

test('a disk that becomes read-only is said, and the download goes on when it can be written', (t) =>
  withBench(async (bench) => {
    const folder = join(bench.root, 'mounted');
    await mkdir(folder);
    const mount = (...args: string[]): boolean => spawnSync('mount', args, { stdio: 'ignore' }).status === 0;
    if (process.getuid?.() !== 0 || !mount('-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', folder)) {
      t.skip('only root may mount a file system');
      return;
    }
    try {
      const content = makeContent([1_000_000, 3_000_000]);
      const [seeder, leech] = [await bench.start('seed', { limitUp: 4_000_000 }), await bench.start('leech')];
      const { torrent } = await bench.seed(seeder, content);
      assert.ok(mount('-o', 'remount,ro', folder));
      const id = await bench.get(leech, torrent, seeder, { folder });
      await leech.until(id, ({ state }) => state === 'error');
      assert.equal(leech.eventsOf('bittorrent.torrent.failed')[0]?.code, 'BITTORRENT_DISK_DENIED');
      assert.ok(mount('-o', 'remount,rw', folder));
      await leech.until(id, ({ state }) => state === 'seeding', 30_000);
      assert.equal(leech.eventsOf('bittorrent.torrent.recovered').length, 1);
      await assertContent(folder, content);
      await leech.service.remove(id);
    } finally {
      spawnSync('umount', ['-l', folder]);
    }
  }));

test('links and clashing names inside a torrent: nothing leaves the folder, every file has a place of its own', () =>
  withBench(async (bench) => {
    const content = { ...makeContent([1000, 2000]), name: 'content' };
    const seeder = await bench.start('seed');
    await bench.seed(seeder, content);
    const file = (path: readonly string[], bytes: number, more: object = {}): object => ({
      ...more,
      length: bytes,
      path: path.map(encodeUtf8),
    });
    const info = {
      files: [
        file(['..', '..', 'escaped.txt'], 10),
        file(['Readme.TXT'], 10),
        file(['README.txt'], 10),
        file(['con'], 10),
        file(['link'], 0, {
          attr: encodeUtf8('l'),
          'symlink path': ['..', '..', 'etc', 'passwd'].map(encodeUtf8),
        }),
      ],
      name: encodeUtf8('tricky'),
      'piece length': 16_384,
      pieces: new Uint8Array(20),
    };
    const torrent = encodeBencode({ info } as never);
    const shown = seeder.service.show({ torrent });
    const paths = shown.files.map(({ path }) => path);
    assert.ok(
      paths.every((path) => path.startsWith('tricky/') && !path.includes('..')),
      `${paths}`,
    );
    assert.equal(new Set(paths.map((path) => path.toLowerCase())).size, paths.length);
    assert.ok(shown.nameChanges.length >= 3, JSON.stringify(shown.nameChanges));
    const leech = await bench.start('leech');
    const id = await leech.service.add({ torrent }, { folder: join(leech.folder, 'in') });
    await leech.until(id, ({ state }) => state === 'downloading');
    assert.deepEqual(
      (await readdir(leech.folder)).filter((name) => name.includes('escaped')),
      [],
    );
  }));
