/** A torrent as the contract shows it: plain data, made when asked for. */
import { formatEndpoint, toHex, toLatin1 } from '@tequio/kernel';
import type { FileSnapshot, PeerSnapshot, TorrentSnapshot } from '../contract.ts';
import type { Peer } from '../core/peer.ts';
import type { TorrentSession } from './torrent-session.ts';

export function snapshotOf(session: TorrentSession, nowMs: number): TorrentSnapshot {
  const { torrent, storage, source, metainfo } = session;
  const { content } = torrent;
  const info = metainfo?.info ?? null;
  const peers = [...torrent.peers.values()].filter((peer) => peer.handshake !== null);
  const pieceCount = info?.pieceCount ?? 0;
  const files = filesOf(session);
  const wanted = files.filter((file) => file.priority > 0 && !file.pad);
  const wantedBytes = wanted.reduce((sum, file) => sum + file.bytes, 0);
  const doneBytes = wanted.reduce((sum, file) => sum + file.doneBytes, 0);
  const downRate = torrent.down.bytesPerSecond(nowMs);
  const { totals } = session.record;
  return {
    id: session.id,
    infoHashV1: hexOf(source.infoHashV1 ?? info?.infoHashV1 ?? null),
    infoHashV2: hexOf(source.infoHashV2 ?? info?.infoHashV2 ?? null),
    name: session.name,
    folder: session.folder,
    state: session.state,
    error: session.error?.message ?? null,
    errorCode: session.error?.code ?? null,
    pieceCount,
    pieceBytes: info?.pieceBytes ?? 0,
    havePieceCount: content?.picker.have.setCount ?? 0,
    pieces: content === null ? '' : toBase64(content.picker.have.bytes),
    totalBytes: info === null ? 0 : files.reduce((sum, file) => sum + (file.pad ? 0 : file.bytes), 0),
    wantedBytes,
    doneBytes: storage === null ? 0 : doneBytes,
    ...totals,
    downRate: Math.round(downRate),
    upRate: Math.round(torrent.up.bytesPerSecond(nowMs)),
    peerCount: peers.length,
    seedCount: peers.filter((peer) => peer.isSeed).length,
    candidateCount: session.finder.candidateCount,
    secondsLeft:
      content === null || content.isFinished ? null : secondsLeft(wantedBytes - doneBytes, downRate),
    checked: checkedShare(session),
    files,
    trackers: session.finder.trackers(),
    peers: peers.map((peer) => peerSnapshot(peer, pieceCount, nowMs)),
  };
}

function filesOf({ metainfo, storage }: TorrentSession): FileSnapshot[] {
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

function peerSnapshot(peer: Peer, pieceCount: number, nowMs: number): PeerSnapshot {
  return {
    endpoint: formatEndpoint(peer.endpoint),
    client: peer.client,
    transport: peer.isUtp ? 'utp' : 'tcp',
    encrypted: false,
    downRate: Math.round(peer.down.bytesPerSecond(nowMs)),
    upRate: Math.round(peer.up.bytesPerSecond(nowMs)),
    progress: peer.progressOf(pieceCount),
    choking: peer.choking,
    choked: peer.amChoking,
    interesting: peer.amInterested,
    interested: peer.interested,
  };
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
