import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { NodeError, toHex } from '@tequio/kernel';
import { decodeMetainfo } from '../wire/metainfo.ts';
import { createTorrent } from './creator.ts';
import { MemoryDisk, testHashes, type Tree } from './memory-disk.fixture.ts';

type Row = {
  readonly title: string;
  readonly name: string;
  readonly version: 'v1' | 'v2' | 'hybrid';
  readonly pieceBytes: number;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly seed: number }[];
  readonly v1: string | null;
  readonly v2: string | null;
};

const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/creation.json', import.meta.url), 'utf8'),
) as { readonly origin: string; readonly rows: readonly Row[] };

/** As vectors/creation.py makes it. */
function contentOf(bytes: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => i * 31 + (i >> 8) * 17 + (i >> 16) * 5 + seed * 101);
}

function treeOf(row: Row): Tree {
  return new Map(
    row.files.map((file) => [
      `/src/${row.name}${file.path === '' ? '' : `/${file.path}`}`,
      contentOf(file.bytes, file.seed),
    ]),
  );
}

async function made(memory: MemoryDisk, path: string, more: object = {}) {
  const ports = { disk: memory.disk, files: memory.files, hashes: testHashes };
  const bytes = await createTorrent({ path, version: 'v1', ...more }, ports);
  const result = decodeMetainfo(bytes, testHashes);
  assert.ok(result.ok, result.ok ? '' : result.fault.message);
  return { bytes, metainfo: result.value, info: result.value.info };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof NodeError) return error.code;
    throw error;
  }
  return 'ok';
}

for (const row of vectors.rows)
  test(`same info-hashes as ${vectors.origin}: ${row.title}, ${row.version}, ${row.pieceBytes}`, async () => {
    const memory = new MemoryDisk(treeOf(row));
    const { info } = await made(memory, `/src/${row.name}`, { version: row.version, pieceBytes: row.pieceBytes });
    assert.equal(info.infoHashV1 && toHex(info.infoHashV1), row.v1);
    assert.equal(info.infoHashV2 && toHex(info.infoHashV2), row.v2);
  });
