import { homedir } from 'node:os';
import { join } from 'node:path';
import type { NodeSettings, Settings } from '@tequio/api';

/** What a node is started with, of its settings. Limits and the address filter follow, for they may change. */
export function nodeSettingsOf({ bittorrent, proxy }: Settings, dataFolder: string): NodeSettings {
  const { port, bind, portMapping, encryption, dht, dhtBootstrap, pex, lsd, transport } = bittorrent;
  return {
    dataFolder,
    offline: false,
    port,
    bind,
    portMapping,
    limitDown: bittorrent.limitDown,
    limitUp: bittorrent.limitUp,
    encryption,
    proxy: proxy.url === null ? null : { url: proxy.url, peers: proxy.peers, trackers: proxy.trackers },
    dht: dht ? { bootstrap: dhtBootstrap } : null,
    pex,
    lsd,
    transport,
  };
}

/** Where content goes that nobody has chosen a folder for. */
export function downloadFolderOf({ folders }: Settings): string {
  return folders.download ?? join(homedir(), 'Downloads');
}
