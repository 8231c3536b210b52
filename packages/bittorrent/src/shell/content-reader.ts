/**
 * Reads a file of a torrent from front to back while it is downloaded, as a player does: pieces that are not there are
 * given deadlines, some ahead of the reader, and waited for.
 *
 *   reader at ──┐ deadlines for the next `aheadBytes`
 *   [had][had][ ][ ][ ][ ] ...                      a piece is read once it is verified and written
 */
import { type DiskPort, NodeError } from '@tequio/kernel';
import type { TorrentSession } from './torrent-session.ts';

export const contentReaderLimits = {
  /** Read from the disk at once. */
  readBytesMax: 256 * 1024,
  /** Pieces that have a deadline before the reader is there. */
  aheadBytes: 8 << 20,
  aheadPieceCountMax: 64,
  /** Between the deadlines of two pieces. */
  deadlineStepMs: 200,
} as const;

export type ContentReaderDeps = {
  readonly disk: DiskPort;
  /** Calls back whenever the torrent may have come further; ends when the returned function is called. */
  readonly watch: (listener: () => void) => () => void;
  /** False: it was removed, or the node ends. */
  readonly isThere: () => boolean;
};

export type ContentRange = { readonly file: number; readonly offset: number; readonly length: number };

/** @throws NodeError `BITTORRENT_FILE_RANGE`, `BITTORRENT_READ`, `BITTORRENT_NO_TORRENT`; the signal's reason */
export async function* readContent(
  session: TorrentSession,
  range: ContentRange,
  deps: ContentReaderDeps,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { pieceBytes } = session.storage!.info;
  const { offset: fileStart } = session.storage!.info.files[range.file]!;
  const end = fileStart + range.offset + range.length;
  const ahead = new Deadlines(session, Math.floor((end - 1) / pieceBytes));
  try {
    for (let at = fileStart + range.offset; at < end; ) {
      signal?.throwIfAborted();
      const piece = Math.floor(at / pieceBytes);
      ahead.wish(piece);
      await untilHad(session, piece, deps, signal);
      const bytes = Math.min(contentReaderLimits.readBytesMax, end - at, (piece + 1) * pieceBytes - at);
      const content = await load(session, piece, at - piece * pieceBytes, bytes, deps.disk);
      at += bytes;
      yield content;
    }
  } finally {
    ahead.takeBack();
  }
}

/** The deadlines that one reader has given, and takes back when it ends. */
class Deadlines {
  readonly #session: TorrentSession;
  readonly #last: number;
  readonly #countMax: number;
  readonly #given = new Set<number>();

  constructor(session: TorrentSession, last: number) {
    this.#session = session;
    this.#last = last;
    const { aheadBytes, aheadPieceCountMax } = contentReaderLimits;
    const count = Math.ceil(aheadBytes / session.storage!.info.pieceBytes);
    this.#countMax = Math.min(aheadPieceCountMax, Math.max(2, count));
  }

  /** The reader needs this piece now, and those behind it soon. */
  wish(piece: number): void {
    const have = this.#session.torrent.content?.picker.have;
    for (let step = 0; step < this.#countMax && piece + step <= this.#last; step++) {
      const one = piece + step;
      if (have?.has(one) === true || this.#given.has(one)) continue;
      this.#given.add(one);
      this.#session.wants.setPieceDeadline(one, step * contentReaderLimits.deadlineStepMs);
    }
  }

  takeBack(): void {
    const have = this.#session.torrent.content?.picker.have;
    for (const piece of this.#given)
      if (have?.has(piece) === false) this.#session.wants.setPieceDeadline(piece, null);
  }
}

/** Until the piece is verified and written, and nothing doubts it. */
function untilHad(
  session: TorrentSession,
  piece: number,
  deps: ContentReaderDeps,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let leave = (): void => {};
    const look = (): void => {
      if (signal?.aborted === true) end(() => reject(signal.reason));
      else if (!deps.isThere())
        end(() => reject(new NodeError('BITTORRENT_NO_TORRENT', 'The torrent was removed.')));
      else if (session.torrent.content?.picker.have.has(piece) === true) end(resolve);
    };
    const end = (settle: () => void): void => {
      leave();
      signal?.removeEventListener('abort', look);
      settle();
    };
    leave = deps.watch(look);
    signal?.addEventListener('abort', look);
    look();
  });
}

function load(
  session: TorrentSession,
  piece: number,
  offset: number,
  bytes: number,
  disk: DiskPort,
): Promise<Uint8Array> {
  const spans = session.trySpansToLoad(piece, offset, bytes);
  if (spans === null) return Promise.reject(readError('These bytes were never stored.'));
  const slab = disk.allocateSlab(bytes);
  return new Promise((resolve, reject) => {
    disk.submit({ kind: 'load', slab, slabOffset: 0, bytes, spans }, (result) => {
      const content = slab.bytes.slice(0, bytes);
      disk.freeSlab(slab);
      if (result.ok) resolve(content);
      else reject(readError(result.fault.message));
    });
    disk.flush();
  });
}

function readError(message: string): NodeError {
  return new NodeError('BITTORRENT_READ', message, { retry: true });
}
