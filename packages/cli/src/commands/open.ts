import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { type Session, withDaemon } from '../session.ts';

/** `open`: an address that lets a browser in once. It opens nothing by itself. */
export function defineOpen(command: Command, session: Session): void {
  const { open: help } = session.messages.help;
  addHelp(command, session, { summary: help.summary, examples: help.examples });
  command.action(async () => session.finish(await runOpen(session)));
}

async function runOpen(session: Session): Promise<ExitCode> {
  const { output } = session;
  await withDaemon(session, async (node) => {
    const url = `${node.url}#token=${await node.makeOneTimeToken()}`;
    output.json({ type: 'open', url });
    output.result(url);
  });
  return exitCodes.done;
}
