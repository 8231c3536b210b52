import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRedirects, pickRedirect, redirectsBytesMax } from './redirects-file.ts';

function picked(text: string, path: string): string {
  const rules = parseRedirects(text);
  assert.ok(rules.ok, rules.ok ? '' : rules.fault.message);
  const found = pickRedirect(
    rules.value,
    path.split('/').filter((segment) => segment !== ''),
  );
  return found === null ? 'nothing' : `${found.status} ${found.to}`;
}

test('the first rule that fits, with its placeholders filled in', () => {
  const text = `
# remark
/one /one.html
/two   /two.html 302 # why
/posts/:year/:title  /articles/:year/:title
/splat/* /new/:splat 308
/away/* https://example.org/:splat 301
/* /index.html 200
`;
  assert.equal(picked(text, '/one'), '301 /one.html');
  assert.equal(picked(text, '/two'), '302 /two.html');
  assert.equal(picked(text, '/posts/2026/a b'), '301 /articles/2026/a%20b');
  assert.equal(picked(text, '/splat/x/y.html'), '308 /new/x/y.html');
  assert.equal(picked(text, '/splat'), '308 /new/');
  assert.equal(picked(text, '/away/z'), '301 https://example.org/z');
  assert.equal(picked(text, '/anything/else'), '200 /index.html');
  assert.equal(picked('/a /b 404\r\n/c /d 451', '/c'), '451 /d');
  assert.equal(picked('/a /b', '/c'), 'nothing');
});

test('what is not understood is an error that the reader sees, not a guess', () => {
  for (const text of [
    '/a',
    'a /b',
    '/a b',
    '/a /b 301!',
    '/a /b 418',
    '/a /b 301 x',
    '/*/a /b',
    '/a* /b',
    '/:x/:x /b',
    '/a https://example.org 200',
    'x'.repeat(redirectsBytesMax + 1),
  ]) {
    const rules = parseRedirects(text);
    assert.ok(!rules.ok && rules.fault.message.startsWith('could not parse _redirects:'), text.slice(0, 30));
  }
});

test('a value cannot bring a header or another host with it', () => {
  assert.equal(picked('/go/:x /:x', '/go/%0d%0aSet-Cookie'), '301 /%250d%250aSet-Cookie');
  const rules = parseRedirects('/go/* /:splat');
  assert.ok(rules.ok);
  assert.equal(pickRedirect(rules.value, ['go', '//evil.example'])?.to, '/%2F%2Fevil.example');
  assert.equal(pickRedirect(rules.value, ['go', 'a\r\nb'])?.to, '/a%0D%0Ab');
});
