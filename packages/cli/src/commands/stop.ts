import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { type Session, withDaemon } from '../session.ts';

/** `stop`: ends the running node. */
export function defineStop(command: Command, session: Session): void {
  const { stop: help } = session.messages.help;
  addHelp(command, session, { summary: help.summary, examples: help.examples });
  command.action(async () => session.finish(await runStop(session)));
}

async function runStop(session: Session): Promise<ExitCode> {
  await withDaemon(session, (node) => node.status.shutdown());
  session.output.json({ type: 'stop' });
  session.output.result(session.messages.daemon.stopping);
  return exitCodes.done;
}
