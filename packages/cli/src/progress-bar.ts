import type { TorrentSnapshot } from '@tequio/api';
import type { Colors } from './console-output.ts';
import type { Messages } from './messages/en.ts';
import { printable } from './printable.ts';
import { formatBytes, formatRate, formatSeconds, percentOf } from './size-text.ts';
import { fitText, spreadText, widthOf } from './text-width.ts';

/**
 * What a terminal shows of work in progress, as lines that fit. A torrent takes two lines, and a third while it has
 * no peer:
 *
 *   debian-13.iso                                          41 %
 *     ━━━━━━━━━━━━━━━━━━╸──────────────────────  ↓ 12.3 MiB/s  1:02 left  14 peers  612/1490 pieces
 *     no peer yet · tracker udp://tracker.example:6969: connection refused
 *
 * On a narrow terminal the facts go, the least important first, then the bar shrinks, then the rest is cut.
 */

const barColumnsMin = 10;
const barColumnsMax = 40;
const indent = '  ';

export type LineStyle = { readonly columns: number; readonly colors: Colors; readonly messages: Messages };

/** The lines of one torrent, each at most `columns` wide. */
export function renderTorrent(snapshot: TorrentSnapshot, style: LineStyle): string[] {
  const { columns, colors, messages } = style;
  const hasSize = snapshot.state !== 'metadata';
  const percent = hasSize ? `${percentOf(snapshot.doneBytes, snapshot.wantedBytes)} %` : '';
  const lines = [
    colors.bold(spreadText(printable(snapshot.name), percent, columns)),
    stateLine(snapshot, style),
  ];
  const lonely = snapshot.peerCount === 0 && ['metadata', 'downloading'].includes(snapshot.state);
  if (lonely) lines.push(colors.dim(fitText(indent + lonelyText(snapshot, messages), columns)));
  return lines;
}

/** One line for work of known size: hashing, verifying. */
export function renderWork(
  work: {
    readonly label: string;
    readonly doneBytes: number;
    readonly totalBytes: number;
    readonly bytesPerSecond: number;
  },
  style: LineStyle,
): string[] {
  const { columns, colors, messages } = style;
  const left = (work.totalBytes - work.doneBytes) / work.bytesPerSecond;
  const facts = [
    formatRate(work.bytesPerSecond),
    ...(Number.isFinite(left) ? [messages.progress.left(formatSeconds(left))] : []),
    messages.progress.of(formatBytes(work.doneBytes), formatBytes(work.totalBytes)),
  ];
  const percent = `${percentOf(work.doneBytes, work.totalBytes)} %`;
  const share = work.totalBytes === 0 ? 1 : work.doneBytes / work.totalBytes;
  return [
    colors.bold(spreadText(printable(work.label), percent, columns)),
    barLine(share, facts, columns, colors),
  ];
}

/** One torrent as a sentence for a log: everything, in no particular width. */
export function describeTorrent(snapshot: TorrentSnapshot, messages: Messages): string {
  const say = messages.progress;
  const facts = [
    ...(snapshot.state === 'downloading' || snapshot.state === 'seeding'
      ? [`${percentOf(snapshot.doneBytes, snapshot.wantedBytes)} %`]
      : []),
    ...(snapshot.state === 'downloading'
      ? [say.of(formatBytes(snapshot.doneBytes), formatBytes(snapshot.wantedBytes))]
      : [stateText(snapshot, messages)]),
    ...transferFacts(snapshot, messages),
  ];
  return say.plain(printable(snapshot.name), facts.join(', '));
}

/** The part of a line that a bar fills; `share` 0 to 1. The whole bar only when all is done. */
export function renderBar(share: number, columns: number, colors: Colors): string {
  const halves = Math.floor(Math.max(0, Math.min(1, share)) * columns * 2);
  const full = '━'.repeat(halves >> 1);
  const half = halves % 2 === 1 ? '╸' : '';
  const rest = '─'.repeat(columns - full.length - half.length);
  return colors.green(full + half) + colors.dim(rest);
}

function stateLine(snapshot: TorrentSnapshot, style: LineStyle): string {
  const { columns, colors, messages } = style;
  const text = indent + stateText(snapshot, messages);
  switch (snapshot.state) {
    case 'error':
      return colors.red(fitText(text, columns));
    case 'checking':
      return barLine(snapshot.checked, [stateText(snapshot, messages)], columns, colors);
    case 'downloading': {
      const share = snapshot.wantedBytes === 0 ? 1 : snapshot.doneBytes / snapshot.wantedBytes;
      return barLine(share, transferFacts(snapshot, messages), columns, colors);
    }
    case 'metadata':
    case 'paused':
    case 'seeding':
      return fitText([text, ...transferFacts(snapshot, messages)].join('  '), columns);
  }
}

function stateText(snapshot: TorrentSnapshot, messages: Messages): string {
  const say = messages.progress;
  switch (snapshot.state) {
    case 'error':
      return printable(messages.ofCode(snapshot.errorCode ?? '', snapshot.error ?? ''));
    case 'checking':
      return say.checking(Math.floor(snapshot.checked * 100));
    case 'metadata':
      return say.metadata;
    case 'paused':
      return say.paused;
    case 'seeding':
      return say.seeding;
    case 'downloading':
      return '';
  }
}

/** The most important first. */
function transferFacts(snapshot: TorrentSnapshot, messages: Messages): string[] {
  const say = messages.progress;
  const facts: string[] = [];
  if (snapshot.state === 'downloading') {
    facts.push(say.down(formatRate(snapshot.downRate)));
    if (snapshot.secondsLeft !== null) facts.push(say.left(formatSeconds(snapshot.secondsLeft)));
  }
  if (snapshot.state === 'seeding') facts.push(say.up(formatRate(snapshot.upRate)));
  if (snapshot.state !== 'checking' && snapshot.state !== 'error') facts.push(say.peers(snapshot.peerCount));
  if (snapshot.state === 'downloading') {
    facts.push(say.pieces(snapshot.havePieceCount, snapshot.pieceCount));
    if (snapshot.upRate >= 1) facts.push(say.up(formatRate(snapshot.upRate)));
  }
  if (snapshot.state === 'seeding') facts.push(say.sent(formatBytes(snapshot.uploadedBytes)));
  return facts;
}

function lonelyText(snapshot: TorrentSnapshot, messages: Messages): string {
  const say = messages.progress;
  const tracker =
    snapshot.trackers.find((one) => one.state === 'failed') ??
    snapshot.trackers.find((one) => one.state === 'announcing');
  if (tracker === undefined) return say.noPeers;
  const state = tracker.state === 'failed' && tracker.message !== null ? tracker.message : say.trackerAsking;
  return `${say.noPeers} · ${say.trackerState(printable(tracker.url), printable(state))}`;
}

/** A bar, and behind it as many facts as fit. */
function barLine(share: number, facts: readonly string[], columns: number, colors: Colors): string {
  const room = columns - indent.length;
  let shown = 0;
  let factColumns = 0;
  for (const fact of facts) {
    const width = 2 + widthOf(fact);
    if (barColumnsMin + factColumns + width > room) break;
    factColumns += width;
    shown++;
  }
  const barColumns = Math.max(1, Math.min(barColumnsMax, room - factColumns));
  return [indent + renderBar(share, barColumns, colors), ...facts.slice(0, shown)].join('  ');
}
