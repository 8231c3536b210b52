/** Telling the nodes of a DHT on loopback who has what. What is measured: bench/README.md. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { contentFile, writeContent } from '../content.ts';
import { type IpfsNode, type IpfsProgram, ipfsPrograms, kuboVersion, openKubo } from '../ipfs-nodes.ts';
import { usageOf } from '../processes.ts';
import type { Bench, Contender, RowRunner, Values } from '../row.ts';
import { addNow } from './ipfs-fetch.ts';

const blockBytes = 1024;
/** CIDs that are being provided at once. */
const atOnce = 16;
/** Looked for by nodes of the network: a program may say that it will tell of a CID before it has. */
const sampleCount = 50;
/** So long at most: then what is found by then counts. */
const roundMs = 60_000;
const askTimeoutMs = 30_000;
const askAgainMs = 100;

export const ipfsProvide: RowRunner = {
  plan: async (bench) => {
    const cidCount = bench.quick ? 200 : 10_000;
    const nodeCount = bench.quick ? 6 : 20;
    const folder = join(bench.lab.folder, 'content');
    writeContent(folder, cidCount * blockBytes, 1);
    return {
      setting: { cidCount, nodeCount, atOnce, network: `kubo ${kuboVersion()}` },
      cases: [
        {
          name: `${cidCount.toLocaleString('en')} CIDs, ${nodeCount} nodes`,
          open: async () => {
            const nodes = kuboVersion() === null ? [] : await startNetwork(bench, nodeCount);
            return {
              contenders: ipfsPrograms().map(
                (one): Contender => ({
                  program: one.program,
                  version: nodes.length === 0 ? null : one.version,
                  measure: () => measure(bench, one, nodes, { path: join(folder, contentFile), cidCount }),
                }),
              ),
              close: async () => {
                for (const node of nodes) await node.stop();
              },
            };
          },
        },
      ],
    };
  },
};

/** Kubo's servers of the DHT of local networks, each of which has met those before it. */
async function startNetwork({ lab }: Bench, count: number): Promise<readonly IpfsNode[]> {
  const nodes: IpfsNode[] = [];
  for (let i = 0; i < count; i++) {
    const folder = join(lab.folder, `node-${i}`);
    mkdirSync(folder);
    const node = await openKubo(folder, { settings: { 'Routing.Type': '"dhtserver"' } });
    await node.start();
    await meet(node, nodes);
    nodes.push(node);
  }
  return nodes;
}

async function meet(node: IpfsNode, others: readonly IpfsNode[]): Promise<void> {
  for (const other of others) await (await node.call('swarm/connect', { arg: await other.address() })).text();
}

async function measure(
  { lab }: Bench,
  { open }: IpfsProgram,
  nodes: readonly IpfsNode[],
  { path, cidCount }: { readonly path: string; readonly cidCount: number },
): Promise<Values> {
  const folder = join(lab.folder, 'provider');
  mkdirSync(folder);
  const provider = await open(folder);
  try {
    const root = addNow(provider, path, '--chunker', `size-${blockBytes}`);
    await provider.start();
    await meet(provider, nodes);
    const cids = (await leavesOf(provider, root)).slice(0, cidCount);
    const before = usageOf([provider.processId()]).cpuSeconds;
    const startMs = performance.now();
    const endMs = startMs + roundMs;
    let next = 0;
    const provideSome = async (): Promise<void> => {
      while (next < cids.length && performance.now() < endMs)
        await (await provider.call('routing/provide', { arg: cids[next++]! })).text();
    };
    await Promise.all(Array.from({ length: atOnce }, provideSome));
    const peer = (await provider.address()).split('/').at(-1)!;
    let foundCount = 0;
    // The last of all is among them.
    for (let i = 1; i <= sampleCount; i++) {
      const cid = cids[Math.ceil((i * cids.length) / sampleCount) - 1]!;
      if (await isFound(nodes[i % nodes.length]!, { cid, peer, endMs })) foundCount++;
    }
    if (foundCount === 0) throw new Error(`the network names ${peer} for none of ${sampleCount} CIDs`);
    const seconds = Math.min(roundMs, performance.now() - startMs) / 1000;
    const { cpuSeconds, peakBytes } = usageOf([provider.processId()]);
    const told = (cids.length * foundCount) / sampleCount;
    return { rate: told / seconds, seconds, cpu: cpuSeconds - before, peak: peakBytes / 1e6 };
  } finally {
    await provider.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function leavesOf(node: IpfsNode, root: string): Promise<readonly string[]> {
  const lines = await (await node.call('refs', { arg: root, recursive: 'true', unique: 'true' })).text();
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { readonly Ref: string }).Ref);
}

/** Whether the network says until then who has it. Looked once, also when the time is over. */
async function isFound(
  node: IpfsNode,
  { cid, peer, endMs }: { readonly cid: string; readonly peer: string; readonly endMs: number },
): Promise<boolean> {
  for (;;) {
    const signal = AbortSignal.timeout(askTimeoutMs);
    // Those of earlier rounds, which had the same, are known too.
    const answer = await node.call('routing/findprovs', { arg: cid, 'num-providers': '100' }, signal);
    if ((await answer.text()).includes(peer)) return true;
    if (performance.now() >= endMs) return false;
    await sleep(askAgainMs);
  }
}
