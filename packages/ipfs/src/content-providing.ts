/**
 * Others find what is here: the DHT is told of it as the strategy says, anew in time, and whenever something is pinned.
 */
import type { Clock, Hashes, Log, OverlayPort, Timer } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { keyOf, textOfKey } from './core/block-key.ts';
import type { DenyList } from './core/deny-list.ts';
import { defaultSweepOptions, type ProvidedKey, type SweepState } from './core/provider-sweep.ts';
import { type ProvideStrategy, selectProvided } from './provide-selection.ts';
import type { IpfsRepository } from './repository.ts';
import { ProvidedKeys } from './shell/provided-keys.ts';
import { Providing } from './shell/providing.ts';

/** So many keys at most are told: each takes some hundred bytes of memory, and seconds of a day. */
export const providedKeysMax = 500_000;
/** Several changes are looked at together. */
const settleMs = 1000;
/** It is looked at anew without a change, too: with `everything` there is no sign of one. */
const lookAgainMs = 10 * 60_000;
/** Looking takes at most this part of the time. */
const restFactor = 10;

export type ContentProvidingDeps = {
  readonly overlay: Pick<OverlayPort, 'provide'>;
  readonly repository: IpfsRepository;
  readonly clock: Clock;
  readonly hashes: Hashes;
  readonly log: Log;
  /** `none`: nothing is told from now on. */
  readonly strategy: () => ProvideStrategy | 'none';
  /** What is on it is not told: this node would not give it away. Null: there is no list. */
  readonly denyList?: () => DenyList | null;
};

/** See the top of the file. To be closed before the repository is. */
export class ContentProviding {
  readonly #deps: ContentProvidingDeps;
  readonly #store: ProvidedKeys;
  readonly #providing: Providing;
  readonly #end = new AbortController();
  #stopWatching: (() => void) | null = null;
  #timer: Timer | null = null;
  #looking: Promise<void> = Promise.resolve();
  #dueMs = 0;
  #lookedMs = 0;
  #tookMs = 0;

  constructor(deps: ContentProvidingDeps) {
    this.#deps = deps;
    const { overlay, clock, hashes, log, repository } = deps;
    this.#store = new ProvidedKeys(repository.database, clock);
    this.#providing = new Providing(defaultSweepOptions, { overlay, clock, hashes, log, store: this.#store });
  }

  start(): void {
    this.#providing.start();
    this.#stopWatching = this.#deps.repository.watchRoots(() => this.#arm(settleMs));
    this.#arm(settleMs);
  }

  async close(): Promise<void> {
    this.#end.abort();
    this.#stopWatching?.();
    this.#timer?.cancel();
    this.#providing.close();
    await this.#looking;
    this.#store.flush();
  }

  get state(): SweepState {
    return this.#providing.state;
  }

  /** Records that were taken since the start. */
  get toldCount(): number {
    return this.#providing.toldCount;
  }

  /** When others were told of this one, and how many took it; null: nobody is to be told. */
  tryStateOf(cid: CID): Readonly<ProvidedKey> | null {
    return this.#providing.tryStateOf(keyOf(cid));
  }

  /** What is to be told is looked up now; resolves when that is known, not when it has been told. */
  async look(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    // What changes while it looks is seen by the next look.
    const looking = this.#looking.then(() => this.#look());
    this.#looking = looking;
    await looking;
    if (!this.#end.signal.aborted) this.#arm(lookAgainMs);
  }

  #arm(delayMs: number): void {
    const { clock } = this.#deps;
    const nowMs = clock.nowMs();
    const dueMs = Math.max(nowMs + delayMs, this.#lookedMs + restFactor * this.#tookMs);
    if (this.#timer !== null && this.#dueMs <= dueMs) return;
    this.#timer?.cancel();
    this.#dueMs = dueMs;
    this.#timer = clock.setTimer(dueMs - nowMs, () => void this.look());
  }

  async #look(): Promise<void> {
    if (this.#end.signal.aborted) return;
    const { repository, clock, log, strategy, denyList } = this.#deps;
    const mayTell = (cid: CID): boolean => denyList?.()?.deniesCid(cid) !== true;
    const startMs = clock.nowMs();
    try {
      const chosen = strategy();
      const wanted =
        chosen === 'none'
          ? new Map<string, Uint8Array>()
          : await selectProvided(repository, chosen, providedKeysMax, this.#end.signal, mayTell);
      if (wanted.size >= providedKeysMax) log.warn('ipfs.provide.too-many', { keyCountMax: providedKeysMax });
      const known = [...this.#providing.keys];
      const knownTexts = new Set(known.map(textOfKey));
      this.#providing.remove(known.filter((key) => !wanted.has(textOfKey(key))));
      this.#providing.add([...wanted].filter(([text]) => !knownTexts.has(text)).map(([, key]) => key));
    } catch (error) {
      if (!this.#end.signal.aborted) log.warn('ipfs.provide.look-failed', { reason: String(error) });
    }
    this.#lookedMs = clock.nowMs();
    this.#tookMs = this.#lookedMs - startMs;
  }
}
