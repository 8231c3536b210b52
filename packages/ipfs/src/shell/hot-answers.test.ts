import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { createHashes } from '@tequio/runtime';
import { base32 } from 'multiformats/bases/base32';
import { DenyList } from '../core/deny-list.ts';
import { gatewayLimits } from '../limits.ts';
import { type GatewayReply, gatewayFixture } from './gateway.fixture.ts';
import { HotAnswers } from './hot-answers.ts';

/** A site whose answers are kept, and one that makes each anew. */
async function twoSites() {
  const denyList = new DenyList(createHashes());
  const store = { lossCount: 0, keeps: () => true };
  const hot = new HotAnswers(store, () => denyList);
  const options = { denyList: () => denyList };
  return {
    store,
    hot,
    denyList,
    kept: await gatewayFixture({ ...options, hot }),
    plain: await gatewayFixture(options),
  };
}

const shown = ({ status, headers, text }: GatewayReply): unknown[] => [status, headers, text];

test('an answer that is kept is the one that would be made, whoever asks and for what part', async () => {
  const { kept, plain } = await twoSites();
  const { root, file, data } = plain;
  const etag = (await plain.get(`/ipfs/${file}`)).headers['etag']!;
  const targets = [
    `/ipfs/${file}`,
    `/ipfs/${root}/hello.txt?filename=a.bin&download=true`,
    `/ipfs/${root}/`,
    `/ipfs/${root}/evil`,
    `/ipfs/${root}/evil/`,
    `/ipfs/${root}/large.bin`,
    `/ipfs/${root}/nowhere`,
    `/ipfs/${data}?format=raw`,
    `/ipfs/${root}?format=car`,
    '/ipns/docs.example.org/hello.txt',
    '/hello.txt',
    '/old/page',
    '/nowhere',
  ];
  const headers = [
    {},
    {},
    {},
    { range: 'bytes=2-5' },
    { range: 'bytes=900-' },
    { 'if-none-match': etag },
    { range: 'bytes=2-5', 'if-range': '"other"' },
    { accept: 'application/vnd.ipld.raw' },
    { host: `${root.toString(base32)}.ipfs.localhost:8080` },
    { host: 'localhost:8080' },
    { host: 'docs.example.org' },
    { 'service-worker': 'script' },
    { 'cache-control': 'only-if-cached' },
  ];
  for (const target of targets) {
    for (const method of ['GET', 'HEAD', 'GET', 'POST', 'OPTIONS']) {
      for (const more of headers)
        deepEqual(
          shown(await kept.get(target, more, method)),
          shown(await plain.get(target, more, method)),
          `${method} ${target} ${JSON.stringify(more)}`,
        );
    }
  }
});

test('from the second answer on nothing is read, until a block has left the store', async () => {
  const { kept, store, hot } = await twoSites();
  const target = `/ipfs/${kept.root}/hello.txt`;
  await kept.get(target);
  equal(hot.bytes, 0);
  await kept.get(target);
  equal(hot.bytes, 14);
  const before = kept.reads();
  for (let i = 0; i < 10; i++) equal((await kept.get(target)).text, 'hello gateway\n');
  equal(kept.reads(), before);
  store.lossCount++;
  equal((await kept.get(target)).status, 200);
  ok(kept.reads() > before);
});

test('what is denied from now on is no longer answered', async () => {
  const { kept, denyList } = await twoSites();
  const target = `/ipfs/${kept.root}/hello.txt`;
  for (let i = 0; i < 3; i++) equal((await kept.get(target)).status, 200);
  denyList.add(`/ipfs/${kept.file}`);
  equal((await kept.get(target)).status, 410);
});

test('blocks in files of the user are looked at each time', async () => {
  const { kept, store, hot } = await twoSites();
  store.keeps = () => false;
  for (let i = 0; i < 3; i++) equal((await kept.get(`/ipfs/${kept.file}`)).status, 200);
  equal(hot.bytes, 0);
});

test('never more is kept than allowed, whatever is asked for', async () => {
  const { kept, hot } = await twoSites();
  const { hotCountMax, hotBytesMax, hotTargetChars } = gatewayLimits;
  // Each query is another question to the same content.
  for (let i = 0; i < hotCountMax + 100; i++)
    for (let time = 0; time < 2; time++) await kept.get(`/ipfs/${kept.file}?${i}`);
  equal(hot.bytes, 14 * hotCountMax);
  ok(hot.bytes < hotBytesMax);
  const before = hot.bytes;
  for (let time = 0; time < 3; time++) await kept.get(`/ipfs/${kept.file}?${'x'.repeat(hotTargetChars)}`);
  equal(hot.bytes, before);
});
