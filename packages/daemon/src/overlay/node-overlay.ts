/**
 * The node's part in libp2p. It is loaded and started when something needs it for the first time, or the user wants it
 * anyway; the supervisor starts it again when it fails.
 *
 *   idle ── open(), or the setting ──> starting ──> running ──> idle
 *                                          └── fails: whoever waits is told; the supervisor tries again
 */
import { join } from 'node:path';
import type { Settings } from '@tequio/api';
import {
  type Database,
  type FilesPort,
  NodeError,
  type OverlayPort,
  type Ports,
  type Timer,
  tryDecodeUtf8,
} from '@tequio/kernel';
import type { OverlayDeps, OverlayService } from '@tequio/overlay';

const keyFileBytesMax = 1000;
/** Loading libp2p takes all of a processor: what answers at once has its turn before, unless somebody asks for it. */
const startPauseMs = 100;

export type NodeOverlayDeps = Omit<OverlayDeps, 'ports' | 'database' | 'rates'> & {
  readonly ports: OverlayDeps['ports'] & Pick<Ports, 'entropy'>;
  readonly files: FilesPort;
  readonly database: Database;
  readonly dataFolder: string;
  /** Of peers: `tequio/1.2.3`. */
  readonly agent: string;
  readonly settings: () => Settings['overlay'];
  readonly rates: () => NonNullable<OverlayDeps['rates']>;
};

type Waiting = { readonly resolve: (port: OverlayPort) => void; readonly reject: (error: unknown) => void };

/** See the head of this file. */
export class NodeOverlay {
  readonly #deps: NodeOverlayDeps;
  #running: OverlayService | null = null;
  #isWanted = false;
  #isClosed = false;
  #wake = (): void => {};
  readonly #waiting = new Set<Waiting>();

  constructor(deps: NodeOverlayDeps) {
    this.#deps = deps;
  }

  /** What runs; null: nothing has asked for it yet, or it does not run just now. */
  get current(): OverlayPort | null {
    return this.#running;
  }

  /**
   * Starts it if need be. While the node runs, the port stays the same one unless it failed.
   * @throws NodeError `NET_LISTEN`, `OVERLAY_KEY`, `OVERLAY_SWARM_KEY`, `OVERLAY_CLOSED`
   */
  open(): Promise<OverlayPort> {
    if (this.#running !== null) return Promise.resolve(this.#running);
    if (this.#isClosed) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      this.#waiting.add({ resolve, reject });
      this.#isWanted = true;
      this.#wake();
    });
  }

  /** A part for the supervisor. */
  async run(signal: AbortSignal): Promise<void> {
    if (!(await this.#untilWanted(signal))) return this.#refuse(closed());
    try {
      this.#running = await this.#start();
    } catch (error) {
      this.#refuse(error, false);
      throw error;
    }
    const running = this.#running;
    for (const { resolve } of this.#take()) resolve(running);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#running = null;
    this.#isClosed = true;
    await running.close();
  }

  async #untilWanted(signal: AbortSignal): Promise<boolean> {
    if (this.#isWanted) return !signal.aborted;
    let timer: Timer | null = null;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (this.#deps.settings().enabled) timer = this.#deps.ports.clock.setTimer(startPauseMs, resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    (timer as Timer | null)?.cancel();
    if (this.#deps.settings().enabled) this.#isWanted = true;
    return !signal.aborted;
  }

  async #start(): Promise<OverlayService> {
    const { createOverlay, decodeSwarmKey, defaultOverlayOptions, readIdentity } = await import(
      '@tequio/overlay'
    );
    const { ports, files, dataFolder, agent, settings, rates, ...deps } = this.#deps;
    const { enabled: _, port, swarmKey, connections, ...options } = settings();
    const secretKey = await readIdentity(join(dataFolder, 'identity.key'), dataFolder, {
      ...pick(ports),
      files,
    });
    const service = createOverlay(
      {
        ...defaultOverlayOptions,
        ...options,
        secretKey,
        agent,
        port: port ?? 'usual',
        connectionCountMax: connections,
        swarmKey: swarmKey === null ? null : decodeSwarmKey(await readText(swarmKey, files)),
      },
      { ...deps, ports, rates: rates() },
    );
    try {
      await service.start();
    } catch (error) {
      await service.close();
      throw error;
    }
    return service;
  }

  #refuse(error: unknown, isLast = true): void {
    this.#isClosed = isLast;
    for (const { reject } of this.#take()) reject(error);
  }

  #take(): readonly Waiting[] {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    return waiting;
  }
}

/** Ports are getters of an object that makes them when they are asked for. */
function pick({ entropy, signatures }: NodeOverlayDeps['ports']): Pick<Ports, 'entropy' | 'signatures'> {
  return { entropy, signatures };
}

async function readText(path: string, files: FilesPort): Promise<string> {
  return tryDecodeUtf8(await files.readFile(path, keyFileBytesMax)) ?? '';
}

function closed(): NodeError {
  return new NodeError('OVERLAY_CLOSED', 'The node is closing; nothing new is begun.', { op: 'open' });
}
