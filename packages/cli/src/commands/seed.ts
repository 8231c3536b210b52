import type { NodeApi, ShownTorrent, TorrentSnapshot } from '@tequio/api';
import { NodeError } from '@tequio/kernel';
import { type Command, Option } from 'commander';
import { addHelp } from '../command-help.ts';
import { tryFindFolder } from '../content-place.ts';
import { missingError, UsageError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { outcomeToJson } from '../json-output.ts';
import { addMutableOptions, type MutableFlags, readMutableKey } from '../mutable-flags.ts';
import { NatNotes, reachabilityToJson } from '../nat-notes.ts';
import { addNodeOptions, type NodeFlags, settingsOf } from '../node-flags.ts';
import { createOptionParsers } from '../option-parsers.ts';
import { baseName, joinPath, parentFolder } from '../path-text.ts';
import { printable } from '../printable.ts';
import { type Session, withTorrentNode } from '../session.ts';
import { isSourceAddress } from '../source-text.ts';
import { readTorrentInput } from '../torrent-input.ts';
import { TorrentWatch } from '../torrent-watch.ts';
import { createWorkProgress } from '../work-progress.ts';

type SeedFlags = NodeFlags &
  MutableFlags & {
    readonly from?: string;
    readonly tracker?: readonly (readonly string[])[];
    readonly v1?: boolean;
    readonly v2?: boolean;
    readonly hybrid?: boolean;
  };

/** A torrent and where its content lies. */
type Offer = {
  readonly torrent: Uint8Array;
  readonly shown: ShownTorrent;
  /** Around the content. */
  readonly folder: string;
  /** Where the .torrent is, as text for the user. */
  readonly place: string;
};

/** After nobody in the DHT has taken what was published. */
const publishAgainMs = 5000;

/** `seed PATH|TORRENT...`: shares what is already here, until interrupted. */
export function defineSeed(command: Command, session: Session): void {
  const { help } = session.messages;
  const parsers = createOptionParsers(session.messages);
  command
    .argument('<path...>', help.seed.path)
    .option('--from <dir>', help.seed.from)
    .option('--tracker <url>', help.seed.tracker, parsers.trackers)
    .addOption(new Option('--v1', help.create.v1).conflicts(['v2', 'hybrid']))
    .addOption(new Option('--v2', help.create.v2).conflicts(['v1', 'hybrid']))
    .option('--hybrid', help.create.hybrid);
  addMutableOptions(command, help.dht.publish, [], session, parsers);
  command.option('--category <name>', help.get.category);
  addNodeOptions(command, session, parsers);
  addHelp(command, session, {
    summary: help.seed.summary,
    notes: help.seed.version,
    examples: help.seed.examples,
  });
  command.action(async (paths: string[], flags: SeedFlags) =>
    session.finish(await runSeed(paths, flags, session)),
  );
}

async function runSeed(paths: readonly string[], flags: SeedFlags, session: Session): Promise<ExitCode> {
  if (flags.mutable === true && flags.dht === false) throw new UsageError(session.messages.dht.needed);
  await withTorrentNode(session, settingsOf(flags, session), (node) => share(node, paths, flags, session));
  session.output.note(session.messages.seed.stopped);
  return exitCodes.interrupted;
}

/** Ends when interrupted. @throws NodeError when something cannot be shared as it is */
async function share(
  node: NodeApi,
  paths: readonly string[],
  flags: SeedFlags,
  session: Session,
): Promise<void> {
  const { output, messages, world } = session;
  const offers: Offer[] = [];
  for (const path of paths) offers.push(await prepare(node, path, flags, session));
  const startMs = world.nowMs();
  const watch = new TorrentWatch(session, node);
  const natNotes = new NatNotes(session, node);
  try {
    for (const offer of offers) {
      const { torrent, folder } = offer;
      const options = {
        folder,
        seed: true,
        peers: flags.peer ?? [],
        trackers: (flags.tracker ?? []).flat(),
        category: flags.category ?? null,
      };
      const id = await session.interrupt.race(node.bittorrent.add({ torrent }, options));
      watch.add(id);
    }
    const end = await watch.until((snapshots) => snapshots.every(isSettled));
    if (end === 'done') {
      for (const snapshot of watch.snapshots()) refuseIncomplete(snapshot, session);
      for (const offer of offers) tellOffer(offer, node, flags, session);
      if (flags.mutable === true) for (const { shown } of offers) void publish(shown, node, flags, session);
      output.note(messages.seed.sharing(node.bittorrent.port));
      await watch.until(() => false);
    }
    const seconds = (world.nowMs() - startMs) / 1000;
    const torrents = watch.snapshots().map((snapshot) => outcomeToJson(snapshot, seconds));
    watch.report();
    output.json({ type: 'interrupted', torrents, ...(await reachabilityToJson(node)) });
  } finally {
    natNotes.close();
    watch.close();
  }
}

/** Reads the .torrent and finds its content, or makes a .torrent of the content. */
async function prepare(node: NodeApi, text: string, flags: SeedFlags, session: Session): Promise<Offer> {
  const { messages, world } = session;
  if (!isSourceAddress(text)) {
    const path = world.resolvePath(text);
    const kind = await node.files.kind(path);
    if (kind === null) throw missingError(messages, path);
    if (kind === 'other') throw new NodeError('FILE_NOT_REGULAR', messages.errors.notFileOrFolder(path));
    if (kind === 'folder' || !/\.torrent$/i.test(path)) {
      // Content is never looked for behind links: what the user named by one is taken for what it is.
      return makeOffer(node, (await node.files.realPath(path)) ?? path, flags, session);
    }
  }
  const source = await readTorrentInput(session, node, text);
  if (!('torrent' in source)) throw new UsageError(messages.usage.noMagnetHere);
  const shown = node.bittorrent.show(source);
  const around = world.resolvePath(flags.from ?? '.');
  const folder = await tryFindFolder(node, shown, around);
  if (folder === null)
    throw new NodeError('FILE_MISSING', messages.seed.notHere(printable(shown.name), around));
  return {
    torrent: source.torrent,
    shown,
    folder,
    place: isSourceAddress(text) ? text : world.resolvePath(text),
  };
}

/** The same content and options give the same torrent, so a second run finds the first one's state by its id. */
async function makeOffer(node: NodeApi, path: string, flags: SeedFlags, session: Session): Promise<Offer> {
  const { messages, interrupt, world, output } = session;
  const onProgress = await createWorkProgress(session, messages.seed.hashing(printable(baseName(path))));
  const made = node.bittorrent.create(
    {
      path,
      version: flags.v1 === true ? 'v1' : flags.v2 === true ? 'v2' : 'hybrid',
      trackers: flags.tracker ?? [],
      createdBy: `Tequio ${world.version}`,
      createdAt: null,
    },
    onProgress,
    interrupt.signal,
  );
  const torrent = await interrupt.race(made);
  output.endLive();
  const shown = node.bittorrent.show({ torrent });
  const id = shown.infoHashV1 ?? shown.infoHashV2 ?? '';
  // The name helps people, the hash keeps two contents of one name apart.
  const place = joinPath(
    joinPath(node.dataFolder, 'torrents'),
    `${baseName(path)}.${id.slice(0, 8)}.torrent`,
  );
  await node.files.write(place, torrent);
  return { torrent, shown, folder: parentFolder(path), place };
}

/** Says in the DHT that the link of the torrent's key leads to it (BEP 46); tried again until somebody keeps it. */
async function publish(
  shown: ShownTorrent,
  node: NodeApi,
  flags: SeedFlags,
  session: Session,
): Promise<void> {
  const { output, messages, world, interrupt } = session;
  const { dht } = node.bittorrent;
  const infoHash = shown.infoHashV1;
  if (dht === null || infoHash === null) return;
  const { secretKey, salt, link } = await readMutableKey(node, shown.name, flags);
  output.result(messages.seed.line(messages.seed.link, link));
  while (!interrupt.isSet) {
    const done = await dht.publish(secretKey, salt, infoHash).catch(() => null);
    if (done !== null && done.storedCount > 0) {
      const { publicKey, storedCount } = done;
      const sequence = String(done.sequence);
      output.json({ type: 'published', torrent: infoHash, link, publicKey, sequence, storedCount });
      output.note(messages.dht.published(storedCount));
      return;
    }
    await new Promise<void>((resolve) => void world.setTimer(publishAgainMs, resolve));
  }
}

function isSettled(snapshot: TorrentSnapshot): boolean {
  return snapshot.state !== 'checking' && snapshot.state !== 'metadata';
}

/** @throws NodeError for content that is not all there: seeding it would make the user believe that it is */
function refuseIncomplete(snapshot: TorrentSnapshot, session: Session): void {
  if (snapshot.state === 'seeding') return;
  if (snapshot.state === 'error' && snapshot.error !== null)
    throw new NodeError('DISK_CONTENT', session.messages.ofCode(snapshot.errorCode ?? '', snapshot.error));
  const { havePieceCount, pieceCount } = snapshot;
  const sentence = session.messages.seed.incomplete(printable(snapshot.name), havePieceCount, pieceCount);
  throw new NodeError('CLI_BAD_CONTENT', sentence);
}

function tellOffer(offer: Offer, node: NodeApi, flags: SeedFlags, session: Session): void {
  const { output, messages } = session;
  const { shown, place, folder } = offer;
  const { seed: say } = messages;
  const { port } = node.bittorrent;
  const torrent = shown.infoHashV1 ?? shown.infoHashV2;
  output.json({
    type: 'seeding',
    torrent,
    name: shown.name,
    magnet: shown.magnet,
    torrentFile: place,
    folder,
    port,
  });
  output.result(say.line(say.name, printable(shown.name)));
  output.result(say.line(say.link, printable(shown.magnet)));
  output.result(say.line(say.torrent, printable(place)));
  if (shown.trackers.length === 0 && flags.tracker === undefined) output.note(say.noTracker(port));
}
