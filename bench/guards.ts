/**
 * `node bench/guards.ts`: runs the micro-benchmarks that guard-table.ts names, one after the other, and fails where one
 * costs more than it may. One that is over its bound is run again, twice: only what is slow three times is slower.
 */
import { spawnSync } from 'node:child_process';
import { execPath, exit, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { type Guard, guards } from './guard-table.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const tryCount = 3;
const timeoutMs = 120_000;

let isGood = true;
for (const file of new Set(guards.map((guard) => guard.file))) {
  const least = new Map<string, number>();
  for (let i = 0; i < tryCount && over(file, least).length > 0; i++) measure(file, least);
  for (const { name, atMost } of guards.filter((guard) => guard.file === file)) {
    const found = least.get(name);
    const isReached = found !== undefined && found <= atMost;
    const words = found === undefined ? 'was not measured' : `${found} (at most ${atMost})`;
    stdout.write(`${isReached ? 'ok  ' : 'SLOW'} ${name}: ${words}\n`);
    isGood &&= isReached;
  }
}
exit(isGood ? 0 : 1);

/** Those of a file that are not measured yet, or over their bounds. */
function over(file: string, least: ReadonlyMap<string, number>): readonly Guard[] {
  return guards.filter(
    (guard) => guard.file === file && !((least.get(guard.name) ?? Infinity) <= guard.atMost),
  );
}

function measure(file: string, least: Map<string, number>): void {
  const args = ['--disable-warning=ExperimentalWarning', file];
  const run = spawnSync(execPath, args, { cwd: root, encoding: 'utf8', timeout: timeoutMs });
  if (run.status !== 0) stdout.write(`${file}: ${run.error?.message ?? run.stderr}\n`);
  for (const [, name, ratio] of run.stdout.matchAll(/^ratio of (.+): ([\d.]+)/gm))
    least.set(name!, Math.min(Number(ratio), least.get(name!) ?? Infinity));
}
