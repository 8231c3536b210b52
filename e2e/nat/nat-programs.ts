/** What the laboratory needs besides Tequio, and whether it is here. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import { canOpenLab } from '../lab/lab.ts';
import { cleanEnvironment } from '../lab/running.ts';

/** With TEQUIO_REQUIRE_PEERS=1 what is missing is an error, and results are written down. */
export const areRequired = env['TEQUIO_REQUIRE_PEERS'] === '1';

const resultsFolder = fileURLToPath(new URL('../results/nat/', import.meta.url));

/** One plain sentence, or null. */
export function whatIsMissing(): string | null {
  if (!canOpenLab()) return 'network namespaces need Linux and root';
  const missing = ['nft', 'conntrack', 'miniupnpd'].filter((name) => {
    const { error } = spawnSync(name, ['--version'], { env: cleanEnvironment('/tmp'), timeout: 5000 });
    return error !== undefined;
  });
  return missing.length === 0 ? null : `not installed here: ${missing.join(', ')} (.ci/peers installs it)`;
}

/** The version of the mapper that all these routers have. */
export function mapperVersion(): string {
  const { stdout } = spawnSync('miniupnpd', ['--version'], {
    encoding: 'utf8',
    env: cleanEnvironment('/tmp'),
  });
  return /miniupnpd (\S+)/.exec(stdout)?.[1] ?? '';
}

/** Written where the tables of docs/nat.md are made from, when everything was there. */
export function writeNatResults(name: string, results: object): void {
  if (!areRequired) return;
  mkdirSync(resultsFolder, { recursive: true });
  writeFileSync(join(resultsFolder, `${name}.json`), `${JSON.stringify(results, null, 2)}\n`);
}
