import type { ListedTorrent, TorrentGroup, TorrentListQuery } from '@tequio/api';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { UsageError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { createOptionParsers } from '../option-parsers.ts';
import { printable } from '../printable.ts';
import { type Session, withDaemon } from '../session.ts';
import { formatBytes, formatRate, percentOf } from '../size-text.ts';

type ListFlags = {
  readonly filter?: string;
  readonly state?: readonly string[];
  readonly sort?: string;
  readonly limit?: number;
};

const groups: readonly TorrentGroup[] = [
  'metadata',
  'checking',
  'downloading',
  'seeding',
  'paused',
  'error',
  'active',
  'stalled',
  'queued',
  'finished',
];

/** By which field, and whether the largest comes first. */
const sorts: Readonly<Record<string, readonly [NonNullable<TorrentListQuery['sort']>, boolean]>> = {
  name: ['name', false],
  size: ['wantedBytes', true],
  progress: ['progress', true],
  down: ['downRate', true],
  up: ['upRate', true],
  ratio: ['ratio', true],
  added: ['addedAtMs', false],
};

/** `list`: the torrents of the running node. */
export function defineList(command: Command, session: Session): void {
  const { list: help } = session.messages.help;
  const say = session.messages.daemon;
  const parsers = createOptionParsers(session.messages);
  command
    .option('--filter <words>', help.filter)
    .option('--state <state>', help.state, parsers.texts)
    .option('--sort <what>', help.sort)
    .option('--limit <count>', help.limit, (text) => {
      const count = Number(text);
      if (!Number.isInteger(count) || count < 1 || count > 5000) throw new UsageError(say.badCount(text));
      return count;
    });
  addHelp(command, session, { summary: help.summary, notes: help.notes, examples: help.examples });
  command.action(async (flags: ListFlags) => session.finish(await runList(flags, session)));
}

async function runList(flags: ListFlags, session: Session): Promise<ExitCode> {
  const { output, messages } = session;
  const say = messages.daemon;
  const query = queryOf(flags, session);
  const { rows, totalCount } = await withDaemon(session, (node) => node.torrents.list(query));
  for (const row of rows) output.json({ type: 'torrent', ...row });
  if (output.isJson) return exitCodes.done;
  if (rows.length === 0) {
    const isAll = flags.filter === undefined && flags.state === undefined;
    output.note(isAll ? say.noTorrents : say.noneFits);
    return exitCodes.done;
  }
  const { columns } = say;
  const lines = [
    [columns.id, columns.done, columns.size, columns.down, columns.up, columns.state, columns.name],
    ...rows.map((row) => cellsOf(row, session)),
  ];
  for (const line of alignColumns(lines)) output.result(line);
  if (rows.length < totalCount) output.note(say.more(rows.length, totalCount));
  return exitCodes.done;
}

function queryOf(flags: ListFlags, { messages }: Session): TorrentListQuery {
  const say = messages.daemon;
  const sort = sorts[flags.sort ?? 'added'];
  if (sort === undefined) throw new UsageError(say.badSort(flags.sort ?? ''));
  const wanted = (flags.state ?? []).flatMap((text) => text.split(','));
  for (const text of wanted)
    if (!groups.some((group) => group === text)) throw new UsageError(say.badState(text));
  return {
    filter: {
      ...(flags.filter === undefined ? {} : { text: flags.filter }),
      ...(wanted.length === 0 ? {} : { groups: wanted as TorrentGroup[] }),
    },
    sort: sort[0],
    descending: sort[1],
    limit: flags.limit ?? 1000,
  };
}

function cellsOf(row: ListedTorrent, { messages }: Session): string[] {
  return [
    row.id.slice(0, 8),
    `${percentOf(row.doneBytes, row.wantedBytes)} %`,
    formatBytes(row.wantedBytes),
    row.downRate > 0 ? formatRate(row.downRate) : '-',
    row.upRate > 0 ? formatRate(row.upRate) : '-',
    messages.daemon.states[row.queued ? 'queued' : row.state],
    printable(row.name),
  ];
}

/** Numbers to the right, words to the left; the last column as long as it is. */
export function alignColumns(lines: readonly (readonly string[])[]): string[] {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((cells) => (cells[column] ?? '').length)),
  );
  return lines.map((cells) =>
    cells
      .map((cell, column) => {
        if (column === cells.length - 1) return cell;
        return column >= 1 && column <= 4 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
      })
      .join('  '),
  );
}
