import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { secureNodeId } from '../../wire/dht-node-id.ts';
import { nodeInfo } from '../../wire/dht-node-info.ts';
import { addressOf, idIn, nodeAt } from './dht.fixture.ts';
import { dhtLimits } from './dht-limits.ts';
import { RoutingTable } from './routing-table.ts';

const own = new Prng(3).bytes(20);

/** A node in this bucket whose id does not fit its address. */
function inBucket(bucket: number, n: number, port = 1000) {
  return nodeInfo(idIn(own, bucket, new Prng(n + 1000 * bucket)), {
    address: addressOf(`198.51.${bucket}.${n}`),
    port,
  });
}

/** A node in this bucket whose id fits. */
function secureIn(bucket: number, from = 1) {
  for (let n = from; ; n++) {
    const bytes = Uint8Array.of(77, n >> 16, n >> 8, n);
    const id = secureNodeId(bytes, new Prng(n).bytes(20));
    const shared = Math.clz32((id[0]! ^ own[0]!) << 24);
    if (shared === bucket) return nodeInfo(id, { address: addressOf(bytes.join('.')), port: 1 });
  }
}

function fullTable(): RoutingTable {
  const table = new RoutingTable(own);
  for (let n = 0; n < 8; n++) assert.ok(table.handleAnswered(inBucket(0, n), n));
  return table;
}

test('a bucket takes eight; who comes later waits, and takes the place of one that fails twice', () => {
  const table = fullTable();
  assert.ok(!table.handleAnswered(inBucket(0, 8), 100));
  assert.equal(table.count, 8);
  const failing = inBucket(0, 3);
  table.handleFailed(failing.place);
  assert.equal(table.get(failing.place)?.failCount, 1);
  table.handleFailed(failing.place);
  assert.equal(table.get(failing.place), null);
  assert.equal(table.get(inBucket(0, 8).place)?.isReplacement, false);
  assert.equal(table.count, 8);
});

test('without anybody to take its place a bad contact stays a while, and is not handed out', () => {
  const table = fullTable();
  const failing = inBucket(0, 3);
  table.handleFailed(failing.place);
  assert.equal(table.closest(own, 20).length, 7);
  for (let i = 0; i < dhtLimits.goneFailCount - 2; i++) table.handleFailed(failing.place);
  assert.equal(table.count, 8);
  table.handleFailed(failing.place);
  assert.equal(table.count, 7);
});

test('an id that fits its address takes the place of one that does not, which then waits', () => {
  const table = fullTable();
  const secure = secureIn(0);
  assert.ok(table.wants(secure));
  assert.ok(table.handleAnswered(secure, 50));
  assert.equal(table.count, 8);
  assert.equal([...table.contacts()].filter((contact) => contact.isSecure).length, 1);
  assert.equal(table.get(inBucket(0, 7).place)?.isReplacement, true);
});

test('one contact an address in a bucket; on local networks as many as there are', () => {
  const table = new RoutingTable(own);
  const first = inBucket(0, 1);
  assert.ok(table.handleAnswered(first, 0));
  const second = nodeInfo(idIn(own, 0, new Prng(99)), { ...first.endpoint, port: 2 });
  assert.ok(!table.wants(second));
  assert.ok(!table.handleAnswered(second, 0));
  const elsewhere = nodeInfo(idIn(own, 1, new Prng(99)), { ...first.endpoint, port: 3 });
  assert.ok(table.handleAnswered(elsewhere, 0), 'another bucket');
  for (let port = 1; port < 5; port++)
    assert.ok(table.handleAnswered(nodeAt('127.0.0.1', port, idIn(own, 2, new Prng(port))), 0));
});

test('IPv6: one contact a /64 in a bucket', () => {
  const table = new RoutingTable(own);
  const at = (address: string, seed: number) => nodeAt(address, 1, idIn(own, 0, new Prng(seed)));
  assert.ok(table.handleAnswered(at('2001:db8:1:2::1', 1), 0));
  assert.ok(!table.handleAnswered(at('2001:db8:1:2:ffff::9', 2), 0));
  assert.ok(table.handleAnswered(at('2001:db8:1:3::1', 3), 0));
});

test('a known id at another address is refused while its first holder answers', () => {
  const table = new RoutingTable(own);
  const first = inBucket(0, 1);
  table.handleAnswered(first, 0);
  const thief = nodeInfo(first.id, { address: addressOf('192.0.2.99'), port: 5 });
  assert.ok(!table.handleAnswered(thief, 1));
  table.handleFailed(first.place);
  assert.ok(table.handleAnswered(thief, 2));
  assert.equal(table.count, 1);
});

test('a new id at a known address takes the place of the old one', () => {
  const table = new RoutingTable(own);
  const first = inBucket(0, 1);
  table.handleAnswered(first, 0);
  assert.ok(table.handleAnswered(nodeInfo(idIn(own, 3, new Prng(5)), first.endpoint), 1));
  assert.equal(table.count, 1);
  assert.equal(table.depth, 3);
});

test('our own id is nobody', () => {
  const table = new RoutingTable(own);
  assert.ok(!table.wants(nodeAt('192.0.2.1', 1, own)));
  assert.ok(!table.handleAnswered(nodeAt('192.0.2.1', 1, own), 0));
});

test('the stalest is the one that was silent for longest; words of its own count, failures come first', () => {
  const table = new RoutingTable(own);
  const [a, b] = [inBucket(0, 1), inBucket(0, 2)];
  table.handleAnswered(a, 0);
  table.handleAnswered(b, 1000);
  assert.equal(table.pickStale()?.contact.node, a);
  assert.equal(table.pickStale()?.dueMs, dhtLimits.questionableMs);
  assert.ok(table.handleHeard(a.place, a.id, 2000));
  assert.equal(table.pickStale()?.contact.node, b);
  table.markAsked(a.place, 3000);
  table.handleFailed(a.place);
  assert.equal(table.pickStale()?.contact.node, a);
  assert.equal(table.pickStale()?.dueMs, 3000 + dhtLimits.retryMs);
});
