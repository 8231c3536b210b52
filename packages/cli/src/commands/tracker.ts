import type { NodeApi, TrackerHandle } from '@tequio/api';
import { decodeUtf8Lossy, NodeError } from '@tequio/kernel';
import type { Command } from 'commander';
import { addHelp } from '../command-help.ts';
import { missingError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { createOptionParsers } from '../option-parsers.ts';
import { offlineSettings, Pause, type Session, withNode } from '../session.ts';

type TrackerFlags = {
  readonly http?: number;
  readonly udp?: number;
  readonly bind?: string;
  readonly allow?: string;
};

/** The port that trackers have had since the first ones. */
const usualPort = 6969;
/** A list of a million v2 info-hashes. */
const allowListBytesMax = 70_000_000;
const liveTickMs = 1000;
const lineEveryMs = 60_000;
const jsonEveryMs = 10_000;

/** `tracker [--http PORT] [--udp PORT]`: runs a tracker until interrupted. */
export function defineTracker(command: Command, session: Session): void {
  const { help } = session.messages;
  const parsers = createOptionParsers(session.messages);
  command
    .option('--http <port>', help.tracker.http, parsers.port)
    .option('--udp <port>', help.tracker.udp, parsers.port)
    .option('--bind <address>', help.tracker.bind, parsers.address)
    .option('--allow <file>', help.tracker.allow);
  addHelp(command, session, { summary: help.tracker.summary, examples: help.tracker.examples });
  command.action(async (flags: TrackerFlags) => session.finish(await runTracker(flags, session)));
}

async function runTracker(flags: TrackerFlags, session: Session): Promise<ExitCode> {
  const { output, messages } = session;
  const isBare = flags.http === undefined && flags.udp === undefined;
  await withNode(session, offlineSettings(session), async (node) => {
    const allow = flags.allow === undefined ? null : await readAllowList(session, node, flags.allow);
    const tracker = await session.interrupt.race(
      node.startTracker({
        httpPort: flags.http ?? (isBare ? usualPort : null),
        udpPort: flags.udp ?? (isBare ? usualPort : null),
        bind: flags.bind ?? null,
        allow,
      }),
    );
    try {
      announceStart(session, tracker, flags, allow);
      await watchTracker(session, tracker);
    } finally {
      output.json({ type: 'stats', ...tracker.stats() });
      await tracker.close();
    }
  });
  output.note(messages.tracker.stopped);
  return exitCodes.interrupted;
}

function announceStart(
  session: Session,
  tracker: TrackerHandle,
  flags: TrackerFlags,
  allow: readonly string[] | null,
): void {
  const { output, messages } = session;
  const address = flags.bind ?? '127.0.0.1';
  const host = address.includes(':') ? `[${address}]` : address;
  const http = tracker.httpPort === null ? null : `http://${host}:${tracker.httpPort}/announce`;
  const udp = tracker.udpPort === null ? null : `udp://${host}:${tracker.udpPort}/announce`;
  output.json({ type: 'started', http, udp, httpPort: tracker.httpPort, udpPort: tracker.udpPort });
  if (http !== null) output.result(messages.tracker.http(http));
  if (udp !== null) output.result(messages.tracker.udp(udp));
  if (flags.bind === undefined) output.note(messages.tracker.otherMachines);
  if (allow !== null) output.note(messages.tracker.allowed(allow.length));
  output.note(messages.tracker.running);
}

/** Until Ctrl-C: a live line, a line a minute, or JSON. */
async function watchTracker(session: Session, tracker: TrackerHandle): Promise<void> {
  const { output, messages, interrupt } = session;
  const pause = new Pause(session);
  const fitText = output.isLive ? (await import('../text-width.ts')).fitText : (text: string): string => text;
  const everyMs = output.isJson ? jsonEveryMs : output.isLive ? liveTickMs : lineEveryMs;
  while (!interrupt.isSet) {
    const stats = tracker.stats();
    const line = messages.tracker.stats(
      stats.torrentCount,
      stats.seedCount,
      stats.leechCount,
      stats.announceCount,
      stats.refusedCount,
    );
    output.json({ type: 'stats', ...stats });
    if (output.isLive) output.draw([fitText(line, output.columns)]);
    else output.note(line);
    await pause.wait(everyMs);
  }
}

/** One info-hash a line; `#` begins a remark. @throws NodeError `CLI_BAD_ALLOW_LIST` with the line's number */
async function readAllowList(session: Session, node: NodeApi, text: string): Promise<readonly string[]> {
  const { world, messages } = session;
  const path = world.resolvePath(text);
  if ((await node.files.kind(path)) === null) throw missingError(messages, path);
  const lines = decodeUtf8Lossy(await node.files.read(path, allowListBytesMax)).split(/\r?\n/);
  const hashes: string[] = [];
  for (const [index, line] of lines.entries()) {
    const hash = line.replace(/#.*/, '').trim().toLowerCase();
    if (hash === '') continue;
    if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(hash))
      throw new NodeError('CLI_BAD_ALLOW_LIST', messages.errors.allowLine(path, index + 1));
    hashes.push(hash);
  }
  return hashes;
}
