import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Endpoint, formatEndpoint, Prng, tryParseEndpoint } from '@tequio/kernel';
import { type PexMessage, type PexPeer, pexFlag } from '../wire/pex.ts';
import { type ExchangePeer, PeerExchange, peerExchangeLimits } from './peer-exchange.ts';

const minute = 60_000;

function at(text: string): Endpoint {
  return tryParseEndpoint(text)!;
}

function peerAt(text: string, more: Partial<ExchangePeer> = {}): ExchangePeer {
  return { remote: at(text), contact: at(text), flags: 0, listens: true, ...more };
}

function global(i: number): string {
  return `203.${i >> 8}.${i & 255}.7:6881`;
}

function told(exchange: PeerExchange, nowMs: number): Map<number, PexMessage> {
  const messages = new Map<number, PexMessage>();
  exchange.tell(nowMs, (key, message) => messages.set(key, message));
  return messages;
}

function namesOf(peers: readonly (PexPeer | Endpoint)[]): string[] {
  return peers.map((peer) => formatEndpoint('endpoint' in peer ? peer.endpoint : peer)).toSorted();
}

function heard(exchange: PeerExchange, key: number, added: readonly string[], nowMs: number): string[] {
  const message = { added: added.map((text) => ({ endpoint: at(text), flags: 0 })), dropped: [] };
  const result = exchange.handleMessage(key, message, nowMs);
  assert.ok(!('code' in result), 'no fault');
  return namesOf(result);
}

test('each is told the others, soon after it came, with what is known of them', () => {
  const exchange = new PeerExchange(new Prng(1));
  exchange.setPeer(1, peerAt(global(1)), 0);
  exchange.setPeer(2, peerAt(global(2), { flags: pexFlag.seed | pexFlag.utp }), 0);
  assert.equal(told(exchange, peerExchangeLimits.firstDelayMs - 1).size, 0);
  const messages = told(exchange, peerExchangeLimits.firstDelayMs);
  assert.deepEqual(messages.get(1), {
    added: [{ endpoint: at(global(2)), flags: pexFlag.seed | pexFlag.utp }],
    dropped: [],
  });
  assert.deepEqual(namesOf(messages.get(2)!.added), [global(1)]);
});

test('at most once a minute, changes only, and at once when nothing was said for long', () => {
  const exchange = new PeerExchange(new Prng(1));
  exchange.setPeer(1, peerAt(global(1)), 0);
  exchange.setPeer(2, peerAt(global(2), { listens: false }), 0);
  assert.equal(told(exchange, 2000).size, 1);
  exchange.setPeer(3, peerAt(global(3), { listens: false }), 3000);
  exchange.removePeer(2);
  assert.equal(told(exchange, 2000 + minute - 1).size, 0, 'within the minute');
  const nowMs = 2000 + minute + peerExchangeLimits.jitterMs;
  assert.deepEqual(told(exchange, nowMs).get(1), {
    added: [{ endpoint: at(global(3)), flags: 0 }],
    dropped: [at(global(2))],
  });
  assert.equal(told(exchange, nowMs + 10 * minute).size, 0, 'nothing has changed');
  exchange.removePeer(3);
  assert.equal(told(exchange, nowMs + 10 * minute + 1).size, 1, 'news after a long silence');
});

test('who came and went between two messages is not mentioned; who came back is not dropped', () => {
  const exchange = new PeerExchange(new Prng(1));
  exchange.setPeer(1, peerAt(global(1)), 0);
  exchange.setPeer(2, peerAt(global(2)), 0);
  told(exchange, 2000);
  exchange.setPeer(3, peerAt(global(3)), 3000);
  exchange.removePeer(3);
  exchange.removePeer(2);
  exchange.setPeer(4, peerAt(global(2), { listens: false }), 5000);
  assert.equal(told(exchange, 3 * minute).size, 0);
});

test('not told: who cannot be dialled, the listener itself, a seed to a seed', () => {
  const exchange = new PeerExchange(new Prng(1));
  exchange.setPeer(1, peerAt('203.0.1.7:50000', { contact: at(global(1)), flags: pexFlag.seed }), 0);
  exchange.setPeer(2, peerAt(global(2), { contact: null }), 0);
  exchange.setPeer(3, peerAt(global(3), { flags: pexFlag.seed }), 0);
  // The same program over a second connection.
  exchange.setPeer(4, peerAt('203.0.1.7:50001', { contact: at(global(1)) }), 0);
  const messages = told(exchange, minute);
  assert.equal(messages.get(1), undefined);
  assert.deepEqual(namesOf(messages.get(2)!.added), [global(1), global(3)]);
  assert.deepEqual(namesOf(messages.get(4)!.added), [global(3)]);
});

test('an address is told only where it means the same', () => {
  const exchange = new PeerExchange(new Prng(1));
  const names = ['127.0.0.1:1', '10.0.0.1:1', '[fe80::1]:1', global(1)];
  names.forEach((name, key) => {
    exchange.setPeer(key, peerAt(name), 0);
  });
  exchange.setPeer(9, peerAt('10.0.0.9:1', { contact: null }), 0);
  const messages = told(exchange, minute);
  assert.deepEqual(namesOf(messages.get(0)!.added), names.slice(1).toSorted());
  assert.deepEqual(namesOf(messages.get(9)!.added), names.slice(1).toSorted());
  assert.equal(messages.get(3), undefined, 'a stranger hears nothing of our network');
});

test('fifty a message, the rest in the next', () => {
  const exchange = new PeerExchange(new Prng(1));
  for (let key = 1; key <= 121; key++) exchange.setPeer(key, peerAt(global(key), { listens: key === 1 }), 0);
  const seen = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const message = told(exchange, (round + 1) * 2 * minute).get(1)!;
    assert.equal(message.added.length, round < 2 ? 50 : 20);
    for (const name of namesOf(message.added)) seen.add(name);
  }
  assert.equal(seen.size, 120);
  for (let key = 2; key <= 121; key++) exchange.removePeer(key);
  assert.deepEqual(
    [10, 12, 14, 16].map((round) => told(exchange, round * minute).get(1)?.dropped.length),
    [50, 50, 20, undefined],
  );
});

test('a peer that turns peer exchange off is left alone', () => {
  const exchange = new PeerExchange(new Prng(1));
  exchange.setPeer(1, peerAt(global(1)), 0);
  exchange.setPeer(2, peerAt(global(2)), 0);
  exchange.setPeer(1, peerAt(global(1), { listens: false }), 10);
  assert.deepEqual([...told(exchange, minute).keys()], [2]);
});

test('what is believed: news, no local addresses from strangers, two ports of one address', () => {
  const exchange = new PeerExchange(new Prng(1));
  exchange.setPeer(1, peerAt(global(1)), 0);
  exchange.setPeer(2, peerAt('192.168.1.5:7'), 0);
  const added = [
    '10.0.0.1:1',
    '127.0.0.1:1',
    '224.0.0.1:1',
    global(5),
    '9.9.9.9:1',
    '9.9.9.9:2',
    '9.9.9.9:3',
  ];
  assert.deepEqual(heard(exchange, 1, added, 0), ['203.0.5.7:6881', '9.9.9.9:1', '9.9.9.9:2']);
  assert.deepEqual(heard(exchange, 1, added.slice(3), 1000), ['9.9.9.9:3'], 'only what is new');
  const local = ['10.0.0.1:1', '10.0.0.1:2', '10.0.0.1:3', '10.0.0.1:4'];
  assert.deepEqual(heard(exchange, 2, local, 0), local);
  assert.deepEqual(heard(exchange, 77, added, 0), [], 'nobody is connected under this number');
});

test('messages that come too often are a fault, an honest clock that runs ahead is none', () => {
  const exchange = new PeerExchange(new Prng(1));
  exchange.setPeer(1, peerAt(global(1)), 0);
  exchange.setPeer(2, peerAt(global(2)), 0);
  const message = { added: [], dropped: [] };
  for (let i = 0; i < 100; i++)
    assert.deepEqual(exchange.handleMessage(1, message, i * 0.9 * minute), [], `message ${i}`);
  const codes = [1, 2, 3, 4, 5, 6, 7].map((second) => {
    const result = exchange.handleMessage(2, message, second * 1000);
    return 'code' in result ? result.code : null;
  });
  assert.deepEqual(codes, [null, null, null, null, null, 'BITTORRENT_PEX_RATE', 'BITTORRENT_PEX_RATE']);
});

test('one peer cannot flood the list', () => {
  const exchange = new PeerExchange(new Prng(1));
  exchange.setPeer(1, peerAt(global(1)), 0);
  let believedCount = 0;
  for (let round = 0; round < 60; round++) {
    const endpoints = Array.from({ length: 200 }, (_, i) => ({ address: global(round * 200 + i), flags: 0 }));
    const added = endpoints.map(({ address }) => ({ endpoint: at(address), flags: 0 }));
    const dropped = added.map(({ endpoint }) => endpoint);
    const first = exchange.handleMessage(1, { added, dropped: [] }, round * 2 * minute);
    exchange.handleMessage(1, { added: [], dropped }, round * 2 * minute + minute);
    believedCount += 'code' in first ? 0 : first.length;
  }
  const { burst, perMinute } = peerExchangeLimits.contacts;
  assert.ok(believedCount <= burst + 120 * perMinute, `${believedCount} in two hours`);
  assert.ok(believedCount > 100 * perMinute, 'and an honest one in a busy swarm is heard');
});

test('who says that it is connected to somebody can introduce us, until it says otherwise or goes', () => {
  const exchange = new PeerExchange(new Prng(1));
  exchange.setPeer(1, peerAt(global(1)), 0);
  exchange.setPeer(2, peerAt(global(2)), 0);
  const target = at(global(9));
  const flags = pexFlag.holepunch;
  exchange.handleMessage(1, { added: [{ endpoint: target, flags }], dropped: [] }, 0);
  exchange.handleMessage(2, { added: [{ endpoint: target, flags: 0 }], dropped: [] }, 0);
  assert.deepEqual(exchange.introducersOf(target), [
    { key: 1, flags },
    { key: 2, flags: 0 },
  ]);
  exchange.handleMessage(2, { added: [], dropped: [target] }, minute);
  exchange.removePeer(1);
  assert.deepEqual(exchange.introducersOf(target), []);
});

test('how much is remembered of one peer is bounded', () => {
  const exchange = new PeerExchange(new Prng(1));
  exchange.setPeer(1, peerAt(global(1)), 0);
  for (let round = 0; round < 20; round++) {
    const names = Array.from({ length: 100 }, (_, i) => global(round * 100 + i + 10));
    heard(exchange, 1, names, round * 5 * minute);
  }
  let count = 0;
  for (let i = 0; i < 2010; i++) count += exchange.introducersOf(at(global(i))).length;
  assert.equal(count, peerExchangeLimits.rememberedCountMax);
});
