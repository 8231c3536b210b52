/** Archives (CAR) out of blocks, and blocks out of archives. */
import type { CID } from 'multiformats/cid';
import { createSelection, type SelectedBlock, type SelectionOptions } from '../core/block-selection.ts';
import { CarDecoder, encodeCarHeader, encodeCarSectionHead } from '../wire/car.ts';
import type { BlockReader } from './blocks.ts';
import { getBlock, isIdentity, walkDag } from './dag-reader.ts';
import { mustBe } from './ipfs-errors.ts';
import { VerifiedBlocks, type VerifiedBlocksDeps } from './verified-blocks.ts';

export type CarExportOptions = SelectionOptions & {
  /** Blocks that come before those of the root, such as those of the path to it. */
  readonly way?: readonly CID[];
  /** Blocks whose name is their content stand in the archive too, as kubo's own exports have them. */
  readonly identities?: boolean;
  readonly signal?: AbortSignal;
};

/**
 * An archive of version 1, in parts of any size: the same bytes for the same graph, always.
 * @param roots what the header names; blocks are those of each root, one root after the other
 * @throws NodeError `IPFS_BLOCK_MISSING`, and as a malformed block is refused
 */
export async function* exportCar(
  reader: BlockReader,
  roots: readonly CID[],
  options: CarExportOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  yield encodeCarHeader(roots);
  for (const cid of options.way ?? [])
    yield* section({ cid, bytes: await getBlock(reader, cid, options.signal) }, options);
  for (const root of roots)
    for await (const block of walkDag(reader, createSelection(root, options), options.signal))
      yield* section(block, options);
}

/** A CID that holds its content needs no block. */
function* section(
  { cid, bytes }: SelectedBlock,
  { identities = false }: CarExportOptions,
): Generator<Uint8Array> {
  if (isIdentity(cid) && !identities) return;
  yield encodeCarSectionHead(cid, bytes.length);
  yield bytes;
}

export type CarImport = {
  readonly roots: readonly CID[];
  readonly blockCount: number;
  readonly blockBytes: number;
};

/**
 * Keeps every block of an archive of version 1 or 2, each checked against its CID first. Bounded memory.
 * @throws NodeError `IPFS_CAR` when it is no archive or cut short, `IPFS_BLOCK_CORRUPT`, of the store, and as the
 * stream does; blocks before that are kept
 */
export async function importCar(
  deps: VerifiedBlocksDeps,
  archive: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: {
    readonly blockBytesMax?: number;
    readonly onProgress?: (blocks: number, bytes: number) => void;
  } = {},
): Promise<CarImport> {
  const decoder = new CarDecoder(options.blockBytesMax);
  const verified = new VerifiedBlocks(deps);
  let roots: readonly CID[] = [];
  let blockCount = 0;
  let blockBytes = 0;
  try {
    for await (const part of archive) {
      decoder.push(part);
      for (let event = mustBe(decoder.poll()); event !== null; event = mustBe(decoder.poll())) {
        if (event.kind === 'header') roots = event.roots;
        else {
          await verified.add(event.cid, event.bytes);
          blockCount++;
          blockBytes += event.bytes.length;
        }
      }
      options.onProgress?.(blockCount, blockBytes);
    }
    mustBe(decoder.finish());
  } catch (error) {
    await verified.finish().catch(() => undefined);
    throw error;
  }
  await verified.finish();
  return { roots, blockCount, blockBytes };
}
