/**
 * A torrent that is complete and that nobody needs at present: a line of the list, and those who are told that it is
 * here. Its metainfo, its record and what proves its pieces are in the database; files, pieces, peers and limits it has
 * none. A node may have a hundred thousand of these.
 *
 *                    ┌──── complete and quiet for `restAfterMs` (TorrentSession.mayRest) ────┐
 *                    v                                                                       │
 *   restored ──> resting ── somebody connects, or is named who may want it; a wish ──> awake (TorrentSession)
 *   or added
 *
 * Nothing that is promised changes by resting: it is found, served and shown as before. What the record claims is held
 * against the files once before it is announced (`isAsRemembered`), and again whenever it wakes.
 */
import type { DiskPort, Endpoint, Hashes } from '@tequio/kernel';
import { toHex } from '@tequio/kernel';
import type { BittorrentEvent, FileSnapshot, TorrentId, TorrentRow, TorrentState } from '../contract.ts';
import type { ResumeRecord } from '../core/resume-record.ts';
import type { StoredTorrent } from './resume-store.ts';
import { tryReadTorrent } from './source-reading.ts';
import type { AnnouncesHost, TorrentAnnounces } from './torrent-announces.ts';
import { partRefOf, TorrentFiles } from './torrent-files.ts';
import type { TorrentSession } from './torrent-session.ts';

export type RestingDeps = {
  /** Why the node cannot send anything at present, or null. */
  readonly lineTrouble: () => string | null;
  /** resting -> awake. */
  readonly wake: (torrent: TorrentId) => TorrentSession;
  readonly emit: (event: BittorrentEvent) => void;
};

export class RestingTorrent implements AnnouncesHost {
  readonly id: TorrentId;
  readonly announces: TorrentAnnounces;
  readonly #deps: RestingDeps;
  #row: TorrentRow;

  constructor(row: TorrentRow, announces: TorrentAnnounces, deps: RestingDeps) {
    this.id = row.id;
    this.announces = announces;
    this.#row = row;
    this.#deps = deps;
    announces.attach(this);
  }

  get name(): string {
    return this.#row.name;
  }

  get isPaused(): boolean {
    return this.#row.state === 'paused';
  }

  get row(): TorrentRow {
    const { seedCount: swarmSeedCount, leechCount: swarmLeechCount } = this.announces.swarm;
    const { trackerHost } = this.announces;
    const row = this.#row;
    const isSame =
      row.swarmSeedCount === swarmSeedCount &&
      row.swarmLeechCount === swarmLeechCount &&
      row.trackerHost === trackerHost;
    if (!isSame) this.#row = { ...row, swarmSeedCount, swarmLeechCount, trackerHost };
    const error = this.isPaused ? null : this.#deps.lineTrouble();
    return error === null
      ? this.#row
      : { ...this.#row, state: 'error', error, errorCode: 'BITTORRENT_LINE_DOWN' };
  }

  /** It was changed in its record. */
  set row(row: TorrentRow) {
    this.#row = row;
  }

  get state(): TorrentState {
    return this.row.state;
  }

  // What the announces ask and tell.

  readonly uploadedBytes = 0;
  readonly downloadedBytes = 0;
  readonly leftBytes = 0;
  readonly isSeed = true;
  readonly isStarved = false;

  /** Whom a tracker names that counts nobody who downloads is a seed too. */
  found(
    peers: readonly Endpoint[],
    source: 'tracker' | 'dht' | 'local',
    isFromLocal: boolean,
    leechCount: number | null,
  ): void {
    if (peers.length > 0 && leechCount !== 0 && !this.isPaused)
      this.#deps.wake(this.id).finder.found(peers, source, isFromLocal);
  }

  /** The node's way out is gone, for this reason, or back (null). */
  handleLine(message: string | null): void {
    const torrent = this.id;
    if (this.isPaused) return;
    if (message === null) this.#deps.emit({ type: 'bittorrent.torrent.recovered', torrent });
    else
      this.#deps.emit({ type: 'bittorrent.torrent.failed', torrent, code: 'BITTORRENT_LINE_DOWN', message });
    if (message === null) this.announces.announceAgain();
  }

  /** When it wakes it meets itself there at most once. */
  markOwn(): void {}
}

/**
 * The line of a torrent as its record tells it, when that is all that is needed: it is complete, all of it lies in
 * files of its own, and no move was interrupted. Null: it has to be opened.
 */
export function tryRestingRow(record: ResumeRecord, isComplete: boolean): TorrentRow | null {
  const { content, infoHashV1, infoHashV2, pieceCount } = record;
  if (content === null || !isComplete || record.pendingMove !== null) return null;
  return {
    id: record.id,
    infoHashV1: infoHashV1 === null ? null : record.id.length === 40 ? record.id : toHex(infoHashV1),
    infoHashV2: infoHashV2 === null ? null : toHex(infoHashV2),
    name: record.title ?? record.name,
    folder: record.folder,
    state: record.paused ? 'paused' : 'seeding',
    error: null,
    errorCode: null,
    private: content.private,
    pieceCount,
    pieceBytes: content.pieceBytes,
    havePieceCount: pieceCount,
    fileCount: content.fileCount,
    totalBytes: content.totalBytes,
    wantedBytes: content.wantedBytes,
    doneBytes: content.wantedBytes,
    downloadedBytes: record.downloadedBytes,
    uploadedBytes: record.uploadedBytes,
    wastedBytes: record.wastedBytes,
    downRate: 0,
    upRate: 0,
    peerCount: 0,
    seedCount: 0,
    candidateCount: 0,
    swarmSeedCount: null,
    swarmLeechCount: null,
    secondsLeft: null,
    checked: 1,
    availability: 1,
    category: record.category,
    limitDown: record.limitDown,
    limitUp: record.limitUp,
    sequential: record.sequential,
    superSeed: record.superSeed,
    // Found out when the line is asked for.
    trackerHost: null,
    addedAtMs: record.addedMs,
    finishedAtMs: record.finishedMs,
    activeAtMs: record.activeMs,
  };
}

/** The line of one that was awake until now. */
export function rowAtRest(row: TorrentRow): TorrentRow {
  return { ...row, downRate: 0, upRate: 0, candidateCount: 0, secondsLeft: null, availability: 1 };
}

/** Whether the files are as the record says: there, settled, and of the same length and time. */
export async function isAsRemembered(
  stored: StoredTorrent,
  disk: DiskPort,
  hashes: Hashes,
): Promise<boolean> {
  const { record, progress } = stored;
  const metainfo = tryReadTorrent(stored.metainfo, hashes);
  if (metainfo === null || progress.slots.size > 0 || progress.placed.some((bits) => bits !== 0))
    return false;
  const { folder, renamed, ahead } = record;
  const place = { folder, renamed, ahead, partRef: partRefOf('', record.id) };
  const files = new TorrentFiles(metainfo.info, disk, place);
  const real = metainfo.info.files.filter(({ index, bytes }) => bytes > 0 && files.isReal(index));
  const stats = await files.statAll(real.map(({ index }) => index));
  await files.forgetAll();
  return real.every(({ index }) => {
    const [is, was] = [stats.get(index), progress.settled.get(index)];
    return (
      is !== undefined && was !== undefined && is.bytes === was.bytes && is.modifiedMs === was.modifiedMs
    );
  });
}

/** Its files, all of which are there. */
export function restingFiles({ record, metainfo }: StoredTorrent, hashes: Hashes): FileSnapshot[] {
  const { filePriorities, renamed } = record;
  return (tryReadTorrent(metainfo, hashes)?.info.files ?? []).map(({ index, path, bytes, pad }) => ({
    index,
    path: renamed.get(index) ?? path,
    bytes,
    pad,
    doneBytes: pad ? 0 : bytes,
    priority: filePriorities[index] ?? 4,
  }));
}
