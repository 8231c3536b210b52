/**
 * Where the peers of one torrent come from: hosts that the user or a magnet names; trackers, which are told that we
 * are there, how we fare and that we leave; the local network; the DHT. What is found goes to the peer list; whom to
 * dial is the driver's affair.
 */
import {
  type Endpoint,
  formatEndpoint,
  type IpAddress,
  isLocalAddress,
  tryParseAddress,
} from '@tequio/kernel';
import type { AddOptions, TorrentId, TorrentState, TrackerSnapshot } from '../contract.ts';
import type { PeerList, PeerSource } from '../core/peer-list.ts';
import type { Torrent } from '../core/torrent.ts';
import { privateFault } from './connection-faults.ts';
import type { DhtSeeker } from './dht-torrents.ts';
import type { SessionDeps, SessionSource } from './session-source.ts';
import type { TorrentDriver } from './torrent-driver.ts';
import { TorrentTrackers } from './torrent-trackers.ts';

/** Below this many connections trackers are asked for more. */
const starvedBelow = 10;

type SessionHosts = readonly { readonly host: string; readonly port: number }[];

/** The torrent that wants peers. */
export interface PeerFinderHost {
  readonly id: TorrentId;
  readonly torrent: Torrent;
  readonly driver: Pick<TorrentDriver, 'connectionCount' | 'drive'>;
  readonly state: TorrentState;
}

export class PeerFinder implements DhtSeeker {
  readonly #peerList: PeerList;
  readonly #deps: SessionDeps;
  readonly #host: PeerFinderHost;
  readonly #trackers: TorrentTrackers;
  #isAnnounced = false;
  #leaveDht: (() => void)[] = [];
  readonly #dhtHosts: SessionHosts;
  #isPrivate: boolean;

  /** @param add names more trackers than the source */
  constructor(
    peerList: PeerList,
    source: SessionSource,
    add: AddOptions,
    bind: IpAddress | null,
    deps: SessionDeps,
    host: PeerFinderHost,
  ) {
    this.#peerList = peerList;
    this.#deps = deps;
    this.#host = host;
    this.#isPrivate = source.metainfo?.info.private ?? false;
    this.#dhtHosts = source.metainfo?.nodes ?? [];
    if (this.#isPrivate) peerList.setPrivate();
    this.#trackers = this.#createTrackers(source, add, bind);
  }

  get candidateCount(): number {
    return this.#peerList.candidateCount;
  }

  /** Hosts that the user or a magnet names. */
  addPeers(hostPorts: readonly string[], source: PeerSource = 'user'): void {
    for (const hostPort of hostPorts) void this.#addHost(hostPort, source);
  }

  addTrackers(tiers: readonly (readonly string[])[]): void {
    if (tiers.length > 0) this.#trackers.handle({ type: 'add-trackers', tiers });
  }

  /** From here on these trackers are asked, and no others. */
  setTrackers(tiers: readonly (readonly string[])[]): void {
    this.#trackers.handle({ type: 'set-trackers', tiers });
  }

  /** Seeds are of no use to a seed, and of use again when more is wanted. */
  setSeeding(isSeeding: boolean): void {
    this.#peerList.setSeeding(isSeeding);
  }

  // What the DHT asks and tells.

  get listenPort(): number {
    return this.#deps.listenPort();
  }

  get isSeed(): boolean {
    return this.#host.torrent.content?.isFinished ?? false;
  }

  get isStarved(): boolean {
    return this.#host.state !== 'seeding' && this.#host.driver.connectionCount < starvedBelow;
  }

  found(peers: readonly Endpoint[], isFromLocal: boolean): void {
    const nowMs = this.#deps.clock.nowMs();
    for (const peer of peers) this.#peerList.add(peer, 'dht', nowMs, isFromLocal);
    this.#host.driver.drive();
  }

  /** Somebody on the local network has announced this torrent. */
  addNeighbour(endpoint: Endpoint): void {
    if (this.#peerList.add(endpoint, 'local', this.#deps.clock.nowMs()) === 'added')
      this.#host.driver.drive();
  }

  /** BEP 27, as the metadata has just said: whoever came here by other ways than trackers and the user goes. */
  setPrivate(): void {
    this.#isPrivate = true;
    this.#leaveNeighbours();
    const strangers = new Set(this.#peerList.setPrivate().map(formatEndpoint));
    const { torrent } = this.#host;
    for (const { key, contact } of [...torrent.peers.values()]) {
      if (contact !== null && strangers.has(formatEndpoint(contact)))
        torrent.closePeer(key, privateFault, this.#deps.clock.nowMs());
    }
  }

  /** Tells the trackers and the local network that we are there, if they do not know it. */
  announce(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    this.#trackers.handle({ type: 'start', isComplete: this.#host.torrent.content?.isFinished ?? false });
    this.updateStarved();
    if (this.#isPrivate) return;
    this.#deps.dht?.addHosts(this.#dhtHosts);
    for (const hash of this.#host.torrent.infoHashes) {
      this.#deps.localDiscovery?.add(hash);
      if (this.#deps.dht !== null) this.#leaveDht.push(this.#deps.dht.add(hash, this));
    }
  }

  /** The last piece has just arrived. */
  complete(): void {
    if (!this.#isAnnounced) return;
    this.#trackers.handle({ type: 'completed' });
    this.#deps.dht?.hurry(this);
  }

  /** Connections came or went: trackers are asked sooner while there are too few. */
  updateStarved(): void {
    if (!this.#isAnnounced) return;
    this.#trackers.handle({ type: 'starved', starved: this.isStarved });
  }

  /** The way out is back: whoever could not be reached is tried again at once, and trackers hear of us. */
  retry(): void {
    this.#peerList.hurry(this.#deps.clock.nowMs());
    if (this.#isAnnounced) this.#trackers.handle({ type: 'announce-now' });
    this.#host.driver.drive();
  }

  /** Others must dial another port from now on. */
  announceAgain(): void {
    if (!this.#isAnnounced) return;
    this.#trackers.handle({ type: 'announce-now' });
    this.#deps.dht?.hurry(this);
  }

  /** Takes leave of the trackers; `announce` may follow, even before they have heard it. */
  async leave(): Promise<void> {
    if (!this.#isAnnounced) return;
    this.#isAnnounced = false;
    this.#leaveNeighbours();
    await this.#trackers.stop();
  }

  /** Takes leave for good. */
  async close(): Promise<void> {
    await this.leave();
    this.#trackers.close();
  }

  trackers(): readonly TrackerSnapshot[] {
    return this.#trackers.snapshot();
  }

  get trackerHost(): string | null {
    return this.#trackers.announcer.host;
  }

  get swarm(): { readonly seedCount: number | null; readonly leechCount: number | null } {
    return this.#trackers.announcer.swarm;
  }

  /** Who named the endpoint; of several the one whose word is worth most. Null: nobody. */
  sourceOf(endpoint: Endpoint | null): PeerSource | null {
    return endpoint === null ? null : this.#peerList.sourceOf(endpoint);
  }

  #leaveNeighbours(): void {
    for (const leave of this.#leaveDht.splice(0)) leave();
    for (const hash of this.#host.torrent.infoHashes) this.#deps.localDiscovery?.remove(hash);
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

  #createTrackers(source: SessionSource, add: AddOptions, bind: IpAddress | null): TorrentTrackers {
    const { trackerClient: client, clock, prng, emit } = this.#deps;
    const { id, torrent } = this.#host;
    const families: readonly (4 | 6)[] = bind === null ? [4, 6] : bind.includes(':') ? [6] : [4];
    return new TorrentTrackers(
      {
        tiers: [...source.trackers, ...(add.trackers ? [add.trackers] : [])],
        infoHashes: torrent.infoHashes,
        families,
        prng: prng.fork(),
      },
      { client, clock },
      {
        figures: () => ({
          peerId: torrent.peerId,
          // Where nobody can call us: some trackers refuse 0, and at 1 nobody listens.
          port: this.#deps.listenPort() || 1,
          uploadedBytes: torrent.up.totalBytes,
          downloadedBytes: torrent.down.totalBytes,
          leftBytes: leftBytesOf(torrent),
        }),
        peers: (peers, url) => this.#addTracked(peers, url),
        answered: (url, peerCount) =>
          emit({ type: 'bittorrent.tracker.answered', torrent: id, url, peerCount }),
        failed: (url, { message }) => emit({ type: 'bittorrent.tracker.failed', torrent: id, url, message }),
        externalAddress: (address, url) => {
          this.#peerList.markOwn({ address, port: this.#deps.listenPort() });
          this.#deps.seenAt(address, hostOf(url));
        },
      },
    );
  }

  #addTracked(peers: readonly Endpoint[], url: string): void {
    const nowMs = this.#deps.clock.nowMs();
    const host = tryParseAddress(hostOf(url));
    const isLocalTracker = host !== null && isLocalAddress(host);
    for (const peer of peers) this.#peerList.add(peer, 'tracker', nowMs, isLocalTracker);
    this.#host.driver.drive();
  }
}

/** Bytes that are still wanted; while nothing is known, one, so that trackers do not take us for a seed. */
function leftBytesOf({ content }: Torrent): number {
  return content === null ? 1 : content.picker.wantedBlocksLeft * 16384;
}

function hostOf(url: string): string {
  const host = /^[a-z]+:\/\/(\[[^\]]+\]|[^:/?#]+)/i.exec(url)?.[1] ?? '';
  return host.replace(/^\[|\]$/g, '');
}
