/**
 * The program that the kill test kills: goes on with a made-up torrent in the folder given, and prints every piece
 * that it has recorded as kept. First it prints what it believes of the last run. Arguments: folder, seed.
 */
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { type DiskPort, type DiskResult, Prng, type Slab } from '@tequio/kernel';
import { createClock, createDatabases, createDisk, readBootId } from '@tequio/runtime';
import { killTorrent, pieceOf } from './resume-kill.fixture.ts';
import { createResumeStore } from './resume-store.ts';
import { TorrentStorage } from './torrent-storage.ts';

const [folder, seed] = [process.argv[2]!, Number(process.argv[3])];
const { id, info, record, filePriorities } = killTorrent(folder);
const store = createResumeStore(createDatabases().open(join(folder, 'state.sqlite')));
if (store.load().torrents.length === 0) store.save(record);
const disk = createDisk({ threadCount: 1 });
const storage = new TorrentStorage(
  {
    info,
    id,
    place: { folder: join(folder, 'content'), renamed: new Map(), ahead: null, pendingMove: null },
    partsFolder: join(folder, 'parts'),
    filePriorities,
    progress: store.load().torrents[0]!.progress,
    bootId: readBootId(),
  },
  {
    disk,
    clock: createClock(),
    record: (change) => store.applyChange(id, change),
    savePlace: () => {},
    stuck: () => {},
  },
);

await storage.open();
say('believed', storage.have.bytes);
say('doubtful', storage.doubtful.bytes);
for (let piece = storage.doubtful.nextSet(0); piece >= 0; piece = storage.doubtful.nextSet(piece + 1)) {
  if (await isGood(piece)) storage.keep([piece]);
  else storage.lose([piece]);
}
const prng = new Prng(seed);
const missing = prng.shuffle(
  Array.from({ length: info.pieceCount }, (_, i) => i).filter((i) => !storage.have.has(i)),
);
const slabs = Array.from({ length: 4 }, () => disk.allocateSlab(info.pieceBytes));
await Promise.all(slabs.map(work));
await storage.close();
process.stdout.write('done\n');
await disk.close();

/** One of several that store pieces at the same time. */
async function work(slab: Slab): Promise<void> {
  for (let piece = missing.pop(); piece !== undefined; piece = missing.pop()) {
    const bytes = pieceOf(info, piece);
    // Now and then bad bytes come first, as from a lying peer.
    if (prng.chance(0.1)) await storePiece(disk, slab, piece, new Uint8Array(bytes.length).fill(1));
    if (await storePiece(disk, slab, piece, bytes)) {
      storage.keep([piece]);
      process.stdout.write(`kept ${piece}\n`);
    }
  }
}

/** True when it was written, for its hash is right. */
async function storePiece(port: DiskPort, slab: Slab, piece: number, bytes: Uint8Array): Promise<boolean> {
  slab.bytes.set(bytes);
  const spans = storage.spansToStore(piece, 0, bytes.length);
  const digest = expecting(piece);
  const job = { kind: 'store', slab, slabOffset: 0, bytes: bytes.length, spans, digest } as const;
  const result = await new Promise<DiskResult>((resolve) => port.submit(job, resolve));
  if (result.ok && result.written) return true;
  storage.drop(piece);
  return false;
}

async function isGood(piece: number): Promise<boolean> {
  const bytes = pieceOf(info, piece).length;
  const spans = storage.trySpansToLoad(piece, 0, bytes);
  if (spans === null) return false;
  const job = { kind: 'check', bytes, spans, digest: expecting(piece) } as const;
  const result = await new Promise<DiskResult>((resolve) => disk.submit(job, resolve));
  return result.ok && result.digests?.matched === true;
}

function expecting(piece: number): {
  sha1: true;
  merkle: null;
  stream: null;
  expect: { sha1: Uint8Array; root: null };
} {
  const sha1 = new Uint8Array(hash('sha1', pieceOf(info, piece), 'buffer'));
  return { sha1: true, merkle: null, stream: null, expect: { sha1, root: null } };
}

function say(word: string, bytes: Uint8Array): void {
  process.stdout.write(`${word} ${Buffer.from(bytes).toString('hex')}\n`);
}
