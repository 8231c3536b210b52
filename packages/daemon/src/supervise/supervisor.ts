/**
 * Keeps the parts of a node going that may fail without the node: one that fails is started again, later each time, and
 * what is wrong is told until it works.
 */
import type { ManagementEvent, NodeTrouble } from '@tequio/api';
import { type Clock, type Log, NodeError, type Timer } from '@tequio/kernel';

export const supervisorLimits = {
  firstRetryMs: 1000,
  longestRetryMs: 300_000,
  /** A part that went well for so long begins anew with its retries. */
  healthyMs: 60_000,
  /** So long a part has to end when it is told to. */
  closeMs: 5000,
} as const;

/** Works until the signal, or rejects. A part that returns by itself has nothing more to do. */
export type Part = { readonly name: string; run(signal: AbortSignal): Promise<void> };

export type SupervisorDeps = {
  readonly clock: Clock;
  readonly log: Log;
  emit(event: ManagementEvent): void;
};

export class Supervisor {
  readonly #deps: SupervisorDeps;
  readonly #kept: Kept[] = [];

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
  }

  start(part: Part): void {
    const kept = new Kept(part, this.#deps);
    this.#kept.push(kept);
    kept.start();
  }

  troubles(): readonly NodeTrouble[] {
    return this.#kept.flatMap(({ trouble }) => (trouble === null ? [] : [trouble]));
  }

  /** In reverse order; a part that does not end is left behind. */
  async close(): Promise<void> {
    for (const kept of this.#kept.reverse()) await kept.close();
  }
}

class Kept {
  trouble: NodeTrouble | null = null;
  readonly #part: Part;
  readonly #deps: SupervisorDeps;
  readonly #end = new AbortController();
  #retryMs: number = supervisorLimits.firstRetryMs;
  #timer: Timer | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(part: Part, deps: SupervisorDeps) {
    this.#part = part;
    this.#deps = deps;
  }

  start(): void {
    const { clock } = this.#deps;
    const startedMs = clock.nowMs();
    const healthy = clock.setTimer(supervisorLimits.healthyMs, () => this.#handleHealthy());
    this.#running = Promise.resolve()
      .then(() => this.#part.run(this.#end.signal))
      .then(
        () => healthy.cancel(),
        (error: unknown) => {
          healthy.cancel();
          this.#handleFailed(error, startedMs);
        },
      );
  }

  async close(): Promise<void> {
    this.#end.abort();
    this.#timer?.cancel();
    const { clock, log } = this.#deps;
    const late = new Promise<void>((resolve) => {
      const timer = clock.setTimer(supervisorLimits.closeMs, () => {
        log.warn('part.left-behind', { part: this.#part.name });
        resolve();
      });
      void this.#running.then(() => timer.cancel());
    });
    await Promise.race([this.#running, late]);
  }

  #handleFailed(error: unknown, startedMs: number): void {
    if (this.#end.signal.aborted) return;
    const { clock, log, emit } = this.#deps;
    const { name } = this.#part;
    const code = error instanceof NodeError ? error.code : 'NODE_PART';
    const message = error instanceof Error ? error.message : String(error);
    if (clock.nowMs() - startedMs >= supervisorLimits.healthyMs)
      this.#retryMs = supervisorLimits.firstRetryMs;
    const atMs = clock.wallMs();
    const isNews = this.trouble?.code !== code || this.trouble.message !== message;
    this.trouble = { part: name, code, message, atMs, retryAtMs: atMs + this.#retryMs };
    log.error('part.failed', { part: name, code, message, retryMs: this.#retryMs });
    if (isNews) emit({ type: 'node.trouble', part: name, code, message });
    this.#timer = clock.setTimer(this.#retryMs, () => this.start());
    this.#retryMs = Math.min(this.#retryMs * 2, supervisorLimits.longestRetryMs);
  }

  #handleHealthy(): void {
    this.#retryMs = supervisorLimits.firstRetryMs;
    if (this.trouble === null) return;
    this.trouble = null;
    this.#deps.emit({ type: 'node.recovered', part: this.#part.name });
  }
}

/** Waits; false: the signal has ended it. */
export function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      resolve(false);
    };
    const timer = clock.setTimer(ms, () => {
      signal.removeEventListener('abort', end);
      resolve(true);
    });
    signal.addEventListener('abort', end, { once: true });
  });
}
