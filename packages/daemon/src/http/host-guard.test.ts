import { equal, match, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientView } from './client-view.ts';
import { type GuardPolicy, printable, refusalOf } from './host-guard.ts';

const page: GuardPolicy = { allowedHosts: ['node.example', '*.lan:8080'], kind: 'page' };
const content: GuardPolicy = { ...page, kind: 'content' };

function codeOf(
  headers: Record<string, string>,
  { policy = page, method = 'GET' }: { policy?: GuardPolicy; method?: string } = {},
): string {
  const view: ClientView = {
    address: '127.0.0.1',
    host: headers['host'] ?? '127.0.0.1:27270',
    scheme: 'http',
    proxied: false,
  };
  return refusalOf({ method, headers, view }, policy)?.code ?? 'passes';
}

test('names that are not ours are refused: a rebound name says itself', () => {
  const hosts: Readonly<Record<string, string>> = {
    '127.0.0.1:27270': 'passes',
    '[::1]:27270': 'passes',
    'localhost:1': 'passes',
    'LOCALHOST.': 'passes',
    '192.168.1.9': 'passes',
    'node.example': 'passes',
    'Node.Example:9': 'passes',
    'a.lan:8080': 'passes',
    'a.lan:81': 'HTTP_HOST',
    'lan:8080': 'HTTP_HOST',
    'evil.example': 'HTTP_HOST',
    'node.example.evil.example': 'HTTP_HOST',
    'evilnode.example': 'HTTP_HOST',
    '127.0.0.1.evil.example': 'HTTP_HOST',
    'localhost.evil.example': 'HTTP_HOST',
    '127.0.0.1@evil.example': 'HTTP_HOST',
    '127.0.0.1:x': 'HTTP_HOST',
    '0x7f.1': 'HTTP_HOST',
    '': 'HTTP_HOST',
  };
  for (const [host, code] of Object.entries(hosts)) equal(codeOf({ host }), code, host);
});

test('an origin must be the host that was asked', () => {
  const host = '127.0.0.1:27270';
  const origins: Readonly<Record<string, string>> = {
    'http://127.0.0.1:27270': 'passes',
    'https://127.0.0.1:27270': 'passes',
    'http://127.0.0.1:27271': 'HTTP_ORIGIN',
    'http://127.0.0.1': 'HTTP_ORIGIN',
    'http://localhost:27270': 'HTTP_ORIGIN',
    'http://evil.example': 'HTTP_ORIGIN',
    'http://127.0.0.1:27270.evil.example': 'HTTP_ORIGIN',
    'http://evil.example/127.0.0.1:27270': 'HTTP_ORIGIN',
    'chrome-extension://abcdef': 'HTTP_ORIGIN',
    null: 'HTTP_ORIGIN',
    '': 'HTTP_ORIGIN',
  };
  for (const [origin, code] of Object.entries(origins))
    for (const method of ['GET', 'POST']) equal(codeOf({ host, origin }, { method }), code, origin);
  equal(codeOf({ host: 'node.example', origin: 'https://node.example' }), 'passes');
  equal(codeOf({ host: 'node.example', origin: 'https://node.example:444' }), 'HTTP_ORIGIN');
});

test('another site may lead a person to the page, and nothing else', () => {
  const fetched = (site: string, more: Record<string, string> = {}) => ({ 'sec-fetch-site': site, ...more });
  equal(codeOf(fetched('same-origin')), 'passes');
  equal(codeOf(fetched('none')), 'passes');
  for (const site of ['cross-site', 'same-site', 'anything']) {
    equal(codeOf(fetched(site)), 'HTTP_FETCH_SITE');
    const link = fetched(site, { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' });
    equal(codeOf(link), 'passes');
    equal(codeOf(link, { method: 'POST' }), 'HTTP_FETCH_SITE');
    equal(codeOf({ ...link, 'sec-fetch-dest': 'iframe' }), 'HTTP_FETCH_SITE');
    equal(codeOf({ ...link, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }), 'HTTP_FETCH_SITE');
  }
});

test('content is shown by our page from another port, and by nobody else', () => {
  const host = '127.0.0.1:40000';
  equal(codeOf({ host, origin: 'http://127.0.0.1:27270' }, { policy: content }), 'passes');
  equal(codeOf({ host, 'sec-fetch-site': 'same-site' }, { policy: content }), 'passes');
  equal(codeOf({ host, origin: 'http://evil.example' }, { policy: content }), 'HTTP_ORIGIN');
  equal(codeOf({ host, origin: 'http://localhost:27270' }, { policy: content }), 'HTTP_ORIGIN');
  equal(codeOf({ host: 'node.example:9', origin: 'https://x.lan:8080' }, { policy: content }), 'passes');
  equal(codeOf({ host, 'sec-fetch-site': 'cross-site' }, { policy: content }), 'HTTP_FETCH_SITE');
  // To Firefox another port of an address is another site; the origin says that it is our page.
  const ownPort = { host: '127.0.0.1:5', origin: 'http://127.0.0.1:6', 'sec-fetch-site': 'cross-site' };
  equal(codeOf(ownPort, { policy: content }), 'passes');
  equal(codeOf({ ...ownPort, origin: 'http://127.0.0.2:6' }, { policy: content }), 'HTTP_ORIGIN');
  equal(codeOf(ownPort, { policy: content, method: 'POST' }), 'HTTP_ORIGIN');
  const link = {
    host,
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  };
  equal(codeOf(link, { policy: content }), 'HTTP_FETCH_SITE');
  // What content could run may not call the page's origin: it is same-site, and that is not enough.
  equal(codeOf({ host: '127.0.0.1:27270', origin: 'http://127.0.0.1:40000' }), 'HTTP_ORIGIN');
});

test('a refusal says what was wrong and what to do', () => {
  const view: ClientView = { address: '127.0.0.1', host: 'nas.local:80', scheme: 'http', proxied: false };
  const refusal = refusalOf({ method: 'GET', headers: {}, view }, page);
  equal(refusal?.value, 'nas.local:80');
  match(refusal?.remedy ?? '', /http\.allowedHosts: \["nas\.local"\]/);
  const text = printable(`\u001b[31m${'x'.repeat(1000)}`);
  ok(text.startsWith('?[31m') && text.length <= 201);
});
