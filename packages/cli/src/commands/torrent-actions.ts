import type { NodeClient } from '@tequio/client';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { type Session, withDaemon } from '../session.ts';
import { findTorrents } from '../torrent-names.ts';

type Act = (node: NodeClient, ids: readonly string[]) => Promise<void>;

/** `pause TORRENT...` */
export function definePause(command: Command, session: Session): void {
  define('pause', command, session, () => (node, ids) => node.torrents.pause(ids));
}

/** `resume TORRENT...` */
export function defineResume(command: Command, session: Session): void {
  define('resume', command, session, () => (node, ids) => node.torrents.resume(ids));
}

/** `remove TORRENT... [--delete]` */
export function defineRemove(command: Command, session: Session): void {
  command.option('--delete', session.messages.help.remove.delete);
  define(
    'remove',
    command,
    session,
    (flags) => (node, ids) => node.torrents.remove(ids, { removeContent: flags.delete === true }),
  );
}

function define(
  name: 'pause' | 'resume' | 'remove',
  command: Command,
  session: Session,
  actOf: (flags: { readonly delete?: boolean }) => Act,
): void {
  const help = session.messages.help[name];
  command.argument('<torrent...>', help.torrent);
  addHelp(command, session, { summary: help.summary, examples: help.examples });
  command.action(async (texts: string[], flags: { readonly delete?: boolean }) =>
    session.finish(await run(name, texts, actOf(flags), session)),
  );
}

async function run(
  name: 'pause' | 'resume' | 'remove',
  texts: readonly string[],
  act: Act,
  session: Session,
): Promise<ExitCode> {
  const { output, messages } = session;
  const ids = await withDaemon(session, async (node) => {
    const found = await findTorrents(texts, node, session);
    if (found.length > 0) await act(node, found);
    return found;
  });
  const say = {
    pause: messages.daemon.paused,
    resume: messages.daemon.resumed,
    remove: messages.daemon.removed,
  };
  output.json({ type: name, torrents: ids });
  output.result(say[name](ids.length));
  return exitCodes.done;
}
