/** Content from one peer over bitswap, on loopback. What is measured: bench/README.md. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { contentFile, gibibyte, mebibyte, writeContent } from '../content.ts';
import { cidProfile, type IpfsNode, type IpfsProgram, ipfsPrograms } from '../ipfs-nodes.ts';
import { settleDisk } from '../machine.ts';
import { usageOf } from '../processes.ts';
import type { Bench, Case, Contender, RowRunner, Values } from '../row.ts';

export const ipfsFetch: RowRunner = {
  plan: async (bench) => {
    const bytes = bench.quick ? 128 * mebibyte : gibibyte;
    const folder = join(bench.lab.folder, 'content');
    writeContent(folder, bytes, 1);
    return {
      setting: { cidProfile, bytes },
      cases: ipfsPrograms()
        .filter(({ version }) => version !== null)
        .map((program) => caseOf(bench, program, join(folder, contentFile), bytes)),
    };
  },
};

function caseOf({ lab }: Bench, server: IpfsProgram, path: string, bytes: number): Case {
  return {
    name: `from ${server.program}`,
    open: async () => {
      const folder = join(lab.folder, 'server');
      mkdirSync(folder);
      const serving = await server.open(folder);
      const cid = addNow(serving, path);
      await serving.start();
      return {
        contenders: ipfsPrograms().map(
          ({ program, version, open }): Contender => ({
            program,
            version,
            measure: () => measure(join(lab.folder, 'client'), open, serving, { cid, bytes }),
          }),
        ),
        close: async () => {
          await serving.stop();
          rmSync(folder, { recursive: true, force: true });
        },
      };
    },
  };
}

/** @returns the root's CID */
export function addNow(node: IpfsNode, path: string, ...more: string[]): string {
  const [program, ...args] = node.addCommand(path, ...more);
  const run = spawnSync(program, args, { encoding: 'utf8', timeout: 600_000 });
  if (run.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${run.stderr}`);
  return run.stdout.trim();
}

/** Everything is in the client's own repository, verified and pinned, when it answers. */
async function measure(
  folder: string,
  open: IpfsProgram['open'],
  serving: IpfsNode,
  { cid, bytes }: { readonly cid: string; readonly bytes: number },
): Promise<Values> {
  mkdirSync(folder);
  const client = await open(folder);
  try {
    await client.start();
    await (await client.call('swarm/connect', { arg: await serving.address() })).text();
    settleDisk();
    const cpuOf = (node: IpfsNode): number => usageOf([node.processId()]).cpuSeconds;
    const [before, servedBefore, startMs] = [cpuOf(client), cpuOf(serving), performance.now()];
    await (await client.call('pin/add', { arg: cid, progress: 'false' })).text();
    const seconds = (performance.now() - startMs) / 1000;
    const { cpuSeconds, peakBytes } = usageOf([client.processId()]);
    const perGib = (cpu: number): number => (cpu * gibibyte) / bytes;
    await assertHeld(client, cid, bytes);
    return {
      rate: bytes / seconds / 1e6,
      cpuPerGib: perGib(cpuSeconds - before),
      servedCpuPerGib: perGib(cpuOf(serving) - servedBefore),
      peak: peakBytes / 1e6,
    };
  } finally {
    await client.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function assertHeld(client: IpfsNode, cid: string, bytes: number): Promise<void> {
  const stat = await client.call('files/stat', { arg: `/ipfs/${cid}`, 'with-local': 'true' });
  const { Size, SizeLocal, Local } = (await stat.json()) as Record<string, unknown>;
  if (Size !== bytes || Local !== true) throw new Error(`${SizeLocal} bytes are there, and not ${bytes}`);
}
