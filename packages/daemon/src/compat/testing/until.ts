import { setTimeout as pause } from 'node:timers/promises';

/** Asks again and again, for a minute, until it is given something. */
export async function until<Value>(what: string, probe: () => Promise<Value | false>): Promise<Value> {
  const endMs = Date.now() + 60_000;
  for (;;) {
    const value = await probe();
    if (value !== false) return value;
    if (Date.now() >= endMs) throw new Error(`In vain: ${what}.`);
    await pause(10);
  }
}
