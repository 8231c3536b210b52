/** The library for programmers: a node in your process. See README.md. */
export type { SeedInput, SeedOptions, TequioOptions, TorrentInput, TorrentOptions } from './options.ts';
export { Tequio, type TequioEvents } from './tequio.ts';
export { Torrent, type TorrentEvents } from './torrent.ts';
export { type ReadRange, TorrentFile } from './torrent-file.ts';
