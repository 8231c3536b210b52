/** What a gateway answers in a second, of content that the node has. What is measured: bench/README.md. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mebibyte, writeRandomFile } from '../content.ts';
import { fetchFirst, type IpfsProgram, ipfsPrograms } from '../ipfs-nodes.ts';
import { usageOf } from '../processes.ts';
import type { Bench, Contender, RowRunner, Values } from '../row.ts';
import { loadGenerator, loadHttp } from '../wrk.ts';
import { addNow } from './ipfs-fetch.ts';

const connectionCount = 32;
const smallBytes = 1024;
const largeBytes = 64 * mebibyte;
/** Not where a block begins. */
const rangeFrom = 20_000_000;

type Asked = {
  readonly name: string;
  readonly file: string;
  readonly range: readonly [number, number] | null;
};

const cases: readonly Asked[] = [
  { name: 'a file of 1 KiB', file: 'small.bin', range: null },
  { name: '1 MiB of a file of 64 MiB', file: 'large.bin', range: [rangeFrom, rangeFrom + mebibyte] },
];

export const ipfsGateway: RowRunner = {
  plan: async (bench) => {
    const folder = join(bench.lab.folder, 'content');
    mkdirSync(folder);
    writeRandomFile(join(folder, 'small.bin'), smallBytes);
    writeRandomFile(join(folder, 'large.bin'), largeBytes);
    const seconds = bench.quick ? 2 : 5;
    const generator = loadGenerator();
    return {
      setting: { connectionCount, smallBytes, largeBytes, seconds, generator },
      cases: cases.map((asked) => ({
        name: asked.name,
        open: async () => ({
          contenders: ipfsPrograms().map(
            (one): Contender => ({
              program: one.program,
              version: generator === null ? null : one.version,
              measure: () => measure(bench, one, join(folder, asked.file), asked, seconds),
            }),
          ),
        }),
      })),
    };
  },
};

async function measure(
  { lab }: Bench,
  { open }: IpfsProgram,
  path: string,
  { range }: Asked,
  seconds: number,
): Promise<Values> {
  const folder = join(lab.folder, 'gateway');
  mkdirSync(folder);
  const node = await open(folder);
  try {
    const url = `${node.gatewayUrl}/ipfs/${addNow(node, path)}`;
    await node.start();
    const headers = range === null ? {} : { range: `bytes=${range[0]}-${range[1] - 1}` };
    const [from, to] = range ?? [0, Number.POSITIVE_INFINITY];
    const answered = Buffer.from(await fetchFirst(url, headers));
    if (!answered.equals(readFileSync(path).subarray(from, to)))
      throw new Error('it answers with other bytes');
    const load = { url, headers, connectionCount };
    // What compiles while it runs has compiled, and caches are full.
    await loadHttp({ ...load, seconds: seconds / 2 });
    const cpuOf = (): number => usageOf([node.processId()]).cpuSeconds;
    const before = cpuOf();
    const { answers, took } = await loadHttp({ ...load, seconds });
    const { cpuSeconds, peakBytes } = usageOf([node.processId()]);
    return {
      answers: answers / took,
      answersPerCpu: answers / (cpuSeconds - before),
      peak: peakBytes / 1e6,
    };
  } finally {
    await node.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
