/** The torrent that the kill test stores: several files, one of them not wanted, pieces made from their numbers. */
import { join } from 'node:path';
import { infoOf } from '../core/file-map.fixture.ts';
import type { ResumeRecord } from '../core/resume-record.ts';
import type { TorrentInfo } from '../wire/torrent-info.ts';

const pieceBytes = 32_768;

export function killTorrent(folder: string): {
  id: string;
  info: TorrentInfo;
  record: ResumeRecord;
  filePriorities: number[];
} {
  const sizes = [3_000_000, 50_000, 40_000, 4_000_000, 70_000, 6_000_000];
  const info = infoOf(pieceBytes, sizes);
  const id = '12'.repeat(20);
  const record = {
    id,
    infoHashV1: new Uint8Array(20),
    infoHashV2: null,
    name: 'kill',
    folder: join(folder, 'content'),
    pieceCount: info.pieceCount,
    trackers: [],
    webSeeds: [],
    renamed: new Map(),
    filePriorities: new Uint8Array(0),
    pendingMove: null,
    filesFolder: null,
    ahead: null,
    paused: false,
    sequential: false,
    superSeed: false,
    title: null,
    category: null,
    hasOwnTrackers: false,
    content: null,
    hasOwnWebSeeds: false,
    edgesFirst: false,
    activeMs: null,
    preallocate: false,
    limitDown: null,
    limitUp: null,
    addedMs: 1,
    finishedMs: null,
    downloadedBytes: 0,
    uploadedBytes: 0,
    wastedBytes: 0,
  };
  return { id, info, record, filePriorities: [4, 0, 4, 4, 0, 4] };
}

/** Different in each piece and at each place of it; cheap to make. */
export function pieceOf(info: TorrentInfo, piece: number): Uint8Array {
  const bytes = new Uint8Array(Math.min(info.pieceBytes, info.totalBytes - piece * info.pieceBytes));
  const words = new Uint32Array(bytes.buffer, 0, bytes.length >> 2);
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(piece * 65_537 + i + 1, 0x9e3779b1);
  return bytes;
}
