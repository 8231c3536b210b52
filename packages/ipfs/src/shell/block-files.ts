/** Blocks in files of the user: nothing is copied, and nothing is believed, for anybody may change the file. */
import { type Clock, type DiskPort, type FileId, type Hashes, NodeError } from '@tequio/kernel';
import { inlineBytes, isPayloadOf, keyOf } from '../core/block-key.ts';
import { blockLimits } from '../limits.ts';
import type { BlockIndex, BlockRow } from './block-index.ts';
import type { BlockSegments } from './block-segments.ts';
import type { BlockInFile } from './blocks.ts';

export type BlockFilePorts = { readonly disk: DiskPort; readonly hashes: Hashes; readonly clock: Clock };

type Known = { readonly isUnchanged: boolean; readonly atMs: number };

/** See the top of the file. */
export class BlockFiles {
  readonly #index: BlockIndex;
  readonly #segments: BlockSegments;
  readonly #ports: BlockFilePorts;
  readonly #named = new Map<string, FileId>();
  readonly #known = new Map<number, Known>();

  constructor(index: BlockIndex, segments: BlockSegments, ports: BlockFilePorts) {
    this.#index = index;
    this.#segments = segments;
    this.#ports = ports;
  }

  /** See `BlockStore.putInFile`. */
  async add(path: string, blocks: readonly BlockInFile[], isInstead: boolean): Promise<void> {
    const stat = await this.#ports.disk.stat(this.#fileOf(path));
    const last = Math.max(0, ...blocks.map(({ offset, bytes }) => offset + bytes));
    if (stat === null || stat.bytes < last) {
      throw new NodeError('DISK_MISSING', `"${path}" is missing or shorter than it should be.`, {
        op: 'read',
        data: { path },
      });
    }
    const rows = blocks
      .filter(({ cid }) => inlineBytes(cid) === null)
      .map(({ cid, offset, bytes }) => ({ key: keyOf(cid), at: offset, bytes }));
    this.#index.addInFile({ path, bytes: stat.bytes, modifiedMs: stat.modifiedMs }, rows, isInstead);
    this.#known.clear();
  }

  /** Whether the file has the length and time that it had. What was found is believed for a moment. */
  async isUnchanged(id: number): Promise<boolean> {
    const nowMs = this.#ports.clock.nowMs();
    const known = this.#known.get(id);
    if (known !== undefined && nowMs - known.atMs < blockLimits.fileTrustedMs) return known.isUnchanged;
    const file = this.#index.file(id);
    const stat =
      file === null ? null : await this.#ports.disk.stat(this.#fileOf(file.path)).catch(() => null);
    const isUnchanged = stat !== null && stat.bytes === file?.bytes && stat.modifiedMs === file.modifiedMs;
    if (this.#known.size >= blockLimits.stepCount) this.#known.clear();
    this.#known.set(id, { isUnchanged, atMs: nowMs });
    return isUnchanged;
  }

  /** The block's bytes; null: the file holds something else there, or nothing. @throws NodeError DISK_* */
  async read(key: Uint8Array, { place, at, bytes }: BlockRow): Promise<Uint8Array | null> {
    const file = this.#index.file(-place);
    if (file === null) return null;
    const { hashes } = this.#ports;
    const found =
      bytes === 0
        ? { bytes: new Uint8Array(0), sha256: null }
        : await this.#segments.read(this.#fileOf(file.path), at, bytes, 0);
    return found !== null && isPayloadOf(key, found.bytes, null, hashes, found.sha256) ? found.bytes : null;
  }

  /** For messages. */
  pathOf(id: number): string {
    return this.#index.file(id)?.path ?? 'a file that is forgotten';
  }

  /** Nothing lies where the file did. */
  async isGone(id: number): Promise<boolean> {
    const file = this.#index.file(id);
    return file !== null && (await this.#ports.disk.stat(this.#fileOf(file.path)).catch(() => null)) === null;
  }

  /** See `BlockStore.moveFile`. */
  async move(from: string, to: string): Promise<void> {
    const file = this.#index.fileAt(from);
    const stat = file === null ? null : await this.#ports.disk.stat(this.#fileOf(to));
    if (file === null || stat?.bytes !== file.bytes) return;
    // Across devices the copy has a time of its own; what is read is hashed whatever the time says.
    this.#index.moveFile(file.id, { path: to, bytes: stat.bytes, modifiedMs: stat.modifiedMs });
    this.#known.clear();
    // The disk may name the new place by it.
    const old = this.#named.get(from);
    if (old !== undefined && this.#named.delete(from)) void this.#ports.disk.forget(old);
  }

  #fileOf(path: string): FileId {
    let file = this.#named.get(path);
    if (file !== undefined) return file;
    const { disk } = this.#ports;
    if (this.#named.size >= blockLimits.stepCount) {
      for (const old of this.#named.values()) void disk.forget(old);
      this.#named.clear();
    }
    const cut = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
    file = disk.register({ root: path.slice(0, cut) || '/', path: path.slice(cut + 1) });
    this.#named.set(path, file);
    return file;
  }
}
