import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { globalOptions, readCommandTree } from '../command-tree.ts';
import { exitCodes } from '../exit-code.ts';
import { manualPage } from '../manual-page.ts';
import type { Session } from '../session.ts';

/** `man`: the manual page, to standard output. */
export function defineMan(command: Command, session: Session): void {
  const { help } = session.messages;
  addHelp(command, session, { summary: help.man.summary, examples: help.man.examples });
  command.action(async () => {
    const tree = { commands: await readCommandTree(session), globals: globalOptions(session) };
    session.output.result(manualPage(tree, { version: session.world.version, help }).trimEnd());
    session.finish(exitCodes.done);
  });
}
