/** What every DiskPort must do; run on the runtime's over real folders and on the simulator's in virtual time. */
import { deepEqual, equal, notEqual, ok, rejects } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import {
  type DigestRequest,
  type DiskDigests,
  type DiskJob,
  type DiskPort,
  type DiskResult,
  type FileId,
  type FileSpan,
  Prng,
  type Slab,
} from '@tequio/kernel';

/** A port over an empty root, and the same world seen past the port. Made anew for each test. */
export type DiskFixture = {
  readonly disk: DiskPort;
  /** Does not exist yet. */
  readonly root: string;
  /** Another root on the same device; does not exist yet. */
  readonly otherRoot: string;
  /** A root on another device of `capacityBytes` that can be made read-only; null: cannot be had here. */
  readonly smallRoot: string | null;
  readonly capacityBytes: number;
  setReadOnly(on: boolean): void;
  /** Lets the world go on until the promise settles. */
  wait<Value>(promise: Promise<Value>): Promise<Value>;
  /** Lets more time pass than a port may believe an open file unseen. */
  passCheckTime(): Promise<void>;
  put(path: string, bytes: Uint8Array): void;
  /** Null: no file is there. */
  get(path: string): Uint8Array | null;
  kind(path: string): 'file' | 'folder' | 'link' | null;
  link(path: string, target: string): void;
  remove(path: string): void;
  close(): Promise<void>;
};

const blockBytes = 16384;

/** The fixture with the few calls that every test makes. */
class World {
  readonly fixture: DiskFixture;
  readonly disk: DiskPort;
  readonly root: string;

  constructor(fixture: DiskFixture) {
    this.fixture = fixture;
    this.disk = fixture.disk;
    this.root = fixture.root;
  }

  file(path: string, root = this.root): FileId {
    return this.disk.register({ root, path });
  }

  slabOf(bytes: Uint8Array): Slab {
    const slab = this.disk.allocateSlab(bytes.length);
    slab.bytes.set(bytes);
    return slab;
  }

  run(job: DiskJob): Promise<DiskResult> {
    return this.fixture.wait(new Promise((resolve) => this.disk.submit(job, resolve)));
  }

  async store(
    bytes: Uint8Array,
    spans: FileSpan[],
    digest: DigestRequest | null = null,
  ): Promise<DiskResult> {
    const slab = this.slabOf(bytes);
    const result = await this.run({ kind: 'store', slab, slabOffset: 0, bytes: bytes.length, spans, digest });
    this.disk.freeSlab(slab);
    return result;
  }

  async load(bytes: number, spans: FileSpan[]): Promise<Uint8Array | DiskResult> {
    const slab = this.slabOf(new Uint8Array(bytes).fill(0xee));
    const result = await this.run({ kind: 'load', slab, slabOffset: 0, bytes, spans });
    const copy = slab.bytes.slice(0, bytes);
    this.disk.freeSlab(slab);
    return result.ok ? copy : result;
  }

  get(path: string, root = this.root): Uint8Array | null {
    return this.fixture.get(`${root}/${path}`);
  }

  kind(path: string, root = this.root): 'file' | 'folder' | 'link' | null {
    return this.fixture.kind(`${root}/${path}`);
  }
}

type Body = (world: World, context: TestContext) => Promise<void>;

/** Registers the tests. @param make opens a port and its world */
export function testDiskPort(name: string, make: () => Promise<DiskFixture>): void {
  for (const [title, body] of cases) {
    test(`${name}: ${title}`, async (context) => {
      const fixture = await make();
      try {
        await body(new World(fixture), context);
      } finally {
        await fixture.close();
      }
    });
  }
}

const plain: DigestRequest = { sha1: true, merkle: null, stream: null, expect: null };

function expecting(sha1: Uint8Array): DigestRequest {
  return { ...plain, expect: { sha1, root: null } };
}

function randomBytes(length: number, seed = 1): Uint8Array {
  return new Prng(seed).bytes(length).slice(0, length);
}

function sha(algorithm: 'sha1' | 'sha256', ...parts: Uint8Array[]): Uint8Array {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

function span(file: FileId | null, offset: number, bytes: number): FileSpan {
  return { file, offset, bytes };
}

function blocksOf(bytes: Uint8Array): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += blockBytes) blocks.push(bytes.subarray(at, at + blockBytes));
  return blocks;
}

/** BEP 52, as simply as it can be written. */
function merkleRootOf(bytes: Uint8Array, leafCount: number): Uint8Array {
  let level = blocksOf(bytes).map((block) => sha('sha256', block));
  while (level.length < leafCount) level.push(new Uint8Array(32));
  while (level.length > 1) {
    level = level.filter((_, i) => i % 2 === 0).map((left, i) => sha('sha256', left, level[2 * i + 1]!));
  }
  return level[0]!;
}

function digestsOf(result: DiskResult): DiskDigests {
  ok(result.ok, result.ok ? '' : result.fault.message);
  notEqual(result.digests, null);
  return result.digests!;
}

function codeOf(result: DiskResult | Uint8Array): string {
  if (result instanceof Uint8Array) return 'loaded';
  return result.ok ? 'ok' : result.fault.code;
}

const dataCases: [string, Body][] = [
  [
    'store makes folders and files, load gives the bytes back',
    async (world) => {
      const file = world.file('a/b/c.bin');
      const bytes = randomBytes(50_000);
      const result = await world.store(bytes, [span(file, 10_000, 50_000)]);
      deepEqual(result, { ok: true, digests: null, written: true });
      deepEqual(await world.load(20_000, [span(file, 15_000, 20_000)]), bytes.slice(5000, 25_000));
      equal(world.get('a/b/c.bin')?.length, 60_000);
    },
  ],
  [
    'a job of several spans crosses files and padding',
    async (world) => {
      const [one, two] = [world.file('t/one'), world.file('t/two')];
      const bytes = randomBytes(3000);
      const spans = [span(one, 7, 1000), span(null, 0, 500), span(two, 0, 1500)];
      const padded = bytes.slice();
      padded.fill(0, 1000, 1500);
      const digests = digestsOf(await world.store(bytes, spans, expecting(sha('sha1', padded))));
      deepEqual(digests.sha1, sha('sha1', padded));
      deepEqual(world.get('t/one')?.slice(7), bytes.slice(0, 1000));
      deepEqual(world.get('t/two'), bytes.slice(1500));
      deepEqual(await world.load(3000, spans), padded);
      const checked = digestsOf(await world.run({ kind: 'check', bytes: 3000, spans, digest: plain }));
      deepEqual(checked.sha1, sha('sha1', padded));
    },
  ],
  [
    'store with other bytes than expected writes nothing and makes nothing',
    async (world) => {
      const file = world.file('f/g');
      const result = await world.store(randomBytes(100), [span(file, 0, 100)], expecting(new Uint8Array(20)));
      ok(result.ok);
      equal(result.written, false);
      equal(result.digests?.matched, false);
      equal(world.kind('f/g'), null);
      const root = await world.store(randomBytes(100), [span(file, 0, 100)], {
        ...plain,
        sha1: false,
        merkle: { leafCount: 1 },
        expect: { sha1: null, root: new Uint8Array(32) },
      });
      ok(root.ok && !root.written);
      equal(world.kind('f/g'), null);
    },
  ],
  [
    'hash gives SHA-1, block hashes, leaves and root at once',
    async (world) => {
      const bytes = randomBytes(5 * blockBytes + 77);
      const slab = world.disk.allocateSlab(bytes.length + 9);
      slab.bytes.set(bytes, 9);
      const digest: DigestRequest = { ...plain, sha1Blocks: true, merkle: { leafCount: 16 } };
      const result = await world.run({ kind: 'hash', slab, slabOffset: 9, bytes: bytes.length, digest });
      const found = digestsOf(result);
      deepEqual(found.sha1, sha('sha1', bytes));
      deepEqual(found.sha1Blocks, joined(blocksOf(bytes).map((block) => sha('sha1', block))));
      deepEqual(found.leaves, joined(blocksOf(bytes).map((block) => sha('sha256', block))));
      deepEqual(found.root, merkleRootOf(bytes, 16));
      equal(found.matched, true);
      equal(result.ok && result.written, false);
    },
  ],
  [
    'check hashes what is on the disk, longer than any buffer, and leaves out trailing padding in the tree',
    async (world) => {
      const bytes = randomBytes((5 << 20) + 12_345);
      const file = world.file('big');
      await world.store(bytes, [span(file, 0, bytes.length)]);
      const spans = [span(file, 0, bytes.length), span(null, 0, blockBytes * 2)];
      const digest: DigestRequest = {
        ...plain,
        merkle: { leafCount: 512 },
        expect: { sha1: sha('sha1', bytes, new Uint8Array(2 * blockBytes)), root: merkleRootOf(bytes, 512) },
      };
      const total = bytes.length + 2 * blockBytes;
      const found = digestsOf(await world.run({ kind: 'check', bytes: total, spans, digest }));
      equal(found.matched, true);
      equal(found.leaves?.length, 32 * Math.ceil(bytes.length / blockBytes));
    },
  ],
  [
    'a hash stream goes over several jobs, and its end decides',
    async (world) => {
      const file = world.file('s');
      const bytes = randomBytes(3 * blockBytes);
      const expect = { sha1: sha('sha1', bytes), root: null };
      const parts = ['first', 'middle', 'last'] as const;
      const results = await Promise.all(
        parts.map((part, i) =>
          world.store(
            bytes.slice(i * blockBytes, (i + 1) * blockBytes),
            [span(file, i * blockBytes, blockBytes)],
            {
              ...plain,
              stream: { key: 77, part },
              expect,
            },
          ),
        ),
      );
      deepEqual(
        results.map((result) => digestsOf(result).matched),
        [true, true, true],
      );
      deepEqual(
        results.map((result) => digestsOf(result).sha1),
        [null, null, expect.sha1],
      );
      deepEqual(world.get('s'), bytes);
    },
  ],
  [
    'streams do not mix, and a part without a first one fails',
    async (world) => {
      const [a, b] = [randomBytes(2000, 1), randomBytes(2000, 2)];
      const part = (bytes: Uint8Array, key: number, which: 'first' | 'last'): Promise<DiskResult> =>
        world.run({
          kind: 'hash',
          slab: world.slabOf(bytes),
          slabOffset: which === 'first' ? 0 : 1000,
          bytes: 1000,
          digest: { ...plain, stream: { key, part: which } },
        });
      const orders = [part(a, 1, 'first'), part(b, 2, 'first'), part(a, 1, 'last'), part(b, 2, 'last')];
      const results = await Promise.all(orders);
      deepEqual(digestsOf(results[2]!).sha1, sha('sha1', a));
      deepEqual(digestsOf(results[3]!).sha1, sha('sha1', b));
      equal(codeOf(await part(a, 1, 'last')), 'io');
    },
  ],
  [
    'many jobs at once each come back once, none inside submit',
    async (world) => {
      const file = world.file('many');
      const bytes = randomBytes(200 * 512);
      const slab = world.slabOf(bytes);
      let inside = true;
      const counts = new Uint8Array(200);
      const all = Array.from(
        { length: 200 },
        (_, i) =>
          new Promise<void>((resolve) => {
            const at = i * 512;
            const job: DiskJob = {
              kind: 'store',
              slab,
              slabOffset: at,
              bytes: 512,
              spans: [span(file, at, 512)],
              digest: null,
            };
            world.disk.submit(job, () => {
              equal(inside, false);
              counts[i]!++;
              resolve();
            });
          }),
      );
      world.disk.flush();
      inside = false;
      await world.fixture.wait(Promise.all(all));
      ok(counts.every((count) => count === 1));
      deepEqual(world.get('many'), bytes);
    },
  ],
];

const faultCases: [string, Body][] = [
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

const fileCases: [string, Body][] = [
  [
    'register gives one id to one reference until it is forgotten',
    async (world) => {
      const first = world.file('a/b');
      equal(world.file('a/b'), first);
      notEqual(world.file('a/c'), first);
      notEqual(world.file('a/b', world.fixture.otherRoot), first);
      equal(world.kind('a'), null);
      await world.fixture.wait(world.disk.forget(first));
      notEqual(world.file('a/b'), first);
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

const cases = [...dataCases, ...faultCases, ...fileCases];

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
