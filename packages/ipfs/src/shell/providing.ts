import type { Clock, Hashes, Log, OverlayPort, Timer } from '@tequio/kernel';
import {
  type ProvidedKey,
  ProviderSweep,
  type SweepOptions,
  type SweepState,
} from '../core/provider-sweep.ts';

/** Told at once while it goes well: those of a region go together, and each waits for the slowest of twenty peers. */
const atOnceMax = 256;
/** The next are picked when there is room for so many: to pick is to look at all regions. */
const pickedMin = 64;
/** Told at once while nobody has taken the last one. */
const triedAtOnceMax = 16;
const timerMsMax = 3_600_000;
/** So many failures in a row mean that nobody can be told anything: then all rest, longer each time. */
const failuresMax = 16;
const restFirstMs = 60_000;
const restMaxMs = 15 * 60_000;

/** What was told when, over restarts. */
export interface ProvidedStore {
  load(): Iterable<{ readonly key: Uint8Array; readonly toldMs: number | null }>;
  save(key: Uint8Array, toldMs: number | null): void;
  remove(key: Uint8Array): void;
}

export type ProvidingDeps = {
  readonly overlay: Pick<OverlayPort, 'provide'>;
  readonly clock: Clock;
  readonly hashes: Hashes;
  readonly log: Log;
  readonly store: ProvidedStore;
};

/** Keeps the DHT told of what this node has, evenly over time. */
export class Providing {
  readonly #deps: ProvidingDeps;
  readonly #sweep: ProviderSweep;
  readonly #end = new AbortController();
  #timer: Timer | null = null;
  #underWay = 0;
  #failuresInRow = 0;
  #restUntilMs = 0;
  #toldCount = 0;

  constructor(options: SweepOptions, deps: ProvidingDeps) {
    this.#deps = deps;
    // The same moment on every day and after every restart: the sweep goes on where it was.
    this.#sweep = new ProviderSweep(options, 0);
  }

  start(): void {
    for (const { key, toldMs } of this.#deps.store.load()) this.#sweep.add(key, this.#digest(key), toldMs);
    this.#work();
  }

  close(): void {
    this.#end.abort();
    this.#timer?.cancel();
  }

  /** From now on; told as soon as possible. @param keys multihashes */
  add(keys: readonly Uint8Array[]): void {
    for (const key of keys) {
      const digest = this.#digest(key);
      if (this.#sweep.tryGet(key, digest) !== null) continue;
      this.#sweep.add(key, digest, null);
      this.#deps.store.save(key, null);
    }
    this.#work();
  }

  /** No longer. What was told is forgotten by the others in two days. */
  remove(keys: readonly Uint8Array[]): void {
    for (const key of keys) {
      this.#sweep.remove(key, this.#digest(key));
      this.#deps.store.remove(key);
    }
  }

  get state(): SweepState {
    return this.#sweep.state(this.#deps.clock.wallMs());
  }

  /** Records that were taken since the start, by somebody. */
  get toldCount(): number {
    return this.#toldCount;
  }

  get keys(): Iterable<Uint8Array> {
    return this.#sweep.keys();
  }

  /** Of one key: when it was told, to how many peers; null: it is not provided. */
  tryStateOf(key: Uint8Array): Readonly<ProvidedKey> | null {
    return this.#sweep.tryGet(key, this.#digest(key));
  }

  #digest(key: Uint8Array): Uint8Array {
    return this.#deps.hashes.sha256(key);
  }

  /** Tells what is due, so many at once; the timer is for what is due next. */
  #work(): void {
    if (this.#end.signal.aborted) return;
    const { clock } = this.#deps;
    const nowMs = clock.wallMs();
    this.#timer?.cancel();
    this.#timer = null;
    const isResting = nowMs < this.#restUntilMs;
    const goesWell = this.#toldCount > 0 && this.#failuresInRow === 0;
    const room = (goesWell ? atOnceMax : triedAtOnceMax) - this.#underWay;
    if (!isResting && room >= (goesWell ? pickedMin : 1))
      for (const entry of this.#sweep.pickDue(nowMs, room)) void this.#tell(entry);
    // Whoever is done calls again.
    if (this.#underWay > 0 && !isResting) return;
    const nextMs = isResting ? this.#restUntilMs : this.#sweep.nextDueMs(nowMs);
    if (nextMs !== null)
      this.#timer = clock.setTimer(Math.min(timerMsMax, Math.max(1, nextMs - nowMs)), () => this.#work());
  }

  async #tell(entry: ProvidedKey): Promise<void> {
    const { overlay, clock, store, log } = this.#deps;
    this.#underWay++;
    const peerCount = await overlay.provide(entry.key, this.#end.signal).catch((error: unknown) => {
      log.debug('provide.failed', { reason: String(error) });
      return 0;
    });
    this.#underWay--;
    if (this.#end.signal.aborted) return;
    const nowMs = clock.wallMs();
    this.#sweep.markTold(entry, peerCount, nowMs);
    if (peerCount > 0) {
      this.#toldCount++;
      this.#failuresInRow = 0;
      if (this.#sweep.tryGet(entry.key, this.#digest(entry.key)) !== null)
        store.save(entry.key, entry.toldMs);
    } else if (++this.#failuresInRow % failuresMax === 0) {
      const restMs = restFirstMs * 2 ** Math.min(10, this.#failuresInRow / failuresMax - 1);
      this.#restUntilMs = nowMs + Math.min(restMaxMs, restMs);
    }
    this.#work();
  }
}
