import assert from 'node:assert/strict';
import { test } from 'node:test';
import { en } from './en.ts';
import { es } from './es.ts';

/** Every leaf of a table of messages, by its path; functions are called with their own names as values. */
function leavesOf(table: object, path = ''): Map<string, string> {
  const leaves = new Map<string, string>();
  for (const [key, value] of Object.entries(table)) {
    const at = `${path}.${key}`;
    if (typeof value === 'function') leaves.set(at, String(value(2, 3, 4, 5, 6)));
    else if (typeof value === 'string') leaves.set(at, value);
    else for (const [inner, text] of leavesOf(value, at)) leaves.set(inner, text);
  }
  return leaves;
}

test('both languages are complete, and the Spanish one is Spanish', () => {
  const [english, spanish] = [leavesOf(pathsAsText(en)), leavesOf(pathsAsText(es))];
  assert.deepEqual([...spanish.keys()], [...english.keys()]);
  assert.ok(english.size > 150);
  const same = [...english].filter(([key, text]) => text === spanish.get(key)).map(([key]) => key);
  // Numbers, signs, commands and words that are the same in both.
  const allowed =
    /^\.(errors\.line|progress\.(up|down|plain)|seed\.(torrent|line)|show\.(hashV1|hashV2|bytes)|verify\.file|status\.(dht|states\.closed|because)|tracker\.(http|udp)|help\.\w+\.examples|demo\.nextLines|config\.problem)/;
  assert.deepEqual(
    same.filter((key) => !allowed.test(key)),
    [],
  );
  for (const [key, text] of [...english, ...spanish]) {
    assert.ok(text.trim() !== '', key);
    assert.ok(!/undefined|NaN|\[object/.test(text), `${key}: ${text}`);
  }
});

/** `padEnd` of states and the like needs text. */
function pathsAsText(table: typeof en): object {
  return {
    ...table,
    seed: { ...table.seed, line: () => table.seed.line('a', 'b') },
    ofCode: () => table.ofCode('FILE_MISSING', '"a" does not exist.'),
    verify: { ...table.verify, file: () => table.verify.file('a', 'b', 'c') },
  };
}
