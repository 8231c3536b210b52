/** libtorrent as programs/libtorrent-work.py drives it, on a host of the lab. */
import { fileURLToPath } from 'node:url';
import { JsonLines } from '../e2e/lab/json-lines.ts';
import type { Host } from '../e2e/lab/lab.ts';
import type { Running } from '../e2e/lab/running.ts';

const script = fileURLToPath(new URL('./programs/libtorrent-work.py', import.meta.url));
const port = 6881;

export class WorkPeer {
  readonly #lines = new JsonLines();
  readonly #running: Running;

  private constructor(host: Host, python: string) {
    this.#running = host.run(python, [script], { onLine: this.#lines.onLine });
    this.#lines.attach(this.#running);
  }

  static async start(
    host: Host,
    python: string,
    settings: Readonly<Record<string, unknown>>,
  ): Promise<WorkPeer> {
    const peer = new WorkPeer(host, python);
    await peer.ask('listen', { endpoint: `${host.address}:${port}`, settings });
    return peer;
  }

  ask<Reply = Record<string, unknown>>(op: string, request: Record<string, unknown> = {}): Promise<Reply> {
    return this.#lines.ask<Reply>(op, request);
  }

  async stop(): Promise<void> {
    await this.#running.stop('SIGKILL');
  }
}
