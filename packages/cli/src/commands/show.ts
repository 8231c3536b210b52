import type { ShownTorrent } from '@tequio/api';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { shownTorrentToJson } from '../json-output.ts';
import type { Messages } from '../messages/en.ts';
import { printable } from '../printable.ts';
import { offlineSettings, type Session, withNode } from '../session.ts';
import { formatBytes } from '../size-text.ts';
import { readTorrentInput } from '../torrent-input.ts';

/** `show FILE|MAGNET`: what is in a torrent. Nothing is downloaded. */
export function defineShow(command: Command, session: Session): void {
  const { help } = session.messages;
  command.argument('<source>', help.show.source);
  addHelp(command, session, {
    summary: help.show.summary,
    notes: help.show.notes,
    examples: help.show.examples,
  });
  command.action(async (source: string) => session.finish(await runShow(source, session)));
}

async function runShow(source: string, session: Session): Promise<ExitCode> {
  const shown = await withNode(session, offlineSettings(session), async (node) =>
    node.bittorrent.show(await readTorrentInput(session, node, source)),
  );
  session.output.json(shownTorrentToJson(shown));
  for (const line of describeShown(shown, session.messages)) session.output.result(line);
  return exitCodes.done;
}

function describeShown(shown: ShownTorrent, messages: Messages): string[] {
  const say = messages.show;
  const isKnown = shown.pieceCount > 0;
  const facts: (readonly [string, string | null])[] = [
    [say.name, shown.name],
    [say.hashV1, shown.infoHashV1],
    [say.hashV2, shown.infoHashV2],
    [say.size, isKnown ? say.bytes(formatBytes(contentBytesOf(shown)), contentBytesOf(shown)) : null],
    [say.pieces, isKnown ? say.piecesOf(shown.pieceCount, formatBytes(shown.pieceBytes)) : null],
    [say.private, shown.private ? say.yes : null],
    ...shown.trackers.map((tier, index) => [index === 0 ? say.trackers : '', tier.join(', ')] as const),
    ...shown.webSeeds.map((url, index) => [index === 0 ? say.webSeeds : '', url] as const),
    [say.comment, shown.comment],
    [say.createdBy, shown.createdBy],
    [say.createdAt, shown.createdAt === null ? null : dateOf(shown.createdAt)],
    [say.source, shown.source],
    ...shown.similar.map((hash, index) => [index === 0 ? say.similar : '', hash] as const),
    ...shown.collections.map((name, index) => [index === 0 ? say.collections : '', name] as const),
    [say.link, shown.magnet],
  ];
  const given = facts.filter((fact): fact is readonly [string, string] => fact[1] !== null);
  const columns = Math.max(...given.map(([label]) => label.length)) + 2;
  return [
    ...given.map(([label, text]) => label.padEnd(columns) + printable(text)),
    ...(isKnown ? describeFiles(shown, messages) : ['', say.onlyFromPeers]),
    ...describeNameChanges(shown, messages),
  ];
}

/** What the user gets on disk: pad files are never written. */
function contentBytesOf(shown: ShownTorrent): number {
  return shown.files.reduce((sum, file) => sum + (file.pad ? 0 : file.bytes), 0);
}

function describeFiles(shown: ShownTorrent, messages: Messages): string[] {
  const files = shown.files.filter((file) => !file.pad);
  return [
    '',
    messages.show.files(files.length),
    ...files.map((file) => `${formatBytes(file.bytes).padStart(12)}  ${printable(file.path)}`),
  ];
}

function describeNameChanges(shown: ShownTorrent, messages: Messages): string[] {
  if (shown.nameChanges.length === 0) return [];
  const say = messages.show;
  return [
    '',
    say.nameChanges,
    ...shown.nameChanges.map(
      ({ was, is, reason }) => `  ${say.nameChange(printable(was), printable(is), printable(reason))}`,
    ),
  ];
}

/** UTC, as ISO 8601 writes it; a number that is no date stays a number. */
function dateOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace('.000Z', 'Z');
}
