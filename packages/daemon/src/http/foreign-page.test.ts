import { equal, match, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { startFront } from './http-front.fixture.ts';

const pageFiles = { 'index.html': '<p>theirs</p>', 'script/main.js': '1' };

/** In the fixture our own page and that of another program lie in one folder. */
function withPage(path: string): Parameters<typeof startFront>[1] {
  return { pageFiles, prepare: (node) => void (node.settings.web = { folder: '/page', path }) };
}

test('a page of another program is served below its path, ours beside it, each with its policy', async (t) => {
  const { ask } = await startFront(t, withPage('/transmission/web'));
  const home = await ask('/transmission/web', { known: false });
  equal(home.status, 308);
  equal(home.headers.location, '/transmission/web/');
  const page = await ask('/transmission/web/', { known: false });
  equal(page.text, '<p>theirs</p>');
  match(String(page.headers['content-security-policy']), /script-src 'self' 'unsafe-inline'/);
  match(String(page.headers['content-security-policy']), /frame-ancestors 'none'/);
  equal((await ask('/transmission/web/script/main.js', { known: false })).text, '1');
  equal((await ask('/transmission/web/missing.js', { known: false })).status, 404);
  equal((await ask('/transmission/web/..%2f..%2fetc/passwd.txt', { known: false })).status, 404);
  equal((await ask('/transmission/web/', { method: 'POST', body: '', known: false })).status, 405);
  const own = await ask('/', { known: false });
  ok(!String(own.headers['content-security-policy']).includes('unsafe'));
});

test('or in the place of ours; interfaces stay where they are', async (t) => {
  const { ask } = await startFront(t, withPage('/'));
  const page = await ask('/', { known: false });
  match(String(page.headers['content-security-policy']), /'unsafe-eval'/);
  equal((await ask('/api/v1/status')).status, 200);
  equal((await ask('/health', { known: false })).status, 200);
});

test('a folder without a page is a sentence in the log', async (t) => {
  const { ask, logged } = await startFront(t, {
    prepare: (node) => void (node.settings.web = { folder: '/nowhere', path: '/' }),
  });
  match(String(logged.find(({ name }) => name === 'http.page')?.fields['message']), /no page in \/nowhere/);
  equal((await ask('/health', { known: false })).status, 200);
});
