/** `aria2.tellStatus` and its parts. All values are texts. Source: aria2c's manual, section RPC interface. */

import type { ListedTorrent, ShownTorrent, TorrentsApi } from '@tequio/api';
import { toHex } from '@tequio/kernel';
import { contentFiles } from '../content-files.ts';
import { splitEndpoint } from '../endpoint.ts';

export type Aria2Status = 'active' | 'waiting' | 'paused' | 'error' | 'complete' | 'removed';
export type Aria2Struct = Readonly<Record<string, unknown>>;

export function statusOf(row: ListedTorrent): Exclude<Aria2Status, 'removed'> {
  if (row.state === 'error') return 'error';
  if (row.state !== 'paused') return 'active';
  if (row.queued) return 'waiting';
  // It has ended: all is there, and it is not shared.
  return row.progress === 1 && row.totalBytes > 0 ? 'complete' : 'paused';
}

const text = (value: number | boolean): string =>
  String(typeof value === 'number' ? Math.floor(value) : value);
const join = (folder: string, path: string): string =>
  folder.endsWith('/') ? folder + path : `${folder}/${path}`;

export async function filesOf(torrents: TorrentsApi, row: ListedTorrent): Promise<readonly Aria2Struct[]> {
  const files = contentFiles(await torrents.files(row.id), row);
  if (files.length === 0)
    // As aria2 shows a magnet link that it knows nothing of yet.
    return [
      {
        index: '1',
        path: `[METADATA]${row.name}`,
        length: '0',
        completedLength: '0',
        selected: 'true',
        uris: [],
      },
    ];
  return files.map(({ file }, index) => ({
    index: text(index + 1),
    path: join(row.folder, file.path),
    length: text(file.bytes),
    completedLength: text(file.doneBytes),
    selected: text(file.priority > 0),
    uris: [],
  }));
}

async function bittorrentOf(torrents: TorrentsApi, row: ListedTorrent): Promise<Aria2Struct> {
  const [trackers, shown] = await Promise.all([torrents.trackers(row.id), torrents.show(row.id)]);
  const tiers = [...Map.groupBy(trackers, ({ tier }) => tier).values()];
  return {
    announceList: tiers.map((tier) => tier.map(({ url }) => url)),
    ...metainfoOf(shown),
    ...(shown === null ? {} : { info: { name: shown.name }, mode: row.fileCount > 1 ? 'multi' : 'single' }),
  };
}

function metainfoOf(shown: ShownTorrent | null): Aria2Struct {
  return {
    ...(shown?.comment == null ? {} : { comment: shown.comment }),
    // The one number among texts.
    ...(shown?.createdAt == null ? {} : { creationDate: shown.createdAt }),
  };
}

/** @param wanted names; empty: all */
export async function tellStatus(
  torrents: TorrentsApi,
  row: ListedTorrent,
  gid: string,
  wanted: readonly string[],
): Promise<Aria2Struct> {
  const isWanted = (key: string): boolean => wanted.length === 0 || wanted.includes(key);
  const status = statusOf(row);
  const hasEnded = status === 'complete' || status === 'error';
  const all: Record<string, unknown> = {
    gid,
    status,
    totalLength: text(row.totalBytes),
    completedLength: text(row.doneBytes),
    uploadLength: text(row.uploadedBytes),
    downloadSpeed: text(row.downRate),
    uploadSpeed: text(row.upRate),
    infoHash: row.infoHashV1 ?? row.infoHashV2?.slice(0, 40) ?? '',
    numSeeders: text(row.seedCount),
    seeder: text(row.state === 'seeding'),
    pieceLength: text(row.pieceBytes),
    numPieces: text(row.pieceCount),
    connections: text(row.peerCount),
    dir: row.folder,
    ...(hasEnded ? { errorCode: row.error === null ? '0' : '1' } : {}),
    ...(row.error === null ? {} : { errorMessage: row.error }),
    ...(row.state === 'checking' ? { verifiedLength: text(row.checked * row.totalBytes) } : {}),
  };
  if (isWanted('bitfield') && row.pieceCount > 0)
    all['bitfield'] = toHex((await torrents.pieces(row.id)).have);
  if (isWanted('files')) all['files'] = await filesOf(torrents, row);
  if (isWanted('bittorrent')) all['bittorrent'] = await bittorrentOf(torrents, row);
  return Object.fromEntries(Object.entries(all).filter(([key]) => isWanted(key)));
}

export async function peersOf(torrents: TorrentsApi, row: ListedTorrent): Promise<readonly Aria2Struct[]> {
  if (row.peerCount === 0) return [];
  return (await torrents.peers(row.id)).map((peer) => {
    const { address, port } = splitEndpoint(peer.endpoint);
    return {
      peerId: peer.peerId.replace(/../g, percentEncoded),
      ip: address,
      port: text(port),
      // How much it has is known, not which pieces.
      bitfield: peer.progress === 1 ? 'f'.repeat(Math.ceil(row.pieceCount / 8) * 2) : '',
      amChoking: text(peer.choking),
      peerChoking: text(peer.choked),
      downloadSpeed: text(peer.downRate),
      uploadSpeed: text(peer.upRate),
      seeder: text(peer.progress === 1),
    };
  });
}

function percentEncoded(hex: string): string {
  const character = String.fromCharCode(Number.parseInt(hex, 16));
  return /[A-Za-z0-9._~-]/.test(character) ? character : `%${hex.toUpperCase()}`;
}
