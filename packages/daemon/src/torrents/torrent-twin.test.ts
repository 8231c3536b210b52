import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ListedTorrent, RunningDaemon } from '@tequio/api';
import { encodeUtf8 } from '@tequio/kernel';
import { startDaemon } from '../start-daemon.ts';

const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;

async function withDaemon(work: (daemon: RunningDaemon, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-twin-'));
  const daemon = await startDaemon({
    dataFolder: join(folder, 'data'),
    configPath: null,
    env: {},
    flags: {
      bittorrent: { port: 0, dht: false, portMapping: false, lsd: false },
      http: { enabled: false },
    },
    version: '9',
    pageFolder: null,
    countryFile: null,
  });
  try {
    await work(daemon, folder);
  } finally {
    await daemon.close();
    rmSync(folder, { recursive: true });
  }
}

async function until(daemon: RunningDaemon, id: string, state: string): Promise<ListedTorrent> {
  for (const endMs = Date.now() + 60_000; Date.now() < endMs; ) {
    const torrent = await daemon.management.torrents.get(id);
    if (torrent?.state === state) return torrent;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return assert.fail(`${id} is not ${state}`);
}

for (const version of ['v2', 'hybrid'] as const) {
  test(`a ${version} twin of a v1 torrent: the same files, the same category, both are shared`, () =>
    withDaemon(async (daemon, folder) => {
      const { torrents } = daemon.management;
      mkdirSync(join(folder, 'album', 'inner'), { recursive: true });
      writeFileSync(join(folder, 'album', 'a.bin'), encodeUtf8('a'.repeat(70_000)));
      writeFileSync(join(folder, 'album', 'inner', 'b.bin'), encodeUtf8('b'.repeat(30_001)));
      const trackers = [['http://t.invalid/announce']];
      const torrent = await daemon.bittorrent.create({
        path: join(folder, 'album'),
        version: 'v1',
        trackers,
        source: 'x',
      });
      // Beside the torrent's files, and no part of it.
      writeFileSync(join(folder, 'album', 'stranger.txt'), 'not ours');
      await torrents.putCategory({
        name: 'music',
        folder: null,
        finishedFolder: null,
        limits: { down: null, up: null },
        shareGoal: null,
      });
      const { id } = await torrents.add({
        source: { torrent },
        folder,
        seed: true,
        category: 'music',
        tags: ['kept'],
      });
      await until(daemon, id, 'seeding');
      await torrents.renameFile(id, 1, 'album/inner/renamed.bin');
      const twin = await torrents.makeTwin(id, version);
      assert.equal(twin.known, false);
      const row = await until(daemon, twin.id, 'seeding');
      assert.deepEqual(
        [row.name, row.folder, row.category, row.tags, row.totalBytes >= 100_001],
        ['album', folder, 'music', ['kept'], true],
      );
      const shown = (await torrents.show(twin.id))!;
      assert.equal(shown.infoHashV1 === null, version === 'v2');
      assert.notEqual(shown.infoHashV2, null);
      assert.deepEqual([shown.trackers, shown.source], [trackers, 'x']);
      assert.deepEqual(
        shown.files.filter(({ pad }) => !pad).map(({ path, bytes }) => [path, bytes]),
        [
          ['album/a.bin', 70_000],
          ['album/inner/renamed.bin', 30_001],
        ],
      );
      assert.equal((await torrents.get(id))?.state, 'seeding');
      // The twin goes, the files and the first torrent stay.
      await torrents.remove([twin.id]);
      assert.equal(readFileSync(join(folder, 'album', 'a.bin')).length, 70_000);
      await torrents.recheck([id]);
      await until(daemon, id, 'seeding');
    }));
}

test('a torrent of one file has a twin too; one that lacks something, or is of version 2, has none', () =>
  withDaemon(async (daemon, folder) => {
    const { torrents } = daemon.management;
    writeFileSync(join(folder, 'film.bin'), encodeUtf8('film '.repeat(10_000)));
    const torrent = await daemon.bittorrent.create({ path: join(folder, 'film.bin'), version: 'v1' });
    const { id } = await torrents.add({ source: { torrent }, folder, seed: true });
    await until(daemon, id, 'seeding');
    const twin = await torrents.makeTwin(id, 'hybrid');
    await until(daemon, twin.id, 'seeding');
    await assert.rejects(torrents.makeTwin(twin.id, 'v2'), code('TWIN_VERSION'));
    // Again is the same torrent.
    assert.deepEqual(await torrents.makeTwin(id, 'hybrid'), { id: twin.id, known: true });
    await torrents.remove([id, twin.id], { removeContent: true });
    const { id: empty } = await torrents.add({ source: { torrent }, folder: join(folder, 'elsewhere') });
    await until(daemon, empty, 'downloading');
    await assert.rejects(torrents.makeTwin(empty, 'hybrid'), code('TWIN_INCOMPLETE'));
  }));
