/**
 * The calls that Sonarr and Radarr make of qBittorrent and of Transmission, replayed: names, parameters and the fields
 * that they read. Source: their QBittorrentProxyV2, QBittorrentTorrent, QBittorrentPreferences and TransmissionProxy.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CompatStage } from '../testing/compat-stage.ts';

/** What it reads of a row. */
const torrentTypes = {
  hash: 'string',
  name: 'string',
  size: 'number',
  progress: 'number',
  eta: 'number',
  state: 'string',
  category: 'string',
  save_path: 'string',
  content_path: 'string',
  ratio: 'number',
  ratio_limit: 'number',
  seeding_time: 'number',
  seeding_time_limit: 'number',
  inactive_seeding_time_limit: 'number',
  last_activity: 'number',
};

suite('Sonarr and Radarr', () => {
  const stage = CompatStage.inSuite('Sonarr, Radarr (their calls)', 'sonarr-calls');
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${stage.server.origin}${path}`, init);

  suite('of qBittorrent', () => {
    let cookie = '';
    const get = (path: string): Promise<Response> => ask(`/api/v2/${path}`, { headers: { cookie } });
    const post = async (path: string, form: Record<string, string> | FormData): Promise<string> => {
      const body = form instanceof FormData ? form : new URLSearchParams(form);
      const response = await ask(`/api/v2/${path}`, { method: 'POST', headers: { cookie }, body });
      assert.equal(response.status, 200, path);
      return response.text();
    };

    test('finds the API by a refusal, and logs in', async () => {
      assert.equal((await ask('/api/v2/app/webapiVersion')).status, 403);
      const bad = await post('auth/login', { username: 'admin', password: 'wrong' });
      assert.equal(bad, 'Fails.');
      const body = new URLSearchParams({ username: 'admin', password: 'correct horse' });
      const login = await ask('/api/v2/auth/login', { method: 'POST', body });
      assert.equal(await login.text(), 'Ok.');
      const set = login.headers.get('set-cookie')!;
      assert.match(set, /^SID=[^;]+; HttpOnly; SameSite=Strict; Path=\/$/);
      cookie = set.split(';')[0]!;
      const [major, minor] = (await (await get('app/webapiVersion')).text()).split('.').map(Number);
      assert.ok(major === 2 && minor! >= 11, 'it says stopped, not paused');
      assert.match(await (await get('app/version')).text(), /^v5\./);
    });

    test('reads the preferences that it judges by', async () => {
      const preferences = (await (await get('app/preferences')).json()) as Record<string, unknown>;
      const types = {
        save_path: 'string',
        max_ratio_enabled: 'boolean',
        max_ratio: 'number',
        max_seeding_time_enabled: 'boolean',
        max_seeding_time: 'number',
        max_inactive_seeding_time_enabled: 'boolean',
        max_inactive_seeding_time: 'number',
        max_ratio_act: 'number',
        queueing_enabled: 'boolean',
        dht: 'boolean',
      };
      for (const [key, type] of Object.entries(types)) assert.equal(typeof preferences[key], type, key);
    });

    test('adds by file and by link, sets, reads and removes', async () => {
      await post('torrents/createCategory', { category: 'tv-sonarr' });
      const form = new FormData();
      form.append('torrents', new Blob([new Uint8Array(stage.sample.bytes)]), 'x.torrent');
      for (const [key, value] of Object.entries({
        category: 'tv-sonarr',
        stopped: 'True',
        sequentialDownload: 'True',
        firstLastPiecePrio: 'True',
        contentLayout: 'Original',
        ratioLimit: '1.5',
        seedingTimeLimit: '90',
      }))
        form.append(key, value);
      assert.equal(await post('torrents/add', form), 'Ok.');
      const { row } = stage.torrent;
      assert.deepEqual(
        [
          row.state,
          row.category,
          row.sequential,
          row.edgesFirst,
          row.shareGoal?.ratio,
          row.shareGoal?.seedingMinutes,
        ],
        ['paused', 'tv-sonarr', true, true, 1.5, 90],
      );
      const { infoHash: hash } = stage.sample;
      assert.equal(await post('torrents/add', { urls: stage.sample.magnet, stopped: 'False' }), 'Fails.');
      const [torrent] = (await (await get('torrents/info?category=tv-sonarr')).json()) as Record<
        string,
        unknown
      >[];
      for (const [key, type] of Object.entries(torrentTypes)) assert.equal(typeof torrent![key], type, key);
      assert.deepEqual([torrent!['state'], torrent!['ratio_limit']], ['stoppedDL', 1.5]);
      const properties = (await (await get(`torrents/properties?hash=${hash}`)).json()) as Record<
        string,
        unknown
      >;
      assert.deepEqual([properties['hash'], properties['seeding_time']], [hash, 0]);
      assert.equal((await get(`torrents/properties?hash=${'0'.repeat(40)}`)).status, 404);
      const files = (await (await get(`torrents/files?hash=${hash}`)).json()) as { name: string }[];
      assert.deepEqual(
        files.map(({ name }) => name),
        ['sample/a.bin', 'sample/b.mkv', 'sample/in/c.txt'],
      );
      await post('torrents/setShareLimits', {
        hashes: hash,
        ratioLimit: '-2',
        seedingTimeLimit: '-2',
        inactiveSeedingTimeLimit: '-2',
      });
      assert.equal(stage.torrent.row.shareGoal, null);
      await post('torrents/topPrio', { hashes: hash });
      await post('torrents/setForceStart', { hashes: hash, value: 'true' });
      assert.equal(stage.torrent.row.forced, true);
      await post('torrents/addTags', { hashes: hash, tags: 'a,b' });
      await post('torrents/createCategory', { category: 'imported' });
      await post('torrents/setCategory', { hashes: hash, category: 'imported' });
      const labels = (await (await get('torrents/categories')).json()) as Record<
        string,
        { savePath: string }
      >;
      assert.deepEqual(Object.keys(labels).sort(), ['imported', 'tv-sonarr']);
      await post('torrents/delete', { hashes: hash, deleteFiles: 'true' });
      assert.equal(stage.twin.torrents.book.size, 0);
    });

    test('in the words of before version 5, as Radarr says them', async () => {
      const form = new FormData();
      form.append('torrents', new Blob([new Uint8Array(stage.sample.bytes)]), 'x.torrent');
      for (const [key, value] of Object.entries({ category: 'radarr', paused: 'True' }))
        form.append(key, value);
      assert.equal(await post('torrents/add', form), 'Ok.');
      const { infoHash: hash } = stage.sample;
      assert.equal(stage.torrent.row.state, 'paused');
      await post('torrents/resume', { hashes: hash });
      assert.equal(stage.torrent.row.state, 'downloading');
      await post('torrents/pause', { hashes: hash });
      assert.equal(stage.torrent.row.state, 'paused');
      await post('torrents/setShareLimits', {
        hashes: hash,
        ratioLimit: '-2',
        seedingTimeLimit: '1440',
        inactiveSeedingTimeLimit: '-2',
      });
      assert.equal(stage.torrent.row.shareGoal?.seedingMinutes, 1440);
      const [torrent] = (await (await get('torrents/info?category=radarr')).json()) as { hash: string }[];
      assert.equal(torrent?.hash, hash);
    });

    test('with a key, or name and password, in place of a cookie', async () => {
      const bearer = { authorization: 'Bearer the-token' };
      assert.equal((await ask('/api/v2/app/version', { headers: bearer })).status, 200);
      const basic = { authorization: `Basic ${btoa('admin:correct horse')}` };
      assert.equal((await ask('/api/v2/app/version', { headers: basic })).status, 200);
      assert.equal(
        (await ask('/api/v2/app/version', { headers: { authorization: 'Bearer no' } })).status,
        403,
      );
    });
  });

  suite('of Transmission', () => {
    let session = '';
    // biome-ignore lint/suspicious/noExplicitAny: answers are looked into at every depth
    const rpc = async (method: string, args?: object): Promise<any> => {
      const headers = {
        authorization: `Basic ${btoa('admin:correct horse')}`,
        'x-transmission-session-id': session,
      };
      const body = JSON.stringify({ method, ...(args === undefined ? {} : { arguments: args }) });
      const response = await ask('/transmission/rpc', { method: 'POST', headers, body });
      const reply = (await response.json()) as { result: string; arguments: unknown };
      assert.equal(reply.result, 'success', method);
      return reply.arguments;
    };

    test('finds the session’s id by a GET', async () => {
      assert.equal((await ask('/transmission/rpc')).status, 401);
      const headers = { authorization: `Basic ${btoa('admin:correct horse')}` };
      const response = await ask('/transmission/rpc', { headers });
      assert.equal(response.status, 409);
      session = response.headers.get('x-transmission-session-id')!;
      assert.ok(session.length >= 40);
    });

    test('its calls', async () => {
      const config = await rpc('session-get');
      assert.ok(Number(config['rpc-version']) >= 17 && /^\d/.test(config.version));
      assert.equal(typeof config['download-dir'], 'string');
      assert.deepEqual([config.seedRatioLimited, config['idle-seeding-limit-enabled']], [false, false]);
      const metainfo = Buffer.from(stage.sample.bytes).toString('base64');
      await rpc('torrent-add', { metainfo, paused: false, 'download-dir': '/tv', labels: ['tv'] });
      const ids = [stage.sample.infoHash];
      await rpc('torrent-set', {
        ids,
        seedRatioLimit: 2,
        seedRatioMode: 1,
        seedIdleLimit: 60,
        seedIdleMode: 1,
      });
      assert.deepEqual(stage.torrent.row.shareGoal, {
        ratio: 2,
        idleMinutes: 60,
        seedingMinutes: null,
        action: 'pause',
      });
      const fields =
        'id hashString name downloadDir totalSize leftUntilDone isFinished eta status secondsDownloading secondsSeeding errorString uploadedEver downloadedEver seedRatioLimit seedRatioMode seedIdleLimit seedIdleMode fileCount file-count labels'.split(
          ' ',
        );
      const { torrents } = await rpc('torrent-get', { fields, ids });
      const names = Object.keys(torrents[0]);
      assert.deepEqual(
        fields.filter((name) => !names.includes(name)),
        [],
      );
      assert.deepEqual(
        [torrents[0].downloadDir, torrents[0].labels, torrents[0].seedIdleLimit],
        ['/tv', ['tv'], 60],
      );
      await rpc('torrent-set', { ids, labels: ['tv', 'imported'] });
      await rpc('queue-move-top', { ids });
      await rpc('torrent-remove', { ids, 'delete-local-data': true });
      assert.equal(stage.twin.torrents.book.size, 0);
    });
  });
});
