/** From the start of a node's process to its first answer. What is measured: bench/README.md. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type IpfsProgram, ipfsPrograms } from '../ipfs-nodes.ts';
import { dropFileCache } from '../machine.ts';
import { usageOf } from '../processes.ts';
import type { Bench, Case, Contender, RowRunner, Values } from '../row.ts';

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
    const seconds = await node.start();
    const { cpuSeconds, peakBytes } = usageOf([node.processId()]);
    return { seconds, cpu: cpuSeconds, peak: peakBytes / 1e6 };
  } finally {
    await node.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
