import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DhtApi } from '@tequio/api';
import { encodeUtf8 } from '@tequio/kernel';
import { FakeWorld, run } from '../testing/fake-world.ts';

const target = 'ab'.repeat(20);
const search = {
  target,
  nodes: [{ id: 'cd'.repeat(20), endpoint: '192.0.2.1:6881' }],
  queryCount: 9,
  answerCount: 8,
  hopCount: 2,
  elapsedMs: 1234,
};
const mutable = {
  value: encodeUtf8('5:hello'),
  publicKey: 'ef'.repeat(32),
  salt: encodeUtf8('s'),
  sequence: 3n,
};

/** A DHT that answers everything at once. @param more in place of its answers */
function worldWithDht(more: Partial<DhtApi> = {}): FakeWorld {
  const world = new FakeWorld();
  const dht: DhtApi = {
    status: () => null,
    ready: async () => true,
    ping: async () => ({ id: 'cd'.repeat(20), endpoint: '192.0.2.1:6881', elapsedMs: 12.4 }),
    lookup: async () => ({
      ...search,
      peers: ['192.0.2.7:6881'],
      estimate: { seedCount: 3.4, peerCount: 10.6 },
    }),
    get: async () => ({ ...search, item: mutable }),
    put: async () => ({ ...search, item: mutable, storedCount: 8, refusal: null }),
    sample: async () => ({ ...search, infoHashes: [target] }),
    publish: async () => ({ publicKey: '', sequence: 1n, storedCount: 8 }),
    follow: () => () => {},
    ...more,
  };
  Object.assign(world.node.bittorrent, { dht });
  return world;
}

test('ping, lookup, get, put and sample print what was found', async () => {
  const said: readonly (readonly [string, RegExp])[] = [
    ['dht ping 192.0.2.1:6881', /^(?:cd){20} {2}192\.0\.2\.1:6881 {2}12 ms\n$/],
    [`dht lookup ${target}`, /^192\.0\.2\.7:6881\n$/],
    [`dht get ${target}`, /^hello\n$/],
    ['dht put hello', /^Target {6}(?:ab){20}\nPublic key {2}(?:ef){32}\nVersion {5}3\n$/],
    ['dht sample', /^(?:ab){20}\n$/],
  ];
  for (const [line, output] of said) {
    const world = worldWithDht();
    assert.equal(await run(world, line), 0, world.err);
    assert.match(world.out, output, line);
    assert.equal(world.node.closeCount, 1);
    assert.equal(world.settings[0]?.dht?.readOnly, true);
  }
});

test('for programs: one object a question', async () => {
  const world = worldWithDht();
  assert.equal(await run(world, `dht get ${target} --json --dht-bootstrap dht.example:1`), 0);
  assert.deepEqual(world.settings[0]?.dht?.bootstrap, ['dht.example:1']);
  assert.equal(world.json.length, 1);
  const { type, text, sequence, value } = world.json[0]!;
  assert.deepEqual([type, text, sequence, value], ['item', 'hello', '3', '353a68656c6c6f']);
});

test('what is put, and under which key', async () => {
  const put: Parameters<DhtApi['put']>[0][] = [];
  const world = worldWithDht({
    put: async (options) => {
      put.push(options);
      return { ...search, item: mutable, storedCount: 1, refusal: null };
    },
  });
  world.node.contents.set('/home/ana/k', '07'.repeat(32));
  assert.equal(await run(world, 'dht put año --key k --salt s --seq 9 --cas 8'), 0, world.err);
  assert.equal(await run(world, 'dht put i5e --bencoded'), 0);
  assert.deepEqual(put, [
    {
      value: encodeUtf8('4:año'),
      secretKey: new Uint8Array(32).fill(7),
      salt: encodeUtf8('s'),
      sequence: 9n,
      cas: 8n,
    },
    { value: encodeUtf8('i5e'), secretKey: null, salt: new Uint8Array(0), sequence: null, cas: null },
  ]);
});

test('exit codes: nobody there 69, nothing there 66, refused 65, a mistake 2', async () => {
  const cases: readonly (readonly [string, Partial<DhtApi>, number])[] = [
    ['dht ping 192.0.2.1:6881', { ping: async () => null }, 69],
    [`dht lookup ${target}`, { ready: async () => false }, 69],
    [`dht get ${target}`, { get: async () => ({ ...search, item: null }) }, 66],
    [
      'dht put x',
      { put: async () => ({ ...search, item: mutable, storedCount: 0, refusal: 'CAS mismatch' }) },
      65,
    ],
    ['dht put x', { put: async () => ({ ...search, item: mutable, storedCount: 0, refusal: null }) }, 69],
    ['dht', {}, 2],
    ['dht ping nowhere', {}, 2],
    ['dht lookup abc', {}, 2],
    ['dht sample abc', {}, 2],
    ['dht put x --seq many', {}, 2],
  ];
  for (const [line, more, code] of cases) {
    const world = worldWithDht(more);
    assert.equal(await run(world, line), code, `${line}: ${world.err}`);
    assert.match(world.err, /^(?:.*\n)*tequio: /, line);
  }
});
