import type { AddTorrent } from '@tequio/api';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { createOptionParsers } from '../option-parsers.ts';
import { printable } from '../printable.ts';
import { offlineSettings, type Session, withDaemon, withNode } from '../session.ts';
import { readTorrentInput } from '../torrent-input.ts';

type AddFlags = {
  readonly to?: string;
  readonly category?: string;
  readonly tag?: readonly string[];
  readonly select?: readonly string[];
  readonly sequential?: boolean;
  readonly paused?: boolean;
};

/** `add SOURCE...`: gives torrents to the running node and ends. */
export function defineAdd(command: Command, session: Session): void {
  const { add: help, get } = session.messages.help;
  const parsers = createOptionParsers(session.messages);
  command
    .argument('<source...>', help.source)
    .option('--to <dir>', help.to)
    .option('--category <name>', help.category)
    .option('--tag <name>', help.tag, parsers.texts)
    .option('--select <glob>', get.select, parsers.texts)
    .option('--sequential', get.sequential)
    .option('--paused', help.paused);
  addHelp(command, session, { summary: help.summary, notes: help.notes, examples: help.examples });
  command.action(async (sources: string[], flags: AddFlags) =>
    session.finish(await runAdd(sources, flags, session)),
  );
}

/** Reads every source before the first is given away, so that a mistake in the last does not leave half of the work. */
async function runAdd(texts: readonly string[], flags: AddFlags, session: Session): Promise<ExitCode> {
  const { output, messages } = session;
  const sources = await withNode(session, offlineSettings(session), async (local) => {
    const read = [];
    for (const text of texts) read.push(await readTorrentInput(session, local, text));
    return read;
  });
  await withDaemon(session, async (node) => {
    for (const source of sources) {
      const added = await node.torrents.add({ source, ...optionsOf(flags, session) });
      const name = printable((await node.torrents.get(added.id))?.name ?? added.id);
      output.json({ type: 'added', ...added, name });
      const id = added.id.slice(0, 8);
      output.result(added.known ? messages.daemon.known(name, id) : messages.daemon.added(name, id));
    }
  });
  return exitCodes.done;
}

function optionsOf(flags: AddFlags, { world }: Session): Omit<AddTorrent, 'source'> {
  return {
    ...(flags.to === undefined ? {} : { folder: world.resolvePath(flags.to) }),
    ...(flags.category === undefined ? {} : { category: flags.category }),
    ...(flags.tag === undefined ? {} : { tags: flags.tag }),
    ...(flags.select === undefined ? {} : { select: flags.select }),
    ...(flags.sequential === true ? { sequential: true } : {}),
    ...(flags.paused === true ? { paused: true } : {}),
  };
}
