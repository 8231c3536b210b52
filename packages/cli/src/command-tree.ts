import { Command } from 'commander';
import type { Session } from './session.ts';

/** A command as completions and the manual need it. */
export type CommandLeaf = {
  readonly name: string;
  readonly summary: string;
  /** As in the help: `<source>`, `[path]`. */
  readonly args: string;
  readonly options: readonly CommandOption[];
  readonly commands: readonly CommandLeaf[];
};

export type CommandOption = {
  /** `-q, --quiet`, `--to <folder>`. */
  readonly flags: string;
  /** `--to`. */
  readonly long: string;
  readonly description: string;
  readonly takesValue: boolean;
};

/** All commands, read from what defines them: there is nothing to keep up to date. */
export async function readCommandTree(session: Session): Promise<readonly CommandLeaf[]> {
  const leaves: CommandLeaf[] = [];
  const { names, load, summaryOf } = session.commands;
  for (const name of names) {
    const command = new Command(name);
    (await load(name))(command, session);
    leaves.push({ ...leafOf(command), summary: summaryOf(name, session.messages) });
  }
  return leaves;
}

/** Options of every command. */
export function globalOptions({ messages }: Session): readonly CommandOption[] {
  const { help } = messages;
  return [
    { flags: '--data <dir>', long: '--data', description: help.data, takesValue: true },
    { flags: '--json', long: '--json', description: help.json, takesValue: false },
    { flags: '-q, --quiet', long: '--quiet', description: help.quiet, takesValue: false },
    { flags: '-h, --help', long: '--help', description: help.help, takesValue: false },
  ];
}

function leafOf(command: Command): CommandLeaf {
  return {
    name: command.name(),
    summary: command.description(),
    args: command.registeredArguments
      .map((one) => {
        const name = `${one.name()}${one.variadic ? '...' : ''}`;
        return one.required ? `<${name}>` : `[${name}]`;
      })
      .join(' '),
    options: command.options.map((option) => ({
      flags: option.flags,
      long: option.long ?? option.short ?? '',
      description: option.description,
      takesValue: option.required || option.optional,
    })),
    commands: command.commands.map(leafOf),
  };
}
