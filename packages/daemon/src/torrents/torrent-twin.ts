/** A v2 or hybrid torrent of the files that a v1 torrent has brought, to be shared beside it. */
import { basename, dirname, join } from 'node:path';
import type { AddTorrent, BittorrentApi } from '@tequio/api';
import { NodeError } from '@tequio/kernel';
import type { BookEntry } from './torrent-book.ts';

type Engine = Pick<BittorrentApi, 'exportTorrent' | 'show' | 'files' | 'create'>;

/** The smallest piece of v2. */
const pieceBytesMin = 16_384;

/**
 * Reads all content, and names the same files under the names that they have on the disk.
 * @throws NodeError `TWIN_INCOMPLETE`, `TWIN_VERSION`, `TWIN_NAMES`, and as the engine's `create`
 */
export async function twinOf(
  { id, note, row }: BookEntry,
  version: 'v2' | 'hybrid',
  engine: Engine,
): Promise<AddTorrent> {
  const bytes = engine.exportTorrent(id);
  if (bytes === null || row.havePieceCount < row.pieceCount)
    throw twinError('INCOMPLETE', 'Only a torrent all of whose files are there can have a twin.');
  if (row.infoHashV2 !== null)
    throw twinError('VERSION', 'This torrent is of version 2 already, and needs no twin.');
  const shown = engine.show({ torrent: bytes });
  const paths = engine.files(id).flatMap(({ path, pad }) => (pad ? [] : [path]));
  const isSingle = shown.files.filter(({ pad }) => !pad)[0]?.path.includes('/') === false;
  const { path, files } = isSingle ? { path: paths[0]!, files: [] } : commonFolder(paths);
  const { pieceBytes } = shown;
  const torrent = await engine.create({
    path: join(row.folder, path),
    ...(isSingle ? {} : { files }),
    version,
    pieceBytes: pieceBytes >= pieceBytesMin && Number.isInteger(Math.log2(pieceBytes)) ? pieceBytes : null,
    trackers: shown.trackers,
    webSeeds: path === shown.name ? shown.webSeeds : [],
    private: shown.private,
    source: shown.source,
    comment: shown.comment,
  });
  return {
    source: { torrent },
    folder: dirname(join(row.folder, path)),
    seed: true,
    category: note.category,
    tags: note.tags,
    name: row.name === shown.name ? basename(path) : row.name,
  };
}

/** The folder of all files, and their paths below it. */
function commonFolder(paths: readonly string[]): {
  readonly path: string;
  readonly files: readonly string[];
} {
  const path = paths[0]!.split('/')[0]!;
  if (paths.some((one) => !one.startsWith(`${path}/`)))
    throw twinError('NAMES', 'The files do not lie in one folder any more, as those of a torrent must.');
  return { path, files: paths.map((one) => one.slice(path.length + 1)) };
}

function twinError(what: 'INCOMPLETE' | 'VERSION' | 'NAMES', message: string): NodeError {
  return new NodeError(`TWIN_${what}`, message, { op: 'twin' });
}
