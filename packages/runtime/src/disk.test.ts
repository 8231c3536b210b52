import { deepEqual, equal, ok } from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DiskJob, DiskResult } from '@tequio/kernel';
import { type DiskFixture, testDiskPort } from '@tequio/kernel/compliance/disk';
import { createDisk } from './disk.ts';
import { diskLimits } from './disk-messages.ts';
import { tryLoadPooledSha1 } from './pooled-sha1.ts';

const base = fs.mkdtempSync(join(tmpdir(), 'tequio-disk-'));
const smallDevice = tryMountSmall(join(base, 'small'));
const capacityBytes = 1 << 20;
let fixtureCount = 0;

after(() => {
  if (smallDevice !== null) execFileSync('umount', [smallDevice]);
  fs.rmSync(base, { recursive: true, force: true });
});

/** A tmpfs of 1 MiB, where we may mount one. */
function tryMountSmall(path: string): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  fs.mkdirSync(path);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'ignore' });
  return mounted.status === 0 ? path : null;
}

async function makeFixture(threadCount: number, pooledBytesMin?: number): Promise<DiskFixture> {
  const number = fixtureCount++;
  const disk = createDisk({ threadCount, ...(pooledBytesMin === undefined ? {} : { pooledBytesMin }) });
  const smallRoot = smallDevice === null ? null : join(smallDevice, `${number}`);
  return {
    disk,
    root: join(base, `${number}`),
    otherRoot: join(base, `${number}-other`),
    smallRoot,
    capacityBytes,
    setReadOnly: (on) => {
      execFileSync('mount', ['-o', `remount,${on ? 'ro' : 'rw'}`, smallDevice!]);
    },
    wait: (promise) => promise,
    passCheckTime: () => sleep(diskLimits.handleCheckMs + 50).then(() => undefined),
    put: (path, bytes) => {
      fs.mkdirSync(dirname(path), { recursive: true });
      fs.writeFileSync(path, bytes);
    },
    get: (path) => (kindOf(path) === 'file' ? new Uint8Array(fs.readFileSync(path)) : null),
    kind: kindOf,
    link: (path, target) => {
      fs.mkdirSync(dirname(path), { recursive: true });
      fs.symlinkSync(target, path);
    },
    remove: (path) => fs.rmSync(path, { recursive: true }),
    close: async () => {
      await disk.close();
      if (smallRoot !== null) fs.rmSync(smallRoot, { recursive: true, force: true });
    },
  };
}

function kindOf(path: string): 'file' | 'folder' | 'link' | null {
  const stats = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  return stats.isSymbolicLink() ? 'link' : stats.isDirectory() ? 'folder' : 'file';
}

testDiskPort('runtime disk, 1 thread', () => makeFixture(1));
testDiskPort('runtime disk, 3 threads', () => makeFixture(3));
if (tryLoadPooledSha1() !== null) testDiskPort('runtime disk, all in the pool', () => makeFixture(2, 1));

test('a load overtakes queued checks', async () => {
  const fixture = await makeFixture(1);
  const { disk, root } = fixture;
  const bytes = 4 << 20;
  fixture.put(join(root, 'f'), new Uint8Array(bytes));
  const spans = [{ file: disk.register({ root, path: 'f' }), offset: 0, bytes }];
  const order: string[] = [];
  const run = (name: string, job: DiskJob): Promise<void> =>
    new Promise((resolve) =>
      disk.submit(job, (result) => {
        ok(result.ok);
        order.push(name);
        resolve();
      }),
    );
  const digest = { sha1: true, merkle: null, stream: null, expect: null };
  const check: DiskJob = { kind: 'check', bytes, spans, digest };
  const checks = Array.from({ length: 20 }, (_, i) => run(`check ${i}`, check));
  const slab = disk.allocateSlab(16);
  const load = {
    kind: 'load',
    slab,
    slabOffset: 0,
    bytes: 16,
    spans: [{ ...spans[0]!, bytes: 16 }],
  } as const;
  await checks[1];
  await Promise.all([...checks, run('load', load)]);
  ok(order.indexOf('load') < 15, order.join());
  await fixture.close();
});

test('more files than handles', async () => {
  const fixture = await makeFixture(1);
  const { disk, root } = fixture;
  const count = diskLimits.handleCount + 50;
  const slab = disk.allocateSlab(16);
  const store = (i: number): Promise<DiskResult> =>
    new Promise((resolve) => {
      const file = disk.register({ root, path: `d/${i}` });
      const spans = [{ file, offset: 0, bytes: 16 }];
      disk.submit({ kind: 'store', slab, slabOffset: 0, bytes: 16, spans, digest: null }, resolve);
    });
  for (let round = 0; round < 2; round++) {
    const results = await Promise.all(Array.from({ length: count }, (_, i) => store(i)));
    ok(results.every((result) => result.ok));
  }
  equal(fs.readdirSync(join(root, 'd')).length, count);
  const open = process.platform === 'linux' ? fs.readdirSync('/proc/self/fd').length : 0;
  ok(open < diskLimits.handleCount + 60, `${open} descriptors`);
  await fixture.close();
});

test('what is secret is for its owner alone, whoever makes it first', async () => {
  // By a thread, and in the pool.
  for (const pooledBytesMin of [Number.POSITIVE_INFINITY, 1]) {
    const fixture = await makeFixture(1, pooledBytesMin);
    const { disk, root } = fixture;
    const slab = disk.allocateSlab(16);
    for (const isSecret of [true, false]) {
      const file = disk.register({ root, path: `${isSecret}`, isSecret });
      const spans = [{ file, offset: 0, bytes: 16 }];
      const job: DiskJob = { kind: 'store', slab, slabOffset: 0, bytes: 16, spans, digest: null };
      ok((await new Promise<DiskResult>((resolve) => disk.submit(job, resolve))).ok);
      const rights = fs.statSync(join(root, `${isSecret}`)).mode & 0o777;
      equal(rights === 0o600, isSecret, rights.toString(8));
    }
    await fixture.close();
  }
});

test('a process with an idle disk ends by itself, and one with a running job ends after it', () => {
  const script = `
    import { createDisk } from ${JSON.stringify(new URL('./disk.ts', import.meta.url).href)};
    const disk = createDisk({ threadCount: 1 });
    const slab = disk.allocateSlab(16);
    const digest = { sha1: true, merkle: null, stream: null, expect: null };
    disk.submit({ kind: 'hash', slab, slabOffset: 0, bytes: 16, digest }, (r) => console.log(r.ok));`;
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 });
  deepEqual([run.status, run.stdout, run.stderr], [0, 'true\n', '']);
});

test('a named pipe in place of a file does not block the thread', {
  skip: process.platform === 'win32',
}, async () => {
  const fixture = await makeFixture(1);
  const { disk, root } = fixture;
  fs.mkdirSync(root);
  execFileSync('mkfifo', [join(root, 'pipe')]);
  const file = disk.register({ root, path: 'pipe' });
  const slab = disk.allocateSlab(16);
  const spans = [{ file, offset: 0, bytes: 16 }];
  const result = await new Promise<DiskResult>((resolve) =>
    disk.submit({ kind: 'load', slab, slabOffset: 0, bytes: 16, spans }, resolve),
  );
  equal(!result.ok && result.fault.code, 'not-a-file');
  await fixture.close();
});
