/**
 * Where the peers of one torrent come from: hosts that the user or a magnet names, and whom trackers, the local network
 * and the DHT name (torrent-announces.ts). What is found goes to the peer list; whom to dial is the driver's affair.
 */
import { type Endpoint, formatEndpoint, tryParseAddress } from '@tequio/kernel';
import type { TorrentState } from '../contract.ts';
import type { PeerList, PeerSource } from '../core/peer-list.ts';
import type { Torrent } from '../core/torrent.ts';
import { privateFault } from './connection-faults.ts';
import type { SessionDeps } from './session-source.ts';
import type { AnnouncesHost, TorrentAnnounces } from './torrent-announces.ts';
import type { TorrentDriver } from './torrent-driver.ts';

/** Below this many connections trackers are asked for more. */
const starvedBelow = 10;

/** The torrent that wants peers. */
export interface PeerFinderHost {
  readonly torrent: Torrent;
  readonly driver: Pick<TorrentDriver, 'connectionCount' | 'drive'>;
  readonly state: TorrentState;
}

export class PeerFinder implements AnnouncesHost {
  readonly #peerList: PeerList;
  readonly #announces: TorrentAnnounces;
  readonly #deps: SessionDeps;
  readonly #host: PeerFinderHost;

  constructor(peerList: PeerList, announces: TorrentAnnounces, deps: SessionDeps, host: PeerFinderHost) {
    this.#peerList = peerList;
    this.#announces = announces;
    this.#deps = deps;
    this.#host = host;
  }

  get candidateCount(): number {
    return this.#peerList.candidateCount;
  }

  /** When there is somebody to dial; null: nobody is known. */
  nextDialMs(): number | null {
    return this.#peerList.nextDialMs();
  }

  /** Hosts that the user or a magnet names. */
  addPeers(hostPorts: readonly string[], source: PeerSource = 'user'): void {
    for (const hostPort of hostPorts) void this.#addHost(hostPort, source);
  }

  /** Seeds are of no use to a seed, and of use again when more is wanted. */
  setSeeding(isSeeding: boolean): void {
    this.#peerList.setSeeding(isSeeding);
  }

  /** Who named the endpoint; of several the one whose word is worth most. Null: nobody. */
  sourceOf(endpoint: Endpoint | null): PeerSource | null {
    return endpoint === null ? null : this.#peerList.sourceOf(endpoint);
  }

  // What the announces ask and tell.

  get uploadedBytes(): number {
    return this.#host.torrent.up.totalBytes;
  }

  get downloadedBytes(): number {
    return this.#host.torrent.down.totalBytes;
  }

  get leftBytes(): number {
    const { content } = this.#host.torrent;
    return content === null ? 1 : content.picker.wantedBlocksLeft * 16384;
  }

  get isSeed(): boolean {
    return this.#host.torrent.content?.isFinished ?? false;
  }

  get isStarved(): boolean {
    return this.#host.state !== 'seeding' && this.#host.driver.connectionCount < starvedBelow;
  }

  found(peers: readonly Endpoint[], source: PeerSource, isFromLocal: boolean): void {
    const nowMs = this.#deps.clock.nowMs();
    // Who announces itself near us may be dialled in any case: it is its own address that it names.
    for (const peer of peers) this.#peerList.add(peer, source, nowMs, isFromLocal && source !== 'local');
    this.#host.driver.drive();
  }

  markOwn(endpoint: Endpoint): void {
    this.#peerList.markOwn(endpoint);
  }

  /** BEP 27, as the metadata has just said: whoever came here by other ways than trackers and the user goes. */
  setPrivate(): void {
    this.#announces.setPrivate();
    const strangers = new Set(this.#peerList.setPrivate().map(formatEndpoint));
    const { torrent } = this.#host;
    for (const { key, contact } of [...torrent.peers.values()]) {
      if (contact !== null && strangers.has(formatEndpoint(contact)))
        torrent.closePeer(key, privateFault, this.#deps.clock.nowMs());
    }
  }

  /** The way out is back: whoever could not be reached is tried again at once, and trackers hear of us. */
  retry(): void {
    this.#peerList.hurry(this.#deps.clock.nowMs());
    this.#announces.announceAgain();
    this.#host.driver.drive();
  }

  async #addHost(hostPort: string, source: PeerSource): Promise<void> {
    const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(hostPort);
    const port = Number(match?.[3] ?? 0);
    const host = match?.[1] ?? match?.[2] ?? '';
    if (port < 1 || port > 65535) return;
    const literal = tryParseAddress(host);
    try {
      const addresses = literal === null ? await this.#deps.resolver.resolve(host) : [literal];
      for (const address of addresses)
        this.#peerList.add({ address, port }, source, this.#deps.clock.nowMs());
      this.#host.driver.drive();
    } catch (error) {
      this.#deps.log.debug('peer.unresolved', { host, error: String(error) });
    }
  }
}
