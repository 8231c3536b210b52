import { deepEqual, equal, ok } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Bitfield, bytesEqual, Prng } from '@tequio/kernel';
import { createDatabases } from '@tequio/runtime';
import { FileMap } from '../core/file-map.ts';
import { killTorrent, pieceOf } from './resume-kill.fixture.ts';
import { createResumeStore } from './resume-store.ts';

const child = fileURLToPath(new URL('./resume-kill-child.fixture.ts', import.meta.url));
const roundCount = 10;

type Run = { believed: Bitfield; doubtful: Bitfield; kept: number[]; isOpen: boolean; isDone: boolean };

/** Runs the child, and kills it a moment after it has kept so many pieces (0: after its start; null: not at all). */
function run(folder: string, seed: number, killAfter: number | null, delayMs: number): Promise<Run> {
  const { info } = killTorrent(folder);
  const result: Run = {
    believed: new Bitfield(info.pieceCount),
    doubtful: new Bitfield(info.pieceCount),
    kept: [],
    isOpen: false,
    isDone: false,
  };
  const program = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', child, folder, String(seed)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return new Promise((resolve, reject) => {
    let text = '';
    let isDoomed = killAfter === 0;
    if (killAfter === 0) setTimeout(() => program.kill('SIGKILL'), delayMs);
    program.stdout.setEncoding('latin1');
    program.stdout.on('data', (chunk: string) => {
      const lines = (text + chunk).split('\n');
      text = lines.pop()!;
      for (const line of lines) takeLine(result, line, info.pieceCount);
      if (killAfter === null || isDoomed || result.kept.length < killAfter) return;
      isDoomed = true;
      setTimeout(() => program.kill('SIGKILL'), delayMs);
    });
    program.on('error', reject);
    program.on('close', () => resolve(result));
  });
}

function takeLine(result: Run, line: string, pieceCount: number): void {
  const [word, value] = line.split(' ');
  const bits = (): Bitfield => Bitfield.tryFromBytes(Buffer.from(value!, 'hex'), pieceCount)!;
  if (word === 'believed') result.believed = bits();
  else if (word === 'doubtful') {
    result.doubtful = bits();
    result.isOpen = true;
  } else if (word === 'kept') result.kept.push(Number(value));
  else if (word === 'done') result.isDone = true;
}

/** The pieces of a field that are really there: in their files, or in their slots of the part file. */
function onDisk(folder: string, pieces: Bitfield): Bitfield {
  const { info, id } = killTorrent(folder);
  const database = createDatabases().open(join(folder, 'state.sqlite'));
  const { slots, placed } = createResumeStore(database).load().torrents[0]!.progress;
  database.close();
  const map = new FileMap(info);
  const isPart = (file: number): boolean => (placed[file >> 3]! & (0x80 >> (file & 7))) !== 0;
  const partPath = join(folder, 'parts', `${id}.parts`);
  const found = new Bitfield(info.pieceCount);
  for (let piece = pieces.nextSet(0); piece >= 0; piece = pieces.nextSet(piece + 1)) {
    const expected = pieceOf(info, piece);
    let [at, isGood] = [0, true];
    for (const slice of map.pieceSlices(piece)) {
      const path = isPart(slice.file) ? partPath : join(folder, 'content', info.files[slice.file]!.path);
      const offset = isPart(slice.file) ? slots.get(piece)! * info.pieceBytes + at : slice.offset;
      isGood &&= bytesEqual(readAt(path, offset, slice.bytes), expected.subarray(at, at + slice.bytes));
      at += slice.bytes;
    }
    if (isGood && at === expected.length) found.set(piece);
  }
  return found;
}

function readAt(path: string, offset: number, bytes: number): Uint8Array {
  if (!existsSync(path)) return new Uint8Array(0);
  const file = openSync(path, 'r');
  const found = new Uint8Array(bytes);
  const count = readSync(file, found, 0, bytes, offset);
  closeSync(file);
  return found.subarray(0, count);
}

test('killed at any instant, no piece that was reported is lost and none is claimed that is not there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-kill-'));
  try {
    const { info } = killTorrent(folder);
    const prng = new Prng(Date.now());
    const reported = new Set<number>();
    let doubtfulCount = 0;
    for (let round = 0; round < roundCount; round++) {
      const before = [...reported];
      const atStart = prng.chance(0.2);
      const killAfter = atStart ? 0 : prng.between(1, Math.floor(info.pieceCount / roundCount));
      const found = await run(folder, round, killAfter, prng.nextFloat() * (atStart ? 400 : 10));
      for (const piece of found.kept) reported.add(piece);
      if (!found.isOpen) continue;
      doubtfulCount += found.doubtful.setCount;
      for (const piece of before) {
        ok(found.believed.has(piece) || found.doubtful.has(piece), `round ${round}: piece ${piece} was lost`);
      }
      deepEqual(
        onDisk(folder, found.believed),
        found.believed,
        `round ${round}: pieces are claimed and not there`,
      );
    }
    ok(reported.size > 50, `only ${reported.size} pieces were reported`);
    equal(doubtfulCount, 0, 'a kill alone makes nothing doubtful');
    const last = await run(folder, roundCount, null, 0);
    equal(last.isDone, true);
    const all = new Set([...reported, ...last.kept]);
    for (let piece = 0; piece < info.pieceCount; piece++) ok(all.has(piece) || last.believed.has(piece));
    const end = await run(folder, 0, null, 0);
    deepEqual([end.believed.isFull, end.isDone], [true, true]);
    equal(onDisk(folder, end.believed).isFull, true);
    equal(existsSync(join(folder, 'content', info.files[1]!.path)), false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
