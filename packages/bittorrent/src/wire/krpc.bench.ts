/**
 * Datagrams of the DHT, read and written, against one look at each of their bytes.
 * Run: node packages/bittorrent/src/wire/krpc.bench.ts
 */
import { type IpAddress, Prng } from '@tequio/kernel';
import { passOver, runMicroBenches, type Work } from '@tequio/kernel/compliance/micro-bench';
import { nodeInfo } from './dht-node-info.ts';
import { decodeKrpc } from './krpc.ts';
import { encodeKrpcAnswer, encodeKrpcQuery, type SentAnswer, type SentQuery } from './krpc-encode.ts';

const prng = new Prng(1);
const transaction = prng.bytes(2);
const to = prng.bytes(6);
const query: SentQuery = {
  method: 'get_peers',
  id: prng.bytes(20),
  target: prng.bytes(20),
  want: { ipv4: true, ipv6: false },
  noSeed: false,
  scrape: false,
};
const answer: SentAnswer = {
  id: prng.bytes(20),
  token: prng.bytes(8),
  nodes: Array.from({ length: 8 }, (_, i) =>
    nodeInfo(prng.bytes(20), { address: `10.0.0.${i + 1}` as IpAddress, port: 6881 }),
  ),
  peers: Array.from({ length: 20 }, () => prng.bytes(6)),
};

function reading(bytes: Uint8Array): Work {
  return (times) => {
    let good = 0;
    for (let i = 0; i < times; i++) if (decodeKrpc(bytes).ok) good++;
    if (good !== times) throw new Error('it was not read');
    return good;
  };
}

const queryBytes = encodeKrpcQuery(transaction, query, false).slice();
const answerBytes = encodeKrpcAnswer(transaction, answer, to).slice();

runMicroBenches([
  { name: 'DHT, a question read', work: reading(queryBytes), baseline: passOver(queryBytes) },
  { name: 'DHT, an answer read', work: reading(answerBytes), baseline: passOver(answerBytes) },
  {
    name: 'DHT, an answer written',
    work: (times) => {
      let length = 0;
      for (let i = 0; i < times; i++) length += encodeKrpcAnswer(transaction, answer, to).length;
      return length;
    },
    baseline: passOver(answerBytes),
  },
]);
