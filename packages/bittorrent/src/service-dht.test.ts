import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@tequio/kernel';
import { testHashes } from './core/dht/dht.fixture.ts';
import {
  assertContent,
  makeContent,
  type ServiceBench,
  type TestService,
  withBench,
} from './service.fixture.ts';
import { decodeMetainfo, encodeMetainfo } from './wire/metainfo.ts';

const content = makeContent([200_000, 5]);

async function startAll(bench: ServiceBench, names: readonly string[]): Promise<TestService[]> {
  const first = await bench.start('first', { dht: { enabled: true, bootstrap: [] } });
  const dht = { enabled: true, bootstrap: [first.address] };
  const others = await Promise.all(names.map((name) => bench.start(name, { dht })));
  for (const { service } of others) assert.ok(await service.dht!.ready(5000));
  return others;
}

test('a magnet link without tracker and peers is enough: the DHT knows who has it', () =>
  withBench(async (bench) => {
    const [seeder, leech] = await startAll(bench, ['seed', 'leech']);
    const { torrent, id } = await bench.seed(seeder!, content, 'hybrid', 16_384);
    const { magnet } = leech!.service.show({ torrent });
    await leech!.service.add({ magnet }, { folder: leech!.folder });
    await leech!.until(id, ({ state }) => state === 'seeding', 20_000);
    await assertContent(leech!.folder, content);
    const found = await leech!.service.dht!.lookup(id);
    assert.ok(found.peers.includes(seeder!.address), found.peers.join());
    assert.ok(Math.round(found.estimate?.seedCount ?? 0) >= 1);
  }));

test('a private torrent is never announced, nor looked for', () =>
  withBench(async (bench) => {
    const [seeder, leech] = await startAll(bench, ['seed', 'leech']);
    const { id: open } = await bench.seed(seeder!, content);
    const folder = `${seeder!.folder}/content`;
    const torrent = await seeder!.service.create({ path: `${folder}/0.bin`, version: 'v1', private: true });
    const id = await leech!.service.add({ torrent }, { folder: leech!.folder });
    const peersOf = async (hash: string) => (await leech!.service.dht!.lookup(hash)).peers.length;
    while ((await peersOf(open)) === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(await peersOf(id), 0);
  }));

test('peers tell each other of their DHT nodes', () =>
  withBench(async (bench) => {
    const dht = { enabled: true, bootstrap: [] };
    const [seeder, leech] = [await bench.start('seed', { dht }), await bench.start('leech', { dht })];
    const { torrent } = await bench.seed(seeder, content);
    const ready = [leech.service.dht!.ready(60_000), seeder.service.dht!.ready(60_000)];
    await bench.get(leech, torrent, seeder);
    assert.deepEqual(await Promise.all(ready), [true, true]);
  }));

test('a torrent that names a node of the DHT is a way in', () =>
  withBench(async (bench) => {
    const [hub] = await startAll(bench, ['hub']);
    const alone = { dht: { enabled: true, bootstrap: [] } };
    const [seeder, leech] = [await bench.start('seed', alone), await bench.start('leech', alone)];
    const { torrent } = await bench.seed(seeder, content, 'v1');
    const decoded = decodeMetainfo(torrent, testHashes);
    assert.ok(decoded.ok);
    const { value } = decoded;
    const [host, port] = hub!.address.split(':') as [string, string];
    const nodes = [{ host, port: Number(port) }];
    const naming = encodeMetainfo({ ...value, infoBytes: value.info.infoBytes, nodes });
    assert.equal(leech.service.dht!.status()?.families[0]?.contactCount, 0);
    await leech.service.add({ torrent: naming }, { folder: leech.folder });
    assert.equal(await leech.service.dht!.ready(60_000), true);
    assert.equal(await seeder.service.dht!.ready(1), false, 'nobody has told the other one');
  }));

test('items are put and got, and a mutable one is replaced', () =>
  withBench(async (bench) => {
    const [a, b] = await startAll(bench, ['a', 'b']);
    const [one, two] = [a!.service.dht!, b!.service.dht!];
    const value = encodeUtf8('5:hello');
    const put = await one.put({ value, secretKey: null });
    assert.ok(put.storedCount >= 1);
    assert.deepEqual((await two.get(put.target)).item?.value, value);
    const secretKey = new Uint8Array(32).fill(7);
    const salt = encodeUtf8('s');
    const first = await one.put({ value, secretKey, salt });
    const second = await one.put({ value: encodeUtf8('i2e'), secretKey, salt, cas: 1n });
    assert.deepEqual([first.item.sequence, second.item.sequence], [1n, 2n]);
    const found = await two.get(first.item.publicKey!, salt);
    assert.deepEqual(found.item, {
      value: encodeUtf8('i2e'),
      publicKey: first.item.publicKey,
      salt,
      sequence: 2n,
    });
    const stale = await one.put({ value, secretKey, salt, sequence: 1n });
    assert.equal(stale.storedCount, 0);
    assert.ok(stale.refusal !== null);
    await assert.rejects(one.put({ value: encodeUtf8('nonsense'), secretKey }), {
      code: 'BITTORRENT_DHT_VALUE',
    });
  }));

test('ping and sample', () =>
  withBench(async (bench) => {
    const [a, b] = await startAll(bench, ['a', 'b']);
    const pong = await a!.service.dht!.ping(b!.address);
    assert.equal(pong?.id, b!.service.dht!.status()!.families[0]!.id);
    await assert.rejects(a!.service.dht!.ping('nowhere'), { code: 'BITTORRENT_DHT_TARGET' });
    const { id } = await bench.seed(a!, content);
    const samplesOf = async () => (await b!.service.dht!.sample(null)).infoHashes;
    while (!(await samplesOf()).includes(id)) await new Promise((resolve) => setTimeout(resolve, 50));
  }));

test('a torrent that changes: published, followed, changed', () =>
  withBench(async (bench) => {
    const [publisher, follower] = await startAll(bench, ['publisher', 'follower']);
    const secretKey = new Uint8Array(32).fill(9);
    const salt = encodeUtf8('x');
    const [one, two] = ['11'.repeat(20), '22'.repeat(20)];
    const { publicKey, sequence } = await publisher!.service.dht!.publish(secretKey, salt, one);
    assert.equal(sequence, 1n);
    assert.equal((await publisher!.service.dht!.publish(secretKey, salt, one)).sequence, 1n, 'nothing new');
    const seen: string[] = [];
    const end = follower!.service.dht!.follow(
      Uint8Array.from(Buffer.from(publicKey, 'hex')),
      salt,
      (update) => seen.push(`${update.sequence} ${update.infoHash}`),
      50,
    );
    while (seen.length < 1) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await publisher!.service.dht!.publish(secretKey, salt, two)).sequence, 2n);
    while (seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    end();
    assert.deepEqual(seen, [`1 ${one}`, `2 ${two}`]);
  }));
