/**
 * The contract between a running node and whoever uses it: the command line today, in the same process; later a
 * typed HTTP client, the web page and other programs. Plain data in, plain data out, browser-safe: no `node:`
 * import here or below. Paths are absolute and mean the node's machine; the caller resolves what a user typed.
 */
export type * from '@tequio/bittorrent/contract';
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
export type { AddressFilterReport, MutableKeys, NodeApi, NodeFiles, NodeSettings } from './node-api.ts';
export type { TrackerHandle, TrackerOptions, TrackerStats } from './tracker-api.ts';
