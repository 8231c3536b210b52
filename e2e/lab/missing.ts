import { env } from 'node:process';
import type { TestContext } from 'node:test';

/** Something that the test needs is not here: skipped with the reason, or failed where everything must be here. */
export function skipWithout(t: TestContext, reason: string): void {
  if (env['TEQUIO_REQUIRE_PEERS'] === '1') throw new Error(reason);
  t.skip(reason);
}
