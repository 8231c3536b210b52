import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLatin1, type IpAddress, Prng, toLatin1 } from '@tequio/kernel';
import { nodeInfo } from './dht-node-info.ts';
import { decodeKrpc, type KrpcMessage, krpcLimits } from './krpc.ts';
import { encodeKrpcAnswer, encodeKrpcError, encodeKrpcQuery, type SentQuery } from './krpc-encode.ts';
import { QueryScan } from './krpc-query-scan.ts';

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
  const to = prng.bytes(prng.pick([6, 18]));
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

/** As other programs write them, with whatever may be there or not; some of it by no means right. */
function randomQuestion(prng: Prng): Uint8Array {
  const text = (bytes: Uint8Array): string => toLatin1(bytes);
  const some = (part: string): string => (prng.chance(0.15) ? part : '');
  const id = text(prng.bytes(20));
  const odd = prng.chance(0.5) ? '' : `9:info_hash19:${id.slice(1)}`;
  const targets = [`9:info_hash20:${id}`, `6:target20:${id}`, '', odd];
  const options = `${some('6:noseedi1e')}${some('6:scrapei1e')}${some('6:scrapei0e')}`;
  const wants = ['', '4:wantle', '4:wantl2:n4e', '4:wantl2:n42:n6e', '4:wantl2:n62:n4e', '4:wantl2:n6e'];
  const args = `2:id20:${id}${prng.pick(targets)}${options}${prng.pick(wants)}${some('1:xi1e')}`;
  const method = prng.pick([
    '4:ping',
    '9:find_node',
    '9:get_peers',
    prng.chance(0.5) ? '3:get' : '9:get-peers',
  ]);
  const count = prng.below(14);
  const transaction = `${count}:${text(prng.bytes(count))}`;
  const version = some(`1:v4:${text(prng.bytes(4))}`) + some('1:v12:abcdefghijkl');
  const rest = `${some('2:roi1e')}${some('2:roi0e')}1:t${transaction}${version}`;
  return fromLatin1(`d1:ad${args}e1:q${method}${rest}1:y1:qe${some('e')}`);
}

test('the short cut for common questions takes what the decoder of everything takes, and the same from it', () => {
  const scan = new QueryScan();
  const scannedOf: Record<string, number> = { ping: 0, find_node: 0, get_peers: 0 };
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    const prng = new Prng(seed);
    let bytes = prng.chance(0.7) ? randomQuestion(prng) : broken(prng);
    if (prng.chance(0.2) && bytes.length > 0) bytes[prng.below(bytes.length)] = prng.below(128);
    if (prng.chance(0.1)) bytes = bytes.slice(0, prng.below(bytes.length + 1));
    const scanned = scan.tryRead(bytes);
    if (scanned === null) continue;
    assert.deepEqual(decodeKrpc(bytes), { ok: true, value: scanned }, `seed ${seed}`);
    scannedOf[scanned.query.method]! += 1;
  }
  assert.ok(Math.min(...Object.values(scannedOf)) > runCount / 200, JSON.stringify(scannedOf));
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
