/**
 * The contract between a running node and whoever uses it: the command line today, in the same process; later a
 * typed HTTP client, the web page and other programs. Plain data in, plain data out, browser-safe: no `node:`
 * import here or below. Paths are absolute and mean the node's machine; the caller resolves what a user typed.
 */
export type * from '@tequio/bittorrent/contract';
export type * from '@tequio/ipfs/contract';
export type * from './bridge-api.ts';
export type * from './category.ts';
export type * from './daemon-api.ts';
export type * from './dht-questions.ts';
export type * from './events-api.ts';
export type * from './ipfs-node-api.ts';
export type * from './log-api.ts';
export type * from './management.ts';
export type {
  NatHandle,
  NatMapping,
  NatOptions,
  NatPort,
  NatProtocol,
  NatProtocolState,
  NatReachability,
  NatStatus,
  NatWay,
} from './nat-api.ts';
export type * from './network-api.ts';
export type { MutableKeys, NodeApi, NodeFiles, NodeSettings } from './node-api.ts';
export type * from './peer-place.ts';
export type * from './rss-api.ts';
export type * from './settings-api.ts';
export type { Settings } from './settings-schema.ts';
export type * from './speed-history-api.ts';
export type * from './status-api.ts';
export type * from './torrent-list.ts';
export type * from './torrent-notes.ts';
export type * from './torrents-api.ts';
export type { TrackerHandle, TrackerOptions, TrackerStats } from './tracker-api.ts';
export type * from './users-api.ts';
