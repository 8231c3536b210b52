/** `@ctrl/transmission`, unchanged, against the compatible API. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Transmission } from '@ctrl/transmission';
import { CompatStage } from '../testing/compat-stage.ts';

suite('@ctrl/transmission', () => {
  const stage = CompatStage.inSuite('@ctrl/transmission 7.4.0', 'ctrl-transmission');
  const client = (): Transmission =>
    new Transmission({ baseUrl: `${stage.server.origin}/`, username: 'admin', password: 'correct horse' });

  test('refused without a password, let in with the token in its place', async () => {
    await assert.rejects(new Transmission({ baseUrl: stage.server.origin }).getSession(), /401/);
    const withToken = new Transmission({
      baseUrl: stage.server.origin,
      username: 'any',
      password: 'the-token',
    });
    assert.equal((await withToken.getSession()).result, 'success');
  });

  test('a torrent is added by file and by magnet link, and read in its normal form', async () => {
    const added = await client().normalizedAddTorrent(Buffer.from(stage.sample.bytes), {
      label: 'books',
      startPaused: true,
    });
    assert.equal(added.id, stage.sample.infoHash);
    assert.equal(added.name, 'sample');
    assert.equal(added.state, 'paused');
    assert.equal(added.label, 'books');
    assert.equal(added.savePath, '/downloads');
    assert.equal(added.totalSize, 131_000);
    assert.equal(added.isCompleted, false);
    assert.equal(added.dateAdded, new Date(stage.twin.nowMs).toISOString());
    const again = await client().addMagnet(stage.sample.magnet);
    // Its types know of no duplicates.
    const { 'torrent-duplicate': twice } = again.arguments as unknown as Record<
      string,
      { hashString: string }
    >;
    assert.equal(twice?.hashString, stage.sample.infoHash);
  });

  test('a torrent is added by the path of a file on the node', async () => {
    const reply = await client().addUrl(stage.sample.file, { 'download-dir': '/by-path', paused: true });
    assert.equal(reply.arguments['torrent-added'].hashString, stage.sample.infoHash);
    assert.deepEqual([stage.torrent.row.folder, stage.torrent.row.state], ['/by-path', 'paused']);
    assert.equal((await client().getTorrent(stage.sample.infoHash)).name, 'sample');
  });

  test('every verb', async () => {
    const c = client();
    const reply = await c.addTorrent(Buffer.from(stage.sample.bytes), { 'download-dir': '/w' });
    const { id, hashString } = reply.arguments['torrent-added'];
    assert.equal(stage.torrent.row.folder, '/w');
    await c.pauseTorrent(id);
    assert.equal(stage.torrent.row.state, 'paused');
    await c.resumeTorrent(hashString);
    assert.equal(stage.torrent.row.state, 'downloading');
    await c.verifyTorrent(id);
    await c.reannounceTorrent(id);
    assert.deepEqual([stage.torrent.recheckedCount, stage.torrent.announcedCount], [1, 1]);
    await c.setTorrent(id, { downloadLimit: 12, downloadLimited: true, labels: ['a'] });
    assert.equal(stage.torrent.row.limitDown, 12_000);
    await c.renamePath(id, { path: 'sample/a.bin', name: 'q.bin' });
    assert.equal(stage.torrent.files[0]!.path, 'sample/q.bin');
    await c.moveTorrent(id, '/elsewhere');
    assert.equal(stage.torrent.row.folder, '/elsewhere');
    for (const move of [c.queueTop(id), c.queueUp(id), c.queueDown(id), c.queueBottom(id)])
      assert.equal((await move).result, 'success');
    assert.equal((await c.freeSpace('/w')).arguments['size-bytes'], 1e9);
    await c.setSession({ 'speed-limit-up': 5, 'speed-limit-up-enabled': true });
    assert.equal((await c.getSession()).arguments['speed-limit-up'], 5);
    const all = await c.getAllData();
    assert.deepEqual(all.labels, [{ id: 'a', name: 'a', count: 1 }]);
    assert.equal(all.torrents[0]!.raw.files.length, 3);
    assert.equal((await c.listTorrents('recently-active')).arguments.torrents.length, 1);
    await c.removeTorrent(id, false);
    assert.equal(stage.twin.torrents.book.size, 0);
  });

  test('no call that the client can make is left out', () => {
    const source = readFileSync(
      fileURLToPath(new URL('./transmission.js', import.meta.resolve('@ctrl/transmission'))),
      'utf8',
    );
    const all = [...source.matchAll(/'((?!torrent-added)(?:free|port|queue|session|torrent)-[a-z-]+)'/g)].map(
      ([, name]) => name!,
    );
    assert.ok(all.length > 15);
    assert.deepEqual(
      all.filter((name) => !stage.calls.has(name)),
      [],
    );
  });
});
