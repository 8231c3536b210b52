import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { HopelessError, patient } from './until.ts';

/** What is kept of each stream for messages; more is cut at the front. */
const keptChars = 64 * 1024;

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type RunOptions = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called for each line of standard output. */
  readonly onLine?: (line: string) => void;
};

/** A program that a test has started: its output so far, its end, and a way to end it. */
export class Running {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  readonly #name: string;
  #exit: Exit | null = null;
  #stdout = '';
  #stderr = '';

  constructor(program: string, args: readonly string[], options: RunOptions = {}) {
    this.#name = [program, ...args].join(' ');
    this.child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? cleanEnvironment('/tmp'),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.#stderr += String(error);
        resolve((this.#exit = { code: 127, signal: null }));
      });
      this.child.once('close', (code, signal) => resolve((this.#exit = { code, signal })));
    });
    this.child.stdin!.on('error', () => {});
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-keptChars);
    });
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.#stdout = `${this.#stdout}${line}\n`.slice(-keptChars);
      options.onLine?.(line);
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Null while it runs. */
  get exit(): Exit | null {
    return this.#exit;
  }

  /** @throws HopelessError with the program's last words when it has ended */
  assertRunning(): void {
    if (this.#exit !== null) throw new HopelessError(`${this.#name} has ended: ${this.describe()}`);
  }

  describe(): string {
    const how = this.#exit === null ? 'running' : `exit ${this.#exit.code ?? this.#exit.signal}`;
    return `${how}\n--- stdout\n${this.#stdout.slice(-2000)}\n--- stderr\n${this.#stderr.slice(-2000)}`;
  }

  /** Waits for the end. @throws Error when it is still running after `timeoutMs` (it is killed) */
  async wait(timeoutMs: number): Promise<Exit> {
    const late = Symbol('late');
    let timer: NodeJS.Timeout | undefined;
    const ended = await Promise.race([
      this.exited,
      new Promise<typeof late>((resolve) => (timer = setTimeout(resolve, patient(timeoutMs), late))),
    ]);
    clearTimeout(timer);
    if (ended !== late) return ended;
    const words = this.describe();
    this.child.kill('SIGKILL');
    throw new Error(`${this.#name}: no end within ${patient(timeoutMs)} ms: ${words}`);
  }

  /** Sends `signal`, and SIGKILL when that has not ended it within ten seconds. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    if (this.#exit !== null) return this.#exit;
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }
}

/**
 * An environment in which nothing of the machine's configuration changes what a program does: no proxies, its
 * own home, UTF-8 file names.
 */
export function cleanEnvironment(home: string): Record<string, string> {
  return {
    PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`,
    HOME: home,
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    TERM: 'dumb',
    NO_COLOR: '1',
  };
}
