import type { FileSnapshot, ListedTorrent, TrackerSnapshot } from '@tequio/api';
import { NodeError } from '@tequio/kernel';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { printable } from '../printable.ts';
import { type Session, withDaemon } from '../session.ts';
import { formatBytes, formatRate, percentOf } from '../size-text.ts';
import { findTorrents } from '../torrent-names.ts';

const filesShown = 50;

/** `info TORRENT`: all about one torrent of the running node. */
export function defineInfo(command: Command, session: Session): void {
  const { info: help } = session.messages.help;
  command.argument('<torrent>', help.torrent);
  addHelp(command, session, { summary: help.summary, examples: help.examples });
  command.action(async (text: string) => session.finish(await runInfo(text, session)));
}

async function runInfo(text: string, session: Session): Promise<ExitCode> {
  const { output, messages } = session;
  await withDaemon(session, async (node) => {
    const [id = ''] = await findTorrents([text], node, session);
    const torrent = await node.torrents.get(id);
    if (torrent === null) throw new NodeError('TORRENT_MISSING', messages.daemon.noTorrent(text));
    const [files, trackers] = await Promise.all([node.torrents.files(id), node.torrents.trackers(id)]);
    output.json({ type: 'info', ...torrent, files, trackers });
    const rows = rowsOf(torrent, trackers, session);
    const columns = Math.max(...rows.map(([label]) => label.length)) + 2;
    for (const [label, value] of rows) output.result(label.padEnd(columns) + value);
    tellFiles(files, session);
  });
  return exitCodes.done;
}

function rowsOf(
  torrent: ListedTorrent,
  trackers: readonly TrackerSnapshot[],
  { messages }: Session,
): (readonly [string, string])[] {
  const { info: say, states } = messages.daemon;
  const { doneBytes, wantedBytes, downloadedBytes, uploadedBytes } = torrent;
  const rows: (readonly [string, string])[] = [
    [say.name, printable(torrent.name)],
    [say.id, torrent.id],
    [say.state, states[torrent.queued ? 'queued' : torrent.state]],
  ];
  if (torrent.error !== null)
    rows.push([say.error, printable(messages.ofCode(torrent.errorCode ?? '', torrent.error))]);
  const percent = percentOf(doneBytes, wantedBytes);
  rows.push(
    [say.done, say.doneOf(percent, formatBytes(doneBytes), formatBytes(wantedBytes))],
    [say.rates, say.downUp(formatRate(torrent.downRate), formatRate(torrent.upRate))],
    [
      say.transferred,
      say.upDown(formatBytes(downloadedBytes), formatBytes(uploadedBytes), torrent.ratio.toFixed(2)),
    ],
    [say.peers, say.peersOf(torrent.peerCount, torrent.seedCount)],
    [say.folder, printable(torrent.folder)],
  );
  if (torrent.category !== null) rows.push([say.category, printable(torrent.category)]);
  if (torrent.tags.length > 0) rows.push([say.tags, torrent.tags.map(printable).join(', ')]);
  for (const { url, state, message } of trackers)
    rows.push([
      say.tracker,
      `${printable(url)}: ${say.trackerStates[state]}${message === null ? '' : ` (${printable(message)})`}`,
    ]);
  return rows;
}

function tellFiles(files: readonly FileSnapshot[], { output, messages }: Session): void {
  const shown = files.filter(({ pad }) => !pad);
  if (shown.length === 0) return;
  output.result(messages.daemon.info.files);
  for (const { path, bytes, doneBytes } of shown.slice(0, filesShown)) {
    const percent = `${percentOf(doneBytes, bytes)} %`.padStart(6);
    output.result(`${percent}  ${formatBytes(bytes).padStart(8)}  ${printable(path)}`);
  }
  if (shown.length > filesShown) output.result(`  ${messages.progress.more(shown.length - filesShown)}`);
}
