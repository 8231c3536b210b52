import type { Endpoint, Fault } from '@tequio/kernel';
import { peerKey } from './address-key.ts';
import { limits } from './limits.ts';

const { banCount, scoreCount, scoreMax, scoreHalfLifeMs, banMs } = limits.bans;

export type Ban = {
  /** An IPv4 address, an IPv6 /64, or an endpoint on loopback (see `peerKey`). */
  readonly key: string;
  /** Of the fault that led to it, or of who asked for it. */
  readonly code: string;
  /** A plain sentence for the user. */
  readonly message: string;
  /** On the clock of `nowMs`, for what is kept that of the wall; infinite for a ban that the user asked for. */
  readonly untilMs: number;
};

type Score = { points: number; lastMs: number };

/**
 * Who is not spoken to, and why.
 *
 * Rules: penalties of a peer's faults are added up by address, and a sum of 100 bans it for a day. A sum halves in
 * half an hour, so a peer that is up for weeks may have bad luck now and then. Only faults with blame `peer` count.
 * IPv6 counts by /64, for a subscriber can choose any address in it; loopback by endpoint, for one address is many
 * programs there.
 * Attacker: makes us forget bans by being banned under many addresses: it needs 20,000 of them, and each is used up.
 * Makes us ban others: cannot, for a fault counts against the address of a completed TCP connection.
 * Several people behind one address share its fate; a ban ends by itself for that reason.
 * Cost: O(1) a call; both tables are bounded, and forget what was touched longest ago.
 */
export class BanList {
  readonly #bans = new Map<string, Ban>();
  readonly #scores = new Map<string, Score>();

  /** Bans that are kept, ended ones that nobody asked about included. */
  get banCount(): number {
    return this.#bans.size;
  }

  get scoreCount(): number {
    return this.#scores.size;
  }

  /** Adds a fault's penalty. The ban that it led to, or null. */
  handleFault(peer: Endpoint, fault: Fault, nowMs: number): Ban | null {
    if (fault.blame !== 'peer' || fault.penalty <= 0) return null;
    const key = peerKey(peer);
    const points = this.#pointsOf(key, nowMs) + fault.penalty;
    this.#scores.delete(key);
    if (points >= scoreMax) return this.ban(peer, fault, nowMs);
    remember(this.#scores, key, { points, lastMs: nowMs }, scoreCount);
    return null;
  }

  /** The sum of its penalties now. */
  score(peer: Endpoint, nowMs: number): number {
    return this.#pointsOf(peerKey(peer), nowMs);
  }

  /** Bans for `durationMs`; a ban that lasts longer stays. */
  ban(
    peer: Endpoint,
    reason: { readonly code: string; readonly message: string },
    nowMs: number,
    durationMs: number = banMs,
  ): Ban {
    const old = this.find(peer, nowMs);
    const untilMs = nowMs + durationMs;
    if (old !== null && old.untilMs >= untilMs) return old;
    const ban = { key: peerKey(peer), code: reason.code, message: reason.message, untilMs };
    remember(this.#bans, ban.key, ban, banCount);
    return ban;
  }

  /** Forgives: the ban and the score. */
  unban(peer: Endpoint): void {
    this.forgive(peerKey(peer));
  }

  /** The same by the key of a ban. */
  forgive(key: string): void {
    this.#bans.delete(key);
    this.#scores.delete(key);
  }

  /** The ban of whoever is there, or null. */
  find(peer: Endpoint, nowMs: number): Ban | null {
    const key = peerKey(peer);
    const ban = this.#bans.get(key);
    if (ban === undefined) return null;
    if (ban.untilMs > nowMs) return ban;
    this.#bans.delete(key);
    return null;
  }

  /** All bans that last, for showing and saving. */
  list(nowMs: number): readonly Ban[] {
    return [...this.#bans.values()].filter(({ untilMs }) => untilMs > nowMs);
  }

  /** Takes up bans of an earlier run, those that last longest first. */
  restore(bans: readonly Ban[], nowMs: number): void {
    const lasting = bans.filter(({ untilMs }) => untilMs > nowMs).sort((a, b) => b.untilMs - a.untilMs);
    for (const ban of lasting.slice(0, banCount).reverse()) remember(this.#bans, ban.key, ban, banCount);
  }

  #pointsOf(key: string, nowMs: number): number {
    const score = this.#scores.get(key);
    if (score === undefined) return 0;
    return score.points * 0.5 ** (Math.max(0, nowMs - score.lastMs) / scoreHalfLifeMs);
  }
}

/** Puts an entry last, and drops the first when there are too many: a Map keeps the order of insertion. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value, countMax: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= countMax) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
