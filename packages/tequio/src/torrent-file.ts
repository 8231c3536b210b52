import { Readable } from 'node:stream';
import type { BittorrentApi, FileSnapshot, TorrentId } from '@tequio/bittorrent/contract';

/** Bytes from `start` to `end`, both included, as in an HTTP range; by default all. */
export type ReadRange = { readonly start?: number; readonly end?: number };

/**
 * A file of a torrent. It can be read before it is there: reading asks for the pieces that are needed next, and waits
 * for them. Only verified bytes come out.
 */
export class TorrentFile {
  readonly #engine: BittorrentApi;
  readonly #torrent: TorrentId;
  readonly #index: number;
  #known: FileSnapshot;

  /** @internal */
  constructor(engine: BittorrentApi, torrent: TorrentId, snapshot: FileSnapshot) {
    this.#engine = engine;
    this.#torrent = torrent;
    this.#index = snapshot.index;
    this.#known = snapshot;
  }

  /** Without its folders. */
  get name(): string {
    return this.path.slice(this.path.lastIndexOf('/') + 1);
  }

  /** Below the torrent's folder, with `/`. */
  get path(): string {
    return this.#snapshot().path;
  }

  /** Bytes. */
  get length(): number {
    return this.#known.bytes;
  }

  /** Verified bytes. */
  get downloaded(): number {
    return this.#snapshot().doneBytes;
  }

  /** 0 to 1. */
  get progress(): number {
    return this.length === 0 ? 1 : this.downloaded / this.length;
  }

  /** @param priority 1 to 7; 4 is normal */
  select(priority = 4): Promise<void> {
    return this.#engine.setFilePriority(this.#torrent, [this.#index], priority);
  }

  /** This file is not wanted, until it is selected or read. */
  deselect(): Promise<void> {
    return this.#engine.setFilePriority(this.#torrent, [this.#index], 0);
  }

  /** A Node.js stream. Ended early, it stops asking for pieces. @throws RangeError when the range is not in the file */
  createReadStream(range: ReadRange = {}): Readable {
    return Readable.from(this.#read(range), { objectMode: false });
  }

  /** A web stream. @throws RangeError when the range is not in the file */
  stream(range: ReadRange = {}): ReadableStream<Uint8Array> {
    return ReadableStream.from(this.#read(range)) as ReadableStream<Uint8Array>;
  }

  /** The whole file in memory. */
  async arrayBuffer(range: ReadRange = {}): Promise<ArrayBuffer> {
    return new Response(this.stream(range)).arrayBuffer();
  }

  async blob(range: ReadRange = {}): Promise<Blob> {
    return new Blob([await this.arrayBuffer(range)]);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#read({})[Symbol.asyncIterator]();
  }

  #read({ start = 0, end = this.length - 1 }: ReadRange): AsyncIterable<Uint8Array> {
    const isWhole = Number.isSafeInteger(start) && Number.isSafeInteger(end);
    if (!isWhole || start < 0 || end >= this.length || start > end + 1) {
      throw new RangeError(`${this.name} has ${this.length} bytes: it has no bytes ${start} to ${end}.`);
    }
    return this.#engine.readContent(this.#torrent, this.#index, start, end - start + 1);
  }

  #snapshot(): FileSnapshot {
    this.#known = this.#engine.files(this.#torrent)[this.#index] ?? this.#known;
    return this.#known;
  }
}
