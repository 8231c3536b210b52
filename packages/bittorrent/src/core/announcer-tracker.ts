/**
 * One tracker of one torrent, as the announcer sees it: what it has heard from us, what it said last, and when it is
 * due again. It decides times only; {@link Announcer} decides which tracker is asked.
 *
 * A tracker has one slot for each pair of info-hash and address family (BEP 7: the tracker of a dual-stack host keeps
 * the families apart; a hybrid torrent is in two swarms). A round asks all slots at once; it worked when one did.
 *
 * Times. After success: the tracker's interval, clamped, plus up to 5 % so that a thousand torrents do not stay in
 * step. When starved of peers: its min interval, doubling each time in a row. After failure: 5 s doubling to 1 h,
 * a fifth up or down; 60 s doubling when the tracker said no itself; never earlier than its `retry in` (BEP 31).
 */
import type { Fault, Prng } from '@tequio/kernel';
import type { TrackerSnapshot } from '../contract.ts';
import type { AddressFamily } from '../wire/compact-peers.ts';
import type { TrackerAnswer } from '../wire/tracker-http-response.ts';
import type { AnnounceEvent, SwarmCounts } from '../wire/tracker-udp.ts';
import type { CheckedUrl } from './url-rules.ts';

export const announcerLimits = {
  /** An interval that a tracker may make us keep: less floods it, more loses the swarm. */
  intervalMsMin: 60_000,
  intervalMsMax: 6 * 3_600_000,
  /** When it does not say. */
  intervalMsDefault: 30 * 60_000,
  /** Between announces for want of peers, when the tracker names no min interval. */
  minIntervalMsDefault: 2 * 60_000,
  /** The shortest min interval that is used, whatever the tracker allows. */
  minIntervalMsMin: 15_000,
  retryMsMin: 5_000,
  refusedRetryMsMin: 60_000,
  retryMsMax: 3_600_000,
  /** The longest `retry in` that is obeyed short of `never`. */
  retryInMsMax: 24 * 3_600_000,
  /** Between two announces that the user asks for. */
  manualMsMin: 10_000,
  /** How long a family without address, or a slot that fails where another works, is left alone. */
  absentMs: 30 * 60_000,
  /** Trackers of one torrent; torrents in the wild have about a hundred, attackers' as many as fit. */
  trackerCountMax: 200,
  /** Trackers of one torrent that are asked at the same time. */
  roundCountMax: 24,
  /** How long the trackers may take to hear that we leave. */
  stopMs: 5_000,
  /** The same for those of whom it is doubtful that they know us, or are there. */
  doubtMs: 1_000,
  numWant: 100,
} as const;

/** Why an announce or scrape gave nothing. */
export type TrackerFailure = {
  readonly fault: Fault;
  /** As the tracker said. */
  readonly retryInMs: number | 'never' | null;
  /** `family`: its name has no address of that family, or we have none. `refused`: the tracker said no. */
  readonly kind: 'family' | 'refused' | 'unreachable';
};

export type TrackerSlot = {
  readonly infoHash: Uint8Array;
  readonly family: AddressFamily;
  /** It knows us as a member of the swarm. */
  heardStarted: boolean;
  heardCompleted: boolean;
  absentUntilMs: number;
  /** The request that is under way. */
  requestId: number | null;
  requestEvent: AnnounceEvent;
};

/** What came of a slot's round: kept until all slots are done. */
type Round = {
  answeredCount: number;
  peerCount: number;
  /** The most telling one. */
  failure: TrackerFailure | null;
  readonly failedSlots: TrackerSlot[];
};

export class AnnouncedTracker {
  readonly url: string;
  /** Its place among the tiers as the user knows them. */
  tier: number;
  /** Null: the rules refuse it, and it is only shown. */
  readonly checked: CheckedUrl | null;
  readonly slots: readonly TrackerSlot[];
  trackerId: Uint8Array | null = null;
  /** It answered last time, or has begun to answer the round under way. */
  working = false;
  /** Due again as soon as the round under way ends. */
  again = false;
  #round: Round | null = null;
  #dueMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #minIntervalMs = 0;
  /** As the tracker itself has said; 0: it has not. */
  #namedMinMs = 0;
  #failCount = 0;
  #starvedCount = 0;
  #message: string | null;
  #failed = false;
  #peerCount = 0;
  #seedCount: number | null = null;
  #leechCount: number | null = null;

  constructor(
    url: string,
    tier: number,
    checked: CheckedUrl | null,
    slots: readonly TrackerSlot[],
    refusal: string | null,
  ) {
    this.url = url;
    this.tier = tier;
    this.checked = checked;
    this.slots = slots;
    this.#message = refusal;
    this.#failed = checked === null;
    this.#dueMs = checked === null ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  get seedCount(): number | null {
    return this.#seedCount;
  }

  get leechCount(): number | null {
    return this.#leechCount;
  }

  get host(): string | null {
    return this.checked?.host ?? null;
  }

  get isAnnouncing(): boolean {
    return this.#round !== null;
  }

  /** When this tracker may or should be asked; infinite: never by itself. */
  dueMs(starved: boolean): number {
    if (!this.working || !starved) return this.#dueMs;
    const waitMs = this.#minIntervalMs * 2 ** Math.min(this.#starvedCount, 10);
    return Math.min(this.#dueMs, this.#lastMs + waitMs);
  }

  /** idle -> announcing. Slots of a family that was absent lately are left out, unless there is no other. */
  beginRound(nowMs: number, starved: boolean): TrackerSlot[] {
    this.#starvedCount = this.working && starved && nowMs < this.#dueMs ? this.#starvedCount + 1 : 0;
    this.#round = { answeredCount: 0, peerCount: 0, failure: null, failedSlots: [] };
    this.#lastMs = nowMs;
    this.again = false;
    const present = this.slots.filter((slot) => slot.absentUntilMs <= nowMs);
    return present.length > 0 ? present : [...this.slots];
  }

  /** One slot's answer. Returns true when the round is over. */
  handleAnswer(slot: TrackerSlot, answer: TrackerAnswer): boolean {
    const round = this.#round;
    slot.requestId = null;
    slot.heardStarted = true;
    if (slot.requestEvent === 'completed') slot.heardCompleted = true;
    if (round === null) return false;
    const isFirst = round.answeredCount === 0;
    round.answeredCount++;
    round.peerCount += answer.peers.length;
    this.trackerId = answer.trackerId ?? this.trackerId;
    this.working = true;
    const limits = announcerLimits;
    const interval = clamp(answer.intervalMs ?? limits.intervalMsDefault, limits.intervalMsMin);
    const min = clamp(
      answer.minIntervalMs ?? Math.min(interval, limits.minIntervalMsDefault),
      limits.minIntervalMsMin,
    );
    // The slowest wish of all slots counts.
    const namedMs = Math.min(answer.minIntervalMs ?? 0, limits.intervalMsMax);
    this.#namedMinMs = isFirst ? namedMs : Math.max(this.#namedMinMs, namedMs);
    this.#minIntervalMs = isFirst ? min : Math.max(this.#minIntervalMs, min);
    const due = this.#lastMs + Math.max(interval, min);
    this.#dueMs = isFirst ? due : Math.max(this.#dueMs, due);
    this.#message = answer.warning ?? (isFirst ? null : this.#message);
    this.#peerCount = round.peerCount;
    this.#takeCounts(answer.seedCount, answer.leechCount, isFirst);
    return this.#isRoundOver();
  }

  /** One slot's failure. Returns true when the round is over. */
  handleFailure(slot: TrackerSlot, failure: TrackerFailure, nowMs: number): boolean {
    slot.requestId = null;
    if (failure.kind === 'family') slot.absentUntilMs = nowMs + announcerLimits.absentMs;
    if (this.#round === null) return false;
    // A family that is not there explains nothing when the other one failed too.
    const known = this.#round.failure;
    this.#round.failedSlots.push(slot);
    if (known === null || known.kind === 'family') this.#round.failure = failure;
    return this.#isRoundOver();
  }

  /** announcing -> working or failed. Returns the failure when no slot was answered. */
  endRound(nowMs: number, prng: Prng): TrackerFailure | null {
    const round = this.#round!;
    this.#round = null;
    this.working = round.answeredCount > 0;
    this.#failed = !this.working;
    if (this.working) {
      this.#failCount = 0;
      // One family has no way there, or one of the hashes is not wanted: it need not be tried every time.
      for (const slot of round.failedSlots)
        if (!slot.heardStarted) slot.absentUntilMs = nowMs + announcerLimits.absentMs;
      this.#dueMs = this.again ? nowMs : this.#dueMs + 0.05 * prng.nextFloat() * (this.#dueMs - this.#lastMs);
      return null;
    }
    const failure = round.failure!;
    this.#message = failure.fault.message;
    this.#dueMs = nowMs + this.#retryMs(failure, prng);
    return failure;
  }

  /** announcing -> as it was: the requests were called off. */
  cancelRound(): void {
    this.#round = null;
    for (const slot of this.slots) slot.requestId = null;
  }

  /** A new session: nothing was heard, and it is due. What it counted last stays shown. */
  reset(): void {
    this.cancelRound();
    for (const slot of this.slots) {
      slot.heardStarted = false;
      slot.heardCompleted = false;
    }
    this.working = false;
    this.again = false;
    this.#failCount = 0;
    this.#starvedCount = 0;
    this.#lastMs = Number.NEGATIVE_INFINITY;
    if (this.checked !== null) this.#dueMs = Number.NEGATIVE_INFINITY;
  }

  /** As soon as it can be: there is an event to tell. */
  markDue(nowMs: number): void {
    if (this.isAnnouncing) this.again = true;
    else if (this.working) this.#dueMs = nowMs;
  }

  /** The user wants it asked: as soon as it may be, whatever failed before. */
  markWanted(nowMs: number): void {
    if (this.checked === null || this.isAnnouncing) return;
    this.#failCount = 0;
    for (const slot of this.slots) slot.absentUntilMs = 0;
    const leastMs = Math.max(announcerLimits.manualMsMin, this.working ? this.#namedMinMs : 0);
    this.#dueMs = Math.max(nowMs, this.#lastMs + leastMs);
  }

  /** What it tells of us is wrong: it is asked at once, sooner than it wishes if need be. */
  markOutdated(nowMs: number): void {
    if (this.checked === null) return;
    if (this.isAnnouncing) this.again = true;
    else this.#dueMs = Math.max(nowMs, this.#lastMs + announcerLimits.manualMsMin);
  }

  /** Counts of a scrape, one for each info-hash. */
  handleSwarms(swarms: readonly SwarmCounts[]): void {
    swarms.forEach((swarm, i) => {
      this.#takeCounts(swarm.seedCount, swarm.leechCount, i === 0);
    });
  }

  /** @param wallOffsetMs what to add to a monotonic time to get milliseconds since 1970 */
  snapshot(starved: boolean, wallOffsetMs: number): TrackerSnapshot {
    const due = this.dueMs(starved);
    const isWaiting = this.#round !== null && this.#round.answeredCount === 0;
    return {
      url: this.url,
      tier: this.tier,
      state: isWaiting ? 'announcing' : this.#restingState(),
      message: this.#message,
      peerCount: this.#peerCount,
      seedCount: this.#seedCount,
      leechCount: this.#leechCount,
      nextAnnounceMs: Number.isFinite(due) && !isWaiting ? Math.round(due + wallOffsetMs) : null,
    };
  }

  #restingState(): TrackerSnapshot['state'] {
    if (this.working) return 'working';
    return this.#failed ? 'failed' : 'waiting';
  }

  #isRoundOver(): boolean {
    return this.slots.every((slot) => slot.requestId === null);
  }

  #retryMs(failure: TrackerFailure, prng: Prng): number {
    if (failure.retryInMs === 'never') return Number.POSITIVE_INFINITY;
    const limits = announcerLimits;
    const first = failure.kind === 'refused' ? limits.refusedRetryMsMin : limits.retryMsMin;
    const doubled = first * 2 ** Math.min(this.#failCount++, 20);
    const jittered = Math.min(doubled, limits.retryMsMax) * (0.8 + 0.4 * prng.nextFloat());
    return Math.max(jittered, Math.min(failure.retryInMs ?? 0, limits.retryInMsMax));
  }

  /** The largest of what the slots' swarms count, for they overlap. */
  #takeCounts(seedCount: number | null, leechCount: number | null, isFirst: boolean): void {
    this.#seedCount = isFirst ? seedCount : largest(this.#seedCount, seedCount);
    this.#leechCount = isFirst ? leechCount : largest(this.#leechCount, leechCount);
  }
}

function clamp(ms: number, msMin: number): number {
  return Math.min(announcerLimits.intervalMsMax, Math.max(msMin, ms));
}

/** Of two counts that may be unknown. */
export function largest(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}
