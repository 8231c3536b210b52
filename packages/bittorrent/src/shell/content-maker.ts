/**
 * Makes a torrent of content that comes as a stream from elsewhere, and the files that it is shared from: each piece
 * is hashed and written in one go, and nothing is read back.
 */
import {
  type DiskPort,
  type FileId,
  type FilesPort,
  type Hashes,
  NodeError,
  type Slab,
} from '@tequio/kernel';
import type { OfferedContent, Progress } from '../contract.ts';
import { CreationHashes, type CreationPlan, planCreation } from '../core/creation.ts';
import { aborted, forEachAtOnce, forgetsAtOnce } from './check-runner.ts';
import { joinPath } from './content-path.ts';
import { digestOf, finishTorrent, type MadeTorrent, unwrapped } from './creator.ts';

export type ContentMakerPorts = {
  readonly disk: DiskPort;
  readonly files: Pick<FilesPort, 'kind'>;
  readonly hashes: Hashes;
};

/**
 * @throws NodeError `BITTORRENT_CREATE_EXISTS`, `_EMPTY`, `_NAME`, `_PIECE_SIZE`, `_CHANGED` (a stream of another
 * length), `BITTORRENT_ABORTED`; `DISK_*`; as the streams do. What was written is then removed
 */
export async function makeContent(
  content: OfferedContent,
  folder: string,
  ports: ContentMakerPorts,
  onProgress?: (progress: Progress) => void,
  signal?: AbortSignal,
): Promise<MadeTorrent> {
  const { name, isSingle, options } = content;
  const plan = unwrapped(
    planCreation({
      name,
      isSingle,
      files: content.files.map(({ path, bytes }) => ({ path, bytes, executable: false })),
      version: options.version,
      pieceBytes: options.pieceBytes ?? null,
    }),
  );
  if ((await ports.files.kind(joinPath(folder, name))) !== null)
    throw new NodeError('BITTORRENT_CREATE_EXISTS', `"${joinPath(folder, name)}" exists already.`, {
      op: 'create',
    });
  const maker = new ContentMaker(plan, content, folder, ports.disk, signal ?? null);
  try {
    const collected = await maker.run(onProgress);
    const { bytes, info } = finishTorrent(plan, collected, options, ports.hashes);
    const modified = await maker.times();
    return { bytes, info, folder, modifiedMsOf: ({ index }) => modified[index] ?? null };
  } catch (error) {
    await maker.remove();
    throw error;
  } finally {
    await maker.close();
  }
}

class ContentMaker {
  readonly #plan: CreationPlan;
  readonly #content: OfferedContent;
  readonly #disk: DiskPort;
  readonly #signal: AbortSignal | null;
  readonly #ids: readonly (FileId | null)[];
  readonly #collected: CreationHashes;
  readonly #underWay = new Set<Promise<void>>();
  /** Of a piece that was given away. */
  #failure: { readonly error: unknown } | null = null;
  #stream: { readonly file: number; readonly parts: AsyncIterator<Uint8Array>; rest: Uint8Array } | null =
    null;

  constructor(
    plan: CreationPlan,
    content: OfferedContent,
    folder: string,
    disk: DiskPort,
    signal: AbortSignal | null,
  ) {
    this.#plan = plan;
    this.#content = content;
    this.#disk = disk;
    this.#signal = signal;
    this.#collected = new CreationHashes(plan);
    this.#ids = plan.files.map(({ pad, path }) => (pad ? null : disk.register({ root: folder, path })));
  }

  async run(onProgress?: (progress: Progress) => void): Promise<CreationHashes> {
    const { layout, contentBytes } = this.#plan;
    let doneBytes = 0;
    try {
      for (let piece = 0; piece < layout.pieceCount; piece++) {
        if (this.#signal?.aborted === true) throw aborted();
        this.#throwIfFailed();
        doneBytes += await this.#send(piece);
        onProgress?.({ doneBytes, totalBytes: contentBytes });
      }
      await this.#endStream();
    } finally {
      await Promise.allSettled(this.#underWay);
      await this.#stream?.parts.return?.();
    }
    this.#throwIfFailed();
    for (const [index, { bytes }] of this.#plan.files.entries()) {
      const id = this.#ids[index];
      if (id != null && bytes === 0) await this.#disk.allocate(id, 0, 'sparse');
    }
    return this.#collected;
  }

  async times(): Promise<readonly (number | null)[]> {
    const times: (number | null)[] = [];
    for (const id of this.#ids)
      times.push(id === null ? null : ((await this.#disk.stat(id))?.modifiedMs ?? null));
    return times;
  }

  async remove(): Promise<void> {
    for (const id of this.#ids) if (id !== null) await this.#disk.remove(id).catch(() => undefined);
  }

  async close(): Promise<void> {
    await forEachAtOnce(this.#ids, forgetsAtOnce, async (id) => {
      if (id !== null) await this.#disk.forget(id);
    });
  }

  /** Reads a piece, and gives it away to be hashed and written. @returns bytes of files in it */
  async #send(piece: number): Promise<number> {
    const { spans, bytes, tree } = this.#plan.layout.pieceOf(piece);
    const slab = this.#disk.allocateSlab(bytes);
    let [at, contentBytes] = [0, 0];
    try {
      for (const span of spans) {
        if (span.file === null) slab.copyFrom(new Uint8Array(span.bytes), 0, span.bytes, at);
        else {
          await this.#fill(slab, at, span.file, span.bytes);
          contentBytes += span.bytes;
        }
        at += span.bytes;
      }
    } catch (error) {
      this.#disk.freeSlab(slab);
      throw error;
    }
    const places = spans.map((span) => ({
      ...span,
      file: span.file === null ? null : this.#ids[span.file]!,
    }));
    const work = this.#store(piece, slab, bytes, places, tree).finally(() => this.#underWay.delete(work));
    work.catch((error: unknown) => void (this.#failure ??= { error }));
    this.#underWay.add(work);
    if (this.#underWay.size > this.#disk.threadCount)
      await Promise.race([...this.#underWay].map((one) => one.catch(() => undefined)));
    return contentBytes;
  }

  async #store(
    piece: number,
    slab: Slab,
    bytes: number,
    spans: readonly { readonly file: FileId | null; readonly offset: number; readonly bytes: number }[],
    tree: Parameters<typeof digestOf>[1],
  ): Promise<void> {
    const digest = digestOf(this.#plan, tree);
    await new Promise<void>((resolve, reject) => {
      this.#disk.submit({ kind: 'store', slab, slabOffset: 0, bytes, spans, digest }, (result) => {
        this.#disk.freeSlab(slab);
        if (!result.ok) {
          reject(new NodeError('DISK_FAILED', result.fault.message, { op: 'create' }));
          return;
        }
        this.#collected.handlePiece(piece, result.digests?.sha1 ?? null, result.digests?.root ?? null);
        resolve();
      });
      this.#disk.flush();
    });
  }

  /** The file's next bytes; files come one after the other. */
  async #fill(slab: Slab, from: number, file: number, bytes: number): Promise<void> {
    if (this.#stream?.file !== file) {
      await this.#endStream();
      const path = this.#plan.listed[file]!.elements.join('/');
      const parts = this.#content.read(path)[Symbol.asyncIterator]();
      this.#stream = { file, parts, rest: new Uint8Array(0) };
    }
    const stream = this.#stream!;
    for (let at = from; at < from + bytes; ) {
      if (stream.rest.length === 0) {
        const next = await stream.parts.next();
        if (next.done === true) throw this.#changed(file);
        stream.rest = next.value;
      }
      const count = Math.min(from + bytes - at, stream.rest.length);
      slab.copyFrom(stream.rest, 0, count, at);
      stream.rest = stream.rest.subarray(count);
      at += count;
    }
  }

  #throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  async #endStream(): Promise<void> {
    const stream = this.#stream;
    if (stream === null) return;
    if (stream.rest.length > 0 || (await stream.parts.next()).done !== true) throw this.#changed(stream.file);
    this.#stream = null;
  }

  #changed(file: number): NodeError {
    const { path } = this.#plan.files[file]!;
    return new NodeError(
      'BITTORRENT_CREATE_CHANGED',
      `"${path}" has another length than it was said to have.`,
      {
        op: 'create',
      },
    );
  }
}
