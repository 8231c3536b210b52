import { assert, type Prng } from '@tequio/kernel';
import type { PeerKey } from './piece-picker-open.ts';

/** What the choker knows of one connection. Rates in bytes a second. */
export type ChokerPeer = {
  readonly key: PeerKey;
  /** It wants something that we have. Others are never in the answer. */
  readonly interested: boolean;
  /** It owes us blocks and has sent none for a minute. */
  readonly snubbed: boolean;
  readonly downRate: number;
  readonly upRate: number;
  readonly uploadedSinceUnchoke: number;
  /** Null: it is choked. */
  readonly unchokedSinceMs: number | null;
  readonly connectedMs: number;
  /** Bytes, over the whole connection. */
  readonly downloadedFromIt: number;
  /** 0 to 1. */
  readonly progress: number;
  /** It says that it has what it wants (BEP 21). */
  readonly isUploadOnly: boolean;
};

export type ChokerOptions = {
  readonly prng: Prng;
  /** Peers unchoked at once, optimistic ones included; null: as many as can be served well (see {@link Choker}). */
  readonly slots: number | null;
  readonly optimisticSlots: number;
  readonly seedAlgorithm?: 'round-robin' | 'fastest';
  /** What a seed gives one peer in a turn; at least a few pieces, so that the peer gets something to pass on. */
  readonly quotaBytes?: number;
};

/** Between calls of `rechoke`: long enough for TCP to find its rate, short enough to answer in kind (BEP 3). */
export const rechokeMs = 10_000;
/** Three rounds: time for an optimistic unchoke to be noticed and answered. */
const optimisticMs = 30_000;
const turnMs = 60_000;
const defaultQuotaBytes = 32 * 1024 * 1024;
const newcomerMs = 60_000;
const newcomerWeight = 3;
/** Who holds a slot keeps it against others up to a tenth better. */
const incumbentBonus = 1.1;
const slotsMin = 4;
const slotsMax = 200;
/** Rate-based slots: n are worth having if each of them gets n times this. */
const slotRateStep = 2048;

/**
 * Who may download from us.
 *
 * Leech (we lack something): tit for tat. The regular slots go to those who send us most, the others are optimistic.
 * - Only interested peers; a snubbing peer counts as giving nothing (BEP 3, anti-snubbing), so its slot becomes one
 *   more optimistic one: that is how a new, better partner is found when all have choked us.
 * - A holder's rate counts a tenth more. Rationale: equal partners would swap slots each round, and TCP would start
 *   slowly each time. Ties: who has given more in all (an old ally over a lucky second), then chance.
 * - Optimistic slots last 30 s and go to who has waited longest since its last turn, or since it came. A newcomer's
 *   waiting counts three times (BEP 3), with 10 s from the start. Not a plain draw, so that nobody starves.
 *   Slots that no contributor claims are optimistic too: an idle slot helps nobody.
 *
 * Whoever says that it only uploads, and is interested all the same, is served when slots are left: its word may be
 * older than its wish.
 *
 * Seed: nobody can give us anything, so turns. A turn ends after 60 s or `quotaBytes`, if somebody waits. A turn that
 * runs is never broken: half-fetched pieces help nobody. Next is the longest waiting, weighted by its progress:
 *
 *   weight 2 |\                    /      at the start: whatever it gets is soon passed on to many;
 *            |  \                /        at the end: it is about to become a seed;
 *          1 |_____ \________/_____       in the middle: it has pieces enough to trade with others
 *            0        0.5          1  progress        (the idea of libtorrent's anti-leech choker)
 *
 *   With equal weights everyone's unchoked time is the mean, give or take a turn (20 leechers, 4 slots, 30 minutes,
 *   ten seeds: 60 s of 360 s at most). `fastest` instead takes those that download fastest, and keeps the optimistic
 *   slots so that they can be found: most bytes, least fairness.
 *
 * Slots by rate (`slots` null): as many as get n x 2 kB/s each, were what we upload now shared evenly, which makes
 * n = sqrt(rate / 2 kB/s), from 4 to 200. A slow line keeps few slots, so that each is worth having (100 kB/s: 7); a
 * fast one has 200 within seconds, so that nobody waits for a turn while there is room to spare.
 *
 * Between two rounds `fill` gives out slots that have become free, and takes none away.
 *
 * Attacker: a free rider gets optimistic turns only: ten of them among ten contributors had 1200 s of 9000 slot
 * seconds in 30 minutes (5 slots). Reconnecting puts it at the end of the queue, but for the newcomer's 10 s. Claimed
 * progress 0 doubles its weight at most. Several connections of one address are the caller's to refuse.
 * Cost: O(peers log peers) every ten seconds.
 */
export class Choker {
  readonly #prng: Prng;
  readonly #slots: number | null;
  readonly #optimisticSlots: number;
  readonly #seedAlgorithm: 'round-robin' | 'fastest';
  readonly #quotaBytes: number;
  /** Since when each peer has not been served; only those that were in the last call. */
  #waitingSince = new Map<PeerKey, number>();
  #unchoked = new Set<PeerKey>();
  #optimistic = new Set<PeerKey>();
  #nextOptimisticMs = 0;

  constructor(options: ChokerOptions) {
    assert(options.slots === null || options.slots >= 1, 'at least one slot');
    this.#prng = options.prng;
    this.#slots = options.slots;
    this.#optimisticSlots = options.optimisticSlots;
    this.#seedAlgorithm = options.seedAlgorithm ?? 'round-robin';
    this.#quotaBytes = options.quotaBytes ?? defaultQuotaBytes;
  }

  /** The full set to be unchoked now; everyone else is to be choked. Call every {@link rechokeMs}. */
  rechoke(
    peers: readonly ChokerPeer[],
    mode: 'leech' | 'seed',
    nowMs: number,
  ): { readonly unchoke: readonly PeerKey[] } {
    const candidates = this.#prng.shuffle(peers.filter((peer) => peer.interested));
    this.#noteWaiting(peers, nowMs);
    const slotCount = this.#slots ?? slotsByRate(peers);
    const unchoke =
      mode === 'seed' && this.#seedAlgorithm === 'round-robin'
        ? this.#takeTurns(candidates, slotCount, nowMs)
        : this.#reward(candidates, slotCount, mode, nowMs);
    this.#unchoked = new Set(unchoke);
    return { unchoke };
  }

  /**
   * Those who are served, and as many of those who wait as there are free slots: to be called between two rounds, when
   * somebody waits. Nobody is choked who wants something.
   */
  fill(
    peers: readonly ChokerPeer[],
    mode: 'leech' | 'seed',
    nowMs: number,
  ): { readonly unchoke: readonly PeerKey[] } {
    const candidates = this.#prng.shuffle(peers.filter((peer) => peer.interested));
    this.#noteWaiting(peers, nowMs);
    const served = candidates.filter((peer) => peer.unchokedSinceMs !== null).map((peer) => peer.key);
    const freeCount = Math.max(0, (this.#slots ?? slotsByRate(peers)) - served.length);
    const rankOf = (peer: ChokerPeer): number =>
      mode === 'seed' ? this.#turnRank(peer, nowMs) : this.#optimisticRank(peer, false, nowMs);
    const added = candidates
      .filter((peer) => peer.unchokedSinceMs === null)
      .map((peer) => ({ key: peer.key, rank: rankOf(peer) }))
      .sort((a, b) => b.rank - a.rank)
      .slice(0, freeCount)
      .map(({ key }) => key);
    if (mode === 'leech') for (const key of added) this.#optimistic.add(key);
    this.#unchoked = new Set([...served, ...added]);
    return { unchoke: [...this.#unchoked] };
  }

  /** Tit for tat, or the fastest downloaders of a seed, and the optimistic slots. */
  #reward(
    candidates: readonly ChokerPeer[],
    slotCount: number,
    mode: 'leech' | 'seed',
    nowMs: number,
  ): PeerKey[] {
    const rateOf = (peer: ChokerPeer): number => {
      const rate = mode === 'seed' ? peer.upRate : peer.snubbed ? 0 : peer.downRate;
      return peer.unchokedSinceMs === null ? rate : rate * incumbentBonus;
    };
    const regularCount = slotCount - Math.min(this.#optimisticSlots, slotCount - 1);
    const regular = candidates
      .filter((peer) => !peer.isUploadOnly && rateOf(peer) > 0)
      .sort((a, b) => rateOf(b) - rateOf(a) || b.downloadedFromIt - a.downloadedFromIt)
      .slice(0, regularCount)
      .map((peer) => peer.key);
    const taken = new Set(regular);
    const rest = candidates.filter((peer) => !taken.has(peer.key));
    return [...regular, ...this.#pickOptimistic(rest, slotCount - regular.length, nowMs)];
  }

  /** Keeps those whose 30 s are not over, and fills up with the longest waiting. */
  #pickOptimistic(candidates: readonly ChokerPeer[], count: number, nowMs: number): readonly PeerKey[] {
    const isOver = nowMs >= this.#nextOptimisticMs;
    if (isOver) this.#nextOptimisticMs = nowMs + optimisticMs;
    const ranked = candidates
      .map((peer) => ({ key: peer.key, rank: this.#optimisticRank(peer, isOver, nowMs) }))
      .sort((a, b) => b.rank - a.rank)
      .slice(0, count)
      .map(({ key }) => key);
    this.#optimistic = new Set(ranked);
    return ranked;
  }

  #optimisticRank(peer: ChokerPeer, isOver: boolean, nowMs: number): number {
    if (peer.isUploadOnly) return -1;
    if (!isOver && this.#optimistic.has(peer.key)) return Number.POSITIVE_INFINITY;
    const isNew = nowMs - peer.connectedMs < newcomerMs;
    const waitedMs = nowMs - this.#waitingSince.get(peer.key)!;
    return isNew && !this.#unchoked.has(peer.key) ? (waitedMs + rechokeMs) * newcomerWeight : waitedMs;
  }

  #turnRank(peer: ChokerPeer, nowMs: number): number {
    if (peer.isUploadOnly) return -1;
    if (this.#isInTurn(peer, nowMs)) return Number.POSITIVE_INFINITY;
    return (nowMs - this.#waitingSince.get(peer.key)!) * progressWeight(peer.progress);
  }

  #takeTurns(candidates: readonly ChokerPeer[], slotCount: number, nowMs: number): PeerKey[] {
    return candidates
      .map((peer) => ({ peer, rank: this.#turnRank(peer, nowMs) }))
      .sort((a, b) => (a.rank === b.rank ? longestServedLast(a.peer, b.peer) : b.rank - a.rank))
      .slice(0, slotCount)
      .map(({ peer }) => peer.key);
  }

  #isInTurn(peer: ChokerPeer, nowMs: number): boolean {
    if (peer.unchokedSinceMs === null) return false;
    return nowMs - peer.unchokedSinceMs < turnMs && peer.uploadedSinceUnchoke < this.#quotaBytes;
  }

  #noteWaiting(peers: readonly ChokerPeer[], nowMs: number): void {
    const before = this.#waitingSince;
    this.#waitingSince = new Map();
    for (const { key, unchokedSinceMs } of peers) {
      const isServed = unchokedSinceMs !== null || this.#unchoked.has(key);
      this.#waitingSince.set(key, isServed ? nowMs : (before.get(key) ?? nowMs));
    }
  }
}

/** From 1 in the middle of the download to 2 at both ends. */
function progressWeight(progress: number): number {
  return 1 + Math.abs(2 * Math.max(0, Math.min(1, progress)) - 1);
}

/** Among those whose turn is over and those just come (both have waited 0): the choked ones, then the latest served. */
function longestServedLast(a: ChokerPeer, b: ChokerPeer): number {
  const sinceA = a.unchokedSinceMs ?? Number.MAX_VALUE;
  const sinceB = b.unchokedSinceMs ?? Number.MAX_VALUE;
  return sinceA === sinceB ? 0 : sinceB > sinceA ? 1 : -1;
}

/** See {@link Choker}: slots by rate. */
export function slotsByRate(peers: readonly ChokerPeer[]): number {
  const rate = peers.reduce((sum, peer) => sum + (peer.unchokedSinceMs === null ? 0 : peer.upRate), 0);
  return Math.max(slotsMin, Math.min(slotsMax, Math.floor(Math.sqrt(rate / slotRateStep))));
}
