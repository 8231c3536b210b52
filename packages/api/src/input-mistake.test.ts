import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mistakeOf } from './input-mistake.ts';
import { settingsSchema } from './settings-schema.ts';

/** What is said of a config file with these sections. */
const said = (sections: object): readonly string[] => {
  const { error } = settingsSchema.safeParse(sections);
  return error!.issues.map((issue) => `${issue.path.join('.')} ${mistakeOf(issue)}`);
};

test('mistakes are told in words', () => {
  assert.deepEqual(said({ bittorrent: { port: 'abc', dht: 1, transport: 'ftp', limitDown: 0 } }), [
    'bittorrent.port must be a number',
    'bittorrent.transport must be "both" or "tcp" or "utp"',
    'bittorrent.dht must be true or false',
    'bittorrent.limitDown must be at least 1',
  ]);
  assert.deepEqual(said({ queue: { slowRate: 1.5 } }), ['queue.slowRate must be a whole number']);
  assert.deepEqual(said({ watch: 'a', rss: [], node: { name: '' } }).toSorted(), [
    'node.name must have at least 1 character',
    'rss must be a table',
    'watch must be a list',
  ]);
  assert.deepEqual(said({ watch: [{ folder: 'relative' }] }), [
    'watch.0.path is missing',
    'watch.0.folder must be an absolute path',
  ]);
  assert.deepEqual(said({ altLimits: { schedule: [{ fromMinute: 5000, toMinute: 1, days: [] }] } }), [
    'altLimits.schedule.0.days must have at least 1 entry',
    'altLimits.schedule.0.fromMinute must be at most 1439',
  ]);
  assert.deepEqual(said({ bittorrent: { prot: 1 } }), ['bittorrent has no "prot"']);
});
