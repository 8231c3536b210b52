/** Storing, loading, checking and hashing. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import type { DigestRequest, DiskJob, DiskResult } from '@tequio/kernel';
import {
  blockBytes,
  blocksOf,
  codeOf,
  type DiskCase,
  digestsOf,
  expecting,
  joined,
  merkleRootOf,
  plain,
  randomBytes,
  sha,
  span,
} from './disk-world.ts';

export const dataCases: readonly DiskCase[] = [
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
      const followedCounts = new Uint8Array(200);
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
              world.disk.afterAnswers(() => {
                followedCounts[i]!++;
                resolve();
              });
            });
          }),
      );
      world.disk.flush();
      inside = false;
      await world.fixture.wait(Promise.all(all));
      ok(counts.every((count) => count === 1));
      ok(followedCounts.every((count) => count === 1));
      deepEqual(world.get('many'), bytes);
    },
  ],
  [
    'ranges of a job are hashed apart, whatever the job does',
    async (world) => {
      const file = world.file('ranges');
      // More than is read at once, so that a range may lie in two parts of it.
      const bytes = randomBytes(3_000_000);
      const sha256Ranges = [0, 10, 10, 10, 500, 2_500_000, 2_500_000, 3_000_000];
      const hashed = [
        bytes.slice(0, 10),
        bytes.slice(10, 10),
        bytes.slice(500, 2_500_000),
        bytes.slice(2_500_000),
      ];
      const expected = joined(hashed.map((part) => sha('sha256', part)));
      const digest = { ...plain, sha1: false, sha256Ranges };
      deepEqual(digestsOf(await world.store(bytes, [span(file, 0, bytes.length)], digest)).sha256, expected);
      const spans = [span(file, 0, bytes.length)];
      deepEqual(
        digestsOf(await world.run({ kind: 'check', bytes: bytes.length, spans, digest })).sha256,
        expected,
      );
      const slab = world.slabOf(new Uint8Array(bytes.length));
      const job = { slab, slabOffset: 0, bytes: bytes.length, digest } as const;
      deepEqual(digestsOf(await world.run({ ...job, kind: 'load', spans })).sha256, expected);
      deepEqual(slab.bytes.slice(0, bytes.length), bytes);
      deepEqual(digestsOf(await world.run({ ...job, kind: 'hash' })).sha256, expected);
    },
  ],
];
