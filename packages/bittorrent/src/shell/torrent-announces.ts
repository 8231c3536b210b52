/**
 * Tells others that one torrent is here, and hears from them of peers: trackers, which are told how we fare and that
 * we leave; the local network; the DHT. It lives as long as the torrent is in the node, and does not care whether the
 * torrent is awake or rests: whoever it is now (`attach`) gives the figures and takes the peers.
 *
 * Trackers are made when they are first needed: most torrents that were brought back wait for their turn.
 */
import {
  type Endpoint,
  type Entropy,
  type IpAddress,
  isLocalAddress,
  toHex,
  tryParseAddress,
} from '@tequio/kernel';
import type { TorrentId, TrackerSnapshot } from '../contract.ts';
import type { Announcer } from '../core/announcer.ts';
import type { ResumeRecord } from '../core/resume-record.ts';
import type { DhtSeeker } from './dht-torrents.ts';
import type { SessionDeps, SessionSource } from './session-source.ts';
import { TorrentTrackers } from './torrent-trackers.ts';

/** The torrent as it is at present. */
export interface AnnouncesHost {
  /** Content, since it was attached. */
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  /** Still wanted; as long as nothing is known, one, so that trackers do not take it for a seed. */
  readonly leftBytes: number;
  readonly isSeed: boolean;
  /** It has too few peers. */
  readonly isStarved: boolean;
  /**
   * Somebody names peers.
   * @param isFromLocal he has a local address himself @param leechCount as a tracker counts them; null: not known
   */
  found(
    peers: readonly Endpoint[],
    source: 'tracker' | 'dht' | 'local',
    isFromLocal: boolean,
    leechCount: number | null,
  ): void;
  /** A tracker sees us there. */
  markOwn(endpoint: Endpoint): void;
}

export type AnnouncesOptions = {
  readonly id: TorrentId;
  /** 20 bytes each. */
  readonly infoHashes: readonly Uint8Array[];
  /** 20 bytes: who we are in this swarm. */
  readonly peerId: Uint8Array;
  readonly tiers: readonly (readonly string[])[];
  readonly isPrivate: boolean;
  /** Hosts that the torrent file names for the DHT. */
  readonly dhtHosts: readonly { readonly host: string; readonly port: number }[];
  readonly bind: IpAddress | null;
};

export type AnnouncesDeps = Pick<
  SessionDeps,
  'trackerClient' | 'clock' | 'prng' | 'emit' | 'listenPort' | 'seenAt' | 'dht' | 'localDiscovery'
>;

export class TorrentAnnounces implements DhtSeeker {
  readonly peerId: Uint8Array;
  readonly infoHashes: readonly Uint8Array[];
  readonly #id: TorrentId;
  readonly #bind: IpAddress | null;
  readonly #deps: AnnouncesDeps;
  readonly #dhtHosts: AnnouncesOptions['dhtHosts'];
  #tiers: readonly (readonly string[])[];
  #isPrivate: boolean;
  #trackers: TorrentTrackers | null = null;
  #host: AnnouncesHost | null = null;
  #isAnnounced = false;
  #leaveDht: (() => void)[] = [];
  /** What was counted by those who were attached before. */
  #uploadedBytes = 0;
  #downloadedBytes = 0;

  constructor(options: AnnouncesOptions, deps: AnnouncesDeps) {
    this.peerId = options.peerId;
    this.infoHashes = options.infoHashes;
    this.#id = options.id;
    this.#bind = options.bind;
    this.#deps = deps;
    this.#dhtHosts = options.dhtHosts;
    this.#tiers = options.tiers;
    this.#isPrivate = options.isPrivate;
  }

  /** It is this now. */
  attach(host: AnnouncesHost): void {
    this.#uploadedBytes += this.#host?.uploadedBytes ?? 0;
    this.#downloadedBytes += this.#host?.downloadedBytes ?? 0;
    this.#host = host;
  }

  get isAnnounced(): boolean {
    return this.#isAnnounced;
  }

  addTrackers(tiers: readonly (readonly string[])[]): void {
    if (tiers.length === 0) return;
    this.#tiers = [...this.#tiers, ...tiers];
    this.#trackers?.handle({ type: 'add-trackers', tiers });
  }

  /** From here on these trackers are asked, and no others. */
  setTrackers(tiers: readonly (readonly string[])[]): void {
    this.#tiers = tiers;
    this.#trackers?.handle({ type: 'set-trackers', tiers });
  }

  trackers(): readonly TrackerSnapshot[] {
    return this.#made().snapshot();
  }

  get trackerHost(): string | null {
    return this.#trackers?.announcer.host ?? firstHost(this.#tiers);
  }

  get swarm(): Announcer['swarm'] {
    return this.#trackers?.announcer.swarm ?? { seedCount: null, leechCount: null };
  }

  // What the DHT asks and tells.

  get listenPort(): number {
    return this.#deps.listenPort();
  }

  get isSeed(): boolean {
    return this.#host?.isSeed ?? false;
  }

  get isStarved(): boolean {
    return this.#host?.isStarved ?? false;
  }

  found(peers: readonly Endpoint[], isFromLocal: boolean): void {
    this.#host?.found(peers, 'dht', isFromLocal, null);
  }

  /** Somebody on the local network has announced this torrent. */
  addNeighbour(endpoint: Endpoint): void {
    this.#host?.found([endpoint], 'local', true, null);
  }

  /** BEP 27, as the metadata has just said. */
  setPrivate(): void {
    this.#isPrivate = true;
    this.#leaveNeighbours();
  }

  /** Tells the trackers and the local network that we are there, if they do not know it. */
  announce(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    this.#made().handle({ type: 'start', isComplete: this.isSeed });
    this.updateStarved();
    if (this.#isPrivate) return;
    this.#deps.dht?.addHosts(this.#dhtHosts);
    for (const hash of this.infoHashes) {
      this.#deps.localDiscovery?.add(hash);
      if (this.#deps.dht !== null) this.#leaveDht.push(this.#deps.dht.add(hash, this));
    }
  }

  /** The last piece has just arrived. */
  complete(): void {
    if (!this.#isAnnounced) return;
    this.#trackers?.handle({ type: 'completed' });
    this.#deps.dht?.hurry(this);
  }

  /** Connections came or went: trackers are asked sooner while there are too few. */
  updateStarved(): void {
    if (this.#isAnnounced) this.#trackers?.handle({ type: 'starved', starved: this.isStarved });
  }

  /** Others must dial another port from now on. */
  announcePort(): void {
    if (!this.#isAnnounced) return;
    this.#trackers?.handle({ type: 'port-changed' });
    this.#deps.dht?.hurry(this);
  }

  /** The user wants it: all are asked again as soon as they allow. */
  announceAgain(): void {
    if (!this.#isAnnounced) return;
    this.#trackers?.handle({ type: 'announce-now' });
    this.#deps.dht?.hurry(this);
  }

  /** Takes leave of the trackers; `announce` may follow, even before they have heard it. */
  async leave(): Promise<void> {
    if (!this.#isAnnounced) return;
    this.#isAnnounced = false;
    this.#leaveNeighbours();
    await this.#trackers?.stop();
  }

  /** Takes leave for good. */
  async close(): Promise<void> {
    await this.leave();
    this.#trackers?.close();
  }

  #leaveNeighbours(): void {
    for (const leave of this.#leaveDht.splice(0)) leave();
    for (const hash of this.infoHashes) this.#deps.localDiscovery?.remove(hash);
  }

  #made(): TorrentTrackers {
    this.#trackers ??= this.#createTrackers();
    return this.#trackers;
  }

  #createTrackers(): TorrentTrackers {
    const { trackerClient: client, clock, prng, emit } = this.#deps;
    const bind = this.#bind;
    const families: readonly (4 | 6)[] = bind === null ? [4, 6] : bind.includes(':') ? [6] : [4];
    const torrent = this.#id;
    const { infoHashes } = this;
    return new TorrentTrackers(
      { tiers: this.#tiers, infoHashes, families, prng: prng.fork() },
      { client, clock },
      {
        figures: () => ({
          peerId: this.peerId,
          // Where nobody can call us: some trackers refuse 0, and at 1 nobody listens.
          port: this.#deps.listenPort() || 1,
          uploadedBytes: this.#uploadedBytes + (this.#host?.uploadedBytes ?? 0),
          downloadedBytes: this.#downloadedBytes + (this.#host?.downloadedBytes ?? 0),
          leftBytes: this.#host?.leftBytes ?? 1,
        }),
        peers: (peers, url) => this.#foundByTracker(peers, url),
        answered: (url, peerCount) => emit({ type: 'bittorrent.tracker.answered', torrent, url, peerCount }),
        failed: (url, { message }) => emit({ type: 'bittorrent.tracker.failed', torrent, url, message }),
        externalAddress: (address, url) => {
          this.#host?.markOwn({ address, port: this.#deps.listenPort() });
          this.#deps.seenAt(address, hostOf(url));
        },
      },
    );
  }

  #foundByTracker(peers: readonly Endpoint[], url: string): void {
    const address = tryParseAddress(hostOf(url));
    const isLocal = address !== null && isLocalAddress(address);
    this.#host?.found(peers, 'tracker', isLocal, this.swarm.leechCount);
  }
}

/** What of a source, or of a record, tells whom to announce it to. */
export type AnnouncedSource = Pick<SessionSource, 'infoHashV1' | 'infoHashV2' | 'trackers'> &
  Partial<Pick<SessionSource, 'metainfo'> & Pick<ResumeRecord, 'content'>>;

/** Azureus style: two letters and four digits of the version (BEP 20). */
const peerIdPrefix = Uint8Array.from('-TQ0100-', (char) => char.charCodeAt(0));

/** @param more trackers besides its own */
export function createAnnounces(
  of: AnnouncedSource,
  more: readonly string[],
  bind: IpAddress | null,
  entropy: Entropy,
  deps: AnnouncesDeps,
): TorrentAnnounces {
  const peerId = entropy.bytes(20);
  peerId.set(peerIdPrefix);
  const { infoHashV1, infoHashV2, trackers, metainfo, content } = of;
  return new TorrentAnnounces(
    {
      id: toHex(infoHashV1 ?? infoHashV2!),
      infoHashes: [infoHashV1, infoHashV2?.subarray(0, 20) ?? null].filter((hash) => hash !== null),
      peerId,
      tiers: more.length === 0 ? trackers : [...trackers, more],
      isPrivate: content?.private ?? metainfo?.info.private ?? false,
      dhtHosts: metainfo?.nodes ?? [],
      bind,
    },
    deps,
  );
}

function firstHost(tiers: readonly (readonly string[])[]): string | null {
  const url = tiers[0]?.[0];
  return url === undefined ? null : hostOf(url);
}

function hostOf(url: string): string {
  const host = /^[a-z]+:\/\/(\[[^\]]+\]|[^:/?#]+)/i.exec(url)?.[1] ?? '';
  return host.replace(/^\[|\]$/g, '');
}
