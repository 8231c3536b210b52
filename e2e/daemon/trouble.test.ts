/** What goes wrong with a disk, told by the daemon as a sentence, and got over when its cause is gone. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LabDaemon } from '../lab/daemon.ts';
import { makeTorrentFile } from '../lab/made-torrent.ts';
import { skipWithout } from '../lab/missing.ts';
import { until } from '../lab/until.ts';

const content = randomBytes(6 << 20);

/** A seeder and a folder; removes everything afterwards. */
async function withSeeder(
  work: (root: string, torrent: string, peer: string) => Promise<void>,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'tequio-trouble-'));
  mkdirSync(join(root, 'seeds'));
  mkdirSync(join(root, 'seeder'));
  writeFileSync(join(root, 'seeds', 'content.bin'), content);
  const torrent = makeTorrentFile('content.bin', content, 65_536).toString('base64');
  const seeder = new LabDaemon(join(root, 'seeder'));
  try {
    await seeder.start();
    await seeder.ask('POST', 'torrents', { source: { torrent }, folder: join(root, 'seeds'), seed: true });
    await work(root, torrent, `127.0.0.1:${await seeder.port()}`);
  } finally {
    await seeder.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

function mount(folder: string, ...options: string[]): boolean {
  mkdirSync(folder, { recursive: true });
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options.join(','), 'tmpfs', folder]).status === 0;
}

test('a full disk of content: the torrent says so, waits, and goes on when there is room', (t) =>
  withSeeder(async (root, torrent, peer) => {
    const small = join(root, 'small');
    if (!mount(small, 'size=4m')) return skipWithout(t, 'no right to mount');
    const leech = new LabDaemon(join(root, 'leech'));
    try {
      await leech.start();
      await leech.ask('POST', 'torrents', { source: { torrent }, folder: small, peers: [peer] });
      const failed = await until('it says that the disk is full', 20_000, async () =>
        (await leech.torrents()).find(({ state }) => state === 'error'),
      );
      assert.match(`${failed.errorCode} ${failed.error}`, /DISK_FULL .*(full|space)/i);
      spawnSync('mount', ['-o', 'remount,size=40m', small]);
      await until('it goes on by itself', 60_000, async () =>
        (await leech.torrents()).find(({ state }) => state === 'seeding'),
      );
    } finally {
      await leech.stop();
      spawnSync('umount', [small]);
    }
  }));

test('a full disk under the data folder: what was acknowledged is there afterwards', (t) =>
  withSeeder(async (root, torrent) => {
    const small = join(root, 'data');
    if (!mount(small, 'size=1m')) return skipWithout(t, 'no right to mount');
    const daemon = new LabDaemon(join(small, 'node'));
    try {
      mkdirSync(join(small, 'node'));
      await daemon.start();
      const { id } = await daemon.ask<{ id: string }>('POST', 'torrents', {
        source: { torrent },
        folder: root,
        paused: true,
      });
      spawnSync('dd', ['if=/dev/zero', `of=${join(small, 'filler')}`, 'bs=4k']);
      const refused = await daemon
        .ask('PATCH', 'torrents', { ids: [id], patch: { comment: 'x'.repeat(9000) } })
        .then(() => '', String);
      assert.match(refused, /full|space|DATABASE/i, 'a change that cannot be kept is refused');
      rmSync(join(small, 'filler'));
      await daemon.ask('PATCH', 'torrents', { ids: [id], patch: { comment: 'later' } });
      await daemon.kill();
      await daemon.start();
      assert.deepEqual(
        (await daemon.torrents()).map((row) => [row.id, (row as unknown as { comment: string }).comment]),
        [[id, 'later']],
      );
    } finally {
      await daemon.stop();
      spawnSync('umount', [small]);
    }
  }));

test('a data folder that cannot be written is a sentence, and nothing is made', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'tequio-trouble-'));
  const folder = join(root, 'read-only');
  try {
    if (!mount(folder, 'size=1m') || spawnSync('mount', ['-o', 'remount,ro', folder]).status !== 0)
      return skipWithout(t, 'no right to mount');
    const daemon = new LabDaemon(join(folder, 'node'));
    const running = daemon.spawn();
    assert.equal((await running.exited).code, 74);
    assert.match(running.stderr, /The data folder cannot be used: .*read-only/i);
    assert.ok(!existsSync(join(folder, 'node')));
  } finally {
    spawnSync('umount', [folder]);
    rmSync(root, { recursive: true, force: true });
  }
});

test('a second daemon in the same folder says who is there, and the first works on', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tequio-trouble-'));
  const first = new LabDaemon(root);
  try {
    await first.start();
    const second = new LabDaemon(root);
    const running = second.spawn();
    assert.equal((await running.exited).code, 74);
    assert.match(running.stderr, new RegExp(`process ${first.running.child.pid}\\).*It answers at http`));
    assert.deepEqual(await first.torrents(), []);
  } finally {
    await first.stop();
    rmSync(root, { recursive: true, force: true });
  }
});
