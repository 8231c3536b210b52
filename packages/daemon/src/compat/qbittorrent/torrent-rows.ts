/** A torrent as `torrents/info` and `sync/maindata` tell of it. Names: src/webui/api/serialize of qBittorrent. */
import type { ListedTorrent, ShareGoal } from '@tequio/api';
import { actionWords, shareLimits, type TorrentExtras } from './caller-state.ts';

/** `eta` when there is none: a hundred days. */
export const noEta = 8_640_000;

export type QbTorrent = Readonly<Record<string, string | number | boolean | null>>;

const seconds = (ms: number | null): number => (ms === null ? -1 : Math.floor(ms / 1000));

/** 40 digits: the v1 info-hash, or what of the v2 one takes its place. */
export function hashOf(row: Pick<ListedTorrent, 'infoHashV1' | 'infoHashV2'>): string {
  return row.infoHashV1 ?? row.infoHashV2?.slice(0, 40) ?? '';
}

/** In the words of 5.x, where what was `paused` is `stopped`. */
export function stateOf(row: ListedTorrent): string {
  const isDone = row.state !== 'metadata' && row.doneBytes >= row.wantedBytes;
  switch (row.state) {
    case 'error':
      return /MISSING/.test(row.errorCode ?? '') ? 'missingFiles' : 'error';
    case 'metadata':
      return row.forced ? 'forcedMetaDL' : 'metaDL';
    case 'checking':
      return isDone ? 'checkingUP' : 'checkingDL';
    case 'paused':
      return `${row.queued ? 'queued' : 'stopped'}${isDone ? 'UP' : 'DL'}`;
    case 'downloading':
      return row.forced ? 'forcedDL' : row.downRate > 0 ? 'downloading' : 'stalledDL';
    case 'seeding':
      return row.forced ? 'forcedUP' : row.upRate > 0 ? 'uploading' : 'stalledUP';
  }
}

export function ratioOf({ uploadedBytes, downloadedBytes, doneBytes }: ListedTorrent): number {
  // Uploaded over what came in, or over what was there from the start.
  const base = Math.max(downloadedBytes, downloadedBytes < doneBytes * 0.01 ? doneBytes : 0);
  if (base === 0) return uploadedBytes === 0 ? 0 : -1;
  return uploadedBytes / base;
}

const ownLimit = (goal: ShareGoal | null, measure: 'ratio' | 'seedingMinutes' | 'idleMinutes'): number =>
  goal === null ? shareLimits.node : (goal[measure] ?? shareLimits.none);

export function magnetOf(row: ListedTorrent, urls: readonly string[]): string {
  return `magnet:?${[
    ...(row.infoHashV1 === null ? [] : [`xt=urn:btih:${row.infoHashV1}`]),
    ...(row.infoHashV2 === null ? [] : [`xt=urn:btmh:1220${row.infoHashV2}`]),
    `dn=${encodeURIComponent(row.name)}`,
    ...urls.map((url) => `tr=${encodeURIComponent(url)}`),
  ].join('&')}`;
}

const join = (folder: string, path: string): string =>
  folder.endsWith('/') ? folder + path : `${folder}/${path}`;

/** Folder and content's place on the disk. */
function placesOf(row: ListedTorrent, { root, onlyFile }: TorrentExtras): Record<string, string> {
  const top = root ?? onlyFile;
  return {
    save_path: row.folder,
    download_path: '',
    root_path: root === null ? '' : join(row.folder, root),
    content_path: top === null ? '' : join(row.folder, onlyFile ?? top),
  };
}

/** @param node goal of those that have none of their own */
export function torrentRow(row: ListedTorrent, extras: TorrentExtras, node: ShareGoal): QbTorrent {
  const goal = row.shareGoal ?? node;
  const hasMetadata = row.state !== 'metadata';
  const left = Math.max(0, row.wantedBytes - row.doneBytes);
  return {
    hash: hashOf(row),
    infohash_v1: row.infoHashV1 ?? '',
    infohash_v2: row.infoHashV2 ?? '',
    name: row.name,
    has_metadata: hasMetadata,
    private: row.private,
    magnet_uri: magnetOf(row, extras.urls),
    size: hasMetadata ? row.wantedBytes : -1,
    total_size: hasMetadata ? row.totalBytes : -1,
    progress: row.state === 'checking' ? row.checked : row.progress,
    dlspeed: row.downRate,
    upspeed: row.upRate,
    priority: row.queuePosition === null ? 0 : row.queuePosition + 1,
    num_seeds: row.seedCount,
    num_complete: row.swarmSeedCount ?? -1,
    num_leechs: row.peerCount - row.seedCount,
    num_incomplete: row.swarmLeechCount ?? -1,
    state: stateOf(row),
    eta: row.secondsLeft === null ? noEta : Math.min(noEta, Math.floor(row.secondsLeft)),
    seq_dl: row.sequential,
    f_l_piece_prio: row.edgesFirst,
    category: row.category ?? '',
    tags: row.tags.join(', '),
    super_seeding: row.superSeed,
    force_start: row.forced,
    ...placesOf(row, extras),
    added_on: seconds(row.addedAtMs),
    completion_on: seconds(row.finishedAtMs),
    tracker: extras.urls.find((url) => URL.parse(url)?.hostname === row.trackerHost) ?? '',
    trackers_count: extras.urls.length,
    dl_limit: row.limitDown ?? 0,
    up_limit: row.limitUp ?? 0,
    downloaded: row.downloadedBytes,
    uploaded: row.uploadedBytes,
    downloaded_session: row.downloadedBytes,
    uploaded_session: row.uploadedBytes,
    amount_left: left,
    completed: row.doneBytes,
    max_ratio: goal.ratio ?? shareLimits.none,
    max_seeding_time: goal.seedingMinutes ?? shareLimits.none,
    max_inactive_seeding_time: goal.idleMinutes ?? shareLimits.none,
    ratio: ratioOf(row),
    ratio_limit: ownLimit(row.shareGoal, 'ratio'),
    seeding_time_limit: ownLimit(row.shareGoal, 'seedingMinutes'),
    inactive_seeding_time_limit: ownLimit(row.shareGoal, 'idleMinutes'),
    share_limit_action: row.shareGoal === null ? 'Default' : actionWords[row.shareGoal.action],
    seen_complete: row.availability >= 1 ? seconds(row.activeAtMs ?? row.addedAtMs) : -1,
    auto_tmm: false,
    time_active: Math.floor((row.downloadingMs + row.seedingMs) / 1000),
    seeding_time: Math.floor(row.seedingMs / 1000),
    last_activity: seconds(row.activeAtMs ?? row.addedAtMs),
    availability: row.state === 'paused' || !hasMetadata ? -1 : row.availability,
    popularity: 0,
    reannounce: 0,
    comment: row.comment ?? '',
  };
}

/** Whether a state belongs to what `filter` names; an unknown name lets everything through. */
export function passesFilter(filter: string, row: ListedTorrent): boolean {
  const state = stateOf(row);
  const isDone = row.state !== 'metadata' && row.doneBytes >= row.wantedBytes;
  const isStopped = state.startsWith('stopped');
  const moves = row.downRate > 0 || row.upRate > 0;
  switch (filter) {
    case 'downloading':
      return row.state === 'downloading' || row.state === 'metadata' || /DL$/.test(state);
    case 'seeding':
      return row.state === 'seeding' || state === 'queuedUP' || state === 'checkingUP';
    case 'completed':
      return isDone;
    case 'stopped':
    case 'paused':
      return isStopped;
    case 'running':
    case 'resumed':
      return !isStopped;
    case 'active':
      return moves;
    case 'inactive':
      return !moves;
    case 'stalled':
      return state.startsWith('stalled');
    case 'stalled_uploading':
      return state === 'stalledUP';
    case 'stalled_downloading':
      return state === 'stalledDL';
    case 'checking':
      return row.state === 'checking';
    case 'moving':
      return false;
    case 'errored':
      return row.state === 'error';
    default:
      return true;
  }
}
