/** `torrents/…`: what is looked at. */
import type { ListedTorrent } from '@tequio/api';
import { contentFiles } from '../content-files.ts';
import { ApiAnswer } from './api-answer.ts';
import { conflict, notFound } from './api-error.ts';
import { type ApiCall, learnTorrents, torrentOf, torrentsOf } from './caller-state.ts';
import { hashOf, noEta, passesFilter, type QbTorrent, ratioOf, torrentRow } from './torrent-rows.ts';

/** 0 is not wanted, 1 normal, 6 high, 7 the highest. */
export const filePriority = (own: number): number => (own === 0 ? 0 : own <= 4 ? 1 : own < 7 ? 6 : 7);

/** @returns null: none of qBittorrent's */
export function ownPriority(priority: number): number | null {
  return (
    new Map([
      [0, 0],
      [1, 4],
      [6, 6],
      [7, 7],
    ]).get(priority) ?? null
  );
}

export async function info(call: ApiCall): Promise<readonly object[]> {
  const { form, caller, state } = call;
  const { torrents, settings } = caller.management;
  const { sharing } = await settings.get();
  let rows: readonly ListedTorrent[];
  if (form.text('hashes') !== '' && form.text('hashes') !== 'all') {
    const ids = await torrentsOf(call);
    rows = (await Promise.all(ids.map((id) => torrents.get(id)))).filter((row) => row !== null);
  } else {
    await learnTorrents(call);
    rows = (await torrents.changes(0)).changed;
  }
  const shown = rows.filter((row) => isWanted(call, row));
  const found: object[] = [];
  for (const row of shown) {
    const base = torrentRow(row, await state.extrasOf(caller, row, shown.length), sharing);
    const files = form.flag('includeFiles') ? { files: await filesOf(call, row) } : {};
    const trackers = form.flag('includeTrackers') ? { trackers: await trackersOf(call, row) } : {};
    found.push({ ...base, ...files, ...trackers });
  }
  return page(call, sort(call, found as QbTorrent[]));
}

function isWanted({ form }: ApiCall, row: ListedTorrent): boolean {
  if (!passesFilter(form.text('filter'), row)) return false;
  if (form.has('category') && (row.category ?? '') !== form.text('category')) return false;
  const tag = form.text('tag');
  if (form.has('tag') && (tag === '' ? row.tags.length > 0 : !row.tags.includes(tag))) return false;
  const isPrivate = form.flag('private');
  return isPrivate === null || (row.private === true) === isPrivate;
}

function sort({ form }: ApiCall, rows: readonly QbTorrent[]): readonly QbTorrent[] {
  const column = form.text('sort');
  if (column === '' || rows[0] === undefined || !Object.hasOwn(rows[0], column)) return rows;
  const way = form.flag('reverse') ? -1 : 1;
  const compare = (a: unknown, b: unknown): number =>
    typeof a === 'string' ? a.localeCompare(String(b)) : Number(a ?? -1) - Number(b ?? -1);
  return rows.toSorted((a, b) => way * compare(a[column], b[column]));
}

/** An offset below 0 counts from the end; no limit above 0: all. */
function page<Row>({ form }: ApiCall, rows: readonly Row[]): readonly Row[] {
  const offset = Math.trunc(form.number('offset') ?? 0);
  const limit = Math.trunc(form.number('limit') ?? 0);
  const from = offset < 0 ? Math.max(0, rows.length + offset) : offset >= rows.length ? 0 : offset;
  return rows.slice(from, limit > 0 ? from + limit : undefined);
}

const seconds = (ms: number | null): number => (ms === null ? -1 : Math.floor(ms / 1000));

export async function properties(call: ApiCall): Promise<object> {
  const row = await torrentOf(call);
  const shown = await call.state.metainfo.of(call.caller.management.torrents, row.id);
  const elapsed = Math.floor((row.downloadingMs + row.seedingMs) / 1000);
  const downloading = Math.floor(row.downloadingMs / 1000);
  return {
    hash: hashOf(row),
    infohash_v1: row.infoHashV1 ?? '',
    infohash_v2: row.infoHashV2 ?? '',
    name: row.name,
    has_metadata: row.state !== 'metadata',
    progress: row.progress,
    time_elapsed: elapsed,
    seeding_time: Math.floor(row.seedingMs / 1000),
    eta: row.secondsLeft === null ? noEta : Math.floor(row.secondsLeft),
    nb_connections: row.peerCount,
    nb_connections_limit: 200,
    total_downloaded: row.downloadedBytes,
    total_downloaded_session: row.downloadedBytes,
    total_uploaded: row.uploadedBytes,
    total_uploaded_session: row.uploadedBytes,
    total_wasted: row.wastedBytes,
    dl_speed: row.downRate,
    dl_speed_avg: downloading === 0 ? -1 : Math.floor(row.downloadedBytes / downloading),
    up_speed: row.upRate,
    up_speed_avg: elapsed === 0 ? -1 : Math.floor(row.uploadedBytes / elapsed),
    dl_limit: row.limitDown ?? -1,
    up_limit: row.limitUp ?? -1,
    seeds: row.seedCount,
    seeds_total: row.swarmSeedCount ?? -1,
    peers: row.peerCount - row.seedCount,
    peers_total: row.swarmLeechCount ?? -1,
    share_ratio: ratioOf(row),
    popularity: 0,
    reannounce: await reannounceSeconds(call, row),
    total_size: row.state === 'metadata' ? -1 : row.totalBytes,
    pieces_num: row.state === 'metadata' ? -1 : row.pieceCount,
    piece_size: row.state === 'metadata' ? -1 : row.pieceBytes,
    pieces_have: row.havePieceCount,
    created_by: shown?.createdBy ?? '',
    creation_date: shown?.createdAt ?? -1,
    comment: row.comment ?? shown?.comment ?? '',
    is_private: row.private === true,
    private: row.private,
    addition_date: seconds(row.addedAtMs),
    completion_date: seconds(row.finishedAtMs),
    last_seen: row.availability >= 1 ? seconds(row.activeAtMs ?? row.addedAtMs) : -1,
    save_path: row.folder,
    download_path: '',
    availability: row.availability,
  };
}

/** Until a tracker is asked next. */
async function reannounceSeconds({ caller, ports }: ApiCall, row: ListedTorrent): Promise<number> {
  const trackers = await caller.management.torrents.trackers(row.id);
  const times = trackers.map(({ nextAnnounceMs }) => nextAnnounceMs).filter((time) => time !== null);
  return times.length === 0 ? 0 : Math.max(0, Math.ceil((Math.min(...times) - ports.wallMs()) / 1000));
}

/** `status` of a tracker. */
const trackerStatus = { disabled: 0, notContacted: 1, working: 2, updating: 3, notWorking: 4 } as const;

/** Ways without a tracker come first, as entries that are none. */
async function trackersOf({ caller }: ApiCall, row: ListedTorrent): Promise<readonly object[]> {
  const { torrents, settings } = caller.management;
  const { bittorrent } = await settings.get();
  const peers = row.peerCount === 0 ? [] : await torrents.peers(row.id);
  const way = (name: string, isOn: boolean, source: string): object => ({
    url: `** [${name}] **`,
    tier: -1,
    status: isOn && row.private !== true ? trackerStatus.working : trackerStatus.disabled,
    msg: row.private === true ? 'This torrent is private' : '',
    num_peers: 0,
    num_seeds: peers.filter((peer) => peer.source === source && peer.progress === 1).length,
    num_leeches: peers.filter((peer) => peer.source === source && peer.progress < 1).length,
    num_downloaded: 0,
  });
  const words = {
    waiting: trackerStatus.notContacted,
    announcing: trackerStatus.updating,
    working: trackerStatus.working,
    failed: trackerStatus.notWorking,
  };
  return [
    way('DHT', bittorrent.dht, 'dht'),
    way('PeX', bittorrent.pex, 'pex'),
    way('LSD', bittorrent.lsd, 'local'),
    ...(await torrents.trackers(row.id)).map((tracker) => ({
      url: tracker.url,
      tier: tracker.tier,
      status: words[tracker.state],
      msg: tracker.message ?? '',
      num_peers: tracker.peerCount,
      num_seeds: tracker.seedCount ?? -1,
      num_leeches: tracker.leechCount ?? -1,
      num_downloaded: -1,
    })),
  ];
}

export const trackers = async (call: ApiCall): Promise<readonly object[]> =>
  trackersOf(call, await torrentOf(call));

export async function webseeds(call: ApiCall): Promise<readonly object[]> {
  const row = await torrentOf(call);
  return (await call.caller.management.torrents.webSeeds(row.id)).map(({ url }) => ({ url }));
}

async function filesOf({ caller }: ApiCall, row: ListedTorrent): Promise<readonly object[]> {
  const { torrents } = caller.management;
  return contentFiles(await torrents.files(row.id), row).map(({ file, firstPiece, lastPiece }, index) => ({
    index,
    name: file.path,
    size: file.bytes,
    progress: file.bytes === 0 ? 1 : file.doneBytes / file.bytes,
    priority: filePriority(file.priority),
    // An empty file has none.
    piece_range: [firstPiece, file.bytes === 0 ? firstPiece - 1 : lastPiece],
    // Of the pieces that are missing, what peers have: all or nothing is what the node tells.
    availability: file.doneBytes === file.bytes ? 1 : Math.min(1, row.availability),
    ...(index === 0 ? { is_seed: row.progress === 1 } : {}),
  }));
}

export async function files(call: ApiCall): Promise<readonly object[]> {
  const all = await filesOf(call, await torrentOf(call));
  const indexes = call.form.list('indexes', '|');
  if (indexes.length === 0) return all;
  return indexes.map((text) => {
    const file = /^\d+$/.test(text) ? all[Number(text)] : undefined;
    if (file === undefined) throw conflict(`"${text}" is not a valid file index.`);
    return file;
  });
}

/** 0: not there; 1: being downloaded; 2: there. */
export async function pieceStates(call: ApiCall): Promise<readonly number[]> {
  const row = await torrentOf(call);
  const { have, active } = await call.caller.management.torrents.pieces(row.id);
  const loading = new Set(active);
  return Array.from({ length: row.pieceCount }, (_, piece) => {
    const isThere = ((have[piece >> 3] ?? 0) >> (7 - (piece & 7))) & 1;
    return isThere ? 2 : loading.has(piece) ? 1 : 0;
  });
}

export async function pieceAvailability(call: ApiCall): Promise<readonly number[]> {
  const row = await torrentOf(call);
  const { availability } = await call.caller.management.torrents.pieces(row.id);
  return Array.from({ length: row.pieceCount }, (_, piece) => availability[piece] ?? 0);
}

/** SHA-1 of each piece, in hex; of a torrent of version 2 alone, which has none, an empty list. */
export async function pieceHashes(call: ApiCall): Promise<readonly string[]> {
  const { id } = await torrentOf(call);
  const torrent = await call.caller.management.torrents.exportTorrent(id);
  return torrent === null ? [] : call.ports.pieceHashes(torrent);
}

/** A file that is complete, by its number or its path: it comes from where content is served. */
export async function downloadFile(call: ApiCall): Promise<ApiAnswer> {
  const row = await torrentOf(call);
  const wanted = call.form.required('file');
  const content = contentFiles(await call.caller.management.torrents.files(row.id), row);
  const found = /^\d+$/.test(wanted)
    ? content[Number(wanted)]
    : content.find(({ file }) => file.path === wanted);
  if (found === undefined) throw notFound('File not found');
  const { index, path, bytes, doneBytes } = found.file;
  if (doneBytes < bytes) throw conflict('The file is not complete yet.');
  return ApiAnswer.at(call.contentUrl(row.id, index, path.split('/').at(-1) ?? ''));
}

/** Bytes a second of each that is named; 0: no limit. */
export async function limits(call: ApiCall, way: 'limitDown' | 'limitUp'): Promise<Record<string, number>> {
  const ids = await torrentsOf(call);
  const rows = await Promise.all(ids.map((id) => call.caller.management.torrents.get(id)));
  return Object.fromEntries(rows.filter((row) => row !== null).map((row) => [hashOf(row), row[way] ?? 0]));
}

export async function exportTorrent(call: ApiCall): Promise<Uint8Array> {
  const row = await torrentOf(call);
  const torrent = await call.caller.management.torrents.exportTorrent(row.id);
  if (torrent === null) throw conflict('Unable to export torrent file. The metadata is not known yet.');
  return torrent;
}

export async function count(call: ApiCall): Promise<string> {
  return String((await call.caller.management.torrents.list({ limit: 1 })).totalCount);
}

export async function categories({ caller }: ApiCall): Promise<Record<string, object>> {
  const all = await caller.management.torrents.categories();
  return Object.fromEntries(
    all.map(({ name, folder, finishedFolder }) => [
      name,
      {
        name,
        savePath: finishedFolder ?? folder ?? '',
        download_path: finishedFolder === null ? null : folder,
      },
    ]),
  );
}
