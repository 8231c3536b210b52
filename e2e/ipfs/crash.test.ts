/** The block store under `kill -9` at any moment of adding, pinning and collecting. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, execArgv, execPath } from 'node:process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { tryParseCid, verifyBlocks } from '@tequio/ipfs';
import { Prng } from '@tequio/kernel';
import { openRepository } from './crash-repository.ts';

const roundCount = Number(env['TEQUIO_CRASH_ROUNDS'] ?? 6);
const worker = fileURLToPath(new URL('./crash-worker.ts', import.meta.url));

type Round = {
  readonly pinned: Set<string>;
  readonly unpinning: Set<string>;
  readonly collectedCount: number;
};

/** Lets it work until it has said so many lines, and a moment longer, and kills it. */
async function killedRound(folder: string, seed: number, lineCount: number, moreMs: number): Promise<Round> {
  const options = execArgv.filter((option) => option.startsWith('--disable-warning'));
  const child: ChildProcess = spawn(execPath, [...options, worker, folder, String(seed)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  let [said, trouble] = ['', ''];
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    trouble += text;
  });
  const busy = new Promise<void>((resolve) => {
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.split('\n').length > lineCount) resolve();
    });
  });
  await Promise.race([busy, ended]);
  await Promise.race([sleep(moreMs), ended]);
  equal(child.exitCode, null, `the worker has ended by itself: ${trouble}`);
  child.kill('SIGKILL');
  await ended;
  const pinned = new Set<string>();
  const unpinning = new Set<string>();
  // The last line may be cut.
  const lines = said.split('\n').slice(0, -1);
  for (const [what, root] of lines.map((line) => line.split(' ') as [string, string])) {
    if (what === 'pinned') pinned.add(root);
    if (what !== 'unpinning') continue;
    unpinning.add(root);
  }
  return { pinned, unpinning, collectedCount: lines.filter((line) => line.startsWith('collected')).length };
}

test(`${roundCount} rounds of kill -9: no pinned block is lost`, {
  timeout: 60_000 + 30_000 * roundCount,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-blocks-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const prng = new Prng(20_261_123);
  let expected = new Set<string>();
  let [pinnedCount, collectedCount] = [0, 0];
  for (let round = 1; round <= roundCount; round++) {
    const { pinned, unpinning, ...done } = await killedRound(
      folder,
      round,
      1 + prng.below(12),
      prng.below(60),
    );
    collectedCount += done.collectedCount;
    pinnedCount += pinned.size;
    const { repository, ports } = await openRepository(folder);
    const found = new Set(repository.pins.list().map(({ cid }) => cid.toString()));
    for (const root of [...expected, ...pinned])
      ok(found.has(root) || unpinning.has(root), `round ${round}: pin ${root} is lost`);
    for await (const { pin, missing } of repository.pins.verify())
      deepEqual(missing.map(String), [], `round ${round}: ${pin.cid} is not whole`);
    const { corrupt } = await verifyBlocks(repository.blocks);
    deepEqual(corrupt.map(String), [], `round ${round}: broken blocks`);
    for (const root of [...found].slice(8)) repository.unpin(tryParseCid(root)!);
    await repository.collect();
    expected = new Set(repository.pins.list().map(({ cid }) => cid.toString()));
    await repository.close();
    await ports.close();
  }
  t.diagnostic(`${roundCount} kills, ${pinnedCount} pins made, ${collectedCount} collections while adding`);
  ok(pinnedCount > 0, 'no worker came to anything');
});
