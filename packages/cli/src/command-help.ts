import type { Command } from 'commander';
import type { CliWorld } from './cli-world.ts';
import type { Session } from './session.ts';

/** Gives a command its description, and notes and examples behind its help. */
export function addHelp(
  command: Command,
  session: Session,
  more: {
    readonly summary: string;
    readonly notes?: string;
    readonly examples: readonly (readonly [string, string])[];
  },
): Command {
  const { messages, world, programName } = session;
  const notes = more.notes === undefined ? '' : `\n${wrapText(more.notes, helpColumnsOf(world))}\n`;
  const examples = more.examples.map(([line, what]) => `  ${programName} ${line}\n      ${what}`).join('\n');
  const [first = '', ...rest] = more.summary;
  return command
    .description(`${first.toUpperCase()}${rest.join('')}.`)
    .addHelpText('after', `${notes}\n${messages.help.examples}\n${examples}`);
}

/** Help is read in lines of at most a hundred columns, also on a wide screen. */
export function helpColumnsOf(world: CliWorld): number {
  return Math.min(100, Math.max(40, world.stderr.columns || 80));
}

/** The words of a text in lines of at most `columns`; a longer word has a line of its own. */
export function wrapText(text: string, columns: number): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}
