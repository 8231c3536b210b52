import {
  type AddressScope,
  addressScope,
  type Endpoint,
  formatEndpoint,
  type IpAddress,
  isIpv6,
  type Prng,
} from '@tequio/kernel';
import { tryCanonicalPriority } from '../wire/canonical-priority.ts';

/** Where an endpoint was heard of. `saved`: connected in an earlier run; `incoming`: it came, and told its port. */
export type PeerSource = 'user' | 'magnet' | 'saved' | 'incoming' | 'tracker' | 'local' | 'dht' | 'pex';

export type PeerListOptions = {
  readonly prng: Prng;
  readonly peersMax?: number;
  /** False for whoever is banned or filtered; by default all pass. */
  readonly isWelcome?: (endpoint: Endpoint) => boolean;
  /** Where others see us; null or absent: not known. For BEP 40, which then says who is dialled first of equals. */
  readonly ownEndpoint?: (family: 4 | 6) => Endpoint | null;
};

export type KnownPeer = {
  readonly endpoint: Endpoint;
  readonly state: 'idle' | 'dialing' | 'connected';
  readonly sources: ReadonlySet<PeerSource>;
  /** In a row. */
  readonly failCount: number;
  /** It was dialled, and its handshake was right, at least once. */
  readonly lastConnectedMs: number | null;
  readonly isSeed: boolean;
  readonly nextDialMs: number;
};

type Entry = {
  -readonly [Field in keyof KnownPeer]: KnownPeer[Field] extends ReadonlySet<PeerSource>
    ? Set<PeerSource>
    : KnownPeer[Field];
} & {
  readonly key: string;
  openedMs: number;
  /** BEP 40, towards the address of ours that it was computed for. */
  priority: number;
  priorityFor: IpAddress | null;
};

export const knownPeersMax = 2000;
/** Entries of one address: a household behind one router, but no list of all 65,535 ports of a victim. */
const portsPerAddressMax = 8;
const ownMax = 16;
const backOffMinMs = 30_000;
const userBackOffMinMs = 1000;
const backOffMaxMs = 3_600_000;
/** An endpoint that never answered is dropped after this many tries, spread over two hours. */
const failsMax = 8;
/** Between two dials of a seed, when the last one was in vain. */
const vainWaitMinMs = 250;
const vainWaitMaxMs = 60_000;
/** A connection that lasted less was a failure too. */
const usefulMs = 30_000;

/** What a source's word is worth. */
const trust: Readonly<Record<PeerSource, number>> = {
  user: 7,
  magnet: 6,
  saved: 5,
  incoming: 4,
  tracker: 3,
  local: 3,
  dht: 2,
  pex: 1,
};

/**
 * The endpoints that one torrent knows of, and which to dial next. One entry an endpoint, whoever named it.
 *
 *   (add) -> idle --markDialing--> dialing --markConnected--> connected --markClosed--> idle
 *             ^                      |   incoming: idle ----------^
 *             +-----markFailed-------+         own, not welcome: forgotten, and refused from then on
 *
 * Dialling: proven peers first (their handshake was right before), then those that never failed, then the others; among
 * them by the source's trust; among equals by canonical priority (BEP 40), so that the places of both sides go to the
 * same pairs and a list that one flooder filled is not dialled in his order; by chance where our own address is not
 * known. After n failures in a row, 30 s x 2^(n-1), at most an hour, a
 * quarter more or less so that a swarm that lost its line does not come back in step; whom the user named, from 1 s on.
 * A close within 30 s counts as a failure; a longer connection clears the count and waits 30 s. Seeds are not dialled
 * while we seed; and while those whom we dial turn out to be seeds, each of them doubles the wait before the next is
 * dialled, from a quarter of a second to a minute, until somebody is met who is not: where all are complete they would
 * otherwise all dial each other in vain.
 *
 * Whom we do not dial, so that nobody can aim us (server-side request forgery, floods at a third party):
 *   scope                   user, magnet, saved, local, incoming   tracker on a global address   dht, pex
 *   unspecified, multicast                 no                               no                      no
 *   loopback, link                         yes                              no                      no
 *   private                                yes                              yes                     no
 *   Whoever is local (`isFromLocal`) may name local ones: private trackers, peers of the same network.
 *   At most 8 ports of an address, loopback and the user's own wish apart. In a private torrent nobody whom only the
 *   local network, the DHT or peers name.
 *
 * Eviction: a full list takes an endpoint only in place of one worth less (never of one dialing or connected):
 *   proven > untried > failed, then trust, then failures. So a flood of strangers by PEX or DHT displaces at most
 *   strangers that failed; what the tracker or the user names later still displaces strangers; proven ones stay.
 *
 * Who is banned or filtered is the node's affair (`isWelcome`): asked when an endpoint is heard of, and again by
 * whoever dials, which then tells `forget`.
 *
 * Cost: O(1) to add and mark; O(peers) to pick, and to evict; that nothing can be evicted, and `nextDialMs`, are
 * remembered between changes, so a flood of strangers costs O(1) each.
 */
export class PeerList {
  readonly #prng: Prng;
  readonly #peersMax: number;
  readonly #isWelcome: (endpoint: Endpoint) => boolean;
  readonly #ownEndpoint: (family: 4 | 6) => Endpoint | null;
  readonly #entries = new Map<string, Entry>();
  readonly #portCount = new Map<IpAddress, number>();
  readonly #own = new Set<string>();
  #isSeeding = false;
  #isPrivate = false;
  #idleCount = 0;
  /** How many in a row were seeds, and when the next may be dialled, while we seed. */
  #vainCount = 0;
  #vainUntilMs = Number.NEGATIVE_INFINITY;
  /** Undefined: to be found anew. */
  #nextDialMs: number | null | undefined = null;
  /** No idle entry is worth less than this, as a search found when nothing could be evicted; -Infinity: not known. */
  #worthFloor = Number.NEGATIVE_INFINITY;

  constructor(options: PeerListOptions) {
    this.#prng = options.prng;
    this.#peersMax = options.peersMax ?? knownPeersMax;
    this.#isWelcome = options.isWelcome ?? (() => true);
    this.#ownEndpoint = options.ownEndpoint ?? (() => null);
  }

  get count(): number {
    return this.#entries.size;
  }

  /** Known and neither connected nor being dialled. */
  get candidateCount(): number {
    return this.#idleCount;
  }

  entries(): IterableIterator<KnownPeer> {
    return this.#entries.values();
  }

  get(endpoint: Endpoint): KnownPeer | null {
    return this.#entries.get(formatEndpoint(endpoint)) ?? null;
  }

  /** Who named it; of several the one whose word is worth most. Null: it is not known. */
  sourceOf(endpoint: Endpoint): PeerSource | null {
    let best: PeerSource | null = null;
    for (const source of this.get(endpoint)?.sources ?? [])
      if (best === null || trust[source] > trust[best]) best = source;
    return best;
  }

  /**
   * BEP 27, once it is known: whoever was named by strangers alone is forgotten, and from now on only trackers and the
   * user are heard. @returns those whom we are connected to, or are dialling, and may not be
   */
  setPrivate(): Endpoint[] {
    this.#isPrivate = true;
    const strangers = [...this.#entries.values()].filter((entry) => [...entry.sources].every(isStranger));
    for (const entry of strangers) this.#remove(entry);
    return strangers.filter(({ state }) => state !== 'idle').map(({ endpoint }) => endpoint);
  }

  /** While we seed, seeds are not dialled. */
  setSeeding(on: boolean): void {
    if (this.#isSeeding !== on) this.#endVain();
    this.#isSeeding = on;
    this.#changed();
  }

  /**
   * Heard of an endpoint.
   * @param isFromLocal the tracker or peer that named it has a local address itself
   */
  add(
    endpoint: Endpoint,
    source: PeerSource,
    nowMs: number,
    isFromLocal = false,
  ): 'added' | 'known' | 'refused' | 'full' {
    const key = formatEndpoint(endpoint);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.sources.add(source);
      return 'known';
    }
    if (!this.#isDialable(endpoint, key, source, isFromLocal)) return 'refused';
    if (this.#entries.size >= this.#peersMax && !this.#makeRoom(trust[source])) return 'full';
    if (source === 'user') this.#endVain();
    const { address } = endpoint;
    this.#portCount.set(address, (this.#portCount.get(address) ?? 0) + 1);
    this.#entries.set(key, {
      key,
      endpoint,
      state: 'idle',
      sources: new Set([source]),
      failCount: 0,
      lastConnectedMs: null,
      isSeed: false,
      nextDialMs: nowMs,
      openedMs: nowMs,
      priority: 0,
      priorityFor: null,
    });
    this.#idleCount++;
    this.#changed();
    return 'added';
  }

  /** The endpoint to dial now, or null. It stays idle until {@link markDialing}. */
  pickDial(nowMs: number): Endpoint | null {
    const next = this.nextDialMs();
    if (next === null || next > nowMs) return null;
    let best: Entry | null = null;
    let bestWorth = Number.NEGATIVE_INFINITY;
    let equalCount = 0;
    for (const entry of this.#entries.values()) {
      if (!this.#isWaiting(entry) || entry.nextDialMs > nowMs) continue;
      const worth = worthOf(entry);
      if (worth < bestWorth) continue;
      equalCount = worth > bestWorth ? 1 : equalCount + 1;
      if (equalCount > 1 && !this.#goesBefore(entry, best!, equalCount)) continue;
      best = entry;
      bestWorth = worth;
    }
    return best?.endpoint ?? null;
  }

  /** Of two that are worth the same; where nothing else decides, one of `equalCount` by chance. */
  #goesBefore(entry: Entry, best: Entry, equalCount: number): boolean {
    const difference = this.#priorityOf(entry) - this.#priorityOf(best);
    return difference === 0 ? this.#prng.below(equalCount) === 0 : difference > 0;
  }

  #priorityOf(entry: Entry): number {
    const own = this.#ownEndpoint(isIpv6(entry.endpoint.address) ? 6 : 4);
    if (own === null) return 0;
    if (entry.priorityFor !== own.address) {
      entry.priorityFor = own.address;
      entry.priority = tryCanonicalPriority(own, entry.endpoint) ?? 0;
    }
    return entry.priority;
  }

  /** When {@link pickDial} will have something, or null: nothing to dial. May lie in the past. */
  nextDialMs(): number | null {
    const next = this.#nextWaitingMs();
    return next === null || !this.#isSeeding ? next : Math.max(next, this.#vainUntilMs);
  }

  #nextWaitingMs(): number | null {
    if (this.#nextDialMs !== undefined) return this.#nextDialMs;
    let next: number | null = null;
    for (const entry of this.#entries.values()) {
      if (this.#isWaiting(entry) && (next === null || entry.nextDialMs < next)) next = entry.nextDialMs;
    }
    this.#nextDialMs = next;
    return next;
  }

  /** idle -> dialing */
  markDialing(endpoint: Endpoint): void {
    const entry = this.#entries.get(formatEndpoint(endpoint));
    if (entry?.state === 'idle') this.#setState(entry, 'dialing');
  }

  /**
   * dialing or idle -> connected: the handshake was right.
   * @param isProven it was dialled there; one that came by itself may be out of reach all the same
   */
  markConnected(endpoint: Endpoint, nowMs: number, isProven = true): void {
    const entry = this.#entries.get(formatEndpoint(endpoint));
    if (entry === undefined) return;
    this.#setState(entry, 'connected');
    if (isProven) entry.lastConnectedMs = nowMs;
    entry.openedMs = nowMs;
  }

  /** dialing -> idle: no connection, or no right handshake. */
  markFailed(endpoint: Endpoint, nowMs: number): void {
    const entry = this.#entries.get(formatEndpoint(endpoint));
    if (entry === undefined) return;
    this.#setState(entry, 'idle');
    this.#backOff(entry, nowMs);
  }

  /** connected -> idle */
  markClosed(endpoint: Endpoint, nowMs: number): void {
    const entry = this.#entries.get(formatEndpoint(endpoint));
    if (entry?.state !== 'connected') return;
    this.#setState(entry, 'idle');
    if (nowMs - entry.openedMs < usefulMs) {
      this.#backOff(entry, nowMs);
      return;
    }
    entry.failCount = 0;
    entry.nextDialMs = nowMs + this.#jitter(backOffMinMs);
  }

  /** Everybody may be dialled at once: what kept us from them was of our own making. */
  hurry(nowMs: number): void {
    for (const entry of this.#entries.values()) entry.nextDialMs = Math.min(entry.nextDialMs, nowMs);
    this.#changed();
  }

  /** A connection has ended: the peer was complete, or wanted nothing; or it was not so. */
  markMet(endpoint: Endpoint, isSeed: boolean, nowMs: number): void {
    this.markSeed(endpoint, isSeed);
    if (!isSeed) this.#endVain();
    else if (this.#isSeeding) {
      this.#vainUntilMs =
        nowMs + Math.min(vainWaitMaxMs, vainWaitMinMs * 2 ** Math.min(this.#vainCount++, 16));
    }
  }

  /** As somebody says. */
  markSeed(endpoint: Endpoint, isSeed: boolean): void {
    const entry = this.#entries.get(formatEndpoint(endpoint));
    if (entry === undefined || entry.isSeed === isSeed) return;
    entry.isSeed = isSeed;
    this.#changed();
  }

  /** anything -> forgotten: whoever is there is not welcome any more. */
  forget(endpoint: Endpoint): void {
    const entry = this.#entries.get(formatEndpoint(endpoint));
    if (entry !== undefined) this.#remove(entry);
  }

  /** We are reached at this endpoint (or met ourselves there): never dialled again. */
  markOwn(endpoint: Endpoint): void {
    const key = formatEndpoint(endpoint);
    this.#own.add(key);
    if (this.#own.size > ownMax) this.#own.delete(this.#own.values().next().value!);
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#remove(entry);
  }

  #endVain(): void {
    this.#vainCount = 0;
    this.#vainUntilMs = Number.NEGATIVE_INFINITY;
  }

  #isDialable(endpoint: Endpoint, key: string, source: PeerSource, isFromLocal: boolean): boolean {
    const { address, port } = endpoint;
    if (port < 1 || port > 65_535 || this.#own.has(key)) return false;
    if (this.#isPrivate && isStranger(source)) return false;
    const scope = addressScope(address);
    if (!mayName(source, scope, isFromLocal)) return false;
    const portCount = this.#portCount.get(address) ?? 0;
    if (portCount >= portsPerAddressMax && scope !== 'loopback' && source !== 'user') return false;
    return this.#isWelcome(endpoint);
  }

  /** Drops the entry that is worth least, if a newcomer of this trust is worth more. */
  #makeRoom(newTrust: number): boolean {
    let worst: Entry | null = null;
    let worstWorth = untriedWorth + newTrust;
    if (worstWorth <= this.#worthFloor) return false;
    for (const entry of this.#entries.values()) {
      const worth = worthOf(entry);
      if (entry.state !== 'idle' || worth >= worstWorth) continue;
      worst = entry;
      worstWorth = worth;
    }
    if (worst === null) {
      this.#worthFloor = worstWorth;
      return false;
    }
    this.#remove(worst);
    return true;
  }

  #backOff(entry: Entry, nowMs: number): void {
    entry.failCount++;
    const isHopeless = entry.failCount >= failsMax && entry.lastConnectedMs === null;
    if (isHopeless && !entry.sources.has('user')) {
      this.#remove(entry);
      return;
    }
    const doublings = Math.min(entry.failCount - 1, 16);
    // Whom the user names is worth asking again soon: it may just be starting.
    const firstMs = entry.sources.has('user') ? userBackOffMinMs : backOffMinMs;
    entry.nextDialMs = nowMs + this.#jitter(Math.min(firstMs * 2 ** doublings, backOffMaxMs));
  }

  /** A quarter less to a quarter more. */
  #jitter(ms: number): number {
    return Math.round(ms * (0.75 + this.#prng.nextFloat() / 2));
  }

  #isWaiting(entry: Entry): boolean {
    return entry.state === 'idle' && !(this.#isSeeding && entry.isSeed);
  }

  #changed(): void {
    this.#nextDialMs = undefined;
    this.#worthFloor = Number.NEGATIVE_INFINITY;
  }

  #setState(entry: Entry, state: KnownPeer['state']): void {
    if (entry.state === 'idle') this.#idleCount--;
    if (state === 'idle') this.#idleCount++;
    entry.state = state;
    this.#changed();
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    if (entry.state === 'idle') this.#idleCount--;
    this.#changed();
    const { address } = entry.endpoint;
    const left = this.#portCount.get(address)! - 1;
    if (left === 0) this.#portCount.delete(address);
    else this.#portCount.set(address, left);
  }
}

const untriedWorth = 100;
const provenWorth = 200;

/** proven 200..., untried 100..., failed below; within each by trust, then by failures. */
function worthOf(entry: Entry): number {
  let best = 0;
  for (const source of entry.sources) best = Math.max(best, trust[source]);
  const failures = Math.min(entry.failCount, 40) / 50;
  if (entry.lastConnectedMs !== null) return provenWorth + best - failures;
  return (entry.failCount === 0 ? untriedWorth : 0) + best - failures;
}

/** Who has no say in a private torrent. */
function isStranger(source: PeerSource): boolean {
  return source === 'pex' || source === 'dht' || source === 'local';
}

function mayName(source: PeerSource, scope: AddressScope, isFromLocal: boolean): boolean {
  if (scope === 'unspecified' || scope === 'multicast') return false;
  if (scope === 'global' || isFromLocal) return true;
  if (source === 'tracker') return scope === 'private';
  return source !== 'dht' && source !== 'pex';
}
