import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock, DiskResult, FileSpan, Timer } from '@tequio/kernel';
import { testDiskPort } from '@tequio/kernel/compliance/disk';
import { SimulatedDisk } from './disk.ts';
import { SimulatedVolume } from './disk-volume.ts';

/** The smallest clock that a disk needs: timers in order of time, then of making. */
class TestClock implements Clock {
  #nowMs = 0;
  #timers: { atMs: number; call: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_000_000 + this.#nowMs;
  }

  setTimer(delayMs: number, call: () => void): Timer {
    const timer = { atMs: this.#nowMs + delayMs, call };
    this.#timers.push(timer);
    this.#timers.sort((a, b) => a.atMs - b.atMs);
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }

  /** Runs the next timer; false when there is none. */
  step(): boolean {
    const next = this.#timers.shift();
    if (next === undefined) return false;
    this.#nowMs = next.atMs;
    next.call();
    return true;
  }

  async wait<Value>(promise: Promise<Value>): Promise<Value> {
    let settled = false;
    const mark = (): void => void (settled = true);
    promise.then(mark, mark);
    for (let idle = 0; !settled && idle < 1000; idle++) {
      if (this.step()) idle = 0;
      await Promise.resolve();
    }
    if (!settled) throw new Error('nothing is left that could happen');
    return promise;
  }
}

testDiskPort('simulated disk', async () => {
  const clock = new TestClock();
  const volume = new SimulatedVolume();
  const capacityBytes = 1 << 20;
  volume.setCapacity(capacityBytes, '/small');
  const disk = new SimulatedDisk(clock, { volume });
  return {
    disk,
    root: '/root',
    otherRoot: '/other',
    smallRoot: '/small/root',
    capacityBytes,
    setReadOnly: (on) => volume.setReadOnly(on, '/small'),
    wait: (promise) => clock.wait(promise),
    passCheckTime: async () => {},
    put: (path, bytes) => volume.put(path, bytes),
    get: (path) => volume.get(path),
    kind: (path) => volume.kind(path),
    link: (path) => volume.link(path),
    remove: (path) => volume.remove(path),
    close: async () => {},
  };
});

function store(disk: SimulatedDisk, spans: FileSpan[], fill: number): Promise<DiskResult> {
  const bytes = spans.reduce((sum, span) => sum + span.bytes, 0);
  const slab = disk.allocateSlab(bytes);
  slab.bytes.fill(fill);
  return new Promise((resolve) => {
    disk.submit({ kind: 'store', slab, slabOffset: 0, bytes, spans, digest: null }, resolve);
  });
}

test('time goes by: a seek unless the access follows the last one, then the transfer', async () => {
  const clock = new TestClock();
  const disk = new SimulatedDisk(clock, { seekMs: 10, bytesPerSecond: 1_000_000 });
  const file = disk.register({ root: '/r', path: 'f' });
  await clock.wait(store(disk, [{ file, offset: 0, bytes: 1000 }], 1));
  equal(clock.nowMs(), 11);
  await clock.wait(store(disk, [{ file, offset: 1000, bytes: 1000 }], 1));
  equal(clock.nowMs(), 12);
  await clock.wait(store(disk, [{ file, offset: 0, bytes: 1000 }], 1));
  equal(clock.nowMs(), 23);
});

test('a crash loses what is not done, a power failure what is not synced', async () => {
  const clock = new TestClock();
  const disk = new SimulatedDisk(clock);
  const file = disk.register({ root: '/r', path: 'f' });
  await clock.wait(store(disk, [{ file, offset: 0, bytes: 10 }], 1));
  await clock.wait(disk.sync(file));
  await clock.wait(store(disk, [{ file, offset: 10, bytes: 10 }], 2));
  let called = false;
  void store(disk, [{ file, offset: 20, bytes: 10 }], 3).then(() => (called = true));
  disk.crash();
  while (clock.step());
  await Promise.resolve();
  equal(called, false);
  deepEqual(disk.volume.get('/r/f'), new Uint8Array([...Array(10).fill(1), ...Array(10).fill(2)]));
  disk.volume.losePower();
  deepEqual(disk.volume.get('/r/f'), new Uint8Array(10).fill(1));
});

test('bit rot changes a byte and nothing else; a broken file fails with io', async () => {
  const clock = new TestClock();
  const disk = new SimulatedDisk(clock);
  const file = disk.register({ root: '/r', path: 'f' });
  await clock.wait(store(disk, [{ file, offset: 0, bytes: 3 }], 5));
  const before = await clock.wait(disk.stat(file));
  disk.volume.rot('/r/f', 1);
  deepEqual(disk.volume.get('/r/f'), Uint8Array.of(5, 250, 5));
  deepEqual(await clock.wait(disk.stat(file)), before);
  disk.volume.setBroken('/r/f', true);
  const result = await clock.wait(store(disk, [{ file, offset: 0, bytes: 3 }], 5));
  ok(!result.ok && result.fault.code === 'io' && result.fault.file === file);
  await rejects(clock.wait(disk.stat(file)), { code: 'DISK_IO' });
});
