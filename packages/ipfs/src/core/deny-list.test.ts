import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHashes } from '@tequio/runtime';
import { tryParseCid } from '../wire/cid.ts';
import { DenyList } from './deny-list.ts';

function listOf(...lines: string[]): DenyList {
  const list = new DenyList(createHashes());
  list.add(lines.join('\n'));
  return list;
}

function denies(list: DenyList, cid: string, path = ''): boolean {
  return list.deniesCid(
    tryParseCid(cid)!,
    path.split('/').filter((segment) => segment !== ''),
  );
}

const v0 = 'QmVTF1yEejXd9iMgoRTFDxBv7HAz9kuZcQNBzHrceuK9HR';
const v1 = 'bafybeidjwik6im54nrpfg7osdvmx7zojl5oaxqel5cmsz46iuelwf5acja';
const other = 'bafybeiefwqslmf6zyyrxodaxx4vwqircuxpza5ri45ws3y5a62ypxti42e';

test('a CID is denied by its multihash, its paths are not', () => {
  const list = listOf(`/ipfs/${v1}`);
  assert.ok(denies(list, v0) && denies(list, v1));
  assert.ok(!denies(list, v1, 'a') && !denies(list, other));
});

test('paths, prefixes, and the last rule that fits', () => {
  const list = listOf(
    `/ipfs/${other}/blocked*`,
    `!/ipfs/${other}/blockednot`,
    `!/ipfs/${other}/blocked/exceptions*`,
    `/ipfs/${v0}/test/*`,
    `/ipfs/${v0}/a%20b/`,
  );
  for (const path of ['blocked', 'blocked/a', 'blockedx']) assert.ok(denies(list, other, path), path);
  for (const path of ['', 'blockednot', 'blocked/exceptions/x', 'free'])
    assert.ok(!denies(list, other, path), path);
  assert.ok(denies(list, v1, 'test') && denies(list, v1, 'test/x') && denies(list, v1, 'a b'));
  assert.ok(!denies(list, v1, 'a'));
});

test('double-hashed rules, with the hashes that the specification gives', () => {
  const modern = listOf('//QmX9dhRcQcKUw3Ws8485T5a9dtjrSCQaUAHnG4iK9i4ceM');
  assert.ok(denies(modern, v0) && denies(modern, v1) && !denies(modern, other));
  const legacy = listOf(
    '//d9d295bde21f422d471a90f2a37ec53049fdf3e5fa3ee2e8f20e10003da429e7',
    '//3f8b9febd851873b3774b937cce126910699ceac56e72e64b866f8e258d09572',
    '//c555c4de78827ba42527dd3dc5398db38d6c0a8c345a88e0158b2d100f317e50',
  );
  assert.ok(denies(legacy, other) && denies(legacy, other, 'path') && !denies(legacy, other, 'path2'));
  assert.ok(legacy.deniesName('bad-domain-name.tld') && !legacy.deniesName('good-domain-name.tld'));
});

test('names: domains, keys in any form', () => {
  const list = listOf(
    '/ipns/domain.example',
    '/ipns/domain2.example/path',
    '/ipns/k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8',
  );
  assert.ok(list.deniesName('domain.example') && list.deniesName('Domain.Example.'));
  assert.ok(list.deniesName('domain2.example', ['path']) && !list.deniesName('domain2.example'));
  assert.ok(list.deniesName('12D3KooWRBy97UB99e3J6hiPesre1MZeuNQvfan4gBziswrRJsNK'));
});

test('a header and remarks are passed over; what is no rule is told', () => {
  const list = listOf(
    'version: 1',
    'name: x',
    '---',
    '# remark',
    '',
    `/ipfs/${v0} reason=bad`,
    'nonsense',
    '/ipfs/x',
  );
  assert.ok(denies(list, v1));
  assert.equal(list.ruleCount, 1);
  assert.deepEqual(
    list.problems.map(({ line }) => line),
    [7, 8],
  );
});
