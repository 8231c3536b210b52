import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzChangeLog } from './change-log.fuzz.ts';
import { ChangeLog, changeLogLimits } from './change-log.ts';

test('whoever has looked before hears what has changed since then, each once', () => {
  const log = new ChangeLog<string>(1000);
  for (const key of ['a', 'b', 'c']) log.mark(key);
  const first = log.since(0, ['a', 'b', 'c']);
  assert.deepEqual([first.full, first.changed], [true, ['a', 'b', 'c']]);
  log.mark('a');
  log.mark('c');
  log.mark('a');
  log.remove('b');
  const second = log.since(first.version, ['a', 'c']);
  assert.deepEqual([second.full, second.changed, second.removed], [false, ['c', 'a'], ['b']]);
  const third = log.since(second.version, ['a', 'c']);
  assert.deepEqual([third.version, third.changed, third.removed], [second.version, [], []]);
});

test('a version of another run, or of the future, is answered with everything', () => {
  const log = new ChangeLog<string>(1000);
  log.mark('a');
  for (const version of [0, 1, 999, 5000]) assert.equal(log.since(version, ['a']).full, true, `${version}`);
  assert.equal(log.since(1000, ['a']).full, false);
});

test('memory does not grow with the number of changes, nor with that of removals', () => {
  const log = new ChangeLog<number>(1);
  const { version } = log.since(0, []);
  for (let i = 0; i < 100_000; i++) log.mark(i % 10);
  assert.equal(log.since(version, []).changed.length, 10);
  const before = log.version;
  for (let i = 0; i < 3 * changeLogLimits.removedCountMax; i++) {
    log.mark(100 + i);
    log.remove(100 + i);
  }
  assert.equal(log.since(before, [1, 2]).full, true, 'too long ago');
  assert.ok(log.since(log.version - 10, []).removed.length <= 10);
});

test('readers that follow it always know what there is', () => {
  for (let seed = 1; seed <= 60; seed++) fuzzChangeLog(seed, 2000);
});
