import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { FakeWorld, run } from '../testing/fake-world.ts';

type Asked = { readonly call: string; readonly body: unknown; readonly key: string | undefined };

const torrent = (id: string, name: string, more: object = {}): object => ({
  id: id.padEnd(40, '0'),
  name,
  state: 'downloading',
  queued: false,
  error: null,
  folder: '/downloads',
  doneBytes: 512,
  wantedBytes: 1024,
  downloadedBytes: 512,
  uploadedBytes: 1536,
  downRate: 2048,
  upRate: 0,
  ratio: 1.5,
  peerCount: 3,
  seedCount: 1,
  category: null,
  tags: ['new'],
  ...more,
});

const rows = [
  torrent('3b24aa', 'debian.iso'),
  torrent('3b24bb', 'de\u001b[31mb', { queued: true }),
  torrent('ffff', 'film'),
];

/** A node that answers what stands here, and remembers what it was asked. */
async function serve(
  t: TestContext,
  answers: Readonly<Record<string, unknown>>,
  status: object = { port: 1 },
): Promise<{ world: FakeWorld; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const [path = ''] = (request.url ?? '').split('?');
    const call = `${request.method} ${path.replace('/api/v1', '')}`;
    if (call !== 'GET /status')
      asked.push({ call, body: body === '' ? null : JSON.parse(body), key: request.headers.authorization });
    const answer = call === 'GET /status' ? status : answers[call];
    if (answer === undefined) response.writeHead(204).end();
    else if (answer instanceof Error)
      response.writeHead(404).end(JSON.stringify({ code: 'KEY_MISSING', detail: answer.message }));
    else response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => void server.close().closeAllConnections());
  const world = new FakeWorld();
  world.daemon = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, token: 'secret' };
  return { world, asked };
}

const list = { 'GET /torrents': { version: 1, totalCount: 3, rows, counts: null } };

test('without a running node the commands say how to start one', async () => {
  for (const line of ['list', 'info a', 'pause all', 'stop', 'keys', 'log', 'open', 'settings']) {
    const world = new FakeWorld();
    assert.equal(await run(world, line), 69, line);
    assert.match(world.err, /No node is running with this data folder\. `tequio run` starts one\./);
    assert.equal(world.out, '');
  }
  // One that has died without a word is no node either.
  const world = new FakeWorld();
  world.daemon = { url: 'http://127.0.0.1:1/', token: 'x' };
  assert.equal(await run(world, '--json list'), 69);
  assert.equal((world.json[0]!['error'] as { code: string }).code, 'CLI_NO_DAEMON');
});

test('list is a table for people, with harmless names, and lines of JSON for programs', async (t) => {
  const { world, asked } = await serve(t, list);
  assert.equal(await run(world, 'list'), 0);
  assert.deepEqual(world.out.split('\n'), [
    'ID        Done      Size        Down  Up  State        Name',
    '3b24aa00  50 %  1.00 KiB  2.00 KiB/s   -  downloading  debian.iso',
    '3b24bb00  50 %  1.00 KiB  2.00 KiB/s   -  queued       de\ufffd[31mb',
    'ffff0000  50 %  1.00 KiB  2.00 KiB/s   -  downloading  film',
    '',
  ]);
  assert.equal(asked[0]!.key, 'Bearer secret');
  world.out = '';
  assert.equal(await run(world, 'list --json'), 0);
  assert.deepEqual(world.json.map(({ type, name }) => [type, name]).at(0), ['torrent', 'debian.iso']);
  for (const line of ['list --state lost', 'list --sort colour', 'list --limit 0'])
    assert.equal(await run(world, line), 2, line);
});

test('torrents are named by id, its beginning, the name or a part of it, and never by chance', async (t) => {
  const { world, asked } = await serve(t, list);
  const ids = (): unknown => (asked.at(-1)!.body as { ids: string[] }).ids.map((id) => id.slice(0, 6));
  assert.equal(await run(world, 'pause 3b24b ffff'), 0);
  assert.equal(asked.at(-1)!.call, 'POST /torrents/pause');
  assert.deepEqual(ids(), ['3b24bb', 'ffff00']);
  assert.equal(await run(world, 'resume DEBIAN'), 0);
  assert.deepEqual(ids(), ['3b24aa']);
  assert.equal(await run(world, 'remove all --delete'), 0);
  assert.deepEqual(asked.at(-1)!.body, {
    ids: rows.map((row) => (row as { id: string }).id),
    removeContent: true,
  });
  assert.match(world.out, /3 torrents removed\.\n$/);
  const { length } = asked.filter(({ call }) => call.startsWith('POST'));
  assert.equal(await run(world, 'remove 3b24'), 2);
  assert.match(world.err, /“3b24” fits 2 torrents: write more of the id\./);
  assert.equal(await run(world, 'remove nothing'), 66);
  assert.equal(asked.filter(({ call }) => call.startsWith('POST')).length, length);
});

test('info tells all of one torrent', async (t) => {
  const id = 'ffff'.padEnd(40, '0');
  const { world } = await serve(t, {
    ...list,
    [`GET /torrents/${id}`]: rows[2],
    [`GET /torrents/${id}/files`]: [
      { index: 0, path: 'a.mkv', bytes: 100, doneBytes: 50, priority: 4, pad: false },
    ],
    [`GET /torrents/${id}/trackers`]: [{ url: 'http://t/', state: 'failed', message: 'no\u0007', tier: 0 }],
  });
  assert.equal(await run(world, 'info film'), 0);
  assert.match(world.out, /^Name {5}film$/m);
  assert.match(world.out, /^Done {5}50 %, 512 B of 1\.00 KiB$/m);
  assert.match(world.out, /^Tracker {2}http:\/\/t\/: failed \(no\ufffd\)$/m);
  assert.match(world.out, /^ {2}50 % {5}100 B {2}a\.mkv$/m);
});

test('add reads every source before it gives the first away', async (t) => {
  const id = 'aaaa'.padEnd(40, '0');
  const { world, asked } = await serve(t, {
    'POST /torrents': { id, known: false },
    [`GET /torrents/${id}`]: torrent('aaaa', 'album'),
  });
  world.node.contents.set('/home/ana/a.torrent', 'album');
  assert.equal(await run(world, 'add a.torrent missing.torrent'), 66);
  assert.equal(asked.length, 0);
  assert.equal(await run(world, 'add a.torrent --to films --tag a --tag b --paused'), 0);
  assert.deepEqual(asked[0], {
    call: 'POST /torrents',
    body: { source: { torrent: btoa('album') }, folder: '/home/ana/films', tags: ['a', 'b'], paused: true },
    key: 'Bearer secret',
  });
  assert.match(world.out, /^Added: album \(aaaa0000\)$/m);
});

test('settings are shown by their path, and changed by one', async (t) => {
  const { world, asked } = await serve(t, {
    'GET /settings': { queue: { activeDownloads: 5 }, bittorrent: { limitDown: null }, watch: [] },
    'GET /settings/schema': {
      properties: { bittorrent: { properties: { limitDown: { unit: 'B/s' } } }, node: { properties: {} } },
    },
    'PATCH /settings': { changed: ['bittorrent.limitDown'], restartNeeded: ['http.address'] },
  });
  assert.equal(await run(world, 'settings'), 0);
  assert.equal(world.out, 'queue.activeDownloads = 5\nbittorrent.limitDown = null\nwatch = []\n');
  assert.equal(await run(world, 'settings bittorrent.limitDown 500'), 0);
  assert.deepEqual(asked.at(-1)!.body, { bittorrent: { limitDown: 500 } });
  assert.match(world.err, /http\.address/);
  assert.equal(await run(world, 'settings bittorrent.limitDown 1.5M'), 0);
  assert.deepEqual(asked.at(-1)!.body, { bittorrent: { limitDown: 1.5 * 2 ** 20 } });
  assert.equal(await run(world, 'settings node.name 5K'), 0);
  assert.deepEqual(asked.at(-1)!.body, { node: { name: '5K' } });
  assert.equal(await run(world, 'settings node.name Ana’s'), 0);
  assert.deepEqual(asked.at(-1)!.body, { node: { name: 'Ana’s' } });
  assert.equal(await run(world, 'settings colour'), 2);
});

test('keys, passwords, one-time addresses and the end', async (t) => {
  const { world, asked } = await serve(t, {
    'GET /keys': [{ id: 'k1', name: 'sonarr', scope: 'write', lastUsedAtMs: 0, createdAtMs: 0, user: null }],
    'POST /keys': { id: 'k2', name: 'x', scope: 'read', key: 'the-key' },
    'POST /keys/remove': new Error('There is no key k9.'),
    'POST /session/one-time-token': { token: 'once' },
    'GET /log': [{ seq: 1, atMs: 0, level: 'warn', name: 'http.refused', fields: { value: 'evil\u001b' } }],
  });
  assert.equal(await run(world, 'keys'), 0);
  assert.match(world.out, /^k1 {2}write {2}1970-01-01T00:00:00\.000Z {2}sonarr$/m);
  world.out = '';
  assert.equal(await run(world, 'keys add x --scope read'), 0);
  assert.equal(world.out, 'the-key\n');
  assert.deepEqual(asked.at(-1)!.body, { name: 'x', scope: 'read' });
  assert.equal(await run(world, 'keys remove k9'), 66);
  world.standardInput = 'correct horse\n';
  assert.equal(await run(world, 'password'), 0);
  assert.deepEqual(asked.at(-1)!.body, { user: null, password: 'correct horse' });
  world.out = '';
  assert.equal(await run(world, 'open'), 0);
  assert.equal(world.out, `${world.daemon!.url}#token=once\n`);
  world.out = '';
  assert.equal(await run(world, 'log --level warn'), 0);
  assert.equal(world.out, '1970-01-01T00:00:00.000Z warn  http.refused value="evil\\u001b"\n');
  assert.equal(await run(world, 'stop'), 0);
  assert.equal(asked.at(-1)!.call, 'POST /shutdown');
});

test('users: who there is, somebody new, other rights, and no more', async (t) => {
  const ana = { name: 'ana', scope: 'write', folder: null, quotaBytes: 5 * 2 ** 30, torrentCountMax: null };
  const { world, asked } = await serve(t, {
    'GET /users': [{ ...ana, usedBytes: 2 ** 30, torrentCount: 3, createdAtMs: 0 }],
    'POST /keys': { id: 'k2', name: 'x', scope: 'write', key: 'the-key' },
  });
  assert.equal(await run(world, 'users'), 0);
  assert.deepEqual(world.out.trimEnd().split('\n'), [
    'Name    May  Torrents                   Has  Folder',
    'ana   write         3  1.00 GiB of 5.00 GiB  -',
  ]);
  assert.equal(await run(world, 'users add ana'), 2);
  assert.match(world.err, /There is a user “ana” already/);
  assert.equal(
    await run(world, 'users add eva --quota 1.5TiB --torrents 9 --folder /srv/eva --scope read'),
    0,
  );
  assert.deepEqual(asked.at(-1), {
    call: 'PUT /users',
    body: { name: 'eva', scope: 'read', folder: '/srv/eva', quotaBytes: 1.5 * 2 ** 40, torrentCountMax: 9 },
    key: 'Bearer secret',
  });
  assert.equal(await run(world, 'users change ana --quota none --torrents 2'), 0);
  assert.deepEqual(asked.at(-1)!.body, { ...ana, quotaBytes: null, torrentCountMax: 2 });
  assert.equal(await run(world, 'users change eva --quota none'), 66);
  assert.equal(await run(world, 'users remove ana'), 0);
  assert.deepEqual(asked.at(-1), { call: 'POST /users/remove', body: { name: 'ana' }, key: 'Bearer secret' });
  for (const wrong of ['--quota much', '--torrents many', '--scope all'])
    assert.equal(await run(world, `users change ana ${wrong}`), 2, wrong);
  assert.equal(await run(world, 'keys add x --user ana'), 0);
  assert.deepEqual(asked.at(-1)!.body, { name: 'x', scope: 'write', user: 'ana' });
});

test('twin: the node makes another torrent of the files of one', async (t) => {
  const id = '3b24aa'.padEnd(40, '0');
  const twin = 'cccc'.padEnd(40, '0');
  const { world, asked } = await serve(t, {
    ...list,
    [`POST /torrents/${id}/twin`]: { id: twin, known: false },
    [`GET /torrents/${twin}`]: torrent('cccc', 'debian.iso'),
  });
  assert.equal(await run(world, 'twin 3b24aa'), 0);
  assert.equal(world.out, `Shared beside it: debian.iso (${twin})\n`);
  assert.deepEqual(asked.find(({ call }) => call.endsWith('/twin'))?.body, { version: 'hybrid' });
  world.out = '';
  assert.equal(await run(world, '--json twin 3b24aa --v2'), 0);
  assert.deepEqual(asked.filter(({ call }) => call.endsWith('/twin'))[1]?.body, { version: 'v2' });
});

test('get gives its torrent to a node that runs with the same data, and waits for it', async (t) => {
  const id = 'aaaa'.padEnd(40, '0');
  const { world, asked } = await serve(t, {
    'POST /torrents': { id, known: false },
    [`GET /torrents/${id}`]: torrent('aaaa', 'album', { state: 'seeding', pieceCount: 1, havePieceCount: 1 }),
    [`GET /torrents/${id}/files`]: [{ index: 0, path: 'a', bytes: 1, doneBytes: 1, priority: 4, pad: false }],
    [`GET /torrents/${id}/peers`]: [],
    [`GET /torrents/${id}/trackers`]: [],
    [`GET /torrents/${id}/pieces`]: { have: 'gA==', availability: '', active: [] },
  });
  world.node.contents.set('/home/ana', null);
  assert.equal(await run(world, 'get 0123456789abcdef0123456789abcdef01234567'), 0);
  assert.match(world.err, /A node is running at http:\/\/127\.0\.0\.1:\d+\/ with the same data/);
  assert.match(world.out, /^album: 1\.00 KiB in /m);
  const added = asked.find(({ call }) => call === 'POST /torrents')!.body as { folder: string };
  assert.equal(added.folder, '/home/ana');
  assert.equal(world.node.added.length, 0);
  assert.equal(world.settings[0]!.offline, true);
});

test('dht: the node that runs is asked, where it takes part and the user has no way of their own', async (t) => {
  const search = {
    target: 'ab'.repeat(20),
    nodes: [],
    queryCount: 9,
    answerCount: 8,
    hopCount: 2,
    elapsedMs: 5,
  };
  const item = {
    value: btoa('5:hello'),
    publicKey: 'ef'.repeat(32),
    salt: btoa('s'),
    sequence: '9007199254740993',
  };
  const answers = {
    'POST /dht/get': { ...search, item },
    'POST /dht/put': { ...search, item, storedCount: 3, refusal: null },
    'POST /dht/lookup': { ...search, peers: ['192.0.2.7:1'], estimate: null },
    'POST /dht/sample': { ...search, infoHashes: [] },
    'POST /dht/ping': { id: 'cd'.repeat(20), endpoint: '192.0.2.1:1', elapsedMs: 1.2 },
  };
  const { world, asked } = await serve(t, answers, { port: 1, dht: { port: 7, families: [] } });
  world.node.contents.set('/home/ana/k', '07'.repeat(32));
  const target = 'ab'.repeat(20);
  const lines = ['get --salt s', 'lookup'].map((line) => `dht ${line} ${target}`);
  for (const line of [
    ...lines,
    'dht put i5e --bencoded --key k --cas 8',
    'dht sample',
    'dht ping 192.0.2.1:1',
  ])
    assert.equal(await run(world, line), 0, `${line}: ${world.err}`);
  assert.deepEqual(
    asked.map(({ call, body }) => [call, body]),
    [
      ['POST /dht/get', { target, salt: btoa('s') }],
      ['POST /dht/lookup', { infoHash: target }],
      ['POST /dht/put', { value: btoa('i5e'), secretKey: '07'.repeat(32), sequence: null, cas: '8' }],
      ['POST /dht/sample', { target: null }],
      ['POST /dht/ping', { node: '192.0.2.1:1' }],
    ],
  );
  assert.match(world.out, /hello/);
  assert.match(world.out, /9007199254740993/, 'numbers larger than those of JSON');
  assert.ok(
    world.settings.every(({ offline }) => offline),
    'no node of its own',
  );
});

test('nat status: as the running node knows its routers', async (t) => {
  const way = {
    family: 4,
    local: '192.168.1.5',
    gateway: '192.168.1.1',
    isGuess: false,
    protocol: 'pcp',
    protocols: [{ protocol: 'pcp', state: 'found', detail: 'PCP 2' }],
    externalAddress: '198.51.100.7',
    isDoubleNat: false,
    mappings: [{ transport: 'tcp', port: 27272, state: 'mapped', externalPort: 27272, reason: '' }],
  };
  const { world } = await serve(t, { 'GET /routers': { ways: [way] } });
  assert.equal(await run(world, 'nat status'), 0, world.err);
  assert.match(world.out, /198\.51\.100\.7:27272/);
  assert.deepEqual(world.node.nats, [], 'nobody else asks the router');
});
