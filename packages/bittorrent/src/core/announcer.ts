/**
 * Which trackers of one torrent hear what, and when (BEP 3, 7, 12, 31). A machine: no I/O, no clock.
 *
 * Rules:
 *  1. Trackers stand in tiers, shuffled within each once (BEP 12). Every tier is asked at the same time, and in each
 *     tier one tracker: the first that works, which moves to the front. When it fails the next is asked at once. (BEP
 *     12 itself asks a later tier only when all earlier fail; users expect every tier, since tiers nowadays hold
 *     unrelated public trackers. `announceAllTrackers` makes a tier of each tracker.)
 *  2. `started` until a tracker has heard it, `completed` once, only to those that had heard `started` before we
 *     had everything, `stopped` to all that heard, or may have heard, `started`; after that nothing.
 *  3. Times are in announcer-tracker.ts. While starved of peers the working trackers are asked again sooner.
 *  4. At most 200 trackers, 24 asked at once: a torrent's author chooses them, and each costs a stranger a request.
 *
 * Stopping takes at most 5 s, whatever the trackers do, and 1 s where only those are left of whom it is doubtful that
 * they know us or are there: nobody shall wait for dead trackers to close a program. A stale id is ignored.
 * Cost: O(trackers) an input.
 */
import type { Endpoint, Fault, IpAddress, Machine, Prng } from '@tequio/kernel';
import { tryParseAddress } from '@tequio/kernel';
import type { TrackerSnapshot } from '../contract.ts';
import type { AddressFamily } from '../wire/compact-peers.ts';
import type { TrackerAnswer } from '../wire/tracker-http-response.ts';
import type { AnnounceEvent, SwarmCounts } from '../wire/tracker-udp.ts';
import {
  AnnouncedTracker,
  announcerLimits,
  largest,
  type TrackerFailure,
  type TrackerSlot,
} from './announcer-tracker.ts';
import { checkUrl } from './url-rules.ts';

export type AnnouncerOptions = {
  readonly tiers: readonly (readonly string[])[];
  /** 20 bytes each: v1, and the first 20 of v2. A hybrid torrent has both. */
  readonly infoHashes: readonly Uint8Array[];
  /** Families that this host announces over. */
  readonly families: readonly AddressFamily[];
  /** Ask every tracker of a tier, not the first that works. */
  readonly announceAllTrackers?: boolean;
  readonly prng: Prng;
};

export type AnnouncerInput =
  /** `isComplete`: we had everything before; `completed` is then never sent. */
  | { readonly type: 'start'; readonly isComplete: boolean }
  | { readonly type: 'stop' }
  /** The last piece has just arrived. */
  | { readonly type: 'completed' }
  /** Too few peers, or enough again. */
  | { readonly type: 'starved'; readonly starved: boolean }
  /** The user's wish. */
  | { readonly type: 'announce-now' }
  /** Others must dial another port from now on: what the trackers tell is wrong until they hear it. */
  | { readonly type: 'port-changed' }
  | { readonly type: 'scrape' }
  /** Known URLs are left as they are; the others become later tiers. */
  | { readonly type: 'add-trackers'; readonly tiers: readonly (readonly string[])[] }
  /** From here on these; those that were known before keep their state, the others are told that we leave. */
  | { readonly type: 'set-trackers'; readonly tiers: readonly (readonly string[])[] }
  | { readonly type: 'answer'; readonly id: number; readonly answer: TrackerAnswer }
  | { readonly type: 'failure'; readonly id: number; readonly failure: TrackerFailure }
  /** Counts in the order of the asked info-hashes. */
  | { readonly type: 'swarms'; readonly id: number; readonly swarms: readonly SwarmCounts[] };

export type AnnouncerEffect =
  | {
      /** Answered by `answer` or `failure` with this id, unless cancelled. The doer adds port, totals and peer id. */
      readonly type: 'announce';
      readonly id: number;
      readonly url: string;
      readonly family: AddressFamily;
      readonly infoHash: Uint8Array;
      readonly event: AnnounceEvent;
      readonly numWant: number;
      readonly key: number;
      readonly trackerId: Uint8Array | null;
      /** Null: as long as it takes. */
      readonly timeoutMs: number | null;
    }
  | {
      /** Answered by `swarms` or `failure`. */
      readonly type: 'scrape';
      readonly id: number;
      readonly url: string;
      readonly family: AddressFamily;
      readonly infoHashes: readonly Uint8Array[];
    }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'peers'; readonly url: string; readonly peers: readonly Endpoint[] }
  | { readonly type: 'external-address'; readonly url: string; readonly address: IpAddress }
  | { readonly type: 'answered'; readonly url: string; readonly peerCount: number }
  | { readonly type: 'failed'; readonly url: string; readonly fault: Fault }
  /** After `stop`: everybody who had to hear it has, or had his time. */
  | { readonly type: 'stopped' };

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running' }
  | { readonly kind: 'stopping'; readonly untilMs: number; readonly doubtUntilMs: number };

/** Trackers of which one is asked at a time. The working one, if any, is the first. */
type Tier = { readonly trackers: AnnouncedTracker[] };
type Request = { readonly tracker: AnnouncedTracker; readonly slot: TrackerSlot | null };

export class Announcer implements Machine<AnnouncerInput, AnnouncerEffect> {
  readonly #options: AnnouncerOptions;
  readonly #prng: Prng;
  readonly #key: number;
  readonly #tiers: Tier[] = [];
  readonly #requests = new Map<number, Request>();
  /** While trackers are replaced: those that there were, by URL. */
  #known: ReadonlyMap<string, AnnouncedTracker> = new Map();
  #effects: AnnouncerEffect[] = [];
  #state: State = { kind: 'idle' };
  #starved = false;
  #isComplete = false;
  #tierCount = 0;
  #nextId = 1;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#prng = options.prng;
    this.#key = this.#prng.nextUint32();
    this.#addTiers(options.tiers);
  }

  handle(input: AnnouncerInput, nowMs: number): void {
    switch (input.type) {
      case 'start':
        this.#start(input.isComplete, nowMs);
        break;
      case 'stop':
        this.#stop(nowMs);
        break;
      case 'completed':
        this.#complete(nowMs);
        break;
      case 'starved':
        this.#starved = input.starved;
        this.#advance(nowMs);
        break;
      case 'announce-now':
        for (const tracker of this.#trackers()) tracker.markWanted(nowMs);
        this.#advance(nowMs);
        break;
      case 'port-changed':
        for (const tracker of this.#trackers()) tracker.markOutdated(nowMs);
        this.#advance(nowMs);
        break;
      case 'scrape':
        this.#scrape();
        break;
      case 'add-trackers':
        this.#addTiers(input.tiers);
        this.#advance(nowMs);
        break;
      case 'set-trackers':
        this.#setTiers(input.tiers, nowMs);
        break;
      case 'answer':
        this.#answered(input.id, input.answer, nowMs);
        break;
      case 'failure':
        this.#failed(input.id, input.failure, nowMs);
        break;
      case 'swarms':
        this.#take(input.id)?.tracker.handleSwarms(input.swarms);
    }
  }

  handleTimeout(nowMs: number): void {
    if (this.#state.kind === 'stopping') this.#checkStop(nowMs);
    else this.#advance(nowMs);
  }

  nextTimeoutMs(): number | null {
    if (this.#state.kind === 'idle') return null;
    if (this.#state.kind === 'stopping') return this.#stopDueMs(this.#state);
    // With all places taken, the end of a round is what comes next.
    if (this.#roundCount() >= announcerLimits.roundCountMax) return null;
    let next = Number.POSITIVE_INFINITY;
    for (const tier of this.#tiers) next = Math.min(next, this.#tierDueMs(tier));
    return Number.isFinite(next) ? next : next < 0 ? 0 : null;
  }

  drain(out: AnnouncerEffect[]): void {
    out.push(...this.#effects);
    this.#effects = [];
  }

  /** For the user, tier by tier. @param wallMs milliseconds since 1970 at `nowMs` */
  snapshot(nowMs: number, wallMs: number): TrackerSnapshot[] {
    const active = this.#state.kind === 'running';
    return this.#trackers().map((tracker) => {
      const shown = tracker.snapshot(this.#starved, wallMs - nowMs);
      return active ? shown : { ...shown, nextAnnounceMs: null };
    });
  }

  /** Of the first tracker that works, or of the first one; null: there is none. */
  get host(): string | null {
    const trackers = this.#trackers();
    return (trackers.find(({ working }) => working) ?? trackers[0])?.host ?? null;
  }

  /** The largest of what the trackers count; null: nobody has said. */
  get swarm(): { readonly seedCount: number | null; readonly leechCount: number | null } {
    let seedCount: number | null = null;
    let leechCount: number | null = null;
    for (const tracker of this.#trackers()) {
      seedCount = largest(seedCount, tracker.seedCount);
      leechCount = largest(leechCount, tracker.leechCount);
    }
    return { seedCount, leechCount };
  }

  /** idle, stopping -> running. */
  #start(isComplete: boolean, nowMs: number): void {
    if (this.#state.kind === 'running') return;
    this.#cancelAll();
    this.#state = { kind: 'running' };
    this.#isComplete = isComplete;
    for (const tracker of this.#trackers()) tracker.reset();
    this.#advance(nowMs);
  }

  #complete(nowMs: number): void {
    if (this.#state.kind !== 'running' || this.#isComplete) return;
    this.#isComplete = true;
    for (const tracker of this.#trackers())
      if (tracker.slots.some((slot) => slot.heardStarted || slot.requestId !== null)) tracker.markDue(nowMs);
    this.#advance(nowMs);
  }

  /** running -> stopping, or idle when nobody has to hear it. Who stops what rests is told `stopped` at once. */
  #stop(nowMs: number): void {
    if (this.#state.kind === 'idle') this.#effects.push({ type: 'stopped' });
    if (this.#state.kind !== 'running') return;
    const told: { tracker: AnnouncedTracker; slot: TrackerSlot }[] = [];
    for (const tracker of this.#trackers())
      for (const slot of tracker.slots)
        if (slot.heardStarted || slot.requestId !== null) told.push({ tracker, slot });
    this.#cancelAll();
    const { stopMs, doubtMs } = announcerLimits;
    this.#state = { kind: 'stopping', untilMs: nowMs + stopMs, doubtUntilMs: nowMs + doubtMs };
    for (const { tracker, slot } of told) this.#announce(tracker, slot, 'stopped');
    this.#checkStop(nowMs);
  }

  #stopDueMs(state: Extract<State, { kind: 'stopping' }>): number {
    for (const { tracker, slot } of this.#requests.values())
      if (tracker.working && slot?.heardStarted === true) return state.untilMs;
    return state.doubtUntilMs;
  }

  /** stopping -> idle, when all have answered or had their time. */
  #checkStop(nowMs: number): void {
    if (this.#state.kind !== 'stopping') return;
    if (this.#requests.size > 0 && nowMs < this.#stopDueMs(this.#state)) return;
    this.#cancelAll();
    for (const tracker of this.#trackers()) tracker.reset();
    this.#state = { kind: 'idle' };
    this.#effects.push({ type: 'stopped' });
  }

  #answered(id: number, answer: TrackerAnswer, nowMs: number): void {
    const request = this.#take(id);
    if (request === null || request.slot === null) return;
    const { tracker, slot } = request;
    if (this.#state.kind === 'stopping') {
      this.#checkStop(nowMs);
      return;
    }
    const isOver = tracker.handleAnswer(slot, answer);
    if (answer.peers.length > 0) this.#effects.push({ type: 'peers', url: tracker.url, peers: answer.peers });
    if (answer.externalAddress !== null)
      this.#effects.push({ type: 'external-address', url: tracker.url, address: answer.externalAddress });
    this.#effects.push({ type: 'answered', url: tracker.url, peerCount: answer.peers.length });
    if (isOver) this.#endRound(tracker, nowMs);
  }

  #failed(id: number, failure: TrackerFailure, nowMs: number): void {
    const request = this.#take(id);
    if (request === null || request.slot === null) return;
    if (this.#state.kind === 'stopping') this.#checkStop(nowMs);
    else if (request.tracker.handleFailure(request.slot, failure, nowMs))
      this.#endRound(request.tracker, nowMs);
  }

  #endRound(tracker: AnnouncedTracker, nowMs: number): void {
    const failure = tracker.endRound(nowMs, this.#prng);
    if (failure === null) this.#moveToFront(tracker);
    else this.#effects.push({ type: 'failed', url: tracker.url, fault: failure.fault });
    this.#advance(nowMs);
  }

  #moveToFront(tracker: AnnouncedTracker): void {
    const { trackers } = this.#tiers.find((tier) => tier.trackers.includes(tracker))!;
    trackers.splice(trackers.indexOf(tracker), 1);
    trackers.unshift(tracker);
    for (const other of trackers) if (other !== tracker) other.working = false;
  }

  /** Begins every round that is due and has a place. */
  #advance(nowMs: number): void {
    if (this.#state.kind !== 'running') return;
    let places = announcerLimits.roundCountMax - this.#roundCount();
    for (const tier of this.#tiers) {
      if (places <= 0) return;
      const tracker = this.#pickTracker(tier, nowMs);
      if (tracker === null) continue;
      places--;
      const slots = tracker.beginRound(nowMs, this.#starved);
      for (const slot of slots) this.#announce(tracker, slot, this.#eventFor(slot));
    }
  }

  /** The tracker of a tier to ask now: the first that is due, but none behind one that works. */
  #pickTracker(tier: Tier, nowMs: number): AnnouncedTracker | null {
    if (tier.trackers.some((tracker) => tracker.isAnnouncing)) return null;
    for (const tracker of tier.trackers) {
      if (tracker.dueMs(this.#starved) <= nowMs) return tracker;
      if (tracker.working) return null;
    }
    return null;
  }

  #tierDueMs(tier: Tier): number {
    let due = Number.POSITIVE_INFINITY;
    for (const tracker of tier.trackers) {
      if (tracker.isAnnouncing) return Number.POSITIVE_INFINITY;
      due = Math.min(due, tracker.dueMs(this.#starved));
      if (tracker.working) break;
    }
    return due;
  }

  #eventFor(slot: TrackerSlot): AnnounceEvent {
    if (slot.heardStarted) return this.#isComplete && !slot.heardCompleted ? 'completed' : 'none';
    // Who hears `started` after the end hears with it that nothing is left.
    slot.heardCompleted = this.#isComplete;
    return 'started';
  }

  #announce(tracker: AnnouncedTracker, slot: TrackerSlot, event: AnnounceEvent): void {
    const id = this.#nextId++;
    const isStopped = event === 'stopped';
    slot.requestId = id;
    slot.requestEvent = event;
    this.#requests.set(id, { tracker, slot });
    this.#effects.push({
      type: 'announce',
      id,
      url: tracker.url,
      family: slot.family,
      infoHash: slot.infoHash,
      event,
      numWant: isStopped ? 0 : announcerLimits.numWant,
      key: this.#key,
      trackerId: tracker.trackerId,
      timeoutMs: isStopped ? announcerLimits.stopMs : null,
    });
  }

  /** One question to each tracker that works; to the first of each tier where none does. */
  #scrape(): void {
    for (const { trackers } of this.#tiers) {
      const tracker = trackers[0];
      if (tracker === undefined || tracker.checked === null) continue;
      const slot = tracker.slots.find((candidate) => candidate.heardStarted) ?? tracker.slots[0];
      if (slot === undefined) continue;
      const id = this.#nextId++;
      this.#requests.set(id, { tracker, slot: null });
      const infoHashes = this.#options.infoHashes;
      this.#effects.push({ type: 'scrape', id, url: tracker.url, family: slot.family, infoHashes });
    }
  }

  #addTiers(tiers: readonly (readonly string[])[]): void {
    for (const urls of tiers) {
      const known = new Set(this.#trackers().map((tracker) => tracker.url));
      const room = announcerLimits.trackerCountMax - known.size;
      const fresh = [...new Set(urls)].filter((url) => !known.has(url)).slice(0, room);
      if (fresh.length === 0) continue;
      const number = this.#tierCount++;
      const trackers = this.#prng.shuffle(fresh.map((url) => this.#createTracker(url, number)));
      if (this.#options.announceAllTrackers === true)
        this.#tiers.push(...trackers.map((tracker) => ({ trackers: [tracker] })));
      else this.#tiers.push({ trackers });
    }
  }

  #setTiers(tiers: readonly (readonly string[])[], nowMs: number): void {
    const before = this.#trackers();
    this.#known = new Map(before.map((tracker) => [tracker.url, tracker]));
    this.#tiers.length = 0;
    this.#tierCount = 0;
    this.#addTiers(tiers);
    this.#known = new Map();
    const kept = new Set(this.#trackers());
    for (const tracker of before) if (!kept.has(tracker)) this.#dismiss(tracker);
    this.#advance(nowMs);
  }

  /** Breaks off what it is asked, and tells it that we leave if it knows us; what it answers is not heard. */
  #dismiss(tracker: AnnouncedTracker): void {
    for (const [id, request] of this.#requests) {
      if (request.tracker !== tracker) continue;
      this.#effects.push({ type: 'cancel', id });
      this.#requests.delete(id);
    }
    const told = tracker.slots.filter(({ heardStarted, requestId }) => heardStarted || requestId !== null);
    tracker.cancelRound();
    if (this.#state.kind !== 'running') return;
    for (const slot of told) {
      this.#announce(tracker, slot, 'stopped');
      this.#requests.delete(slot.requestId!);
    }
  }

  #createTracker(url: string, tier: number): AnnouncedTracker {
    const known = this.#known.get(url);
    if (known !== undefined) {
      known.tier = tier;
      return known;
    }
    const checked = checkUrl(url, 'tracker');
    if (!checked.ok) return new AnnouncedTracker(url, tier, null, [], checked.fault.message);
    const literal = tryParseAddress(checked.value.host);
    const literalFamily = literal === null ? null : literal.includes(':') ? 6 : 4;
    const slots = this.#options.infoHashes.flatMap((infoHash) =>
      this.#options.families
        .filter((family) => literalFamily === null || family === literalFamily)
        .map((family): TrackerSlot => {
          return {
            infoHash,
            family,
            heardStarted: false,
            heardCompleted: false,
            absentUntilMs: 0,
            requestId: null,
            requestEvent: 'none',
          };
        }),
    );
    return slots.length > 0
      ? new AnnouncedTracker(url, tier, checked.value, slots, null)
      : new AnnouncedTracker(
          url,
          tier,
          null,
          [],
          'This node does not use the address family of this tracker.',
        );
  }

  #take(id: number): Request | null {
    const request = this.#requests.get(id) ?? null;
    this.#requests.delete(id);
    return request;
  }

  #cancelAll(): void {
    for (const id of this.#requests.keys()) this.#effects.push({ type: 'cancel', id });
    this.#requests.clear();
    for (const tracker of this.#trackers()) tracker.cancelRound();
  }

  #roundCount(): number {
    let count = 0;
    for (const tracker of this.#trackers()) if (tracker.isAnnouncing) count++;
    return count;
  }

  #trackers(): AnnouncedTracker[] {
    return this.#tiers.flatMap((tier) => tier.trackers);
  }
}
