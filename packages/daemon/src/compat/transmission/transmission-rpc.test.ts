import assert from 'node:assert/strict';
import { after, before, beforeEach, suite, test } from 'node:test';
import type { CompatCaller } from '../compat-caller.ts';
import { makeSample, type SampleTorrent } from '../testing/sample-torrent.ts';
import { TwinNode } from '../testing/twin-node.ts';
import { modernWord, olderWord } from './dialect.ts';
import { sessionFields } from './session-fields.ts';
import { torrentFields } from './torrent-fields.ts';
import { rpcMethods, TransmissionRpc } from './transmission-rpc.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into at every depth
type Json = Record<string, any>;

suite('Transmission RPC', () => {
  let twin: TwinNode;
  let sample: SampleTorrent;
  let rpc: TransmissionRpc;
  let caller: CompatCaller;

  before(async () => {
    twin = await TwinNode.open();
    sample = await makeSample(twin.node);
    caller = { identity: { user: null, scope: 'admin' }, management: twin.node.management! };
  });
  beforeEach(() => {
    twin.torrents.book.clear();
    rpc = new TransmissionRpc(twin.ports);
  });
  after(async () => {
    sample.remove();
    await twin.close();
  });

  const ask = async (request: unknown): Promise<Json> =>
    JSON.parse((await rpc.answer(JSON.stringify(request), caller))!);
  const modern = async (method: string, params: Json = {}): Promise<Json> => {
    const reply = await ask({ jsonrpc: '2.0', method, params, id: 1 });
    assert.equal(reply['error'], undefined, JSON.stringify(reply));
    return reply['result'];
  };
  const older = async (method: string, args: Json = {}): Promise<Json> => {
    const reply = await ask({ method, arguments: args });
    assert.equal(reply['result'], 'success');
    return reply['arguments'];
  };
  const add = async (more: Json = {}): Promise<Json> =>
    (await modern('torrent_add', { metainfo: Buffer.from(sample.bytes).toString('base64'), ...more }))[
      'torrent_added'
    ];
  const fieldsOf = async (...fields: string[]): Promise<Json> =>
    (await modern('torrent_get', { fields }))['torrents'][0];

  test('a torrent added in one dialect is read in the other, and again is a duplicate', async () => {
    const added = await add({ download_dir: '/else', labels: ['one', 'two'], paused: true });
    assert.deepEqual(added, { id: 1, name: 'sample', hash_string: sample.infoHash });
    const { torrents } = await older('torrent-get', {
      fields: [
        'id',
        'hashString',
        'downloadDir',
        'status',
        'labels',
        'peer-limit',
        'file-count',
        'no-such-field',
      ],
    });
    assert.deepEqual(torrents, [
      {
        id: 1,
        hashString: sample.infoHash,
        downloadDir: '/else',
        status: 0,
        labels: ['one', 'two'],
        'peer-limit': 200,
        'file-count': 3,
      },
    ]);
    const again = await older('torrent-add', { filename: sample.magnet });
    assert.deepEqual(again, { 'torrent-duplicate': { id: 1, name: 'sample', hashString: sample.infoHash } });
  });

  test('the table format has the names first', async () => {
    await add();
    const { torrents } = await modern('torrent_get', {
      fields: ['id', 'name', 'total_size'],
      format: 'table',
    });
    assert.deepEqual(torrents, [
      ['id', 'name', 'total_size'],
      [1, 'sample', 131_000],
    ]);
  });

  test('every field and every session field has a value of its type in both dialects', async () => {
    await add();
    const names = Object.keys(torrentFields);
    const torrent = await fieldsOf(...names);
    assert.deepEqual(Object.keys(torrent).sort(), [...names].sort());
    const old = (await older('torrent-get', { fields: names.map(olderWord) }))['torrents'][0];
    for (const name of names) {
      assert.notEqual(torrent[name], undefined, name);
      assert.equal(modernWord(olderWord(name)), name);
      assert.equal(Array.isArray(old[olderWord(name)]), Array.isArray(torrent[name]), name);
    }
    assert.deepEqual(old.wanted, [1, 1, 1]);
    assert.deepEqual(torrent.wanted, [true, true, true]);
    const session = await older('session-get');
    const { settings } = twin;
    const status = await twin.node.management!.status.status();
    const known = sessionFields({ settings, status, rangeCount: 7, sessionId: rpc.sessionId });
    assert.deepEqual(Object.keys(session).sort(), Object.keys(known).map(olderWord).sort());
    assert.equal(session['blocklist-size'], 7);
    assert.equal(session['units']['size-bytes'], 1000);
    assert.deepEqual(await older('session-get', { fields: ['seedRatioLimit', 'peer-port'] }), {
      seedRatioLimit: 2,
      'peer-port': 27272,
    });
  });

  test('what a torrent is like is said with the numbers that programs count on', async () => {
    await add();
    twin.torrents.change(sample.infoHash, {
      doneBytes: 32_768,
      havePieceCount: 2,
      progress: 32_768 / 131_000,
      downloadedBytes: 40_000,
      uploadedBytes: 10_000,
      secondsLeft: 77,
      activeAtMs: twin.nowMs,
    });
    const torrent = await fieldsOf(
      'left_until_done',
      'eta',
      'upload_ratio',
      'pieces',
      'files',
      'availability',
      'comment',
      'creator',
      'date_created',
      'tracker_list',
      'primary_mime_type',
      'status',
      'added_date',
    );
    assert.equal(torrent.left_until_done, 131_000 - 32_768);
    assert.equal(torrent.eta, 77);
    assert.equal(torrent.upload_ratio, 0.25);
    assert.equal(torrent.pieces, 'wA==');
    assert.deepEqual(torrent.availability, [-1, -1, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(
      torrent.files.map(({ name, begin_piece, end_piece }: Json) => [name, begin_piece, end_piece]),
      [
        ['sample/a.bin', 0, 3],
        ['sample/b.mkv', 2, 8],
        ['sample/in/c.txt', 7, 8],
      ],
    );
    assert.deepEqual(
      [torrent.comment, torrent.creator, torrent.date_created],
      ['a comment', 'tester', 1_600_000_000],
    );
    assert.equal(torrent.tracker_list, 'http://127.0.0.1:9/announce\n\nudp://127.0.0.1:9/announce\n');
    assert.equal(torrent.primary_mime_type, 'video/x-matroska');
    assert.equal(torrent.status, 4);
    assert.equal(torrent.added_date, twin.nowMs / 1000);
  });

  test('files are wanted, skipped and preferred by their number', async () => {
    await add({ files_unwanted: [0], priority_high: [1], paused: false });
    assert.deepEqual(await fieldsOf('wanted', 'priorities', 'status'), {
      wanted: [false, true, true],
      priorities: [0, 1, 0],
      status: 4,
    });
    await older('torrent-set', { ids: 1, 'files-wanted': [], 'priority-low': [2], 'priority-normal': [1] });
    assert.deepEqual(await fieldsOf('wanted', 'priorities'), {
      wanted: [true, true, true],
      priorities: [0, 0, -1],
    });
    const reply = await ask({
      jsonrpc: '2.0',
      id: 9,
      method: 'torrent_set',
      params: { ids: [1], files_unwanted: [3] },
    });
    assert.deepEqual(reply, {
      jsonrpc: '2.0',
      error: { code: 6, message: 'file index out of range' },
      id: 9,
    });
  });

  test('limits, labels, goals and trackers are set', async () => {
    await add();
    const set = (params: Json): Promise<Json> => modern('torrent_set', { ids: [sample.infoHash], ...params });
    await set({ download_limit: 50, download_limited: true, labels: ['x'], sequential_download: true });
    assert.deepEqual(await fieldsOf('download_limit', 'download_limited', 'labels', 'sequential_download'), {
      download_limit: 50,
      download_limited: true,
      labels: ['x'],
      sequential_download: true,
    });
    await set({ download_limited: false, seed_ratio_limit: 1.5, seed_ratio_mode: 1 });
    assert.deepEqual(
      await fieldsOf('download_limited', 'seed_ratio_limit', 'seed_ratio_mode', 'seed_idle_mode'),
      {
        download_limited: false,
        seed_ratio_limit: 1.5,
        seed_ratio_mode: 1,
        seed_idle_mode: 2,
      },
    );
    await set({ seed_ratio_mode: 0, seed_idle_mode: 0 });
    assert.equal((await fieldsOf('seed_ratio_mode')).seed_ratio_mode, 0);
    await older('torrent-set', { ids: 1, trackerAdd: ['http://t.example/announce'], trackerRemove: [0] });
    const { tracker_list: list } = await fieldsOf('tracker_list');
    assert.equal(list, 'udp://127.0.0.1:9/announce\n\nhttp://t.example/announce\n');
    await set({
      tracker_list: 'http://a.example/announce\nhttp://b.example/announce\n\nudp://c.example:1\n',
    });
    assert.deepEqual(twin.torrents.book.get(sample.infoHash)!.tiers, [
      ['http://a.example/announce', 'http://b.example/announce'],
      ['udp://c.example:1'],
    ]);
    const refused = await ask({
      jsonrpc: '2.0',
      id: 1,
      method: 'torrent_set',
      params: { tracker_list: 'no url' },
    });
    assert.equal(refused['error'].code, 2);
  });

  test('verbs act on those that are named, by number, hash or all of them', async () => {
    await add();
    await modern('torrent_stop', { ids: [sample.infoHash] });
    assert.equal(twin.torrents.book.get(sample.infoHash)!.row.state, 'paused');
    await older('torrent-start', { ids: 1 });
    assert.equal(twin.torrents.book.get(sample.infoHash)!.row.state, 'downloading');
    await modern('torrent_start_now');
    assert.equal(twin.torrents.book.get(sample.infoHash)!.row.forced, true);
    await modern('torrent_verify', { ids: 1 });
    await modern('torrent_reannounce', { ids: [1, 99, 'f'.repeat(40)] });
    assert.equal(twin.torrents.book.get(sample.infoHash)!.recheckedCount, 1);
    assert.equal(twin.torrents.book.get(sample.infoHash)!.announcedCount, 1);
    await modern('torrent_set_location', { ids: 1, location: '/new', move: true });
    assert.equal(twin.torrents.book.get(sample.infoHash)!.row.folder, '/new');
    assert.deepEqual(await modern('torrent_rename_path', { ids: [1], path: 'sample', name: 'other' }), {
      path: 'sample',
      name: 'other',
      id: 1,
    });
    assert.equal(twin.torrents.book.get(sample.infoHash)!.files[2]!.path, 'other/in/c.txt');
    assert.equal((await fieldsOf('name')).name, 'other');
    await older('torrent-remove', { ids: [1], 'delete-local-data': true });
    assert.deepEqual(twin.torrents.contentRemoved, [sample.infoHash]);
    assert.equal(twin.torrents.book.size, 0);
  });

  test('the recently active come with those that have gone', async () => {
    await add();
    const recent = (): Promise<Json> => modern('torrent_get', { ids: 'recently_active', fields: ['id'] });
    assert.deepEqual(await recent(), { torrents: [{ id: 1 }], removed: [] });
    twin.nowMs += 61_000;
    assert.deepEqual(await recent(), { torrents: [], removed: [] });
    await modern('torrent_remove', { ids: [1] });
    assert.deepEqual(await recent(), { torrents: [], removed: [1] });
    // A number is never given twice.
    assert.equal((await add()).id, 2);
  });

  test('the session is read, changed and counted', async () => {
    await add({ paused: true });
    await modern('session_set', {
      speed_limit_down: 500,
      speed_limit_down_enabled: true,
      alt_speed_enabled: true,
      alt_speed_down: 10,
      dht_enabled: false,
      download_queue_size: 3,
      seed_ratio_limit: 2.5,
      seed_ratio_limited: true,
      encryption: 'required',
      download_dir: '/there',
      alt_speed_time_enabled: true,
      alt_speed_time_begin: 60,
      alt_speed_time_day: 65,
    });
    const { bittorrent, altLimits, queue, sharing, folders } = twin.settings;
    assert.equal(bittorrent.limitDown, 500_000);
    assert.equal(bittorrent.dht, false);
    assert.equal(bittorrent.encryption, 'require');
    assert.equal(altLimits.limitDown, 10_000);
    assert.deepEqual(altLimits.schedule, [{ days: [0, 6], fromMinute: 60, toMinute: 1020 }]);
    assert.equal(queue.activeDownloads, 3);
    assert.equal(sharing.ratio, 2.5);
    assert.equal(folders.download, '/there');
    assert.equal(twin.altLimits, true);
    assert.equal((await older('session-get', { fields: ['speed-limit-down'] }))['speed-limit-down'], 500);
    const stats = await older('session-stats');
    assert.deepEqual(
      [stats['torrentCount'], stats['pausedTorrentCount'], stats['activeTorrentCount']],
      [1, 1, 0],
    );
    assert.equal(stats['cumulative-stats'].sessionCount, 3);
    assert.deepEqual(await older('blocklist-update'), { 'blocklist-size': 8 });
    assert.deepEqual(await older('free-space', { path: '/x' }), {
      path: '/x',
      'size-bytes': 1e9,
      total_size: -1,
    });
    assert.deepEqual(await older('port-test'), { 'port-is-open': false });
    await modern('group_set', { name: 'slow', speed_limit_up: 20, speed_limit_up_enabled: true });
    assert.equal((await older('group-get'))['group'][0]['speed-limit-up'], 20);
    await modern('session_close');
    assert.equal(twin.shutdownCount, 1);
  });

  test('what is wrong is said in each dialect’s way', async () => {
    const { answer } = rpc;
    assert.ok(answer);
    assert.equal(JSON.parse((await rpc.answer('{', caller))!).error.code, -32700);
    assert.deepEqual(await ask({ jsonrpc: '2.0', id: 'a', method: 'nothing' }), {
      jsonrpc: '2.0',
      error: { code: -32601, message: 'Method not found' },
      id: 'a',
    });
    assert.deepEqual(await ask({ method: 'nothing', tag: 5 }), {
      arguments: {},
      result: 'method name not recognized',
      tag: 5,
    });
    assert.equal((await ask({ method: 'torrent-get' }))['result'], 'no fields specified');
    assert.equal((await ask({ method: 'torrent-add' }))['result'], 'no filename or metainfo specified');
    assert.equal(
      (await ask({ method: 'torrent-add', arguments: { metainfo: 'QUFB' } }))['result'],
      'invalid or corrupt torrent file',
    );
    const missing = await ask({
      jsonrpc: '2.0',
      id: 1,
      method: 'free_space',
      params: { path: '/missing/x' },
    });
    assert.deepEqual(missing['error'].data.result, { path: '/missing/x', size_bytes: -1, total_size: -1 });
    assert.equal(await rpc.answer(JSON.stringify({ jsonrpc: '2.0', method: 'session_get' }), caller), null);
    const batch = await ask([
      { jsonrpc: '2.0', id: 1, method: 'session_stats' },
      { jsonrpc: '2.0', method: 'session_stats' },
      7,
    ]);
    assert.deepEqual(
      (batch as unknown as Json[]).map(({ id }) => id),
      [1, null],
    );
    for (const hostile of ['__proto__', 'constructor', 'toString'])
      assert.equal((await ask({ jsonrpc: '2.0', id: 1, method: hostile }))['error'].code, -32601);
    assert.ok(Object.keys(rpcMethods).every((name) => modernWord(name.replaceAll('_', '-')) === name));
  });

  test('files of the node’s machine are read for its owner only', async () => {
    const guest = { ...caller, identity: { user: 'guest', scope: 'write' as const } };
    const request = JSON.stringify({ method: 'torrent-add', arguments: { filename: sample.file } });
    assert.match(JSON.parse((await rpc.answer(request, guest))!).result, /send the torrent's content/);
    assert.equal(JSON.parse((await rpc.answer(request, caller))!).result, 'success');
  });
});
