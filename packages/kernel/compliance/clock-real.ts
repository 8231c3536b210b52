import { setTimeout as sleep } from 'node:timers/promises';

/** For suites on real ports: looks again at every turn of the event loop, for at most a minute. */
export async function untilReal(condition: () => boolean): Promise<void> {
  const startMs = performance.now();
  while (!condition()) {
    if (performance.now() - startMs > 60_000) throw new Error('it did not happen within a minute');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets real time pass. */
export async function passReal(ms: number): Promise<void> {
  await sleep(ms);
}
