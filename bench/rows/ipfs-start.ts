/** From the start of a node's process to its first answers. What is measured: bench/README.md. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fetchFirst, type IpfsProgram, ipfsPrograms } from '../ipfs-nodes.ts';
import { dropFileCache } from '../machine.ts';
import { usageOf } from '../processes.ts';
import type { Bench, Case, Contender, RowRunner, Values } from '../row.ts';

/** Nothing, which every node has: its CID says all of it. */
const emptyContent = '/ipfs/bafkqaaa';

export const ipfsStart: RowRunner = {
  plan: async (bench) => {
    const caseOf = (name: string, before: () => void): Case => ({
      name,
      open: async () => ({
        contenders: ipfsPrograms().map(
          (one): Contender => ({
            program: one.program,
            version: one.version,
            measure: () => measure(bench, one, before),
          }),
        ),
      }),
    });
    return { setting: {}, cases: [caseOf('warm cache', () => {}), caseOf('cold cache', dropFileCache)] };
  },
};

async function measure({ lab }: Bench, { open }: IpfsProgram, before: () => void): Promise<Values> {
  const folder = join(lab.folder, 'starting');
  mkdirSync(folder);
  const node = await open(folder);
  try {
    // The first start of all makes keys and databases.
    await node.start();
    await node.stop();
    before();
    const startMs = performance.now();
    const started = node.start();
    const shown = fetchFirst(node.gatewayUrl + emptyContent).then(() => (performance.now() - startMs) / 1000);
    const [seconds, gateway] = await Promise.all([started, shown]);
    const { cpuSeconds, peakBytes } = usageOf([node.processId()]);
    return { seconds, gateway, cpu: cpuSeconds, peak: peakBytes / 1e6 };
  } finally {
    await node.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
