export type * from './contract.ts';
export { type BittorrentOptions, defaultOptions } from './options.ts';
export { type BittorrentDeps, type BittorrentService, createBittorrent } from './service.ts';
export { createTracker, type TrackerServer, type TrackerServerOptions } from './shell/tracker-server.ts';
export { encodeMutableLink, type MutableLink, tryDecodeMutableLink } from './wire/mutable-link.ts';
