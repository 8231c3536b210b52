import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import { NodeError } from '@tequio/kernel';
import { startFront } from './http-front.fixture.ts';
import { idOf } from './testing/fake-management.ts';

test('the address that is told lets in once, with a cookie that scripts cannot read', async (t) => {
  const { url, ask, port } = await startFront(t);
  const token = new URL(url).hash.slice('#token='.length);
  const login = () => ask('/api/v1/session', { method: 'POST', json: { token }, known: false });
  const first = await login();
  equal(first.status, 200);
  deepEqual(first.json, { user: null, scope: 'admin' });
  const [cookie = ''] = first.headers['set-cookie'] ?? [];
  match(cookie, new RegExp(`^tequio-${port}=[\\w-]{32}; Max-Age=\\d+; HttpOnly; SameSite=Strict; Path=/$`));
  equal((await login()).status, 401);

  const headers = { cookie: cookie.split(';')[0]! };
  equal((await ask('/api/v1/status', { known: false, headers })).status, 200);
  // What changes something must say where it comes from: a cookie alone may be sent by anybody's page.
  const change = { method: 'POST', json: { untilMs: null }, known: false };
  equal((await ask('/api/v1/pause', { ...change, headers })).status, 401);
  const own = { ...headers, origin: `http://127.0.0.1:${port}` };
  equal((await ask('/api/v1/pause', { ...change, headers: own })).status, 204);

  const out = await ask('/api/v1/session', { method: 'DELETE', known: false, headers: own });
  match(String(out.headers['set-cookie']), /Max-Age=0/);
  equal((await ask('/api/v1/status', { known: false, headers })).status, 401);
});

test('what is asked comes to the node with the rights of who asks', async (t) => {
  const { node, ask } = await startFront(t);
  node.keys.set('a-key', { user: 'ana', scope: 'write' });
  const ids = [idOf(1), idOf(2)];
  const headers = { authorization: 'Bearer a-key' };
  const answer = await ask('/api/v1/torrents/remove', {
    method: 'POST',
    json: { ids, removeContent: true },
    headers,
  });
  equal(answer.status, 204);
  deepEqual(node.calls, [
    {
      name: 'torrents.remove',
      args: [ids, { removeContent: true }],
      as: { user: 'ana', scope: 'write', by: 'key' },
    },
  ]);
  const settings = await ask('/api/v1/settings', { headers });
  equal(settings.status, 403);
  equal((settings.json as { code: string }).code, 'USER_RIGHT');
});

test('a new password, or other rights, end the sessions that rest on the old ones', async (t) => {
  const { url, ask, port, node } = await startFront(t, {
    prepare: (node) => void (node.password = 'correct'),
  });
  const origin = `http://127.0.0.1:${port}`;
  const login = async (json: object): Promise<string> => {
    const { headers } = await ask('/api/v1/session', { method: 'POST', json, known: false });
    return String(headers['set-cookie']).split(';')[0]!;
  };
  const first = await login({ token: new URL(url).hash.slice('#token='.length) });
  const second = await login({ user: 'admin', password: 'correct' });
  const status = async (cookie: string): Promise<number> =>
    (await ask('/api/v1/status', { known: false, headers: { cookie } })).status;
  deepEqual([await status(first), await status(second)], [200, 200]);
  const json = { user: null, password: 'another' };
  const headers = { cookie: second, origin };
  equal((await ask('/api/v1/users/password', { method: 'POST', json, known: false, headers })).status, 204);
  equal(node.calls.at(-1)!.name, 'users.setPassword');
  deepEqual([await status(first), await status(second)], [401, 200]);
  const long = { user: 'admin', password: 'x'.repeat(20_000) };
  equal((await ask('/api/v1/session', { method: 'POST', json: long, known: false })).status, 413);
});

test('lists are filtered, sorted, paged and cut to fields', async (t) => {
  const { node, ask } = await startFront(t);
  for (let index = 0; index < 10; index++)
    node.put(idOf(index), { state: index % 2 === 0 ? 'seeding' : 'paused', uploadedBytes: index });
  const answer = await ask(
    '/api/v1/torrents?groups=seeding,error&sort=uploadedBytes&descending=true&offset=1&limit=2&fields=uploadedBytes',
  );
  deepEqual(answer.json, {
    version: 11,
    totalCount: 5,
    rows: [
      { id: idOf(6), uploadedBytes: 6 },
      { id: idOf(4), uploadedBytes: 4 },
    ],
    counts: null,
  });
});

test('mistakes in the input are told by their place, and errors of the node by their code', async (t) => {
  const { node, ask, logged } = await startFront(t);
  const bad = await ask('/api/v1/torrents?limit=many&colour=red&groups=lost');
  equal(bad.status, 400);
  equal(bad.headers['content-type'], 'application/problem+json');
  const { code, errors, type } = bad.json as { code: string; type: string; errors: { path: string }[] };
  deepEqual([code, type], ['HTTP_INPUT', 'urn:tequio:HTTP_INPUT']);
  deepEqual(errors.map(({ path }) => path).sort(), ['query', 'query.groups.0', 'query.limit']);

  const post = (path: string, json: unknown, headers = {}) => ask(path, { method: 'POST', json, headers });
  equal((await post('/api/v1/torrents/pause', { ids: [] })).status, 400);
  equal((await post('/api/v1/torrents/pause', { ids: [idOf(1)], more: 1 })).status, 400);
  equal((await ask('/api/v1/torrents/pause', { method: 'POST', body: '{}' })).status, 415);
  const form = { 'content-type': 'text/plain' };
  equal((await post('/api/v1/torrents/pause', { ids: [idOf(1)] }, form)).status, 415);
  const json = { 'content-type': 'application/json' };
  equal(
    (await ask('/api/v1/torrents/pause', { method: 'POST', body: '{"ids":', headers: json })).status,
    400,
  );
  equal((await ask('/api/v1/nothing')).status, 404);
  const wrongMethod = await ask('/api/v1/torrents/pause');
  deepEqual([wrongMethod.status, wrongMethod.headers['allow']], [405, 'POST']);

  node.answers.set('torrents.pause', new NodeError('TORRENT_MISSING', 'There is no such torrent.'));
  const missing = await post('/api/v1/torrents/pause', { ids: [idOf(1)] });
  deepEqual([missing.status, (missing.json as { code: string }).code], [404, 'TORRENT_MISSING']);
  node.answers.set('torrents.pause', new TypeError('secret of ours'));
  const broken = await post('/api/v1/torrents/pause', { ids: [idOf(1)] });
  equal(broken.status, 500);
  ok(!broken.text.includes('secret'));
  ok(logged.some(({ name, fields }) => name === 'http.fault' && String(fields['error']).includes('secret')));
});

test('a body that is too long is refused before it is read', async (t) => {
  const { ask } = await startFront(t);
  const answer = await ask('/api/v1/torrents/pause', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': '2000000' },
    body: '{',
  });
  equal(answer.status, 413);
});

test('another address than this machine needs a password', async (t) => {
  const listen = (password: string | null) =>
    startFront(t, {
      prepare: (node) => {
        node.password = password;
        node.settings = { ...node.settings, http: { ...node.settings.http, address: '0.0.0.0:0' } };
      },
    });
  await rejects(listen(null), { code: 'HTTP_NO_PASSWORD' });
  const { ask } = await listen('correct');
  const headers = { authorization: `Basic ${Buffer.from('admin:correct').toString('base64')}` };
  equal((await ask('/api/v1/status', { headers })).status, 200);
});

test('passwords are not guessed: each wrong one makes the next wait, and a key never waits', async (t) => {
  const { ask, logged } = await startFront(t, { prepare: (node) => void (node.password = 'correct') });
  const login = (password: string) =>
    ask('/api/v1/session', { method: 'POST', json: { user: 'admin', password }, known: false });
  const statuses: number[] = [];
  for (let index = 0; index < 8; index++) statuses.push((await login(`wrong ${index}`)).status);
  deepEqual(statuses, [401, 401, 401, 401, 401, 401, 429, 429]);
  const right = await login('correct');
  equal(right.status, 429);
  equal(right.headers['retry-after'], '1');
  equal((await ask('/api/v1/status')).status, 200);
  ok(logged.some(({ fields }) => fields['code'] === 'HTTP_CREDENTIALS'));
});

test('metrics, health and readiness', async (t) => {
  const { ask } = await startFront(t);
  equal((await ask('/health', { known: false })).status, 200);
  equal((await ask('/ready', { known: false })).status, 200);
  equal((await ask('/metrics', { known: false })).status, 401);
  const { text } = await ask('/metrics');
  match(
    text,
    /^# HELP tequio_node_info .*\n# TYPE tequio_node_info gauge\ntequio_node_info\{version="1.2.3"\} 1$/m,
  );
  match(text, /^tequio_bittorrent_transferred_bytes_total\{direction="down"\} 5$/m);
  match(text, /^tequio_http_responses_total\{status="401"\} 1$/m);
  match(text, /^tequio_process_memory_bytes\{of="resident"\} [1-9]\d{6,}$/m);
  match(text, /^tequio_process_cpu_seconds_total [\d.]+$/m);
});

test('the page: strict policy, packed twins, 304, and nothing but its own files', async (t) => {
  const { ask } = await startFront(t, {
    pageFiles: {
      'index.html': '<!doctype html>',
      'assets/app-abcdefgh.js': 'plain',
      'assets/app-abcdefgh.js.br': 'packed',
      'assets/app-abcdefgh.js.map': 'map',
    },
  });
  const page = await ask('/', { known: false });
  equal(page.text, '<!doctype html>');
  match(String(page.headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/);
  ok(!String(page.headers['content-security-policy']).includes('unsafe'));
  equal((await ask('/torrents/anything', { known: false })).text, '<!doctype html>');
  const again = await ask('/', { known: false, headers: { 'if-none-match': page.headers.etag! } });
  deepEqual([again.status, again.text], [304, '']);
  const packed = await ask('/assets/app-abcdefgh.js', { headers: { 'accept-encoding': 'gzip, br' } });
  deepEqual([packed.text, packed.headers['content-encoding']], ['packed', 'br']);
  match(String(packed.headers['cache-control']), /immutable/);
  equal((await ask('/assets/app-abcdefgh.js')).text, 'plain');
  for (const path of [
    '/assets/app-abcdefgh.js.map',
    '/../../../etc/passwd',
    '/assets/..%2f..%2fetc%2fpasswd',
    '/%2e%2e/%2e%2e/data/token',
    '/..\\..\\data\\token.txt',
    '/assets/%00.js',
    '/%ff.html',
  ]) {
    const { status } = await ask(path, { known: false });
    ok(status === 404 || status === 400, `${path}: ${status}`);
  }
});

test('behind a proxy that is trusted, under a base path', async (t) => {
  const { ask, logged } = await startFront(t, {
    prepare: (node) => {
      const http = {
        ...node.settings.http,
        basePath: '/tequio',
        allowedHosts: ['node.example'],
        trustedProxies: ['127.0.0.1'],
      };
      node.settings = { ...node.settings, http };
      node.password = 'correct';
    },
  });
  const forwarded = {
    'x-forwarded-for': '198.51.100.7, 192.0.2.1',
    'x-forwarded-host': 'node.example',
    'x-forwarded-proto': 'https',
    origin: 'https://node.example',
  };
  const login = (password: string) =>
    ask('/tequio/api/v1/session', {
      method: 'POST',
      json: { user: 'admin', password },
      known: false,
      headers: forwarded,
    });
  match(String((await login('correct')).headers['set-cookie']), /; Path=\/tequio; Secure$/);
  await login('wrong');
  ok(
    logged.some(({ fields }) => fields['address'] === '192.0.2.1'),
    'the client is whom the proxy has seen',
  );
  const page = await ask('/tequio', { known: false });
  equal(page.status, 200);
  const content = await ask('/tequio/api/v1/status', { headers: forwarded });
  equal(content.status, 200);
  equal((await ask('/api/v1/status')).status, 200);
});

test('what a stranger says of a proxy means nothing', async (t) => {
  const { ask } = await startFront(t, {
    prepare: (node) => {
      node.settings = { ...node.settings, http: { ...node.settings.http, allowedHosts: ['node.example'] } };
    },
  });
  const headers = { host: 'evil.example', 'x-forwarded-host': 'node.example' };
  equal((await ask('/api/v1/status', { headers })).status, 421);
});
