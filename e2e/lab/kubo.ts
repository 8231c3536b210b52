/** Kubo, the IPFS program in Go, which .ci/peers builds: a repository of its own each, never the user's. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { env } from 'node:process';
import type { Host } from './lab.ts';
import { cleanEnvironment, Running } from './running.ts';
import { until } from './until.ts';

const version = '0.43.0';

/** The program: `TEQUIO_KUBO`, what .ci/peers has built, or `ipfs` on the path; null: none of them is here. */
export function kuboProgram(): string | null {
  const cache = env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? '/', '.cache');
  const places = [
    env['TEQUIO_KUBO'] ?? '',
    join(cache, 'tequio', 'peers', `kubo-${version}`, 'ipfs'),
    ...(env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'ipfs')),
  ];
  return places.find((place) => place.startsWith('/') && existsSync(place)) ?? null;
}

/** What a test says when it is skipped; null: kubo is here. */
export function whyNoKubo(): string | null {
  return kuboProgram() === null ? 'kubo is not here: .ci/peers builds it' : null;
}

export type KuboRun = { readonly stdout: Buffer; readonly stderr: string };

/** One repository, with a daemon on it while a test wants one. */
export class Kubo {
  /** `IPFS_PATH`. */
  readonly repository: string;
  readonly #program: string;
  readonly #host: Host | null;
  #daemon: Running | null = null;

  /**
   * Makes the repository: loopback, random ports, nobody to bootstrap from (kubo's own profile for tests).
   * @param host where it runs; its swarm then listens on the host's address. Null: this machine's loopback.
   * @param profiles of kubo, besides the one for tests
   * @throws Error when kubo is not here, see {@link whyNoKubo}
   */
  constructor(folder: string, host: Host | null = null, profiles: readonly string[] = []) {
    const program = kuboProgram();
    if (program === null) throw new Error(whyNoKubo()!);
    this.#program = program;
    this.#host = host;
    this.repository = join(folder, 'kubo');
    mkdirSync(this.repository, { recursive: true });
    this.run('init', `--profile=${['test', ...profiles].join()}`);
    if (host !== null) {
      this.run('config', '--json', 'Addresses.Swarm', JSON.stringify([`/ip4/${host.address}/tcp/4001`]));
      this.run('config', 'Addresses.API', `/ip4/${host.address}/tcp/5001`);
      this.run('config', 'Addresses.Gateway', `/ip4/${host.address}/tcp/8080`);
    }
  }

  /** Of the program, as `0.43.0`. @throws Error when it is not here */
  static version(): string {
    return spawnSync(kuboProgram() ?? 'ipfs', ['version', '--number'], { encoding: 'utf8' }).stdout.trim();
  }

  /** One command to its end. @throws Error with what it said when it fails */
  run(...args: readonly string[]): KuboRun {
    return this.runWith(null, ...args);
  }

  /** The same, with bytes on standard input. */
  runWith(input: Uint8Array | null, ...args: readonly string[]): KuboRun {
    const command = this.#command(args);
    const run = spawnSync(command[0]!, command.slice(1), {
      env: this.#environment(),
      input: input ?? Buffer.alloc(0),
      maxBuffer: 2 ** 31,
      timeout: 120_000,
    });
    const stderr = String(run.stderr);
    if (run.status === 0) return { stdout: run.stdout, stderr };
    throw new Error(`ipfs ${args.join(' ')}: exit ${run.status ?? run.signal}: ${run.error ?? stderr}`);
  }

  /** What a command prints, without the last end of line. */
  say(...args: readonly string[]): string {
    return this.run(...args)
      .stdout.toString()
      .trimEnd();
  }

  /** The same with input. */
  sayOf(input: Uint8Array, ...args: readonly string[]): string {
    return this.runWith(input, ...args)
      .stdout.toString()
      .trimEnd();
  }

  /** A command as a program, with what it finds its repository by. */
  commandOf(...args: readonly string[]): string[] {
    const words = Object.entries({ IPFS_PATH: this.repository, IPFS_TELEMETRY: 'off' });
    return ['env', ...words.map((word) => word.join('=')), ...this.#command(args)];
  }

  /** `ipfs daemon`, without waiting for it. */
  spawnDaemon(...args: readonly string[]): Running {
    const command = this.#command(['daemon', ...args]);
    this.#daemon = new Running(command[0]!, command.slice(1), { env: this.#environment() });
    return this.#daemon;
  }

  /** `ipfs daemon`, until it says that it is ready. */
  async startDaemon(...args: readonly string[]): Promise<void> {
    const daemon = this.spawnDaemon(...args);
    await until('kubo is ready', 60_000, () => {
      daemon.assertRunning();
      return daemon.stdout.includes('Daemon is ready');
    });
  }

  /** Where the running daemon's swarm is reached, each with its peer id at the end. */
  addresses(): readonly string[] {
    return (JSON.parse(this.say('id')) as { Addresses: string[] }).Addresses;
  }

  /** Of the running daemon, as a URL: `http://127.0.0.1:5001`. */
  get apiUrl(): string {
    return this.#urlOf(/RPC API server listening on (\S+)/);
  }

  get gatewayUrl(): string {
    return this.#urlOf(/Gateway server listening on (\S+)/);
  }

  /** The process of the daemon; null: it does not run. */
  get pid(): number | null {
    return this.#daemon?.child.pid ?? null;
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop('SIGINT');
    this.#daemon = null;
  }

  #urlOf(pattern: RegExp): string {
    const said = pattern.exec(this.#daemon?.stdout ?? '')?.[1] ?? '';
    const [, , address, , port] = said.split('/');
    if (port === undefined) throw new Error(`kubo's daemon has not said where it listens: ${said}`);
    return `http://${address}:${port}`;
  }

  #command(args: readonly string[]): string[] {
    const inside = this.#host === null ? [] : ['ip', 'netns', 'exec', this.#host.namespace];
    return [...inside, this.#program, ...args];
  }

  #environment(): Record<string, string> {
    return { ...cleanEnvironment(this.repository), IPFS_PATH: this.repository, IPFS_TELEMETRY: 'off' };
  }
}
