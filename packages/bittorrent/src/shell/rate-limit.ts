/**
 * The user's limits, as a tree: all > bittorrent > category > torrent > peer, one for each direction. Up: a gate that
 * the uploader asks, for each peer. Down: whoever sends is paused when the bytes that came are ahead of the limit, and
 * goes on when time has caught up; what is on its way still comes, so the error is one receive buffer a connection at
 * most, and is paid back before the next byte is read. Who was paused longest reads first, and only as many at once as
 * the limit can feed.
 *
 * Counted are the bytes on the line: what connections carry of any kind, datagrams of the DHT and of trackers
 * (counted-datagrams.ts), and the headers of the packets around all of it.
 */
import { assert, type Clock, NodeError, type Timer } from '@tequio/kernel';
import {
  checkSchedule,
  limitsAt,
  RateLimiter,
  type RateLimitPair,
  type ScheduleRule,
  untilChangeMs,
} from '@tequio/network';
import type { RateGate } from '../core/uploader.ts';

/** Something that sends us bytes and can be told to wait: a connection, a web seed's answer. */
export type Pausable = { pause(): void; resume(): void };

export type Limits = RateLimitPair;

export const rateLimits = {
  /** Headers of IP and TCP, 40 bytes with each 1460 of content; uTP's, with UDP's, are 48 with 1400. */
  headerShare: 40 / 1460,
  /** How long those who were paused wait for others that go first. */
  turnMs: 5,
  /** What one connection may bring at once when it goes on. */
  resumeBytes: 64 * 1024,
  /** Who is paused looks again after so long at most: the limit may have been raised. */
  lookMs: 1000,
  categoryCountMax: 1000,
} as const;

export type RateOptions = Limits & {
  readonly schedule: readonly ScheduleRule[];
  /** Minutes that the user's clock is ahead of UTC at that moment. */
  readonly zoneMinutesAt: (wallMs: number) => number;
};

/** The limits of the node, and those below. */
export class RateLimits {
  readonly #clock: Clock;
  readonly #down = new RateLimiter('all down');
  readonly #up = new RateLimiter('all up');
  readonly #network: Class;
  readonly #categories = new Map<string, Class>();
  readonly #zoneMinutesAt: RateOptions['zoneMinutesAt'];
  #usual: Limits;
  #schedule: readonly ScheduleRule[];
  #timer: Timer | null = null;

  constructor(clock: Clock, options: RateOptions) {
    checkSchedule(options.schedule);
    this.#clock = clock;
    this.#usual = options;
    this.#schedule = options.schedule;
    this.#zoneMinutesAt = options.zoneMinutesAt;
    this.#network = { down: this.#down.child('bittorrent'), up: this.#up.child('bittorrent') };
    this.#apply();
  }

  /** Limits of the node where the schedule says nothing else; the schedule stays unless one is given. */
  setLimits(limits: Limits, schedule: readonly ScheduleRule[] = this.#schedule): void {
    checkSchedule(schedule);
    this.#usual = limits;
    this.#schedule = schedule;
    this.#apply();
    this.#follow();
  }

  /** The limits that hold now. */
  get current(): Limits {
    return { down: this.#down.bytesPerSecond, up: this.#up.bytesPerSecond };
  }

  /** Another network's part of the node's bandwidth, beside that of all torrents. */
  ofNetwork(name: string): { readonly down: RateLimiter; readonly up: RateLimiter } {
    return { down: this.#down.child(name), up: this.#up.child(name) };
  }

  /** Of all torrents of one category together. @throws NodeError `BITTORRENT_CATEGORIES` */
  setCategoryLimits(category: string, limits: Limits): void {
    const { down, up } = this.#category(category);
    down.setLimit(limits.down);
    up.setLimit(limits.up);
  }

  /** A datagram that passes whatever the limit is. `bytes` with its headers. */
  countDatagram(direction: 'down' | 'up', bytes: number): void {
    const limiter = this.#network[direction];
    if (!limiter.isUnlimited) limiter.charge(bytes, this.#clock.nowMs());
  }

  /** From now on the schedule is followed. */
  start(): void {
    this.#follow();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** The limits of one torrent, within those of its category and of all. */
  ofTorrent(name: string, limits: Limits, category: string | null): TorrentRates {
    return new TorrentRates(this.#clock, name, limits, this.#above(category));
  }

  /** From here on it counts under another category, or none. @throws NodeError `BITTORRENT_CATEGORIES` */
  setCategory(torrent: TorrentRates, category: string | null): void {
    torrent.setAbove(this.#above(category));
  }

  #above(category: string | null): Class {
    return category === null ? this.#network : this.#category(category);
  }

  #category(name: string): Class {
    const known = this.#categories.get(name);
    if (known !== undefined) return known;
    if (this.#categories.size >= rateLimits.categoryCountMax)
      throw new NodeError('BITTORRENT_CATEGORIES', 'There are too many categories.');
    const made = { down: this.#network.down.child(name), up: this.#network.up.child(name) };
    this.#categories.set(name, made);
    return made;
  }

  #localMs(): number {
    const wallMs = this.#clock.wallMs();
    return wallMs + this.#zoneMinutesAt(wallMs) * 60_000;
  }

  #apply(): void {
    const { down, up } = limitsAt(this.#schedule, this.#usual, this.#localMs());
    if (down !== this.#down.bytesPerSecond) this.#down.setLimit(down);
    if (up !== this.#up.bytesPerSecond) this.#up.setLimit(up);
  }

  #follow(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#schedule.length === 0) return;
    // Looked at every minute besides: the wall clock can be set, and a zone can change its hour.
    const waitMs = Math.min(60_000, untilChangeMs(this.#schedule, this.#localMs()));
    this.#timer = this.#clock.setTimer(waitMs, () => {
      this.#apply();
      this.#follow();
    });
  }
}

type Class = { readonly down: RateLimiter; readonly up: RateLimiter };

/** One torrent's part of the tree, with a leaf for each peer that the limits concern. */
export class TorrentRates implements RateGate {
  readonly #clock: Clock;
  readonly #name: string;
  #down: RateLimiter;
  #up: RateLimiter;
  /** Who sends to us. */
  readonly #senders = new Map<Pausable, RateLimiter>();
  /** Whom we send to. */
  readonly #takers = new Map<number, Taker>();
  /** Longest first. */
  readonly #paused = new Set<Pausable>();
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(clock: Clock, name: string, limits: Limits, above: Class) {
    this.#clock = clock;
    this.#name = name;
    this.#down = above.down.child(name, limits.down);
    this.#up = above.up.child(name, limits.up);
  }

  /** Of the torrent itself. */
  setLimits({ down, up }: Limits): void {
    this.#down.setLimit(down);
    this.#up.setLimit(up);
  }

  /** Below another class of the tree; who waits there waits anew. */
  setAbove(above: Class): void {
    this.#stopWaiting();
    this.#senders.clear();
    this.#takers.clear();
    this.#down = above.down.child(this.#name, this.#down.bytesPerSecond);
    this.#up = above.up.child(this.#name, this.#up.bytesPerSecond);
  }

  tryTake(bytes: number, nowMs: number, peer: number): boolean {
    if (this.#up.isUnlimited) return true;
    const taker = this.#takerOf(peer);
    if (!taker.leaf.tryTake(onLine(bytes), nowMs)) return false;
    taker.prepaidBytes += bytes;
    return true;
  }

  readyAtMs(nowMs: number, peer: number): number {
    return this.#up.isUnlimited ? nowMs : this.#takerOf(peer).leaf.nextMs(nowMs);
  }

  /** Bytes go out to a peer: those that nobody has asked the gate about are counted now. */
  sent(peer: number, bytes: number): void {
    if (this.#up.isUnlimited) return;
    const taker = this.#takerOf(peer);
    const moreBytes = Math.max(0, bytes - taker.prepaidBytes);
    taker.prepaidBytes = 0;
    if (moreBytes > 0) taker.leaf.charge(onLine(moreBytes), this.#clock.nowMs());
  }

  /** Bytes have come in. @returns true when whoever sent them has to wait now */
  received(from: Pausable, bytes: number): boolean {
    if (this.#down.isUnlimited || this.#isClosed) return false;
    const nowMs = this.#clock.nowMs();
    const leaf = this.#senderOf(from);
    leaf.charge(onLine(bytes), nowMs);
    // Asking for nothing lines it up among those who wait.
    if (leaf.tryTake(0, nowMs)) return false;
    from.pause();
    this.#paused.add(from);
    this.#arm(leaf.nextMs(nowMs) - nowMs);
    return true;
  }

  /** The peer is gone. */
  forgotten(from: Pausable, peer: number | null): void {
    this.#paused.delete(from);
    this.#senders.get(from)?.stopWaiting();
    this.#senders.delete(from);
    if (peer === null) return;
    this.#takers.get(peer)?.leaf.stopWaiting();
    this.#takers.delete(peer);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = null;
    this.#stopWaiting();
  }

  #stopWaiting(): void {
    for (const leaf of this.#senders.values()) leaf.stopWaiting();
    for (const { leaf } of this.#takers.values()) leaf.stopWaiting();
    this.#down.stopWaiting();
    this.#up.stopWaiting();
  }

  #senderOf(from: Pausable): RateLimiter {
    let leaf = this.#senders.get(from);
    if (leaf === undefined) this.#senders.set(from, (leaf = this.#down.child('peer')));
    return leaf;
  }

  #takerOf(peer: number): Taker {
    let taker = this.#takers.get(peer);
    if (taker === undefined)
      this.#takers.set(peer, (taker = { leaf: this.#up.child('peer'), prepaidBytes: 0 }));
    return taker;
  }

  #arm(waitMs: number): void {
    this.#timer ??= this.#clock.setTimer(Math.min(Math.max(1, waitMs), rateLimits.lookMs), () => {
      this.#timer = null;
      this.#resumeSome();
    });
  }

  #resumeSome(): void {
    const nowMs = this.#clock.nowMs();
    let places = this.#down.isUnlimited
      ? Number.POSITIVE_INFINITY
      : 1 + Math.floor(this.#down.burstBytes / rateLimits.resumeBytes);
    let nextMs: number | null = null;
    for (const from of this.#paused) {
      if (places <= 0) {
        nextMs = nowMs + rateLimits.turnMs;
        break;
      }
      const leaf = this.#senderOf(from);
      const readyMs = this.#down.isUnlimited ? nowMs : leaf.nextMs(nowMs);
      if (readyMs > nowMs) {
        nextMs = Math.min(nextMs ?? readyMs, readyMs);
        continue;
      }
      places--;
      this.#paused.delete(from);
      from.resume();
    }
    assert(nextMs !== null || this.#paused.size === 0, 'who is paused goes on some time');
    if (nextMs !== null) this.#arm(nextMs - nowMs);
  }
}

type Taker = {
  readonly leaf: RateLimiter;
  /** Counted when the gate was asked, and not on their way yet. */
  prepaidBytes: number;
};

/** With the headers of the packets that carry them. */
function onLine(bytes: number): number {
  return bytes * (1 + rateLimits.headerShare);
}
