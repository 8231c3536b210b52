/**
 * What `torrent_get` can say of a torrent: a name of Transmission's, and how it is found.
 * Source: docs/rpc-spec.md, section 3.3; what a field means where that is silent: `tr_stat` in transmission.h.
 */
import type { ListedTorrent, ShareGoal } from '@tequio/api';
import { toBase64 } from '../base64.ts';
import { peerRows, peersFrom } from './peer-rows.ts';
import type { TorrentView, ViewPart } from './torrent-view.ts';
import { trackerFailure, trackerList, trackerRows, trackerStatRows } from './tracker-rows.ts';

type Read = (torrent: TorrentView) => unknown;
export type TorrentField = { readonly needs: readonly ViewPart[]; readonly read: Read };

const field = (read: Read, ...needs: ViewPart[]): TorrentField => ({ needs, read });

/** `status`. */
export const transmissionStatus = {
  stopped: 0,
  checkWait: 1,
  check: 2,
  downloadWait: 3,
  download: 4,
  seedWait: 5,
  seed: 6,
} as const;

/** `error`: what kind `error_string` is of. */
const errorKinds = { none: 0, trackerWarning: 1, trackerError: 2, local: 3 } as const;
/** `eta` when there is none, and when nobody knows. */
const [noEta, unknownEta] = [-1, -2];
/** `seed_ratio_mode` and `seed_idle_mode`. */
export const goalModes = { session: 0, own: 1, unlimited: 2 } as const;
/** As many as this node keeps for one torrent. */
const peerLimit = 200;

export function statusOf(row: ListedTorrent): number {
  switch (row.state) {
    case 'metadata':
    case 'downloading':
      return transmissionStatus.download;
    case 'checking':
      return transmissionStatus.check;
    case 'seeding':
      return transmissionStatus.seed;
    case 'error':
      return transmissionStatus.stopped;
    case 'paused':
      if (!row.queued) return transmissionStatus.stopped;
      return leftOf(row) === 0 ? transmissionStatus.seedWait : transmissionStatus.downloadWait;
  }
}

const seconds = (ms: number | null): number => (ms === null ? 0 : Math.floor(ms / 1000));
const leftOf = (row: ListedTorrent): number =>
  row.state === 'metadata' ? 0 : Math.max(0, row.wantedBytes - row.doneBytes);

/** Of what was downloaded, or, where nothing was, of what is there. */
function ratioOf({ uploadedBytes, downloadedBytes, doneBytes }: ListedTorrent): number {
  const base = downloadedBytes > 0 ? downloadedBytes : doneBytes;
  if (base > 0) return uploadedBytes / base;
  return uploadedBytes > 0 ? -2 : -1;
}

function etaOf(row: ListedTorrent): number {
  if (row.secondsLeft !== null) return Math.floor(row.secondsLeft);
  return row.state === 'downloading' || row.state === 'metadata' ? unknownEta : noEta;
}

/** It has been shared as much as was wished, and rests. */
function isFinished({ row, shareGoal }: TorrentView): boolean {
  const goal = row.shareGoal ?? shareGoal;
  const reached =
    (goal.ratio !== null && ratioOf(row) >= goal.ratio) ||
    (goal.seedingMinutes !== null && row.seedingMs >= goal.seedingMinutes * 60_000);
  return row.state === 'paused' && !row.queued && row.finishedAtMs !== null && reached;
}

const priorityOf = (priority: number): number =>
  priority === 0 || priority === 4 ? 0 : priority < 4 ? -1 : 1;

/** What most files of a name are, by its end. */
const mimeTypes: Readonly<Record<string, string>> = {
  avi: 'video/x-msvideo',
  epub: 'application/epub+zip',
  flac: 'audio/flac',
  iso: 'application/x-cd-image',
  m4a: 'audio/mp4',
  mkv: 'video/x-matroska',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  ogg: 'audio/ogg',
  pdf: 'application/pdf',
  webm: 'video/webm',
  zip: 'application/zip',
};

/** That of the largest file. */
function mimeTypeOf({ files }: TorrentView): string {
  const largest = files.reduce(
    (best, next) => (next.file.bytes > (best?.file.bytes ?? -1) ? next : best),
    files[0],
  );
  const end = largest?.file.path.split('.').at(-1)?.toLowerCase() ?? '';
  return mimeTypes[end] ?? 'application/octet-stream';
}

function errorOf({ row, trackers }: TorrentView): { readonly kind: number; readonly text: string } {
  if (row.error !== null) return { kind: errorKinds.local, text: row.error };
  if (row.state === 'paused' || row.trackerHost === null) return { kind: errorKinds.none, text: '' };
  const failure = trackerFailure(trackers);
  return failure === null
    ? { kind: errorKinds.none, text: '' }
    : { kind: errorKinds.trackerError, text: failure };
}

/** Of the wanted bytes that are missing, those that connected peers have. */
const availableOf = (row: ListedTorrent): number =>
  Math.floor(leftOf(row) * Math.min(1, Math.max(row.seedCount > 0 ? 1 : 0, row.availability)));

function availabilityOf({ row, pieces }: TorrentView): number[] {
  return Array.from({ length: row.pieceCount }, (_, piece) =>
    ((pieces.have[piece >> 3] ?? 0) >> (7 - (piece & 7))) & 1 ? -1 : (pieces.availability[piece] ?? 0),
  );
}

const kilobytes = (rate: number | null): number => (rate === null ? 0 : Math.ceil(rate / 1000));

export const torrentFields: Readonly<Record<string, TorrentField>> = {
  activity_date: field(({ row }) => seconds(row.activeAtMs)),
  added_date: field(({ row }) => seconds(row.addedAtMs)),
  availability: field(availabilityOf, 'pieces'),
  bandwidth_priority: field(() => 0),
  bytes_completed: field(({ files }) => files.map(({ file }) => file.doneBytes), 'files'),
  comment: field(({ row, shown }) => row.comment ?? shown?.comment ?? '', 'shown'),
  corrupt_ever: field(({ row }) => row.wastedBytes),
  creator: field(({ shown }) => shown?.createdBy ?? '', 'shown'),
  date_created: field(({ shown }) => shown?.createdAt ?? 0, 'shown'),
  desired_available: field(({ row }) => availableOf(row)),
  done_date: field(({ row }) => seconds(row.finishedAtMs)),
  download_dir: field(({ row }) => row.folder),
  download_limit: field(({ row }) => kilobytes(row.limitDown)),
  download_limited: field(({ row }) => row.limitDown !== null),
  downloaded_ever: field(({ row }) => row.downloadedBytes),
  edit_date: field(() => 0),
  error: field((torrent) => errorOf(torrent).kind, 'trackers'),
  error_string: field((torrent) => errorOf(torrent).text, 'trackers'),
  eta: field(({ row }) => etaOf(row)),
  eta_idle: field(() => noEta),
  file_count: field(({ files }) => files.length, 'files'),
  file_stats: field(
    ({ files }) =>
      files.map(({ file }) => ({
        bytes_completed: file.doneBytes,
        wanted: file.priority > 0,
        priority: priorityOf(file.priority),
      })),
    'files',
  ),
  files: field(
    ({ files, row }) =>
      files.map(({ file, firstPiece, lastPiece }) => ({
        bytes_completed: file.doneBytes,
        length: file.bytes,
        name: file.path,
        begin_piece: firstPiece,
        end_piece: row.pieceCount === 0 ? 0 : lastPiece + 1,
      })),
    'files',
  ),
  group: field(() => ''),
  hash_string: field(({ row }) => row.infoHashV1 ?? row.infoHashV2?.slice(0, 40) ?? ''),
  have_unchecked: field(() => 0),
  have_valid: field(({ row }) => row.doneBytes),
  honors_session_limits: field(() => true),
  id: field(({ number }) => number),
  is_finished: field(isFinished),
  is_private: field(({ row }) => row.private === true),
  is_stalled: field(({ row }) => row.state === 'downloading' && row.downRate === 0 && row.peerCount === 0),
  labels: field(({ row }) => row.tags),
  left_until_done: field(({ row }) => leftOf(row)),
  magnet_link: field(
    ({ row, shown, trackers }) => shown?.magnet ?? magnetOf(row, trackers),
    'trackers',
    'shown',
  ),
  manual_announce_time: field(() => -1),
  max_connected_peers: field(() => peerLimit),
  metadata_percent_complete: field(({ row }) => (row.state === 'metadata' ? 0 : 1)),
  name: field(({ row }) => row.name),
  peer_limit: field(() => peerLimit),
  peers: field(peerRows, 'peers'),
  peers_connected: field(({ row }) => row.peerCount),
  peers_from: field(peersFrom, 'peers'),
  peers_getting_from_us: field(({ peers }) => peers.filter(({ upRate }) => upRate > 0).length, 'peers'),
  peers_sending_to_us: field(({ peers }) => peers.filter(({ downRate }) => downRate > 0).length, 'peers'),
  percent_complete: field(({ row }) => (row.totalBytes === 0 ? 0 : row.doneBytes / row.totalBytes)),
  percent_done: field(({ row }) => row.progress),
  piece_count: field(({ row }) => row.pieceCount),
  piece_size: field(({ row }) => row.pieceBytes),
  pieces: field(({ pieces }) => toBase64(pieces.have), 'pieces'),
  primary_mime_type: field(mimeTypeOf, 'files'),
  priorities: field(({ files }) => files.map(({ file }) => priorityOf(file.priority)), 'files'),
  queue_position: field(({ row }) => row.queuePosition ?? 0),
  rate_download: field(({ row }) => row.downRate),
  rate_upload: field(({ row }) => row.upRate),
  recheck_progress: field(({ row }) => (row.state === 'checking' ? row.checked : 0)),
  seconds_downloading: field(({ row }) => seconds(row.downloadingMs)),
  seconds_seeding: field(({ row }) => seconds(row.seedingMs)),
  seed_idle_limit: field(({ row, shareGoal }) => row.shareGoal?.idleMinutes ?? shareGoal.idleMinutes ?? 30),
  seed_idle_mode: field(({ row }) => goalMode(row.shareGoal, row.shareGoal?.idleMinutes)),
  seed_ratio_limit: field(({ row, shareGoal }) => row.shareGoal?.ratio ?? shareGoal.ratio ?? 2),
  seed_ratio_mode: field(({ row }) => goalMode(row.shareGoal, row.shareGoal?.ratio)),
  sequential_download: field(({ row }) => row.sequential),
  sequential_download_from_piece: field(() => 0),
  size_when_done: field(({ row }) => row.wantedBytes),
  start_date: field(({ row }) => seconds(row.addedAtMs)),
  status: field(({ row }) => statusOf(row)),
  torrent_file: field(() => ''),
  total_size: field(({ row }) => row.totalBytes),
  tracker_list: field(({ trackers }) => trackerList(trackers), 'trackers'),
  tracker_stats: field(trackerStatRows, 'trackers'),
  trackers: field(({ trackers }) => trackerRows(trackers), 'trackers'),
  upload_limit: field(({ row }) => kilobytes(row.limitUp)),
  upload_limited: field(({ row }) => row.limitUp !== null),
  upload_ratio: field(({ row }) => ratioOf(row)),
  uploaded_ever: field(({ row }) => row.uploadedBytes),
  wanted: field(({ files }) => files.map(({ file }) => file.priority > 0), 'files'),
  webseeds: field(({ webSeeds }) => webSeeds.map(({ url }) => url), 'webSeeds'),
  webseeds_ex: field(
    ({ webSeeds }) =>
      webSeeds.map(({ url, downRate }) => ({
        url,
        is_downloading: downRate > 0,
        download_bytes_per_second: downRate,
      })),
    'webSeeds',
  ),
  webseeds_sending_to_us: field(
    ({ webSeeds }) => webSeeds.filter(({ downRate }) => downRate > 0).length,
    'webSeeds',
  ),
};

/** The older dialect's numbers in place of truth values. */
export const olderFields: Readonly<Record<string, TorrentField>> = {
  wanted: field(({ files }) => files.map(({ file }) => (file.priority > 0 ? 1 : 0)), 'files'),
};

function goalMode(goal: ShareGoal | null, limit: number | null | undefined): number {
  if (goal === null) return goalModes.session;
  return limit == null ? goalModes.unlimited : goalModes.own;
}

/** While the metadata is not known: as it was added, in effect. */
function magnetOf(row: ListedTorrent, trackers: TorrentView['trackers']): string {
  const topics = [
    row.infoHashV1 === null ? [] : [`xt=urn:btih:${row.infoHashV1}`],
    row.infoHashV2 === null ? [] : [`xt=urn:btmh:1220${row.infoHashV2}`],
  ].flat();
  return `magnet:?${[
    ...topics,
    `dn=${encodeURIComponent(row.name)}`,
    ...trackers.map(({ url }) => `tr=${encodeURIComponent(url)}`),
  ].join('&')}`;
}
