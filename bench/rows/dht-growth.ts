/** What a lookup costs against the number of nodes, in simulation. What is measured: bench/README.md. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { promisify } from 'node:util';
import { projectRoot } from '../../tools/tidy-files.ts';
import { ownVersion } from '../downloaders.ts';
import { ours, type RowRunner, type Values } from '../row.ts';

const program = join(projectRoot, 'packages/bittorrent/sim/dht-growth.ts');
const timeoutMs = 300_000;

export const dhtGrowth: RowRunner = {
  plan: async ({ quick }) => ({
    setting: {},
    cases: (quick ? [100, 1000] : [100, 300, 1000, 3000, 10_000]).map((count) => ({
      name: `${count.toLocaleString('en')} nodes`,
      size: count,
      open: async () => ({
        contenders: [{ program: ours, version: ownVersion(), measure: (round) => lookUp(count, round + 1) }],
      }),
    })),
  }),
};

async function lookUp(count: number, seed: number): Promise<Values> {
  const args = ['--disable-warning=ExperimentalWarning', program, String(count), String(seed)];
  const { stdout } = await promisify(execFile)(execPath, args, { timeout: timeoutMs });
  return JSON.parse(stdout) as Values;
}
