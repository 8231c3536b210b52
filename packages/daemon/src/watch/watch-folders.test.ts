import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AddTorrent } from '@tequio/api';
import { settingsSchema } from '@tequio/api/settings';
import { encodeUtf8, silentLog } from '@tequio/kernel';
import type { FolderEntry } from '@tequio/runtime';
import { VirtualClock } from '@tequio/simulator';
import { WatchFolders } from './watch-folders.ts';

function watching(action: 'rename' | 'delete' | 'keep') {
  const clock = new VirtualClock();
  const files = new Map<string, FolderEntry & { readonly text: string }>();
  const added: AddTorrent[] = [];
  const nameOf = (path: string): string => path.replace('/in/', '');
  const put = (name: string, text: string, modifiedMs: number): void =>
    void files.set(name, { name, text, bytes: text.length, modifiedMs });
  const { watch } = settingsSchema.parse({ watch: [{ path: '/in', category: 'tv', action }] });
  const folders = new WatchFolders({
    clock,
    log: silentLog,
    settings: () => watch,
    list: async () => [...files.values()],
    read: async (path) => encodeUtf8(files.get(nameOf(path))!.text),
    rename: async (from, to) => {
      files.set(nameOf(to), { ...files.get(nameOf(from))!, name: nameOf(to) });
      files.delete(nameOf(from));
    },
    remove: async (path) => void files.delete(nameOf(path)),
    add: async (torrent) => {
      if ('torrent' in torrent.source && torrent.source.torrent.length === 3) throw new Error('no torrent');
      added.push(torrent);
      return { id: 'x' };
    },
    emit: () => undefined,
  });
  /** Looks once. */
  const look = async (): Promise<void> => {
    const end = new AbortController();
    end.abort();
    await folders.run(end.signal);
  };
  return { clock, files, added, put, look };
}

test('a torrent file and a magnet are added once, with what the folder says, and put aside', async () => {
  const { clock, files, added, put, look } = watching('rename');
  put('a.torrent', 'some bytes', clock.wallMs() - 5000);
  put('b.magnet', 'magnet:?xt=urn:btih:1\n', clock.wallMs() - 5000);
  put('notes.txt', 'x', clock.wallMs() - 5000);
  await look();
  assert.equal(added.length, 2);
  assert.deepEqual(added[1], {
    source: { magnet: 'magnet:?xt=urn:btih:1' },
    tags: [],
    paused: false,
    category: 'tv',
  });
  assert.deepEqual([...files.keys()].sort(), ['a.torrent.added', 'b.magnet.added', 'notes.txt']);
});

test('a file that is being written is waited for; a wrong one is left, and looked at again when it changes', async () => {
  const { clock, files, added, put, look } = watching('delete');
  put('a.torrent', 'bad', clock.wallMs() - 500);
  await look();
  assert.equal(added.length, 0);
  clock.advanceTo(clock.nowMs() + 5000);
  await look();
  await look();
  assert.deepEqual([added.length, files.size], [0, 1]);
  put('a.torrent', 'good bytes', clock.wallMs() - 2000);
  await look();
  assert.deepEqual([added.length, files.size], [1, 0]);
});

test('what stays is not added again', async () => {
  const { clock, added, put, look } = watching('keep');
  put('a.torrent', 'some bytes', clock.wallMs() + 3_600_000);
  await look();
  await look();
  assert.equal(added.length, 1, 'also with a time in the future');
});
