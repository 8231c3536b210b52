/**
 * A simulation as a test: run from a seed, and when it fails the message says with which seed, and how to see it again.
 *
 *   TEQUIO_SEED=7 node --test packages/bittorrent/sim/flash-crowd.test.ts
 */
import { basename } from 'node:path';
import { type TestContext, test } from 'node:test';

export type Simulation = {
  readonly seed: number;
  /** Shows a figure beside the test's result. */
  readonly note: (text: string) => void;
};

/** The seed of this run, unless the environment names another. */
function chosenSeed(seed: number): number {
  return process.env.TEQUIO_SEED === undefined ? seed : Number(process.env.TEQUIO_SEED);
}

/** True when the larger variants are wanted: `TEQUIO_SIM=large`. */
export const isLarge: boolean = process.env.TEQUIO_SIM === 'large';

const limitMs = isLarge ? 3_600_000 : 240_000;

/**
 * Defines the test.
 * @param file `import.meta.filename` of the test
 */
export function simulate(
  name: string,
  file: string,
  run: (simulation: Simulation) => Promise<void>,
  seed = 1,
): void {
  const chosen = chosenSeed(seed);
  test(name, { timeout: limitMs }, async (t: TestContext) => {
    try {
      await run({ seed: chosen, note: (text) => t.diagnostic(text) });
    } catch (error) {
      const command = `TEQUIO_SEED=${chosen} node --test packages/bittorrent/sim/${basename(file)}`;
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${reason}\nseed ${chosen}; to see it again: ${command}`, { cause: error });
    }
  });
}
