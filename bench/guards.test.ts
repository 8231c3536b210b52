import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { guards } from './guard-table.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

test('each ratio that a micro-benchmark tells has a bound, and a bound below what is usual would fail', () => {
  for (const path of globSync('packages/*/src/**/*.bench.ts', { cwd: root })) {
    if (!/runMicroBenches|sayRatio/.test(readFileSync(root + path, 'utf8'))) continue;
    assert.ok(
      guards.some(({ file }) => file === path),
      `bench/guard-table.ts does not know ${path}`,
    );
  }
  for (const { name, usual, atMost } of guards) assert.ok(usual > 0 && atMost > 1.5 * usual, name);
  assert.equal(new Set(guards.map(({ name }) => name)).size, guards.length);
});
