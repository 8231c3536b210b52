import { equal, match, ok } from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { IpAddress } from '@tequio/kernel';
import { encodeUtf8 } from '@tequio/kernel';
import { untilReal } from '@tequio/kernel/compliance/clock-real';
import { createHttpServer } from './http-server.ts';

const loopback = '127.0.0.1' as IpAddress;

/** Sends raw text to a fresh server and returns what came back until it closed or was still. */
async function converse(
  parts: string[],
  enough: (got: string) => boolean,
): Promise<{ got: string; closed: boolean }> {
  const listener = await createHttpServer().listen({ address: loopback, port: 0 }, ({ method, target }) => ({
    status: 200,
    headers: { 'x-path': target },
    body: encodeUtf8(method),
  }));
  let got = '';
  let closed = false;
  const socket = connect(listener.local.port, loopback);
  socket.on('data', (bytes) => {
    got += bytes.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  for (const part of parts) socket.write(part);
  await untilReal(() => enough(got) || closed);
  socket.destroy();
  await listener.close();
  return { got, closed };
}

test('several requests on one connection are answered in order', async () => {
  const request = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;
  const { got } = await converse([request('/a') + request('/b?%00')], (text) => text.includes('/b?%00'));
  match(got, /^HTTP\/1\.1 200 OK\r\n/);
  ok(got.indexOf('x-path: /a') < got.indexOf('x-path: /b?%00'));
  match(got, /content-length: 3/i);
});

test('a request with a body is answered, and its connection closed', async () => {
  const { got, closed } = await converse(
    ['POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nbody'],
    () => false,
  );
  match(got, /connection: close/i);
  match(got, /POST$/);
  equal(closed, true);
});

test('a head that is too long, and what is no HTTP, close the connection without an answer', async () => {
  for (const text of [`GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 'BitTorrent protocol\r\n\r\n']) {
    const { got, closed } = await converse([text], () => false);
    equal(got, '');
    equal(closed, true);
  }
});
