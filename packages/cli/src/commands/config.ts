import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import type { Session } from '../session.ts';

/** `config check`: every mistake in config file and environment. */
export function defineConfig(command: Command, session: Session): void {
  const { config: help, run } = session.messages.help;
  addHelp(command, session, { summary: help.summary, examples: help.examples });
  command
    .command('check')
    .description(help.check)
    .option('--config <file>', run.config)
    .action(async (flags: { readonly config?: string }) => session.finish(await checkConfig(flags, session)));
}

async function checkConfig({ config }: { readonly config?: string }, session: Session): Promise<ExitCode> {
  const { world, output, messages } = session;
  const { path, exists, problems } = await world.checkConfig({
    dataFolder: session.dataFolder,
    configPath: config === undefined ? null : world.resolvePath(config),
  });
  output.json({ type: 'config', path, exists, problems });
  for (const { key, message } of problems) output.result(messages.config.problem(key, message));
  if (problems.length > 0) {
    output.error(messages.config.bad(problems.length));
    return exitCodes.usage;
  }
  output.result(exists ? messages.config.good(path) : messages.config.none(path));
  return exitCodes.done;
}
