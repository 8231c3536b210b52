export type * from './contract.ts';
export { type BittorrentOptions, defaultOptions } from './options.ts';
export { type BittorrentService, createBittorrent } from './service.ts';
export type { BittorrentDeps } from './service-torrents.ts';
export { readPieceHashes } from './shell/source-reading.ts';
export { createTracker, type TrackerServer, type TrackerServerOptions } from './shell/tracker-server.ts';
export { encodeMutableLink, type MutableLink, tryDecodeMutableLink } from './wire/mutable-link.ts';
