/** `ipfs files|name|key|…`: kubo's verbs of a node that is running, with kubo's options, written `--name=value`. */
import { callKubo, jsonLines } from '@tequio/client';
import { NodeError } from '@tequio/kernel';
import type { Command } from 'commander';
import { UsageError } from '../errors.ts';
import { exitCodes } from '../exit-code.ts';
import { printable } from '../printable.ts';
import { findDaemon, offlineSettings, type Session, withNode } from '../session.ts';

/** By group, the actions in it; an empty one is the group's own name. */
const verbs = {
  id: [''],
  version: [''],
  get: [''],
  resolve: [''],
  refs: ['', 'local'],
  ping: [''],
  files: ['ls', 'stat', 'read', 'write', 'mkdir', 'cp', 'mv', 'rm', 'flush', 'chmod', 'touch'],
  key: ['gen', 'list', 'rename', 'rm', 'import', 'export'],
  name: ['publish', 'resolve', 'pubsub/state', 'pubsub/subs', 'pubsub/cancel'],
  dag: ['get', 'put', 'resolve', 'stat', 'export', 'import'],
  cid: ['format', 'base32', 'inspect', 'codecs', 'hashes', 'bases'],
  swarm: ['peers', 'connect', 'disconnect', 'addrs', 'addrs/local', 'addrs/listen', 'resources'],
  routing: ['findprovs', 'findpeer', 'provide', 'get', 'put'],
  dht: ['query'],
  pubsub: ['sub', 'pub', 'ls', 'peers'],
  bitswap: ['stat', 'wantlist', 'ledger'],
  stats: ['bw', 'bitswap', 'repo', 'dht'],
  config: ['', 'show', 'replace', 'profile/apply'],
  bootstrap: ['', 'list', 'add', 'rm'],
} as const;

export type NodeVerbGroup = keyof typeof verbs;

/** The last argument is a file of this computer, or `-` for standard input. */
const fileVerbs = new Set([
  'files/write',
  'dag/put',
  'dag/import',
  'key/import',
  'pubsub/pub',
  'routing/put',
  'config/replace',
]);
/** Topics are bytes, written in base 64. */
const topicVerbs = new Set(['pubsub/sub', 'pubsub/pub', 'pubsub/peers']);
const shortFlags: Readonly<Record<string, string>> = {
  '-r': 'recursive',
  '-p': 'parents',
  '-l': 'long',
  '-v': 'verbose',
  '-f': 'force',
  '-e': 'create',
};
const fileBytesMax = 256 << 20;

/** @param define makes a command below `ipfs` */
export function defineNodeVerbs(
  command: Command,
  session: Session,
  define: (parent: Command, name: string, summary: string) => Command,
): void {
  const help = session.messages.help.ipfs;
  for (const [group, actions] of Object.entries(verbs) as [NodeVerbGroup, readonly string[]][]) {
    const names = actions.filter((action) => action !== '').map((action) => action.replace('/', ' '));
    const summary = names.length === 0 ? help.node[group] : `${help.node[group]} (${names.join(', ')})`;
    define(command, group, summary)
      .argument('[words...]', help.words)
      .allowUnknownOption()
      .action((_words: string[], _flags: unknown, { args }: Command) => call(group, args, session));
  }
}

async function call(group: NodeVerbGroup, typed: readonly string[], session: Session): Promise<void> {
  const { verb, words } = verbOf(group, typed, session);
  const query: [string, string][] = [];
  const args: string[] = [];
  for (const word of words) {
    const option = /^--([a-z0-9][a-z0-9-]*)(?:=(.*))?$/s.exec(word);
    const short = shortFlags[word];
    if (option !== null) query.push([option[1]!, option[2] ?? 'true']);
    else if (short !== undefined) query.push([short, 'true']);
    else args.push(word);
  }
  const path = fileVerbs.has(verb) ? args.pop() : undefined;
  if (fileVerbs.has(verb) && path === undefined) throw new UsageError(session.messages.ipfs.needsFile);
  const at = await findDaemon(session);
  if (at === null)
    throw new NodeError('CLI_NO_DAEMON', session.messages.daemon.none(`${session.programName} run`));
  const content = path === undefined ? undefined : await read(path, session);
  for (const [index, arg] of args.entries())
    query.push(['arg', index === 0 && topicVerbs.has(verb) ? `u${base64url(arg)}` : arg]);
  const { signal } = session.interrupt;
  const reply = await callKubo(at, { verb, query, ...(content === undefined ? null : { content }) }, signal);
  if (reply.isContent) for await (const bytes of reply.body) await session.world.stdout.writeBytes(bytes);
  else for await (const value of jsonLines(reply.body)) show(value, verb, session);
  session.finish(exitCodes.done);
}

/** As many words as make a verb, and the rest. */
function verbOf(
  group: NodeVerbGroup,
  typed: readonly string[],
  session: Session,
): { readonly verb: string; readonly words: readonly string[] } {
  const actions: readonly string[] = verbs[group];
  for (const count of [2, 1, 0]) {
    const action = typed.slice(0, count).join('/');
    if (typed.length >= count && actions.includes(action))
      return { verb: action === '' ? group : `${group}/${action}`, words: typed.slice(count) };
  }
  throw new UsageError(session.messages.ipfs.missingAction);
}

async function read(path: string, session: Session): Promise<Uint8Array> {
  if (path === '-') return new TextEncoder().encode(await session.world.readStandardInput());
  return withNode(session, offlineSettings(session), (node) =>
    node.files.read(session.world.resolvePath(path), fileBytesMax),
  );
}

function base64url(text: string): string {
  const binary = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

type Fields = Readonly<Record<string, unknown>>;

/** What there is one line for is a line; all else is shown as it came. */
function show(value: unknown, verb: string, { output }: Session): void {
  output.json({ type: 'ipfs', verb, value });
  for (const line of linesOf(value)) output.result(printable(line));
}

function linesOf(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [String(value)];
  const fields = value as Fields;
  for (const name of ['Strings', 'Peers', 'Keys', 'Entries']) {
    const list = fields[name];
    if (Array.isArray(list)) return list.map(itemText);
    if (list === null) return [];
  }
  const text = fields['Ref'] ?? fields['Path'] ?? fields['Text'] ?? fields['Formatted'];
  if (typeof text === 'string' && text !== '') return [text];
  return JSON.stringify(value, null, 2).split('\n');
}

/** A key's name and id, a peer's address, an entry of a folder. */
function itemText(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  const { Addr, Peer, Id, Name, Hash, '/': cid } = item as Fields;
  if (Addr !== undefined) return `${String(Addr)}/p2p/${String(Peer)}`;
  const parts = [Id, Hash, Name, cid].filter((part) => typeof part === 'string' && part !== '');
  return parts.length === 0 ? JSON.stringify(item) : parts.join(' ');
}
