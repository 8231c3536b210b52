import type { BanSnapshot, NodeSettings } from '@tequio/api';
import { NodeError } from '@tequio/kernel';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { printable } from '../printable.ts';
import { findDaemon, offlineSettings, type Session, withNode } from '../session.ts';

/** `bans`, `bans add ADDRESS`, `bans remove ADDRESS`: whom the node does not speak to, and why. */
export function defineBans(command: Command, session: Session): void {
  const { bans: help } = session.messages.help;
  addHelp(command, session, { summary: help.summary, notes: help.notes, examples: help.examples });
  const define = (name: 'list' | 'add' | 'remove', options: { isDefault?: boolean } = {}): Command => {
    const examples = help.examples.filter(([line]) => line.startsWith(`bans ${name}`));
    return addHelp(command.command(name, options), session, { summary: help[name], examples });
  };
  define('list', { isDefault: true }).action(async () => session.finish(await runList(session)));
  define('add')
    .argument('<address>', help.address)
    .option('--reason <text>', help.reason)
    .action(async (address: string, flags: { readonly reason?: string }) =>
      session.finish(await runAdd(address, flags.reason ?? session.messages.bans.byUser, session)),
    );
  define('remove')
    .argument('<address>', help.address)
    .action(async (address: string) => session.finish(await runRemove(address, session)));
}

async function runList(session: Session): Promise<ExitCode> {
  const { output, messages } = session;
  const bans = await withBans(session, (node) => node.bans());
  output.json({ type: 'bans', bans });
  const columns = Math.max(0, ...bans.map(({ address }) => address.length)) + 2;
  for (const { address, message, untilMs } of bans) {
    const until = untilMs === null ? messages.bans.always : messages.bans.until(timeOf(untilMs));
    output.result(`${address.padEnd(columns)}${until}  ${printable(message)}`);
  }
  if (bans.length === 0) output.note(messages.bans.none);
  return exitCodes.done;
}

async function runAdd(address: string, reason: string, session: Session): Promise<ExitCode> {
  await withBans(session, (node) => node.ban(address, reason));
  session.output.json({ type: 'ban', address });
  session.output.result(session.messages.bans.added(address));
  return exitCodes.done;
}

async function runRemove(address: string, session: Session): Promise<ExitCode> {
  if (!(await withBans(session, (node) => node.unban(address))))
    throw new NodeError('SOURCE_MISSING', session.messages.bans.missing(printable(address)));
  session.output.json({ type: 'unban', address });
  session.output.result(session.messages.bans.removed(address));
  return exitCodes.done;
}

type Bans = {
  bans(): readonly BanSnapshot[] | Promise<readonly BanSnapshot[]>;
  ban(address: string, message: string): void | Promise<void>;
  unban(address: string): boolean | Promise<boolean>;
};

/** Of the node that runs; else of one that opens the same data and talks to nobody. */
async function withBans<Value>(
  session: Session,
  work: (node: Bans) => Value | Promise<Value>,
): Promise<Value> {
  const daemon = await findDaemon(session);
  if (daemon !== null) return session.interrupt.race(Promise.resolve(work(daemon.client.network)));
  return withNode(session, quietSettings(session), async (node) => work(node.bittorrent));
}

function quietSettings(session: Session): NodeSettings {
  const alone = { offline: false, port: 0, bind: '127.0.0.1', transport: 'tcp' } as const;
  return { ...offlineSettings(session), ...alone, pex: false, lsd: false, dht: null };
}

/** `2026-11-22 23:30`, on the user's clock. */
function timeOf(wallMs: number): string {
  const local = new Date(wallMs - new Date(wallMs).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16).replace('T', ' ');
}
