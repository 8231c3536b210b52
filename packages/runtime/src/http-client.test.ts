import { deepEqual, equal, ok } from 'node:assert/strict';
import { createServer as createPlainServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import type { HttpDialler, HttpRequest, IpAddress, Resolver, StreamConnection } from '@tequio/kernel';
import { passReal, untilReal } from '@tequio/kernel/compliance/clock-real';
import { HttpRecorder, testHttpPorts } from '@tequio/kernel/compliance/http';
import { createHttpClient } from './http-client.ts';
import { createHttpServer } from './http-server.ts';
import { createResolver } from './resolver.ts';
import { createTcp } from './tcp.ts';

for (const address of ['127.0.0.1', '::1'] as IpAddress[]) {
  testHttpPorts(`runtime http on ${address}`, async () => {
    const client = createHttpClient(createResolver());
    return {
      server: createHttpServer(),
      client,
      serverAddress: address,
      clientAddress: address,
      until: untilReal,
      pass: passReal,
      close: async () => client.close(),
    };
  });
}

const client = createHttpClient(createResolver());
const servers: Server[] = [];
const sockets: Socket[] = [];
after(() => {
  client.close();
  for (const server of servers) server.close();
  for (const socket of sockets) socket.destroy();
});

/** Listens on loopback until the end of this file. */
async function serve(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function get(url: string, more: Partial<HttpRequest> = {}, from = client): Promise<HttpRecorder> {
  const recorder = new HttpRecorder();
  recorder.exchange = from.open(
    { method: 'GET', url, timeoutMs: 5000, bytesMax: 1 << 20, ...more },
    recorder,
  );
  await untilReal(() => recorder.ended);
  equal(recorder.endCount, 1);
  return recorder;
}

const encoders = { gzip: gzipSync, 'x-gzip': gzipSync, deflate: deflateSync, 'raw deflate': deflateRawSync };
const text = 'the same text '.repeat(1000);

test('gzip and both kinds of deflate are undone', async () => {
  const port = await serve(
    createPlainServer((request, response) => {
      const name = decodeURIComponent((request.url ?? '').slice(1)) as keyof typeof encoders;
      equal(request.headers['accept-encoding'], 'gzip, deflate');
      const bytes = encoders[name](text);
      response.writeHead(200, { 'content-encoding': name.replace('raw ', '') });
      // In two pieces, so that the first byte alone decides.
      response.write(bytes.subarray(0, 1));
      setImmediate(() => response.end(bytes.subarray(1)));
    }),
  );
  for (const name of Object.keys(encoders)) {
    const got = await get(`http://127.0.0.1:${port}/${encodeURIComponent(name)}`);
    deepEqual([name, got.error, got.text === text], [name, null, true]);
  }
});

test('the ceiling counts decompressed bytes, so a small bomb ends early', async () => {
  const bomb = gzipSync(new Uint8Array(50_000_000));
  const port = await serve(
    createPlainServer((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)),
  );
  ok(bomb.length < 100_000);
  const got = await get(`http://127.0.0.1:${port}/`, { bytesMax: 100_000 });
  equal(got.error?.code, 'HTTP_TOO_LONG');
  ok(got.bodyBytes <= 100_000);
});

test('bad compression, unknown compression and cut bodies are errors', async () => {
  const port = await serve(
    createPlainServer((request, response) => {
      if (request.url === '/bad')
        return void response.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip');
      if (request.url === '/short') {
        return void response
          .writeHead(200, { 'content-encoding': 'gzip' })
          .end(gzipSync(text).subarray(0, 50));
      }
      if (request.url === '/br') return void response.writeHead(200, { 'content-encoding': 'br' }).end('x');
      response.writeHead(200, {
        'content-length': 1000,
        ...(request.url === '/cut-gzip' ? { 'content-encoding': 'gzip' } : {}),
      });
      response.write(gzipSync(text).subarray(0, 20));
      setTimeout(() => response.destroy(), 20);
    }),
  );
  for (const [path, code] of [
    ['bad', 'HTTP_BAD_ENCODING'],
    ['short', 'HTTP_BAD_ENCODING'],
    ['br', 'HTTP_BAD_ENCODING'],
    ['cut', 'HTTP_CLOSED'],
    ['cut-gzip', 'HTTP_CLOSED'],
  ]) {
    const got = await get(`http://127.0.0.1:${port}/${path}`);
    deepEqual([path, got.error?.code], [path, code]);
  }
});

test('a name is resolved once and only allowed addresses are dialled', async () => {
  const port = await serve(createPlainServer((request, response) => response.end(request.headers.host)));
  let askedCount = 0;
  const resolver: Resolver = {
    resolve: async () => {
      askedCount++;
      return ['10.255.255.1', '127.0.0.1'] as IpAddress[];
    },
  };
  const own = createHttpClient(resolver);
  const url = `http://tracker.invalid:${port}/`;
  const got = await get(url, { allowAddress: (address) => address === '127.0.0.1' }, own);
  deepEqual([got.error, got.text, askedCount], [null, `tracker.invalid:${port}`, 1]);
  equal(got.head?.remote, '127.0.0.1');
  const none = await get(url, { allowAddress: () => false }, own);
  equal(none.error?.code, 'HTTP_ADDRESS_REFUSED');
  own.close();
});

test('a kept connection to one address is not used when the name now has another', async () => {
  const port = await serve(createPlainServer((_, response) => response.end('first')));
  let answer = ['127.0.0.1'] as IpAddress[];
  const own = createHttpClient({ resolve: async () => answer });
  equal((await get(`http://name.invalid:${port}/`, {}, own)).text, 'first');
  answer = ['127.0.0.2'] as IpAddress[];
  const moved = await get(`http://name.invalid:${port}/`, {}, own);
  equal(moved.error?.code, 'HTTP_CONNECT', 'nobody listens on 127.0.0.2');
  own.close();
});

test('connections are kept for the next request, and their loss is not the caller’s trouble', async () => {
  const remotePorts = new Set<number | undefined>();
  const server = createPlainServer((request, response) => {
    remotePorts.add(request.socket.remotePort);
    response.end('x');
  });
  const port = await serve(server);
  for (let i = 0; i < 3; i++) await get(`http://127.0.0.1:${port}/`);
  equal(remotePorts.size, 1);
  server.closeAllConnections();
  equal((await get(`http://127.0.0.1:${port}/`)).error, null);
});

test('the family that was asked for is used when the name has it', async () => {
  const own = createHttpClient({ resolve: async () => ['127.0.0.1', '::1'] as IpAddress[] });
  const asked: IpAddress[] = [];
  const port = await serve(createPlainServer((_, response) => response.end('four')));
  const allowAddress = (address: IpAddress): boolean => asked.push(address) > 0;
  equal((await get(`http://name.invalid:${port}/`, { family: 4, allowAddress }, own)).text, 'four');
  deepEqual(asked, ['127.0.0.1', '::1']);
  equal((await get(`http://name.invalid:${port}/`, { family: 6 }, own)).error?.code, 'HTTP_CONNECT');
  own.close();
});

test('silence before the head and inside the body ends in a timeout', async () => {
  const port = await serve(
    createPlainServer((request, response) => {
      if (request.url === '/body') response.write('x');
    }),
  );
  for (const path of ['head', 'body']) {
    const startMs = performance.now();
    const got = await get(`http://127.0.0.1:${port}/${path}`, { timeoutMs: 80 });
    equal(got.error?.code, 'HTTP_TIMEOUT');
    ok(performance.now() - startMs < 2000);
  }
});

test('what is not HTTP, and endless headers, are refused', async () => {
  const port = await serve(
    createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (bytes) => {
        if (bytes.includes('/garbage')) socket.write('hello, this is no HTTP\r\n\r\n');
        else socket.write(`HTTP/1.1 200 OK\r\n${'x: yyyyyyyyyyyyyyyyyyyy\r\n'.repeat(2000)}\r\n`);
      });
    }),
  );
  equal((await get(`http://127.0.0.1:${port}/garbage`)).error?.code, 'HTTP_BAD_RESPONSE');
  equal((await get(`http://127.0.0.1:${port}/headers`)).error?.code, 'HTTP_BAD_RESPONSE');
});

test('a header that cannot be sent ends the request', async () => {
  const got = await get('http://127.0.0.1:9/', { headers: { 'x-bad': 'a\r\nb: c' } });
  equal(got.error?.code, 'HTTP_BAD_REQUEST');
});

test('a certificate that nobody vouches for is refused', async () => {
  const port = await serve(
    createTlsServer({ key, cert: certificate }, (_, response) => response.end('secret')),
  );
  const got = await get(`https://127.0.0.1:${port}/`);
  deepEqual([got.error?.code, got.bodyBytes], ['HTTP_TLS', 0]);
});

/** Self-signed for localhost, made for this test; it protects nothing. */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFSq8rhjxLJ9cWa2O
8jsI5ZlOisjfyGWa9mXTTgMKC9KhRANCAAQdFTkSUK5OEp9lZt/tsZ3y5ehSsqvj
ePsew4TJIuGU3sLg2lyJfp1HLzvWSLjLbDLfqsN5H0ilibAxEXXloSrv
-----END PRIVATE KEY-----`;
const certificate = `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUKPw9etHGEBveZ2bzycs7Ur2WjXQwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjE2NDA1NloYDzIxMjYxMDI5
MTY0MDU2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQdFTkSUK5OEp9lZt/tsZ3y5ehSsqvjePsew4TJIuGU3sLg2lyJfp1H
LzvWSLjLbDLfqsN5H0ilibAxEXXloSrvo28wbTAdBgNVHQ4EFgQUtOysHFrDGBU0
JpUWTvqTuWst3dQwHwYDVR0jBBgwFoAUtOysHFrDGBU0JpUWTvqTuWst3dQwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgIIsvBUmtpZAiTmW9QJj0WZf5PoFbCFwd01/xRIYRJYsCIFdT
YbkPNdcnCpZV/SE2v5rzK6pboPP7eZ+VuhXReQcn
-----END CERTIFICATE-----`;

test('over a connection made elsewhere: the name is not looked up, both ways of HTTP work', async () => {
  const asked: string[] = [];
  const port = await serve(
    createPlainServer((request, response) => {
      asked.push(request.headers.host ?? '');
      response.end(Buffer.alloc(50_000, 7));
    }),
  );
  const tlsPort = await serve(createTlsServer({ key, cert: certificate }, () => {}));
  const dialled: string[] = [];
  const tcp = createTcp();
  const dialTo = (to: number): HttpDialler => ({
    name: `to ${to}`,
    dial: (host, wanted, timeoutMs, handler) => {
      dialled.push(`${host}:${wanted}`);
      return tcp.dial({ address: '127.0.0.1' as IpAddress, port: to }, { timeoutMs }, handler);
    },
  });
  const blind = createHttpClient({ resolve: () => Promise.reject(new Error('looked up')) });
  const got = await get('http://no.such.name/x', { dialler: dialTo(port) }, blind);
  deepEqual([got.error, got.bodyBytes], [null, 50_000]);
  const tls = await get('https://no.such.name/', { dialler: dialTo(tlsPort) }, blind);
  equal(tls.error?.code, 'HTTP_TLS');
  deepEqual(dialled, ['no.such.name:80', 'no.such.name:443']);
  deepEqual(asked, ['no.such.name']);
  const allowAddress = (): boolean => false;
  const refused = await get('http://127.0.0.1:9/', { dialler: dialTo(port), allowAddress }, blind);
  equal(refused.error?.code, 'HTTP_ADDRESS_REFUSED');
  const nobody = await get('http://no.such.name/', { dialler: dialTo(1) }, blind);
  equal(nobody.error?.code, 'HTTP_CONNECT');
  equal(dialled.length, 3);
  blind.close();
});

test('a connection made elsewhere is kept for the next request of the same way, and given up when it is cut', async () => {
  const ports: number[] = [];
  const port = await serve(
    createPlainServer((request, response) => {
      ports.push(request.socket.remotePort ?? 0);
      response.end('yes');
    }),
  );
  const made: StreamConnection[] = [];
  const dialler = (name: string): HttpDialler => ({
    name,
    dial: (_host, _port, timeoutMs, handler) => {
      const connection = createTcp().dial(
        { address: '127.0.0.1' as IpAddress, port },
        { timeoutMs },
        handler,
      );
      made.push(connection);
      return connection;
    },
  });
  const one = createHttpClient(createResolver());
  const ask = async (name: string, host = 'no.such.name'): Promise<void> => {
    const { error, bodyBytes, head } = await get(`http://${host}/`, { dialler: dialler(name) }, one);
    deepEqual([error, bodyBytes, head?.remote], [null, 3, '127.0.0.1']);
  };
  for (let i = 0; i < 3; i++) await ask('proxy');
  deepEqual([made.length, new Set(ports).size], [1, 1]);
  await ask('another proxy');
  await ask('proxy', 'another.name');
  equal(made.length, 3, 'neither another way nor another host shares it');
  sockets.find((socket) => socket.remotePort === ports[0])!.destroy();
  await ask('proxy');
  equal(made.length, 4);
  // Cut while the request is on its way: nothing has been answered, so it is sent once more.
  const kept = made[3]!;
  const write = kept.write.bind(kept);
  kept.write = (parts, sent) => {
    write(parts, sent);
    kept.destroy();
  };
  await ask('proxy');
  equal(made.length, 5);
  one.close();
});

test('kept connections are used again, and end when that is asked for', async () => {
  const own = createHttpClient(createResolver());
  const open = new Set<Socket>();
  const server = createPlainServer((_request, response) => response.end('x'));
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  const url = `http://127.0.0.1:${await serve(server)}/`;
  await get(url, {}, own);
  const [first] = open;
  await get(url, {}, own);
  deepEqual([...open], [first]);
  own.endIdle?.();
  await untilReal(() => open.size === 0);
  await get(url, {}, own);
  equal(open.size, 1);
  own.close();
});
