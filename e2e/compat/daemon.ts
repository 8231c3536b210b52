import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { cleanEnvironment, Running } from '../lab/running.ts';
import { programArguments } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';

/** `tequio run` on this machine, by itself: no DHT, no port mapping, content in `folder`. */
export class TequioDaemon {
  readonly #running: Running;
  readonly #data: string;
  #origin = '';
  #token = '';

  private constructor(folder: string, downloadFolder: string) {
    this.#data = join(folder, 'data');
    mkdirSync(this.#data, { recursive: true });
    const flags = ['--http', '127.0.0.1:0', '--port', '0', '--no-dht', '--no-lsd', '--no-port-mapping'];
    this.#running = new Running(
      execPath,
      [...programArguments, 'run', '--data', this.#data, '--download', downloadFolder, ...flags],
      { env: cleanEnvironment(folder) },
    );
  }

  static async start(folder: string, downloadFolder: string): Promise<TequioDaemon> {
    const daemon = new TequioDaemon(folder, downloadFolder);
    await until('the daemon answers', 20_000, async () => {
      daemon.#running.assertRunning();
      const { url } = JSON.parse(readFileSync(join(daemon.#data, 'running.json'), 'utf8')) as { url: string };
      daemon.#token = readFileSync(join(daemon.#data, 'token'), 'utf8').trim();
      daemon.#origin = url.replace(/\/$/, '');
      return (await fetch(`${daemon.#origin}/health`)).ok;
    });
    return daemon;
  }

  get origin(): string {
    return this.#origin;
  }

  get token(): string {
    return this.#token;
  }

  describe(): string {
    return this.#running.describe();
  }

  async stop(): Promise<void> {
    await this.#running.stop('SIGINT');
  }
}
