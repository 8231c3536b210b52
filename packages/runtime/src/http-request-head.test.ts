import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRequestHead } from './http-request-head.ts';

test('the parts of a head are taken as they stand', () => {
  const head = parseRequestHead('GET /announce?info_hash=%00a HTTP/1.1\r\nHost: x\r\nX-A:1 \r\nx-a:\t2');
  deepEqual(
    { ...head, headers: { ...head!.headers } },
    {
      method: 'GET',
      target: '/announce?info_hash=%00a',
      headers: { host: 'x', 'x-a': '1, 2' },
      keepsAlive: true,
      hasBody: false,
      lacksHost: false,
    },
  );
});

test('what two servers might read in two ways is no request', () => {
  for (const text of [
    '',
    'GET /',
    'GET / HTTP/2.0',
    'get / HTTP/1.1',
    'GET  / HTTP/1.1',
    'GET / HTTP/1.1 ',
    'GET /a b HTTP/1.1',
    'GET / HTTP/1.1\r\n folded: x',
    'GET / HTTP/1.1\r\nhost : x',
    'GET / HTTP/1.1\r\nhost',
    'GET / HTTP/1.1\r\nhost: x\ny: z',
    'GET / HTTP/1.1\r\nhost: x\0',
    'GET / HTTP/1.1\r\n: x',
    'POST / HTTP/1.1\r\ncontent-length: -1',
    'POST / HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6',
    'POST / HTTP/1.1\r\ncontent-length: 0x5',
  ])
    equal(parseRequestHead(text), null, text);
});

test('whether a connection is kept depends on version and wish', () => {
  const keeps = (version: string, wish: string): boolean | undefined =>
    parseRequestHead(`GET / HTTP/${version}\r\nhost: x\r\n${wish}`)?.keepsAlive;
  equal(keeps('1.1', 'a: b'), true);
  equal(keeps('1.1', 'Connection: Close'), false);
  equal(keeps('1.1', 'connection: x, close'), false);
  equal(keeps('1.0', 'a: b'), false);
  equal(keeps('1.0', 'connection: keep-alive'), true);
});

test('a header may be called like a member of every object', () => {
  const headers = parseRequestHead('GET / HTTP/1.0\r\n__proto__: x\r\nconstructor: y')!.headers;
  equal(headers['constructor'], 'y');
  equal(Object.keys(headers).length, 2);
});

test('any bytes are a head or none, in time that grows with their number', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isHeader) => {
      const text = Buffer.from(bytes).toString('latin1');
      const head = parseRequestHead(isHeader ? `GET / HTTP/1.1\r\n${text}` : text);
      ok(head === null || !/[\r\n]/.test(head.target + Object.values(head.headers).join('')));
    }),
  );
  // Quadratic cost would be some 10^10 steps here.
  equal(parseRequestHead(`GET / HTTP/1.1\r\nx:${' '.repeat(200_000)}\x01`), null);
});
