import type { IpfsAddOptions, IpfsApi, IpfsPinMode, NodeApi } from '@tequio/api';
import { RemoteIpfsRepository } from '@tequio/client';
import { NodeError } from '@tequio/kernel';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { UsageError } from '../errors.ts';
import { exitCodes } from '../exit-code.ts';
import { printable } from '../printable.ts';
import { findDaemon, offlineSettings, type Session, withNode } from '../session.ts';
import { formatBytes } from '../size-text.ts';
import { defineBridge } from './ipfs-bridge.ts';
import { defineNodeVerbs } from './ipfs-node.ts';

type AddFlags = {
  readonly recursive?: boolean;
  readonly quieter?: boolean;
  readonly cidVersion?: string;
  readonly rawLeaves?: boolean;
  readonly chunker?: string;
  readonly trickle?: boolean;
  readonly hidden?: boolean;
  readonly pin?: boolean;
  readonly pinName?: string;
  readonly profile?: string;
  readonly preserveMode?: boolean;
  readonly preserveMtime?: boolean;
  readonly nocopy?: boolean;
};

type PinFlags = {
  readonly recursive?: boolean;
  readonly name?: string;
  readonly type?: string;
  readonly names?: boolean;
  readonly unpin?: boolean;
  readonly verbose?: boolean;
};

type Flags = {
  readonly offset?: string;
  readonly length?: string;
  readonly headers?: boolean;
  readonly force?: boolean;
  readonly human?: boolean;
};

/** `ipfs add|cat|ls|pin|block|repo`: kubo's verbs, on the repository in the data folder. */
export function defineIpfs(command: Command, session: Session): void {
  const help = session.messages.help.ipfs;
  addHelp(command, session, { summary: help.summary, notes: help.notes, examples: help.examples });
  const define = (parent: Command, name: string, summary: string): Command => {
    const examples = help.examples.filter(([line]) => line.startsWith(`${pathOf(parent)} ${name}`));
    return addHelp(parent.command(name).summary(summary), session, { summary, examples });
  };
  defineContent(command, session, define);
  defineBridge(command, session, define, (work) => runIn(session, work));
  definePins(define(command, 'pin', help.pin), session, define);
  defineBlocks(define(command, 'block', help.block), session, define);
  defineRepo(define(command, 'repo', help.repo), session, define);
  for (const group of [command, ...command.commands.filter(({ commands }) => commands.length > 0)])
    group.action(() => {
      throw new UsageError(session.messages.ipfs.missingAction);
    });
  defineNodeVerbs(command, session, define);
}

type Define = (parent: Command, name: string, summary: string) => Command;

function pathOf(command: Command): string {
  return command.name() === 'ipfs' || command.parent === null ? 'ipfs' : `ipfs ${command.name()}`;
}

function defineContent(command: Command, session: Session, define: Define): void {
  const help = session.messages.help.ipfs;
  define(command, 'add', help.add)
    .argument('<path...>', help.file)
    .option('-r, --recursive', help.recursive)
    .option('-Q, --quieter', help.quieter)
    .option('--cid-version <number>', help.cidVersion)
    .option('--raw-leaves', help.rawLeaves)
    .option('--no-raw-leaves', help.rawLeaves)
    .option('-s, --chunker <text>', help.chunker)
    .option('-t, --trickle', help.trickle)
    .option('-H, --hidden', help.hidden)
    .option('--no-pin', help.noPin)
    .option('--pin-name <name>', help.pinName)
    .option('--profile <name>', help.profile)
    .option('--preserve-mode', help.preserveMode)
    .option('--preserve-mtime', help.preserveTime)
    .option('--nocopy', help.noCopy)
    .action((paths: string[], flags: AddFlags) =>
      runIn(session, (ipfs, node) => add(paths, flags, ipfs, node, session)),
    );
  define(command, 'cat', help.cat)
    .argument('<ipfs-path...>', help.content)
    .option('-o, --offset <bytes>', help.offset)
    .option('-l, --length <bytes>', help.length)
    .action((paths: string[], flags: Flags) => runIn(session, (ipfs) => cat(paths, flags, ipfs, session)));
  define(command, 'ls', help.ls)
    .argument('<ipfs-path>', help.content)
    .option('-v, --headers', help.headers)
    .action((path: string, flags: Flags) =>
      runIn(session, async (ipfs) => {
        const { output } = session;
        if (flags.headers === true) output.result('Hash Size Name');
        for await (const entry of ipfs.list(path)) {
          output.json({ type: 'entry', ...entry });
          const isFolder = entry.kind === 'folder';
          output.result(
            `${entry.cid} ${isFolder ? '-' : entry.bytes} ${printable(entry.name)}${isFolder ? '/' : ''}`,
          );
        }
      }),
    );
}

function definePins(pin: Command, session: Session, define: Define): void {
  const help = session.messages.help.ipfs;
  const { output } = session;
  const modeOf = (flags: PinFlags): 'recursive' | 'direct' =>
    flags.recursive === false ? 'direct' : 'recursive';
  define(pin, 'add', help.pinAdd)
    .argument('<ipfs-path...>', help.content)
    .option('--no-recursive', help.direct)
    .option('-n, --name <name>', help.name)
    .action((paths: string[], flags: PinFlags) =>
      runIn(session, async (ipfs) => {
        const mode = modeOf(flags);
        for (const path of paths) {
          const cid = await ipfs.pin(path, flags.name === undefined ? { mode } : { mode, name: flags.name });
          output.json({ type: 'pin', cid, mode });
          output.result(`pinned ${cid} ${mode === 'direct' ? 'directly' : 'recursively'}`);
        }
      }),
    );
  define(pin, 'rm', help.pinRm)
    .argument('<ipfs-path...>', help.content)
    .option('--no-recursive', help.direct)
    .action((paths: string[], flags: PinFlags) =>
      runIn(session, async (ipfs) => {
        for (const path of paths) {
          const cid = await ipfs.unpin(path, { mode: modeOf(flags) });
          output.json({ type: 'unpin', cid });
          output.result(`unpinned ${cid}`);
        }
      }),
    );
  define(pin, 'ls', help.pinLs)
    .option('-t, --type <type>', help.type, 'all')
    .option('-n, --names', help.names)
    .action((flags: PinFlags) => runIn(session, (ipfs) => listPins(flags, ipfs, session)));
  define(pin, 'update', help.pinUpdate)
    .argument('<from-path>', help.content)
    .argument('<to-path>', help.content)
    .option('--no-unpin', help.keepOld)
    .action((from: string, to: string, flags: PinFlags) =>
      runIn(session, async (ipfs) => {
        await ipfs.updatePin(from, to, { keepOld: flags.unpin === false });
        output.json({ type: 'pin-update', from, to });
        output.result(`updated ${printable(from)} to ${printable(to)}`);
      }),
    );
  define(pin, 'verify', help.pinVerify)
    .option('--verbose', help.verbose)
    .action((flags: PinFlags) => runIn(session, (ipfs) => verifyPins(flags, ipfs, session)));
}

function defineBlocks(block: Command, session: Session, define: Define): void {
  const help = session.messages.help.ipfs;
  define(block, 'get', help.blockGet)
    .argument('<cid>', help.cid)
    .action((cid: string) =>
      runIn(session, async (ipfs) => session.world.stdout.writeBytes(await ipfs.block(cid))),
    );
  define(block, 'stat', help.blockStat)
    .argument('<cid>', help.cid)
    .action((cid: string) =>
      runIn(session, async (ipfs) => {
        const bytes = await ipfs.blockBytes(cid);
        session.output.json({ type: 'block', cid, bytes });
        session.output.result(`Key: ${cid}\nSize: ${bytes}`);
      }),
    );
  define(block, 'rm', help.blockRm)
    .argument('<cid...>', help.cid)
    .option('-f, --force', help.force)
    .action((cids: string[], flags: Flags) =>
      runIn(session, async (ipfs) => {
        for (const cid of await ipfs.removeBlocks(cids, { force: flags.force === true })) {
          session.output.json({ type: 'removed', cid });
          session.output.result(session.output.isQuiet ? cid : `removed ${cid}`);
        }
      }),
    );
}

function defineRepo(repo: Command, session: Session, define: Define): void {
  const help = session.messages.help.ipfs;
  const { output } = session;
  define(repo, 'stat', help.repoStat)
    .option('-H, --human', help.human)
    .action((flags: Flags) =>
      runIn(session, async (ipfs) => {
        const stat = await ipfs.repoStat();
        const shown = (bytes: number): string => (flags.human === true ? formatBytes(bytes) : String(bytes));
        output.json({ type: 'repo', ...stat });
        output.result(`NumObjects: ${stat.blockCount}\nRepoSize:   ${shown(stat.diskBytes)}`);
        if (stat.quotaBytes !== null) output.result(`StorageMax: ${shown(stat.quotaBytes)}`);
        output.result(`RepoPath:   ${printable(stat.path)}`);
      }),
    );
  define(repo, 'gc', help.repoGc).action(() =>
    runIn(session, async (ipfs) => {
      const freedBytes = await ipfs.collect((cid) => {
        output.json({ type: 'removed', cid });
        output.result(output.isQuiet ? cid : `removed ${cid}`);
      });
      output.json({ type: 'collected', freedBytes });
    }),
  );
  define(repo, 'verify', help.repoVerify).action(() => runIn(session, (ipfs) => verifyRepo(ipfs, session)));
  define(repo, 'ls', help.repoLs).action(() =>
    runIn(session, async (ipfs) => {
      for await (const cid of ipfs.blocks()) {
        output.json({ type: 'block', cid });
        output.result(cid);
      }
    }),
  );
}

async function add(
  paths: readonly string[],
  flags: AddFlags,
  ipfs: IpfsApi,
  node: NodeApi,
  session: Session,
): Promise<void> {
  const { output, world } = session;
  let last = '';
  for (const text of paths) {
    const path = world.resolvePath(text);
    if (flags.recursive !== true && (await node.files.kind(path)) === 'folder')
      throw new UsageError(session.messages.ipfs.isFolder(printable(text)));
    const name = path.slice(path.lastIndexOf('/') + 1);
    const onAdded: IpfsAddOptions['onAdded'] = (added) => {
      const shown = added.path === '' ? name : `${name}/${added.path}`;
      output.json({ type: 'added', name: shown, cid: added.cid, bytes: added.bytes });
      if (flags.quieter !== true)
        output.result(output.isQuiet ? added.cid : `added ${added.cid} ${printable(shown)}`);
    };
    last = await ipfs.add(path, { ...addOptionsOf(flags), onAdded });
  }
  if (flags.quieter === true) output.result(last);
}

function addOptionsOf(flags: AddFlags): IpfsAddOptions {
  const { cidVersion, profile } = flags;
  if (cidVersion !== undefined && cidVersion !== '0' && cidVersion !== '1')
    throw new UsageError('--cid-version: 0, 1');
  if (profile !== undefined && profile !== 'unixfs-v1-2025' && profile !== 'unixfs-v0-2015')
    throw new UsageError('--profile: unixfs-v1-2025, unixfs-v0-2015');
  return {
    ...(profile === undefined ? {} : { profile }),
    ...(cidVersion === undefined ? {} : { cidVersion: cidVersion === '0' ? 0 : 1 }),
    ...(flags.rawLeaves === undefined ? {} : { rawLeaves: flags.rawLeaves }),
    ...(flags.chunker === undefined ? {} : { chunker: flags.chunker }),
    ...(flags.trickle === true ? { trickle: true } : {}),
    ...(flags.hidden === true ? { hidden: true } : {}),
    ...(flags.preserveMode === true ? { preserveMode: true } : {}),
    ...(flags.preserveMtime === true ? { preserveTime: true } : {}),
    ...(flags.nocopy === true ? { inPlace: true } : {}),
    ...(flags.pin === false ? { pin: false } : {}),
    ...(flags.pinName === undefined ? {} : { pinName: flags.pinName }),
  };
}

async function cat(paths: readonly string[], flags: Flags, ipfs: IpfsApi, session: Session): Promise<void> {
  const from = numberOf(flags.offset) ?? 0;
  const length = numberOf(flags.length);
  for (const path of paths)
    for await (const part of ipfs.cat(path, length === null ? { from } : { from, to: from + length })) {
      session.interrupt.signal.throwIfAborted();
      await session.world.stdout.writeBytes(part);
    }
}

function numberOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`"${printable(text)}": 0, 1, 2, …`);
  return Number(text);
}

async function listPins(flags: PinFlags, ipfs: IpfsApi, session: Session): Promise<void> {
  const type = flags.type ?? 'all';
  if (!/^(?:all|direct|recursive|indirect)$/.test(type))
    throw new UsageError('--type: direct, recursive, indirect, all');
  for await (const { cid, mode, name } of ipfs.pins(type as IpfsPinMode | 'all')) {
    session.output.json({ type: 'pin', cid, mode, name });
    const named = flags.names === true && name !== '' ? ` ${printable(name)}` : '';
    session.output.result(session.output.isQuiet ? cid : `${cid} ${mode}${named}`);
  }
}

async function verifyPins(flags: PinFlags, ipfs: IpfsApi, session: Session): Promise<void> {
  let brokenCount = 0;
  for await (const { cid, missing } of ipfs.verifyPins()) {
    session.output.json({ type: 'pin-check', cid, missing });
    if (missing.length > 0) brokenCount++;
    if (missing.length > 0) session.output.result(`${cid} broken`);
    else if (flags.verbose === true) session.output.result(`${cid} ok`);
    for (const part of missing) session.output.result(`  ${part}`);
  }
  if (brokenCount > 0)
    throw new NodeError('IPFS_PIN_BROKEN', `${brokenCount} pins are not whole.`, { op: 'verify' });
}

async function verifyRepo(ipfs: IpfsApi, session: Session): Promise<void> {
  const { output, messages } = session;
  const corrupt = await ipfs.verify(({ checkedCount, totalCount }) =>
    output.draw([messages.ipfs.verifying(checkedCount, totalCount)]),
  );
  output.endLive();
  output.json({ type: 'verified', corrupt });
  for (const cid of corrupt) output.result(`block ${cid} was corrupt`);
  if (corrupt.length === 0) output.result('verify complete, all blocks validated.');
  else throw new NodeError('IPFS_REPO_BROKEN', 'verify complete, some blocks were corrupt', { op: 'verify' });
}

async function runIn(session: Session, work: (ipfs: IpfsApi, node: NodeApi) => Promise<void>): Promise<void> {
  const daemon = await findDaemon(session);
  const { signal } = session.interrupt;
  // What is running has the repository, and is asked; files are looked at from here.
  await withNode(session, offlineSettings(session), async (node) =>
    work(daemon === null ? await node.ipfs() : new RemoteIpfsRepository(daemon, signal), node),
  );
  session.finish(exitCodes.done);
}
