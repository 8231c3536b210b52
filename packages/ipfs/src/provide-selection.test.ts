import { deepEqual, ok } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLog } from '@tequio/kernel';
import { createRuntimePorts } from '@tequio/runtime';
import { seededContent } from '../vectors/seeded-content.ts';
import { ContentProviding } from './content-providing.ts';
import { DenyList } from './core/deny-list.ts';
import { type ProvideStrategy, selectProvided } from './provide-selection.ts';
import { IpfsService } from './service.ts';
import { openFiles } from './stored-root.ts';
import { tryParseCid } from './wire/cid.ts';

const ports = createRuntimePorts();
const base = mkdtempSync(join(tmpdir(), 'provided-'));
after(async () => {
  await ports.close();
  rmSync(base, { recursive: true, force: true });
});

const never = new AbortController().signal;

test('each strategy chooses what it says, and a pin that goes takes its keys with it', async (t) => {
  const content = join(base, 'content');
  mkdirSync(content);
  writeFileSync(join(content, 'film'), seededContent('film', 3 << 20));
  writeFileSync(join(content, 'note'), 'a few words');
  const ipfs = await IpfsService.open({ folder: join(base, 'ipfs'), quotaBytes: null, bootId: null }, ports);
  const root = await ipfs.add(content);
  await ipfs.add(join(content, 'note'), { pin: false, profile: 'unixfs-v0-2015' });
  const mfs = openFiles(ipfs.repository, { hashes: ports.hashes, clock: ports.clock });
  await mfs.mkdir('/folder');
  const count = async (strategy: ProvideStrategy, countMax = 1000): Promise<number> =>
    (await selectProvided(ipfs.repository, strategy, countMax, never)).size;
  // The folder, the film and its three pieces, the note; the tree's root and its empty folder; a note of its own.
  deepEqual(
    [await count('roots'), await count('files'), await count('pinned'), await count('everything')],
    [2, 5, 8, 9],
  );
  deepEqual(await count('everything', 3), 3);

  const denyList = new DenyList(ports.hashes);
  const told: string[] = [];
  const providing = new ContentProviding({
    overlay: { provide: async (key) => told.push(String(key)) },
    repository: ipfs.repository,
    clock: ports.clock,
    hashes: ports.hashes,
    log: silentLog,
    strategy: () => 'files',
    denyList: () => denyList,
  });
  t.after(async () => {
    await providing.close();
    await ipfs.repository.close();
  });
  providing.start();
  await providing.look();
  deepEqual(providing.state.keyCount, 5);
  ok(providing.tryStateOf(tryParseCid(root)!) !== null);
  // What this node would not give away, others are not told of; what lies below it by its own name they are.
  denyList.add(`/ipfs/${root}`);
  await providing.look();
  deepEqual([providing.state.keyCount, providing.tryStateOf(tryParseCid(root)!)], [4, null]);
  denyList.add(`!/ipfs/${root}`);
  await providing.look();
  deepEqual(providing.state.keyCount, 5);
  await ipfs.unpin(root);
  await providing.look();
  deepEqual(providing.state.keyCount, 2);
  deepEqual(providing.tryStateOf(tryParseCid(root)!), null);
});
