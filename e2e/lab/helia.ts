/** Helia, the IPFS library in JavaScript, which .ci/peers installs: a process of its own, on loopback. */
import { copyFileSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { env, execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { JsonLines } from './json-lines.ts';
import { cleanEnvironment, Running } from './running.ts';

const source = fileURLToPath(new URL('../../.ci/peers.d/helia', import.meta.url));

/** Where it is installed, with all that it is made of; null: it is not here. */
function heliaFolder(): string | null {
  const { dependencies } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as {
    dependencies: { helia: string };
  };
  const cache = env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? '/', '.cache');
  const folder = join(cache, 'tequio', 'peers', `helia-${dependencies.helia}`);
  return existsSync(join(folder, '.installed')) ? folder : null;
}

/** What a test says when it is skipped; null: Helia is here. */
export function whyNoHelia(): string | null {
  return heliaFolder() === null ? 'Helia is not here: .ci/peers installs it' : null;
}

export type HeliaOptions = {
  /** A file as kubo's `swarm.key`: it speaks with who has the same key alone. */
  readonly swarmKey?: string;
  /** A relay's address: it listens nowhere else. */
  readonly relay?: string;
  readonly relayServer?: boolean;
};

/** One node, with its blocks in memory. Its requests are those of `.ci/peers.d/helia/peer.mjs`. */
export class Helia {
  readonly #lines = new JsonLines();
  readonly #running: Running;

  /** @param folder of the test, where its program is put. @throws Error when Helia is not here */
  constructor(folder: string, options: HeliaOptions = {}) {
    const installed = heliaFolder();
    if (installed === null) throw new Error(whyNoHelia()!);
    // What a program imports is looked for from where it lies.
    if (!existsSync(join(folder, 'node_modules')))
      symlinkSync(join(installed, 'node_modules'), join(folder, 'node_modules'));
    const program = join(folder, 'peer.mjs');
    copyFileSync(join(source, 'peer.mjs'), program);
    this.#running = new Running(execPath, [program, JSON.stringify(options)], {
      env: cleanEnvironment(folder),
      onLine: this.#lines.onLine,
    });
    this.#lines.attach(this.#running);
  }

  /** @throws Error with Helia's own words when it refuses or ends */
  async ask<Reply = Record<string, unknown>>(
    op: string,
    request: Record<string, unknown> = {},
  ): Promise<Reply> {
    const { id: _, ok: __, ...reply } = await this.#lines.ask(op, request);
    return reply as Reply;
  }

  /** Once it has started; its TCP address first. */
  id(): Promise<{ readonly peer: string; readonly addresses: readonly string[] }> {
    return this.ask('id');
  }

  async stop(): Promise<void> {
    await this.#running.stop();
  }
}
