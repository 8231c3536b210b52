import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { type Session, withDaemon } from '../session.ts';

/** `password [--user NAME]`: read from standard input, so that it stands in no list of processes and no history. */
export function definePassword(command: Command, session: Session): void {
  const { password: help } = session.messages.help;
  command.option('--user <name>', help.user);
  addHelp(command, session, { summary: help.summary, notes: help.notes, examples: help.examples });
  command.action(async (flags: { readonly user?: string }) =>
    session.finish(await runPassword(flags.user ?? null, session)),
  );
}

async function runPassword(user: string | null, session: Session): Promise<ExitCode> {
  const { output, messages, world } = session;
  await withDaemon(session, async (node) => {
    const [password = ''] = (await world.readStandardInput()).split(/\r?\n/);
    await node.users.setPassword(user, password);
    output.json({ type: 'password', user, isSet: password !== '' });
    output.result(password === '' ? messages.daemon.passwordGone : messages.daemon.passwordSet);
  });
  return exitCodes.done;
}
