/** Made-up globs and paths, matched by the steps and by a regular expression. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Prng } from '@tequio/kernel';
import { matchesGlobNaively } from './file-select.model.ts';
import { matchesGlob } from './file-select.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 60_000);
const parts = [
  'a',
  'b',
  '*',
  '**',
  '?',
  '/',
  '[ab]',
  '[!a]',
  '{a,b}',
  '{a,{b,ab}}',
  '{',
  '}',
  ',',
  '[b-a]',
  '.',
];
const moreParts = ['**/', '(', 'É', 'é', '[', '{a*,b}', 'ß', '[é-ü]', '😀'];
const letters = ['a', 'b', '/', '.', 'é', 'A', 'B', '(', ',', 'ẞ', '😀'];

it('globs and their naive twin agree', () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? 1);
  const prng = new Prng(seed);
  let matchCount = 0;
  for (let run = 0; run < runCount; run++) {
    const glob = Array.from({ length: prng.below(6) }, () => prng.pick([...parts, ...moreParts])).join('');
    const path = Array.from({ length: prng.below(8) }, () => prng.pick(letters)).join('');
    const expected = matchesGlobNaively(path, glob);
    assert.equal(matchesGlob(path, glob), expected, `FUZZ_SEED=${seed}: ${glob} and ${path}`);
    if (expected) matchCount++;
  }
  if (runCount >= 10_000) assert.ok(matchCount > runCount / 50, `${matchCount}`);
});
