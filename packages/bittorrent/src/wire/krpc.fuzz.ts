import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IpAddress, Prng } from '@tequio/kernel';
import { nodeInfo } from './dht-node-info.ts';
import { decodeKrpc, type KrpcMessage, krpcLimits } from './krpc.ts';
import { encodeKrpcAnswer, encodeKrpcError, encodeKrpcQuery, type SentQuery } from './krpc-encode.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 20_000);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);

function randomQuery(prng: Prng): SentQuery {
  const [id, target, token] = [prng.bytes(20), prng.bytes(20), prng.bytes(prng.between(1, 20))];
  const want = prng.chance(0.5) ? null : { ipv4: true, ipv6: prng.chance(0.5) };
  switch (prng.below(6)) {
    case 0:
      return { method: 'ping', id };
    case 1:
      return { method: prng.pick(['find_node', 'sample_infohashes'] as const), id, target, want };
    case 2:
      return { method: 'get_peers', id, target, want, noSeed: prng.chance(0.5), scrape: prng.chance(0.5) };
    case 3:
      return {
        method: 'announce_peer',
        id,
        target,
        port: 1,
        impliedPort: true,
        seed: prng.chance(0.5),
        token,
      };
    case 4:
      return {
        method: 'get',
        id,
        target,
        want,
        sequence: prng.chance(0.5) ? null : BigInt(prng.nextUint32()),
      };
    default:
      return {
        method: 'put',
        id,
        token,
        cas: null,
        item: {
          type: 'mutable',
          value: Uint8Array.of(49, 58, prng.below(256)),
          publicKey: prng.bytes(32),
          salt: prng.bytes(prng.below(65)),
          sequence: BigInt(prng.nextUint32()),
          signature: prng.bytes(64),
        },
      };
  }
}

function randomDatagram(prng: Prng): Uint8Array {
  const transaction = prng.bytes(prng.below(6));
  const to = { address: prng.pick(['192.0.2.9', '2001:db8::9']) as IpAddress, port: 7 };
  if (prng.chance(0.5)) return encodeKrpcQuery(transaction, randomQuery(prng), prng.chance(0.5));
  if (prng.chance(0.2)) return encodeKrpcError(transaction, prng.below(400), 'no', to);
  const nodes = Array.from({ length: prng.below(9) }, () =>
    nodeInfo(prng.bytes(20), { address: '203.0.113.4' as IpAddress, port: prng.between(1, 65_535) }),
  );
  return encodeKrpcAnswer(
    transaction,
    { id: prng.bytes(20), nodes, token: prng.bytes(4), peers: [prng.bytes(6), prng.bytes(18)] },
    to,
  );
}

function broken(prng: Prng): Uint8Array {
  let bytes = randomDatagram(prng);
  for (let count = prng.below(6); count > 0 && bytes.length > 0; count--) {
    const at = prng.below(bytes.length);
    if (prng.chance(0.6)) bytes[at] = prng.pick([...'delirqt0123456789:-'].map((c) => c.charCodeAt(0)));
    else if (prng.chance(0.5)) bytes[at] = prng.below(256);
    else bytes = bytes.slice(0, at);
  }
  return bytes;
}

function assertSound(message: KrpcMessage): void {
  assert.ok(message.transaction.length <= krpcLimits.transactionBytesMax);
  if (message.type === 'query') {
    assert.equal(message.query.id.length, 20);
    if ('target' in message.query && message.query.target !== null)
      assert.equal(message.query.target.length, 20);
    if (message.query.method === 'put') assert.ok(message.query.item.value.length <= 1000);
    return;
  }
  if (message.type === 'error') return;
  const { answer } = message;
  for (const node of [...answer.nodes, ...answer.nodes6]) {
    assert.equal(node.id.length, 20);
    assert.ok(node.endpoint.port > 0);
  }
  assert.ok(answer.nodes.every((node) => node.compact.length === 26));
  assert.ok(answer.nodes6.every((node) => node.compact.length === 38));
  for (const peer of answer.peers) assert.ok(peer.port > 0 && peer.port < 65_536);
}

test('whatever a datagram holds, it is a sound message or a fault', () => {
  let soundCount = 0;
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    const prng = new Prng(seed);
    const bytes = broken(prng);
    try {
      const result = decodeKrpc(bytes);
      if (result.ok) {
        assertSound(result.value);
        soundCount++;
      } else assert.equal(result.fault.code, 'BITTORRENT_KRPC');
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  assert.ok(soundCount > runCount / 10 && soundCount < runCount, `${soundCount}`);
});

test('a query that is decoded and written again is the same datagram', () => {
  for (let seed = firstSeed; seed < firstSeed + runCount / 10; seed++) {
    const prng = new Prng(seed);
    const query = randomQuery(prng);
    const bytes = encodeKrpcQuery(prng.bytes(4), query, false);
    const result = decodeKrpc(bytes);
    assert.ok(result.ok && result.value.type === 'query', `seed ${seed}`);
    const again = encodeKrpcQuery(result.value.transaction, result.value.query as SentQuery, false);
    assert.deepEqual(again, bytes, `seed ${seed}`);
  }
});
