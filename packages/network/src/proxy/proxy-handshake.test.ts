import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, decodeUtf8Lossy, encodeUtf8, toHex, tryFromHex } from '@tequio/kernel';
import { HttpConnectHandshake, httpConnectLimits } from './http-connect-handshake.ts';
import type { ProxyHandshake } from './proxy-handshake.ts';
import { Socks5Handshake } from './socks5-handshake.ts';
import { encodeSocks5Datagram, tryDecodeSocks5Datagram } from './socks5-message.ts';

const hex = (text: string): Uint8Array => tryFromHex(text.replaceAll(' ', ''))!;
const credentials = { user: 'ana', password: 'öl' };

function said(machine: ProxyHandshake): string {
  const out: Uint8Array[] = [];
  machine.drain(out);
  return toHex(concatBytes(out));
}

test('SOCKS5 without a login, by name: the bytes of RFC 1928', () => {
  const machine = new Socks5Handshake('connect', { host: 'a.example', port: 6881 }, null);
  assert.equal(said(machine), '050100');
  assert.equal(machine.handleBytes(hex('0500')), null);
  assert.equal(said(machine), `05010003 09${toHex(encodeUtf8('a.example'))}1ae1`.replace(' ', ''));
  for (const byte of hex('05000001 c0000201 0050'))
    assert.equal(machine.handleBytes(Uint8Array.of(byte)), null);
  assert.deepEqual(machine.result, {
    bound: { address: '192.0.2.1', port: 80 },
    rest: new Uint8Array(0),
  });
  assert.equal(said(machine), '');
});

test('SOCKS5 with a login, by addresses, with what the other side says at once', () => {
  const machine = new Socks5Handshake('connect', { host: '2001:db8::1', port: 1 }, credentials);
  assert.equal(said(machine), '05020002');
  machine.handleBytes(hex('0502'));
  assert.equal(said(machine), '0103616e6103c3b66c');
  assert.equal(machine.handleBytes(hex('0100 0500 0003 0468 6f73 7400 01aa bb')), null);
  assert.equal(said(machine), '0501000420010db8000000000000000000000001 0001'.replace(' ', ''));
  assert.equal(machine.result?.bound, null, 'a name is no address');
  assert.equal(toHex(machine.result!.rest), 'aabb');
  const datagrams = new Socks5Handshake('datagrams', { host: '0.0.0.0', port: 0 }, null);
  said(datagrams);
  datagrams.handleBytes(hex('0500'));
  assert.equal(said(datagrams), '05030001000000000000');
});

test('SOCKS5: refusals are plain sentences, and end it', () => {
  const codes = (answers: readonly string[], login: typeof credentials | null): string | undefined => {
    const machine = new Socks5Handshake('connect', { host: '192.0.2.1', port: 1 }, login);
    for (const answer of answers) {
      const fault = machine.handleBytes(hex(answer));
      if (fault === null) continue;
      said(machine);
      assert.equal(machine.handleBytes(hex('0500000100000000 0000')), null);
      assert.equal(said(machine), '');
      assert.equal(machine.result, null);
      return `${fault.code} ${fault.message}`;
    }
    return undefined;
  };
  assert.match(codes(['0400'], null)!, /PROTOCOL/);
  assert.match(codes(['48545450'], null)!, /PROTOCOL/);
  assert.match(codes(['0502'], null)!, /LOGIN/);
  assert.match(codes(['05ff'], credentials)!, /LOGIN/);
  assert.match(codes(['0502', '0101'], credentials)!, /LOGIN.*does not accept/);
  assert.match(codes(['0500', '05050001'], null)!, /REFUSED.*the host refused the connection/);
  assert.match(codes(['0500', '057f'], null)!, /REFUSED.*reason 127/);
  assert.match(codes(['0500', '05000009'], null)!, /PROTOCOL/);
});

test('datagrams carry their address and come back with it; parts and noise are none', () => {
  const bytes = encodeSocks5Datagram({ host: '192.0.2.1', port: 53 }, hex('0102'));
  assert.equal(toHex(bytes), '00000001c000020100350102');
  assert.deepEqual(tryDecodeSocks5Datagram(bytes), {
    from: { host: '192.0.2.1', port: 53 },
    data: hex('0102'),
  });
  const named = tryDecodeSocks5Datagram(encodeSocks5Datagram({ host: 'x'.repeat(300), port: 1 }, hex('')));
  assert.deepEqual(named, { from: { host: 'x'.repeat(255), port: 1 }, data: hex('') });
  for (const noise of ['', '0000', '000000', '00000005', '0000010100000000003501', '00000001c00002010'])
    assert.equal(tryDecodeSocks5Datagram(hex(`${noise}${noise.length % 2 ? '0' : ''}`)), null, noise);
});

test('an HTTP tunnel: what is asked, and the first bytes of the other side', () => {
  const machine = new HttpConnectHandshake({ host: '2001:db8::1', port: 6881 }, credentials);
  const out: Uint8Array[] = [];
  machine.drain(out);
  assert.equal(
    decodeUtf8Lossy(out[0]!),
    `CONNECT [2001:db8::1]:6881 HTTP/1.1\r\nHost: [2001:db8::1]:6881\r\nProxy-Authorization: Basic ${Buffer.from('ana:öl').toString('base64')}\r\n\r\n`,
  );
  const answer = encodeUtf8('HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n\x13Bit');
  for (const byte of answer) if (machine.result === null) machine.handleBytes(Uint8Array.of(byte));
  assert.equal(machine.result!.rest.length, 0);
  const atOnce = new HttpConnectHandshake({ host: 'evil\r\nX: y', port: 1 }, null);
  atOnce.drain(out);
  assert.ok(decodeUtf8Lossy(out[1]!).startsWith('CONNECT evilX:y:1 HTTP/1.1\r\nHost: evilX:y:1\r\n\r\n'));
  atOnce.handleBytes(answer);
  assert.equal(decodeUtf8Lossy(atOnce.result!.rest), '\x13Bit');
});

test('an HTTP tunnel: refusals, other protocols, and an answer without end', () => {
  const codeOf = (text: string): string | undefined =>
    new HttpConnectHandshake({ host: 'h', port: 1 }, null).handleBytes(encodeUtf8(text))?.code;
  assert.equal(codeOf('HTTP/1.1 407 no\r\n\r\n'), 'NET_PROXY_LOGIN');
  assert.equal(codeOf('HTTP/1.0 403 no\n\n'), 'NET_PROXY_REFUSED');
  assert.equal(codeOf('HTTP/1.1 2000 x\r\n\r\n'), 'NET_PROXY_PROTOCOL');
  assert.equal(codeOf('SSH-2.0\r\n\r\n'), 'NET_PROXY_PROTOCOL');
  assert.equal(
    codeOf(`HTTP/1.1 200 x\r\n${'x'.repeat(httpConnectLimits.headBytesMax)}`),
    'NET_PROXY_PROTOCOL',
  );
  assert.equal(codeOf('HTTP/1.1 200 ok\r\n'), undefined);
});
