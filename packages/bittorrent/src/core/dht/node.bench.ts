/**
 * What a question costs a node, without sockets: as every program writes it, and with a key that only the decoder of
 * everything understands; in turn, and their ratio. Run: node packages/bittorrent/src/core/dht/node.bench.ts
 */
import { cpuUsage } from 'node:process';
import { fromLatin1, type IpAddress, Prng, toLatin1 } from '@tequio/kernel';
import { median, sayRatio } from '@tequio/kernel/compliance/micro-bench';
import { nodeInfo } from '../../wire/dht-node-info.ts';
import { testHashes, testSignatures } from './dht.fixture.ts';
import type { DhtEffect } from './dht-effect.ts';
import { DhtNode } from './node.ts';

const questionCount = 30_000;
const pairCount = 7;
/** Fewer than what a node hears of one port in ten seconds. */
const questionsPerPort = 45;

function setUp(prng: Prng): DhtNode {
  const deps = { prng, secret: prng.bytes(32), hashes: testHashes, signatures: testSignatures };
  const node = new DhtNode({ families: [4, 6], replyBytesPerSecond: 1e9 }, deps);
  node.start(0);
  for (let i = 0; i < 30; i++) {
    const endpoint = { address: '10.0.0.3' as IpAddress, port: 7000 + i };
    node.sides[0]!.table.handleAnswered(nodeInfo(prng.bytes(20), endpoint), 0);
  }
  return node;
}

function questionsOf(prng: Prng, rest: string): Uint8Array[] {
  return Array.from({ length: 1000 }, () => {
    const [id, hash] = [toLatin1(prng.bytes(20)), toLatin1(prng.bytes(20))];
    return fromLatin1(`d1:ad2:id20:${id}9:info_hash20:${hash}e1:q9:get_peers1:t2:tt1:y1:q${rest}e`);
  });
}

let nowMs = 1;
let asked = 0;

/** Nanoseconds of processor time of one question. */
function measure(node: DhtNode, questions: readonly Uint8Array[]): number {
  const out: DhtEffect[] = [];
  let answered = 0;
  const start = cpuUsage();
  for (let i = 0; i < questionCount; i++) {
    const port = 1024 + (Math.floor(asked++ / questionsPerPort) % 60_000);
    nowMs += 0.01;
    node.handleDatagram(questions[i % questions.length]!, { address: '10.0.0.9' as IpAddress, port }, nowMs);
    node.drain(out);
    for (const effect of out) if (effect.type === 'send') answered++;
    out.length = 0;
  }
  if (answered < questionCount) throw new Error(`${questionCount - answered} questions were not answered`);
  const { user, system } = cpuUsage(start);
  return ((user + system) * 1000) / questionCount;
}

const prng = new Prng(7);
const node = setUp(prng);
const [common, other] = [questionsOf(prng, ''), questionsOf(prng, '1:zi1e')];
measure(node, common);
measure(node, other);
const costs: number[] = [];
const ratios = Array.from({ length: pairCount }, () => {
  costs.push(measure(node, common));
  return costs.at(-1)! / measure(node, other);
});
sayRatio('a DHT question answered', median(ratios), `${median(costs).toFixed(0)} ns`);
