import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Host } from './lab.ts';
import { type DownloadFrom, isMagnet, type LabPeer } from './peer.ts';
import { cleanEnvironment, Running, type RunOptions } from './running.ts';
import { HopelessError, until } from './until.ts';

const port = 6881;
const projectFolder = fileURLToPath(new URL('../..', import.meta.url));
/** What `npm start` runs, without npm; or the built program that TEQUIO_PROGRAM names. */
export const programArguments: readonly string[] = startCommand().map((word) =>
  word.endsWith('.ts') ? join(projectFolder, word) : word,
);

/** One line of `--json`. */
export type JsonLine = { readonly type?: string; readonly [key: string]: unknown };

/** This project's own program, run as a user runs it. Its data folder outlives each run of it. */
export class TequioPeer implements LabPeer {
  readonly name = 'Tequio';
  readonly host: Host;
  readonly emptyFilesMade = true;
  readonly endpoint: string;
  /** All JSON lines of the present run. */
  lines: JsonLine[] = [];
  /** When each of them came, by `performance.now`. */
  #timesMs: number[] = [];
  readonly #more: readonly string[];
  readonly #usesLsd: boolean;
  #running: Running | null = null;

  /**
   * @param more options of `get` and `seed` besides ours
   * @param usesLsd only tests that are about local discovery may find peers by it
   */
  constructor(host: Host, more: readonly string[] = [], usesLsd = false) {
    this.#usesLsd = usesLsd;
    this.host = host;
    this.#more = more;
    this.endpoint = `${host.address}:${port}`;
  }

  async seed(torrentFile: string, folder: string, trackers: readonly string[] = []): Promise<void> {
    const args = ['seed', torrentFile, '--from', folder, '--port', String(port)];
    this.start([...args, ...this.#more, ...trackers.flatMap((url) => ['--tracker', url])]);
    await this.waitLine('seeding', 20_000);
  }

  async download(source: string, folder: string, from: DownloadFrom): Promise<void> {
    mkdirSync(folder, { recursive: true });
    const trackers = from.trackers ?? [];
    if (trackers.length > 0 && !isMagnet(source))
      throw new Error('a .torrent names its own trackers: put them there');
    const link = source + trackers.map((url) => `&tr=${encodeURIComponent(url)}`).join('');
    const peers = (from.peers ?? []).flatMap((peer) => ['--peer', peer]);
    this.start(['get', link, '--to', folder, '--port', String(port), ...this.#more, ...peers]);
  }

  /** Runs a command that talks to peers on this host. */
  start(args: readonly string[]): void {
    this.lines = [];
    this.#timesMs = [];
    // Tests that are not about the DHT leave it alone: its usual hosts are on the Internet.
    const usesDht = args.includes('--dht-bootstrap') || !['get', 'seed'].includes(args[0] ?? '');
    const dht = usesDht ? [] : ['--no-dht'];
    const lsd = this.#usesLsd || !['get', 'seed'].includes(args[0] ?? '') ? [] : ['--no-lsd'];
    const data = join(this.host.folder, 'data');
    this.#running = this.host.run(
      execPath,
      [...programArguments, ...args, ...dht, ...lsd, '--json', '--data', data],
      {
        onLine: (line) => {
          this.#timesMs.push(performance.now());
          this.lines.push(JSON.parse(line) as JsonLine);
        },
      },
    );
  }

  /** The next line of this type, or one that is already there. */
  waitLine(
    type: string,
    timeoutMs: number,
    accept: (line: JsonLine) => boolean = () => true,
  ): Promise<JsonLine> {
    return until(`Tequio says "${type}"`, timeoutMs, () => {
      const line = this.lines.find((candidate) => candidate.type === type && accept(candidate));
      if (line === undefined) this.#running!.assertRunning();
      return line;
    }).catch((error: Error) => {
      throw error instanceof HopelessError
        ? error
        : new Error(`${error.message}\n${this.#running!.describe()}`);
    });
  }

  /** When the first line of this type came, by `performance.now`. */
  async timeOf(type: string, timeoutMs: number): Promise<number> {
    return this.timeMsOf(await this.waitLine(type, timeoutMs));
  }

  /** When one of `lines` came, by `performance.now`. */
  timeMsOf(line: JsonLine): number {
    return this.#timesMs[this.lines.indexOf(line)]!;
  }

  async progress(): Promise<number> {
    const last = this.lines.findLast(({ type }) => type === 'progress');
    const [done, wanted] = [Number(last?.['doneBytes'] ?? 0), Number(last?.['wantedBytes'] ?? 0)];
    return wanted === 0 ? 0 : done / wanted;
  }

  /** Until it has said that it is done, and ended with 0. */
  async waitComplete(timeoutMs: number): Promise<void> {
    await this.waitLine('done', timeoutMs);
    const { code, signal } = await this.#running!.wait(15_000);
    if (code !== 0) throw new Error(`Tequio ended with ${code ?? signal}: ${this.#running!.describe()}`);
  }

  /** Until it has ended, in whatever way. */
  waitEnd(timeoutMs: number): ReturnType<Running['wait']> {
    return this.#running!.wait(timeoutMs);
  }

  /** Ends it as a power cut does, for the process. */
  async kill(): Promise<void> {
    await this.#running?.stop('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#running?.stop('SIGINT');
  }

  describe(): string {
    return this.#running?.describe() ?? 'not started';
  }
}

/** `tequio tracker` on a host. */
export class TequioTracker {
  readonly httpUrl: string;
  readonly udpUrl: string;
  readonly #peer: TequioPeer;

  private constructor(host: Host) {
    this.#peer = new TequioPeer(host);
    this.httpUrl = `http://${host.address}:6969/announce`;
    this.udpUrl = `udp://${host.address}:6969/announce`;
  }

  static async start(host: Host): Promise<TequioTracker> {
    const tracker = new TequioTracker(host);
    tracker.#peer.start(['tracker', '--http', '6969', '--udp', '6969', '--bind', host.address]);
    await tracker.#peer.waitLine('started', 10_000);
    return tracker;
  }

  async stop(): Promise<void> {
    await this.#peer.stop();
  }
}

export type TequioRun = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Runs a command that ends by itself, without a network of its own: `show`, `create`, `verify`. */
export async function runTequio(
  args: readonly string[],
  home: string,
  options: RunOptions = {},
): Promise<TequioRun> {
  const running = new Running(execPath, [...programArguments, ...args], {
    env: cleanEnvironment(home),
    ...options,
  });
  const { code } = await running.wait(60_000);
  return { code, stdout: running.stdout, stderr: running.stderr };
}

function startCommand(): readonly string[] {
  const built = process.env['TEQUIO_PROGRAM'];
  if (built !== undefined) return [built];
  const { scripts } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as {
    readonly scripts: { readonly start: string };
  };
  return scripts.start.split(' ').slice(1);
}
