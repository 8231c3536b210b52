import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Identity, ListedTorrent } from '@tequio/api';
import { idOf } from '../testing/fake-engine.ts';
import { TorrentsBench } from './torrents.fixture.ts';

const ana: Identity = { user: 'ana', scope: 'write' };
const beto: Identity = { user: 'beto', scope: 'write' };
const source = (index: number): { magnet: string } => ({ magnet: `magnet:?xt=urn:btih:${idOf(index)}` });
const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;

/** What somebody knows who has asked for changes only. */
function apply(
  known: Map<string, ListedTorrent>,
  delta: { full: boolean; changed: readonly ListedTorrent[]; removed: readonly string[] },
): void {
  if (delta.full) known.clear();
  for (const row of delta.changed) known.set(row.id, row);
  for (const id of delta.removed) known.delete(id);
}

test('changes give what a list gives', async () => {
  const bench = new TorrentsBench({ queue: { activeDownloads: 2 } });
  const known = new Map<string, ListedTorrent>();
  let version = 0;
  const follow = async (): Promise<void> => {
    const delta = await bench.service.changes(version);
    version = delta.version;
    apply(known, delta);
    const { rows } = await bench.service.list();
    assert.deepEqual(
      [...known.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
      [...rows].sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
  };
  for (let index = 1; index <= 5; index++)
    await bench.service.add({ source: source(index), tags: [`t${index % 2}`] });
  await follow();
  await bench.service.moveInQueue([idOf(5)], 'top');
  await follow();
  await bench.service.remove([idOf(2)]);
  await follow();
  await bench.service.patch([idOf(3)], { comment: 'later', tags: ['x'], name: 'New' });
  bench.engine.put(idOf(4), { downRate: 7 });
  await follow();
  const quiet = await bench.service.changes(version);
  assert.deepEqual([quiet.changed.length, quiet.removed.length, quiet.full], [0, 0, false]);
  assert.equal((await bench.service.changes(version + 1000)).full, true, 'of another run');
});

test('the queue moves by one, to the ends, and several together', async () => {
  const bench = new TorrentsBench({ queue: { activeDownloads: 1 } });
  for (let index = 1; index <= 4; index++) await bench.service.add({ source: source(index) });
  const order = async (): Promise<string> =>
    (await bench.service.list({ sort: 'queuePosition' })).rows
      .map(({ id }) => Number.parseInt(id, 16))
      .join('');
  assert.equal(await order(), '1234');
  await bench.service.moveInQueue([idOf(3), idOf(4)], 'up');
  assert.equal(await order(), '1342');
  await bench.service.moveInQueue([idOf(1)], 'bottom');
  assert.equal(await order(), '3421');
  await bench.service.moveInQueue([idOf(2), idOf(1)], 'top');
  assert.equal(await order(), '2134');
  await bench.service.moveInQueue([idOf(2)], 'down');
  assert.equal(await order(), '1234');
  assert.equal(bench.engine.row(idOf(1))?.state, 'downloading');
  assert.equal(bench.engine.row(idOf(2))?.state, 'paused');
});

test('lists are filtered, sorted and cut', async () => {
  const bench = new TorrentsBench();
  const none = { down: null, up: null };
  for (const name of ['film', 'film/old'])
    await bench.service.putCategory({
      name,
      folder: `/data/${name}`,
      finishedFolder: null,
      limits: none,
      shareGoal: null,
    });
  await bench.service.add({ source: source(1), category: 'film', tags: ['a'] });
  await bench.service.add({ source: source(2), category: 'film/old', tags: ['a', 'b'] });
  await bench.service.add({ source: source(3) });
  bench.engine.put(idOf(1), { name: 'Éxodo uno', trackerHost: 'tracker.example', upRate: 10 });
  bench.engine.put(idOf(2), { name: 'exodus two', secondsLeft: 5 });
  const ids = async (query: Parameters<typeof bench.service.list>[0]): Promise<string> =>
    (await bench.service.list(query)).rows.map(({ id }) => Number.parseInt(id, 16)).join('');
  assert.equal(await ids({ filter: { category: 'film' } }), '12');
  assert.equal(await ids({ filter: { category: null } }), '3');
  assert.equal(await ids({ filter: { tag: 'b' } }), '2');
  assert.equal(await ids({ filter: { tag: null } }), '3');
  assert.equal(await ids({ filter: { text: 'EXODO' } }), '1');
  assert.equal(await ids({ filter: { text: 'two exo' } }), '2');
  assert.equal(await ids({ filter: { tracker: 'tracker.example' } }), '1');
  assert.equal(await ids({ filter: { groups: ['active'] } }), '1');
  assert.equal(await ids({ sort: 'secondsLeft' }), '213');
  assert.equal(
    await ids({ sort: 'secondsLeft', descending: true }),
    '213',
    'none is last in both directions',
  );
  assert.equal(await ids({ sort: 'name', descending: true, offset: 1, limit: 1 }), '2');
  const { counts, totalCount } = await bench.service.list({ counts: true, filter: { tag: 'b' } });
  assert.equal(totalCount, 1);
  assert.deepEqual(counts?.categories, { film: 1, 'film/old': 1, '': 1 });
  assert.deepEqual(counts?.tags, { a: 2, b: 1, '': 1 });
  assert.equal(counts?.groups.downloading, 3);
  assert.equal(bench.engine.row(idOf(2))?.folder, '/data/film/old');
  await assert.rejects(bench.service.list({ limit: 5001 }), code('LIST_QUERY'));
  await assert.rejects(bench.service.list({ sort: 'nothing' as never }), code('LIST_QUERY'));
});

test('somebody sees and touches only what is theirs', async () => {
  const bench = new TorrentsBench();
  const [anas, betos] = [bench.as(ana), bench.as(beto)];
  await anas.add({ source: source(1) });
  await betos.add({ source: source(2) });
  assert.deepEqual(
    (await anas.list()).rows.map(({ owner }) => owner),
    ['ana'],
  );
  assert.equal((await bench.service.list()).totalCount, 2);
  assert.equal((await anas.changes(0)).changed.length, 1);
  assert.equal(await anas.get(idOf(2)), null);
  await assert.rejects(anas.remove([idOf(1), idOf(2)]), code('TORRENT_MISSING'));
  assert.equal((await anas.list()).totalCount, 1, 'nothing was done before it was refused');
  await assert.rejects(anas.add({ source: source(2) }), code('TORRENT_OWNED'));
  await assert.rejects(anas.files(idOf(2)), code('TORRENT_MISSING'));
  await assert.rejects(bench.as({ user: 'ana', scope: 'read' }).pause([idOf(1)]), code('USER_RIGHT'));
  await assert.rejects(anas.removeCategory('film'), code('USER_RIGHT'));
});

test('all torrents of a tracker are within its limits together, whatever their category', async () => {
  const bench = new TorrentsBench();
  const none = { down: null, up: null };
  await bench.service.putCategory({
    name: 'a',
    folder: null,
    finishedFolder: null,
    limits: none,
    shareGoal: null,
  });
  for (const index of [1, 2, 3]) await bench.service.add({ source: source(index), category: 'a' });
  for (const index of [1, 2]) bench.engine.put(idOf(index), { trackerHost: 'T.example' });
  await bench.service.putTrackerRule({ host: 't.example', limits: { down: 5, up: 7 }, shareGoal: null });
  await bench.pass(1);
  const classes = (): (string | null | undefined)[] =>
    [1, 2, 3].map((index) => bench.engine.row(idOf(index))?.category);
  assert.deepEqual(classes(), ['\\tracker t.example', '\\tracker t.example', 'a']);
  assert.ok(bench.engine.calls.includes('limits \\tracker t.example 5 7'));
  assert.equal((await bench.service.get(idOf(1)))?.category, 'a', 'what people see is its category');
  bench.engine.put(idOf(3), { trackerHost: 't.example' });
  await bench.pass(1);
  assert.equal(classes()[2], '\\tracker t.example');
  await bench.service.removeTrackerRule('t.example');
  assert.deepEqual(classes(), ['a', 'a', 'a']);
});

test('quota and folder of a user hold', async () => {
  const bench = new TorrentsBench();
  const anas = bench.as(ana);
  bench.allowance = { folder: '/home/ana', quotaBytes: 2500, torrentCountMax: 5 };
  await assert.rejects(anas.add({ source: source(1), folder: '/etc' }), code('USER_FOLDER'));
  await assert.rejects(anas.add({ source: source(1), folder: '/home/ana/../beto' }), code('USER_FOLDER'));
  await assert.rejects(anas.add({ source: source(1), folder: '/home/anabel' }), code('USER_FOLDER'));
  await anas.add({ source: source(1), folder: '/home/ana/films' });
  await anas.add({ source: source(2) });
  assert.equal(bench.engine.row(idOf(2))?.folder, '/home/ana');
  await assert.rejects(anas.add({ source: source(3) }), code('USER_QUOTA'));
  await assert.rejects(anas.move([idOf(2)], '/tmp'), code('USER_FOLDER'));
  bench.allowance = { folder: '/home/ana', quotaBytes: null, torrentCountMax: 2 };
  await assert.rejects(anas.add({ source: source(3) }), code('USER_QUOTA'));
});

test('content that is not complete yet lies elsewhere, and knows where it will go', async () => {
  const bench = new TorrentsBench({ folders: { incomplete: '/part' } });
  await bench.service.add({ source: source(1), folder: '/films' });
  assert.equal(bench.engine.row(idOf(1))?.folder, '/part');
  assert.equal((await bench.service.get(idOf(1)))?.finishedFolder, '/films');
  await bench.service.add({ source: source(2), folder: '/films', seed: true });
  assert.equal(bench.engine.row(idOf(2))?.folder, '/films');
});

test('a magnet that is only looked at is in nobody’s list, and leaves nothing', async () => {
  const bench = new TorrentsBench();
  const preview = bench.service.preview(source(1), 10_000);
  await Promise.resolve();
  assert.equal((await bench.service.list()).totalCount, 0);
  bench.advance(10_001);
  await assert.rejects(preview, code('PREVIEW_TIMEOUT'));
  assert.equal(bench.engine.row(idOf(1)), null);
  const second = bench.service.preview(source(1), 10_000);
  await Promise.resolve();
  const ended = assert.rejects(second, code('PREVIEW_TIMEOUT'));
  await bench.service.add({ source: source(1) });
  await ended;
  assert.equal((await bench.service.list()).totalCount, 1, 'whoever adds it goes first');
});
