/** Kubo's own client for JavaScript, unchanged, against the route. */
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import type { ImportCandidate } from 'kubo-rpc-client';
import { withKubo } from './kubo-server.fixture.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function content(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await all(pieces));
}

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

test('a text is added under the CID that kubo gives it, and read again, whole and in part', () =>
  withKubo(async ({ client }) => {
    const added = await client.add('hello world');
    equal(added.cid.toString(), 'Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD');
    equal(added.path, added.cid.toString());
    equal(text(await content(client.cat(added.cid))), 'hello world');
    equal(text(await content(client.cat(added.cid, { offset: 6, length: 3 }))), 'wor');
    const v1 = await client.add('hello world', { cidVersion: 1 });
    equal(v1.cid.toString(), 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e');
    deepEqual(
      (await all(client.pin.ls())).map(({ cid, type }) => [cid.toString(), type]).toSorted(),
      [
        [added.cid.toString(), 'recursive'],
        [v1.cid.toString(), 'recursive'],
      ].toSorted(),
    );
  }));

test('a folder comes in parts of one request, and is listed by name', () =>
  withKubo(async ({ client }) => {
    const big = Buffer.alloc(3_000_000, 'tequio');
    const entries = await all(
      client.addAll(
        each<ImportCandidate>([
          { path: 'folder/a/deep.txt', content: 'deep' },
          { path: 'folder/big.bin', content: big, mode: 0o640, mtime: { secs: 1_700_000_000n, nsecs: 5 } },
          { path: 'folder/empty' },
        ]),
        { wrapWithDirectory: true },
      ),
    );
    deepEqual(
      entries.map(({ path }) => path),
      ['folder/a/deep.txt', 'folder/big.bin', 'folder/a', 'folder/empty', 'folder', ''],
    );
    const root = entries.at(-1)!.cid;
    const listed = await all(client.ls(`${root}/folder`));
    deepEqual(
      listed.map(({ name, type, size }) => [name, type, size]),
      [
        ['a', 'dir', 0],
        ['big.bin', 'file', big.length],
        ['empty', 'dir', 0],
      ],
    );
    equal(Buffer.compare(await content(client.cat(`${root}/folder/big.bin`)), big), 0);
    deepEqual(
      (await all(client.pin.ls({ type: 'recursive' }))).map(({ cid }) => cid.toString()),
      [root.toString()],
    );
    const archive = await content(client.get(`${root}/folder/a`));
    const names = spawnSync('tar', ['-t'], { input: archive }).stdout.toString();
    deepEqual(names.trim().split('\n'), ['a', 'a/deep.txt']);
    await rejects(content(client.cat(`${root}/folder`)), /directory/);
    await rejects(content(client.cat(`${root}/nothing`)), /no link|nothing/i);
  }));

test('what is wrong with a request is said in kubo’s words or ours, never with a stack', () =>
  withKubo(async ({ origin }) => {
    const call = async (path: string, init: RequestInit = { method: 'POST' }) => {
      const response = await fetch(`${origin}/api/v0/${path}`, init);
      return { status: response.status, body: await response.text() };
    };
    equal((await call('add', { method: 'GET' })).status, 405);
    equal((await call('no/such')).status, 404);
    equal((await call('constructor')).status, 404);
    for (const path of [
      'add',
      'cat',
      'cat?arg=nothing',
      'block/get?arg=x',
      'pin/ls?type=every',
      'cat?arg=Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD&offset=-1',
      'refs?arg=&timeout=soon',
    ]) {
      const { status, body } = await call(path);
      equal(status, 400, `${path}: ${body}`);
      match(body, /^\{"Message":"[^"\n]+/);
    }
  }));

test('nobody gets in without a key, and a key that reads cannot write', async () => {
  await withKubo(
    async ({ client }) => {
      await rejects(client.version(), /key/);
    },
    { caller: null },
  );
  await withKubo(
    async ({ client }) => {
      ok((await client.version()).version);
      await rejects(client.add('x'), /key/);
    },
    { caller: { user: null, scope: 'read', by: 'key' } },
  );
  await withKubo(
    async ({ client, origin }) => {
      ok((await client.add('x')).cid);
      // What reads the node's own disk is for whoever may do everything.
      const path = encodeURIComponent(import.meta.filename);
      equal((await fetch(`${origin}/api/v0/add/path?arg=${path}`, { method: 'POST' })).status, 403);
      equal((await fetch(`${origin}/api/v0/sealed/add?arg=${path}`, { method: 'POST' })).status, 403);
    },
    { caller: { user: null, scope: 'write', by: 'key' } },
  );
});

test('a sealed file is read whole and in part by who has its link, which is in no address', () =>
  withKubo(async ({ origin }) => {
    const call = async (verb: string, link: string): Promise<{ status: number; body: string }> => {
      const body = new FormData();
      body.set('file', new Blob([link]), 'file');
      const answer = await fetch(`${origin}/api/v0/sealed/${verb}`, { method: 'POST', body });
      return { status: answer.status, body: await answer.text() };
    };
    const path = encodeURIComponent(import.meta.filename);
    const added = await fetch(`${origin}/api/v0/sealed/add?arg=${path}`, { method: 'POST' });
    const { Link } = (await added.json()) as { readonly Link: string };
    const own = readFileSync(import.meta.filename);
    deepEqual(JSON.parse((await call('stat', Link)).body), {
      Name: basename(import.meta.filename),
      Size: own.length,
    });
    equal((await call('cat', Link)).body, own.toString());
    equal((await call('cat?offset=4&length=7', Link)).body, own.subarray(4, 11).toString());
    equal((await call(`cat?offset=${own.length}`, Link)).body, '');
    const wrongKey = await call('cat', Link.replace(/.{5}$/, 'AAAAA'));
    deepEqual([wrongKey.status, wrongKey.body.includes('another key')], [500, true]);
    equal((await call('cat', 'ipfs://x')).status, 500);
    equal((await call('cat', 'x'.repeat(2000))).status, 500);
    equal((await fetch(`${origin}/api/v0/sealed/cat`, { method: 'POST' })).status, 400);
  }));

test('blocks, data and archives', () =>
  withKubo(async ({ client, repository }) => {
    const cid = await client.block.put(new TextEncoder().encode('hello world'), { format: 'raw' });
    equal(cid.toString(), 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e');
    equal(text(await client.block.get(cid)), 'hello world');
    equal((await client.block.stat(cid)).size, 11);
    const node = await client.dag.put({ name: 'tequio', link: cid, list: [1, { deep: true }] });
    deepEqual((await client.dag.get(node, { path: '/list/1/deep' })).value, true);
    const { cid: reached, remainderPath } = await client.dag.resolve(`${node}/list/0`);
    deepEqual([reached.toString(), remainderPath], [node.toString(), '/list/0']);
    deepEqual(
      (await all(client.refs(node))).map(({ ref }) => ref),
      [cid.toString()],
    );
    const archive = await content(client.dag.export(node));
    deepEqual(
      (await all(client.block.rm([cid, node]))).map(({ error }) => error),
      [undefined, undefined],
    );
    equal(await repository.blocks.has(cid), false);
    const roots = await all(client.dag.import([archive]));
    deepEqual(
      roots.map(({ root }) => [root.cid.toString(), root.pinErrorMsg]),
      [[node.toString(), '']],
    );
    const [refusal] = await all(client.block.rm(cid));
    match(String(refusal?.error), /pinned/);
    ok(await repository.blocks.has(cid));
  }));

test('pins keep what they name, and a collection takes the rest', () =>
  withKubo(async ({ client, repository }) => {
    const kept = await client.add('kept');
    const gone = await client.add('gone', { pin: false });
    const [named, direct] = [
      await client.add('named', { pin: false }),
      await client.add('direct', { pin: false }),
    ];
    await client.pin.add(named.cid, { name: 'my pin' });
    await client.pin.add(direct.cid, { recursive: false });
    deepEqual(
      (await all(client.pin.ls({ name: 'my' }))).map(({ name }) => name),
      ['my pin'],
    );
    await rejects(all(client.pin.ls({ paths: gone.cid })), /not pinned/);
    await rejects(client.pin.rm(gone.cid), /not pinned/);
    const removed = await all(client.repo.gc());
    ok(removed.length >= 1);
    equal(await repository.blocks.has(gone.cid), false);
    for (const { cid } of [kept, named, direct]) ok(await repository.blocks.has(cid));
    await client.pin.rm(kept.cid);
    await all(client.repo.gc());
    equal(await repository.blocks.has(kept.cid), false);
    const { numObjects } = await client.repo.stat();
    equal(Number(numObjects), 2);
  }));
