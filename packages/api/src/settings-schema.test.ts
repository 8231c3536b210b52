import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { settingsSchema } from './settings-schema.ts';

test('an empty file is complete settings', () => {
  const settings = settingsSchema.parse({});
  assert.equal(settings.http.address, '127.0.0.1:27270');
  assert.equal(settings.folders.download, null);
  assert.equal(settings.queue.activeDownloads, 5);
  assert.deepEqual(settings.watch, []);
});

test('what nobody knows, and values out of range, are refused by name', () => {
  for (const [wrong, path] of [
    [{ bitorrent: {} }, ''],
    [{ bittorrent: { prot: 1 } }, 'bittorrent'],
    [{ bittorrent: { port: 70_000 } }, 'bittorrent.port'],
    [{ folders: { download: 'relative/folder' } }, 'folders.download'],
    [{ watch: [{ path: '/in', action: 'eat' }] }, 'watch.0.action'],
    [{ altLimits: { schedule: [{ fromMinute: 0, toMinute: 1440 }] } }, 'altLimits.schedule.0.toMinute'],
  ] as const) {
    const result = settingsSchema.safeParse(wrong);
    assert.equal(result.error?.issues[0]?.path.join('.'), path, JSON.stringify(wrong));
  }
});

test('every setting has a sentence and a default, from which the documentation is made', () => {
  const schema = z.toJSONSchema(settingsSchema, { io: 'input' });
  let count = 0;
  for (const [section, part] of Object.entries(schema.properties ?? {})) {
    assert.ok(typeof part === 'object' && part.description, section);
    for (const [name, value] of Object.entries(part.properties ?? {})) {
      assert.ok(typeof value === 'object', name);
      assert.match(value.description ?? '', /\.$/, `${section}.${name}`);
      assert.ok('default' in value, `${section}.${name} has no default`);
      count++;
    }
  }
  assert.ok(count > 40, String(count));
});
