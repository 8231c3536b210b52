/** Files out of blocks, as streams in bounded memory: the next blocks are asked for while the last ones are used. */
import { NodeError } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { FileWalk, type FileWalkOptions } from '../core/file-walk.ts';
import { readUnixfsNode, type UnixfsNode } from '../core/unixfs-node.ts';
import type { BlockReader } from './blocks.ts';
import { blockMissing, thrown } from './ipfs-errors.ts';

export type FileExportOptions = FileWalkOptions & { readonly signal?: AbortSignal };

/**
 * The content of a file, or of a range of it, in order, in parts of any size.
 * @throws NodeError `IPFS_BLOCK_MISSING` when a block cannot be had, `IPFS_UNIXFS_*` when what is there is no file
 */
export async function* exportFile(
  reader: BlockReader,
  file: CID,
  options: FileExportOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const walk = new FileWalk(file, options);
  const fetched = new Arrivals();
  for (;;) {
    for (const { id, cid } of walk.pollWanted()) fetched.expect(id, getBlock(reader, cid, options.signal));
    const content = walk.pollContent();
    if (content !== null) {
      yield content;
      continue;
    }
    if (walk.isDone) return;
    // What was handed out has made room in the window.
    for (const { id, cid } of walk.pollWanted()) fetched.expect(id, getBlock(reader, cid, options.signal));
    const { id, bytes } = await fetched.next();
    const result = walk.handleBlock(id, bytes);
    if (!result.ok) throw thrown(result.fault);
  }
}

/** All of a file in memory. @throws NodeError `IPFS_FILE_TOO_LONG`, and as {@link exportFile} */
export async function exportBytes(
  reader: BlockReader,
  file: CID,
  bytesMax: number,
  options: FileExportOptions = {},
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of exportFile(reader, file, options)) {
    length += part.length;
    if (length > bytesMax)
      throw new NodeError(
        'IPFS_FILE_TOO_LONG',
        `${file} is longer than the ${bytesMax} bytes that are allowed.`,
      );
    parts.push(part);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A file's or folder's own block. @throws NodeError `IPFS_BLOCK_MISSING`, `IPFS_*` when it is neither */
export async function getUnixfsNode(
  reader: BlockReader,
  cid: CID,
  signal?: AbortSignal,
): Promise<UnixfsNode> {
  const node = readUnixfsNode(cid, await getBlock(reader, cid, signal));
  if (!node.ok) throw thrown(node.fault);
  return node.value;
}

/** @throws NodeError `IPFS_BLOCK_MISSING` when it is not here and could not be had */
export async function getBlock(reader: BlockReader, cid: CID, signal?: AbortSignal): Promise<Uint8Array> {
  signal?.throwIfAborted();
  const bytes = await reader.get(cid, signal === undefined ? {} : { signal });
  if (bytes === null) throw blockMissing(cid);
  return bytes;
}

type Arrival = { readonly id: number; readonly bytes: Uint8Array };

/** Blocks that were asked for together, in the order in which they come. */
class Arrivals {
  readonly #come: (Arrival | { readonly error: unknown })[] = [];
  #wake: (() => void) | null = null;

  expect(id: number, block: Promise<Uint8Array>): void {
    block.then(
      (bytes) => this.#handle({ id, bytes }),
      (error: unknown) => this.#handle({ error }),
    );
  }

  async next(): Promise<Arrival> {
    while (this.#come.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    const arrival = this.#come.shift()!;
    if ('error' in arrival) throw arrival.error;
    return arrival;
  }

  #handle(arrival: Arrival | { readonly error: unknown }): void {
    this.#come.push(arrival);
    this.#wake?.();
    this.#wake = null;
  }
}
