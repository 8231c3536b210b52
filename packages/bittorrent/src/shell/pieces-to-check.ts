/** Which pieces of a torrent that is opened are read and hashed before they are believed. */
import { piecesOf } from '../core/peer-pieces.ts';
import type { TorrentStorage } from './torrent-storage.ts';

/**
 * Of a torrent with a record: what it doubts; of a new one: whatever is there already.
 * @param looksAround there is no record, or the user says that content is there
 */
export function piecesToCheck(storage: TorrentStorage, looksAround: boolean): number[] {
  const doubtful = new Set(piecesOf(storage.doubtful));
  if (looksAround) {
    for (const piece of piecesOf(storage.presentPieces())) if (!storage.have.has(piece)) doubtful.add(piece);
  }
  return [...doubtful].sort((a, b) => a - b);
}

export function* allPieces(pieceCount: number): Generator<number> {
  for (let piece = 0; piece < pieceCount; piece++) yield piece;
}
