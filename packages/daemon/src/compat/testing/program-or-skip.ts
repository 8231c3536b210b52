import { spawnSync } from 'node:child_process';
import { env } from 'node:process';

/** False: it is here. Else a sentence, unless every program has to be here: then the tests run, and fail. */
export function programOrSkip(name: string): false | string {
  const run = spawnSync(name, ['--version'], { timeout: 10_000 });
  if (run.error === undefined || env['TEQUIO_REQUIRE_PEERS'] === '1') return false;
  return `not installed here: ${name} (.ci/peers installs it)`;
}
