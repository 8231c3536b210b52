/** Content that other torrents of the node have is taken from their files, and from their swarms as it comes. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CreateOptions, TorrentId } from './contract.ts';
import {
  assertContent,
  type Content,
  makeContent,
  type ServiceBench,
  type TestService,
  withBench,
} from './service.fixture.ts';

/** A torrent of the content, made elsewhere: nobody seeds it. */
async function madeTorrent(
  bench: ServiceBench,
  content: Content,
  version: CreateOptions['version'],
  pieceBytes: number,
): Promise<Uint8Array> {
  const maker = await bench.start(`maker-${version}-${pieceBytes}-${content.files.length}`);
  return (await bench.seed(maker, content, version, pieceBytes)).torrent;
}

async function addElsewhere(node: TestService, torrent: Uint8Array, folder: string): Promise<TorrentId> {
  return node.service.add({ torrent }, { folder: join(node.folder, folder) });
}

for (const [from, to] of [
  ['v1', 'v1'],
  ['v1', 'hybrid'],
  ['hybrid', 'v2'],
  ['v2', 'v1'],
  ['v2', 'hybrid'],
] as const) {
  test(`a ${to} torrent is completed from the files of a ${from} torrent, without a peer`, () =>
    withBench(async (bench) => {
      const content = makeContent([300_000, 70_000, 1_000_000, 5]);
      const other = await madeTorrent(bench, content, to, 32_768);
      const node = await bench.start('node');
      const { id } = await bench.seed(node, content, from, 65_536);
      const twin = await addElsewhere(node, other, 'twin');
      assert.notEqual(twin, id);
      await node.until(twin, ({ state }) => state === 'seeding', 60_000);
      await assertContent(join(node.folder, 'twin'), content);
      const { downloadedBytes, wastedBytes } = node.snapshot(twin);
      assert.deepEqual([downloadedBytes, wastedBytes], [0, 0], 'nothing was received');
    }));
}

test('a file that has the length, and not the content, gives nothing and harms nobody', () =>
  withBench(async (bench) => {
    const [wanted, lookalike] = [makeContent([600_000], 1), makeContent([600_000], 2)];
    const node = await bench.start('node');
    const seeder = await bench.start('seeder');
    await bench.seed(node, lookalike, 'v1', 32_768);
    const { torrent } = await bench.seed(seeder, wanted, 'v1', 16_384);
    const id = await node.service.add({ torrent }, { folder: join(node.folder, 'wanted') });
    await node.service.addPeer(id, seeder.address);
    await node.until(id, ({ state }) => state === 'seeding', 60_000);
    await assertContent(join(node.folder, 'wanted'), wanted);
    assert.ok(node.snapshot(id).downloadedBytes >= 600_000);
    assert.deepEqual(node.eventsOf('bittorrent.peer.banned'), []);
  }));

test('what a file on the disk has become is not taken for what it was', () =>
  withBench(async (bench) => {
    const content = makeContent([400_000]);
    const other = await madeTorrent(bench, content, 'v2', 16_384);
    const node = await bench.start('node');
    await bench.seed(node, content, 'v2', 65_536);
    await writeFile(join(node.folder, content.name, '0.bin'), new Uint8Array(400_000));
    const twin = await addElsewhere(node, other, 'twin');
    const seeder = await bench.start('seeder');
    await bench.seed(seeder, content, 'v2', 16_384);
    await node.service.addPeer(twin, seeder.address);
    await node.until(twin, ({ state }) => state === 'seeding', 60_000);
    await assertContent(join(node.folder, 'twin'), content);
  }));

test('two torrents with one file are fed from both swarms', () =>
  withBench(async (bench) => {
    const content = makeContent([2_000_000]);
    const [one, two] = [await bench.start('seeder-one'), await bench.start('seeder-two')];
    const half = await bench.seed(one, content, 'v2', 16_384);
    const whole = await bench.seed(two, content, 'v2', 65_536);
    const node = await bench.start('node');
    // Nobody of the first swarm is known: what it gets comes by way of the second.
    const first = await addElsewhere(node, half.torrent, 'first');
    await node.until(first, ({ state }) => state === 'downloading');
    const second = await addElsewhere(node, whole.torrent, 'second');
    await node.service.addPeer(second, two.address);
    for (const id of [first, second]) await node.until(id, ({ state }) => state === 'seeding', 60_000);
    for (const folder of ['first', 'second']) await assertContent(join(node.folder, folder), content);
    assert.equal(node.snapshot(first).downloadedBytes, 0);
    assert.ok(node.snapshot(second).downloadedBytes >= 2_000_000);
  }));

test('a file in another torrent with other files beside it is found', () =>
  withBench(async (bench) => {
    const film = makeContent([900_000]);
    const box = { name: 'box', files: [...makeContent([100_001, 200_002], 7).files] };
    box.files.push({ path: 'film.bin', bytes: film.files[0]!.bytes });
    const node = await bench.start('node');
    await bench.seed(node, box, 'v1', 32_768);
    const torrent = await madeTorrent(bench, film, 'v1', 16_384);
    const id = await addElsewhere(node, torrent, 'film');
    await node.until(id, ({ state }) => state === 'seeding', 60_000);
    await assertContent(join(node.folder, 'film'), film);
  }));

/** Files too short to be looked for by their length, in two torrents of one collection (BEP 38). */
async function seriesOf(bench: ServiceBench, collections: readonly string[]): Promise<[Content, Uint8Array]> {
  const content = makeContent([30_000, 20_000]);
  const maker = await bench.start('maker');
  await bench.seed(maker, content, 'v1', 16_384);
  const path = join(maker.folder, content.name);
  return [content, await maker.service.create({ path, version: 'v1', pieceBytes: 32_768, collections })];
}

async function seedHere(
  node: TestService,
  bench: ServiceBench,
  collections: readonly string[],
): Promise<TorrentId> {
  const from = join(bench.root, 'maker', 'content');
  for (const file of ['0.bin', 'inner/1.bin']) {
    await mkdir(join(node.folder, 'content', 'inner'), { recursive: true });
    await copyFile(join(from, file), join(node.folder, 'content', file));
  }
  const torrent = await node.service.create({
    path: join(node.folder, 'content'),
    version: 'v1',
    pieceBytes: 16_384,
    collections,
  });
  const id = await node.service.add({ torrent }, { folder: node.folder, seed: true });
  await node.until(id, ({ state }) => state === 'seeding');
  return id;
}

test('files of a torrent that is named as similar are found, though too short to be looked for', () =>
  withBench(async (bench) => {
    const [content] = await seriesOf(bench, []);
    const node = await bench.start('node');
    const here = await seedHere(node, bench, []);
    const path = join(bench.root, 'maker', content.name);
    const similar = [here.toUpperCase()];
    const torrent = await node.service.create({ path, version: 'v1', pieceBytes: 32_768, similar });
    assert.deepEqual(node.service.show({ torrent }).similar, [here]);
    const id = await addElsewhere(node, torrent, 'other');
    await node.until(id, ({ state }) => state === 'seeding', 60_000);
    await assertContent(join(node.folder, 'other'), content);
    assert.equal(node.snapshot(id).downloadedBytes, 0);
    const wrong = node.service.create({ path, version: 'v1', similar: ['abc'] });
    await assert.rejects(wrong, /"abc" is no info-hash/);
  }));

for (const order of ['after', 'before'] as const) {
  test(`files of another torrent of the collection are found by it, added ${order} that one`, () =>
    withBench(async (bench) => {
      const [content, other] = await seriesOf(bench, ['com.example.series']);
      const node = await bench.start('node');
      if (order === 'after') await seedHere(node, bench, ['com.example.films', 'com.example.series']);
      const id = await addElsewhere(node, other, 'other');
      if (order === 'before') await seedHere(node, bench, ['com.example.series']);
      await node.until(id, ({ state }) => state === 'seeding', 60_000);
      await assertContent(join(node.folder, 'other'), content);
      assert.equal(node.snapshot(id).downloadedBytes, 0);
    }));
}

test('a torrent takes nothing from one that it may not, until it may', () =>
  withBench(async (bench) => {
    const content = makeContent([300_000]);
    const other = await madeTorrent(bench, content, 'v2', 16_384);
    const node = await bench.start('node');
    const asked: string[] = [];
    const refuse = (taker: TorrentId, giver: TorrentId): boolean => {
      asked.push(`${taker} ${giver}`);
      return false;
    };
    node.service.setReuse(refuse);
    const { id } = await bench.seed(node, content, 'v2', 65_536);
    const twin = await addElsewhere(node, other, 'twin');
    await node.until(twin, ({ state }) => state === 'downloading');
    await node.service.recheck(twin);
    await node.until(twin, ({ state }) => state === 'downloading' && asked.length >= 2);
    assert.ok(asked.includes(`${twin} ${id}`));
    assert.equal(node.snapshot(twin).havePieceCount, 0);
    node.service.setReuse((taker, giver) => taker === twin && giver === id);
    await node.until(twin, ({ state }) => state === 'seeding', 60_000);
  }));

test('a torrent of an earlier run goes on taking', () =>
  withBench(async (bench) => {
    const content = makeContent([500_000, 80_000]);
    const other = await madeTorrent(bench, content, 'v1', 16_384);
    const { createRuntimePorts } = await import('@tequio/runtime');
    const ports = createRuntimePorts();
    await mkdir(join(bench.root, 'db'), { recursive: true });
    const path = join(bench.root, 'db', 'node.sqlite');
    let database = ports.database.open(path);
    const before = await bench.start('node', {}, database);
    const twin = await addElsewhere(before, other, 'twin');
    await before.until(twin, ({ state }) => state === 'downloading');
    const { torrent } = await bench.seed(await bench.start('maker'), content, 'v1', 65_536);
    for (const { path: file } of content.files) {
      const to = join(before.folder, 'here', content.name, file);
      await mkdir(join(to, '..'), { recursive: true });
      await copyFile(join(bench.root, 'maker', content.name, file), to);
    }
    await before.service.pause(twin);
    const id = await addElsewhere(before, torrent, 'here');
    await before.until(id, ({ state }) => state === 'seeding');
    assert.equal(before.snapshot(twin).havePieceCount, 0, 'one that stands still takes nothing');
    await before.close();
    database.close();
    database = ports.database.open(path);
    const after = await bench.start('node', {}, database);
    assert.equal(await after.service.restore(), 2);
    after.service.resume(twin);
    await after.until(twin, ({ state }) => state === 'seeding', 60_000);
    await assertContent(join(after.folder, 'twin'), content);
    await after.close();
    database.close();
    await ports.close();
  }));
