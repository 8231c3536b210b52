import { join } from 'node:path';
import { encodeUtf8 } from '@tequio/kernel';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { UsageError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { offlineSettings, type Session, withNode } from '../session.ts';
import { systemdUnit } from '../systemd-unit.ts';

type InstallFlags = { readonly print?: boolean; readonly download?: string };

/** `service install`: the node as a service of the user, by systemd. */
export function defineService(command: Command, session: Session): void {
  const { service: help, run } = session.messages.help;
  addHelp(command, session, { summary: help.summary, examples: help.examples });
  command
    .command('install')
    .description(help.install)
    .option('--print', help.print)
    .option('--download <folder>', run.download)
    .action(async (flags: InstallFlags) => session.finish(await installService(flags, session)));
}

async function installService({ print, download }: InstallFlags, session: Session): Promise<ExitCode> {
  const { world, output, messages } = session;
  const home = world.env['HOME'];
  if (home === undefined) throw new UsageError(messages.setup.noHome);
  const content = download === undefined ? join(home, 'Downloads') : world.resolvePath(download);
  const code = await withNode(session, offlineSettings(session), async (node) => {
    const data = node.dataFolder;
    const unit = systemdUnit({
      command: [...world.selfCommand, 'run', '--data', data, '--download', content],
      folders: [data, content],
    });
    if (print === true) {
      output.result(unit.trimEnd());
      return exitCodes.done;
    }
    const path = join(world.env['XDG_CONFIG_HOME'] || join(home, '.config'), 'systemd/user/tequio.service');
    await node.files.write(path, encodeUtf8(unit));
    output.json({ type: 'service', path });
    output.result(messages.setup.installed(path));
    output.note(messages.setup.enable(`mkdir -p "${data}" "${content}"`));
    return exitCodes.done;
  });
  return code;
}
