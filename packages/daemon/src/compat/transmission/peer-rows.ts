import type { PeerSnapshot } from '@tequio/api';
import { splitEndpoint } from '../endpoint.ts';
import type { TorrentView } from './torrent-view.ts';

/** `peers` of `torrent_get`. */
export function peerRows({ peers }: TorrentView): readonly Readonly<Record<string, unknown>>[] {
  return peers.map((peer) => ({
    ...splitEndpoint(peer.endpoint),
    bytes_to_client: peer.downloadedBytes,
    bytes_to_peer: peer.uploadedBytes,
    client_is_choked: peer.choked,
    client_is_interested: peer.interesting,
    client_name: peer.client,
    flag_str: flagsOf(peer),
    is_downloading_from: peer.downRate > 0,
    is_encrypted: peer.encrypted,
    is_incoming: peer.incoming,
    is_uploading_to: peer.upRate > 0,
    is_utp: peer.transport === 'utp',
    peer_id: peer.peerId,
    peer_is_choked: peer.choking,
    peer_is_interested: peer.interested,
    progress: peer.progress,
    rate_to_client: peer.downRate,
    rate_to_peer: peer.upRate,
  }));
}

/** Letters as Transmission's user interfaces show them. */
function flagsOf(peer: PeerSnapshot): string {
  const download = peer.downRate > 0 ? 'D' : peer.interesting ? 'd' : '';
  const upload = peer.upRate > 0 ? 'U' : peer.interested ? 'u' : '';
  return [
    peer.transport === 'utp' ? 'T' : '',
    download,
    upload,
    !peer.choked && !peer.interesting ? 'K' : '',
    !peer.choking && !peer.interested ? '?' : '',
    peer.encrypted ? 'E' : '',
    peer.source === 'dht' ? 'H' : '',
    peer.source === 'pex' ? 'X' : '',
    peer.incoming ? 'I' : '',
  ].join('');
}

const sources = ['cache', 'dht', 'incoming', 'lpd', 'ltep', 'pex', 'tracker'] as const;
/** Ours in Transmission's words. */
const sourceWords: Readonly<Record<string, (typeof sources)[number]>> = {
  dht: 'dht',
  incoming: 'incoming',
  local: 'lpd',
  pex: 'pex',
  tracker: 'tracker',
};

/** `peers_from`: how many of those that are connected were found in which way. */
export function peersFrom({ peers }: TorrentView): Readonly<Record<string, number>> {
  const counts = Object.fromEntries(sources.map((source) => [`from_${source}`, 0]));
  for (const peer of peers) {
    const word = peer.incoming ? 'incoming' : (sourceWords[peer.source] ?? 'cache');
    counts[`from_${word}`] = counts[`from_${word}`]! + 1;
  }
  return counts;
}
