import type { DhtApi, DhtItemSnapshot, DhtNodeSnapshot, DhtQuestions, DhtSearch, NodeApi } from '@tequio/api';
import { encodeUtf8, NodeError, toHex, tryDecodeUtf8, tryFromHex } from '@tequio/kernel';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { UsageError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { settingsOf } from '../node-flags.ts';
import { createOptionParsers } from '../option-parsers.ts';
import { printable } from '../printable.ts';
import { findDaemon, offlineSettings, type Session, withNode, withNodeBeside } from '../session.ts';
import { defineDhtServe } from './dht-serve.ts';

type DhtFlags = {
  readonly port?: number;
  readonly bind?: string;
  readonly dhtBootstrap?: readonly string[];
  readonly timeout?: number;
};

type PutFlags = DhtFlags & {
  readonly key?: string;
  readonly salt?: string;
  readonly seq?: bigint;
  readonly cas?: bigint;
  readonly bencoded?: boolean;
};

const usualTimeoutMs = 20_000;
const keyFileBytesMax = 1000;
const sequenceMax = 2n ** 63n - 1n;

/**
 * `dht ping|lookup|get|put|sample`: questions to the DHT, asked by the node that is running, or by one that lives as
 * long as the question.
 */
export function defineDht(command: Command, session: Session): void {
  const help = session.messages.help.dht;
  addHelp(command, session, { summary: help.summary, notes: help.notes, examples: help.examples });
  const define = (name: 'ping' | 'lookup' | 'get' | 'put' | 'sample'): Command => {
    const parsers = createOptionParsers(session.messages);
    const own = session.messages.help.get;
    const examples = help.examples.filter(([line]) => line.startsWith(`dht ${name}`));
    return addHelp(command.command(name).summary(help[name]), session, { summary: help[name], examples })
      .option('--dht-bootstrap <host:port>', own.dhtBootstrap, parsers.peers)
      .option('--port <port>', own.port, parsers.port)
      .option('--bind <address|interface>', own.bind, parsers.bind)
      .option('--timeout <seconds>', help.timeout, parsers.seconds);
  };
  const run = (end: Promise<ExitCode>): Promise<void> => end.then((code) => session.finish(code));
  define('ping')
    .argument('<node>', help.node)
    .action((node: string, flags: DhtFlags) => run(ping(node, flags, session)));
  define('lookup')
    .argument('<info-hash>', help.infoHash)
    .action((infoHash: string, flags: DhtFlags) => run(lookup(infoHash, flags, session)));
  define('get')
    .argument('<target>', help.target)
    .option('--salt <text>', help.salt)
    .action((target: string, flags: PutFlags) => run(get(target, flags, session)));
  const number = (text: string): bigint => parseSequence(text, session);
  define('put')
    .argument('<value>', help.value)
    .option('--key <file>', help.key)
    .option('--salt <text>', help.salt)
    .option('--seq <number>', help.sequence, number)
    .option('--cas <number>', help.cas, number)
    .option('--bencoded', help.bencoded)
    .action((value: string, flags: PutFlags) => run(put(value, flags, session)));
  define('sample')
    .argument('[target]', help.sampleTarget)
    .action((target: string | undefined, flags: DhtFlags) => run(sample(target ?? null, flags, session)));
  defineDhtServe(command, session);
  command.action(() => {
    throw new UsageError(session.messages.dht.missingAction);
  });
}

async function ping(hostPort: string, flags: DhtFlags, session: Session): Promise<ExitCode> {
  createOptionParsers(session.messages).peers(hostPort);
  return withDht(flags, session, async (dht) => {
    const pong = await dht.ping(hostPort);
    if (pong === null) throw unreachable(session.messages.dht.noAnswer(hostPort));
    const milliseconds = Math.round(pong.elapsedMs);
    session.output.json({ type: 'pong', id: pong.id, endpoint: pong.endpoint, milliseconds });
    session.output.result(`${pong.id}  ${pong.endpoint}  ${milliseconds} ms`);
  });
}

async function lookup(infoHash: string, flags: DhtFlags, session: Session): Promise<ExitCode> {
  checkHex(infoHash, [40, 64], session);
  return withDht(flags, session, async (dht) => {
    await waitForNodes(dht, flags, session);
    const found = await session.interrupt.race(dht.lookup(infoHash));
    const { output, messages } = session;
    const { peers, estimate } = found;
    output.json({ type: 'peers', ...searchToJson(found), peers, estimate });
    for (const peer of peers) output.result(peer);
    if (peers.length === 0) output.note(messages.dht.noPeers);
    if (estimate !== null)
      output.note(messages.dht.estimate(Math.round(estimate.seedCount), Math.round(estimate.peerCount)));
    tellSearch(found, session);
  });
}

async function get(target: string, flags: PutFlags, session: Session): Promise<ExitCode> {
  checkHex(target, [40, 64], session);
  return withDht(flags, session, async (dht) => {
    await waitForNodes(dht, flags, session);
    const found = await session.interrupt.race(dht.get(target, encodeUtf8(flags.salt ?? '')));
    const { item } = found;
    if (item === null) throw new NodeError('SOURCE_MISSING', session.messages.dht.notFound(found.target));
    session.output.json({ type: 'item', ...searchToJson(found), ...itemToJson(item) });
    session.output.result(printable(textOf(item.value) ?? new TextDecoder().decode(item.value)));
    tellSearch(found, session);
  });
}

async function put(text: string, flags: PutFlags, session: Session): Promise<ExitCode> {
  const bytes = encodeUtf8(text);
  const value = flags.bencoded === true ? bytes : encodeUtf8(`${bytes.length}:${text}`);
  return withDht(flags, session, async (dht, node) => {
    const secretKey = flags.key === undefined ? null : await readKey(flags.key, node, session);
    await waitForNodes(dht, flags, session);
    const { output, messages } = session;
    const say = messages.dht;
    const salt = encodeUtf8(flags.salt ?? '');
    const stored = await session.interrupt.race(
      dht.put({ value, secretKey, salt, sequence: flags.seq ?? null, cas: flags.cas ?? null }),
    );
    const { storedCount, refusal, item } = stored;
    if (storedCount === 0) {
      if (refusal === null) throw unreachable(say.nobodyTook);
      throw new NodeError('BITTORRENT_DHT_REFUSED', say.refused(printable(refusal)));
    }
    output.json({ type: 'stored', ...searchToJson(stored), ...itemToJson(item), storedCount });
    const rows: (readonly [string, string])[] = [[say.target, stored.target]];
    if (item.publicKey !== null)
      rows.push([say.publicKey, item.publicKey], [say.sequence, `${item.sequence}`]);
    const columns = Math.max(...rows.map(([label]) => label.length)) + 2;
    for (const [label, shown] of rows) output.result(label.padEnd(columns) + shown);
    output.note(say.stored(storedCount));
  });
}

async function sample(target: string | null, flags: DhtFlags, session: Session): Promise<ExitCode> {
  if (target !== null) checkHex(target, [40], session);
  return withDht(flags, session, async (dht) => {
    await waitForNodes(dht, flags, session);
    const found = await session.interrupt.race(dht.sample(target));
    session.output.json({ type: 'samples', ...searchToJson(found), infoHashes: found.infoHashes });
    for (const infoHash of found.infoHashes) session.output.result(infoHash);
    tellSearch(found, session);
  });
}

/** What commands ask: a node's own DHT, or that of the node that is running. */
type AskedDht = DhtQuestions & Pick<DhtApi, 'ready'>;

/**
 * By the node that is running, which knows many nodes already; where there is none, where it takes no part, or where
 * the user wants another network or way, by a node that asks and does not answer. Ctrl-C ends it.
 */
async function withDht(
  flags: DhtFlags,
  session: Session,
  work: (dht: AskedDht, node: NodeApi) => Promise<void>,
): Promise<ExitCode> {
  const isOwnWay = [flags.dhtBootstrap, flags.port, flags.bind].some((flag) => flag !== undefined);
  const daemon = isOwnWay ? null : await findDaemon(session);
  const running = daemon === null ? null : await session.interrupt.race(daemon.client.status.status());
  if (daemon !== null && running?.dht != null) {
    const { dht } = daemon.client;
    const asked: AskedDht = { ...dht, ready: async () => true };
    return withNode(session, offlineSettings(session), async (node) => {
      await session.interrupt.race(work(asked, node));
      return exitCodes.done;
    });
  }
  const settings = settingsOf(flags, session);
  const bootstrap = settings.dht?.bootstrap ?? [];
  return withNodeBeside(
    session,
    { ...settings, port: flags.port ?? 0, dht: { bootstrap, readOnly: true } },
    async (node) => {
      await work(node.bittorrent.dht!, node);
      return exitCodes.done;
    },
  );
}

async function waitForNodes(dht: AskedDht, flags: DhtFlags, session: Session): Promise<void> {
  const timeoutMs = flags.timeout ?? usualTimeoutMs;
  if (await session.interrupt.race(dht.ready(timeoutMs))) return;
  throw unreachable(session.messages.dht.unreachable(timeoutMs / 1000));
}

/** The secret key in a file; a new one where there is none, readable by its owner only. */
async function readKey(pathText: string, node: NodeApi, session: Session): Promise<Uint8Array> {
  const { world, messages, output } = session;
  const path = world.resolvePath(pathText);
  if ((await node.files.kind(path)) === null) {
    const key = crypto.getRandomValues(new Uint8Array(32));
    await node.files.write(path, encodeUtf8(`${toHex(key)}\n`), { secret: true });
    output.note(messages.dht.keyMade(path));
    return key;
  }
  const text = tryDecodeUtf8(await node.files.read(path, keyFileBytesMax)) ?? '';
  const key = tryFromHex(text.trim());
  if (key?.length !== 32) throw new NodeError('CLI_BAD_KEY', messages.dht.badKey(path));
  return key;
}

function searchToJson({ target, nodes, queryCount, answerCount, hopCount, elapsedMs }: DhtSearch): object {
  const shown = nodes.map(({ id, endpoint }: DhtNodeSnapshot) => ({ id, endpoint }));
  return { target, queryCount, answerCount, hopCount, milliseconds: Math.round(elapsedMs), nodes: shown };
}

/** `text` where the value is a text; `value` is hex of the bencode. Sequence numbers are texts: they can be large. */
function itemToJson({ value, publicKey, salt, sequence }: DhtItemSnapshot): object {
  return {
    value: toHex(value),
    text: textOf(value),
    publicKey,
    salt: salt === null ? null : toHex(salt),
    sequence: sequence === null ? null : String(sequence),
  };
}

function tellSearch({ queryCount, hopCount, elapsedMs }: DhtSearch, session: Session): void {
  session.output.note(session.messages.dht.asked(queryCount, hopCount, (elapsedMs / 1000).toFixed(1)));
}

/** The text of a bencoded string; null for everything else. */
function textOf(value: Uint8Array): string | null {
  const colon = value.indexOf(0x3a);
  const length = colon < 1 || colon > 5 ? '' : String.fromCharCode(...value.subarray(0, colon));
  if (!/^\d+$/.test(length) || colon + 1 + Number(length) !== value.length) return null;
  return tryDecodeUtf8(value.subarray(colon + 1));
}

function checkHex(text: string, digitCounts: readonly number[], session: Session): void {
  if (/^[0-9a-f]*$/i.test(text) && digitCounts.includes(text.length)) return;
  throw new UsageError(session.messages.dht.badHex(text, digitCounts.join('/')));
}

function parseSequence(text: string, session: Session): bigint {
  const number = /^\d{1,19}$/.test(text) ? BigInt(text) : -1n;
  if (number < 0n || number > sequenceMax) throw new UsageError(session.messages.dht.badNumber(text));
  return number;
}

function unreachable(sentence: string): NodeError {
  return new NodeError('CLI_UNREACHABLE', sentence);
}
