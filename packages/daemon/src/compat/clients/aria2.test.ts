/** npm's `aria2`, unchanged, over HTTP and WebSocket, and what its manual says besides. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
// @ts-expect-error it has no types
import Aria2 from 'aria2';
import { CompatStage } from '../testing/compat-stage.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into at every depth
type Json = any;

suite('aria2', () => {
  const stage = CompatStage.inSuite('aria2 4.1.2 (npm)', 'aria2');
  const client = (secret = 'the-token'): Json =>
    new Aria2({ host: '127.0.0.1', port: stage.server.port, secure: false, secret, path: '/jsonrpc', fetch });
  const torrent = (): string => Buffer.from(stage.sample.bytes).toString('base64');
  const gid = (): string => stage.sample.infoHash.slice(0, 16);

  test('without the token nothing is done', async () => {
    await assert.rejects(client('wrong').call('getVersion'), /Unauthorized/);
    await assert.rejects(client('').call('tellActive'), /Unauthorized/);
    assert.ok((await client('').listMethods()).includes('addUri'));
  });

  test('a torrent is added, told of, paused, changed and removed', async () => {
    const aria2 = client();
    assert.equal((await aria2.call('getVersion')).version, '1.37.0');
    const added = await aria2.call('addTorrent', torrent(), [], {
      dir: '/here',
      'max-download-limit': '10K',
      'select-file': '2-3',
    });
    assert.equal(added, gid());
    assert.deepEqual(
      stage.torrent.files.map(({ priority }) => priority),
      [0, 4, 4],
    );
    const status = await aria2.call('tellStatus', added);
    assert.deepEqual(
      [
        status.status,
        status.totalLength,
        status.dir,
        status.infoHash,
        status.numPieces,
        status.bitfield,
        status.bittorrent.info.name,
        status.bittorrent.mode,
      ],
      ['active', '131000', '/here', stage.sample.infoHash, '8', '00', 'sample', 'multi'],
    );
    assert.deepEqual(status.files[1], {
      index: '2',
      path: '/here/sample/b.mkv',
      length: '90000',
      completedLength: '0',
      selected: 'true',
      uris: [],
    });
    assert.deepEqual(await aria2.call('tellStatus', added.slice(0, 6), ['gid', 'status']), {
      gid: added,
      status: 'active',
    });
    assert.equal((await aria2.call('tellActive')).length, 1);
    await assert.rejects(aria2.call('addUri', [stage.sample.magnet]), /already registered/);
    assert.equal(await aria2.call('pause', added), added);
    assert.equal((await aria2.call('tellWaiting', 0, 10))[0].status, 'paused');
    assert.equal(await aria2.call('unpause', added), added);
    await assert.rejects(aria2.call('unpause', added), /cannot be unpaused/);
    assert.equal(
      await aria2.call('changeOption', added, { 'max-upload-limit': '1M', 'seed-ratio': '1.5' }),
      'OK',
    );
    assert.deepEqual(
      [stage.torrent.row.limitDown, stage.torrent.row.limitUp, stage.torrent.row.shareGoal?.ratio],
      [10_240, 1_048_576, 1.5],
    );
    assert.equal((await aria2.call('getOption', added))['max-upload-limit'], '1048576');
    assert.equal(await aria2.call('changePosition', added, 0, 'POS_SET'), 0);
    assert.deepEqual(await aria2.call('changeUri', added, 1, [], ['http://w.example/']), [0, 1]);
    assert.deepEqual(await aria2.call('getUris', added), [{ uri: 'http://w.example/', status: 'waiting' }]);
    assert.deepEqual(await aria2.call('getPeers', added), []);
    assert.deepEqual(await aria2.call('getServers', added), []);
    assert.equal((await aria2.call('getFiles', added)).length, 3);
    assert.equal(await aria2.call('forceRemove', added), added);
    assert.equal(stage.twin.torrents.book.size, 0);
    assert.equal((await aria2.call('tellStatus', added)).status, 'removed');
    assert.equal((await aria2.call('tellStopped', -1, 1))[0].gid, added);
    assert.equal(await aria2.call('removeDownloadResult', added), 'OK');
    await assert.rejects(aria2.call('tellStatus', added), /is not found/);
  });

  test('a gid of the program’s own, one that is complete, and the whole node', async () => {
    const aria2 = client();
    const own = '0123456789abcdef';
    assert.equal(await aria2.call('addUri', [stage.sample.magnet], { gid: own, pause: 'true' }), own);
    assert.equal((await aria2.call('tellStatus', own)).files[0].path, '[METADATA]sample');
    assert.equal(await aria2.call('remove', own), own);
    await aria2.call('addTorrent', torrent());
    stage.twin.torrents.change(stage.sample.infoHash, { state: 'paused', progress: 1, doneBytes: 131_000 });
    assert.equal((await aria2.call('tellStatus', gid(), ['status', 'errorCode'])).errorCode, '0');
    const stat = await aria2.call('getGlobalStat');
    assert.deepEqual([stat.numActive, stat.numWaiting, stat.numStopped], ['0', '0', '2']);
    assert.equal(await aria2.call('purgeDownloadResult'), 'OK');
    assert.equal(await aria2.call('removeDownloadResult', gid()), 'OK');
    assert.equal(stage.twin.torrents.book.size, 0);
    assert.equal(
      await aria2.call('changeGlobalOption', { 'max-overall-download-limit': '2M', 'enable-dht': 'false' }),
      'OK',
    );
    assert.deepEqual(
      [stage.twin.settings.bittorrent.limitDown, stage.twin.settings.bittorrent.dht],
      [2_097_152, false],
    );
    assert.equal((await aria2.call('getGlobalOption'))['max-overall-download-limit'], '2097152');
    assert.equal((await aria2.call('getSessionInfo')).sessionId.length, 40);
    assert.equal(await aria2.call('saveSession'), 'OK');
  });

  test('several calls at once, each with its token', async () => {
    const aria2 = client();
    const results = await aria2.multicall([
      ['getVersion'],
      ['tellStatus', 'ffffffffffffffff'],
      ['getGlobalStat'],
    ]);
    assert.equal(results[0][0].version, '1.37.0');
    assert.match(results[1].message, /is not found/);
    assert.equal(results[2][0].numActive, '0');
    const reply = await fetch(`${stage.server.origin}/jsonrpc`, {
      method: 'POST',
      body: JSON.stringify([
        { jsonrpc: '2.0', id: 1, method: 'aria2.getVersion', params: ['token:the-token'] },
        {
          jsonrpc: '2.0',
          id: 2,
          method: 'system.multicall',
          params: [[{ methodName: 'system.multicall', params: [[]] }]],
        },
      ]),
    });
    const [first, second] = (await reply.json()) as Json[];
    assert.equal(first.result.version, '1.37.0');
    assert.match(second.result[0].message, /Recursive/);
  });

  test('by WebSocket, with notifications', { timeout: 10_000 }, async () => {
    const aria2 = client();
    await aria2.open();
    try {
      assert.equal((await aria2.call('getVersion')).version, '1.37.0');
      const told: string[] = [];
      const seen = new Promise<void>((resolve) => {
        for (const name of ['onDownloadPause', 'onBtDownloadComplete', 'onDownloadStop'])
          aria2.on(name, ([{ gid: of }]: Json) => {
            told.push(`${name} ${of}`);
            if (name === 'onDownloadStop') resolve();
          });
      });
      await aria2.call('addTorrent', torrent());
      await aria2.call('pause', gid());
      const event = { torrent: stage.sample.infoHash };
      stage.twin.emit({ type: 'bittorrent.torrent.finished', bytes: 1, ...event });
      stage.twin.emit({ type: 'bittorrent.torrent.removed', ...event });
      await seen;
      assert.deepEqual(told, [
        `onDownloadPause ${gid()}`,
        `onBtDownloadComplete ${gid()}`,
        `onDownloadStop ${gid()}`,
      ]);
    } finally {
      await aria2.close();
    }
  });

  test('by GET and JSONP, which change nothing', async () => {
    const params = btoa(JSON.stringify(['token:the-token']));
    const get = (query: string): Promise<Response> => fetch(`${stage.server.origin}/jsonrpc?${query}`);
    const reply = await get(
      `method=aria2.getVersion&id=x&params=${encodeURIComponent(params)}&jsoncallback=cb`,
    );
    assert.equal(reply.headers.get('content-type'), 'text/javascript; charset=UTF-8');
    assert.match(await reply.text(), /^\/\*\*\/cb\(\{"id":"x","jsonrpc":"2.0","result":\{"version":"1.37.0"/);
    const verb = await get(`method=aria2.pauseAll&id=1&params=${encodeURIComponent(params)}`);
    assert.equal(verb.status, 400);
    assert.match(await verb.text(), /use POST/);
    assert.equal((await get('method=aria2.tellActive&id=1')).status, 400);
    assert.equal((await get('method=aria2.getVersion&jsoncallback=alert(1)')).status, 400);
    assert.equal((await get(`method=aria2.nothing&params=${encodeURIComponent(params)}`)).status, 404);
  });
});
