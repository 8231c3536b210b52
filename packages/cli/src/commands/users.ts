import type { Scope, User, UserState } from '@tequio/api';
import type { NodeClient } from '@tequio/client';
import { NodeError } from '@tequio/kernel';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { UsageError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { type Session, withDaemon } from '../session.ts';
import { formatBytes, tryParseBytes } from '../size-text.ts';
import { scopeOf } from './keys.ts';
import { alignColumns } from './list.ts';

/** Takes a limit away. */
const none = 'none';

/** What was said of a user. */
type UserFlags = {
  readonly scope?: Scope;
  readonly folder?: string | typeof none;
  readonly quota?: number | typeof none;
  readonly torrents?: number | typeof none;
};

const newUser = { scope: 'write', folder: null, quotaBytes: null, torrentCountMax: null } as const;

/** `users`, `users add NAME`, `users change NAME`, `users remove NAME`. */
export function defineUsers(command: Command, session: Session): void {
  const { users: help } = session.messages.help;
  addHelp(command, session, { summary: help.summary, examples: help.examples });
  const list = command.command('list', { isDefault: true });
  addHelp(list, session, { summary: help.summary, examples: help.examples.slice(0, 1) });
  list.action(async () => session.finish(await runList(session)));
  const add = withRights(command.command('add').argument('<name>', help.name), session);
  addHelp(add, session, { summary: help.add, examples: help.examples.slice(1) });
  add.action(async (name: string, flags: UserFlags) => session.finish(await runAdd(name, flags, session)));
  const change = withRights(command.command('change').argument('<name>', help.name), session);
  addHelp(change, session, { summary: help.change, examples: help.examples.slice(2, 3) });
  change.action(async (name: string, flags: UserFlags) =>
    session.finish(await runChange(name, flags, session)),
  );
  const remove = command.command('remove').argument('<name>', help.name);
  addHelp(remove, session, { summary: help.remove, examples: [] });
  remove.action(async (name: string) => session.finish(await runRemove(name, session)));
}

function withRights(command: Command, session: Session): Command {
  const { world, messages } = session;
  const { users: help } = messages.help;
  const orNone =
    <Value>(read: (text: string) => Value) =>
    (text: string): Value | typeof none =>
      text === none ? none : read(text);
  return command
    .option('--scope <scope>', help.scope, (text) => scopeOf(text, session))
    .option('--folder <dir>', help.folder, orNone(world.resolvePath))
    .option(
      '--quota <size>',
      help.quota,
      orNone((text) => given(tryParseBytes(text), messages.daemon.badQuota(text))),
    )
    .option(
      '--torrents <count>',
      help.torrents,
      orNone((text) =>
        given(/^\d{1,9}$/.test(text) ? Number(text) : null, messages.daemon.badTorrentCount(text)),
      ),
    );
}

/** @throws UsageError */
function given<Value>(value: Value | null, sentence: string): Value {
  if (value === null) throw new UsageError(sentence);
  return value;
}

async function runList(session: Session): Promise<ExitCode> {
  const { output, messages } = session;
  const users = await withDaemon(session, (node) => node.users.users());
  for (const user of users) output.json({ type: 'user', ...user });
  if (users.length === 0) output.note(messages.daemon.noUsers);
  else {
    const { name, scope, torrents, used, folder } = messages.daemon.userColumns;
    const lines = users.map((user) => cellsOf(user, session));
    for (const line of alignColumns([[name, scope, torrents, used, folder], ...lines])) output.result(line);
  }
  return exitCodes.done;
}

function cellsOf(user: UserState, { messages }: Session): string[] {
  const { ofMax } = messages.daemon;
  const { name, scope, folder, torrentCount, torrentCountMax, usedBytes, quotaBytes } = user;
  return [
    name,
    scope,
    torrentCountMax === null ? `${torrentCount}` : ofMax(`${torrentCount}`, `${torrentCountMax}`),
    quotaBytes === null ? formatBytes(usedBytes) : ofMax(formatBytes(usedBytes), formatBytes(quotaBytes)),
    folder ?? '-',
  ];
}

async function runAdd(name: string, flags: UserFlags, session: Session): Promise<ExitCode> {
  const { output, messages } = session;
  const user = await withDaemon(session, async (node) => {
    if ((await tryUser(name, node)) !== null) throw new UsageError(messages.daemon.userThere(name));
    return put({ name, ...newUser }, flags, node);
  });
  output.json({ type: 'user', ...user });
  output.result(messages.daemon.userAdded(name));
  return exitCodes.done;
}

async function runChange(name: string, flags: UserFlags, session: Session): Promise<ExitCode> {
  const { output, messages } = session;
  const user = await withDaemon(session, async (node) =>
    put(await existing(name, node, session), flags, node),
  );
  output.json({ type: 'user', ...user });
  output.result(messages.daemon.userChanged(name));
  return exitCodes.done;
}

async function runRemove(name: string, session: Session): Promise<ExitCode> {
  await withDaemon(session, async (node) => {
    await existing(name, node, session);
    await node.users.removeUser(name);
  });
  session.output.json({ type: 'removed', user: name });
  session.output.result(session.messages.daemon.userRemoved(name));
  return exitCodes.done;
}

async function put(known: User, flags: UserFlags, node: NodeClient): Promise<User> {
  const { name, scope, folder, quotaBytes, torrentCountMax } = known;
  const user = {
    name,
    scope: flags.scope ?? scope,
    folder: orBefore(flags.folder, folder),
    quotaBytes: orBefore(flags.quota, quotaBytes),
    torrentCountMax: orBefore(flags.torrents, torrentCountMax),
  };
  await node.users.putUser(user);
  return user;
}

function orBefore<Value>(said: Value | typeof none | undefined, before: Value | null): Value | null {
  return said === undefined ? before : said === none ? null : said;
}

async function tryUser(name: string, node: NodeClient): Promise<UserState | null> {
  return (await node.users.users()).find((user) => user.name === name) ?? null;
}

/** @throws NodeError `USER_MISSING` */
async function existing(name: string, node: NodeClient, { messages }: Session): Promise<UserState> {
  const user = await tryUser(name, node);
  if (user === null) throw new NodeError('USER_MISSING', messages.daemon.noUser(name));
  return user;
}
