/** Files and folders as kubo has them: the same CIDs for the same trees, and archives that both write and read. */
import assert from 'node:assert/strict';
import { createCipheriv, createHash } from 'node:crypto';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  diskLeafHasher,
  exportCar,
  exportFile,
  importCar,
  importStream,
  importTree,
  listFolder,
  MemoryBlocks,
  profiles,
  resolvePath,
  tryParseCid,
} from '@tequio/ipfs';
import { Prng } from '@tequio/kernel';
import { createRuntimePorts } from '@tequio/runtime';
import vectors from '../../packages/ipfs/vectors/ipip-0499.json' with { type: 'json' };
import { Kubo, whyNoKubo } from '../lab/kubo.ts';
import { skipWithout } from '../lab/missing.ts';

const ports = createRuntimePorts();
const leafHasher = diskLeafHasher(ports.disk);
const folder = mkdtempSync(join(tmpdir(), 'tequio-ipfs-data-'));
const tree = join(folder, 'tree');
let kubo: Kubo | null = null;

before(() => {
  makeTree(tree);
  if (whyNoKubo() === null) kubo = new Kubo(folder);
});

after(async () => {
  await ports.close();
  rmSync(folder, { recursive: true, force: true });
});

function makeTree(root: string): void {
  const prng = new Prng(11);
  mkdirSync(join(root, 'inside', 'deeper'), { recursive: true });
  mkdirSync(join(root, 'empty'));
  mkdirSync(join(root, 'many'));
  writeFileSync(join(root, 'large'), prng.bytes(5_000_000));
  writeFileSync(join(root, 'nothing'), '');
  writeFileSync(join(root, '.hidden'), 'not added by default');
  for (const size of [1, 255, 262_144, 262_145, 1_048_576])
    writeFileSync(join(root, 'inside', `${size} bytes`), prng.bytes(size));
  for (const name of ['ñandú', '木', 'z', 'Z', 'a b', '~'])
    writeFileSync(join(root, 'inside', 'deeper', name), name);
  writeFileSync(join(root, 'inside', '.hidden'), 'added when it is asked for');
  symlinkSync('../large', join(root, 'inside', 'a link'));
  // Few contents under many names: what matters here is how they are spread over shards.
  for (let i = 0; i < 10; i++) writeFileSync(join(root, 'many', `entry-${i}.txt`), `${i}`);
  for (let i = 10; i < 10_000; i++)
    linkSync(join(root, 'many', `entry-${i % 10}.txt`), join(root, 'many', `entry-${i}.txt`));
  utimesSync(join(root, 'inside', 'deeper', 'z'), 1, 1_234_567_890.5);
}

async function addTree(
  profile: keyof typeof profiles,
  path: string,
  options: Parameters<typeof importTree>[3] = {},
): Promise<{ cid: string; blocks: MemoryBlocks }> {
  const blocks = new MemoryBlocks();
  const deps = { ...ports, hashes: ports.hashes, disk: ports.disk, blocks, leafHasher };
  const { root, leftOut } = await importTree(deps, profiles[profile], path, options);
  assert.deepEqual(leftOut, []);
  return { cid: String(root.cid), blocks };
}

describe('kubo gives the same tree the same CID', () => {
  for (const profile of ['unixfs-v0-2015', 'unixfs-v1-2025'] as const)
    test(`${profile}: sizes around a chunk, 10,000 entries, links, empty folders, names of all kinds`, async (t) => {
      if (kubo === null) return skipWithout(t, whyNoKubo()!);
      kubo.run('config', 'profile', 'apply', profile);
      assert.equal((await addTree(profile, tree)).cid, kubo.say('add', '-r', '-Q', '--only-hash', tree));
      const small = join(tree, 'inside');
      assert.equal(
        (await addTree(profile, small, { preserveMode: true, preserveTime: true, hidden: true })).cid,
        kubo.say(
          'add',
          '-r',
          '-Q',
          '--raw-leaves=false',
          '--preserve-mode',
          '--preserve-mtime',
          '--hidden',
          small,
        ),
      );
    });
});

test('archives are the same to the byte, and each reads what the other wrote', async (t) => {
  if (kubo === null) return skipWithout(t, whyNoKubo()!);
  kubo.run('config', 'profile', 'apply', 'unixfs-v1-2025');
  const { cid, blocks } = await addTree('unixfs-v1-2025', tree);
  const parts: Uint8Array[] = [];
  for await (const part of exportCar(blocks, [tryParseCid(cid)!])) parts.push(part);
  const ours = Buffer.concat(parts);
  assert.equal(kubo.say('add', '-r', '-Q', tree), cid);
  const theirs = kubo.run('dag', 'export', cid).stdout;
  assert.equal(Buffer.compare(ours, theirs), 0, 'archives differ');

  const read = new MemoryBlocks();
  const imported = await importCar({ hashes: ports.hashes, blocks: read, leafHasher }, [theirs]);
  assert.equal(String(imported.roots[0]), cid);
  assert.equal(read.size, blocks.size);
  const place = await resolvePath(read, { root: tryParseCid(cid)!, segments: ['inside', 'deeper', '木'] });
  const content: Uint8Array[] = [];
  for await (const part of exportFile(read, place.cid)) content.push(part);
  assert.equal(Buffer.concat(content).toString(), '木');
  let entryCount = 0;
  const many = await resolvePath(read, { root: tryParseCid(cid)!, segments: ['many'] });
  for await (const _ of listFolder(read, many.cid)) entryCount++;
  assert.equal(entryCount, 10_000);

  const other = new Kubo(join(folder, 'other'));
  assert.match(other.sayOf(ours, 'dag', 'import', '--stats'), new RegExp(`Imported ${blocks.size} blocks`));
  assert.equal(other.say('cat', `/ipfs/${cid}/many/entry-9999.txt`), '9');
});

test('a file of 1 GiB and a byte has the CID of IPIP-499: its blocks are just too many for one level', async () => {
  for (const { profile, seed, bytes, cid } of vectors.largeFiles.slice(1)) {
    const nowhere = { put: async (): Promise<void> => undefined };
    const deps = { hashes: ports.hashes, blocks: nowhere, leafHasher };
    const root = await importStream(
      deps,
      profiles[profile as keyof typeof profiles],
      seededStream(seed, bytes),
    );
    assert.equal(String(root.cid), cid);
  }
});

/** The bytes that kubo's own test of IPIP-499 uses: the ChaCha20 key stream whose key is the seed's SHA-256. */
async function* seededStream(seed: string, bytes: number): AsyncGenerator<Uint8Array> {
  const cipher = createCipheriv('chacha20', createHash('sha256').update(seed).digest(), Buffer.alloc(16));
  const zeros = Buffer.alloc(1 << 20);
  for (let left = bytes; left > 0; left -= zeros.length) {
    yield new Uint8Array(cipher.update(left < zeros.length ? zeros.subarray(0, left) : zeros));
  }
}
