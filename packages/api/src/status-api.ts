import type { BittorrentTotals, DhtStatus } from '@tequio/bittorrent/contract';
import type { NatReachability } from './nat-api.ts';

/** How a node is doing. A picture of now. */
export type NodeStatus = {
  readonly version: string;
  readonly startedAtMs: number;
  readonly dataFolder: string;
  /** Where content goes that is added without a folder. */
  readonly downloadFolder: string;
  readonly totals: BittorrentTotals;
  /** Over all runs, this one included. */
  readonly allTime: {
    readonly downloadedBytes: number;
    readonly uploadedBytes: number;
    readonly runCount: number;
    readonly runMs: number;
  };
  /** TCP port for peers. */
  readonly port: number;
  /** Empty: port mapping is off. */
  readonly reachability: readonly NatReachability[];
  /** On the device of the download folder; null: not known. */
  readonly freeBytes: number | null;
  /** Everything stands still; null: it does not. */
  readonly paused: { readonly untilMs: number | null } | null;
  /** The alternative limits hold, by the user's wish or by the schedule. */
  readonly altLimits: boolean;
  readonly dht: DhtStatus | null;
  /** Parts of the node that failed and are being started again; empty: all is well. */
  readonly troubles: readonly NodeTrouble[];
};

export type NodeTrouble = {
  /** `rss`, `watch`, `address-filter`, … */
  readonly part: string;
  readonly code: string;
  readonly message: string;
  readonly atMs: number;
  /** When it is tried again; null: not by itself. */
  readonly retryAtMs: number | null;
};

export interface StatusApi {
  status(): Promise<NodeStatus>;
  /** All torrents stand still, also over a restart, until `resumeAll` or this time. */
  pauseAll(untilMs: number | null): Promise<void>;
  resumeAll(): Promise<void>;
  /** By hand, until the schedule says otherwise the next time. */
  setAltLimits(on: boolean): Promise<void>;
  /** On the device of an absolute path; null: not known. */
  freeBytes(path: string): Promise<number | null>;
  /** Answers, and ends the node a moment later. */
  shutdown(): Promise<void>;
}
