import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { type Endpoint, formatEndpoint, type IpAddress, Prng } from '@tequio/kernel';
import { knownPeersMax, PeerList, type PeerSource } from './peer-list.ts';

function at(address: string, port = 6881): Endpoint {
  return { address: address as IpAddress, port };
}

/** The n-th of many global addresses. */
function stranger(n: number, port = 6881): Endpoint {
  return at(`20.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`, port);
}

function listOf(peersMax?: number): PeerList {
  return new PeerList({ prng: new Prng(1), ...(peersMax === undefined ? {} : { peersMax }) });
}

describe('peer list', () => {
  it('keeps one entry an endpoint, whoever named it', () => {
    const list = listOf();
    assert.equal(list.add(stranger(1), 'tracker', 0), 'added');
    assert.equal(list.add(stranger(1), 'pex', 0), 'known');
    assert.deepEqual([...list.get(stranger(1))!.sources], ['tracker', 'pex']);
    assert.equal(list.count, 1);
  });

  it('refuses what strangers may not aim us at', () => {
    const refused: [string, PeerSource][] = [
      ['127.0.0.1', 'pex'],
      ['10.1.2.3', 'pex'],
      ['192.168.0.1', 'dht'],
      ['169.254.1.1', 'dht'],
      ['fd00::1', 'pex'],
      ['fe80::1', 'tracker'],
      ['127.0.0.1', 'tracker'],
      ['::1', 'tracker'],
      ['64:ff9b::7f00:1', 'tracker'],
      ['224.0.0.1', 'user'],
      ['0.0.0.0', 'magnet'],
      ['255.255.255.255', 'user'],
    ];
    for (const [address, source] of refused) {
      assert.equal(listOf().add(at(address), source, 0), 'refused', `${address} from ${source}`);
    }
    const taken: [string, PeerSource][] = [
      ['127.0.0.1', 'user'],
      ['127.0.0.1', 'magnet'],
      ['10.1.2.3', 'tracker'],
      ['192.168.0.1', 'incoming'],
    ];
    for (const [address, source] of taken) {
      assert.equal(listOf().add(at(address), source, 0), 'added', `${address} from ${source}`);
    }
    assert.equal(listOf().add(at('10.1.2.3'), 'pex', 0, true), 'added', 'named by a local peer');
    assert.equal(listOf().add(at('127.0.0.1'), 'tracker', 0, true), 'added', 'named by a local tracker');
    assert.equal(listOf().add(stranger(1, 0), 'user', 0), 'refused', 'port 0');
  });

  it('asks the address filter', () => {
    const list = new PeerList({
      prng: new Prng(1),
      isWelcome: ({ address }) => !address.startsWith('20.0.0.'),
    });
    assert.equal(list.add(stranger(1), 'user', 0), 'refused');
    assert.equal(list.add(stranger(300), 'user', 0), 'added');
  });

  it('does not let a stranger name all ports of a victim', () => {
    const list = listOf();
    for (let port = 1; port <= 100; port++) list.add(at('20.1.1.1', port), 'pex', 0);
    assert.equal(list.count, 8);
    for (let port = 1; port <= 100; port++) list.add(at('127.0.0.1', port), 'user', 0);
    assert.equal(list.count, 108, 'loopback is many programs');
  });

  it('backs off from 30 seconds to an hour, and forgets who never answers', () => {
    const list = listOf();
    list.add(stranger(1), 'tracker', 0);
    let nowMs = 0;
    const waits: number[] = [];
    while (list.count > 0) {
      const next = list.nextDialMs()!;
      waits.push(next - nowMs);
      nowMs = next;
      const picked = list.pickDial(nowMs)!;
      assert.equal(list.pickDial(nowMs - 1), null);
      list.markDialing(picked);
      assert.equal(list.nextDialMs(), null);
      list.markFailed(picked, nowMs);
    }
    assert.equal(waits.length, 8);
    waits.slice(1).forEach((waitMs, i) => {
      const idealMs = Math.min(30_000 * 2 ** i, 3_600_000);
      assert.ok(waitMs >= 0.75 * idealMs - 1 && waitMs <= 1.25 * idealMs + 1, `${waitMs} for ${idealMs}`);
    });
  });

  it('never forgets what the user named', () => {
    const list = listOf();
    list.add(stranger(1), 'user', 0);
    for (let i = 0; i < 30; i++) list.markFailed(stranger(1), 0);
    assert.equal(list.count, 1);
    assert.ok(list.nextDialMs()! <= 1.25 * 3_600_000);
  });

  it('treats a short connection as a failure and a long one as proof', () => {
    const list = listOf();
    list.add(stranger(1), 'tracker', 0);
    list.markConnected(stranger(1), 0);
    list.markClosed(stranger(1), 29_999);
    assert.equal(list.get(stranger(1))!.failCount, 1);
    list.markConnected(stranger(1), 100_000);
    list.markClosed(stranger(1), 200_000);
    assert.equal(list.get(stranger(1))!.failCount, 0);
  });

  it('dials proven peers first, then by trust, and failed ones last', () => {
    const list = listOf();
    list.add(stranger(1), 'pex', 0);
    list.add(stranger(2), 'tracker', 0);
    list.add(stranger(3), 'pex', 0);
    list.add(stranger(4), 'user', 0);
    list.markConnected(stranger(3), 0);
    list.markClosed(stranger(3), 60_000);
    list.markFailed(stranger(4), 0);
    const order: string[] = [];
    for (;;) {
      const picked = list.pickDial(200_000);
      if (picked === null) break;
      list.markDialing(picked);
      order.push(formatEndpoint(picked));
    }
    assert.deepEqual(
      order,
      [3, 2, 1, 4].map((n) => formatEndpoint(stranger(n))),
    );
  });

  it('does not dial seeds while we seed', () => {
    const list = listOf();
    list.add(stranger(1), 'tracker', 0);
    list.markSeed(stranger(1), true);
    list.setSeeding(true);
    assert.equal(list.nextDialMs(), null);
    assert.equal(list.pickDial(1), null);
    list.setSeeding(false);
    assert.deepEqual(list.pickDial(1), stranger(1));
  });

  it('stays bounded under a flood, and proven peers, connections and better sources survive it', () => {
    const list = listOf();
    for (let n = 0; n < 50; n++) {
      list.add(stranger(n), 'pex', 0);
      list.markConnected(stranger(n), 0);
      if (n % 2 === 0) list.markClosed(stranger(n), 60_000);
    }
    for (let n = 1000; n < 20_000; n++) list.add(stranger(n), n % 2 === 0 ? 'pex' : 'dht', 60_000);
    assert.equal(list.count, knownPeersMax);
    for (let n = 0; n < 50; n++) assert.ok(list.get(stranger(n)) !== null, `proven ${n}`);
    assert.equal(list.add(stranger(30_000), 'tracker', 60_000), 'added');
    assert.equal(list.add(stranger(30_001), 'user', 60_000), 'added');
    assert.equal(list.add(stranger(30_002), 'pex', 60_000), 'full');
    assert.equal(list.count, knownPeersMax);
  });

  it('forgets whoever is not welcome any more, and does not take it in again', () => {
    let isWelcome = true;
    const list = new PeerList({ prng: new Prng(1), isWelcome: () => isWelcome });
    list.add(stranger(1, 1000), 'tracker', 0);
    list.add(stranger(1, 2000), 'tracker', 0);
    isWelcome = false;
    list.forget(stranger(1, 1000));
    assert.deepEqual([list.count, list.candidateCount, list.get(stranger(1, 1000))], [1, 1, null]);
    assert.equal(list.add(stranger(1, 1000), 'user', 0), 'refused');
  });

  it('does not dial itself', () => {
    const list = listOf();
    list.add(stranger(1), 'tracker', 0);
    list.markOwn(stranger(1));
    assert.equal(list.count, 0);
    assert.equal(list.add(stranger(1), 'user', 0), 'refused');
  });
});

test('a seed that meets nothing but seeds dials ever more slowly, until it meets somebody who is none', () => {
  const list = new PeerList({ prng: new Prng(1) });
  list.setSeeding(true);
  for (let n = 1; n <= 60; n++) list.add(stranger(n), 'tracker', 0);
  /** Dials whoever may be dialled until then; all of them are (or are not) complete. */
  const dial = (fromMs: number, untilMs: number, isSeed: boolean): number => {
    let count = 0;
    for (let nowMs = fromMs; nowMs < untilMs; nowMs += 50) {
      const next = list.pickDial(nowMs);
      if (next === null) continue;
      count++;
      list.markDialing(next);
      list.markConnected(next, nowMs);
      list.markMet(next, isSeed, nowMs);
      list.markClosed(next, nowMs);
    }
    return count;
  };
  const first = dial(0, 60_000, true);
  assert.ok(first >= 6 && first <= 9, `${first} dials in the first minute`);
  const second = dial(60_000, 360_000, true);
  assert.ok(second >= 4 && second <= 7, `${second} dials in five minutes`);
  assert.equal(dial(425_000, 425_050, false), 1);
  assert.ok(dial(425_050, 430_000, false) > 30, 'the others follow at once');
  list.setSeeding(false);
  assert.ok(list.nextDialMs()! <= 430_000 + 60_000, 'whoever wants something does not wait for that');
});
