import type { NodeApi, NodeStatus, NodeTrouble, StatusApi } from '@tequio/api';
import type { Clock } from '@tequio/kernel';
import type { NodeState } from './node-state.ts';

export type StatusDeps = {
  readonly node: NodeApi;
  readonly state: NodeState;
  readonly clock: Clock;
  readonly version: string;
  readonly startedAtMs: number;
  downloadFolder(): string;
  freeBytes(path: string): Promise<number | null>;
  troubles(): readonly NodeTrouble[];
  /** Makes the queue hold at once. */
  settle(): void;
  shutdown(): void;
};

/** Long enough for the answer to get out. */
const shutdownDelayMs = 100;

export class StatusService implements StatusApi {
  readonly #deps: StatusDeps;

  constructor(deps: StatusDeps) {
    this.#deps = deps;
  }

  async status(): Promise<NodeStatus> {
    const { node, state, version, startedAtMs } = this.#deps;
    const { bittorrent } = node;
    const downloadFolder = this.#deps.downloadFolder();
    const [reachability, freeBytes] = await Promise.all([
      node.reachability(),
      this.#deps.freeBytes(downloadFolder),
    ]);
    return {
      version,
      startedAtMs,
      dataFolder: node.dataFolder,
      downloadFolder,
      totals: bittorrent.totals(),
      allTime: state.allTime,
      port: bittorrent.port,
      reachability,
      freeBytes,
      paused: state.paused,
      altLimits: state.altLimits,
      dht: bittorrent.dht?.status() ?? null,
      troubles: this.#deps.troubles(),
    };
  }

  async pauseAll(untilMs: number | null): Promise<void> {
    this.#deps.state.pause(untilMs);
    this.#deps.settle();
  }

  async resumeAll(): Promise<void> {
    this.#deps.state.resume();
    this.#deps.settle();
  }

  async setAltLimits(on: boolean): Promise<void> {
    this.#deps.state.wishAltLimits(on);
  }

  freeBytes(path: string): Promise<number | null> {
    return this.#deps.freeBytes(path);
  }

  async shutdown(): Promise<void> {
    this.#deps.clock.setTimer(shutdownDelayMs, () => this.#deps.shutdown());
  }
}
