import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeProxyUrl, type ProxySettings } from './proxy-settings.ts';

function read(text: string): ProxySettings | string {
  const result = decodeProxyUrl(text);
  return result.ok ? result.value : result.fault.message;
}

test('addresses of proxies', () => {
  const plain = { kind: 'socks5', host: '192.0.2.7', port: 1080, credentials: null };
  assert.deepEqual(read('socks5://192.0.2.7'), plain);
  assert.deepEqual(read('socks5h://192.0.2.7:1080/'), plain);
  assert.deepEqual(read('socks5://[2001:db8::1]:9'), { ...plain, host: '2001:db8::1', port: 9 });
  assert.deepEqual(read('http://proxy.example'), {
    kind: 'http',
    host: 'proxy.example',
    port: 8080,
    credentials: null,
  });
  for (const text of ['http://proxy.example:80', 'http://proxy.example:080/'])
    assert.equal((read(text) as ProxySettings).port, 80);
  const { credentials } = read('socks5://us%40er:p%3Aä@h:1') as ProxySettings;
  assert.deepEqual(credentials, { user: 'us@er', password: 'p:ä' });
});

test('what is no proxy is refused, and no password is repeated', () => {
  for (const text of [
    '',
    'proxy.example:1080',
    'socks4://h',
    'https://h',
    'socks5://',
    'socks5://h:0',
    'socks5://h:99999',
    'socks5://h/path',
    'http://h?x',
    'socks5://secret%zz@h',
    `socks5://${'secret'.repeat(50)}@h`,
    'http://a%3Ab:secret@h',
    'http://a:secret%0d%0aX: y@h',
  ]) {
    const answer = read(text);
    assert.equal(typeof answer, 'string', text);
    assert.ok(!String(answer).includes('secret'), text);
  }
});
