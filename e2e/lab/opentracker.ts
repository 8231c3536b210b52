import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from './lab.ts';
import type { Running } from './running.ts';
import { until } from './until.ts';

const port = 6969;

/** opentracker as Debian builds it: HTTP and UDP on one port, only for info-hashes on its list. */
export class Opentracker {
  readonly httpUrl: string;
  readonly udpUrl: string;
  readonly #running: Running;
  readonly #host: Host;

  private constructor(host: Host, infoHashes: readonly string[]) {
    this.#host = host;
    this.httpUrl = `http://${host.address}:${port}/announce`;
    this.udpUrl = `udp://${host.address}:${port}/announce`;
    const list = join(host.folder, 'whitelist');
    writeFileSync(list, infoHashes.map((hash) => `${hash}\n`).join(''));
    // It locks itself into the folder (-d) and gives up root before it reads the list.
    chmodSync(host.folder, 0o755);
    chmodSync(list, 0o644);
    const at = ['-i', host.address, '-p', String(port), '-P', String(port)];
    this.#running = host.run('opentracker', [
      ...at,
      '-A',
      host.gateway,
      '-d',
      host.folder,
      '-w',
      '/whitelist',
    ]);
  }

  /** @param infoHashes hex, 40 digits (a v2 hash cut to 20 bytes) */
  static async start(host: Host, infoHashes: readonly string[]): Promise<Opentracker> {
    const tracker = new Opentracker(host, infoHashes);
    await until('opentracker answers', 10_000, () => {
      tracker.#running.assertRunning();
      return fetch(`http://${host.address}:${port}/stats`, { signal: AbortSignal.timeout(2000) }).then(
        ({ ok }) => ok,
      );
    });
    return tracker;
  }

  /** Its statistics page, which counts torrents, peers and seeds in plain text. */
  async statistics(): Promise<string> {
    const response = await fetch(`http://${this.#host.address}:${port}/stats`);
    return response.text();
  }

  async stop(): Promise<void> {
    await this.#running.stop('SIGKILL');
  }
}
