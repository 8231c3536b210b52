import type { NodeApi, ShownTorrent, TrackerHandle } from '@tequio/api';
import { NodeError } from '@tequio/kernel';
import type { Command } from 'commander';
import type { SpawnedSelf } from '../cli-world.ts';
import { addHelp } from '../command-help.ts';
import { type DemoMember, DemoSwarm } from '../demo-swarm.ts';
import { describeMember, renderSwarm } from '../demo-view.ts';
import { missingError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-code.ts';
import { InterruptedError } from '../interrupt.ts';
import { joinPath, parentFolder } from '../path-text.ts';
import { offlineSettings, Pause, type Session, withNode } from '../session.ts';
import { formatBytes, formatRate, formatSeconds } from '../size-text.ts';

const downloaderCount = 3;
/** Small, so that a few megabytes make a picture. */
const pieceBytes = 16384;
/** The seed alone would need this long to send everything once. */
const seedSeconds = 4;
const seedRateMin = 65536;
const loopback = '127.0.0.1';
const liveTickMs = 100;
const lineEveryMs = 2000;
const jsonEveryMs = 500;
/** When no process has had anything new for this long, something is wrong. */
const patienceMs = 20_000;
/** For a child that was asked to end. */
const graceMs = 5000;

/** `demo`: a whole swarm on this computer, in processes of its own, and what became of it. */
export function defineDemo(command: Command, session: Session): void {
  const { help } = session.messages;
  command;
  addHelp(command, session, {
    summary: help.demo.summary,
    notes: help.demo.notes,
    examples: help.demo.examples,
  });
  command.action(async () => session.finish(await runDemo(session)));
}

async function runDemo(session: Session): Promise<ExitCode> {
  const { world } = session;
  const folder = await world.makeTemporaryFolder();
  const crew = new Crew(session, folder);
  try {
    const settings = { ...offlineSettings(session), dataFolder: joinPath(folder, 'node') };
    await withNode(session, settings, (node) => perform(node, crew, session, folder));
  } finally {
    await crew.disband();
    await world.removeTemporaryFolder(folder);
  }
  tellWhatNext(session);
  return exitCodes.done;
}

/** The whole piece: prepare, download, verify, tell. */
async function perform(node: NodeApi, crew: Crew, session: Session, folder: string): Promise<void> {
  const { world, messages, interrupt, output } = session;
  const content = world.codeFolder;
  if ((await node.files.kind(content)) !== 'folder') throw missingError(messages, content);
  const where = { httpPort: 0, udpPort: null, bind: loopback, allow: null };
  const tracker = await interrupt.race(node.startTracker(where));
  try {
    output.note(messages.demo.preparing);
    const torrent = await createTorrent(node, tracker, content, session);
    const torrentFile = joinPath(folder, 'demo.torrent');
    await node.files.write(torrentFile, torrent);
    const shown = node.bittorrent.show({ torrent });
    const startMs = world.nowMs();
    const swarm = await crew.download(shown, torrentFile);
    const seconds = (world.nowMs() - startMs) / 1000;
    // What each process counted is exact in the lines that it prints when it ends.
    await crew.disband();
    const lines = output.isLive ? pictureOf(swarm, session) : describeSwarm(swarm, session);
    for (const line of lines) output.note(line);
    output.note(messages.demo.verifying);
    await verifyCopies(node, torrent, shown, crew, session);
    tellSummary(swarm, shown, seconds, session);
  } finally {
    await tracker.close();
  }
}

/** Version 1, whose pieces run across small files: a picture of full pieces, and no padding in the figures. */
function createTorrent(
  node: NodeApi,
  tracker: TrackerHandle,
  content: string,
  session: Session,
): Promise<Uint8Array> {
  const { interrupt } = session;
  const trackers = [[`http://${loopback}:${tracker.httpPort}/announce`]];
  const options = { path: content, version: 'v1', pieceBytes, trackers, private: true } as const;
  return interrupt.race(node.bittorrent.create(options, () => {}, interrupt.signal));
}

/** @throws NodeError when one byte differs */
async function verifyCopies(
  node: NodeApi,
  torrent: Uint8Array,
  shown: ShownTorrent,
  crew: Crew,
  session: Session,
): Promise<void> {
  const { interrupt, messages } = session;
  for (const [index, folder] of crew.copyFolders.entries()) {
    const copy = joinPath(folder, shown.name);
    const report = await interrupt.race(node.bittorrent.verify(torrent, copy, () => {}, interrupt.signal));
    if (report.ok) continue;
    const name = messages.demo.peer(index + 1);
    const sentence = messages.demo.wrong(name, report.goodPieceCount, report.pieceCount);
    throw new NodeError('CLI_BAD_CONTENT', sentence);
  }
}

function tellSummary(swarm: DemoSwarm, shown: ShownTorrent, seconds: number, session: Session): void {
  const { output, messages } = session;
  const seedBytes = swarm.seed.uploadedBytes;
  output.json({
    type: 'done',
    seconds,
    bytes: shown.totalBytes,
    seedSentBytes: seedBytes,
    exchangedBytes: swarm.exchangedBytes,
    verifiedCopyCount: swarm.downloaders.length,
  });
  output.result(messages.demo.verified(swarm.downloaders.length, shown.files.length));
  output.result(
    messages.demo.summary(
      formatBytes(seedBytes),
      formatBytes(swarm.exchangedBytes),
      swarm.exchangedPercent,
      formatSeconds(seconds),
    ),
  );
}

function tellWhatNext(session: Session): void {
  const { output, messages, programName } = session;
  output.note(`\n${messages.demo.next}`);
  const columns = Math.max(...messages.demo.nextLines.map(([line]) => line.length)) + 2;
  for (const [line, what] of messages.demo.nextLines)
    output.note(`  ${programName} ${line.padEnd(columns)}${what}`);
}

/** The four other processes. */
class Crew {
  readonly copyFolders: string[] = [];
  readonly #session: Session;
  readonly #folder: string;
  readonly #children: SpawnedSelf[] = [];
  #failure: NodeError | null = null;
  #isDisbanding = false;
  #lineDueMs = 0;

  constructor(session: Session, folder: string) {
    this.#session = session;
    this.#folder = folder;
  }

  /** Runs the seed, then the downloaders, and shows them until all have everything. */
  async download(shown: ShownTorrent, torrentFile: string): Promise<DemoSwarm> {
    const { messages, world, output } = this.#session;
    const names = Array.from({ length: downloaderCount }, (_, index) => messages.demo.peer(index + 1));
    const swarm = new DemoSwarm(messages.demo.seed, names, shown.pieceCount);
    const seedRate = Math.max(seedRateMin, Math.ceil(shown.totalBytes / seedSeconds));
    output.note(messages.demo.intro(shown.files.length, formatBytes(shown.totalBytes), shown.pieceCount));
    output.note(messages.demo.slowed(formatRate(seedRate)));
    const limit = ['--limit-up', String(seedRate)];
    this.#spawn(swarm.seed, 'seed', [
      'seed',
      torrentFile,
      '--from',
      parentFolder(world.codeFolder),
      ...limit,
    ]);
    output.note(messages.demo.waiting);
    await this.#until(() => swarm.seed.isReady, null);
    for (const [index, member] of swarm.downloaders.entries()) {
      const copyFolder = joinPath(this.#folder, `copy-${index + 1}`);
      this.copyFolders.push(copyFolder);
      this.#spawn(member, `peer-${index + 1}`, ['get', torrentFile, '--to', copyFolder, '--seed']);
    }
    await this.#until(() => swarm.isDone, swarm);
    return swarm;
  }

  /** Asks all to end, waits, and ends those who do not. May be called twice. */
  async disband(): Promise<void> {
    this.#isDisbanding = true;
    const { world } = this.#session;
    for (const child of this.#children) child.stop();
    const timer = world.setTimer(graceMs, () => {
      for (const child of this.#children) child.kill();
    });
    await Promise.all(this.#children.map((child) => child.exited));
    timer.cancel();
  }

  #spawn(member: DemoMember, folderName: string, args: readonly string[]): void {
    const { world, messages } = this.#session;
    const data = joinPath(this.#folder, `${folderName}-data`);
    const child = world.spawnSelf(
      [
        ...args,
        '--no-dht',
        '--no-lsd',
        '--no-port-mapping',
        '--bind',
        loopback,
        '--port',
        '0',
        '--data',
        data,
        '--json',
      ],
      {
        onLine: (line) => member.handleLine(line, world.nowMs()),
        onErrorLine: (line) => {
          member.message = line;
        },
      },
    );
    this.#children.push(child);
    void child.exited.then((code) => {
      if (this.#isDisbanding) return;
      const sentence = messages.demo.childEnded(member.name, code, member.message);
      this.#failure ??= new NodeError('CLI_DEMO_PROCESS', sentence);
    });
  }

  /** Shows the swarm (null: not yet) until `isDone`. @throws NodeError when a process ends, or nothing moves */
  async #until(isDone: () => boolean, swarm: DemoSwarm | null): Promise<void> {
    const { world, interrupt, messages } = this.#session;
    const pause = new Pause(this.#session);
    let [movedMs, pieceCount] = [world.nowMs(), -1];
    while (!isDone()) {
      if (interrupt.isSet) throw new InterruptedError();
      if (this.#failure !== null) throw this.#failure;
      const nowCount = swarm?.havePieceCount ?? -1;
      if (nowCount !== pieceCount) [movedMs, pieceCount] = [world.nowMs(), nowCount];
      if (world.nowMs() - movedMs > patienceMs) throw new NodeError('CLI_UNREACHABLE', messages.demo.stuck);
      if (swarm !== null) this.#show(swarm);
      await pause.wait(liveTickMs);
    }
  }

  #show(swarm: DemoSwarm): void {
    const { world, output } = this.#session;
    if (output.isLive) {
      output.draw(pictureOf(swarm, this.#session));
      return;
    }
    const nowMs = world.nowMs();
    if (nowMs < this.#lineDueMs) return;
    this.#lineDueMs = nowMs + (output.isJson ? jsonEveryMs : lineEveryMs);
    output.json(swarmToJson(swarm));
    for (const line of describeSwarm(swarm, this.#session)) output.note(line);
  }
}

function pictureOf(swarm: DemoSwarm, session: Session): string[] {
  const { output, messages } = session;
  return renderSwarm(swarm, { columns: output.columns, colors: output.colors, messages });
}

function describeSwarm(swarm: DemoSwarm, session: Session): string[] {
  const { messages } = session;
  return swarm.members.map((member) =>
    messages.progress.plain(member.name, describeMember(member, swarm, messages).trim()),
  );
}

function swarmToJson(swarm: DemoSwarm): object {
  return {
    type: 'progress',
    members: swarm.members.map((member) => ({
      name: member.name,
      havePieceCount: member.pieces.setCount,
      pieceCount: member.pieces.bitCount,
      downloadedBytes: member.downloadedBytes,
      uploadedBytes: member.uploadedBytes,
    })),
  };
}
