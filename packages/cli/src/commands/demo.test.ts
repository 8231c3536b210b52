import assert from 'node:assert/strict';
import { test } from 'node:test';
import './demo.ts';
import { type FakeChild, FakeWorld, run } from '../testing/fake-world.ts';

/** Children that do what the real ones do, as far as the demonstration listens. */
function worldOfDemo(options: { terminalColumns?: number } = {}): FakeWorld {
  const world = new FakeWorld(options);
  world.node.contents.set('/project/packages', null);
  world.onSpawn = (child) => {
    const say = (delayMs: number, value: object): void =>
      void world.setTimer(delayMs, () => child.say(value));
    if (child.args[0] === 'seed') {
      say(200, { type: 'seeding' });
      say(300, { type: 'bittorrent.tracker.answered' });
      say(4000, { type: 'progress', uploadedBytes: 75000, downloadedBytes: 0, pieces: '8A==', peers: [] });
      return;
    }
    const peers = [
      { endpoint: '127.0.0.1:1', progress: 1, downRate: 1000 },
      { endpoint: '127.0.0.1:2', progress: 0, downRate: 1000 },
    ];
    say(500, { type: 'progress', uploadedBytes: 0, downloadedBytes: 0, pieces: 'AA==', peers });
    say(1000, { type: 'bittorrent.piece.verified', piece: 2 });
    say(3000, { type: 'progress', uploadedBytes: 25000, downloadedBytes: 50000, pieces: 'sA==', peers });
    say(4000, { type: 'done' });
  };
  return world;
}

function assertCleanedUp(world: FakeWorld): void {
  assert.deepEqual(world.removedFolders, ['/tmp/demo']);
  assert.ok(world.children.every((child: FakeChild) => child.isStopped));
  assert.ok(world.node.trackers.every((tracker) => tracker.isClosed));
  assert.equal(world.node.closeCount, 1);
}

test('plain: five processes, verified copies, exact sums, nothing left behind', async () => {
  const world = worldOfDemo();
  assert.equal(await run(world, 'demo'), 0);
  assert.deepEqual(
    world.children.map((child) => child.args.slice(0, 2)),
    [
      ['seed', '/tmp/demo/demo.torrent'],
      ['get', '/tmp/demo/demo.torrent'],
      ['get', '/tmp/demo/demo.torrent'],
      ['get', '/tmp/demo/demo.torrent'],
    ],
  );
  for (const child of world.children)
    assert.ok(child.args.includes('--json') && child.args.includes('127.0.0.1'));
  assert.deepEqual(
    world.node.verified,
    [1, 2, 3].map((n) => `/tmp/demo/copy-${n}/album`),
  );
  assert.match(world.out, /3 copies of 3 files: every byte verified/);
  assert.match(world.out, /the seed sent 73\.2 KiB, and the three sent each other 73\.2 KiB: 50 %/);
  assert.match(world.err, /peer 1: 25 %/);
  assert.match(world.err, /peer 3: 100 % +seed ~24\.4 KiB, others ~24\.4 KiB/);
  assert.match(world.err, /tequio get SOURCE/);
  assertCleanedUp(world);
});

test('on a terminal: a map of the pieces', async () => {
  const world = worldOfDemo({ terminalColumns: 110 });
  assert.equal(await run(world, 'demo'), 0);
  assert.match(world.err, /peer 1.*█+·+█+.*75 %/);
  assertCleanedUp(world);
});

test('--json: only JSON, `done` last', async () => {
  const world = worldOfDemo();
  assert.equal(await run(world, 'demo --json'), 0);
  assert.equal(world.err, '');
  const last = world.json.at(-1)!;
  assert.equal(last['type'], 'done');
  assert.equal(last['exchangedBytes'], 75000);
});

test('a copy that is not right is said, and a process that ends too early', async () => {
  const wrong = worldOfDemo();
  wrong.node.report = { ok: false, pieceCount: 4, goodPieceCount: 3, files: [] };
  assert.equal(await run(wrong, 'demo'), 65);
  assert.match(wrong.err, /peer 1 ended with 3 of 4 good pieces/);
  assertCleanedUp(wrong);

  const early = worldOfDemo();
  const { onSpawn } = early;
  early.onSpawn = (child) => {
    onSpawn(child);
    if (child.args[0] === 'seed') return;
    early.setTimer(600, () => child.handlers.onErrorLine('tequio: The disk is full.'));
    early.setTimer(700, () => child.end(74));
  };
  assert.equal(await run(early, 'demo'), 70);
  assert.match(early.err, /peer 1 ended too early \(exit code 74\)\. tequio: The disk is full\./);
  assertCleanedUp(early);
});

test('interrupted, or never finished: cleaned up all the same', async () => {
  const stopped = worldOfDemo();
  stopped.setTimer(2000, () => stopped.signal());
  assert.equal(await run(stopped, 'demo'), 130);
  assertCleanedUp(stopped);
  const stuck = worldOfDemo();
  stuck.onSpawn = () => {};
  assert.equal(await run(stuck, 'demo'), 69);
  assert.match(stuck.err, /Nothing has moved for 20 seconds/);
  assertCleanedUp(stuck);
});
