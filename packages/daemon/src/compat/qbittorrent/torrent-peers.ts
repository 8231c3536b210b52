/** `sync/torrentPeers`: a torrent's peers, what has changed since the answer before. */
import type { ListedTorrent, PeerSnapshot } from '@tequio/api';
import { splitEndpoint } from '../endpoint.ts';
import { type ApiCall, torrentOf } from './caller-state.ts';

type PeerRow = Readonly<Record<string, string | number>>;

/** A letter a fact, and what it means: as qBittorrent shows them. */
function flagsOf(peer: PeerSnapshot): readonly (readonly [string, string])[] {
  const when = (isSo: boolean, letter: string, meaning: string): readonly (readonly [string, string])[] =>
    isSo ? [[letter, meaning]] : [];
  return [
    when(peer.interesting && peer.choked, 'd', 'Interested (local) and choked (peer)'),
    when(peer.interesting && !peer.choked, 'D', 'Interested (local) and unchoked (peer)'),
    when(peer.interested && peer.choking, 'u', 'Interested (peer) and choked (local)'),
    when(peer.interested && !peer.choking, 'U', 'Interested (peer) and unchoked (local)'),
    when(!peer.choked && !peer.interesting, 'K', 'Not interested (local) and unchoked (peer)'),
    when(!peer.choking && !peer.interested, '?', 'Not interested (peer) and unchoked (local)'),
    when(peer.snubbed, 'S', 'Peer snubbed'),
    when(peer.incoming, 'I', 'Incoming connection'),
    when(peer.source === 'dht', 'H', 'Peer from DHT'),
    when(peer.source === 'pex', 'X', 'Peer from PEX'),
    when(peer.source === 'local', 'L', 'Peer from LSD'),
    when(peer.encrypted, 'E', 'Encrypted traffic'),
    when(peer.transport === 'utp', 'P', 'μTP'),
  ].flat();
}

function peerRow(peer: PeerSnapshot, row: ListedTorrent): PeerRow {
  const { address, port } = splitEndpoint(peer.endpoint);
  const flags = flagsOf(peer);
  const id = new TextDecoder('latin1').decode(Buffer.from(peer.peerId.slice(0, 16), 'hex'));
  return {
    client: peer.client,
    peer_id_client: /^-[\x20-\x7e]{7}$/.test(id) ? id : '',
    progress: peer.progress,
    dl_speed: peer.downRate,
    up_speed: peer.upRate,
    downloaded: peer.downloadedBytes,
    uploaded: peer.uploadedBytes,
    connection: peer.transport === 'utp' ? 'μTP' : 'BT',
    flags: flags.map(([letter]) => letter).join(' '),
    flags_desc: flags.map(([letter, meaning]) => `${letter} = ${meaning}`).join('\n'),
    relevance: row.progress < 1 && peer.progress > row.progress ? 1 : 0,
    files: '',
    ip: address,
    port,
    country: '',
    country_code: '',
  };
}

/** What one client has been told of one torrent's peers. */
export class TorrentPeers {
  #rid = 0;
  #torrent = '';
  #sent: Readonly<Record<string, PeerRow>> = {};

  async next(call: ApiCall): Promise<Record<string, unknown>> {
    const row = await torrentOf(call);
    const rid = Math.trunc(call.form.number('rid') ?? 0);
    const isKnown = rid > 0 && rid === this.#rid && row.id === this.#torrent;
    const was = isKnown ? this.#sent : {};
    const peers = row.peerCount === 0 ? [] : await call.caller.management.torrents.peers(row.id);
    const now = Object.fromEntries(peers.map((peer) => [peer.endpoint, peerRow(peer, row)]));
    this.#sent = now;
    this.#torrent = row.id;
    const changed = Object.entries(now).flatMap(([endpoint, peer]) => {
      const before = was[endpoint];
      const entries = Object.entries(peer).filter(([key, value]) => before?.[key] !== value);
      return entries.length === 0 ? [] : [[endpoint, Object.fromEntries(entries)] as const];
    });
    const removed = Object.keys(was).filter((endpoint) => now[endpoint] === undefined);
    return {
      rid: ++this.#rid,
      ...(isKnown ? {} : { full_update: true, show_flags: false }),
      ...(changed.length === 0 && isKnown ? {} : { peers: Object.fromEntries(changed) }),
      ...(removed.length === 0 ? {} : { peers_removed: removed }),
    };
  }
}
