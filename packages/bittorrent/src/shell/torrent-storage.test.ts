import { deepEqual, equal, notEqual, ok, rejects } from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { type Bitfield, type DiskResult, type FileSpan, Prng } from '@tequio/kernel';
import { SimulatedDisk, SimulatedVolume } from '@tequio/simulator';
import { infoOf } from '../core/file-map.fixture.ts';
import type { ResumeRecord } from '../core/resume-record.ts';
import type { TorrentInfo } from '../wire/torrent-info.ts';
import { MemoryResumeStore } from './resume-store-memory.ts';
import { TestClock } from './torrent-storage.fixture.ts';
import { type StoragePlace, TorrentStorage } from './torrent-storage.ts';

const id = 'cd'.repeat(20);
const blockBytes = 16384;

/** One torrent's files and record, through several runs of the program. */
class World {
  readonly clock = new TestClock();
  readonly volume = new SimulatedVolume();
  readonly store = new MemoryResumeStore();
  readonly info: TorrentInfo;
  readonly content: Uint8Array;
  bootId = 'boot 1';
  disk: SimulatedDisk;
  readonly stuck: string[] = [];
  place: StoragePlace = { folder: '/d', renamed: new Map(), ahead: null, pendingMove: null };
  priorities: number[];
  storage: TorrentStorage;

  constructor(info: TorrentInfo, priorities: number[], seed = 1) {
    this.info = info;
    this.priorities = priorities;
    this.content = new Prng(seed).bytes(info.totalBytes).slice(0, info.totalBytes);
    for (const file of info.files) if (file.pad) this.content.fill(0, file.offset, file.offset + file.bytes);
    this.store.save({ id, pieceCount: info.pieceCount } as ResumeRecord);
    this.disk = new SimulatedDisk(this.clock, { volume: this.volume });
    this.storage = this.#make();
  }

  #make(): TorrentStorage {
    const { info, place, bootId, disk } = this;
    // What is left of a program that was killed must not go on writing.
    const isAlive = (): boolean => this.disk === disk;
    return new TorrentStorage(
      {
        info,
        id,
        place,
        partsFolder: '/data/parts',
        filePriorities: this.priorities,
        progress: this.store.load().torrents[0]!.progress,
        bootId,
      },
      {
        disk,
        clock: this.clock,
        record: (change) => {
          if (isAlive()) this.store.applyChange(id, change);
        },
        stuck: (error) => this.stuck.push(error.code),
        savePlace: (saved) => {
          if (isAlive()) this.place = saved;
        },
      },
    );
  }

  /** The program ends at once, and starts again. */
  async restart(): Promise<void> {
    this.disk.crash();
    this.clock.advance(60_000);
    this.disk = new SimulatedDisk(this.clock, { volume: this.volume });
    this.storage = this.#make();
    await this.open();
  }

  async open(): Promise<void> {
    await this.clock.wait(this.storage.open());
  }

  async close(): Promise<void> {
    await this.clock.wait(this.storage.close());
  }

  pieceOf(piece: number): Uint8Array {
    const start = piece * this.info.pieceBytes;
    return this.content.slice(start, start + this.info.pieceBytes);
  }

  /** Stores a piece without keeping it. */
  store1(piece: number): Promise<DiskResult> {
    const bytes = this.pieceOf(piece);
    const slab = this.disk.allocateSlab(bytes.length);
    slab.bytes.set(bytes);
    const spans = this.storage.spansToStore(piece, 0, bytes.length);
    const job = { kind: 'store', slab, slabOffset: 0, bytes: bytes.length, spans, digest: null } as const;
    return new Promise((resolve) => this.disk.submit(job, resolve));
  }

  async download(...pieces: number[]): Promise<void> {
    for (const piece of pieces) {
      const result = await this.clock.wait(this.store1(piece));
      ok(result.ok, result.ok ? '' : result.fault.message);
    }
    this.storage.keep(pieces);
  }

  /** What the driver does with doubtful pieces. */
  async check(pieces: Bitfield): Promise<void> {
    for (let piece = pieces.nextSet(0); piece >= 0; piece = pieces.nextSet(piece + 1)) {
      if (await this.isGood(piece)) this.storage.keep([piece]);
      else this.storage.lose([piece]);
    }
  }

  async isGood(piece: number): Promise<boolean> {
    const bytes = this.pieceOf(piece);
    const spans: FileSpan[] | null = this.storage.trySpansToLoad(piece, 0, bytes.length);
    if (spans === null) return false;
    const sha1 = new Uint8Array(hash('sha1', bytes, 'buffer'));
    const digest = { sha1: true, merkle: null, stream: null, expect: { sha1, root: null } };
    const job = { kind: 'check', bytes: bytes.length, spans, digest } as const;
    const result = await this.clock.wait(
      new Promise<DiskResult>((resolve) => this.disk.submit(job, resolve)),
    );
    return result.ok && result.digests!.matched;
  }

  file(index: number): Uint8Array | null {
    return this.volume.get(`${this.storage.folder}/${this.storage.pathOf(index)}`);
  }

  contentOf(index: number): Uint8Array {
    const { offset, bytes } = this.info.files[index]!;
    return this.content.slice(offset, offset + bytes);
  }

  get partFile(): Uint8Array | null {
    return this.volume.get(`/data/parts/${id}.parts`);
  }
}

function bitsOf(field: Bitfield): number[] {
  return Array.from({ length: field.bitCount }, (_, i) => i).filter((i) => field.has(i));
}

// Pieces of 64 KiB: 0 and 1 in a; 1, 2 and 3 in b; 3 in c and the empty d; 3 and 4 in e.
const pieceBytes = 4 * blockBytes;
const sizes = [100_000, 100_000, 30_000, 0, 60_000];
const small = (): TorrentInfo => infoOf(pieceBytes, sizes);
const all = [0, 1, 2, 3, 4];

test('a download becomes files, the empty one at the end; nothing else is left', async () => {
  const world = new World(small(), []);
  await world.open();
  await world.download(...all);
  equal(world.volume.kind('/d/t/folder0/file3'), null);
  await world.clock.wait(world.storage.finish());
  for (const file of all) deepEqual(world.file(file), world.contentOf(file));
  equal(world.partFile, null);
  await world.close();
});

test('after an orderly close all is believed, on another boot too, and after a power failure', async () => {
  const world = new World(small(), []);
  await world.open();
  await world.download(0, 1, 3);
  await world.close();
  world.volume.losePower();
  world.bootId = 'boot 2';
  await world.restart();
  deepEqual(bitsOf(world.storage.have), [0, 1, 3]);
  deepEqual(bitsOf(world.storage.doubtful), []);
  for (const piece of [0, 1, 3]) ok(await world.isGood(piece));
});

test('after a kill all that was kept is believed; after a power failure only settled files are', async () => {
  for (const power of [false, true]) {
    const world = new World(small(), []);
    await world.open();
    await world.download(0, 1, 2);
    // Only the first file is complete: it is settled in the background.
    await world.clock.run();
    if (power) {
      world.volume.losePower();
      world.bootId = 'boot 2';
    }
    await world.restart();
    deepEqual(bitsOf(world.storage.have), power ? [0] : [0, 1, 2]);
    deepEqual(bitsOf(world.storage.doubtful), power ? [1, 2] : []);
    await world.check(world.storage.doubtful);
    deepEqual(bitsOf(world.storage.have), power ? [0] : [0, 1, 2]);
    for (const piece of bitsOf(world.storage.have)) ok(await world.isGood(piece), `piece ${piece}`);
  }
});

test('a changed file is checked, and only what is wrong is lost', async () => {
  const world = new World(small(), []);
  await world.open();
  await world.download(...all);
  await world.close();
  const changed = world.contentOf(1);
  changed[50_000]! ^= 1;
  world.volume.put('/d/t/folder1/file1', changed, 999);
  await world.restart();
  deepEqual(bitsOf(world.storage.have), [0, 4]);
  deepEqual(bitsOf(world.storage.doubtful), [1, 2, 3]);
  await world.check(world.storage.doubtful);
  deepEqual(bitsOf(world.storage.have), [0, 1, 3, 4]);
  // The checked file is settled again: the next start believes it.
  await world.close();
  await world.restart();
  deepEqual(bitsOf(world.storage.have), [0, 1, 3, 4]);
});

test('doubtful pieces are given up when their file is written to before they are checked', async () => {
  const world = new World(small(), []);
  await world.open();
  await world.download(1, 2);
  await world.close();
  const changed = world.contentOf(1).slice(0, 90_000);
  changed[80_000]! ^= 1;
  world.volume.put('/d/t/folder1/file1', changed, 999);
  await world.restart();
  deepEqual(bitsOf(world.storage.doubtful), [1, 2]);
  await world.download(3);
  deepEqual(bitsOf(world.storage.doubtful), []);
  await world.restart();
  deepEqual(bitsOf(world.storage.have), [3]);
});

test('unwanted files are not made: their bytes go to the part file, and come out when they are wanted', async () => {
  const world = new World(small(), [4, 0, 4, 4, 4]);
  await world.open();
  deepEqual([...world.storage.priorities.pieces], [4, 4, 0, 4, 4]);
  await world.download(0, 1, 3);
  equal(world.file(1), null);
  notEqual(world.partFile, null);
  for (const piece of [0, 1, 3]) ok(await world.isGood(piece));
  await world.restart();
  deepEqual(bitsOf(world.storage.have), [0, 1, 3]);
  for (const piece of [0, 1, 3]) ok(await world.isGood(piece));
  deepEqual(await world.clock.wait(world.storage.setPriority(1, 6)), { first: 1, last: 3 });
  equal(world.partFile, null);
  for (const piece of [0, 1, 3]) ok(await world.isGood(piece));
  await world.restart();
  world.priorities = [4, 6, 4, 4, 4];
  deepEqual(bitsOf(world.storage.have), [0, 1, 3]);
  await world.download(2, 4);
  for (const file of [0, 1, 2, 4]) deepEqual(world.file(file), world.contentOf(file));
});

test('a file that becomes wanted waits for a piece that is being stored', async () => {
  const world = new World(small(), [4, 0, 4, 4, 4]);
  await world.open();
  const stored = world.store1(1);
  let isDone = false;
  const wanted = world.storage.setPriority(1, 4).then(() => {
    isDone = true;
  });
  await world.clock.wait(stored);
  await world.clock.idle();
  equal(isDone, false);
  equal(world.file(1), null);
  world.storage.keep([1]);
  await world.clock.wait(wanted);
  ok(await world.isGood(1));
  equal(world.partFile, null);
  const dropped = world.store1(3);
  await world.clock.wait(dropped);
  world.storage.drop(3);
  await world.clock.wait(world.storage.setPriority(2, 4));
});

test('a file that nobody wants any more before it began is not made', async () => {
  const world = new World(small(), []);
  await world.open();
  await world.clock.wait(world.storage.setPriority(1, 0));
  await world.download(0, 1, 3, 4);
  equal(world.file(1), null);
  for (const piece of [0, 1, 3, 4]) ok(await world.isGood(piece));
  await world.clock.wait(world.storage.setPriority(0, 0));
  notEqual(world.file(0), null);
});

test('a kill between the priority and the move leaves a file that is moved out at the next start', async () => {
  const world = new World(small(), [4, 0, 4, 4, 4]);
  await world.open();
  await world.download(1);
  world.priorities = [4, 4, 4, 4, 4];
  await world.restart();
  equal(world.partFile, null);
  ok(await world.isGood(1));
});

test('move takes everything along, and is ended at the next start when it is interrupted', async () => {
  const world = new World(small(), []);
  await world.open();
  await world.download(...all);
  await world.clock.wait(world.storage.move('/e'));
  equal(world.place.folder, '/e');
  deepEqual(world.volume.get('/e/t/folder1/file4'), world.contentOf(4));
  equal(world.volume.kind('/d/t'), null);
  await world.close();
  await world.restart();
  deepEqual(bitsOf(world.storage.have), all);
  const moving = world.storage.move('/f');
  for (let i = 0; i < 3; i++) {
    world.clock.step();
    await world.clock.idle();
  }
  void moving.catch(() => undefined);
  notEqual(world.volume.get('/f/t/folder0/file0'), null);
  notEqual(world.volume.get('/e/t/folder1/file4'), null);
  await world.restart();
  equal(world.place.folder, '/f');
  deepEqual(bitsOf(world.storage.have), all);
  for (const piece of all) ok(await world.isGood(piece));
});

test('complete files go ahead, which is ended at the next start when it is interrupted', async () => {
  const world = new World(small(), []);
  await world.open();
  await world.download(...all);
  const going = world.storage.sendAhead('/e');
  for (let i = 0; i < 3; i++) {
    world.clock.step();
    await world.clock.idle();
  }
  void going.catch(() => undefined);
  notEqual(world.volume.get('/e/t/folder0/file0'), null);
  notEqual(world.volume.get('/d/t/folder1/file4'), null);
  await world.restart();
  equal(world.place.folder, '/d');
  equal(world.place.ahead?.folder, '/e');
  equal(world.place.pendingMove, null);
  deepEqual(world.volume.get('/e/t/folder1/file4'), world.contentOf(4));
  equal(world.volume.kind('/d/t'), null);
  deepEqual(bitsOf(world.storage.have), all);
  for (const piece of all) ok(await world.isGood(piece));
  // They are where the torrent is going, or go along to another place.
  await world.clock.wait(world.storage.move('/f'));
  deepEqual([world.place.folder, world.place.ahead], ['/f', null]);
  deepEqual(world.volume.get('/f/t/folder1/file4'), world.contentOf(4));
  for (const piece of all) ok(await world.isGood(piece));
});

test('a file stays where another one has its name, is not tried again, and blocks no other', async () => {
  const world = new World(small(), []);
  await world.open();
  await world.download(...all);
  world.volume.put('/e/t/folder1/file4', new Uint8Array(3));
  await world.clock.wait(world.storage.sendAhead('/e'));
  await world.clock.wait(world.storage.sendAhead('/e'));
  deepEqual(world.stuck, ['DISK_EXISTS']);
  notEqual(world.volume.get('/e/t/folder0/file0'), null);
  deepEqual(world.volume.get('/d/t/folder1/file4'), world.contentOf(4));
  equal(world.volume.get('/e/t/folder1/file4')?.length, 3);
  for (const piece of all) ok(await world.isGood(piece));
  for (const piece of all) ok(await world.isGood(piece));
});

test('a move that meets an existing file puts everything back', async () => {
  const world = new World(small(), []);
  await world.open();
  await world.download(...all);
  world.volume.put('/e/t/folder1/file4', new Uint8Array(3));
  await rejects(world.clock.wait(world.storage.move('/e')), { code: 'DISK_EXISTS' });
  equal(world.storage.folder, '/d');
  deepEqual(world.place, { folder: '/d', renamed: new Map(), ahead: null, pendingMove: null });
  for (const piece of all) ok(await world.isGood(piece));
  equal(world.volume.get('/e/t/folder1/file4')?.length, 3);
});

test('rename, but not outside and not over another file', async () => {
  const world = new World(small(), []);
  await world.open();
  await world.download(0, 1);
  await world.clock.wait(world.storage.renameFile(0, 'new/name'));
  deepEqual([...world.place.renamed], [[0, 'new/name']]);
  ok(await world.isGood(0));
  for (const path of ['../x', 't/folder1/file1', 'T/Folder1/FILE1', 't/folder1', 'new/name/x/../y']) {
    await rejects(world.clock.wait(world.storage.renameFile(0, path)), { code: 'BITTORRENT_FILE_NAME' });
  }
  await rejects(world.clock.wait(world.storage.renameFile(1, 'new/name/below')), {
    code: 'BITTORRENT_FILE_NAME',
  });
  await world.close();
  await world.restart();
  deepEqual(bitsOf(world.storage.have), [0, 1]);
  ok(await world.isGood(0));
});

test('content that is there before the first start is found by its length, and nothing is made', async () => {
  const world = new World(small(), [4, 0, 4, 4, 4]);
  for (const file of [1, 2, 4]) world.volume.put(`/d/${world.info.files[file]!.path}`, world.contentOf(file));
  await world.open();
  const present = world.storage.presentPieces();
  deepEqual(bitsOf(present), [2, 3, 4]);
  await world.check(present);
  deepEqual(bitsOf(world.storage.have), [2, 3, 4]);
  equal(world.partFile, null);
  equal(world.file(0), null);
});

test('doubt on request: nothing is believed again until it is checked, also after a kill', async () => {
  const world = new World(small(), []);
  await world.open();
  await world.download(...all);
  world.storage.doubt([1]);
  deepEqual(bitsOf(world.storage.doubtful), [1, 2, 3]);
  equal(world.storage.doneBytesOf(1), 0);
  world.volume.rot('/d/t/folder1/file1', 60_000);
  await world.restart();
  deepEqual(bitsOf(world.storage.doubtful), [1, 2, 3]);
  world.storage.doubt(null);
  deepEqual(bitsOf(world.storage.doubtful), all);
  await world.check(world.storage.doubtful);
  deepEqual(bitsOf(world.storage.have), [0, 1, 3, 4]);
});

test('removed content takes the part file along, and leaves what was never ours', async () => {
  const world = new World(small(), [4, 0, 0, 4, 4]);
  world.volume.put('/d/t/folder2/file2', world.contentOf(2));
  await world.open();
  await world.download(0, 1);
  notEqual(world.partFile, null);
  await world.clock.wait(world.storage.removeContent());
  equal(world.partFile, null);
  equal(world.volume.kind('/d/t/folder0'), null);
  notEqual(world.volume.get('/d/t/folder2/file2'), null);
});

test('preallocated files have their length, unwanted ones are not made', async () => {
  const world = new World(small(), [4, 0, 4, 4, 4]);
  await world.open();
  await world.clock.wait(world.storage.allocate());
  equal(world.file(0)?.length, 100_000);
  equal(world.file(1), null);
  equal(world.file(2)?.length, 30_000);
  await world.download(0, 1, 3, 4);
  for (const piece of [0, 1, 3, 4]) ok(await world.isGood(piece));
});

test('whatever happens in whatever order, what is believed is there and what was kept is not lost', async () => {
  for (let seed = 0; seed < 100; seed++) {
    const prng = new Prng(seed);
    const counts = Array.from({ length: prng.between(1, 6) }, () => prng.between(0, 5 * blockBytes));
    counts[0]! += 1;
    const pads = counts.map((_, i) => i > 0 && prng.chance(0.15));
    const info = infoOf(blockBytes * 2, counts, pads);
    const world = new World(
      info,
      counts.map(() => (prng.chance(0.4) ? 0 : 4)),
      seed,
    );
    const kept = new Set<number>();
    await world.open();
    for (let round = 0; round < 12; round++) {
      const action = prng.below(8);
      const piece = prng.below(info.pieceCount);
      const file = prng.below(counts.length);
      if (action < 3) {
        await world.download(piece);
        kept.add(piece);
      } else if (action === 3) {
        // A piece is being stored when the program dies.
        void world.store1(piece);
        for (let i = prng.below(3); i > 0; i--) world.clock.step();
        await world.restart();
      } else if (action === 4) {
        world.priorities[file] = prng.chance(0.5) ? 0 : 4;
        const change = world.storage.setPriority(file, world.priorities[file]!);
        if (prng.chance(0.5)) await world.clock.wait(change);
        else {
          for (let i = prng.below(6); i > 0; i--) {
            world.clock.step();
            await world.clock.idle();
          }
          await world.restart();
        }
      } else if (action === 5) {
        await world.close();
        if (prng.chance(0.5)) {
          world.volume.losePower();
          world.bootId += '+';
        }
        await world.restart();
      } else if (action === 6) await world.clock.wait(world.storage.move(`/m${seed}-${round}`));
      else await world.restart();
      await world.check(world.storage.doubtful);
      deepEqual(
        bitsOf(world.storage.have),
        [...kept].sort((a, b) => a - b),
        `seed ${seed} round ${round}`,
      );
      for (const at of kept) ok(await world.isGood(at), `seed ${seed} round ${round} piece ${at}`);
    }
  }
});
