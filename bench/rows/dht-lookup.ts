/** What a lookup costs in a DHT of a hundred to ten thousand nodes, simulated. What is measured: bench/README.md. */
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Host } from '../../e2e/lab/lab.ts';
import { ownVersion } from '../downloaders.ts';
import { type Case, ours, type RowRunner, type Values } from '../row.ts';
import { timeCommand } from '../time-command.ts';

const sizes = [100, 300, 1000, 3000, 10_000];
const root = fileURLToPath(new URL('../../', import.meta.url));
const script = join(root, 'packages/bittorrent/sim/dht-cost.ts');
const timeoutMs = 300_000;

export const dhtLookup: RowRunner = {
  plan: async ({ lab, quick }) => {
    const lookupCount = quick ? 50 : 500;
    const host = lab.addHost('simulation');
    return {
      setting: { sizes, lookupCount },
      cases: sizes.slice(0, quick ? 3 : undefined).map((size) => caseOf(host, size, lookupCount)),
    };
  },
};

function caseOf(host: Host, size: number, lookupCount: number): Case {
  const measure = async (round: number): Promise<Values> => {
    const wish = ['--size', String(size), '--lookups', String(lookupCount), '--seed', String(round + 1)];
    const { stdout } = await timeCommand(host, [execPath, script, ...wish], timeoutMs);
    return JSON.parse(stdout) as Values;
  };
  return {
    name: `${size} nodes`,
    size,
    open: async () => ({ contenders: [{ program: ours, version: ownVersion(), measure }] }),
  };
}
