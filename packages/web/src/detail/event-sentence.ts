import type { NodeEvent } from '@tequio/api';
import { formatBytes } from '../words/format.ts';
import { say } from '../words/words.ts';

/** What strangers said (a tracker's message, a name) is cut. */
const textMax = 500;

/** An event of a torrent, for people. */
export function eventSentence(event: NodeEvent['event']): string {
  switch (event.type) {
    case 'bittorrent.torrent.added':
      return say('event.added');
    case 'bittorrent.torrent.metadata':
      return say('event.metadata', { text: cut(event.name) });
    case 'bittorrent.torrent.checked':
      return say('event.checked', { n: event.havePieceCount });
    case 'bittorrent.torrent.finished':
      return say('event.finished', { text: formatBytes(event.bytes) });
    case 'bittorrent.torrent.failed':
      return say('event.failed', { text: cut(event.message) });
    case 'bittorrent.torrent.recovered':
      return say('event.recovered');
    case 'bittorrent.torrent.removed':
      return say('event.removed');
    case 'bittorrent.peer.banned':
      return say('event.banned', { text: cut(`${event.endpoint}: ${event.message}`) });
    case 'bittorrent.tracker.failed':
      return say('event.trackerFailed', { text: cut(`${event.url}: ${event.message}`) });
    case 'node.share-goal.reached':
      return say('event.goal');
    case 'node.torrent.moved':
      return say('event.moved', { text: event.folder });
    case 'node.program.ended':
      return say('event.program', { text: `${event.program} (${event.exitCode ?? '?'})` });
    case 'node.watch.added':
      return say('event.watched', { text: event.path });
    case 'node.rss.added':
      return say('event.feed', { text: cut(event.title) });
    default:
      return event.type;
  }
}

function cut(text: string): string {
  return text.length > textMax ? `${text.slice(0, textMax)}…` : text;
}
