import type { Command } from 'commander';
import type { Session } from './session.ts';

/** Puts notes and examples behind a command's help. */
export function addHelp(
  command: Command,
  session: Session,
  more: { readonly notes?: string; readonly examples: readonly (readonly [string, string])[] },
): Command {
  const { help } = session.messages;
  const notes = more.notes === undefined ? '' : `\n${more.notes}\n`;
  const examples = more.examples
    .map(([line, what]) => `  ${session.programName} ${line}\n      ${what}`)
    .join('\n');
  return command.addHelpText('after', `${notes}\n${help.examples}\n${examples}`);
}
