import type { ConfigReport, DaemonStart, Management, NodeSettings, RunningDaemon } from '@tequio/api';
import type { Timer } from '@tequio/kernel';
import type { CliWorld, SpawnHandlers } from '../cli-world.ts';
import { runCli } from '../run-cli.ts';
import { FakeNode } from './fake-node.ts';

/**
 * A world that remembers what was written and whose time passes as fast as the program lets it: when everything
 * waits, the next timer is due. Two runs give the same output.
 */
export class FakeWorld implements CliWorld {
  out = '';
  err = '';
  readonly env: Record<string, string | undefined>;
  readonly cwd = '/home/ana';
  readonly codeFolder = '/project/packages';
  readonly version = '1.2.3';
  readonly selfCommand: readonly string[] = ['/usr/bin/node', '/project/bin/tequio.ts'];
  readonly stdout = {
    write: (text: string): void => void (this.out += text),
    writeBytes: async (bytes: Uint8Array): Promise<void> =>
      void (this.out += new TextDecoder().decode(bytes)),
  };
  readonly stderr: { write(text: string): void; isTTY: boolean; columns: number; rows: number };
  readonly node: FakeNode;
  /** Of `startNode`. */
  readonly settings: NodeSettings[] = [];
  readonly daemonStarts: DaemonStart[] = [];
  configReport: ConfigReport = { path: '/data/config.toml', exists: true, problems: [] };
  readonly removedFolders: string[] = [];
  readonly children: FakeChild[] = [];
  onSpawn: (child: FakeChild) => void = () => {};
  #nowMs = 0;
  #timers: { dueMs: number; callback: () => void }[] = [];
  #isPumping = false;
  readonly #signalHandlers = new Set<() => void>();

  constructor(options: { terminalColumns?: number; env?: Record<string, string | undefined> } = {}) {
    const { terminalColumns } = options;
    this.env = options.env ?? {};
    this.stderr = {
      write: (text) => void (this.err += text),
      isTTY: terminalColumns !== undefined,
      columns: terminalColumns ?? 0,
      rows: 0,
    };
    this.node = new FakeNode(this);
  }

  /** The lines of standard output as JSON values; throws when one is not. */
  get json(): Record<string, unknown>[] {
    return this.out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }

  resolvePath(text: string): string {
    return text === '.' ? this.cwd : text.startsWith('/') ? text : `${this.cwd}/${text}`;
  }

  onSignal(handler: () => void): () => void {
    this.#signalHandlers.add(handler);
    return () => void this.#signalHandlers.delete(handler);
  }

  /** What Ctrl-C does. */
  signal(): void {
    for (const handler of this.#signalHandlers) handler();
  }

  async startNode(settings: NodeSettings): Promise<FakeNode> {
    this.settings.push(settings);
    return this.node;
  }

  /** Where `findDaemon` says that a node runs. */
  daemon: { readonly url: string; readonly token: string } | null = null;
  standardInput = '';

  async findDaemon(): Promise<{ readonly url: string; readonly token: string } | null> {
    return this.daemon;
  }

  async readStandardInput(): Promise<string> {
    return this.standardInput;
  }

  async startDaemon(start: DaemonStart): Promise<RunningDaemon> {
    this.daemonStarts.push(start);
    return Object.assign(this.node, {
      management: null as unknown as Management,
      url: 'http://127.0.0.1:1/#token=x',
      ended: new Promise<void>(() => {}),
    }) as unknown as RunningDaemon;
  }

  async checkConfig(): Promise<ConfigReport> {
    return this.configReport;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    if (!this.#isPumping) {
      this.#isPumping = true;
      this.#pump();
    }
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }

  spawnSelf(args: readonly string[], handlers: SpawnHandlers): FakeChild {
    const child = new FakeChild(args, handlers);
    this.children.push(child);
    this.onSpawn(child);
    return child;
  }

  async makeTemporaryFolder(): Promise<string> {
    return '/tmp/demo';
  }

  async removeTemporaryFolder(path: string): Promise<void> {
    this.removedFolders.push(path);
  }

  /** Lets chains of promises settle, then runs the earliest timer. */
  #pump(): void {
    let turns = 4;
    const turn = (): void => {
      if (--turns > 0) {
        setImmediate(turn);
        return;
      }
      const next = this.#timers.toSorted((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined) {
        this.#isPumping = false;
        return;
      }
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
      this.#pump();
    };
    setImmediate(turn);
  }
}

export class FakeChild {
  readonly args: readonly string[];
  readonly handlers: SpawnHandlers;
  readonly exited: Promise<number>;
  isStopped = false;
  isKilled = false;
  end: (code: number) => void = () => {};

  constructor(args: readonly string[], handlers: SpawnHandlers) {
    this.args = args;
    this.handlers = handlers;
    this.exited = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  say(value: object): void {
    this.handlers.onLine(JSON.stringify(value));
  }

  stop(): void {
    this.isStopped = true;
    this.end(130);
  }

  kill(): void {
    this.isKilled = true;
    this.end(137);
  }
}

/** Runs a command line as the shell would split it at spaces. */
export function run(world: FakeWorld, line: string): Promise<number> {
  return runCli(line === '' ? [] : line.split(' '), world);
}
