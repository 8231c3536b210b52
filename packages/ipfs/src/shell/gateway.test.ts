import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import * as dagCbor from '@ipld/dag-cbor';
import { encodeUtf8 } from '@tequio/kernel';
import { createHashes } from '@tequio/runtime';
import { base32 } from 'multiformats/bases/base32';
import { DenyList } from '../core/deny-list.ts';
import { codecs, makeCid } from '../wire/cid.ts';
import { gatewayFixture } from './gateway.fixture.ts';

const site = await gatewayFixture();

test('a file: its type, its tag, for ever; a part of it; not again to who has it', async () => {
  const all = await site.get(`/ipfs/${site.root}/hello.txt`);
  assert.equal(all.status, 200);
  assert.equal(all.text, 'hello gateway\n');
  assert.equal(all.headers['content-type'], 'text/plain; charset=utf-8');
  assert.equal(all.headers['cache-control'], 'public, max-age=29030400, immutable');
  assert.equal(all.headers['x-ipfs-path'], `/ipfs/${site.root}/hello.txt`);
  const part = await site.get(`/ipfs/${site.root}/hello.txt`, { range: 'bytes=6-12' });
  assert.deepEqual([part.status, part.text], [206, 'gateway']);
  assert.equal(part.headers['content-range'], 'bytes 6-12/14');
  const past = await site.get(`/ipfs/${site.root}/hello.txt`, { range: 'bytes=14-' });
  assert.deepEqual([past.status, past.headers['content-range']], [416, 'bytes */14']);
  const again = await site.get(`/ipfs/${site.root}/hello.txt`, {
    'if-none-match': `W/${all.headers['etag']}`,
  });
  assert.deepEqual([again.status, again.text], [304, '']);
  const head = await site.get(`/ipfs/${site.root}/hello.txt`, {}, 'HEAD');
  assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', '14']);
});

test('a file of many blocks, whole and in parts', async () => {
  const whole = await site.get(`/ipfs/${site.root}/large.bin`);
  assert.deepEqual(whole.bytes, site.large);
  const part = await site.get(`/ipfs/${site.root}/large.bin`, { range: 'bytes=250000-1100000' });
  assert.equal(part.status, 206);
  assert.deepEqual(part.bytes, site.large.subarray(250_000, 1_100_001));
});

test('a folder: its own address, its list escaped, its index.html', async () => {
  const moved = await site.get(`/ipfs/${site.root}/evil?x=1`);
  assert.deepEqual([moved.status, moved.headers['location']], [301, `/ipfs/${site.root}/evil/?x=1`]);
  const list = await site.get(`/ipfs/${site.root}/evil/`);
  assert.equal(list.status, 200);
  assert.ok(!list.text.includes('<script>') && !list.text.includes('"onmouseover'), list.text);
  assert.ok(list.text.includes('&#60;script&#62;'));
  assert.match(list.headers['content-security-policy']!, /default-src 'none'/);
  const index = await site.get(`/ipfs/${site.root}/`);
  assert.equal(index.text, '<h1>site</h1>');
  assert.equal(index.headers['etag'], `"${site.root}"`);
});

test('strangers’ pages on the shared origin are sandboxed, on an origin of their own they are not', async () => {
  const shared = await site.get(`/ipfs/${site.root}/index.html`);
  assert.match(shared.headers['content-security-policy']!, /^sandbox /);
  assert.ok(!shared.headers['content-security-policy']!.includes('allow-same-origin'));
  const own = await site.get('/index.html', { host: `${site.root.toString(base32)}.ipfs.localhost:8080` });
  assert.deepEqual([own.status, own.headers['content-security-policy']], [200, undefined]);
  const worker = await site.get(`/ipfs/${site.root}/index.html`, { 'service-worker': 'script' });
  assert.equal(worker.status, 400);
});

test('a gateway host sends each root to an origin of its own', async () => {
  const moved = await site.get(`/ipfs/${site.root}/a%20b?x=1`, { host: 'localhost:8080' });
  assert.equal(moved.status, 301);
  assert.equal(moved.headers['location'], `http://${site.root}.ipfs.localhost:8080/a%20b?x=1`);
  // Who can set a header cannot move others elsewhere.
  const forged = await site.get(`/ipfs/${site.root}/`, {
    host: 'localhost:8080',
    'x-forwarded-host': 'evil.example',
  });
  assert.equal(forged.headers['location'], `http://${site.root}.ipfs.localhost:8080/`);
});

test('names: a domain, and what it says; its time is its caching', async () => {
  const shown = await site.get('/hello.txt', { host: 'docs.example.org' });
  assert.deepEqual([shown.status, shown.text], [200, 'hello gateway\n']);
  assert.equal(shown.headers['cache-control'], 'public, max-age=60');
  const path = await site.get('/ipns/docs.example.org/hello.txt');
  assert.equal(path.text, 'hello gateway\n');
  const loop = await site.get('/ipns/loop.example.org/');
  assert.equal(loop.status, 500);
  assert.match(loop.text, /more than 32 names/);
});

test('a domain is a site only where it is said which ones are', async () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['docs.example.org', 'docs.example.org', true],
    ['docs.example.org', 'Docs.Example.org:8080', true],
    ['*.example.org', 'docs.example.org', true],
    ['*.docs.example.org', 'docs.example.org', false],
    ['other.example.org', 'docs.example.org', false],
    ['example.org', 'docs.example.org', false],
    ['*', '127.0.0.1:8080', false],
    ['*', 'localhost:8080', false],
  ];
  for (const [domain, host, isSite] of cases) {
    const asked: string[] = [];
    const chosen = await gatewayFixture({ dnslinkDomains: [domain], onDnslink: (name) => asked.push(name) });
    const { status } = await chosen.get('/hello.txt', { host });
    assert.deepEqual([status, asked.length > 0], isSite ? [200, true] : [404, false], `${domain} ${host}`);
  }
});

test('_redirects count on an origin of its own, for what is not there', async () => {
  const host = { host: 'docs.example.org' };
  assert.equal((await site.get('/old/page', host)).headers['location'], '/new/page');
  const missing = await site.get('/nowhere', host);
  assert.deepEqual([missing.status, missing.text], [404, '<h1>not here</h1>']);
  assert.equal((await site.get(`/ipfs/${site.root}/old/page`)).status, 404);
});

test('a block, an archive, and neither for what is not in its codec', async () => {
  const raw = await site.get(`/ipfs/${site.data}?format=raw`);
  assert.deepEqual(dagCbor.decode(raw.bytes), { a: 1, b: { c: 'x' } });
  assert.equal(raw.headers['content-type'], 'application/vnd.ipld.raw');
  const car = await site.get(`/ipfs/${site.root}/large.bin?format=car&dag-scope=entity&entity-bytes=0:9`);
  assert.match(car.headers['content-type']!, /^application\/vnd\.ipld\.car; version=1; order=dfs; dups=n$/);
  assert.ok(car.bytes.length < 600_000, `${car.bytes.length}`);
  assert.equal((await site.get(`/ipfs/${site.data}?format=dag-json`)).status, 406);
  assert.equal((await site.get(`/ipfs/${site.data}/b/c?format=dag-cbor`)).status, 501);
  assert.equal((await site.get(`/ipfs/${site.data}/nothing`)).status, 404);
  assert.equal((await site.get(`/ipfs/${site.root}?format=car&car-version=2`)).status, 400);
  assert.equal((await site.get(`/ipfs/${site.root}?format=zip`)).status, 400);
  const page = await site.get(`/ipfs/${site.data}/`, { accept: 'text/html,*/*' });
  assert.match(page.text, /<\/html>/);
});

test('a folder as a tape archive that tar can read', async () => {
  const answer = await site.get(`/ipfs/${site.root}?format=tar&filename=ą.tar`);
  assert.equal(
    answer.headers['content-disposition'],
    `attachment; filename="_.tar"; filename*=UTF-8''%C4%85.tar`,
  );
  const listed = spawnSync('tar', ['-tf', '-'], { input: answer.bytes });
  assert.equal(listed.status, 0, listed.stderr.toString());
  const names = listed.stdout.toString().split('\n');
  assert.ok(names.includes(`${site.root}/hello.txt`) && names.includes(`${site.root}/evil`), names.join(' '));
  const out = spawnSync('tar', ['-xOf', '-', `${site.root}/large.bin`], {
    input: answer.bytes,
    maxBuffer: 1e8,
  });
  assert.deepEqual(new Uint8Array(out.stdout), site.large);
});

test('what cannot be had, must not be shown, or makes no sense', async () => {
  const missing = makeCid(codecs.raw, 0x12, createHashes().sha256(encodeUtf8('nobody has this')));
  assert.equal((await site.get(`/ipfs/${missing}`)).status, 504);
  assert.equal((await site.get(`/ipfs/${missing}`, { 'cache-control': 'only-if-cached' })).status, 412);
  assert.equal((await site.get(`/ipfs/${site.root}/no`)).status, 404);
  assert.equal((await site.get('/ipfs/QmNonsense')).status, 400);
  assert.equal((await site.get(`/ipfs/${site.root}/%zz`)).status, 400);
  assert.equal((await site.get('/etc/passwd')).status, 404);
  assert.equal((await site.get(`/ipfs/${site.root}/`, {}, 'POST')).status, 405);
  assert.equal(
    (await site.get(`/ipfs/${site.root}/hello.txt`, {}, 'OPTIONS')).headers['access-control-allow-origin'],
    '*',
  );
});

test('content on a list is gone, by any path to it', async () => {
  const denyList = new DenyList(createHashes());
  denyList.add(`/ipfs/${site.file}\n/ipfs/${site.root}/large.bin\n/ipns/docs.example.org`);
  const denied = await gatewayFixture({ denyList: () => denyList });
  for (const path of [`/ipfs/${site.file}`, `/ipfs/${site.root}/hello.txt`, `/ipfs/${site.root}/large.bin`])
    assert.equal((await denied.get(path)).status, 410, path);
  assert.equal((await denied.get('/', { host: 'docs.example.org' })).status, 410);
  assert.equal((await denied.get(`/ipfs/${site.root}/index.html`)).status, 200);
});
