import { equal, rejects } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { IpfsRepository, makeCid, Retrieval } from '@tequio/ipfs';
import { silentLog } from '@tequio/kernel';
import { createRuntimePorts } from '@tequio/runtime';
import { readDenyLists } from './deny-lists.ts';

test('lists are read one below the other; what they name is fetched from nobody, and a missing list is an error', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'deny-'));
  const ports = createRuntimePorts();
  const { files, hashes, disk, database, clock } = ports;
  const [denied, allowed] = [1, 2].map((fill) => {
    const bytes = new Uint8Array(40).fill(fill);
    return { cid: makeCid(0x55, 0x12, hashes.sha256(bytes)), bytes };
  }) as [Pair, Pair];
  type Pair = { readonly cid: ReturnType<typeof makeCid>; readonly bytes: Uint8Array };
  writeFileSync(join(folder, 'one.deny'), `version: 1\n---\n/ipfs/${denied.cid}\n/ipfs/${allowed.cid}\n`);
  writeFileSync(join(folder, 'two.deny'), `!/ipfs/${allowed.cid}\n`);
  const deps = { files, hashes, log: silentLog };
  const list = await readDenyLists([join(folder, 'one.deny'), join(folder, 'two.deny')], deps);
  equal(list?.deniesCid(denied.cid), true);
  equal(list?.deniesCid(allowed.cid), false);
  equal(await readDenyLists([], deps), null);
  await rejects(readDenyLists([join(folder, 'none.deny')], deps), { code: 'IPFS_DENY_LIST' });

  const repository = await IpfsRepository.open(
    { folder: join(folder, 'ipfs'), quotaBytes: null, bootId: null },
    { disk, files, database, hashes, clock, log: silentLog },
  );
  t.after(async () => {
    await repository.close();
    await ports.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const retrieval = new Retrieval({
    local: repository.blocks,
    bitswap: null,
    gateways: null,
    hashes,
    clock,
    mayFetch: (cid) => list?.deniesCid(cid) !== true,
  });
  await rejects(retrieval.get(denied.cid), { code: 'IPFS_DENIED' });
  equal(await retrieval.get(allowed.cid), null);
  retrieval.close();
});
