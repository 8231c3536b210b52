import type { ListedTorrent } from '@tequio/api';
import type { WordKey } from '../words/en.ts';

/** In a word, what a torrent does. */
export function stateWord(torrent: ListedTorrent): WordKey {
  if (torrent.queued) return 'state.queued';
  if (torrent.state === 'downloading' && torrent.downRate === 0 && torrent.peerCount === 0)
    return 'state.stalled';
  return `state.${torrent.state}`;
}

/** How its bar is drawn. */
export function barKind(torrent: ListedTorrent): string {
  if (torrent.state === 'error') return 'trouble';
  if (torrent.progress >= 1 && torrent.pieceCount > 0) return 'complete';
  return torrent.state === 'paused' ? 'still' : '';
}

/** 0 to 1: of the check while it is being checked, else of the content. */
export function shareDone(torrent: ListedTorrent): number {
  if (torrent.pieceCount === 0) return 0;
  return torrent.state === 'checking' ? torrent.checked : torrent.progress;
}
