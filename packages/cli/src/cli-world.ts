import type { ConfigReport, DaemonStart, NodeApi, NodeSettings, RunningDaemon } from '@tequio/api';
import type { Timer } from '@tequio/kernel';

/**
 * Everything that the command line touches outside itself: the process, the terminal, the clock, the node. `bin/`
 * makes the real one; tests make one of streams that remember and a clock that stands still.
 */
export type CliWorld = {
  /** Results, and with `--json` nothing but lines of JSON. */
  readonly stdout: {
    write(text: string): void;
    /** Content; resolves when there is room for more. */
    writeBytes(bytes: Uint8Array): Promise<void>;
  };
  /** Progress and sentences. `columns` and `rows` are read anew for every picture; 0: not known. */
  readonly stderr: {
    write(text: string): void;
    readonly isTTY: boolean;
    readonly columns: number;
    readonly rows: number;
  };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute folder that relative paths are taken from (with npm, where the user called it: `INIT_CWD`). */
  readonly cwd: string;
  /** Absolute folder of the program's own code: what `demo` shares. */
  readonly codeFolder: string;
  /** As in package.json. */
  readonly version: string;
  /** The command that runs this program, without arguments of its own. */
  readonly selfCommand: readonly string[];
  /** The absolute and normalised path of a text, taken from `cwd`, by the rules of this system. */
  resolvePath(text: string): string;
  /** Calls back for every Ctrl-C and polite signal to end; the returned function ends that. */
  onSignal(handler: () => void): () => void;
  /** @throws NodeError `NET_LISTEN`, `DATABASE_OPEN` and others of its parts */
  startNode(settings: NodeSettings): Promise<NodeApi>;
  /**
   * Where a node runs that keeps its state in this folder (null: the usual one), and what lets in there; null: none has
   * said that it does. It may have ended without a word.
   */
  findDaemon(dataFolder: string | null): Promise<{ readonly url: string; readonly token: string } | null>;
  /** All of standard input, as text. */
  readStandardInput(): Promise<string>;
  /** @throws NodeError of settings and of all parts of a daemon */
  startDaemon(start: DaemonStart): Promise<RunningDaemon>;
  checkConfig(start: Pick<DaemonStart, 'dataFolder' | 'configPath'>): Promise<ConfigReport>;
  /** Monotonic milliseconds. */
  nowMs(): number;
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Runs this program once more as another process with these arguments. */
  spawnSelf(args: readonly string[], handlers: SpawnHandlers): SpawnedSelf;
  /** A new empty folder for this process alone. */
  makeTemporaryFolder(): Promise<string>;
  /** Removes a folder of `makeTemporaryFolder` with all in it. */
  removeTemporaryFolder(path: string): Promise<void>;
};

export type SpawnHandlers = {
  /** One line of its standard output, without the line's end. */
  onLine(line: string): void;
  /** One line of its standard error. */
  onErrorLine(line: string): void;
};

export type SpawnedSelf = {
  /** Its exit code, when it has ended; never rejects. A process that a signal ended gives 128 and more. */
  readonly exited: Promise<number>;
  /** Asks it to end, as Ctrl-C does. Harmless when it has ended. */
  stop(): void;
  /** Ends it at once. */
  kill(): void;
};
