import type { ApiCall } from '../qbittorrent/caller-state.ts';
import { ReadTorrents } from '../qbittorrent/read-torrents.ts';
import { TorrentCreations } from '../qbittorrent/torrent-creations.ts';
import type { TwinNode } from './twin-node.ts';

/** A call of qBittorrent's API without a server. */
export function apiCall(twin: TwinNode, of: Pick<ApiCall, 'form' | 'caller' | 'state'>): ApiCall {
  return {
    ...of,
    ports: twin.ports,
    shared: { torrents: new ReadTorrents(), creations: new TorrentCreations() },
    contentUrl: () => 'http://127.0.0.1:9/content',
  };
}
