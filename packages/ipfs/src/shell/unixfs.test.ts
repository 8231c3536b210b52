import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeUtf8, Prng } from '@tequio/kernel';
import { createRuntimePorts } from '@tequio/runtime';
import ipip from '../../vectors/ipip-0499.json' with { type: 'json' };
import { seededContent } from '../../vectors/seeded-content.ts';
import vectors from '../../vectors/unixfs-files.json' with { type: 'json' };
import { parseChunker } from '../core/chunker.ts';
import { type ImportProfile, type ProfileName, profiles } from '../core/profile.ts';
import { MemoryBlocks } from './memory-blocks.ts';
import { exportBytes, exportFile } from './unixfs-export.ts';
import { importBytes, importFile, importStream } from './unixfs-import.ts';

const { hashes } = createRuntimePorts();

type FileVector = {
  readonly bytes: number;
  readonly profile: ProfileName;
  readonly layout: 'balanced' | 'trickle';
  readonly chunker: string;
  readonly fileLinks?: number;
  readonly cid: string;
};

function profileOf(name: ProfileName, chunker: string, fileLinkCountMax?: number): ImportProfile {
  const profile: ImportProfile = profiles[name];
  const parsed = parseChunker(chunker);
  assert.ok(parsed.ok);
  return {
    ...profile,
    chunker: parsed.value,
    fileLinkCountMax: fileLinkCountMax ?? profile.fileLinkCountMax,
  };
}

test('a file has the CID that kubo gives it, and is the same when it comes out', async () => {
  for (const vector of vectors.files as readonly FileVector[]) {
    const { bytes, layout } = vector;
    const blocks = new MemoryBlocks();
    const content = seededContent(vectors.seed, bytes);
    const profile = { ...profileOf(vector.profile, vector.chunker, vector.fileLinks), layout };
    const root = await importBytes({ hashes, blocks }, profile, content);
    assert.equal(root.cid.toString(), vector.cid, JSON.stringify(vector));
    assert.equal(root.fileBytes, bytes);
    assert.equal(Buffer.compare(await exportBytes(blocks, root.cid, bytes), content), 0);
  }
});

test('IPIP-499: files have the CIDs that both profiles ask for, also where a chunk or a block is just full', async () => {
  for (const { profile, text, seed, bytes, cid } of ipip.files) {
    const content = text === undefined ? seededContent(seed, bytes) : encodeUtf8(text);
    const nowhere = { put: async (): Promise<void> => undefined };
    const root = await importBytes({ hashes, blocks: nowhere }, profiles[profile as ProfileName], content);
    assert.equal(String(root.cid), cid);
  }
});

test('a file of the disk gives the same as its bytes, large or small, whoever hashes', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-unixfs-'));
  const ports = createRuntimePorts();
  context.after(async () => {
    await ports.close();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const bytes of [0, 5, 131_072, 131_073, 9_000_001]) {
    writeFileSync(join(folder, 'file'), seededContent('disk', bytes));
    for (const profile of Object.values(profiles)) {
      const blocks = new MemoryBlocks();
      const whole = await importBytes({ hashes, blocks }, profile, seededContent('disk', bytes));
      const deps = { hashes, blocks: new MemoryBlocks(), disk: ports.disk };
      const file = await importFile(deps, profile, { root: folder, path: 'file' });
      assert.equal(String(file.cid), String(whole.cid), `${bytes} bytes`);
      assert.equal(deps.blocks.size, blocks.size);
    }
  }
});

test('a stream in parts of any size gives the same file as its bytes', async () => {
  const prng = new Prng(7);
  for (const chunker of ['size-1000', 'size-65536', 'buzhash', 'rabin-20000']) {
    const content = prng.bytes(3_000_000);
    const profile = profileOf('unixfs-v1-2025', chunker);
    const whole = await importBytes({ hashes, blocks: new MemoryBlocks() }, profile, content);
    const parts = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < content.length; ) {
        const end = Math.min(content.length, at + prng.below(300_000));
        yield content.subarray(at, end);
        at = end;
      }
    };
    const streamed = await importStream({ hashes, blocks: new MemoryBlocks() }, profile, parts());
    assert.equal(streamed.cid.toString(), whole.cid.toString(), chunker);
  }
});

test('any range of a file is read, and no block outside it', async () => {
  const prng = new Prng(3);
  const blocks = new MemoryBlocks();
  const content = prng.bytes(200_000);
  const profile = { ...profileOf('unixfs-v1-2025', 'size-1000', 7), layout: 'trickle' } as const;
  const { cid } = await importBytes({ hashes, blocks }, profile, content);
  for (let round = 0; round < 200; round++) {
    const from = prng.below(content.length + 100);
    const to = from + prng.below(5000);
    let getCount = 0;
    const counting = {
      get: (wanted: typeof cid) => {
        getCount++;
        return blocks.get(wanted);
      },
      has: (wanted: typeof cid) => blocks.has(wanted),
    };
    const parts: Uint8Array[] = [];
    for await (const part of exportFile(counting, cid, { from, to, windowBlocks: 1 + prng.below(20) }))
      parts.push(part);
    assert.deepEqual(Buffer.concat(parts), Buffer.from(content.subarray(from, to)));
    assert.ok(getCount <= 7 + 20, `${getCount} blocks for ${to - from} bytes`);
  }
});
