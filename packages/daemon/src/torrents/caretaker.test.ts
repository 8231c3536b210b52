import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idOf } from '../testing/fake-engine.ts';
import { TorrentsBench } from './torrents.fixture.ts';

const magnet = (index: number): string => `magnet:?xt=urn:btih:${idOf(index)}`;

async function add(bench: TorrentsBench, index: number): Promise<string> {
  const { id } = await bench.service.add({ source: { magnet: magnet(index) } });
  return id;
}

test('the queue starts the next one when one is complete, and tells which waits', async () => {
  const bench = new TorrentsBench({ queue: { activeDownloads: 1 } });
  const [first, second] = [await add(bench, 1), await add(bench, 2)];
  assert.equal(bench.engine.row(first)?.state, 'downloading');
  assert.equal(bench.engine.row(second)?.state, 'paused');
  assert.deepEqual(
    (await bench.service.list()).rows.map(({ queued, queuePosition }) => [queued, queuePosition]),
    [
      [false, 0],
      [true, 1],
    ],
  );
  bench.engine.put(first, { state: 'seeding', doneBytes: 1000, downloadedBytes: 1000 });
  await bench.pass(2);
  assert.equal(bench.engine.row(second)?.state, 'downloading');
  assert.equal((await bench.service.get(second))?.queued, false);
  assert.equal((await bench.service.get(second))?.queuePosition, 0);
  assert.equal((await bench.service.get(first))?.queuePosition, null);
});

test('a slow download lets the next one run after a minute, and is held when it is fast again', async () => {
  const bench = new TorrentsBench({ queue: { activeDownloads: 1, slowRate: 1000 } });
  const [first, second] = [await add(bench, 1), await add(bench, 2)];
  await bench.pass(59);
  assert.equal(bench.engine.row(second)?.state, 'paused');
  await bench.pass(3);
  assert.equal(bench.engine.row(second)?.state, 'downloading');
  bench.engine.put(second, { downRate: 50_000 });
  bench.engine.put(first, { downRate: 50_000 });
  await bench.pass(2);
  assert.equal(bench.engine.row(first)?.state, 'downloading');
  assert.equal(bench.engine.row(second)?.state, 'paused');
});

test('what the user paused stays paused; what the queue held goes on after a restart', async () => {
  const bench = new TorrentsBench({ queue: { activeDownloads: 1 } });
  const [first, second] = [await add(bench, 1), await add(bench, 2)];
  await bench.service.pause([first]);
  await bench.pass(1);
  assert.equal(bench.engine.row(second)?.state, 'downloading');
  const later = new TorrentsBench({}, bench);
  later.caretaker.tick();
  assert.equal(later.engine.row(first)?.state, 'paused');
  assert.equal(later.engine.row(second)?.state, 'downloading');
  await later.service.resume([first]);
  assert.equal(later.engine.row(first)?.state, 'downloading');
});

test('a pause of everything holds all, and ends as it was', async () => {
  const bench = new TorrentsBench();
  const [first, second] = [await add(bench, 1), await add(bench, 2)];
  await bench.service.pause([second]);
  bench.isPaused = true;
  bench.caretaker.settle();
  assert.equal(bench.engine.row(first)?.state, 'paused');
  bench.isPaused = false;
  await bench.pass(1);
  assert.equal(bench.engine.row(first)?.state, 'downloading');
  assert.equal(bench.engine.row(second)?.state, 'paused');
});

test('what is complete is finished once, also when the node ended meanwhile', async () => {
  const bench = new TorrentsBench();
  const id = await add(bench, 1);
  bench.engine.put(id, { state: 'seeding', doneBytes: 1000, downloadedBytes: 1000 });
  await bench.pass(3);
  assert.deepEqual(bench.finished, [id]);
  const later = new TorrentsBench({}, bench);
  later.caretaker.tick();
  later.caretaker.resumeFinishing();
  assert.deepEqual(later.finished, []);
  later.book.mark(later.book.entry(id)!, { finishing: true });
  later.book.flush();
  const third = new TorrentsBench({}, later);
  third.caretaker.tick();
  third.caretaker.resumeFinishing();
  assert.deepEqual(third.finished, [id]);
});

test('content that was there before is complete, and is not finished', async () => {
  const bench = new TorrentsBench();
  const id = await add(bench, 1);
  bench.engine.put(id, { state: 'seeding', doneBytes: 1000, downloadedBytes: 0 });
  await bench.pass(2);
  assert.deepEqual(bench.finished, []);
  assert.notEqual((await bench.service.get(id))?.finishedAtMs, null);
});

test('a share goal ends sharing as it says, once', async () => {
  const bench = new TorrentsBench({ sharing: { ratio: 2, action: 'pause' } });
  const id = await add(bench, 1);
  bench.engine.put(id, { state: 'seeding', doneBytes: 1000, downloadedBytes: 1000, uploadedBytes: 1999 });
  await bench.pass(12);
  assert.equal(bench.engine.row(id)?.state, 'seeding');
  bench.engine.put(id, { uploadedBytes: 2000 });
  await bench.pass(12);
  assert.equal(bench.engine.row(id)?.state, 'paused');
  assert.deepEqual(bench.events, [{ type: 'node.share-goal.reached', torrent: id, measure: 'ratio' }]);
  await bench.service.resume([id]);
  await bench.pass(12);
  assert.equal(bench.engine.row(id)?.state, 'seeding', 'the user wants it to be shared on');
});

test('its own goal goes before that of its category, its tracker and the node', async () => {
  const bench = new TorrentsBench({ sharing: { seedingMinutes: 1, action: 'remove' } });
  const goal = { ratio: null, seedingMinutes: 3, idleMinutes: null, action: 'pause' } as const;
  const none = { down: null, up: null };
  await bench.service.putCategory({
    name: 'film',
    folder: null,
    finishedFolder: null,
    limits: none,
    shareGoal: goal,
  });
  const { id } = await bench.service.add({ source: { magnet: magnet(1) }, category: 'film' });
  bench.engine.put(id, { state: 'seeding', doneBytes: 1000 });
  await bench.pass(150);
  assert.equal(bench.engine.row(id)?.state, 'seeding');
  await bench.pass(50);
  assert.equal(bench.engine.row(id)?.state, 'paused');
  await bench.service.patch([id], {
    shareGoal: { ...goal, seedingMinutes: 10, action: 'remove-with-content' },
  });
  await bench.service.resume([id]);
  await bench.pass(450);
  assert.equal(bench.engine.row(id), null);
  assert.ok(bench.engine.calls.includes(`remove ${id} with content`));
});

test('times are counted over restarts, and a wall clock that jumps is no time', async () => {
  const bench = new TorrentsBench();
  const id = await add(bench, 1);
  await bench.pass(100);
  bench.book.flush(true);
  const later = new TorrentsBench({ sharing: { idleMinutes: 60, action: 'pause' } }, bench);
  later.caretaker.tick();
  assert.equal((await later.service.get(id))?.downloadingMs, 100_000);
  later.engine.put(id, { state: 'seeding', doneBytes: 1000, activeAtMs: 1 });
  await later.pass(30);
  assert.equal(later.engine.row(id)?.state, 'seeding', 'decades since 1970 are not an idle hour');
  assert.ok((await later.service.get(id))!.seedingMs >= 28_000);
});

test('each file goes for itself where the settings say so, and only while its torrent is not complete', async () => {
  const bench = new TorrentsBench({
    completion: { eachFile: true },
    folders: { incomplete: '/part', finished: '/done' },
  });
  const id = await add(bench, 1);
  await bench.pass(1);
  assert.ok(bench.engine.calls.includes(`files ${id} /done`));
});
