/** The library as a program on a host of the lab: see programs/tequio-peer.ts. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { JsonLines } from '../e2e/lab/json-lines.ts';
import type { Host } from '../e2e/lab/lab.ts';
import type { Running } from '../e2e/lab/running.ts';
import { programArguments } from '../e2e/lab/tequio.ts';

const script = fileURLToPath(new URL('./programs/tequio-peer.ts', import.meta.url));
/** As the program's own command sets Node.js, without what it then runs. */
const flags = programArguments.slice(0, -1);
const port = 6881;

export class LibraryPeer {
  readonly endpoint: string;
  readonly #lines = new JsonLines();
  readonly #running: Running;

  private constructor(host: Host) {
    this.endpoint = `${host.address}:${port}`;
    this.#running = host.run(execPath, [...flags, '--expose-gc', script], { onLine: this.#lines.onLine });
    this.#lines.attach(this.#running);
  }

  /** @param options of the library. Its data folder outlives it. */
  static async start(host: Host, options: Readonly<Record<string, unknown>> = {}): Promise<LibraryPeer> {
    const peer = new LibraryPeer(host);
    const dataFolder = join(host.folder, 'data');
    mkdirSync(dataFolder, { recursive: true });
    await peer.ask('listen', { address: host.address, port, dataFolder, options });
    return peer;
  }

  ask<Reply = Record<string, unknown>>(op: string, request: Record<string, unknown> = {}): Promise<Reply> {
    return this.#lines.ask<Reply>(op, request);
  }

  /** Ends it in order, so that it remembers everything. */
  async stop(): Promise<void> {
    await this.ask('quit').catch(() => {});
    await this.#running.stop('SIGKILL');
  }
}
