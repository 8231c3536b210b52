/** What one torrent takes from another, where a node has several users. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Identity, ListedTorrent, RunningDaemon } from '@tequio/api';
import { startDaemon } from '../start-daemon.ts';

async function withDaemon(work: (daemon: RunningDaemon, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-reuse-'));
  const daemon = await startDaemon({
    dataFolder: join(folder, 'data'),
    configPath: null,
    env: {},
    flags: {
      bittorrent: { port: 0, dht: false, portMapping: false, lsd: false, pex: false },
      folders: { download: join(folder, 'downloads') },
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

async function until(
  daemon: RunningDaemon,
  id: string,
  isSo: (torrent: ListedTorrent) => boolean,
): Promise<void> {
  for (const endMs = Date.now() + 60_000; Date.now() < endMs; ) {
    const torrent = await daemon.management.torrents.get(id);
    if (torrent !== null && isSo(torrent)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`${id} is not as it should be`);
}

const ana: Identity = { user: 'ana', scope: 'write' };

/** Content that ana has, and another torrent of it. */
async function shared(
  daemon: RunningDaemon,
  folder: string,
): Promise<{ readonly here: string; readonly other: Uint8Array; readonly bytes: Uint8Array }> {
  const { users } = daemon.management;
  const own = join(folder, 'ana');
  mkdirSync(own);
  await users.putUser({ name: 'ana', scope: 'write', folder: own, quotaBytes: null, torrentCountMax: null });
  const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
  writeFileSync(join(own, 'diary.bin'), bytes);
  const path = join(own, 'diary.bin');
  const torrent = await daemon.bittorrent.create({ path, version: 'v1', pieceBytes: 32_768 });
  const other = await daemon.bittorrent.create({ path, version: 'v2', pieceBytes: 16_384 });
  const added = await daemon.management
    .as(ana)
    .torrents.add({ source: { torrent }, folder: own, seed: true });
  await until(daemon, added.id, ({ state }) => state === 'seeding');
  return { here: added.id, other, bytes };
}

test('one user learns nothing of what another has, until the owner lets it', () =>
  withDaemon(async (daemon, folder) => {
    const { torrents, settings } = daemon.management;
    const { here, other, bytes } = await shared(daemon, folder);
    assert.equal((await torrents.get(here))?.owner, 'ana');
    const { id } = await torrents.add({ source: { torrent: other } });
    await until(daemon, id, ({ state }) => state === 'downloading');
    // Looked for again, with both there.
    await torrents.recheck([id]);
    await until(daemon, id, ({ state }) => state === 'downloading');
    await settings.patch({ bittorrent: { reuse: 'off' } });
    await settings.patch({ bittorrent: { reuse: 'own' } });
    assert.equal((await torrents.get(id))?.doneBytes, 0);
    await settings.patch({ bittorrent: { reuse: 'all' } });
    await until(daemon, id, ({ state }) => state === 'seeding');
    assert.deepEqual(new Uint8Array(readFileSync(join(folder, 'downloads', 'diary.bin'))), bytes);
    assert.equal((await torrents.get(id))?.downloadedBytes, 0);
  }));

test('a user’s own torrents feed each other', () =>
  withDaemon(async (daemon, folder) => {
    const { other } = await shared(daemon, folder);
    const { id } = await daemon.management
      .as(ana)
      .torrents.add({ source: { torrent: other }, folder: join(folder, 'ana', 'second') });
    await until(daemon, id, ({ state }) => state === 'seeding');
  }));
