import { equal, match, ok, rejects } from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { afterEach, test } from 'node:test';
import type { HttpServerPort, HttpServerRequest, HttpServerResponse, IpAddress } from '@tequio/kernel';
import { encodeUtf8 } from '@tequio/kernel';
import { untilReal } from '@tequio/kernel/compliance/clock-real';
import { nodeHttpServer } from './http-server.ts';
import { canServe, createEpollHttpServer } from './http-server-epoll.ts';
import { httpServerLimits } from './http-server-limits.ts';
import { tryLoadLibc } from './libc.ts';

const loopback = '127.0.0.1' as IpAddress;
const libc = tryLoadLibc();
const isHere = libc !== null && canServe(libc);
const skip = isHere ? false : 'the C library cannot be called here';
const servers: readonly (readonly [name: string, server: HttpServerPort])[] = [
  ['node', nodeHttpServer],
  ...(isHere ? ([['epoll', createEpollHttpServer(libc)]] as const) : []),
];
const request = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n${more}\r\n`;

/** Closed after each test, also one that has failed. */
const open = new Set<{ destroy(): void } | { close(): void }>();
afterEach(async () => {
  for (const one of open) await ('destroy' in one ? one.destroy() : one.close());
  open.clear();
});

async function listenOn(
  server: HttpServerPort,
  handle: Parameters<HttpServerPort['listen']>[1],
  address: IpAddress | null = loopback,
): Promise<{ readonly port: number }> {
  const listener = await server.listen({ address, port: 0 }, handle);
  open.add(listener);
  return { port: listener.local.port };
}

type Conversation = { readonly socket: Socket; got: string; closed: boolean };

function talk(port: number): Conversation {
  const socket = connect(port, loopback);
  open.add(socket);
  const conversation = { socket, got: '', closed: false };
  socket.on('data', (bytes) => {
    conversation.got += bytes.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    conversation.closed = true;
  });
  return conversation;
}

/** Sends raw text to a fresh server and returns what came back until it closed or was enough. */
async function converse(
  server: HttpServerPort,
  parts: readonly string[],
  enough: (got: string) => boolean,
  body: (method: string) => Uint8Array = encodeUtf8,
): Promise<{ got: string; closed: boolean }> {
  const { port } = await listenOn(server, ({ method, target }) => ({
    status: 200,
    headers: { 'x-path': target },
    body: body(method),
  }));
  const conversation = talk(port);
  for (const part of parts) {
    conversation.socket.write(part);
    await new Promise(setImmediate);
  }
  await untilReal(() => enough(conversation.got) || conversation.closed);
  return conversation;
}

/** Whether so many connections at once all get an answer. */
async function areAnswered(port: number, count: number): Promise<boolean> {
  const all = Array.from({ length: count }, () => talk(port));
  for (const { socket } of all) socket.write(request('/'));
  await untilReal(() => all.every(({ got, closed }) => closed || got !== ''));
  for (const { socket } of all) socket.destroy();
  return all.every(({ got }) => got.startsWith('HTTP/1.1 200'));
}

for (const [name, server] of servers) {
  test(`${name}: several requests on one connection are answered in order`, async () => {
    const { got } = await converse(server, [request('/a') + request('/b?%00')], (text) =>
      text.includes('/b?%00'),
    );
    match(got, /^HTTP\/1\.1 200 OK\r\n/);
    ok(got.indexOf('x-path: /a') < got.indexOf('x-path: /b?%00'));
    match(got, /content-length: 3/i);
  });

  test(`${name}: a head that comes byte by byte is answered`, async () => {
    const { got } = await converse(server, [...request('/slow')], (text) => text.endsWith('GET'));
    match(got, /x-path: \/slow/);
  });

  test(`${name}: a request with a body is answered, and its connection closed`, async () => {
    const { got, closed } = await converse(
      server,
      ['POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nbody'],
      () => false,
    );
    match(got, /connection: close/i);
    match(got, /POST$/);
    equal(closed, true);
  });

  test(`${name}: who says so is answered and closed; HEAD has no body`, async () => {
    const { got, closed } = await converse(
      server,
      ['HEAD /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
      () => false,
    );
    match(got, /content-length: 4/i);
    ok(got.endsWith('\r\n\r\n'));
    equal(closed, true);
  });

  test(`${name}: HTTP/1.1 without a host is a bad request`, async () => {
    const { got, closed } = await converse(server, ['GET / HTTP/1.1\r\n\r\n'], () => false);
    match(got, /^HTTP\/1\.1 400 Bad Request\r\n/);
    equal(closed, true);
  });

  test(`${name}: a head that is too long, and what is no HTTP, close the connection without an answer`, async () => {
    for (const text of [
      `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      'BitTorrent protocol\r\n\r\n',
    ]) {
      const { got, closed } = await converse(server, [text], () => false);
      equal(got, '');
      equal(closed, true);
    }
  });

  test(`${name}: an answer that the system does not take at once comes whole`, async () => {
    const body = Uint8Array.from({ length: 10_000_019 }, (_, i) => 33 + (i % 89));
    const wish = [request('/a', 'connection: close\r\n')];
    const { got } = await converse(
      server,
      wish,
      () => false,
      () => body,
    );
    ok(Buffer.from(got.slice(got.indexOf('\r\n\r\n') + 4), 'latin1').equals(body));
  });

  test(`${name}: many connections at once, each from where it says`, async () => {
    const seen = new Set<string>();
    const { port } = await listenOn(server, ({ remote }) => {
      seen.add(`${remote.address}:${remote.port}`);
      return { status: 200, headers: {}, body: encodeUtf8('here') };
    });
    const all = Array.from({ length: 200 }, () => talk(port));
    for (const { socket } of all) socket.write(request('/', 'connection: close\r\n'));
    const ports = new Set<string>();
    for (const { socket } of all) socket.once('connect', () => ports.add(`${loopback}:${socket.localPort}`));
    await untilReal(() => all.every(({ closed }) => closed));
    ok(all.every(({ got }) => got.endsWith('here')));
    equal(seen.size, 200);
    ok([...ports].every((place) => seen.has(place)));
  });

  test(`${name}: a port that is taken is said in words`, async () => {
    const handle = () => ({ status: 200, headers: {}, body: encodeUtf8('') });
    const { port } = await listenOn(server, handle);
    await rejects(server.listen({ address: loopback, port: port }, handle), {
      code: 'NET_LISTEN',
      message: /another program uses it/,
    });
  });

  test(`${name}: all addresses of both families, and IPv4 is told as IPv4`, async () => {
    let remote = '';
    const handle = (asked: HttpServerRequest): HttpServerResponse => {
      remote = asked.remote.address;
      return { status: 200, headers: {}, body: encodeUtf8('') };
    };
    const { port } = await listenOn(server, handle, null);
    const { socket } = talk(port);
    socket.write(request('/'));
    await untilReal(() => remote !== '');
    equal(remote, loopback);
  });
}

test('epoll: who is slow, idle or does not read is closed, and newcomers beyond the ceiling', {
  skip,
}, async () => {
  // Long enough for a machine that is busy with other things.
  const short = { headTimeoutMs: 2500, idleMs: 2500, silenceMs: 2500, checkEveryMs: 50, connectionCount: 4 };
  const server = createEpollHttpServer(libc!, { ...httpServerLimits, ...short });
  const { port } = await listenOn(server, ({ target }) => ({
    status: 200,
    headers: {},
    body: new Uint8Array(target === '/long' ? 50 << 20 : 1),
  }));
  const [mute, slow, idle, deaf] = [1, 2, 3, 4].map(() => talk(port));
  slow!.socket.write('GET / HT');
  // A byte now and then is no request.
  const drip = setInterval(() => slow!.socket.write('\r\n'), 20);
  idle!.socket.write(request('/'));
  deaf!.socket.once('connect', () => {
    deaf!.socket.pause();
    deaf!.socket.write(request('/long'));
  });
  await untilReal(() => mute!.closed && slow!.closed && idle!.closed);
  clearInterval(drip);
  match(idle!.got, /^HTTP\/1\.1 200/);
  // There is room for four others at once when the one that does not read is gone too.
  for (let round = 0; !(await areAnswered(port, short.connectionCount)); round++) {
    ok(round < 1000, 'its place is never free');
    await new Promise((resolve) => setTimeout(resolve, short.checkEveryMs));
  }
  deaf!.socket.resume();
  await untilReal(() => deaf!.closed);
  ok(deaf!.got.length < 50 << 20);
});

test('epoll: more connections than allowed are closed at once, the others go on', { skip }, async () => {
  const server = createEpollHttpServer(libc!, { ...httpServerLimits, connectionCount: 2 });
  const { port } = await listenOn(server, () => ({
    status: 200,
    headers: {},
    body: encodeUtf8('here'),
  }));
  const first = talk(port);
  const second = talk(port);
  first.socket.write(request('/'));
  second.socket.write(request('/'));
  await untilReal(() => first.got !== '' && second.got !== '');
  const third = talk(port);
  await untilReal(() => third.closed);
  equal(third.got, '');
  first.socket.write(request('/again'));
  await untilReal(() => first.got.split('here').length === 3);
});
