/**
 * The record of one torrent: what the user asked for and what was counted, without its content (that is
 * `ResumeProgress`) and without the torrent file itself. Bencoded, with a version; every list has a ceiling.
 *
 * Decoding never fails on what an older version wrote: a missing or odd field gets its default. It fails, as a value,
 * on what is no record at all or was written by a newer program.
 */
import { Bitfield, type Fault, failed, ok, type Result } from '@tequio/kernel';
import { type BencodeValue, decodeBencode, encodeBencode } from '../wire/bencode.ts';

export const resumeRecordLimits = {
  /** As many files as a torrent may have. */
  fileCountMax: 1_000_000,
  /** More trackers than any known torrent names. */
  trackerCountMax: 1000,
  webSeedCountMax: 1000,
  textBytesMax: 8192,
} as const;

export const resumeRecordVersion = 1;

/** To a folder, of some files to a folder, or of one file to a path below the present one. */
export type PendingMove =
  | { readonly folder: string }
  | { readonly folder: string; readonly files: readonly number[] }
  | { readonly file: number; readonly path: string };

/** Files that lie where the whole torrent will be when it is complete. */
export type FilesAhead = { readonly folder: string; readonly files: ReadonlySet<number> };

/** Bytes and files without pads. */
export type ContentSummary = {
  readonly private: boolean;
  readonly pieceBytes: number;
  readonly fileCount: number;
  readonly totalBytes: number;
  readonly wantedBytes: number;
};

export type ResumeRecord = {
  /** `TorrentId`: hex of the info-hash. */
  readonly id: string;
  readonly infoHashV1: Uint8Array | null;
  readonly infoHashV2: Uint8Array | null;
  readonly name: string;
  /** What the user calls it; null: by its own name. */
  readonly title: string | null;
  /** Null: none. */
  readonly category: string | null;
  /** Absolute. */
  readonly folder: string;
  /** 0 while the metadata is not known. */
  readonly pieceCount: number;
  /** What a list shows of the content; null while the metadata is not known. */
  readonly content: ContentSummary | null;
  /** One tier an array. */
  readonly trackers: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  /** The user has replaced the trackers, or the web seeds: what a torrent file names does not count. */
  readonly hasOwnTrackers: boolean;
  readonly hasOwnWebSeeds: boolean;
  /** Files that have another path than the torrent says. */
  readonly renamed: ReadonlyMap<number, string>;
  /** Where each file goes when it is complete; null: they stay together. */
  readonly filesFolder: string | null;
  /** Those that have gone. */
  readonly ahead: FilesAhead | null;
  /** One byte a file, 0 to 7; empty: all normal. */
  readonly filePriorities: Uint8Array;
  /** A move or renaming that was begun: it is ended at the next start, so that no file is looked for in vain. */
  readonly pendingMove: PendingMove | null;
  readonly paused: boolean;
  readonly sequential: boolean;
  /** First and last pieces of files before all others. */
  readonly edgesFirst: boolean;
  readonly superSeed: boolean;
  readonly preallocate: boolean;
  /** Bytes a second; null: no limit of its own. */
  readonly limitDown: number | null;
  readonly limitUp: number | null;
  readonly addedMs: number;
  readonly finishedMs: number | null;
  /** When content last went in or out; null: never. */
  readonly activeMs: number | null;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly wastedBytes: number;
};

export function encodeResumeRecord(record: ResumeRecord): Uint8Array {
  return encodeBencode({
    version: resumeRecordVersion,
    id: record.id,
    hash1: record.infoHashV1 ?? '',
    hash2: record.infoHashV2 ?? '',
    name: record.name,
    title: record.title ?? '',
    category: record.category ?? '',
    folder: record.folder,
    pieces: record.pieceCount,
    content: encodeSummary(record.content),
    trackers: record.trackers.map((tier) => [...tier]),
    seeds: [...record.webSeeds],
    'own trackers': Number(record.hasOwnTrackers),
    'own seeds': Number(record.hasOwnWebSeeds),
    renamed: [...record.renamed].map(([file, path]) => [file, path]),
    'files folder': record.filesFolder ?? '',
    ahead: record.ahead === null ? [] : [record.ahead.folder, encodeFiles(record.ahead.files)],
    priorities: record.filePriorities,
    moving: encodePendingMove(record.pendingMove),
    paused: Number(record.paused),
    sequential: Number(record.sequential),
    edges: Number(record.edgesFirst),
    super: Number(record.superSeed),
    preallocate: Number(record.preallocate),
    down: record.limitDown ?? -1,
    up: record.limitUp ?? -1,
    added: Math.round(record.addedMs),
    finished: record.finishedMs === null ? -1 : Math.round(record.finishedMs),
    active: record.activeMs === null ? -1 : Math.round(record.activeMs),
    downloaded: record.downloadedBytes,
    uploaded: record.uploadedBytes,
    wasted: record.wastedBytes,
  });
}

/** Faults: `BITTORRENT_RESUME_RECORD`, `BITTORRENT_RESUME_VERSION`, blame `file`. */
export function decodeResumeRecord(bytes: Uint8Array): Result<ResumeRecord> {
  const decoded = decodeBencode(bytes);
  if (!decoded.ok) return failed(recordFault(decoded.fault.message));
  const value = decoded.value;
  const version = value.getInteger('version');
  if (version === null) return failed(recordFault('It has no version.'));
  if (version > resumeRecordVersion) return failed(versionFault(version));
  const id = value.getText('id');
  const folder = value.getText('folder');
  if (id === null || !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(id) || folder === null) {
    return failed(recordFault('It has no id or no folder.'));
  }
  return ok({
    id,
    infoHashV1: hashOf(value, 'hash1', 20),
    infoHashV2: hashOf(value, 'hash2', 32),
    name: value.getText('name') ?? '',
    title: textOrNull(value, 'title'),
    category: textOrNull(value, 'category'),
    folder,
    pieceCount: countOf(value, 'pieces'),
    content: summaryOf(value.getItems('content')),
    trackers: tiersOf(value),
    webSeeds: textsOf(value.getItems('seeds'), resumeRecordLimits.webSeedCountMax),
    hasOwnTrackers: value.getInteger('own trackers') === 1,
    hasOwnWebSeeds: value.getInteger('own seeds') === 1,
    renamed: renamedOf(value),
    filesFolder: textOrNull(value, 'files folder'),
    ahead: aheadOf(value.getItems('ahead')),
    filePriorities: shortBytes(value, 'priorities', resumeRecordLimits.fileCountMax).map((p) =>
      Math.min(p, 7),
    ),
    pendingMove: pendingMoveOf(value.getItems('moving')),
    paused: value.getInteger('paused') === 1,
    sequential: value.getInteger('sequential') === 1,
    edgesFirst: value.getInteger('edges') === 1,
    superSeed: value.getInteger('super') === 1,
    preallocate: value.getInteger('preallocate') === 1,
    limitDown: orNull(value.getInteger('down')),
    limitUp: orNull(value.getInteger('up')),
    addedMs: countOf(value, 'added'),
    finishedMs: orNull(value.getInteger('finished')),
    activeMs: orNull(value.getInteger('active')),
    downloadedBytes: countOf(value, 'downloaded'),
    uploadedBytes: countOf(value, 'uploaded'),
    wastedBytes: countOf(value, 'wasted'),
  });
}

function recordFault(reason: string): Fault {
  const message = `What was remembered of a torrent cannot be read: ${reason}`;
  return { code: 'BITTORRENT_RESUME_RECORD', message, blame: 'file', penalty: 0 };
}

function versionFault(version: number): Fault {
  const message = `What was remembered of a torrent was written by a newer program (version ${version}).`;
  return { code: 'BITTORRENT_RESUME_VERSION', message, blame: 'file', penalty: 0 };
}

function hashOf(value: BencodeValue, key: string, length: number): Uint8Array | null {
  const bytes = value.getBytes(key);
  return bytes?.length === length ? bytes.slice() : null;
}

function countOf(value: BencodeValue, key: string): number {
  return Math.max(0, value.getInteger(key) ?? 0);
}

function orNull(number: number | null): number | null {
  return number === null || number < 0 ? null : number;
}

function textOrNull(value: BencodeValue, key: string): string | null {
  const text = value.getText(key);
  return text === null || text === '' || text.length > resumeRecordLimits.textBytesMax ? null : text;
}

function shortBytes(value: BencodeValue, key: string, bytesMax: number): Uint8Array {
  const bytes = value.getBytes(key);
  return bytes === null || bytes.length > bytesMax ? new Uint8Array(0) : bytes.slice();
}

function textsOf(items: readonly BencodeValue[] | null, countMax: number): string[] {
  const texts: string[] = [];
  for (const item of items ?? []) {
    const text = item.tryText();
    if (text !== null && text.length <= resumeRecordLimits.textBytesMax && texts.length < countMax)
      texts.push(text);
  }
  return texts;
}

function tiersOf(value: BencodeValue): string[][] {
  const tiers: string[][] = [];
  let left: number = resumeRecordLimits.trackerCountMax;
  for (const item of value.getItems('trackers') ?? []) {
    const tier = textsOf(item.tryItems(), left);
    left -= tier.length;
    if (tier.length > 0) tiers.push(tier);
  }
  return tiers;
}

function renamedOf(value: BencodeValue): Map<number, string> {
  const renamed = new Map<number, string>();
  for (const item of value.getItems('renamed') ?? []) {
    const pair = item.tryItems();
    const file = pair?.[0]?.tryInteger() ?? -1;
    const path = pair?.[1]?.tryText() ?? '';
    const sound = file >= 0 && file < resumeRecordLimits.fileCountMax && isSafePath(path);
    if (sound && renamed.size < resumeRecordLimits.fileCountMax) renamed.set(file, path);
  }
  return renamed;
}

function encodeSummary(content: ContentSummary | null): number[] {
  if (content === null) return [];
  return [
    Number(content.private),
    content.pieceBytes,
    content.fileCount,
    content.totalBytes,
    content.wantedBytes,
  ];
}

function summaryOf(items: readonly BencodeValue[] | null): ContentSummary | null {
  const numbers = items?.map((item) => item.tryInteger() ?? -1) ?? [];
  const [isPrivate, pieceBytes, fileCount, totalBytes, wantedBytes] = numbers;
  if (numbers.length !== 5 || numbers.some((number) => number < 0)) return null;
  return {
    private: isPrivate === 1,
    pieceBytes: pieceBytes!,
    fileCount: fileCount!,
    totalBytes: totalBytes!,
    wantedBytes: wantedBytes!,
  };
}

function encodePendingMove(move: PendingMove | null): (string | number | Uint8Array)[] {
  if (move === null) return [];
  if ('file' in move) return [move.file, move.path];
  return 'files' in move ? [move.folder, encodeFiles(new Set(move.files))] : [move.folder];
}

function pendingMoveOf(items: readonly BencodeValue[] | null): PendingMove | null {
  const ahead = aheadOf(items);
  if (ahead !== null) return { folder: ahead.folder, files: [...ahead.files] };
  const folder = items?.[0]?.tryText() ?? null;
  if (folder !== null) return { folder };
  const file = items?.[0]?.tryInteger() ?? -1;
  const path = items?.[1]?.tryText() ?? '';
  return file >= 0 && isSafePath(path) ? { file, path } : null;
}

/** A bit a file, as far as the last one. */
function encodeFiles(files: ReadonlySet<number>): Uint8Array {
  const last = [...files].reduce((most, file) => Math.max(most, file), -1);
  const bits = new Bitfield(last + 1);
  for (const file of files) bits.set(file);
  return bits.bytes;
}

function aheadOf(items: readonly BencodeValue[] | null): FilesAhead | null {
  const folder = items?.[0]?.tryText() ?? null;
  const bytes = items?.[1]?.tryBytes() ?? null;
  if (folder === null || bytes === null || bytes.length > resumeRecordLimits.fileCountMax / 8) return null;
  const bits = Bitfield.tryFromBytes(bytes, bytes.length * 8);
  if (bits === null) return null;
  const files = new Set<number>();
  for (let file = bits.nextSet(0); file >= 0; file = bits.nextSet(file + 1)) files.add(file);
  return { folder, files };
}

/** A path that cannot leave its folder: relative, with `/`, no empty element, `.` or `..`. */
export function isSafePath(path: string): boolean {
  if (path.length > resumeRecordLimits.textBytesMax || /[\0\\]/.test(path)) return false;
  return path.split('/').every((element) => element !== '' && element !== '.' && element !== '..');
}
