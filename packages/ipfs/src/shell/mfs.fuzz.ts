/** Random changes against a naive twin: after each the root is the one that the whole tree would be added as. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { createRuntimePorts } from '@tequio/runtime';
import type { CID } from 'multiformats/cid';
import { BlockMaker } from '../core/block-maker.ts';
import { fixedChunker } from '../core/chunker.ts';
import { makeFolder } from '../core/folder.ts';
import type { FolderEntry } from '../core/hamt.ts';
import { type ImportProfile, profiles } from '../core/profile.ts';
import { MemoryBlocks } from './memory-blocks.ts';
import { Mfs } from './mfs.ts';
import { exportBytes } from './unixfs-export.ts';
import { importBytes } from './unixfs-import.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 300);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);
const { hashes } = createRuntimePorts();

/** Small everywhere, so that few changes make many blocks. */
const profile: ImportProfile = {
  ...profiles['unixfs-v1-2025'],
  chunker: fixedChunker(7),
  fileLinkCountMax: 3,
  directory: { shardAboveBytes: 500, measure: 'block', fanout: 8 },
};

type ModelFolder = Map<string, ModelFolder | Uint8Array>;

async function addModel(
  blocks: MemoryBlocks,
  model: ModelFolder | Uint8Array,
): Promise<Omit<FolderEntry, 'name'>> {
  if (model instanceof Uint8Array) return importBytes({ hashes, blocks }, profile, model);
  const entries: FolderEntry[] = [];
  for (const [name, child] of model) entries.push({ name, ...(await addModel(blocks, child)) });
  const root = makeFolder(
    new BlockMaker(hashes, 1, (block) => void blocks.put([block])),
    profile.directory,
    entries,
  );
  assert.ok(root.ok);
  return root.value;
}

function folderOf(model: ModelFolder, prng: Prng): { path: string; folder: ModelFolder } {
  const inner = model.get('inner');
  return inner instanceof Map && prng.chance(0.4)
    ? { path: '/inner', folder: inner }
    : { path: '', folder: model };
}

/** One change to both; what the twin does not let happen must be refused. */
async function change(mfs: Mfs, model: ModelFolder, prng: Prng): Promise<void> {
  const { path, folder } = folderOf(model, prng);
  const name = `name ${prng.below(30)}`;
  const flush = prng.chance(0.2);
  const there = folder.get(name);
  const kind = prng.below(6);
  if (kind <= 2) {
    const offset = prng.below(3) * prng.below(30);
    const content = prng.bytes(prng.below(60));
    const truncate = prng.chance(0.3);
    const old = there instanceof Uint8Array && !truncate ? there : new Uint8Array(0);
    const next = new Uint8Array(Math.max(old.length, offset + content.length));
    next.set(old);
    next.set(content, offset);
    folder.set(name, next);
    await mfs.write(`${path}/${name}`, [content], { offset, truncate, create: true, flush });
  } else if (kind === 3 && there instanceof Uint8Array) {
    const bytes = prng.below(80);
    const next = new Uint8Array(bytes);
    next.set(there.subarray(0, bytes));
    folder.set(name, next);
    await mfs.truncate(`${path}/${name}`, bytes, { flush });
  } else if (kind === 4 && there !== undefined) {
    folder.delete(name);
    await mfs.remove(`${path}/${name}`, { flush });
  } else if (kind === 5 && there instanceof Uint8Array) {
    const goal = `name ${prng.below(30)}`;
    folder.delete(name);
    folder.set(goal, there);
    await mfs.move(`${path}/${name}`, `${path}/${goal}`, { flush });
  }
}

test('MFS has the tree that the naive twin has, as the same blocks', async () => {
  for (let seed = firstSeed; seed < firstSeed + Math.max(1, runCount / 100); seed++) {
    const prng = new Prng(seed);
    const blocks = new MemoryBlocks();
    let root: CID | null = null;
    const kept = { get: (): CID | null => root, set: async (cid: CID): Promise<void> => void (root = cid) };
    const deps = { blocks, root: kept, hashes, clock: { wallMs: () => 1e12 } };
    let mfs = new Mfs(deps, profile);
    const model: ModelFolder = new Map([['inner', new Map()]]);
    await mfs.mkdir('/inner');
    for (let round = 0; round < 100; round++) {
      await change(mfs, model, prng);
      const wanted = await addModel(new MemoryBlocks(), model);
      const { cid, dagBytes } = await mfs.stat('/');
      assert.equal(String(cid), String(wanted.cid), `seed ${seed}, round ${round}`);
      assert.equal(dagBytes, wanted.dagBytes);
      if (prng.chance(0.05)) {
        await mfs.flush();
        mfs = new Mfs(deps, profile);
      }
    }
    await mfs.flush();
    for (const [name, content] of model)
      if (content instanceof Uint8Array)
        assert.deepEqual(await exportBytes(blocks, (await mfs.stat(`/${name}`)).cid, 1e6), content);
  }
});
