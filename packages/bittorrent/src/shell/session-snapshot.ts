/** A torrent as the contract shows it: plain data, made when asked for. */
import { formatEndpoint, toHex, toLatin1 } from '@tequio/kernel';
import type { FileSnapshot, PeerSnapshot, PieceView, TorrentRow, TorrentSnapshot } from '../contract.ts';
import type { Peer } from '../core/peer.ts';
import type { PiecePicker } from '../core/piece-picker.ts';
import { sizeOf } from './content-size.ts';
import type { TorrentSession } from './torrent-session.ts';

/** Costs O(connected peers), and O(pieces) where there are any. */
export function rowOf(session: TorrentSession, nowMs: number): TorrentRow {
  const { torrent, storage, source, metainfo, finder, announces, error } = session;
  const { content } = torrent;
  const info = metainfo?.info ?? null;
  const { totals, current, activeMs } = session.record;
  const { wantedBytes, doneBytes } = storage?.wanted ?? { wantedBytes: 0, doneBytes: 0 };
  const downRate = torrent.down.bytesPerSecond(nowMs);
  const { seedCount: swarmSeedCount, leechCount: swarmLeechCount } = announces.swarm;
  let [peerCount, seedCount] = [0, 0];
  for (const peer of torrent.peers.values()) {
    if (peer.handshake === null) continue;
    peerCount++;
    if (peer.isSeed) seedCount++;
  }
  return {
    id: session.id,
    infoHashV1: hexOf(source.infoHashV1 ?? info?.infoHashV1 ?? null),
    infoHashV2: hexOf(source.infoHashV2 ?? info?.infoHashV2 ?? null),
    name: session.name,
    folder: session.folder,
    state: session.state,
    error: error?.message ?? null,
    errorCode: error?.code ?? null,
    private: info?.private ?? null,
    pieceCount: info?.pieceCount ?? 0,
    pieceBytes: info?.pieceBytes ?? 0,
    havePieceCount: content?.picker.have.setCount ?? 0,
    ...(info === null ? { fileCount: 0, totalBytes: 0 } : sizeOf(info)),
    wantedBytes,
    doneBytes,
    ...totals,
    downRate: Math.round(downRate),
    upRate: Math.round(torrent.up.bytesPerSecond(nowMs)),
    peerCount,
    seedCount,
    candidateCount: finder.candidateCount,
    swarmSeedCount,
    swarmLeechCount,
    secondsLeft:
      content === null || content.isFinished ? null : secondsLeft(wantedBytes - doneBytes, downRate),
    checked: checkedShare(session),
    availability: content === null ? 0 : copiesOf(content.picker, content.info.pieceCount, peerCount),
    category: current.category,
    limitDown: current.limitDown,
    limitUp: current.limitUp,
    sequential: current.sequential,
    superSeed: current.superSeed,
    trackerHost: announces.trackerHost,
    addedAtMs: current.addedMs,
    finishedAtMs: current.finishedMs,
    activeAtMs: activeMs === null ? null : Math.round(activeMs),
  };
}

export function toSnapshot(
  row: TorrentRow,
  more: Pick<TorrentSnapshot, 'files' | 'trackers' | 'peers'> & { readonly have: Uint8Array },
): TorrentSnapshot {
  const { id, infoHashV1, infoHashV2, name, folder, state, error, errorCode } = row;
  const { pieceCount, pieceBytes, havePieceCount, totalBytes, wantedBytes, doneBytes } = row;
  const { downloadedBytes, uploadedBytes, wastedBytes, downRate, upRate, peerCount, seedCount } = row;
  const { candidateCount, secondsLeft: left, checked } = row;
  const { have, files, trackers, peers } = more;
  return {
    ...{ id, infoHashV1, infoHashV2, name, folder, state, error, errorCode },
    ...{ pieceCount, pieceBytes, havePieceCount, pieces: toBase64(have) },
    ...{ totalBytes, wantedBytes, doneBytes, downloadedBytes, uploadedBytes, wastedBytes },
    ...{ downRate, upRate, peerCount, seedCount, candidateCount, secondsLeft: left, checked },
    ...{ files, trackers, peers },
  };
}

/** A bit a piece; empty while it is not known. */
export function haveOf({ torrent: { content } }: TorrentSession): Uint8Array {
  return content?.picker.have.bytes ?? new Uint8Array(0);
}

export function filesOf({ metainfo, storage }: TorrentSession): FileSnapshot[] {
  if (metainfo === null) return [];
  return metainfo.info.files.map(({ index, path, bytes, pad }) => ({
    index,
    path: storage?.pathOf(index) ?? path,
    bytes,
    pad,
    doneBytes: pad ? 0 : (storage?.doneBytesOf(index) ?? 0),
    priority: storage?.priorities.fileAt(index) ?? 4,
  }));
}

export function peersOf(session: TorrentSession, nowMs: number): PeerSnapshot[] {
  const pieceCount = session.metainfo?.info.pieceCount ?? 0;
  const peers = [...session.torrent.peers.values()].filter((peer) => peer.handshake !== null);
  return peers.map((peer) => peerSnapshot(session, peer, pieceCount, nowMs));
}

export function piecesOf({ torrent: { content, peers } }: TorrentSession): PieceView {
  if (content === null) return { have: new Uint8Array(0), availability: new Uint8Array(0), active: [] };
  const { picker, info } = content;
  const availability = new Uint8Array(peers.size === 0 ? 0 : info.pieceCount);
  for (let piece = 0; piece < availability.length; piece++)
    availability[piece] = Math.min(255, picker.availabilityOf(piece));
  const active = Array.from(picker.openPieces(), ({ piece }) => piece).sort((a, b) => a - b);
  return { have: picker.have.bytes.slice(), availability, active };
}

function peerSnapshot(session: TorrentSession, peer: Peer, pieceCount: number, nowMs: number): PeerSnapshot {
  return {
    endpoint: formatEndpoint(peer.endpoint),
    client: peer.client,
    peerId: hexOf(peer.handshake?.peerId ?? null) ?? '',
    incoming: peer.incoming,
    source: session.finder.sourceOf(peer.contact) ?? 'incoming',
    transport: peer.isUtp ? 'utp' : 'tcp',
    encrypted: peer.isEncrypted,
    downloadedBytes: peer.down.totalBytes,
    uploadedBytes: peer.up.totalBytes,
    downRate: Math.round(peer.down.bytesPerSecond(nowMs)),
    upRate: Math.round(peer.up.bytesPerSecond(nowMs)),
    progress: peer.progressOf(pieceCount),
    choking: peer.choking,
    choked: peer.amChoking,
    interesting: peer.amInterested,
    interested: peer.interested,
    snubbed: peer.window.isSnubbed,
    uploadOnly: peer.uploadOnly,
  };
}

/** Of the rarest piece, ours counted, and as a fraction the share of pieces that are less rare. */
function copiesOf(picker: PiecePicker, pieceCount: number, peerCount: number): number {
  const { have } = picker;
  if (peerCount === 0) return have.setCount / pieceCount;
  let least = Number.POSITIVE_INFINITY;
  let leastCount = 0;
  for (let piece = 0; piece < pieceCount; piece++) {
    const copyCount = picker.availabilityOf(piece) + (have.has(piece) ? 1 : 0);
    if (copyCount < least) [least, leastCount] = [copyCount, 0];
    if (copyCount === least) leastCount++;
  }
  return least + 1 - leastCount / pieceCount;
}

function checkedShare(session: TorrentSession): number {
  const left = session.torrent.content?.checker.doubtCount ?? 0;
  return session.checkCount === 0 ? 1 : 1 - left / session.checkCount;
}

function secondsLeft(bytes: number, rate: number): number | null {
  return rate < 1 ? null : Math.ceil(bytes / rate);
}

function hexOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : toHex(bytes);
}

function toBase64(bytes: Uint8Array): string {
  return btoa(toLatin1(bytes));
}
