import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createRuntimePorts } from '@tequio/runtime';
import { seededContent } from '../vectors/seeded-content.ts';
import { IpfsService } from './service.ts';

const ports = createRuntimePorts();
const base = mkdtempSync(join(tmpdir(), 'in-place-'));
after(async () => {
  await ports.close();
  rmSync(base, { recursive: true, force: true });
});

/** Chunks are 1 MiB: nine whole ones and a part. */
const content = seededContent('film', (9 << 20) + 4321);

async function inRepository(name: string, work: (ipfs: IpfsService) => Promise<void>): Promise<void> {
  const folder = join(base, name);
  mkdirSync(folder, { recursive: true });
  const ipfs = await IpfsService.open({ folder, quotaBytes: null, bootId: 'boot' }, ports);
  try {
    await work(ipfs);
  } finally {
    await ipfs.repository.close();
  }
}

async function read(ipfs: IpfsService, cid: string, from = 0, to?: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of ipfs.cat(cid, to === undefined ? { from } : { from, to })) parts.push(part);
  return Buffer.concat(parts);
}

function folderOf(name: string): string {
  const folder = join(base, `${name}-content`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'film.mkv'), content);
  writeFileSync(join(folder, 'note.txt'), 'a few words');
  writeFileSync(join(folder, 'empty'), '');
  return folder;
}

test('what is added in place has the same CID, is not copied, and outlives a restart and a collection', async () => {
  const folder = folderOf('same');
  let cid = '';
  await inRepository('same', async (ipfs) => {
    cid = await ipfs.add(folder, { inPlace: true });
    const { diskBytes, blockCount } = await ipfs.repoStat();
    ok(diskBytes < 5000, `the folder's own blocks alone: ${diskBytes}`);
    equal(blockCount, 14);
    equal(await ipfs.collect(), 0);
  });
  await inRepository('copied', async (ipfs) => equal(await ipfs.add(folder), cid));
  await inRepository('same', async (ipfs) => {
    ok((await read(ipfs, `${cid}/film.mkv`)).equals(content));
    const [from, to] = [(3 << 20) - 5, (4 << 20) + 5];
    ok((await read(ipfs, `${cid}/film.mkv`, from, to)).equals(content.subarray(from, to)));
    equal((await read(ipfs, `${cid}/note.txt`)).toString(), 'a few words');
    equal((await read(ipfs, `${cid}/empty`)).length, 0);
  });
});

test('a changed file is named, its changed block alone is gone, and what is right is still given', async () => {
  const folder = folderOf('changed');
  await inRepository('changed', async (ipfs) => {
    const cid = await ipfs.add(folder, { inPlace: true });
    const changed = readFileSync(join(folder, 'film.mkv'));
    changed[(5 << 20) + 7]! ^= 1;
    writeFileSync(join(folder, 'film.mkv'), changed);
    await rejects(read(ipfs, `${cid}/film.mkv`), { code: 'IPFS_BLOCK_CORRUPT', message: /film\.mkv/ });
    ok((await read(ipfs, `${cid}/film.mkv`, 0, 5 << 20)).equals(content.subarray(0, 5 << 20)));
    const checks: number[] = [];
    for await (const { missing } of ipfs.verifyPins()) checks.push(missing.length);
    deepEqual(checks, [1]);
    // Put right again by adding what is right.
    writeFileSync(join(folder, 'film.mkv'), content);
    equal(await ipfs.add(folder, { inPlace: true }), cid);
    ok((await read(ipfs, `${cid}/film.mkv`)).equals(content));
  });
});

test('a file that is gone is named and not forgotten; where it was moved to it is found when that is said', async () => {
  const folder = folderOf('moved');
  await inRepository('moved', async (ipfs) => {
    const cid = await ipfs.add(folder, { inPlace: true });
    const [here, there] = [join(folder, 'film.mkv'), join(base, 'elsewhere.mkv')];
    renameSync(here, there);
    await rejects(read(ipfs, `${cid}/film.mkv`), { code: 'IPFS_FILE_GONE', message: /film\.mkv/ });
    equal((await ipfs.verify()).length, 10);
    renameSync(there, here);
    ok((await read(ipfs, `${cid}/film.mkv`)).equals(content));
    renameSync(here, there);
    await ipfs.repository.blocks.moveFile(here, there);
    ok((await read(ipfs, `${cid}/film.mkv`)).equals(content));
    equal((await ipfs.verify()).length, 0);
  });
});

test('what needs blocks of its own is not offered in place', async () => {
  const folder = folderOf('refused');
  await inRepository('refused', async (ipfs) => {
    const refused = { code: 'IPFS_NOT_IN_PLACE', message: /raw leaves/ };
    await rejects(ipfs.add(folder, { inPlace: true, preserveMode: true }), refused);
    await rejects(ipfs.add(folder, { inPlace: true, rawLeaves: false }), refused);
    equal((await ipfs.repoStat()).blockCount, 0);
  });
});

test('a sealed file is read with its link alone, and says nothing to who lists the store', async () => {
  const folder = folderOf('sealed');
  await inRepository('sealed', async (ipfs) => {
    const link = await ipfs.seal(join(folder, 'film.mkv'));
    const file = await ipfs.openSealed(link);
    deepEqual([file.name, file.bytes], ['film.mkv', content.length]);
    const parts: Uint8Array[] = [];
    for await (const part of file.content()) parts.push(part);
    ok(Buffer.concat(parts).equals(content));
    equal(await ipfs.collect(), 0);
    for await (const cid of ipfs.blocks()) equal(Buffer.from(await ipfs.block(cid)).includes('film'), false);
    await rejects(ipfs.openSealed(link.slice(0, -1)), { code: 'IPFS_SEALED_LINK' });
    const other = link.endsWith('A') ? 'E' : 'A';
    await rejects(ipfs.openSealed(link.slice(0, -1) + other), { code: 'IPFS_SEALED' });
    // The same file sealed again is another one.
    ok((await ipfs.seal(join(folder, 'film.mkv'))).split('#')[0] !== link.split('#')[0]);
  });
});
