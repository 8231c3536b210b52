/**
 * Makes a torrent of a file or folder: one read of the content on all the disk port's threads, whatever the
 * version.
 *
 * Symbolic links, devices and pipes in the folder are left out: a link may lead anywhere, and what it leads
 * to inside the folder is there already. The content must not change meanwhile; sizes and times are compared
 * before and after.
 */
import {
  assert,
  type DigestRequest,
  type DiskPort,
  type DiskResult,
  type FileId,
  type FilesPort,
  type Hashes,
  NodeError,
  type Result,
} from '@tequio/kernel';
import type { ChunkHashing, CreateOptions, Progress } from '../contract.ts';
import { assembleTorrent, CreationHashes, type CreationPlan, planCreation } from '../core/creation.ts';
import { decodeMetainfo } from '../wire/metainfo.ts';
import type { TorrentInfo } from '../wire/torrent-info.ts';
import { type CheckJob, forEachAtOnce, forgetsAtOnce, runChecks, statsAtOnce } from './check-runner.ts';
import { plainPath, trySplitPath } from './content-path.ts';

export type CreatorPorts = {
  readonly disk: DiskPort;
  readonly files: FilesPort;
  readonly hashes: Hashes;
};

type SourceFile = {
  /** Relative to `root`. */
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly executable: boolean;
};

type Source = {
  readonly name: string;
  readonly isSingle: boolean;
  readonly root: string;
  readonly files: readonly SourceFile[];
};

/** A torrent file, and what its content was when it was read. */
export type MadeTorrent = {
  readonly bytes: Uint8Array;
  readonly info: TorrentInfo;
  /** In which the content lies. */
  readonly folder: string;
  /** When the file was changed last; null: a pad. */
  modifiedMsOf(file: TorrentInfo['files'][number]): number | null;
};

/**
 * The bytes of a torrent file for `options.path` (absolute). The same content and options give the same
 * bytes.
 * @throws NodeError `BITTORRENT_CREATE_EMPTY`, `_NAME`, `_PIECE_SIZE`, `_URL`, `_SIMILAR`, `_PATH`, `_CHANGED`, `_READ`;
 * `BITTORRENT_ABORTED`; `FILE_*` and `DISK_*` of the ports
 */
export async function createTorrent(
  options: CreateOptions,
  ports: CreatorPorts,
  onProgress?: (progress: Progress) => void,
  signal?: AbortSignal,
): Promise<MadeTorrent> {
  const source = withOnly(await readSource(plainPath(options.path), ports), options.files ?? null);
  const plan = unwrapped(
    planCreation({
      name: source.name,
      isSingle: source.isSingle,
      files: source.files,
      version: options.version,
      pieceBytes: options.pieceBytes ?? null,
      chunkBytes: options.chunks?.bytes ?? null,
    }),
  );
  const chunks = options.chunks ?? null;
  const collected = await hashSource(plan, source, ports.disk, chunks, onProgress, signal);
  const { bytes, info } = finishTorrent(plan, collected, options, ports.hashes);
  const modified = new Map(source.files.map(({ path, modifiedMs }) => [path, modifiedMs]));
  return {
    bytes,
    info,
    folder: source.isSingle ? source.root : source.root.slice(0, -source.name.length - 1) || '/',
    modifiedMsOf: ({ path, pad }) =>
      pad ? null : (modified.get(source.isSingle ? path : path.slice(source.name.length + 1)) ?? null),
  };
}

/** @throws NodeError `BITTORRENT_CREATE_URL`, `BITTORRENT_CREATE_SIMILAR` */
export function finishTorrent(
  plan: CreationPlan,
  collected: CreationHashes,
  options: Omit<CreateOptions, 'path' | 'version'>,
  hashes: Hashes,
): { readonly bytes: Uint8Array; readonly info: TorrentInfo } {
  const text = {
    trackers: options.trackers ?? [],
    webSeeds: options.webSeeds ?? [],
    private: options.private ?? false,
    source: options.source ?? null,
    similar: options.similar ?? [],
    collections: options.collections ?? [],
    comment: options.comment ?? null,
    createdBy: options.createdBy ?? null,
    createdAt: options.createdAt ?? null,
  };
  const bytes = unwrapped(assembleTorrent(plan, collected, text, hashes));
  const readBack = decodeMetainfo(bytes, hashes);
  assert(readBack.ok && readBack.value.info.nameChanges.length === 0, 'what we create we can read');
  return { bytes, info: readBack.value.info };
}

export function unwrapped<Value>(result: Result<Value>): Value {
  if (result.ok) return result.value;
  throw new NodeError(result.fault.code, result.fault.message, { op: 'create' });
}

async function readSource(path: string, { disk, files }: CreatorPorts): Promise<Source> {
  const split = trySplitPath(path);
  const kind = split === null ? null : await files.kind(path);
  if (split === null || kind === 'link' || kind === 'other')
    throw new NodeError('BITTORRENT_CREATE_PATH', `"${path}" is neither a file nor a folder with a name.`, {
      op: 'create',
      data: { path },
    });
  if (kind === null)
    throw new NodeError('FILE_MISSING', `"${path}" does not exist.`, { op: 'create', data: { path } });
  if (kind === 'folder') {
    const walked = await files.walk(path);
    return { name: split.name, isSingle: false, root: path, files: walked.files };
  }
  const id = disk.register({ root: split.folder, path: split.name });
  const stat = await disk.stat(id).finally(() => disk.forget(id));
  if (stat === null) throw changed(split.name);
  const file = { path: split.name, bytes: stat.bytes, modifiedMs: stat.modifiedMs, executable: false };
  return { name: split.name, isSingle: true, root: split.folder, files: [file] };
}

/** @throws NodeError `FILE_MISSING` */
function withOnly(source: Source, paths: readonly string[] | null): Source {
  if (paths === null || source.isSingle) return source;
  const byPath = new Map(source.files.map((file) => [file.path, file]));
  const files = paths.map((path) => {
    const file = byPath.get(path);
    if (file !== undefined) return file;
    throw new NodeError('FILE_MISSING', `"${path}" does not exist in "${source.root}".`, { op: 'create' });
  });
  return { ...source, files };
}

async function hashSource(
  plan: CreationPlan,
  source: Source,
  disk: DiskPort,
  chunks: ChunkHashing | null,
  onProgress?: (progress: Progress) => void,
  signal?: AbortSignal,
): Promise<CreationHashes> {
  const sourceByPath = new Map(source.files.map((file) => [file.path, file]));
  const ids = plan.listed.map((file): FileId | null =>
    file.pad ? null : disk.register({ root: source.root, path: file.elements.join('/') }),
  );
  try {
    const collected = new CreationHashes(plan);
    let doneBytes = 0;
    const handleResult = (piece: number, result: DiskResult, job: CheckJob): void => {
      if (!result.ok) throw readError(result.fault.code, result.fault.message);
      collected.handlePiece(piece, result.digests?.sha1 ?? null, result.digests?.root ?? null);
      const digests = result.digests?.sha256;
      const span = digests === undefined ? undefined : plan.layout.pieceOf(piece).spans[0];
      if (span?.file != null)
        chunks?.onChunks(plan.listed[span.file]!.elements.join('/'), span.offset, digests!);
      for (const span of job.spans) if (span.file !== null) doneBytes += span.bytes;
      onProgress?.({ doneBytes, totalBytes: plan.contentBytes });
    };
    const { layout } = plan;
    await runChecks(
      disk,
      layout.pieceCount,
      (piece) => jobOf(plan, ids, piece, chunks?.bytes ?? null),
      handleResult,
      signal,
    );
    await forEachAtOnce(plan.listed, statsAtOnce, async (file, index) => {
      const id = ids[index] ?? null;
      if (id === null) return;
      const path = file.elements.join('/');
      const before = sourceByPath.get(path)!;
      const after = await disk.stat(id);
      if (after?.bytes !== before.bytes || after.modifiedMs !== before.modifiedMs) throw changed(path);
    });
    return collected;
  } finally {
    await forEachAtOnce(ids, forgetsAtOnce, async (id) => {
      if (id !== null) await disk.forget(id);
    });
  }
}

function jobOf(
  plan: CreationPlan,
  ids: readonly (FileId | null)[],
  piece: number,
  chunkBytes: number | null,
): CheckJob {
  const { spans, bytes, tree } = plan.layout.pieceOf(piece);
  return {
    kind: 'check',
    bytes,
    spans: spans.map((span) => ({ ...span, file: span.file === null ? null : ids[span.file]! })),
    digest: {
      ...digestOf(plan, tree),
      // A file begins with a piece, and so nothing but padding comes after its bytes.
      ...(chunkBytes === null ? null : { sha256Ranges: chunkRanges(spans[0]!.bytes, chunkBytes) }),
    },
  };
}

/** What is hashed of a piece. */
export function digestOf(
  { version }: CreationPlan,
  tree: { readonly leafCount: number; readonly bytes: number } | null,
): DigestRequest {
  return {
    sha1: version !== 'v2',
    merkle: tree === null ? null : { leafCount: tree.leafCount, bytes: tree.bytes },
    stream: null,
    expect: null,
  };
}

function chunkRanges(bytes: number, chunkBytes: number): number[] {
  const ranges: number[] = [];
  for (let at = 0; at < bytes; at += chunkBytes) ranges.push(at, Math.min(at + chunkBytes, bytes));
  return ranges;
}

function readError(code: string, message: string): NodeError {
  // Shorter than the walk found it, or gone.
  if (code === 'missing')
    return new NodeError('BITTORRENT_CREATE_CHANGED', `The content changed: ${message}`, { op: 'create' });
  return new NodeError('BITTORRENT_CREATE_READ', message, { op: 'create', data: { reason: code } });
}

function changed(path: string): NodeError {
  return new NodeError('BITTORRENT_CREATE_CHANGED', `"${path}" changed while it was read: try again.`, {
    op: 'create',
    retry: true,
    data: { path },
  });
}
