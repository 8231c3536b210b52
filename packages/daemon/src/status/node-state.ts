/** What holds for the whole node: pause of everything, alternative limits, totals over all runs. */
import type { BittorrentApi, ManagementEvent, RateLimitPair, Settings } from '@tequio/api';
import type { Clock, Database } from '@tequio/kernel';
import { Documents } from '../store/documents.ts';
import { type AltWish, decideAltLimits, isScheduled } from './alt-limits.ts';

type Paused = { readonly untilMs: number | null };
export type AllTime = {
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly runCount: number;
  readonly runMs: number;
};

export type NodeStateDeps = {
  readonly database: Database;
  readonly engine: Pick<BittorrentApi, 'setLimits' | 'totals'>;
  readonly clock: Clock;
  settings(): Pick<Settings, 'bittorrent' | 'altLimits'>;
  emit(event: ManagementEvent): void;
};

const noTime: AllTime = { downloadedBytes: 0, uploadedBytes: 0, runCount: 0, runMs: 0 };

export class NodeState {
  readonly #deps: NodeStateDeps;
  readonly #kept: Documents<unknown>;
  readonly #before: AllTime;
  readonly #startedMs: number;
  #paused: Paused | null;
  #wish: AltWish | null;
  #altLimits: boolean | null = null;

  constructor(deps: NodeStateDeps) {
    this.#deps = deps;
    this.#kept = new Documents(deps.database, 'state');
    this.#before = (this.#kept.get('all-time') as AllTime | null) ?? noTime;
    this.#paused = this.#kept.get('paused') as Paused | null;
    this.#wish = this.#kept.get('alt-wish') as AltWish | null;
    this.#startedMs = deps.clock.nowMs();
  }

  get paused(): Paused | null {
    return this.#paused;
  }

  get altLimits(): boolean {
    return this.#altLimits ?? false;
  }

  get allTime(): AllTime {
    const { downloadedBytes, uploadedBytes } = this.#deps.engine.totals();
    return {
      downloadedBytes: this.#before.downloadedBytes + downloadedBytes,
      uploadedBytes: this.#before.uploadedBytes + uploadedBytes,
      runCount: this.#before.runCount + 1,
      runMs: Math.round(this.#before.runMs + this.#deps.clock.nowMs() - this.#startedMs),
    };
  }

  pause(untilMs: number | null): void {
    this.#paused = { untilMs };
    this.#kept.put('paused', this.#paused);
    this.#deps.emit({ type: 'node.paused', untilMs });
  }

  resume(): void {
    if (this.#paused === null) return;
    this.#paused = null;
    this.#kept.remove('paused');
    this.#deps.emit({ type: 'node.resumed' });
  }

  wishAltLimits(on: boolean): void {
    this.#wish = { on, scheduled: this.#isScheduled() };
    this.#kept.put('alt-wish', this.#wish);
    this.applyLimits();
  }

  /** Once a second: a pause may be over, a schedule may have begun. */
  tick(): void {
    const untilMs = this.#paused?.untilMs ?? null;
    if (untilMs !== null && this.#deps.clock.wallMs() >= untilMs) this.resume();
    const { wish, on } = decideAltLimits(this.#wish, this.#isScheduled());
    if (wish === null && this.#wish !== null) this.#kept.remove('alt-wish');
    this.#wish = wish;
    if (on !== this.#altLimits) this.applyLimits();
  }

  /** The limits that hold now, to the engine. */
  applyLimits(): void {
    const { bittorrent, altLimits } = this.#deps.settings();
    this.#altLimits = decideAltLimits(this.#wish, this.#isScheduled()).on;
    this.#deps.engine.setLimits(pairOf(this.#altLimits ? altLimits : bittorrent), []);
  }

  save(): void {
    this.#kept.put('all-time', this.allTime);
  }

  #isScheduled(): boolean {
    const wallMs = this.#deps.clock.wallMs();
    const localMs = wallMs - new Date(wallMs).getTimezoneOffset() * 60_000;
    return isScheduled(this.#deps.settings().altLimits.schedule, localMs);
  }
}

function pairOf({ limitDown, limitUp }: { limitDown: number | null; limitUp: number | null }): RateLimitPair {
  return { down: limitDown, up: limitUp };
}
