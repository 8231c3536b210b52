import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { printable } from '../printable.ts';
import { type Session, withDaemon } from '../session.ts';
import { findTorrents } from '../torrent-names.ts';

/** `twin TORRENT... [--v2]`: torrents of today's version beside those of the old one. */
export function defineTwin(command: Command, session: Session): void {
  const { twin: help } = session.messages.help;
  command.argument('<torrent...>', help.torrent).option('--v2', help.v2);
  addHelp(command, session, { summary: help.summary, notes: help.notes, examples: help.examples });
  command.action(async (texts: string[], flags: { readonly v2?: boolean }) =>
    session.finish(await runTwin(texts, flags.v2 === true ? 'v2' : 'hybrid', session)),
  );
}

async function runTwin(
  texts: readonly string[],
  version: 'v2' | 'hybrid',
  session: Session,
): Promise<ExitCode> {
  const { output, messages } = session;
  await withDaemon(session, async (node) => {
    for (const torrent of await findTorrents(texts, node, session)) {
      const { id, known } = await node.torrents.makeTwin(torrent, version);
      const name = printable((await node.torrents.get(id))?.name ?? '');
      output.json({ type: 'twin', torrent, id, known });
      output.result(known ? messages.daemon.twinKnown(name, id) : messages.daemon.twinMade(name, id));
    }
  });
  return exitCodes.done;
}
