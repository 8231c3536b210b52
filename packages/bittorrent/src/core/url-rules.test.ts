import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressScope, type IpAddress, tryParseAddress } from '@tequio/kernel';
import {
  allowsAddress,
  type CheckedUrl,
  checkRedirect,
  checkUrl,
  type UrlPurpose,
  urlLimits,
} from './url-rules.ts';

function checked(text: string, purpose: UrlPurpose = 'tracker'): CheckedUrl {
  const result = checkUrl(text, purpose);
  assert.ok(result.ok, `${text} should pass`);
  return result.value;
}

function address(text: string): IpAddress {
  const parsed = tryParseAddress(text);
  assert.ok(parsed !== null);
  return parsed;
}

test('only http, https and udp trackers pass, and only http and https web seeds', () => {
  for (const url of [
    'http://a.example/announce',
    'https://a.example/x',
    'udp://a.example:6969',
    'UDP://a.example:1/announce',
  ])
    assert.equal(checkUrl(url, 'tracker').ok, true, url);
  for (const url of [
    'file:///etc/passwd',
    'ftp://a.example/',
    'gopher://a.example:70/',
    'wss://a.example',
    'javascript:1',
    '',
    'a.example/announce',
  ])
    assert.equal(checkUrl(url, 'tracker').ok, false, url);
  assert.equal(checkUrl('udp://a.example:6969', 'web-seed').ok, false);
  assert.equal(checkUrl('http://a.example/files/', 'web-seed').ok, true);
});

test('credentials, missing ports, overlong and preset URLs are refused', () => {
  const refused = [
    'http://user:pass@a.example/announce',
    'http://user@a.example/announce',
    'udp://a.example/announce',
    'udp://a.example:0/announce',
    'http://a.example/announce?info_hash=abc',
    'http://a.example/announce?x=1&Info%5fHash=abc',
    'http://a.example/announce?peer_id=abc',
    `http://a.example/${'a'.repeat(urlLimits.urlCharsMax)}`,
    'http://',
    'http://[::1/announce',
    'http://a.example:99999/announce',
  ];
  for (const url of refused) assert.equal(checkUrl(url, 'tracker').ok, false, url);
});

test('parts are normalised, and port 80 of a udp tracker is kept', () => {
  const udp = checked('udp://Tracker.Example:80/announce?a=b#c');
  assert.deepEqual(
    [udp.host, udp.port, udp.path, udp.query, udp.href],
    ['tracker.example', 80, '/announce', '?a=b', 'udp://tracker.example:80/announce?a=b'],
  );
  assert.equal(checked('udp://[2001:db8::1]:6969').host, '2001:db8::1');
  assert.equal(checked('udp://0x7f.1:6969').host, '127.0.0.1');
  assert.equal(checked('http://2130706433/announce').host, '127.0.0.1');
  assert.equal(checked('https://a.example/x').port, 443);
});

test('local addresses are only for announces, udp, and web seeds without a query', () => {
  const locals = [
    '127.0.0.1',
    '::1',
    '10.1.2.3',
    '192.168.0.1',
    '169.254.169.254',
    'fe80::1',
    'fd00::1',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    '100.64.0.1',
  ];
  for (const text of locals) {
    const local = address(text);
    assert.equal(allowsAddress(checked('http://x.example/announce?a=b'), local, true), true, text);
    assert.equal(allowsAddress(checked('http://x.example/announce.php'), local, true), true, text);
    assert.equal(allowsAddress(checked('http://x.example/admin?go=/announce'), local, true), false, text);
    const isPrivate = addressScope(local) === 'private';
    for (const path of ['a/announce', 'u/0f3c/announce.php?x=1']) {
      assert.equal(allowsAddress(checked(`http://x.example/${path}`), local, true), isPrivate, text);
      assert.equal(allowsAddress(checked(`http://x.example/${path}`), local, false), false, text);
    }
    assert.equal(allowsAddress(checked('http://x.example/announce/reboot'), local, true), true, text);
    assert.equal(allowsAddress(checked('http://x.example/a/announce/reboot'), local, true), false, text);
    assert.equal(allowsAddress(checked('http://x.example/cgi/reannounce'), local, true), false, text);
    assert.equal(allowsAddress(checked('udp://x.example:1'), local, true), true, text);
    assert.equal(allowsAddress(checked('http://x.example/files/', 'web-seed'), local, true), true, text);
    assert.equal(allowsAddress(checked('http://x.example/f?reboot=1', 'web-seed'), local, true), false, text);
    assert.equal(allowsAddress(checked('http://x.example/announce'), local, false), false, text);
  }
  for (const text of ['0.0.0.0', '::', '224.0.0.1', '255.255.255.255', 'ff02::1'])
    assert.equal(allowsAddress(checked('http://x.example/announce'), address(text), true), false, text);
  assert.equal(
    allowsAddress(checked('http://x.example/anything?a=b', 'web-seed'), address('192.0.2.1'), false),
    true,
  );
});

test('redirects are relative or absolute, few, and never lead to less safety', () => {
  const from = checked('https://a.example/announce');
  const next = checkRedirect(from, '/b/announce?info_hash=%00', 0);
  assert.equal(next.ok && next.value.href, 'https://a.example/b/announce?info_hash=%00');
  assert.equal(checkRedirect(from, 'http://a.example/announce', 0).ok, false);
  assert.equal(checkRedirect(from, 'https://b.example/', urlLimits.redirectCountMax - 1).ok, true);
  assert.equal(checkRedirect(from, 'https://b.example/', urlLimits.redirectCountMax).ok, false);
  assert.equal(checkRedirect(from, undefined, 0).ok, false);
  const plain = checked('http://a.example/announce');
  for (const bad of ['file:///etc/passwd', 'udp://a.example:1', 'http://u:p@b.example/', 'data:,x'])
    assert.equal(checkRedirect(plain, bad, 0).ok, false, bad);
  assert.equal(checkRedirect(plain, 'https://b.example/x', 0).ok, true);
});
