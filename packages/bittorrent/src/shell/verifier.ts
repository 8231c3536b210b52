/** Checks content on the disk against a torrent: every byte is read once, on all the disk port's threads. */
import {
  type DiskPort,
  type DiskResult,
  type FileId,
  type FilesPort,
  type Hashes,
  NodeError,
} from '@tequio/kernel';
import type { Progress, VerifyReport } from '../contract.ts';
import { type FoundFile, Verification } from '../core/verification.ts';
import type { Metainfo, TorrentInfo } from '../wire/torrent-info.ts';
import { type CheckJob, forEachAtOnce, forgetsAtOnce, runChecks, statsAtOnce } from './check-runner.ts';
import { joinPath, plainPath, trySplitPath } from './content-path.ts';

/** Files that are looked for to tell which of two folders is meant. */
const probeCountMax = 20;

export type VerifierPorts = {
  readonly disk: DiskPort;
  readonly files: FilesPort;
  readonly hashes: Hashes;
};

/**
 * @param path the content itself (a file under any name, or the torrent's folder under any name), or the
 * folder that holds it
 * @throws NodeError `FILE_MISSING` when nothing is at `path`, `BITTORRENT_ABORTED`
 */
export async function verifyTorrent(
  metainfo: Pick<Metainfo, 'info' | 'pieceLayers'>,
  path: string,
  ports: VerifierPorts,
  onProgress?: (progress: Progress) => void,
  signal?: AbortSignal,
): Promise<VerifyReport> {
  const { info } = metainfo;
  const place = await findContent(info, plainPath(path), ports.files);
  const { disk } = ports;
  const ids = info.files.map((file): FileId | null =>
    file.pad || file.symlink !== null
      ? null
      : disk.register({ root: place.root, path: place.pathOf(file.path) }),
  );
  try {
    const found: FoundFile[] = info.files.map(() => ({ kind: 'missing' }));
    await forEachAtOnce(ids, statsAtOnce, async (id, index) => {
      if (id !== null) found[index] = await lookAt(disk, id);
    });
    const verification = new Verification(metainfo, found, ports.hashes);
    await checkPieces(verification, ids, disk, onProgress, signal);
    return verification.report();
  } finally {
    await forEachAtOnce(ids, forgetsAtOnce, async (id) => {
      if (id !== null) await disk.forget(id);
    });
  }
}

async function checkPieces(
  verification: Verification,
  ids: readonly (FileId | null)[],
  disk: DiskPort,
  onProgress?: (progress: Progress) => void,
  signal?: AbortSignal,
): Promise<void> {
  const indexById = new Map(ids.map((id, index) => [id, index]));
  const totalBytes = verification.contentBytes;
  let doneBytes = 0;
  const advance = (spans: readonly { readonly file: unknown; readonly bytes: number }[]): void => {
    for (const span of spans) if (span.file !== null) doneBytes += span.bytes;
    onProgress?.({ doneBytes, totalBytes });
  };
  const jobAt = (piece: number): CheckJob | null => {
    const job = verification.tryJobOf(piece);
    if (job === null) {
      advance(verification.layout.pieceOf(piece).spans);
      return null;
    }
    const spans = job.piece.spans.map((span) => ({
      ...span,
      file: span.file === null ? null : ids[span.file]!,
    }));
    return { kind: 'check', bytes: job.piece.bytes, spans, digest: job.digest };
  };
  const handleResult = (piece: number, result: DiskResult, job: CheckJob): void => {
    const faultFile =
      result.ok || result.fault.file === null ? null : (indexById.get(result.fault.file) ?? null);
    verification.handleResult(piece, result, faultFile);
    advance(job.spans);
  };
  await runChecks(disk, verification.layout.pieceCount, jobAt, handleResult, signal);
}

async function lookAt(disk: DiskPort, id: FileId): Promise<FoundFile> {
  try {
    const stat = await disk.stat(id);
    return stat === null ? { kind: 'missing' } : { kind: 'file', bytes: stat.bytes };
  } catch (error) {
    if (!(error instanceof NodeError)) throw error;
    return { kind: error.code === 'DISK_NOT_A_FILE' ? 'not-a-file' : 'unreadable' };
  }
}

/** Where the content lies; `pathOf` makes a path below `root` of a path in the torrent. */
type Place = { readonly root: string; readonly isFolder: boolean; readonly pathOf: (path: string) => string };

async function findContent(info: TorrentInfo, path: string, files: FilesPort): Promise<Place> {
  const kind = await files.kind(path);
  if (kind === null)
    throw new NodeError('FILE_MISSING', `"${path}" does not exist.`, { op: 'verify', data: { path } });
  const isSingle = info.files.find((file) => !file.pad)?.path.includes('/') === false;
  if (isSingle) {
    const split = kind === 'folder' ? null : trySplitPath(path);
    return split === null
      ? { root: path, isFolder: false, pathOf: (inside) => inside }
      : { root: split.folder, isFolder: false, pathOf: () => split.name };
  }
  const inside = joinPath(path, info.name);
  const isInside = (await countFound(info, inside, files)) >= (await countFound(info, path, files));
  return { root: isInside ? inside : path, isFolder: true, pathOf: withoutFolder };
}

function withoutFolder(path: string): string {
  return path.slice(path.indexOf('/') + 1);
}

/** How many of the first files lie in `folder`: a folder may hold another of the same name. */
async function countFound(info: TorrentInfo, folder: string, files: FilesPort): Promise<number> {
  const probes = info.files.filter((file) => !file.pad && file.symlink === null).slice(0, probeCountMax);
  const kinds = await Promise.all(
    probes.map((file) => files.kind(joinPath(folder, withoutFolder(file.path)))),
  );
  return kinds.filter((kind) => kind !== null).length;
}
