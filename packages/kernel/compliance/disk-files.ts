/** Names, lengths, moving and removing. */
import { deepEqual, equal, notEqual, ok, rejects } from 'node:assert/strict';
import { blockBytes, codeOf, type DiskCase, plain, randomBytes, sha, span } from './disk-world.ts';

export const fileCases: readonly DiskCase[] = [
  [
    'register gives one id to one reference until it is forgotten',
    async (world) => {
      const first = world.file('a/b');
      equal(world.file('a/b'), first);
      notEqual(world.file('a/c'), first);
      notEqual(world.file('a/b', world.fixture.otherRoot), first);
      equal(world.kind('a'), null);
      await world.fixture.wait(world.disk.forget(first));
      equal(world.file('a/b'), first, 'it was registered twice and forgotten once');
      await world.fixture.wait(Promise.all([world.disk.forget(first), world.disk.forget(first)]));
      notEqual(world.file('a/b'), first);
    },
  ],
  [
    'a name registered while it is forgotten is good for all that follows',
    async (world) => {
      const old = world.file('a/again');
      const before = world.store(randomBytes(100), [span(old, 0, 100)]);
      const forgotten = world.disk.forget(old);
      const file = world.file('a/again');
      notEqual(file, old);
      const after = world.store(randomBytes(50), [span(file, 100, 50)]);
      const synced = world.fixture.wait(world.disk.sync(file));
      const moved = world.fixture.wait(world.disk.move(file, { root: world.fixture.root, path: 'a/moved' }));
      await world.fixture.wait(forgotten);
      equal(codeOf(await before), 'ok');
      equal(codeOf(await after), 'ok');
      await Promise.all([synced, moved]);
      equal(codeOf(await world.load(150, [span(file, 0, 150)])), 'loaded');
      equal(world.kind('a/again'), null);
      equal(world.get('a/moved')?.length, 150);
    },
  ],
  [
    'jobs given before forget are done',
    async (world) => {
      const file = world.file('a');
      const stored = world.store(randomBytes(100), [span(file, 0, 100)]);
      const forgotten = world.disk.forget(file);
      await world.fixture.wait(Promise.all([stored, forgotten]));
      equal(codeOf(await stored), 'ok');
      deepEqual(world.get('a'), randomBytes(100));
      equal(codeOf(await world.load(1, [span(file, 0, 1)])), 'io');
    },
  ],
  [
    'stat tells length and time, null when missing',
    async (world) => {
      const file = world.file('a/s');
      equal(await world.fixture.wait(world.disk.stat(file)), null);
      await world.store(randomBytes(100), [span(file, 23, 100)]);
      const stat = await world.fixture.wait(world.disk.stat(file));
      equal(stat?.bytes, 123);
      ok(stat!.modifiedMs > 0);
    },
  ],
  [
    'allocate makes, lengthens and cuts, and keeps what is there',
    async (world) => {
      for (const mode of ['sparse', 'full'] as const) {
        const file = world.file(`al/${mode}`);
        await world.fixture.wait(world.disk.allocate(file, 5000, mode));
        deepEqual(world.get(`al/${mode}`), new Uint8Array(5000));
        await world.store(randomBytes(100), [span(file, 50, 100)]);
        await world.fixture.wait(world.disk.allocate(file, 3_000_000, mode));
        deepEqual(await world.load(100, [span(file, 50, 100)]), randomBytes(100));
        equal(world.get(`al/${mode}`)?.length, 3_000_000);
        await world.fixture.wait(world.disk.allocate(file, 60, mode));
        deepEqual(world.get(`al/${mode}`)?.slice(50), randomBytes(100).slice(0, 10));
        await world.fixture.wait(world.disk.allocate(file, 0, mode));
        equal(world.get(`al/${mode}`)?.length, 0);
      }
    },
  ],
  [
    'sync of a file, also of one that is not there',
    async (world) => {
      const file = world.file('y');
      await world.fixture.wait(world.disk.sync(file));
      const stored = world.store(randomBytes(100), [span(file, 0, 100)]);
      await world.fixture.wait(world.disk.sync(file));
      deepEqual(world.get('y'), randomBytes(100));
      await world.fixture.wait(stored);
      equal(world.kind('y'), 'file');
    },
  ],
  [
    'move keeps the id, makes folders, cleans empty ones, also between jobs',
    async (world) => {
      const file = world.file('from/deep/f');
      const neighbour = world.file('from/g');
      await world.store(randomBytes(10, 9), [span(neighbour, 0, 10)]);
      const before = world.store(randomBytes(100), [span(file, 0, 100)]);
      const moved = world.disk.move(file, { root: world.fixture.otherRoot, path: 'to/here/f' });
      const after = world.store(randomBytes(100, 2), [span(file, 100, 100)]);
      await world.fixture.wait(Promise.all([before, moved, after]));
      equal(world.kind('from/deep'), null);
      equal(world.kind('from/g'), 'file');
      const found = world.get('to/here/f', world.fixture.otherRoot);
      deepEqual(found?.slice(0, 100), randomBytes(100));
      deepEqual(found?.slice(100), randomBytes(100, 2));
      equal(world.file('to/here/f', world.fixture.otherRoot), file);
      notEqual(world.file('from/deep/f'), file);
    },
  ],
  [
    'a hash stream keeps its order while one of its files is moved',
    async (world) => {
      const [one, two] = [world.file('one'), world.file('two')];
      const bytes = randomBytes(3 * blockBytes);
      await world.store(new Uint8Array(10), [span(one, 0, 10)]);
      const moved = world.disk.move(one, { root: world.root, path: 'other' });
      // The move has the file by the time that the parts are given.
      await world.fixture.wait(Promise.resolve());
      const parts = (['first', 'middle', 'last'] as const).map((part, i) =>
        world.store(
          bytes.slice(i * blockBytes, (i + 1) * blockBytes),
          [span(i === 0 ? one : two, i * blockBytes, blockBytes)],
          { ...plain, stream: { key: 5, part }, expect: { sha1: sha('sha1', bytes), root: null } },
        ),
      );
      const results = await world.fixture.wait(Promise.all(parts));
      await world.fixture.wait(moved);
      deepEqual(
        results.map((result) => result.ok && result.written),
        [true, true, true],
      );
      deepEqual(world.get('other'), bytes.slice(0, blockBytes));
    },
  ],
  [
    'move keeps an existing file at the new place, and the old one where it is',
    async (world) => {
      const file = world.file('one');
      await world.store(randomBytes(100), [span(file, 0, 100)]);
      world.fixture.put(`${world.root}/two`, randomBytes(50, 2));
      const other = world.file('three');
      const move = (path: string): Promise<void> =>
        world.fixture.wait(world.disk.move(file, { root: world.root, path }));
      await rejects(move('two'), { code: 'DISK_EXISTS' });
      await rejects(move('three'), { code: 'DISK_EXISTS' });
      deepEqual(world.get('two'), randomBytes(50, 2));
      deepEqual(await world.load(100, [span(file, 0, 100)]), randomBytes(100));
      equal(world.file('one'), file);
      equal(world.file('three'), other);
    },
  ],
  [
    'a file that does not exist yet only gets another name, and the same name is no move',
    async (world) => {
      const file = world.file('n/one');
      await world.fixture.wait(world.disk.move(file, { root: world.root, path: 'n/two' }));
      await world.store(randomBytes(100), [span(file, 0, 100)]);
      await world.fixture.wait(world.disk.move(file, { root: world.root, path: 'n/two' }));
      deepEqual(world.get('n/two'), randomBytes(100));
    },
  ],
  [
    'move to another device copies and removes',
    async (world, context) => {
      const { smallRoot, capacityBytes } = world.fixture;
      if (smallRoot === null) return context.skip('no other device can be had here');
      const [file, large] = [world.file('m/f'), world.file('m/large')];
      await world.store(randomBytes(1000), [span(file, 0, 1000)]);
      await world.store(randomBytes(capacityBytes * 2), [span(large, 0, capacityBytes * 2)]);
      const was = await world.fixture.wait(world.disk.stat(file));
      await world.fixture.wait(world.disk.move(file, { root: smallRoot, path: 'q/f' }));
      equal(world.kind('m/f'), null);
      deepEqual(world.get('q/f', smallRoot), randomBytes(1000));
      const is = await world.fixture.wait(world.disk.stat(file));
      ok(Math.abs(is!.modifiedMs - was!.modifiedMs) < 1);
      const tooLarge = world.disk.move(large, { root: smallRoot, path: 'q/large' });
      await rejects(world.fixture.wait(tooLarge), { code: 'DISK_FULL' });
      equal(world.get('m/large')?.length, capacityBytes * 2);
      equal(world.kind('q/large', smallRoot), null);
    },
  ],
  [
    'remove takes the file and the folders that it left empty, never the root or a used folder',
    async (world) => {
      const [deep, high] = [world.file('a/b/c/deep'), world.file('a/high')];
      await world.store(randomBytes(10), [span(deep, 0, 10)]);
      await world.store(randomBytes(10), [span(high, 0, 10)]);
      await world.fixture.wait(world.disk.remove(deep));
      equal(world.kind('a/b'), null);
      equal(world.kind('a/high'), 'file');
      await world.fixture.wait(world.disk.remove(high));
      await world.fixture.wait(world.disk.remove(high));
      equal(world.kind('a'), null);
      equal(world.fixture.kind(world.root), 'folder');
    },
  ],
  [
    'slabs are as long as asked for and used again',
    async (world) => {
      const slab = world.disk.allocateSlab(100_000);
      ok(slab.bytes.length >= 100_000);
      world.disk.freeSlab(slab);
      const next = world.disk.allocateSlab(99_000);
      equal(next.bytes.buffer, slab.bytes.buffer);
      notEqual(world.disk.allocateSlab(99_000).bytes.buffer, slab.bytes.buffer);
    },
  ],
];
