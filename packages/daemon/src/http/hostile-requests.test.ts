import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { routes } from '@tequio/api/http';
import { untilReal } from '@tequio/kernel/compliance/clock-real';
import { startFront } from './http-front.fixture.ts';
import { idOf } from './testing/fake-management.ts';

const paths = [
  '/',
  '/health',
  '/metrics',
  '/api/v1/torrents',
  '/api/v1/events',
  '/api/v1/openapi.json',
  '/foreign',
];

async function start(t: TestContext) {
  return startFront(t, {
    routes: [{ prefix: '/foreign', handle: async () => ({ status: 200, headers: {}, body: 'foreign' }) }],
  });
}

test('rebinding and other sites are refused on every route, with a key too, and the log says what to do', async (t) => {
  const { ask, logged } = await start(t);
  for (const path of paths) {
    const rebound = await ask(path, { headers: { host: 'evil.example' } });
    deepEqual([rebound.status, (rebound.json as { code: string }).code], [421, 'HTTP_HOST'], path);
    const foreign = await ask(path, { headers: { origin: 'https://evil.example' } });
    deepEqual([foreign.status, (foreign.json as { code: string }).code], [403, 'HTTP_ORIGIN'], path);
    const embedded = await ask(path, {
      headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
    });
    deepEqual([embedded.status, (embedded.json as { code: string }).code], [403, 'HTTP_FETCH_SITE'], path);
    for (const { headers } of [rebound, foreign, embedded])
      equal(headers['access-control-allow-origin'], undefined);
  }
  const refusals = logged.filter(({ name }) => name === 'http.refused');
  deepEqual(
    refusals.map(({ fields }) => [fields['code'], fields['value']]),
    [
      ['HTTP_HOST', 'evil.example'],
      ['HTTP_ORIGIN', 'https://evil.example'],
      ['HTTP_FETCH_SITE', 'cross-site'],
    ],
    'each once, however often it came',
  );
  match(String(refusals[0]!.fields['remedy']), /http\.allowedHosts/);
  match(String(refusals[1]!.fields['remedy']), /X-Forwarded-Host/);
});

test('no GET changes anything: every route that does needs another method', async (t) => {
  const { ask, node } = await start(t);
  const pathOf = (path: string): string => path.replace('{id}', idOf(1)).replace(/\{\w+\}/g, '0');
  const all = Object.values(routes);
  const looks = new Set(all.filter(({ method }) => method === 'GET').map(({ path }) => pathOf(path)));
  const verbs = all.map(({ path }) => pathOf(path)).filter((path) => !looks.has(path));
  ok(verbs.length > 30, `${verbs.length} routes that change something`);
  for (const path of verbs) {
    const { status } = await ask(`/api/v1${path}?ids=${idOf(1)}`);
    ok(status === 405 || status === 404, `${path}: ${status}`);
  }
  equal(node.calls.length, 0);
});

test('what is too long or too much is refused, and the log says so', async (t) => {
  const { ask, logged } = await start(t);
  const body = JSON.stringify({ ids: 'x'.repeat(2 << 20) });
  const headers = { 'content-type': 'application/json' };
  equal((await ask('/api/v1/torrents/pause', { method: 'POST', body, headers })).status, 413);
  equal((await ask(`/api/v1/torrents?q=${'a'.repeat(9000)}`)).status, 414);
  for (const code of ['HTTP_BODY_LONG', 'HTTP_TARGET_LONG'])
    ok(
      logged.some(({ name, fields }) => name === 'http.refused' && fields['code'] === code),
      code,
    );
});

test('strangers that ask too often wait, and those who are known do not', async (t) => {
  const { ask, logged } = await start(t);
  const statuses = new Map<number, number>();
  for (let index = 0; index < 200; index++) {
    const { status } = await ask('/api/v1/torrents', { known: false });
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  ok(statuses.get(401)! >= 120 && statuses.get(429)! > 20, JSON.stringify([...statuses]));
  equal((await ask('/api/v1/torrents')).status, 200);
  equal(logged.filter(({ fields }) => fields['code'] === 'HTTP_TOO_MANY').length, 1);
});

/** A raw connection that remembers all it got. */
function open(t: TestContext, port: number): { socket: Socket; got: () => string; closed: () => boolean } {
  const socket = connect(port, '127.0.0.1');
  let got = '';
  let closed = false;
  socket.on('data', (bytes) => {
    got += bytes.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  t.after(() => socket.destroy());
  return { socket, got: () => got, closed: () => closed };
}

test('giant heads, many headers, two hosts, no host: refused, and the log says so', async (t) => {
  const { port, logged, ask } = await start(t);
  const heads = [
    [`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`, 431],
    ['GET / HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\n\r\n', 400],
    ['GET / HTTP/1.0\r\n\r\n', 421],
    [`GET /${'a'.repeat(9000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`, 414],
    ['\x16\x03\x01\x02\x00', 400],
  ] as const;
  for (const [text, status] of heads) {
    const { socket, got } = open(t, port);
    socket.write(text, 'latin1');
    await untilReal(() => got() !== '');
    match(got(), new RegExp(`^HTTP/1\\.1 ${status} `), text.slice(0, 60));
  }
  for (const code of ['HTTP_HEAD_LONG', 'HTTP_HEADER_TWICE', 'HTTP_MALFORMED', 'HTTP_HOST'])
    ok(
      logged.some(({ fields }) => fields['code'] === code),
      code,
    );
  equal((await ask('/health')).status, 200);
});

test('clients that trickle do not keep others out', async (t) => {
  const { port, ask } = await start(t);
  const slow = Array.from({ length: 200 }, () => open(t, port));
  for (const { socket } of slow) socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nx: ');
  const body =
    'POST /api/v1/pause HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\ncontent-type: application/json\r\n\r\n{';
  const bodies = Array.from({ length: 100 }, () => open(t, port));
  for (const { socket } of bodies) socket.write(body);
  equal((await ask('/api/v1/torrents')).status, 200);
  // Without a key the body is not even waited for.
  await untilReal(() => bodies.every(({ got }) => /^HTTP\/1\.1 (?:401|429) /.test(got())));
});
