/** A node with very many blocks: what it needs at rest and at work. What is measured: bench/README.md. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { contentFile, writeContent } from '../content.ts';
import { fetchFirst, type IpfsNode, type IpfsProgram, ipfsPrograms } from '../ipfs-nodes.ts';
import { usageOf, wholeResidentBytesOf } from '../processes.ts';
import type { Bench, Contender, RowRunner, Values } from '../row.ts';
import { loadGenerator, loadHttp } from '../wrk.ts';
import { addNow } from './ipfs-fetch.ts';

const blockBytes = 1024;
const connectionCount = 16;
const settleMs = 5_000;
/** Of each request, at a place that is drawn by lot. */
const rangeBytes = 16 * 1024;

export const ipfsMemory: RowRunner = {
  plan: async (bench) => {
    const blockCount = bench.quick ? 20_000 : 1_000_000;
    const folder = join(bench.lab.folder, 'content');
    writeContent(folder, blockCount * blockBytes, 1);
    const seconds = bench.quick ? 2 : 10;
    const generator = loadGenerator();
    const script = join(bench.lab.folder, 'places.lua');
    writeFileSync(script, placesScript(blockCount * blockBytes - rangeBytes));
    return {
      setting: { blockCount, blockBytes, rangeBytes, connectionCount, seconds, generator },
      cases: [
        {
          name: `${blockCount.toLocaleString('en')} blocks`,
          open: async () => {
            // Made once: kubo writes a file a block.
            const made = new Map<string, { readonly node: IpfsNode; readonly cid: string }>();
            const contenderOf = (one: IpfsProgram): Contender => ({
              program: one.program,
              version: generator === null ? null : one.version,
              measure: async () => {
                const known = made.get(one.program) ?? (await make(bench, one, join(folder, contentFile)));
                made.set(one.program, known);
                return measure(known.node, known.cid, { script, seconds });
              },
            });
            return { contenders: ipfsPrograms().map(contenderOf) };
          },
        },
      ],
    };
  },
};

async function make(
  { lab }: Bench,
  { program, open }: IpfsProgram,
  path: string,
): Promise<{ readonly node: IpfsNode; readonly cid: string }> {
  const folder = join(lab.folder, `many-${program}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const node = await open(folder);
  return { node, cid: addNow(node, path, '--chunker', `size-${blockBytes}`) };
}

async function measure(
  node: IpfsNode,
  cid: string,
  { script, seconds }: { readonly script: string; readonly seconds: number },
): Promise<Values> {
  await node.start();
  try {
    const megabytes = (): number => wholeResidentBytesOf([node.processId()]) / 1e6;
    await sleep(settleMs);
    const idle = megabytes();
    const url = `${node.gatewayUrl}/ipfs/${cid}`;
    await fetchFirst(url, { range: `bytes=0-${rangeBytes - 1}` });
    const { answers, took } = await loadHttp({ url, headers: {}, connectionCount, seconds, script });
    const { peakBytes } = usageOf([node.processId()]);
    return { idle, peak: peakBytes / 1e6, after: megabytes(), answers: answers / took };
  } finally {
    await node.stop();
  }
}

/** The same places for everybody. */
function placesScript(fromMax: number): string {
  return `math.randomseed(1)
function request()
  local from = math.random(0, ${fromMax})
  return wrk.format("GET", nil, { Range = "bytes=" .. from .. "-" .. from + ${rangeBytes - 1} })
end
`;
}
