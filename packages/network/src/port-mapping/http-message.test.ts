import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8, toLatin1 } from '@tequio/kernel';
import { encodeHttpRequest, HttpMessageReader, httpMessageLimits } from './http-message.ts';

/** What comes of an answer that arrives in pieces of so many bytes, and then ends. */
function read(text: string, pieceBytes = 7, isEnded = true): string {
  const reader = new HttpMessageReader();
  const bytes = encodeUtf8(text);
  for (let at = 0; at < bytes.length; at += pieceBytes)
    reader.handleBytes(bytes.subarray(at, at + pieceBytes));
  if (isEnded) reader.handleEnd();
  const { result } = reader;
  if (result === null) return 'more';
  return 'code' in result ? result.code : `${result.status} ${result.body}`;
}

test('requests name the host, the length of the body in bytes, and end the connection', () => {
  const request = encodeHttpRequest({
    method: 'POST',
    host: '192.168.1.1:5000',
    path: '/ctl?x=1',
    headers: { SOAPAction: '"a#b"' },
    body: 'ñ',
  });
  assert.equal(
    toLatin1(request),
    'POST /ctl?x=1 HTTP/1.1\r\nHost: 192.168.1.1:5000\r\nConnection: close\r\nSOAPAction: "a#b"\r\n' +
      'Content-Length: 2\r\n\r\n\xc3\xb1',
  );
});

test('bodies by length, in chunks, and until the end, however the bytes arrive', () => {
  for (const pieceBytes of [1, 2, 7, 1000]) {
    assert.equal(
      read('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more', pieceBytes, false),
      '200 hello',
    );
    assert.equal(read('HTTP/1.0 500 No\r\n\r\nhello', pieceBytes), '500 hello');
    assert.equal(
      read('HTTP/1.1 200\nserver: x\n\nhello', pieceBytes),
      '200 hello',
      'bare line feeds, no phrase',
    );
    const chunked =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\n\r\n';
    assert.equal(read(chunked, pieceBytes, false), '200 hello!');
    assert.equal(
      read('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na', pieceBytes),
      '200 a',
    );
    assert.equal(read('HTTP/1.1 204 No\r\n\r\n', pieceBytes, false), '204 ');
  }
  assert.equal(read('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello', 7, false), 'more');
  assert.equal(read('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello'), '200 hello', 'counted wrongly');
});

test('what is no HTTP, or too much of it, is given up', () => {
  for (const text of [
    '',
    'HTTP/2 200 OK\r\n\r\n',
    'hello\r\n\r\n',
    'HTTP/1.1 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nx: y',
  ]) {
    assert.equal(read(text), 'NETWORK_ROUTER_HTTP', text);
  }
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  for (const body of ['xyz\r\n', '5\r\nhelloXX', `${' '.repeat(100)}`, '5\r\nhel', '-1\r\n', 'fffffff\r\n']) {
    assert.equal(read(head + body), 'NETWORK_ROUTER_HTTP', body);
  }
  const tooLong = 'NETWORK_ROUTER_HTTP_TOO_LONG';
  assert.equal(
    read(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(httpMessageLimits.headBytes)}`, 1000, false),
    tooLong,
  );
  assert.equal(read(`HTTP/1.1 200 OK\r\n\r\n${'y'.repeat(300_000)}`, 10_000, false), tooLong);
});
