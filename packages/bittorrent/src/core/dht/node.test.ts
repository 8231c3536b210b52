import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesEqual, encodeUtf8, Prng, toHex } from '@tequio/kernel';
import { signItem, targetOf } from '../../wire/dht-item.ts';
import { isSecureNodeId, sharedPrefixBits } from '../../wire/dht-node-id.ts';
import { compactEndpoint, nodeInfo } from '../../wire/dht-node-info.ts';
import { decodeKrpc, type KrpcMessage } from '../../wire/krpc.ts';
import { encodeKrpcAnswer, encodeKrpcQuery } from '../../wire/krpc-encode.ts';
import { addressOf, idIn, nodeAt, testHashes, testSignatures } from './dht.fixture.ts';
import { dhtLimits } from './dht-limits.ts';
import { DhtNet, type Member } from './dht-net.fixture.ts';

const prng = new Prng(11);
const global = (n: number): string => `77.${n >> 8}.${n & 255}.9`;
const peersOf = (target: Uint8Array, port: number | null = null) =>
  ({
    kind: 'peers',
    target,
    announce: port === null ? null : { port, impliedPort: false, seed: true },
    scrape: true,
    noSeed: false,
  }) as const;

function lastMessage({ sent }: Member): KrpcMessage {
  const decoded = decodeKrpc(sent.at(-1)!.bytes);
  assert.ok(decoded.ok);
  return decoded.value;
}

test('nodes that begin with one host come to know each other', () => {
  const members = new DhtNet().grow(12, global);
  for (const { node, effects } of members) {
    assert.ok(node.sides[0]!.table.count >= 8, `${node.sides[0]!.table.count}`);
    assert.ok(effects.some(({ type }) => type === 'ready'));
  }
});

test('what one announces another finds, with an estimate', () => {
  const net = new DhtNet();
  const members = net.grow(12, global);
  const target = prng.bytes(20);
  members[3]!.node.search(peersOf(target, 5001), net.nowMs);
  members[4]!.node.search(peersOf(target, 5002), net.nowMs);
  net.run(20_000);
  assert.ok(members[3]!.of('searched')[0]!.report.storedCount >= 8);
  const number = members[9]!.node.search(peersOf(target), net.nowMs);
  net.run(20_000);
  const found = members[9]!.of('peers').flatMap(({ peers, search }) => (search === number ? peers : []));
  const ports = new Set(found.map(({ address, port }) => `${address}:${port}`));
  assert.deepEqual([...ports].sort(), ['77.0.3.9:5001', '77.0.4.9:5002']);
  const { report } = members[9]!.of('searched')[0]!;
  assert.equal(Math.round(report.estimate!.seedCount), 2);
  assert.equal(Math.round(Math.abs(report.estimate!.peerCount)), 0);
});

test('an announcement is forgotten after 45 minutes', () => {
  const net = new DhtNet();
  const members = net.grow(10, global);
  const target = prng.bytes(20);
  members[3]!.node.search(peersOf(target, 5001), net.nowMs);
  net.run(50 * 60_000);
  members[5]!.node.search(peersOf(target), net.nowMs);
  net.run(20_000);
  assert.deepEqual(members[5]!.of('peers'), []);
  assert.ok(members.every(({ node }) => node.announces.hashCount === 0));
});

test('items: immutable ones, mutable ones, the newest wins, an older one is refused', () => {
  const net = new DhtNet();
  const members = net.grow(12, global);
  const immutable = { type: 'immutable', value: encodeUtf8('5:hello') } as const;
  members[1]!.node.search({ kind: 'put', item: immutable, cas: null }, net.nowMs);
  const key = prng.bytes(32);
  const draft = { salt: encodeUtf8('x'), value: encodeUtf8('3:one') };
  const one = signItem(key, { ...draft, sequence: 1n }, testSignatures);
  const two = signItem(key, { ...draft, sequence: 2n, value: encodeUtf8('3:two') }, testSignatures);
  members[1]!.node.search({ kind: 'put', item: one, cas: null }, net.nowMs);
  net.run(20_000);
  members[2]!.node.search({ kind: 'put', item: two, cas: 1n }, net.nowMs);
  net.run(20_000);
  assert.ok(members[2]!.of('searched')[0]!.report.storedCount >= 8);
  members[3]!.node.search({ kind: 'put', item: one, cas: null }, net.nowMs);
  const none = new Uint8Array(0);
  members[5]!.node.search({ kind: 'get', target: targetOf(immutable, testHashes), salt: none }, net.nowMs);
  members[6]!.node.search({ kind: 'get', target: targetOf(two, testHashes), salt: draft.salt }, net.nowMs);
  members[7]!.node.search({ kind: 'get', target: targetOf(two, testHashes), salt: none }, net.nowMs);
  net.run(20_000);
  assert.deepEqual(members[5]!.of('searched')[0]!.report.item, immutable);
  assert.deepEqual(members[6]!.of('searched')[0]!.report.item, two);
  assert.equal(members[7]!.of('searched')[0]!.report.item, null, 'without the salt nothing fits the target');
  const { report } = members[3]!.of('searched')[0]!;
  assert.equal(report.storedCount, 0);
  assert.equal(report.refusal?.code, 302);
  assert.deepEqual(report.item, two);
});

test('our own items are put again every hour, so they outlive the two hours of storing', () => {
  const net = new DhtNet();
  const members = net.grow(10, global);
  const item = { type: 'immutable', value: encodeUtf8('4:kept') } as const;
  members[1]!.node.keep(item, net.nowMs - dhtLimits.republishMs);
  net.run(5 * 3600_000);
  assert.ok(members.filter(({ node }) => node.items.get(targetOf(item, testHashes), net.nowMs)).length >= 8);
});

test('samples of what is announced', () => {
  const net = new DhtNet();
  const members = net.grow(10, global);
  const target = prng.bytes(20);
  members[3]!.node.search(peersOf(target, 5001), net.nowMs);
  net.run(20_000);
  members[5]!.node.search({ kind: 'sample', target: prng.bytes(20) }, net.nowMs);
  net.run(20_000);
  assert.deepEqual(members[5]!.of('searched')[0]!.report.samples, [target]);
});

test('an id comes to fit the address that others see, and contacts are kept', () => {
  const net = new DhtNet();
  const members = net.grow(10, global);
  const { node, endpoint } = members[2]!;
  const address = Uint8Array.from(endpoint.address.split('.').map(Number));
  assert.ok(isSecureNodeId(node.sides[0]!.id, address));
  assert.deepEqual(members[2]!.of('address')[0], { type: 'address', family: 4, address: endpoint.address });
  assert.ok(node.sides[0]!.table.count >= 8);
});

test('a private network works by itself', () => {
  const net = new DhtNet();
  const members = net.grow(10, (n) => `10.0.0.${n + 1}`);
  const target = prng.bytes(20);
  members[3]!.node.search(peersOf(target, 5001), net.nowMs);
  net.run(20_000);
  members[9]!.node.search(peersOf(target), net.nowMs);
  net.run(20_000);
  assert.equal(members[9]!.of('peers')[0]!.peers[0]!.address, '10.0.0.4');
  assert.equal(members[9]!.of('peers')[0]!.isFromLocal, true);
});

test('IPv6 works by itself', () => {
  const net = new DhtNet();
  const members = net.grow(10, (n) => `2001:db8:${n}::1`);
  for (const { node } of members) assert.ok(node.sides[0]!.table.count >= 8);
});

test('a global node cannot send us to a local address, by nodes or by peers', () => {
  const net = new DhtNet();
  const victim = net.add('77.1.1.1');
  const liar = nodeAt('88.1.1.1', 7);
  victim.node.addHost(liar.endpoint, net.nowMs);
  victim.node.search(peersOf(prng.bytes(20)), net.nowMs);
  net.run(10);
  const query = victim.sent
    .map(({ bytes }) => decodeKrpc(bytes))
    .flatMap((message) => (message.ok && message.value.type === 'query' ? [message.value] : []))
    .find(({ query: { method } }) => method === 'get_peers')!;
  const nodes = ['10.0.0.1', '127.0.0.1', '192.168.1.1', '100.64.0.1', '224.0.0.1', '77.5.5.5'].map((text) =>
    nodeAt(text, 9, prng.bytes(20)),
  );
  const answer = encodeKrpcAnswer(
    query.transaction,
    { id: liar.id, nodes, peers: [Uint8Array.of(192, 168, 1, 1, 0, 22), Uint8Array.of(5, 5, 5, 5, 1, 1)] },
    compactEndpoint(victim.endpoint),
  );
  victim.node.handleDatagram(answer, liar.endpoint, net.nowMs);
  net.run(20_000);
  const told = new Set(victim.sent.map(({ to }) => to.address as string));
  assert.deepEqual([...told].sort(), ['77.5.5.5', '88.1.1.1']);
  assert.deepEqual(
    victim.of('peers').flatMap(({ peers }) => peers.map(({ address }) => address as string)),
    ['5.5.5.5'],
  );
});

test('answers count only with the transaction and from the address that was asked', () => {
  const net = new DhtNet();
  const victim = net.add('77.1.1.1');
  const host = nodeAt('88.1.1.1', 7);
  const ping = victim.node.ping(host.endpoint, net.nowMs);
  net.deliver();
  const { transaction } = lastMessage(victim);
  const answer = (t: Uint8Array) => encodeKrpcAnswer(t, { id: host.id }, compactEndpoint(victim.endpoint));
  victim.node.handleDatagram(answer(transaction), { ...host.endpoint, port: 8 }, net.nowMs);
  victim.node.handleDatagram(answer(transaction), nodeAt('88.1.1.2', 7).endpoint, net.nowMs);
  victim.node.handleDatagram(answer(transaction.map((byte) => byte ^ 1)), host.endpoint, net.nowMs);
  net.deliver();
  assert.deepEqual(victim.of('pinged'), []);
  assert.equal(victim.node.sides[0]!.table.count, 0);
  victim.node.handleDatagram(answer(transaction), host.endpoint, net.nowMs);
  net.deliver();
  assert.equal(victim.of('pinged')[0]!.ping, ping);
  assert.equal(victim.node.sides[0]!.table.count, 1);
});

test('who was asked by a name answers from an address that nobody knew, at the port that was asked', () => {
  const net = new DhtNet();
  const member = net.add('77.1.1.1');
  // 240/8 is no machine's: behind a proxy it stands for a name.
  member.node.addHost({ address: addressOf('240.0.0.1'), port: 7 }, net.nowMs);
  net.run(1000);
  const { transaction } = lastMessage(member);
  const host = nodeAt('88.1.1.1', 7);
  const answer = (t: Uint8Array) => encodeKrpcAnswer(t, { id: host.id }, compactEndpoint(member.endpoint));
  member.node.handleDatagram(answer(transaction), { ...host.endpoint, port: 8 }, net.nowMs);
  member.node.handleDatagram(answer(transaction.map((byte) => byte ^ 1)), host.endpoint, net.nowMs);
  assert.equal(member.node.sides[0]!.table.count, 0);
  member.node.handleDatagram(answer(transaction), host.endpoint, net.nowMs);
  // The proxy's socket gives the same answer again, as the name's.
  member.node.handleDatagram(answer(transaction), { address: addressOf('240.0.0.1'), port: 7 }, net.nowMs);
  const contacts = [...member.node.sides[0]!.table.contacts()];
  assert.deepEqual(
    contacts.map(({ node }) => node.endpoint),
    [host.endpoint],
  );
});

test('who only writes to us is no contact and is not handed out before it has answered', () => {
  const net = new DhtNet();
  const ours = net.add('77.1.1.1');
  const stranger = nodeAt('88.1.1.1', 7);
  const query = encodeKrpcQuery(prng.bytes(4), { method: 'ping', id: stranger.id }, false);
  ours.node.handleDatagram(query, stranger.endpoint, net.nowMs);
  net.run(20_000);
  assert.equal(ours.node.sides[0]!.table.count, 0);
  assert.equal(ours.sent.length, 2, 'the answer, and one ping');
  const readOnly = nodeAt('88.2.1.1', 7);
  ours.node.handleDatagram(
    encodeKrpcQuery(prng.bytes(4), { method: 'ping', id: readOnly.id }, true),
    readOnly.endpoint,
    net.nowMs,
  );
  net.deliver();
  assert.equal(ours.sent.length, 3, 'a read-only node is answered and not pinged');
});

test('a read-only node asks and does not answer', () => {
  const net = new DhtNet();
  const members = net.grow(5, global);
  const quiet = net.add('77.9.9.9', { isReadOnly: true });
  quiet.node.addHost(members[0]!.endpoint, net.nowMs);
  net.run(30_000);
  assert.equal(quiet.node.sides[0]!.table.count, 5);
  assert.ok(quiet.sent.every(({ bytes }) => Buffer.from(bytes).includes('2:roi1e')));
  for (const { node } of members)
    assert.ok(![...node.sides[0]!.table.contacts()].some((c) => c.node.endpoint.address === '77.9.9.9'));
});

test('it cannot amplify: forged queries get 8 kB a second in all, and one address is shut out', () => {
  const net = new DhtNet();
  const [ours] = net.grow(10, global) as [Member];
  const find = () =>
    encodeKrpcQuery(
      prng.bytes(4),
      { method: 'find_node', id: prng.bytes(20), target: prng.bytes(20), want: null },
      true,
    );
  ours.sent.length = 0;
  for (let i = 0; i < 200; i++) ours.node.handleDatagram(find(), nodeAt('99.1.1.1', 5).endpoint, net.nowMs);
  net.deliver();
  assert.equal(ours.sent.length, dhtLimits.floodCountMax);
  net.run(100_000);
  ours.sent.length = 0;
  const startMs = net.nowMs;
  for (let second = 0; second < 60; second++) {
    for (let i = 0; i < 200; i++)
      ours.node.handleDatagram(find(), nodeAt(`99.${second}.${i}.1`, 5).endpoint, net.nowMs);
    net.nowMs += 1000;
  }
  net.deliver();
  const bytes = ours.sent.reduce((total, { bytes: sent }) => total + sent.length + 28, 0);
  const seconds = (net.nowMs - startMs) / 1000 + dhtLimits.replyBurstS;
  assert.ok(bytes <= seconds * dhtLimits.replyBytesPerSecond, `${bytes} bytes`);
  assert.ok(bytes > 0.8 * seconds * dhtLimits.replyBytesPerSecond);
});

test('without a good token nothing is stored', () => {
  const net = new DhtNet();
  const ours = net.add('77.1.1.1');
  const thief = nodeAt('88.1.1.1', 7);
  const other = nodeAt('88.1.1.2', 7);
  const target = prng.bytes(20);
  const ask = (from: typeof thief, query: Parameters<typeof encodeKrpcQuery>[1]) => {
    ours.node.handleDatagram(encodeKrpcQuery(prng.bytes(4), query, true), from.endpoint, net.nowMs);
    net.deliver();
    return lastMessage(ours);
  };
  const got = ask(thief, {
    method: 'get_peers',
    id: thief.id,
    target,
    want: null,
    noSeed: false,
    scrape: false,
  });
  assert.ok(got.type === 'answer');
  const token = got.answer.token!;
  const announce = (from: typeof thief, shown: Uint8Array) =>
    ask(from, {
      method: 'announce_peer',
      id: from.id,
      target,
      port: 5,
      impliedPort: false,
      seed: false,
      token: shown,
    });
  assert.equal(announce(other, token).type, 'error');
  assert.equal(announce(thief, prng.bytes(8)).type, 'error');
  assert.equal(ours.node.announces.peerCount, 0);
  assert.equal(announce(thief, token).type, 'answer');
  net.nowMs += dhtLimits.tokenPeriodMs;
  assert.equal(announce(thief, token).type, 'answer', 'good for another period');
  net.nowMs += dhtLimits.tokenPeriodMs;
  assert.equal(announce(thief, token).type, 'error');
});

test('when our line is dead the contacts are not blamed', () => {
  const net = new DhtNet();
  const [ours] = net.grow(12, global) as [Member];
  const before = ours.node.sides[0]!.table.count;
  const [us, ...others] = [...net.members];
  net.members.clear();
  net.members.set(us![0], ours);
  net.run(3600_000);
  assert.equal(ours.node.sides[0]!.table.count, before);
  for (const [key, member] of others.slice(0, 6)) net.members.set(key, member);
  net.run(3600_000);
  assert.ok(
    ours.node.sides[0]!.table.count < before,
    'those that stay away while others answer are forgotten',
  );
});

test('contacts of an earlier run are enough to come back, and no host is asked', () => {
  const net = new DhtNet();
  const members = net.grow(14, global);
  const saved = [...members[1]!.node.sides[0]!.table.contacts()].map(({ node }) => node);
  const back = net.add('77.9.9.9');
  back.node.addHost({ address: addressOf('99.9.9.9'), port: 1 }, net.nowMs);
  back.node.addHints([...saved, nodeInfo(idIn(prng.bytes(20), 3, prng), saved[0]!.endpoint)], net.nowMs);
  net.run(60_000);
  assert.ok(back.node.sides[0]!.table.count >= 8);
  assert.ok(!back.sent.some(({ to }) => to.address === '99.9.9.9'));
});

test('a PORT message makes a node known', () => {
  const net = new DhtNet();
  const [a, b] = [net.add('77.1.1.1'), net.add('77.2.1.1')];
  a.node.addNode(b.endpoint, net.nowMs);
  a.node.addNode(b.endpoint, net.nowMs);
  net.deliver();
  assert.equal(a.node.sides[0]!.table.count, 1);
  assert.equal(b.node.sides[0]!.table.count, 1, 'and we to it');
});

test('both families in one node: IPv6 nodes are learned from IPv4 ones', () => {
  const net = new DhtNet();
  const both = net.add('77.1.1.1', { families: [4, 6] });
  const helper = net.add('77.2.1.1', { families: [4, 6] });
  net.moveIn(helper, '2001:db8:2::1');
  net.moveIn(both, '2001:db8:1::1');
  const six = net.add('2001:db8:3::1');
  helper.node.addNode(six.endpoint, net.nowMs);
  both.node.addHost(helper.endpoint, net.nowMs);
  net.run(60 * 60_000);
  const [, side6] = both.node.sides;
  assert.ok(side6!.table.count >= 1, `${side6!.table.count}`);
});

test('BEP 45: with two addresses we are two nodes to others, and nobody sees them as one', () => {
  const net = new DhtNet();
  const members = Array.from({ length: 12 }, (_, n) => {
    const member = net.add(global(n), { families: [4, 6] });
    net.moveIn(member, `2001:db8:${n + 1}::1`);
    return member;
  });
  for (const member of members.slice(1)) {
    member.node.addHost(members[0]!.endpoint, net.nowMs);
    member.node.addHost(members[0]!.endpoint6!, net.nowMs);
  }
  net.run(120_000);
  const target = prng.bytes(20);
  for (const member of members) member.sent.length = 0;
  members[3]!.node.search(peersOf(target, 5001), net.nowMs);
  net.run(20_000);
  const isSix = ({ address }: { readonly address: string }): boolean => address.includes(':');
  const tokens = new Map<string, string>();
  for (const member of members) {
    const [four, six] = member.node.sides.map(({ id }) => id) as [Uint8Array, Uint8Array];
    assert.ok(sharedPrefixBits(four, six) < 24, 'the ids are far from each other');
    for (const { bytes, to } of member.sent) {
      const message = decodeKrpc(bytes);
      assert.ok(message.ok && message.value.type !== 'error');
      const { value } = message;
      const body = value.type === 'query' ? value.query : value.answer;
      assert.ok('id' in body && bytesEqual(body.id, isSix(to) ? six : four), 'each speaks for itself');
      if (value.type === 'answer' && value.answer.token !== null && to.port === 6881)
        tokens.set(
          `${isSix(to) ? member.endpoint6!.address : member.endpoint.address}`,
          toHex(value.answer.token),
        );
    }
  }
  const announced = members[3]!.sent.flatMap(({ bytes, to }) => {
    const message = decodeKrpc(bytes);
    const query = message.ok && message.value.type === 'query' ? message.value.query : null;
    return query?.method === 'announce_peer' ? [{ to, token: toHex(query.token) }] : [];
  });
  for (const { to, token } of announced)
    assert.equal(token, tokens.get(to.address), 'a token is its address’s own');
  const families = new Set(announced.map(({ to }) => isSix(to)));
  assert.equal(families.size, 2, 'announced from both addresses');
});

test('two nodes are a DHT: what one keeps for the other it finds itself', () => {
  const net = new DhtNet();
  const [a, b] = [net.add('10.0.0.1'), net.add('10.0.0.2')];
  a.node.addHost(b.endpoint, net.nowMs);
  net.run(5000);
  const [target, key] = [prng.bytes(20), prng.bytes(32)];
  const item = signItem(
    key,
    { salt: encodeUtf8('s'), value: encodeUtf8('1:x'), sequence: 1n },
    testSignatures,
  );
  const get = { kind: 'get', target: targetOf(item, testHashes), salt: item.salt } as const;
  a.node.search(peersOf(target, 5001), net.nowMs);
  a.node.search({ kind: 'put', item, cas: null }, net.nowMs);
  net.run(5000);
  b.node.search(peersOf(target), net.nowMs);
  a.node.search(get, net.nowMs);
  b.node.search(get, net.nowMs);
  net.run(5000);
  assert.deepEqual(b.of('peers')[0]?.peers, [{ address: '10.0.0.1', port: 5001 }]);
  assert.deepEqual(a.of('searched').at(-1)?.report.item, item);
  assert.deepEqual(b.of('searched').at(-1)?.report.item, item);
});
