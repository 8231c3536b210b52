import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { IpAddress, WebRequest, WebResponse, WebServerPort, WebUpgrade } from '@tequio/kernel';
import { tryDecodeUtf8 } from '@tequio/kernel';
import { untilReal } from '@tequio/kernel/compliance/clock-real';
import { WebSocket } from 'ws';
import { bodyTimeoutMs } from './web-request.ts';
import { createWebServer } from './web-server.ts';

const loopback = '127.0.0.1' as IpAddress;

type Handle = Parameters<WebServerPort['listen']>[1]['handle'];

async function serve(t: TestContext, handle: Handle) {
  const refused: string[] = [];
  const faults: unknown[] = [];
  const listener = await createWebServer().listen(
    { address: loopback, port: 0 },
    { handle, onRefused: (code) => void refused.push(code), onFault: (error) => void faults.push(error) },
  );
  t.after(() => listener.close());
  return { port: listener.local.port, refused, faults };
}

/** A raw connection that remembers all it got. */
function open(t: TestContext, port: number): { socket: Socket; got: () => string; closed: () => boolean } {
  const socket = connect(port, loopback);
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

/** The loop goes round once; no timer is needed for that. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function answer(body: WebResponse['body'], status = 200): WebResponse {
  return { status, headers: { 'content-type': 'text/plain' }, body };
}

test('bodies go in and out, and requests of one connection are answered in order', async (t) => {
  const { port } = await serve(t, async (request) =>
    answer(`${request.method} ${request.target} ${tryDecodeUtf8(await request.readBody(100))}`),
  );
  const { socket, got } = open(t, port);
  socket.write('POST /a?b=%00 HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\none');
  socket.write('PUT /c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n');
  await untilReal(() => got().includes('PUT /c two'));
  ok(got().indexOf('POST /a?b=%00 one') < got().indexOf('PUT /c two'));
});

test('who only asks for the head gets no body, and whoever would have given it is told', async (t) => {
  let isAsked = false;
  let isOver = false;
  const body: AsyncIterable<string> = {
    [Symbol.asyncIterator]: () => ({
      async next() {
        isAsked = true;
        return { done: false, value: 'a body' };
      },
      async return() {
        isOver = true;
        return { done: true, value: undefined };
      },
    }),
  };
  const { port } = await serve(t, async () => answer(body));
  const { socket, got } = open(t, port);
  socket.write('HEAD / HTTP/1.1\r\nhost: x\r\n\r\n');
  await untilReal(() => isOver && got().length > 0);
  match(got(), /^HTTP\/1.1 200 OK/);
  equal(isAsked, false);
});

test('a long body is taken piece by piece, and one that is given up ends with its answer', async (t) => {
  const { port } = await serve(t, async (request) => {
    let bytes = 0;
    let pieceCount = 0;
    for await (const piece of request.readBodyParts()) {
      bytes += piece.length;
      pieceCount++;
      if (request.target === '/enough') break;
    }
    return answer(
      request.target === '/enough' ? `stopped` : `${bytes} in ${pieceCount > 1 ? 'pieces' : 'one'}`,
    );
  });
  const long = open(t, port);
  long.socket.write('POST /all HTTP/1.1\r\nhost: x\r\ncontent-length: 3000000\r\n\r\n');
  for (let piece = 0; piece < 30; piece++) long.socket.write(Buffer.alloc(100_000));
  await untilReal(() => long.got().includes('3000000 in pieces'));
  const left = open(t, port);
  left.socket.write(`POST /enough HTTP/1.1\r\nhost: x\r\ncontent-length: 3000000\r\n\r\n${'x'.repeat(1000)}`);
  await untilReal(() => left.got().includes('stopped'));
  match(left.got(), /connection: close/i);
  await untilReal(left.closed);
});

test('a body that stops coming ends the connection, and is told of', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const isInPieces of [false, true]) {
    let isAsked = false;
    const { port, refused } = await serve(t, async (request) => {
      isAsked = true;
      if (isInPieces) for await (const _ of request.readBodyParts());
      else await request.readBody(1e6);
      return answer('nobody sees this');
    });
    const { socket, closed } = open(t, port);
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3000\r\n\r\nabc');
    while (!isAsked) await turn();
    t.mock.timers.tick(bodyTimeoutMs - 1);
    await turn();
    equal(closed(), false);
    t.mock.timers.tick(2);
    while (!closed()) await turn();
    deepEqual(refused, ['HTTP_SLOW']);
  }
});

test('whoever goes in the middle of a body that is taken piece by piece is found out', async (t) => {
  const codes: unknown[] = [];
  const { port } = await serve(t, async (request) => {
    try {
      for await (const _ of request.readBodyParts());
    } catch (error) {
      codes.push((error as { code?: unknown }).code);
    }
    return answer('nobody sees this');
  });
  const { socket } = open(t, port);
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3000\r\n\r\nabc');
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.destroy();
  await untilReal(() => codes.length > 0);
  deepEqual(codes, ['HTTP_CLIENT_GONE']);
});

test('a body that is too long is not read, whether it says so or not', async (t) => {
  const { port } = await serve(t, async (request) => {
    await rejects(request.readBody(4), { code: 'HTTP_BODY_LONG' });
    return answer('long', 413);
  });
  for (const framing of [
    'content-length: 5\r\n\r\nfive5',
    'transfer-encoding: chunked\r\n\r\n5\r\nfive5\r\n',
  ]) {
    const { socket, got, closed } = open(t, port);
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${framing}`);
    await untilReal(closed);
    match(got(), /^HTTP\/1\.1 413 [\s\S]*connection: close[\s\S]*long$/i);
  }
});

test('heads that are too long, broken or ambiguous never become requests', async (t) => {
  let requestCount = 0;
  const { port, refused } = await serve(t, async () => {
    requestCount++;
    return answer('');
  });
  const heads = [
    [`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, '431', 'HTTP_HEAD_LONG'],
    ['BitTorrent protocol\r\n\r\n', '400', 'HTTP_MALFORMED'],
    ['GET / HTTP/1.1\r\nhost: good\r\nhost: bad\r\n\r\n', '400', 'HTTP_HEADER_TWICE'],
    ['GET http://bad/ HTTP/1.1\r\nhost: good\r\n\r\n', '400', 'HTTP_TARGET'],
    [
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
      '400',
      'HTTP_MALFORMED',
    ],
  ] as const;
  for (const [text, status, code] of heads) {
    const { socket, got, closed } = open(t, port);
    socket.write(text);
    await untilReal(closed);
    match(got(), new RegExp(`^HTTP/1\\.1 ${status} `));
    equal(refused.pop(), code);
  }
  equal(requestCount, 0);
});

test('pieces are asked for as the client takes them, and no more when it has gone', async (t) => {
  let madeCount = 0;
  let isEnded = false;
  const { port } = await serve(t, async () =>
    answer(
      (async function* () {
        try {
          for (; madeCount < 1000; madeCount++) yield new Uint8Array(1 << 16);
        } finally {
          isEnded = true;
        }
      })(),
    ),
  );
  const { socket } = open(t, port);
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  // What the system's own buffers take, and not the 62 MiB that there are.
  let before = -1;
  await untilReal(() => {
    const isStill = before === madeCount && madeCount > 0;
    before = madeCount;
    return isStill;
  });
  ok(madeCount < 500, `${madeCount} pieces were made for nobody`);
  socket.destroy();
  await untilReal(() => isEnded);
});

test('a body that fails is cut, so that it does not look whole; a handler that fails is a 500', async (t) => {
  const { port, faults } = await serve(t, async ({ target }) => {
    if (target === '/throws') throw new Error('ours');
    return answer(
      (async function* () {
        yield 'half';
        throw new Error('disk');
      })(),
    );
  });
  const cut = open(t, port);
  cut.socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await untilReal(cut.closed);
  match(cut.got(), /^HTTP\/1\.1 200 /);
  ok(!cut.got().includes('\r\n0\r\n'), 'the end of a chunked body');
  const failed = open(t, port);
  failed.socket.write('GET /throws HTTP/1.1\r\nhost: x\r\n\r\n');
  await untilReal(failed.closed);
  match(failed.got(), /^HTTP\/1\.1 500 /);
  ok(!failed.got().includes('ours'));
  deepEqual(faults.map(String), ['Error: disk', 'Error: ours']);
});

test('the signal tells a handler that its client has gone', async (t) => {
  let signal: AbortSignal | null = null;
  const { port } = await serve(t, async (request: WebRequest) => {
    signal = request.signal;
    await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
    return answer('nobody');
  });
  const { socket } = open(t, port);
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await untilReal(() => signal !== null);
  socket.destroy();
  await untilReal(() => signal?.aborted === true);
});

test('a WebSocket is granted or refused, its messages bounded', async (t) => {
  const said: string[] = [];
  let closeCount = 0;
  const { port } = await serve(t, async ({ target }): Promise<WebResponse | WebUpgrade> => {
    if (target !== '/socket') return answer('no', 403);
    return {
      bytesMax: 10,
      webSocket: {
        onOpen: (peer) => peer.send('hello'),
        onMessage: (text, peer) => {
          said.push(text);
          peer.send(text.toUpperCase());
        },
        onClose: () => void closeCount++,
      },
    };
  });
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
  const heard: string[] = [];
  let closeCode = 0;
  socket.on('message', (data) => void heard.push(String(data)));
  socket.on('close', (code) => {
    closeCode = code;
  });
  await untilReal(() => heard.length === 1);
  socket.send('word');
  await untilReal(() => heard.length === 2);
  deepEqual(heard, ['hello', 'WORD']);
  socket.send('longer than ten');
  await untilReal(() => closeCode !== 0 && closeCount === 1);
  equal(closeCode, 1009);
  deepEqual(said, ['word']);

  const refused = open(t, port);
  refused.socket.write(
    'GET /other HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  await untilReal(refused.closed);
  match(refused.got(), /^HTTP\/1\.1 403 [\s\S]*no$/);
  // Asked for plainly, it is told what to ask for.
  const plain = open(t, port);
  plain.socket.write('GET /socket HTTP/1.1\r\nhost: x\r\n\r\n');
  await untilReal(plain.closed);
  match(plain.got(), /^HTTP\/1\.1 426 /);
});
