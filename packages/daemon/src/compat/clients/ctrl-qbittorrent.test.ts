/** `@ctrl/qbittorrent`, unchanged, against the compatible API. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { QBittorrent } from '@ctrl/qbittorrent';
import { CompatStage } from '../testing/compat-stage.ts';
import { makeSample } from '../testing/sample-torrent.ts';
import { until } from '../testing/until.ts';

suite('@ctrl/qbittorrent', () => {
  const stage = CompatStage.inSuite('@ctrl/qbittorrent 9.14.0', 'ctrl-qbittorrent');
  const client = (): QBittorrent =>
    new QBittorrent({ baseUrl: `${stage.server.origin}/`, username: 'admin', password: 'correct horse' });
  const add = async (c: QBittorrent, options = {}): Promise<string> => {
    await c.addTorrent(stage.sample.bytes, { savepath: '/here', ...options });
    return stage.sample.infoHash;
  };

  test('let in by password or key, and not without', async () => {
    await assert.rejects(new QBittorrent({ baseUrl: stage.server.origin, password: 'no' }).getAppVersion());
    const c = client();
    assert.equal(await c.getAppVersion(), 'v5.1.4');
    assert.equal(await c.getApiVersion(), '2.11.4');
    const apiKey = await c.rotateApiKey();
    const withKey = new QBittorrent({ baseUrl: stage.server.origin, apiKey });
    assert.equal(await withKey.getDefaultSavePath(), '/downloads');
    await c.deleteApiKey();
    await assert.rejects(withKey.getDefaultSavePath(), /403/);
  });

  test('a torrent is added and read in its normal form', async () => {
    const added = await client().normalizedAddTorrent(stage.sample.bytes, {
      label: 'books',
      startPaused: true,
    });
    assert.equal(added.id, stage.sample.infoHash);
    assert.deepEqual(
      [added.name, added.state, added.label, added.savePath, added.totalSize, added.isCompleted],
      ['sample', 'paused', 'books', '/downloads', 131_000, false],
    );
    await assert.rejects(client().addTorrent(stage.sample.bytes), /Failed to add/);
    await assert.rejects(client().addTorrent(Buffer.from('nothing')), /Failed to add/);
  });

  test('what is looked at', async () => {
    const c = client();
    const hash = await add(c);
    const properties = await c.torrentProperties(hash);
    assert.deepEqual(
      [
        properties.comment,
        properties.created_by,
        properties.pieces_num,
        properties.piece_size,
        properties.save_path,
      ],
      ['a comment', 'tester', 8, 16_384, '/here'],
    );
    assert.deepEqual(
      (await c.torrentTrackers(hash)).map(({ url, tier, status }) => [url, tier, status]),
      [
        ['** [DHT] **', -1, 2],
        ['** [PeX] **', -1, 2],
        ['** [LSD] **', -1, 0],
        ['http://127.0.0.1:9/announce', 0, 1],
        ['udp://127.0.0.1:9/announce', 1, 1],
      ],
    );
    const files = await c.torrentFiles(hash);
    assert.deepEqual(
      files.map(({ name, size, priority, piece_range }) => [name, size, priority, piece_range]),
      [
        ['sample/a.bin', 40_000, 1, [0, 2]],
        ['sample/b.mkv', 90_000, 1, [2, 7]],
        ['sample/in/c.txt', 1_000, 1, [7, 7]],
      ],
    );
    assert.deepEqual(await c.torrentWebSeeds(hash), []);
    assert.deepEqual(await c.torrentPieceStates(hash), [0, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(await c.torrentPieceAvailability(hash), [0, 0, 0, 0, 0, 0, 0, 0]);
    const peers = await c.torrentPeers(hash);
    assert.deepEqual([peers.full_update, peers.rid], [true, 1]);
    const preferences = await c.getPreferences();
    assert.deepEqual(
      [preferences.save_path, preferences.dht, preferences.max_ratio],
      ['/downloads', true, -1],
    );
    assert.equal(await c.getFreeSpaceAtPath('/here'), 1e9);
    assert.ok((await c.getBuildInfo()).bitness);
    assert.ok((await c.getProcessInfo()).launch_time > 0);
    // Taken without a word, and not kept: nothing here is fetched with cookies.
    assert.equal(
      await c.setCookies([{ domain: 'a.example', name: 'n', value: 'v', path: '/' }] as never),
      true,
    );
    assert.deepEqual(await c.getCookies(), []);
    const all = await c.getAllData();
    assert.equal(all.torrents.length, 1);
  });

  test('lists are filtered, sorted and cut', async () => {
    const c = client();
    const hash = await add(c, { category: 'x', tags: 'one,two' });
    const count = async (options: Parameters<typeof c.listTorrents>[0]): Promise<number> =>
      (await c.listTorrents(options)).length;
    assert.equal(await count({ filter: 'downloading' }), 1);
    assert.equal(await count({ filter: 'paused' }), 0);
    assert.equal(await count({ category: 'x' }), 1);
    assert.equal(await count({ category: '' }), 0);
    assert.equal(await count({ tag: 'two' }), 1);
    assert.equal(await count({ tag: '' }), 0);
    assert.equal(await count({ hashes: [hash, 'f'.repeat(40)] }), 1);
    assert.equal(await count({ offset: 0, limit: 1, sort: 'name', reverse: true }), 1);
    const [row] = await c.listTorrents({ includeFiles: true, includeTrackers: true });
    assert.equal(row!.content_path, '/here/sample');
    assert.equal((row as unknown as { files: unknown[] }).files.length, 3);
  });

  test('every verb of a torrent', async () => {
    const c = client();
    const hash = await add(c);
    const row = () => stage.torrent.row;
    await c.stopTorrent(hash);
    assert.equal(row().state, 'paused');
    await c.startTorrent('all');
    assert.equal(row().state, 'downloading');
    await c.recheckTorrent(hash);
    await c.reannounceTorrent(hash);
    assert.deepEqual([stage.torrent.recheckedCount, stage.torrent.announcedCount], [1, 1]);
    await c.setTorrentDownloadLimit(hash, 1000);
    await c.setTorrentUploadLimit(hash, 500);
    assert.deepEqual(await c.getTorrentDownloadLimit(hash), { [hash]: 1000 });
    assert.deepEqual(await c.getTorrentUploadLimit(hash), { [hash]: 500 });
    await c.createCategory('films', '/films');
    await assert.rejects(c.createCategory('films'), /409/);
    await c.editCategory('films', '/films2');
    await c.setTorrentCategory(hash, 'films');
    assert.equal(row().category, 'films');
    await assert.rejects(c.setTorrentCategory(hash, 'nowhere'), /409/);
    assert.equal((await c.getCategories())['films']!.savePath, '/films2');
    await c.resetTorrentCategory(hash);
    assert.equal(row().category, null);
    await c.removeCategory('films');
    await c.createTags('a,b');
    await c.addTorrentTags(hash, 'a,c');
    assert.deepEqual(row().tags, ['a', 'c']);
    await c.removeTorrentTags(hash, 'a');
    assert.deepEqual(row().tags, ['c']);
    await c.deleteTags('c');
    assert.ok((await c.getTags()).includes('b'));
    await c.setTorrentName(hash, 'called so');
    await c.setTorrentComment(hash, 'said so');
    assert.deepEqual([row().name, row().comment], ['called so', 'said so']);
    await c.setTorrentLocation(hash, '/there');
    assert.equal(row().folder, '/there');
    for (const move of [c.queueUp, c.queueDown, c.topPriority, c.bottomPriority])
      assert.equal(await move.call(c, hash), true);
    await c.removeTorrent(hash, true);
    assert.equal(stage.twin.torrents.book.size, 0);
    assert.equal(stage.twin.torrents.contentRemoved.at(-1), hash);
  });

  test('files, trackers, settings, rules', async () => {
    const c = client();
    const hash = await add(c);
    await c.setFilePriority(hash, ['0', '1'], 0);
    await c.setFilePriority(hash, '1', 7);
    assert.deepEqual(
      stage.torrent.files.map(({ priority }) => priority),
      [0, 7, 4],
    );
    await c.renameFile(hash, 'sample/a.bin', 'sample/z.bin');
    await c.renameFolder(hash, 'sample/in', 'sample/out');
    assert.deepEqual(
      stage.torrent.files.map(({ path }) => path),
      ['sample/z.bin', 'sample/b.mkv', 'sample/out/c.txt'],
    );
    await c.addTrackers(hash, 'http://a.example/announce\nhttp://b.example/announce');
    await c.editTrackers(hash, 'http://a.example/announce', 'http://c.example/announce');
    await c.removeTrackers(hash, 'http://127.0.0.1:9/announce|udp://127.0.0.1:9/announce');
    assert.deepEqual(stage.torrent.tiers, [['http://c.example/announce', 'http://b.example/announce']]);
    await c.setPreferences({ dl_limit: 4096, max_ratio: 2, max_ratio_enabled: true, dht: false });
    const { bittorrent, sharing } = stage.twin.settings;
    assert.deepEqual([bittorrent.limitDown, bittorrent.dht, sharing.ratio], [4096, false, 2]);
    assert.deepEqual(await c.getTransferSpeedLimits(), {
      dl_limit: 4096,
      up_limit: 0,
      alt_dl_limit: 0,
      alt_up_limit: 0,
    });
    await c.setTransferSpeedLimits({ dl_limit: 0, up_limit: 2048, alt_dl_limit: 1024, alt_up_limit: 512 });
    assert.deepEqual(
      [stage.twin.settings.bittorrent, stage.twin.settings.altLimits].map(({ limitDown, limitUp }) => [
        limitDown,
        limitUp,
      ]),
      [
        [null, 2048],
        [1024, 512],
      ],
    );
    await assert.rejects(c.setTransferSpeedLimits({ dl_limit: 1 } as never), /400/);
    await c.storeClientData({ theme: 'dark' });
    assert.deepEqual(await c.loadClientData(['theme']), { theme: 'dark' });
    await c.setRssRule('rule', {
      enabled: true,
      mustContain: 'a*b',
      affectedFeeds: ['http://f.example/'],
    } as never);
    await c.cloneRssRule('rule', 'other');
    assert.equal((await c.getRssRules())['other']!.mustContain, 'a*b');
    await c.removeRssRule('other');
  });

  test('a client is told what has changed, and no more', async () => {
    const c = client();
    const hash = await add(c, { tags: 't' });
    const first = await c.getSyncMainData();
    assert.equal(first.full_update, true);
    assert.equal(first.torrents![hash]!.name, 'sample');
    assert.deepEqual(first.trackers!['http://127.0.0.1:9/announce'], [hash]);
    assert.equal(first.server_state!.free_space_on_disk, 1e9);
    const second = await c.getSyncMainData(first.rid);
    assert.deepEqual(second, { rid: 2 });
    stage.twin.torrents.change(hash, { downRate: 5, state: 'downloading' });
    await c.createCategory('new');
    const third = await c.getSyncMainData(2);
    assert.deepEqual(third.torrents, { [hash]: { dlspeed: 5, state: 'downloading' } });
    assert.deepEqual(Object.keys(third.categories!), ['new']);
    await c.removeTorrent(hash);
    await c.removeCategory('new');
    const fourth = await c.getSyncMainData(3);
    assert.deepEqual(fourth.torrents_removed, [hash]);
    assert.deepEqual((fourth as unknown as { categories_removed: string[] }).categories_removed, ['new']);
    assert.equal((await c.getSyncMainData(1)).full_update, true);
  });

  test('what is in a torrent is told before it is added', async () => {
    const c = client();
    const [parsed] = await c.parseTorrentMetadata(stage.sample.bytes);
    assert.deepEqual(
      [parsed!.hash, parsed!.infohash_v2, parsed!.comment, parsed!.created_by, parsed!.creation_date],
      [stage.sample.infoHash, '', 'a comment', 'tester', 1_600_000_000],
    );
    const { files, ...info } = parsed!.info;
    assert.deepEqual(info, {
      length: 131_000,
      name: 'sample',
      piece_length: 16_384,
      pieces_num: 8,
      private: false,
    });
    assert.deepEqual(files[2], { path: 'sample/in/c.txt', length: 1_000 });
    assert.deepEqual(parsed!.trackers[1], { url: 'udp://127.0.0.1:9/announce', tier: 1 });
    assert.deepEqual(await c.saveTorrentMetadata(stage.sample.infoHash), stage.sample.bytes);
    await assert.rejects(c.parseTorrentMetadata(new Uint8Array(10)), /415/);
    const fromFile = await c.fetchTorrentMetadata(stage.sample.file);
    assert.equal((fromFile as { info: { name: string } }).info.name, 'sample');
    assert.equal(stage.twin.torrents.book.size, 0, 'nothing is added by looking at it');
  });

  test('the metadata of a magnet link is asked of peers, and told when it has come', async () => {
    const c = client();
    const [other, unknown] = await Promise.all([
      makeSample(stage.twin.node, 'other'),
      makeSample(stage.twin.node, 'unknown'),
    ]);
    try {
      const hashes = { hash: other.infoHash, infohash_v1: other.infoHash, infohash_v2: '' };
      stage.twin.torrents.toldByPeers.set(other.infoHash, other.bytes);
      assert.deepEqual(await c.fetchTorrentMetadata(other.magnet), hashes);
      const told = await c.fetchTorrentMetadata(other.magnet);
      assert.equal((told as { info: { name: string } }).info.name, 'other');
      assert.deepEqual(await c.saveTorrentMetadata(other.magnet), other.bytes);
      await c.fetchTorrentMetadata(unknown.infoHash);
      await assert.rejects(c.saveTorrentMetadata(unknown.infoHash), /409/);
      await assert.rejects(c.fetchTorrentMetadata('nonsense'), /409/);
    } finally {
      other.remove();
      unknown.remove();
    }
  });

  test('hashes of pieces, and files that are complete', async () => {
    const c = client();
    const hash = await add(c);
    const hashes = await c.torrentPieceHashes(hash);
    assert.equal(hashes.length, 8);
    assert.equal(hashes[0], createHash('sha1').update(new Uint8Array(16_384).fill(5)).digest('hex'));
    await assert.rejects(c.downloadTorrentFile(hash, 2), /409/);
    Object.assign(stage.torrent.files[2]!, { doneBytes: 1_000 });
    const content = new Uint8Array(1_000).fill(2);
    assert.deepEqual(await c.downloadTorrentFile(hash, 2), content);
    assert.deepEqual(await c.downloadTorrentFile(hash, 'sample/in/c.txt'), content);
    await assert.rejects(c.downloadTorrentFile(hash, 3), /404/);
  });

  test('torrents are made of files of the node', async () => {
    const c = client();
    const source = join(stage.sample.folder, 'sample');
    const file = join(stage.sample.folder, 'made.torrent');
    const trackers = ['http://a.example/announce?a=1&b=2', 'udp://b.example:80'];
    const { taskID } = await c.addTorrentCreatorTask(source, {
      format: 'v1',
      pieceSize: 32_768,
      private: true,
      comment: 'made',
      trackers,
      torrentFilePath: file,
    });
    const ended = async (id: string) =>
      until('it is made', async () => {
        const [task] = await c.getTorrentCreatorStatus(id);
        return task!.status === 'Finished' || task!.status === 'Failed' ? task! : false;
      });
    const made = await ended(taskID);
    assert.deepEqual(
      [made.status, made.sourcePath, made.pieceSize, made.private, made.format, made.comment, made.trackers],
      ['Finished', source, 32_768, true, 'v1', 'made', trackers],
    );
    const torrent = await c.getTorrentCreatorFile(taskID);
    assert.deepEqual(new Uint8Array(readFileSync(file)), torrent);
    assert.deepEqual(stage.twin.node.bittorrent.show({ torrent }).trackers, [[trackers[0]], [trackers[1]]]);
    assert.equal(
      stage.twin.torrents.book.size,
      0,
      'one that is written to a file is not shared unless asked',
    );
    const shared = await c.addTorrentCreatorTask(source, { startSeeding: true });
    assert.equal((await ended(shared.taskID)).status, 'Finished');
    const [only] = stage.twin.torrents.book.values();
    assert.equal(only!.row.folder, stage.sample.folder);
    const none = await c.addTorrentCreatorTask(join(source, 'missing'));
    assert.match((await ended(none.taskID)).errorMessage ?? '', /does not exist/);
    await assert.rejects(c.getTorrentCreatorFile(none.taskID), /409/);
    await c.deleteTorrentCreatorTask(taskID);
    await assert.rejects(c.getTorrentCreatorStatus(taskID), /404/);
    assert.equal((await c.getTorrentCreatorStatus()).length, 2);
  });

  test('folders of the node are looked into', async () => {
    const c = client();
    const folder = join(stage.sample.folder, 'sample');
    const paths = ['a.bin', 'b.mkv', 'in'].map((name) => join(folder, name));
    assert.deepEqual(await c.getDirectoryContent(folder), paths);
    assert.deepEqual(await c.getDirectoryContent(folder, { mode: 'dirs' }), [paths[2]]);
    const files = await c.getDirectoryContent(folder, { mode: 'files', withMetadata: true });
    assert.deepEqual(
      files.map((item) => typeof item === 'object' && [item.name, item.type, item.size]),
      [
        ['a.bin', 'file', 40_000],
        ['b.mkv', 'file', 90_000],
      ],
    );
    await assert.rejects(c.getDirectoryContent(join(folder, 'none')), /404/);
    await assert.rejects(c.getDirectoryContent('here'), /400/);
  });

  test('a magnet link is added, and a torrent paused by the names of older servers', async () => {
    const c = client();
    await c.addMagnet(stage.sample.magnet, { savepath: '/here' });
    const hash = stage.sample.infoHash;
    // As it calls servers of version 4.
    Object.assign(c.state, { version: { version: 'v4.6.7', isVersion5OrHigher: false } });
    await c.pauseTorrent(hash);
    assert.equal(stage.torrent.row.state, 'paused');
    await c.resumeTorrent(hash);
    assert.notEqual(stage.torrent.row.state, 'paused');
    assert.equal((await c.getTorrent(hash)).id, hash);
    assert.equal(c.logout(), true);
    assert.equal((await c.listTorrents()).length, 1);
  });

  test('no call that the client can make is left out', () => {
    const source = readFileSync(
      fileURLToPath(new URL('./qbittorrent.js', import.meta.resolve('@ctrl/qbittorrent'))),
      'utf8',
    );
    const all = [...source.matchAll(/'\/([a-z]+\/\w+)'/g)].map(([, name]) => name!);
    assert.ok(all.length > 15);
    assert.deepEqual(
      all.filter((name) => !stage.calls.has(name)),
      [],
    );
  });
});
