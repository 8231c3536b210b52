import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { cleanEnvironment, Running } from './running.ts';
import { programArguments } from './tequio.ts';
import { HopelessError, until } from './until.ts';

/** What the tests read of a torrent. */
export type DaemonTorrent = {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly error: string | null;
  readonly errorCode: string | null;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly category: string | null;
  readonly tags: readonly string[];
};

/** This project's daemon, run as a user runs it, and asked over its API as a program asks it. */
export class LabDaemon {
  readonly folder: string;
  readonly #args: readonly string[];
  #running: Running | null = null;
  #url = '';
  #token = '';

  /** @param folder its data folder, which outlives each run */
  constructor(folder: string, args: readonly string[] = []) {
    this.folder = folder;
    const alone = ['--http', '127.0.0.1:0', '--port', '0', '--no-dht', '--no-lsd', '--no-port-mapping'];
    this.#args = ['run', '--json', '--data', folder, '--bind', '127.0.0.1', ...alone, ...args];
  }

  get running(): Running {
    if (this.#running === null) throw new Error('the daemon was not started');
    return this.#running;
  }

  /** `http://127.0.0.1:PORT`, once it has started. */
  get origin(): string {
    return new URL(this.#url).origin;
  }

  /** Of programs, once it has started. */
  get token(): string {
    return this.#token;
  }

  /** Until its API answers. */
  async start(): Promise<void> {
    this.spawn();
    await until('the daemon answers', 120_000, async () => {
      if (this.running.exit !== null) throw new HopelessError(`the daemon has ended: ${this.running.stderr}`);
      if (!this.running.stdout.includes('"started"')) return null;
      this.#url = new URL(
        '/api/v1/',
        (JSON.parse(this.running.stdout.split('\n')[0]!) as { url: string }).url,
      ).href;
      this.readToken();
      return true;
    });
  }

  /** From its data folder, where it lies from the first start on. */
  readToken(): void {
    this.#token = readFileSync(join(this.folder, 'token'), 'utf8').trim();
  }

  /** Without waiting for it. */
  spawn(): Running {
    this.#running = new Running(execPath, [...programArguments, ...this.#args], {
      env: cleanEnvironment(this.folder),
    });
    return this.#running;
  }

  /** @throws Error with the answer when it is none that says yes */
  async ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(this.#url + path, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? null : JSON.parse(text)) as Answer;
  }

  async torrents(): Promise<readonly DaemonTorrent[]> {
    return (await this.ask<{ rows: DaemonTorrent[] }>('GET', 'torrents?limit=1000')).rows;
  }

  /** TCP port for peers. */
  async port(): Promise<number> {
    return (await this.ask<{ port: number }>('GET', 'status')).port;
  }

  /** As a power failure that spares the system: nothing is said and nothing is finished. */
  async kill(): Promise<void> {
    this.running.child.kill('SIGKILL');
    await this.running.exited;
  }

  async stop(): Promise<void> {
    if (this.#running === null) return;
    this.#running.child.kill('SIGINT');
    await Promise.race([this.#running.exited, new Promise((resolve) => setTimeout(resolve, 15_000).unref())]);
    this.#running.child.kill('SIGKILL');
    await this.#running.exited;
  }
}
