import type { ShownTorrent, TorrentSnapshot } from '@tequio/api';

/**
 * What `--json` prints: one object a line. Events of the contract go out as they are; the rest is made here. Keys are
 * added, never renamed or removed.
 */

/** One line; the characters that some line readers take for a line's end are escaped. */
export function encodeJsonLine(value: object): string {
  return `${JSON.stringify(value).replace(/[\u0085\u2028\u2029]/g, escapeCharacter)}\n`;
}

/** How a refused input and every other error ends the output. */
export function errorToJson(error: { readonly code: string; readonly message: string }): object {
  return { error: { code: error.code, message: error.message } };
}

/** `show --json`: `trackers` is flat, in the order of their tiers; `trackerTiers` keeps the tiers. */
export function shownTorrentToJson(shown: ShownTorrent): object {
  const { trackers, ...rest } = shown;
  return {
    name: rest.name,
    infoHashV1: rest.infoHashV1,
    infoHashV2: rest.infoHashV2,
    pieceBytes: rest.pieceBytes,
    pieceCount: rest.pieceCount,
    totalBytes: rest.totalBytes,
    private: rest.private,
    trackers: trackers.flat(),
    webSeeds: rest.webSeeds,
    files: rest.files.map((file) => ({ path: file.path, bytes: file.bytes, pad: file.pad })),
    trackerTiers: trackers,
    comment: rest.comment,
    createdBy: rest.createdBy,
    createdAt: rest.createdAt,
    source: rest.source,
    similar: rest.similar,
    collections: rest.collections,
    nameChanges: rest.nameChanges,
    magnet: rest.magnet,
  };
}

/** One torrent's state, about once a second while it is watched. `pieces` is base64 of the bitfield. */
export function progressToJson(snapshot: TorrentSnapshot): object {
  return {
    type: 'progress',
    torrent: snapshot.id,
    name: snapshot.name,
    state: snapshot.state,
    error: snapshot.error,
    checked: snapshot.checked,
    doneBytes: snapshot.doneBytes,
    wantedBytes: snapshot.wantedBytes,
    downloadedBytes: snapshot.downloadedBytes,
    uploadedBytes: snapshot.uploadedBytes,
    downRate: snapshot.downRate,
    upRate: snapshot.upRate,
    peerCount: snapshot.peerCount,
    seedCount: snapshot.seedCount,
    pieceCount: snapshot.pieceCount,
    havePieceCount: snapshot.havePieceCount,
    pieces: snapshot.pieces,
    secondsLeft: snapshot.secondsLeft,
    peers: snapshot.peers.map((peer) => ({
      endpoint: peer.endpoint,
      client: peer.client,
      encrypted: peer.encrypted,
      downRate: peer.downRate,
      upRate: peer.upRate,
      progress: peer.progress,
    })),
    trackers: snapshot.trackers.map((tracker) => ({
      url: tracker.url,
      state: tracker.state,
      message: tracker.message,
      peerCount: tracker.peerCount,
    })),
  };
}

/** What a torrent came to, in the last line of `get` and `seed`. */
export function outcomeToJson(snapshot: TorrentSnapshot, seconds: number): object {
  return {
    torrent: snapshot.id,
    name: snapshot.name,
    infoHashV1: snapshot.infoHashV1,
    infoHashV2: snapshot.infoHashV2,
    folder: snapshot.folder,
    state: snapshot.state,
    bytes: snapshot.wantedBytes,
    doneBytes: snapshot.doneBytes,
    downloadedBytes: snapshot.downloadedBytes,
    uploadedBytes: snapshot.uploadedBytes,
    seconds: Math.round(seconds * 1000) / 1000,
  };
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
