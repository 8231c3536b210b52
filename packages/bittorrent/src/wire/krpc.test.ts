import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Endpoint, encodeUtf8, type IpAddress, Prng, toLatin1 } from '@tequio/kernel';
import { compactEndpoint, nodeInfo } from './dht-node-info.ts';
import { decodeKrpc, type KrpcMessage, type KrpcQuery, krpcError, krpcLimits } from './krpc.ts';
import {
  encodeKrpcAnswer,
  encodeKrpcError,
  encodeKrpcQuery,
  krpcSendBytesMax,
  type SentQuery,
} from './krpc-encode.ts';

const prng = new Prng(5);
const id = encodeUtf8('abcdefghij0123456789');
const target = encodeUtf8('mnopqrstuvwxyz123456');
const transaction = encodeUtf8('aa');
const asker: Endpoint = { address: '192.0.2.7' as IpAddress, port: 6881 };

function decoded(bytes: Uint8Array): KrpcMessage {
  const result = decodeKrpc(bytes);
  assert.ok(result.ok, toLatin1(bytes));
  return result.value;
}

function queryOf(text: string): KrpcQuery {
  const message = decoded(encodeUtf8(text));
  assert.equal(message.type, 'query');
  return (message as Extract<KrpcMessage, { type: 'query' }>).query;
}

test('the examples of BEP 5', () => {
  assert.deepEqual(queryOf('d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe'), {
    method: 'ping',
    id,
  });
  assert.deepEqual(
    queryOf('d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe'),
    { method: 'find_node', id, target, want: null },
  );
  assert.deepEqual(
    queryOf(
      'd1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe',
    ),
    {
      method: 'announce_peer',
      id,
      target,
      port: 6881,
      impliedPort: true,
      seed: false,
      token: encodeUtf8('aoeusnth'),
    },
  );
  const answer = decoded(
    encodeUtf8('d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re'),
  );
  assert.ok(answer.type === 'answer');
  assert.deepEqual(
    answer.answer.peers.map((peer) => peer.port),
    [0x2e75, 0x6e6d],
  );
  assert.deepEqual(answer.answer.token, encodeUtf8('aoeusnth'));
  const error = decoded(encodeUtf8('d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee'));
  assert.ok(error.type === 'error');
  assert.equal(error.code, 201);
  assert.equal(error.text, 'A Generic Error Ocurred');
});

const mutable = {
  type: 'mutable',
  value: encodeUtf8('12:Hello World!'),
  publicKey: prng.bytes(32),
  salt: encodeUtf8('foobar'),
  sequence: 2n ** 60n,
  signature: prng.bytes(64),
} as const;

const queries: readonly SentQuery[] = [
  { method: 'ping', id },
  { method: 'find_node', id, target, want: { ipv4: true, ipv6: true } },
  { method: 'sample_infohashes', id, target, want: null },
  { method: 'get_peers', id, target, want: { ipv4: false, ipv6: true }, noSeed: true, scrape: true },
  { method: 'announce_peer', id, target, port: 1, impliedPort: false, seed: true, token: prng.bytes(8) },
  { method: 'get', id, target, want: null, sequence: 0n },
  { method: 'put', id, item: mutable, token: prng.bytes(4), cas: 3n },
  {
    method: 'put',
    id,
    item: { type: 'immutable', value: encodeUtf8('l1:ai1ee') },
    token: prng.bytes(4),
    cas: null,
  },
];

test('queries go there and back, read-only ones too', () => {
  for (const query of queries) {
    for (const isReadOnly of [false, true]) {
      const message = decoded(encodeKrpcQuery(transaction, query, isReadOnly));
      assert.deepEqual(message, { type: 'query', transaction, query, isReadOnly });
    }
  }
});

test('an answer goes there and back, with how we see the asker', () => {
  const nodes = [nodeInfo(prng.bytes(20), { address: '203.0.113.1' as IpAddress, port: 1 })];
  const nodes6 = [nodeInfo(prng.bytes(20), { address: '2001:db8::5' as IpAddress, port: 65_535 })];
  const [bloomSeeds, bloomPeers] = [prng.bytes(256), prng.bytes(256)];
  const token = prng.bytes(8);
  const samples = [prng.bytes(20), prng.bytes(20)];
  const bytes = encodeKrpcAnswer(
    transaction,
    {
      id,
      nodes,
      nodes6,
      peers: [Uint8Array.of(192, 0, 2, 1, 0, 80)],
      token,
      bloomSeeds,
      bloomPeers,
      item: mutable,
      samples,
      sampleTotal: 7,
      sampleIntervalS: 60,
    },
    compactEndpoint(asker),
  );
  const message = decoded(bytes);
  assert.ok(message.type === 'answer');
  assert.deepEqual(message.seenAs, asker);
  assert.deepEqual(message.answer, {
    id,
    nodes,
    nodes6,
    peers: [{ address: '192.0.2.1', port: 80 }],
    token,
    bloomSeeds,
    bloomPeers,
    item: { ...mutable, salt: new Uint8Array(0) },
    sequence: mutable.sequence,
    samples,
    sampleTotal: 7,
    sampleIntervalS: 60,
  });
});

test('an error goes there and back', () => {
  const message = decoded(
    encodeKrpcError(transaction, krpcError.casMismatch, 'try again', compactEndpoint(asker)),
  );
  assert.deepEqual(message, { type: 'error', transaction, code: 301, text: 'try again', seenAs: asker });
});

test('the longest answer that nodes alone can make fits a datagram', () => {
  const four = Array.from({ length: 8 }, () => nodeInfo(prng.bytes(20), asker));
  const six = Array.from({ length: 8 }, () =>
    nodeInfo(prng.bytes(20), { address: '2001:db8::5' as IpAddress, port: 9 }),
  );
  const bytes = encodeKrpcAnswer(
    transaction,
    { id, nodes: four, nodes6: six, bloomPeers: new Uint8Array(256), bloomSeeds: new Uint8Array(256) },
    compactEndpoint(asker),
  );
  assert.ok(bytes.length <= krpcSendBytesMax, `${bytes.length}`);
});

test('arguments that cannot be used are refused with the standard code', () => {
  const a = (rest: string, method: string) =>
    queryOf(`d1:ad2:id20:abcdefghij0123456789${rest}e1:q${method.length}:${method}1:t2:aa1:y1:qe`);
  const code = (query: KrpcQuery) => (query.method === 'refused' ? query.code : query.method);
  assert.equal(code(a('', 'find_node')), krpcError.protocol);
  assert.equal(code(a('6:target3:abc', 'get')), krpcError.protocol);
  assert.equal(code(a('9:info_hash20:mnopqrstuvwxyz1234565:token1:t', 'announce_peer')), krpcError.protocol);
  assert.equal(code(a(`5:token1:t1:v1001:${'x'.repeat(1001)}`, 'put')), krpcError.valueTooBig);
  const salted = `1:k32:${'k'.repeat(32)}4:salt65:${'s'.repeat(65)}5:token1:t1:v1:x`;
  assert.equal(code(a(salted, 'put')), krpcError.saltTooBig);
  assert.equal(code(a(`1:k31:${'k'.repeat(31)}5:token1:t1:v1:x`, 'put')), krpcError.protocol);
});

test('an unknown method that names a target can be answered like find_node', () => {
  const query = queryOf(
    'd1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q6:future1:t2:aa1:y1:qe',
  );
  assert.deepEqual(query, { method: 'unknown', id, target, want: null });
});

test('what cannot be answered or attributed is a fault', () => {
  for (const text of [
    '',
    'i1e',
    'de',
    'd1:t2:aa1:y1:qe',
    'd1:ade1:q4:ping1:t2:aa1:y1:qe',
    'd1:ad2:id19:abcdefghij012345678e1:q4:ping1:t2:aa1:y1:qe',
    'd1:rde1:t2:aa1:y1:re',
    'd1:t2:aa1:y1:xe',
    `d1:rd2:id20:abcdefghij0123456789e1:t33:${'t'.repeat(33)}1:y1:re`,
  ]) {
    const result = decodeKrpc(encodeUtf8(text));
    assert.ok(!result.ok, text);
    assert.equal(result.fault.code, 'BITTORRENT_KRPC');
  }
});

test('lists are cut, and entries that nobody can dial are left out', () => {
  const many = 'x'.repeat(26 * 60);
  const message = decoded(
    encodeUtf8(
      `d1:rd2:id20:abcdefghij01234567895:nodes${many.length}:${many}6:valuesl6:abcd\0\x001:xe1:t2:aa1:y1:re`.replace(
        '1:xe1:t',
        '1:xee1:t',
      ),
    ),
  );
  assert.ok(message.type === 'answer');
  assert.equal(message.answer.nodes.length, krpcLimits.nodeCountMax);
  assert.deepEqual(message.answer.peers, []);
});
