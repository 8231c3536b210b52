import type { AddOptions, NodeApi, TorrentSnapshot, TorrentSource } from '@tequio/api';
import { NodeError } from '@tequio/kernel';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { mustBeFolder } from '../content-place.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { type Exchange, type Followed, FollowedTorrents } from '../followed-torrents.ts';
import { InterruptedError } from '../interrupt.ts';
import { outcomeToJson } from '../json-output.ts';
import { reachabilityToJson } from '../nat-notes.ts';
import { addNodeOptions, type NodeFlags, settingsOf } from '../node-flags.ts';
import { createOptionParsers } from '../option-parsers.ts';
import { printable } from '../printable.ts';
import { commandLineOf, type Session, withTorrentNode } from '../session.ts';
import { formatBytes, formatRate, formatSeconds } from '../size-text.ts';
import { readTorrentInput } from '../torrent-input.ts';
import { TorrentWatch, type WatchEnd } from '../torrent-watch.ts';

type GetFlags = NodeFlags & {
  readonly to?: string;
  readonly seed?: boolean;
  readonly select?: readonly string[];
  readonly sequential?: boolean;
  readonly timeout?: number;
  readonly followEvery?: number;
};

/** `get SOURCE...`: downloads, and goes on where an interrupted run stopped. */
export function defineGet(command: Command, session: Session): void {
  const { help } = session.messages;
  const parsers = createOptionParsers(session.messages);
  command
    .argument('<source...>', help.get.source)
    .option('--to <dir>', help.get.to)
    .option('--seed', help.get.seed)
    .option('--select <glob>', help.get.select, parsers.texts)
    .option('--sequential', help.get.sequential)
    .option('--timeout <seconds>', help.get.timeout, parsers.seconds)
    .option('--follow-every <seconds>', help.dht.followEvery, parsers.seconds);
  command.option('--category <name>', help.get.category);
  addNodeOptions(command, session, parsers);
  addHelp(command, session, {
    summary: help.get.summary,
    notes: help.get.notes,
    examples: help.get.examples,
  });
  command.action(async (sources: string[], flags: GetFlags) =>
    session.finish(await runGet(sources, flags, session)),
  );
}

async function runGet(texts: readonly string[], flags: GetFlags, session: Session): Promise<ExitCode> {
  const { output, messages } = session;
  const end = await withTorrentNode(session, settingsOf(flags, session), (node) =>
    download(node, texts, flags, session),
  ).catch((error: unknown): WatchEnd => {
    if (error instanceof InterruptedError) return 'interrupted';
    throw error;
  });
  if (end === 'unreachable') {
    const seconds = (flags.timeout ?? 0) / 1000;
    throw new NodeError('CLI_UNREACHABLE', messages.errors.unreachable(seconds));
  }
  if (end === 'done') return exitCodes.done;
  output.note(messages.get.interrupted(commandLineOf(session)));
  return exitCodes.interrupted;
}

/** Reads every source before anything starts, so that a mistake in the last does not leave half of the work done. */
async function download(
  node: NodeApi,
  texts: readonly string[],
  flags: GetFlags,
  session: Session,
): Promise<WatchEnd> {
  const follows = new FollowedTorrents(session, node, flags.followEvery);
  const watch = new TorrentWatch(session, node);
  const results = new DownloadResults(session);
  const exchange: Exchange = (oldId, source) =>
    takeOver(oldId, source, { node, watch, results, flags, session });
  try {
    const sources = await readSources(texts, node, follows, exchange, flags, session);
    await mustBeFolder(node, session.world.resolvePath(flags.to ?? '.'), session.messages);
    for (const { source, followed } of sources) {
      const id = await session.interrupt.race(node.bittorrent.add(source, addOptionsOf(flags, session)));
      if (watch.add(id)) results.handleStart(id);
      if (followed !== null) followed.id = id;
    }
    let end = await watch.until((snapshots) => results.handleSnapshots(snapshots), flags.timeout ?? null);
    if (end === 'done') {
      watch.report();
      session.output.json({
        ...results.toJson('done', watch.snapshots()),
        ...(await reachabilityToJson(node)),
      });
      if (flags.seed !== true) return end;
      session.output.note(session.messages.get.sharing);
      end = await watch.until(() => false);
    }
    watch.report();
    if (end === 'interrupted') {
      const result = results.toJson('interrupted', watch.snapshots());
      session.output.json({ ...result, ...(await reachabilityToJson(node)) });
    }
    return end;
  } finally {
    follows.close();
    watch.close();
  }
}

type Source = { readonly source: TorrentSource; readonly followed: Followed | null };

async function readSources(
  texts: readonly string[],
  node: NodeApi,
  follows: FollowedTorrents,
  exchange: Exchange,
  flags: GetFlags,
  session: Session,
): Promise<Source[]> {
  const sources: Source[] = [];
  for (const text of texts) {
    const link = node.mutable.tryReadLink(text);
    if (link === null) {
      sources.push({ source: await readTorrentInput(session, node, text), followed: null });
      continue;
    }
    const followed = await session.interrupt.race(follows.begin(link, flags.timeout ?? null, exchange));
    sources.push({ source: followed.source!, followed });
  }
  return sources;
}

type Download = {
  readonly node: NodeApi;
  readonly watch: TorrentWatch;
  readonly results: DownloadResults;
  readonly flags: GetFlags;
  readonly session: Session;
};

/** A followed link leads to another torrent now: that one takes the place of the old one, whose content stays. */
async function takeOver(oldId: string, source: TorrentSource, download: Download): Promise<string> {
  const { node, watch, results, flags, session } = download;
  const name = node.bittorrent.torrent(oldId)?.name ?? oldId;
  session.output.note(session.messages.dht.changed(printable(name)));
  watch.remove(oldId);
  await node.bittorrent.remove(oldId);
  const id = await node.bittorrent.add(source, addOptionsOf(flags, session));
  session.output.json({ type: 'changed', was: oldId, torrent: id });
  results.handleExchange(oldId, id);
  watch.add(id);
  return id;
}

function addOptionsOf(flags: GetFlags, session: Session): AddOptions {
  return {
    folder: session.world.resolvePath(flags.to ?? '.'),
    select: flags.select ?? [],
    sequential: flags.sequential === true,
    peers: flags.peer ?? [],
    category: flags.category ?? null,
  };
}

/** When each torrent began and was complete, and what is said of it then. */
class DownloadResults {
  readonly #session: Session;
  readonly #startsMs = new Map<string, number>();
  readonly #secondsById = new Map<string, number>();

  constructor(session: Session) {
    this.#session = session;
  }

  handleStart(id: string): void {
    this.#startsMs.set(id, this.#session.world.nowMs());
  }

  handleExchange(oldId: string, id: string): void {
    this.#startsMs.delete(oldId);
    this.#secondsById.delete(oldId);
    this.handleStart(id);
  }

  /** True when all are complete. @throws NodeError when no file of a torrent is wanted */
  handleSnapshots(snapshots: readonly TorrentSnapshot[]): boolean {
    for (const snapshot of snapshots) {
      this.#refuseEmptyChoice(snapshot);
      if (snapshot.state !== 'seeding' || this.#secondsById.has(snapshot.id)) continue;
      this.#secondsById.set(snapshot.id, this.#secondsOf(snapshot.id));
      this.#tell(snapshot);
    }
    return this.#secondsById.size === this.#startsMs.size;
  }

  toJson(type: 'done' | 'interrupted', snapshots: readonly TorrentSnapshot[]): object {
    return {
      type,
      torrents: snapshots.map((snapshot) =>
        outcomeToJson(snapshot, this.#secondsById.get(snapshot.id) ?? this.#secondsOf(snapshot.id)),
      ),
    };
  }

  #secondsOf(id: string): number {
    const nowMs = this.#session.world.nowMs();
    return (nowMs - (this.#startsMs.get(id) ?? nowMs)) / 1000;
  }

  #refuseEmptyChoice(snapshot: TorrentSnapshot): void {
    const files = snapshot.files.filter((file) => !file.pad);
    if (files.length === 0 || files.some((file) => file.priority > 0)) return;
    const { messages } = this.#session;
    throw new NodeError('CLI_NOTHING_SELECTED', messages.errors.nothingSelected(printable(snapshot.name)));
  }

  #tell(snapshot: TorrentSnapshot): void {
    const { output, messages } = this.#session;
    if (output.isQuiet) return;
    const [name, size] = [printable(snapshot.name), formatBytes(snapshot.wantedBytes)];
    const seconds = this.#secondsById.get(snapshot.id) ?? 0;
    const rate = formatRate(snapshot.downloadedBytes / Math.max(0.001, seconds));
    output.result(
      snapshot.downloadedBytes === 0
        ? messages.get.already(name, size, snapshot.folder)
        : messages.get.finished(name, size, formatSeconds(seconds), rate, snapshot.folder),
    );
  }
}
