import type { Scope } from '@tequio/api';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { UsageError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { printable } from '../printable.ts';
import { type Session, withDaemon } from '../session.ts';
import { alignColumns } from './list.ts';

const scopes: readonly Scope[] = ['read', 'write', 'admin'];

type AddFlags = { readonly scope: Scope; readonly user?: string };

/** `keys`, `keys add NAME`, `keys remove ID`: who may come in, besides people. */
export function defineKeys(command: Command, session: Session): void {
  const { keys: help } = session.messages.help;
  addHelp(command, session, { summary: help.summary, examples: help.examples });
  const list = command.command('list', { isDefault: true });
  addHelp(list, session, { summary: help.summary, examples: help.examples.slice(0, 1) });
  list.action(async () => session.finish(await runList(session)));
  const add = command
    .command('add')
    .argument('<name>', help.name)
    .option('--scope <scope>', help.scope, (text) => scopeOf(text, session), 'write' as Scope)
    .option('--user <name>', help.user);
  addHelp(add, session, { summary: help.add, examples: help.examples.slice(1) });
  add.action(async (name: string, flags: AddFlags) => session.finish(await runAdd(name, flags, session)));
  const remove = command.command('remove').argument('<id>', help.id);
  addHelp(remove, session, { summary: help.remove, examples: [] });
  remove.action(async (id: string) => session.finish(await runRemove(id, session)));
}

/** @throws UsageError */
export function scopeOf(text: string, { messages }: Session): Scope {
  const scope = scopes.find((known) => known === text);
  if (scope === undefined) throw new UsageError(messages.daemon.badScope(text));
  return scope;
}

async function runList(session: Session): Promise<ExitCode> {
  const { output, messages } = session;
  const keys = await withDaemon(session, (node) => node.users.keys());
  for (const key of keys) output.json({ type: 'key', ...key });
  if (keys.length === 0) output.note(messages.daemon.noKeys);
  const lines = keys.map(({ id, scope, lastUsedAtMs, name }) => [
    id,
    scope,
    lastUsedAtMs === null ? messages.daemon.neverUsed : new Date(lastUsedAtMs).toISOString(),
    printable(name),
  ]);
  for (const line of alignColumns(lines)) output.result(line);
  return exitCodes.done;
}

async function runAdd(name: string, options: AddFlags, session: Session): Promise<ExitCode> {
  const { output, messages } = session;
  const made = await withDaemon(session, (node) => node.users.makeKey({ name, ...options }));
  output.json({ type: 'key', ...made });
  output.note(messages.daemon.keyMade(printable(name)));
  output.result(made.key);
  return exitCodes.done;
}

async function runRemove(id: string, session: Session): Promise<ExitCode> {
  await withDaemon(session, (node) => node.users.removeKey(id));
  session.output.json({ type: 'removed', id });
  session.output.result(session.messages.daemon.keyRemoved);
  return exitCodes.done;
}
