/** A web server for a folder, on a host of the lab, that counts what comes. */
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Host } from './lab.ts';
import type { Running } from './running.ts';
import { until } from './until.ts';

export type WebCounts = {
  readonly connections: number;
  readonly requests: number;
  /** Addresses that they came from. */
  readonly clients: readonly string[];
};

export class WebFiles {
  readonly host: Host;
  readonly port: number;
  readonly #running: Running;
  #counts: WebCounts;

  private constructor(host: Host, running: Running, port: number) {
    this.host = host;
    this.port = port;
    this.#running = running;
    this.#counts = { connections: 0, requests: 0, clients: [] };
  }

  static async start(host: Host, folder: string): Promise<WebFiles> {
    const script = fileURLToPath(new URL('web-files-server.ts', import.meta.url));
    const started: { files: WebFiles | null; port: number } = { files: null, port: 0 };
    const running = host.run(execPath, [script, folder, host.address], {
      onLine: (line) => {
        const said = JSON.parse(line) as { port?: number } & WebCounts;
        if (said.port !== undefined) started.port = said.port;
        else if (started.files !== null) started.files.#counts = said;
      },
    });
    await until('the web server listens', 10_000, () => {
      running.assertRunning();
      return started.port > 0;
    });
    started.files = new WebFiles(host, running, started.port);
    return started.files;
  }

  get counts(): WebCounts {
    return this.#counts;
  }

  async stop(): Promise<void> {
    await this.#running.stop('SIGKILL');
  }
}
