/**
 * Programs and libraries that others made for Transmission, qBittorrent and aria2, unchanged, against `tequio run`:
 * each adds a torrent whose content is there, sees it complete, changes it, and removes it.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { QBittorrent } from '@ctrl/qbittorrent';
import { Transmission } from '@ctrl/transmission';
// @ts-expect-error it has no types
import Aria2 from 'aria2';
import { makeContent } from '../lab/content.ts';
import { runTequio } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';
import { TequioDaemon } from './daemon.ts';

const isRemoteHere = await promisify(execFile)('transmission-remote', ['--version']).then(
  () => true,
  () => env['TEQUIO_REQUIRE_PEERS'] === '1',
);

suite('foreign clients against the daemon', () => {
  let folder: string;
  let source: string;
  let file: string;
  let infoHash: string;
  let daemon: TequioDaemon;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tequio-compat-'));
    source = join(folder, 'source');
    const files = [
      { path: 'one.bin', bytes: 200_000 },
      { path: 'in/two.bin', bytes: 50_000 },
    ];
    makeContent(join(source, 'pair'), files, 1);
    file = join(folder, 'pair.torrent');
    const made = await runTequio(['create', join(source, 'pair'), '-o', file, '--json'], folder);
    assert.equal(made.code, 0, made.stderr);
    const shown = await runTequio(['show', file, '--json'], folder);
    infoHash = (JSON.parse(shown.stdout) as { infoHashV1: string }).infoHashV1;
    daemon = await TequioDaemon.start(folder, source);
  });
  after(async () => {
    await daemon?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const bytes = (): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(file));

  test('transmission-remote', { skip: isRemoteHere ? false : 'not installed here' }, async () => {
    const remote = async (...args: string[]): Promise<string> => {
      const host = new URL(daemon.origin).host;
      const all = [host, '--auth', `any:${daemon.token}`, ...args];
      return (await promisify(execFile)('transmission-remote', all, { timeout: 10_000 })).stdout;
    };
    assert.match(await remote('-a', file), /success/);
    await until('it is complete', 15_000, async () => /100%.*Idle|100%.*Seeding/.test(await remote('-l')));
    assert.match(await remote('-t', infoHash, '-i'), /Percent Done: 100%/);
    assert.match(await remote('-t', infoHash, '-f'), /pair\/in\/two\.bin/);
    await remote('-t', infoHash, '-S');
    assert.match(await remote('-l'), /Stopped\s+pair|Finished\s+pair/);
    await remote('-t', infoHash, '-L', 'red', '-d', '100');
    assert.match(await remote('-t', infoHash, '-i'), /Labels: red[\s\S]*Download Limit: 100 kB\/s/);
    await remote('-t', infoHash, '--remove');
    assert.doesNotMatch(await remote('-l'), /pair/);
  });

  test('@ctrl/transmission', async () => {
    const client = new Transmission({
      baseUrl: `${daemon.origin}/`,
      username: 'any',
      password: daemon.token,
    });
    const reply = await client.addTorrent(Buffer.from(bytes()), { 'download-dir': source });
    const { id } = reply.arguments['torrent-added'];
    const seeding = await until('it is complete', 15_000, async () => {
      const torrent = await client.getTorrent(id);
      return torrent.progress === 1 && torrent.state === 'seeding' ? torrent : false;
    });
    assert.deepEqual([seeding.name, seeding.savePath, seeding.totalSize], ['pair', source, 250_000]);
    await client.setTorrent(id, { labels: ['blue'] });
    assert.equal((await client.getTorrent(infoHash)).label, 'blue');
    await client.pauseTorrent(id);
    assert.equal((await client.getTorrent(id)).state, 'paused');
    await client.removeTorrent(id);
    assert.equal((await client.getAllData()).torrents.length, 0);
  });

  test('@ctrl/qbittorrent', async () => {
    const client = new QBittorrent({ baseUrl: `${daemon.origin}/`, apiKey: daemon.token });
    await client.createCategory('films', source);
    await client.addTorrent(bytes(), { category: 'films', tags: 'a,b' });
    await until(
      'it is complete',
      15_000,
      async () => (await client.getTorrent(infoHash)).state === 'seeding',
    );
    const main = await client.getSyncMainData();
    assert.equal(main.torrents![infoHash]!.category, 'films');
    assert.deepEqual(
      ['a', 'b'].filter((tag) => !main.tags!.includes(tag)),
      [],
    );
    await client.stopTorrent(infoHash);
    const [row] = await client.listTorrents({ filter: 'stopped' });
    assert.deepEqual([row!.state, row!.content_path, row!.progress], ['stoppedUP', join(source, 'pair'), 1]);
    assert.equal((await client.torrentFiles(infoHash)).length, 2);
    // Content comes from the second origin, to which the answer leads.
    const downloaded = await client.downloadTorrentFile(infoHash, 1);
    const name = (await client.torrentFiles(infoHash))[1]!.name;
    assert.deepEqual(Buffer.from(downloaded), readFileSync(join(source, name)));
    const later = await client.getSyncMainData(main.rid);
    assert.equal(later.torrents![infoHash]!.state, 'stoppedUP');
    assert.equal(later.full_update, undefined);
    await client.removeTorrent(infoHash);
    assert.equal((await client.listTorrents()).length, 0);
    await client.removeCategory('films');
  });

  test('aria2, by WebSocket', async () => {
    const { hostname: host, port } = new URL(daemon.origin);
    const client = new Aria2({ host, port, secure: false, secret: daemon.token, path: '/jsonrpc' });
    await client.open();
    try {
      const started = new Promise((resolve) => client.on('onDownloadStart', resolve));
      await client.call('getVersion');
      const gid = await client.call('addTorrent', Buffer.from(bytes()).toString('base64'), [], {
        dir: source,
      });
      assert.deepEqual(await started, [{ gid }]);
      await until('it is complete', 15_000, async () => {
        const { seeder } = await client.call('tellStatus', gid, ['seeder']);
        return seeder === 'true';
      });
      assert.equal((await client.call('tellActive')).length, 1);
      assert.equal(await client.call('pause', gid), gid);
      assert.equal((await client.call('tellStatus', gid)).status, 'complete');
      assert.equal(await client.call('removeDownloadResult', gid), 'OK');
      assert.deepEqual(await client.call('tellStopped', 0, 10), []);
    } finally {
      await client.close();
    }
  });
});
