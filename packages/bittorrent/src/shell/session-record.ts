/** The record of a torrent that is added for the first time. */
import type { AddOptions, TorrentId } from '../contract.ts';
import type { ResumeRecord } from '../core/resume-record.ts';
import type { SessionSource } from './torrent-session.ts';

export function newRecord(
  id: TorrentId,
  source: SessionSource,
  add: AddOptions,
  nowMs: number,
): ResumeRecord {
  return {
    id,
    infoHashV1: source.infoHashV1,
    infoHashV2: source.infoHashV2,
    name: source.name,
    folder: add.folder,
    pieceCount: source.metainfo?.info.pieceCount ?? 0,
    trackers: source.trackers,
    webSeeds: source.webSeeds,
    renamed: new Map(),
    pendingMove: null,
    filePriorities: new Uint8Array(0),
    paused: false,
    sequential: add.sequential ?? false,
    superSeed: add.superSeed ?? false,
    preallocate: add.preallocate ?? false,
    limitDown: add.limitDown ?? null,
    limitUp: add.limitUp ?? null,
    addedMs: nowMs,
    finishedMs: null,
    downloadedBytes: 0,
    uploadedBytes: 0,
    wastedBytes: 0,
  };
}
