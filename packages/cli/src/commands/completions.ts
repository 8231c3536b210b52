import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { globalOptions, readCommandTree } from '../command-tree.ts';
import { completionScript, type Shell, shells } from '../completion-scripts.ts';
import { UsageError } from '../errors.ts';
import { exitCodes } from '../exit-code.ts';
import type { Session } from '../session.ts';

/** `completions SHELL`: a script for the shell, to standard output. */
export function defineCompletions(command: Command, session: Session): void {
  const { completions: help } = session.messages.help;
  command.argument('<shell>', help.shell);
  addHelp(command, session, { summary: help.summary, examples: help.examples });
  command.action(async (name: string) => {
    const shell = shells.find((one): one is Shell => one === name);
    if (shell === undefined) throw new UsageError(session.messages.setup.badShell(name, shells.join(', ')));
    const tree = { commands: await readCommandTree(session), globals: globalOptions(session) };
    session.output.result(completionScript(shell, tree).trimEnd());
    session.finish(exitCodes.done);
  });
}
