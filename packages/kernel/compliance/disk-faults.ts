/** What is missing, in the way, full or forbidden. */
import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import type { DiskJob, DiskResult } from '@tequio/kernel';
import { codeOf, type DiskCase, plain, randomBytes, span } from './disk-world.ts';

export const faultCases: readonly DiskCase[] = [
  [
    'missing and short files',
    async (world) => {
      const file = world.file('x/y');
      const spans = [span(file, 0, 100)];
      equal(codeOf(await world.load(100, spans)), 'missing');
      equal(codeOf(await world.run({ kind: 'check', bytes: 100, spans, digest: plain })), 'missing');
      equal(world.kind('x'), null);
      world.fixture.put(`${world.root}/x/y`, randomBytes(99));
      const short = await world.load(100, spans);
      ok(!(short instanceof Uint8Array) && !short.ok);
      equal(short.fault.code, 'missing');
      equal(short.fault.file, file);
      ok(short.fault.message.includes('x/y'));
      world.fixture.put(`${world.root}/x/y`, randomBytes(100));
      deepEqual(await world.load(100, spans), randomBytes(100));
    },
  ],
  [
    'a file that vanishes while it is open is missed',
    async (world) => {
      const file = world.file('gone');
      await world.store(randomBytes(100), [span(file, 0, 100)]);
      world.fixture.remove(`${world.root}/gone`);
      await world.fixture.passCheckTime();
      equal(codeOf(await world.store(randomBytes(100), [span(file, 100, 100)])), 'missing');
      equal(codeOf(await world.store(randomBytes(100), [span(file, 0, 100)])), 'ok');
      deepEqual(world.get('gone'), randomBytes(100));
    },
  ],
  [
    'a symbolic link in place of the file is refused',
    async (world) => {
      const outside = `${world.fixture.otherRoot}/victim`;
      world.fixture.put(outside, randomBytes(200));
      world.fixture.link(`${world.root}/file`, outside);
      const file = world.file('file');
      equal(codeOf(await world.store(new Uint8Array(100), [span(file, 0, 100)])), 'not-a-file');
      equal(codeOf(await world.load(100, [span(file, 0, 100)])), 'not-a-file');
      await rejects(world.fixture.wait(world.disk.stat(file)), { code: 'DISK_NOT_A_FILE' });
      await rejects(world.fixture.wait(world.disk.allocate(file, 5, 'sparse')), { code: 'DISK_NOT_A_FILE' });
      await rejects(world.fixture.wait(world.disk.remove(file)), { code: 'DISK_NOT_A_FILE' });
      deepEqual(world.fixture.get(outside), randomBytes(200));
    },
  ],
  [
    'a symbolic link in place of a folder is refused',
    async (world) => {
      const outside = `${world.fixture.otherRoot}/folder`;
      world.fixture.put(`${outside}/deep/file`, randomBytes(200));
      world.fixture.link(`${world.root}/way`, outside);
      const [old, fresh] = [world.file('way/deep/file'), world.file('way/new/file')];
      equal(codeOf(await world.store(new Uint8Array(100), [span(old, 0, 100)])), 'not-a-file');
      equal(codeOf(await world.store(new Uint8Array(100), [span(fresh, 0, 100)])), 'not-a-file');
      equal(codeOf(await world.load(100, [span(old, 0, 100)])), 'not-a-file');
      await rejects(world.fixture.wait(world.disk.remove(old)), { code: 'DISK_NOT_A_FILE' });
      deepEqual(world.fixture.get(`${outside}/deep/file`), randomBytes(200));
      equal(world.fixture.kind(`${outside}/new`), null);
    },
  ],
  [
    'a folder in place of the file, and a file in place of a folder',
    async (world) => {
      world.fixture.put(`${world.root}/f/x`, randomBytes(10));
      equal(codeOf(await world.store(new Uint8Array(10), [span(world.file('f'), 0, 10)])), 'not-a-file');
      equal(codeOf(await world.load(10, [span(world.file('f'), 0, 10)])), 'not-a-file');
      equal(codeOf(await world.store(new Uint8Array(10), [span(world.file('f/x/y'), 0, 10)])), 'not-a-file');
    },
  ],
  [
    'a full device fails the job, and works again when there is space',
    async (world, context) => {
      const { smallRoot, capacityBytes } = world.fixture;
      if (smallRoot === null) return context.skip('no small device can be had here');
      const [big, small] = [world.file('big', smallRoot), world.file('small', smallRoot)];
      const bytes = randomBytes(capacityBytes * 2);
      const result = await world.store(bytes, [span(big, 0, bytes.length)]);
      equal(codeOf(result), 'full');
      equal(!result.ok && result.fault.file, big);
      await rejects(world.fixture.wait(world.disk.allocate(big, capacityBytes * 2, 'full')), {
        code: 'DISK_FULL',
      });
      await world.fixture.wait(world.disk.remove(big));
      equal(codeOf(await world.store(randomBytes(1000), [span(small, 0, 1000)])), 'ok');
    },
  ],
  [
    'a read-only device denies writing, permits reading, and works again when writable',
    async (world, context) => {
      const { smallRoot } = world.fixture;
      if (smallRoot === null) return context.skip('no device that can be made read-only');
      const file = world.file('d/f', smallRoot);
      await world.store(randomBytes(1000), [span(file, 0, 1000)]);
      await world.fixture.wait(world.disk.forget(file));
      world.fixture.setReadOnly(true);
      const again = world.file('d/f', smallRoot);
      equal(codeOf(await world.store(randomBytes(1000, 2), [span(again, 0, 1000)])), 'denied');
      deepEqual(await world.load(1000, [span(again, 0, 1000)]), randomBytes(1000));
      await world.fixture.wait(world.disk.sync(again));
      await world.fixture.wait(world.disk.forget(again));
      world.fixture.setReadOnly(false);
      const third = world.file('d/f', smallRoot);
      equal(codeOf(await world.store(randomBytes(1000, 2), [span(third, 0, 1000)])), 'ok');
    },
  ],
  [
    'a closed port answers with a fault',
    async (world) => {
      const file = world.file('x');
      await world.store(randomBytes(10), [span(file, 0, 10)]);
      const slab = world.slabOf(randomBytes(10));
      const job: DiskJob = { kind: 'load', slab, slabOffset: 0, bytes: 10, spans: [span(file, 0, 10)] };
      const running = new Promise<DiskResult>((resolve) => world.disk.submit(job, resolve));
      await world.fixture.wait(world.disk.close());
      equal(codeOf(await world.fixture.wait(running)), 'ok');
      equal(codeOf(await world.run(job)), 'io');
    },
  ],
];
