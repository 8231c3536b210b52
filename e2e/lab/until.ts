import { setTimeout as sleep } from 'node:timers/promises';

/** What is waited for can no longer happen: `until` gives up at once. */
export class HopelessError extends Error {}

/**
 * How long to wait where so long is enough on a machine at leisure: others may use it too, and who waits in vain has
 * nothing better to do.
 */
export function patient(timeoutMs: number): number {
  return Math.max(60_000, 3 * timeoutMs);
}

/**
 * Asks `probe` again and again until it gives something other than false, null or undefined, and returns that.
 * A probe that throws is asked again. @throws Error naming `what` and the last answer when `timeoutMs` have
 * passed, and more (see `patient`)
 */
export async function until<Value>(
  what: string,
  timeoutMs: number,
  probe: () => Value | Promise<Value>,
  everyMs = 50,
): Promise<NonNullable<Exclude<Value, false>>> {
  const waitMs = patient(timeoutMs);
  const endMs = Date.now() + waitMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== false && value !== null && value !== undefined)
        return value as NonNullable<Exclude<Value, false>>;
      last = value;
    } catch (error) {
      if (error instanceof HopelessError) throw error;
      last = error;
    }
    if (Date.now() >= endMs) throw new Error(`${what}: not within ${waitMs} ms (last: ${String(last)})`);
    await sleep(everyMs);
  }
}
