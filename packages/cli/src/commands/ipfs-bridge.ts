import type { Bridged, IpfsApi, NodeApi } from '@tequio/api';
import { type Command, Option } from 'commander';
import { UsageError } from '../errors.ts';
import { exitCodes } from '../exit-code.ts';
import { createOptionParsers } from '../option-parsers.ts';
import { printable } from '../printable.ts';
import { type Session, withDaemon } from '../session.ts';
import { findTorrents } from '../torrent-names.ts';

type Flags = {
  readonly v1?: boolean;
  readonly v2?: boolean;
  readonly hybrid?: boolean;
  readonly folder?: string;
  readonly encrypt?: boolean;
  readonly name?: string;
  readonly tracker?: readonly (readonly string[])[];
};

/** With the node that runs, or without one with the repository in the data folder. */
type Run = (work: (ipfs: IpfsApi, node: NodeApi) => Promise<void>) => Promise<void>;

type Define = (parent: Command, name: string, summary: string) => Command;

/** `ipfs from-torrent|to-torrent|share`: one content in both networks, by the node that is running. */
export function defineBridge(command: Command, session: Session, define: Define, run: Run): void {
  const { bridge: help, create } = session.messages.help;
  const parsers = createOptionParsers(session.messages);
  const withVersion = (one: Command): Command =>
    one
      .addOption(new Option('--v1', create.v1).conflicts(['v2', 'hybrid']))
      .addOption(new Option('--v2', create.v2).conflicts(['v1', 'hybrid']))
      .option('--hybrid', create.hybrid)
      .option('--tracker <url>', create.tracker, parsers.trackers);
  define(command, 'from-torrent', help.fromTorrent)
    .argument('<torrent...>', help.torrent)
    .action(async (texts: string[]) => {
      await withDaemon(session, async (node) => {
        for (const id of await findTorrents(texts, node, session))
          tell(await node.bridge.torrentToIpfs(id), session);
      });
      session.finish(exitCodes.done);
    });
  define(command, 'open', help.open)
    .argument('<link>', help.link)
    .action((link: string) =>
      run(async (ipfs) => {
        const file = await ipfs.openSealed(link);
        for await (const part of file.content()) await session.world.stdout.writeBytes(part);
      }),
    );
  withVersion(define(command, 'to-torrent', help.toTorrent).argument('<ipfs-path>', help.path))
    .option('-f, --folder <path>', help.folder)
    .option('--name <name>', help.name)
    .action(async (path: string, flags: Flags) => {
      const { folder, name } = flags;
      const content = {
        path,
        ...settingsOf(flags),
        ...(folder === undefined ? null : { folder: session.world.resolvePath(folder) }),
        ...(name === undefined ? null : { name }),
      };
      await withDaemon(session, async (node) => tell(await node.bridge.ipfsToTorrent(content), session));
      session.finish(exitCodes.done);
    });
  withVersion(
    define(command, 'share', help.share).argument('<path...>', help.file).option('--encrypt', help.encrypt),
  ).action(async (paths: string[], flags: Flags) => {
    if (flags.encrypt === true) return run((ipfs, node) => sealAll(paths, ipfs, node, session));
    await withDaemon(session, async (node) => {
      for (const path of paths)
        tell(
          await node.bridge.share({ path: session.world.resolvePath(path), ...settingsOf(flags) }),
          session,
        );
    });
    session.finish(exitCodes.done);
  });
}

/** Each file sealed; the link alone has the key. */
async function sealAll(
  paths: readonly string[],
  ipfs: IpfsApi,
  { files }: NodeApi,
  { output, world, messages }: Session,
): Promise<void> {
  for (const text of paths) {
    const path = world.resolvePath(text);
    if ((await files.kind(path)) !== 'file') throw new UsageError(messages.bridge.onlyFiles);
    const link = await ipfs.seal(path);
    output.json({ type: 'sealed', path, link });
    output.result(link);
  }
}

function settingsOf({ v1, v2, tracker = [] }: Flags): {
  readonly version: 'v1' | 'v2' | 'hybrid';
  readonly trackers: readonly string[];
} {
  return { version: v1 === true ? 'v1' : v2 === true ? 'v2' : 'hybrid', trackers: tracker.flat() };
}

/** With -q the CID alone. */
function tell(made: Bridged, session: Session): void {
  const { output, messages } = session;
  const { seed: say } = messages;
  output.json({ type: 'bridged', ...made });
  if (output.isQuiet) {
    output.result(made.cid);
    return;
  }
  output.result(say.line(say.name, printable(made.name)));
  output.result(say.line(messages.bridge.cid, `/ipfs/${made.cid}`));
  output.result(say.line(say.link, printable(made.magnet)));
  output.result(say.line(say.torrent, made.torrent));
  if (made.copiedBytes > 0) output.note(messages.bridge.copied(made.copiedBytes));
}
