import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { compareDistance } from '../../wire/dht-node-id.ts';
import { type NodeInfo, nodeInfo } from '../../wire/dht-node-info.ts';
import { addressOf, idIn, nodeAt } from './dht.fixture.ts';
import { dhtLimits } from './dht-limits.ts';
import { type Candidate, Lookup } from './lookup.ts';

const target = new Prng(1).bytes(20);

/**
 * Nodes of a local network, nearest first, n of them with so many bits like the target.
 * Rules about addresses do not apply.
 */
function nodesNear(bits: number, count: number, from = 0): NodeInfo[] {
  const nodes = Array.from({ length: count }, (_, i) =>
    nodeAt(`10.${bits}.0.${from + i}`, 1, idIn(target, bits, new Prng(bits * 1000 + from + i))),
  );
  return nodes.sort((a, b) => compareDistance(a.id, b.id, target));
}

function ask(lookup: Lookup): Candidate {
  const next = lookup.pickNext();
  assert.ok(next !== null);
  lookup.markAsked(next);
  return next;
}

test('it asks the nearest, four at once, and ends when the eight nearest have answered', () => {
  const known = nodesNear(2, 12);
  const lookup = new Lookup(target, known);
  const asked = [ask(lookup), ask(lookup), ask(lookup), ask(lookup)];
  assert.equal(lookup.pickNext(), null);
  const sorted = [...known].sort((a, b) => compareDistance(a.id, b.id, target));
  assert.deepEqual(
    asked.map(({ node }) => node),
    sorted.slice(0, 4),
  );
  for (const candidate of asked) lookup.handleAnswer(candidate, []);
  for (let i = 0; i < 4; i++) lookup.handleAnswer(ask(lookup), []);
  assert.ok(lookup.isDone);
  assert.deepEqual(
    lookup.closest().map(({ node }) => node),
    sorted.slice(0, 8),
  );
  assert.equal(lookup.queryCount, 8);
});

test('nearer nodes that an answer names go first, and count one hop more', () => {
  const lookup = new Lookup(target, nodesNear(1, 3));
  lookup.handleAnswer(ask(lookup), nodesNear(9, 2));
  const next = ask(lookup);
  assert.equal(next.hopCount, 2);
  lookup.handleAnswer(next, nodesNear(20, 1));
  assert.equal(ask(lookup).hopCount, 3);
});

test('late ones let others be asked, and count again when they answer after all', () => {
  const lookup = new Lookup(target, nodesNear(3, 10));
  const slow = ask(lookup);
  lookup.markLate(slow);
  for (let i = 0; i < 8; i++) lookup.handleAnswer(ask(lookup), []);
  assert.ok(lookup.isDone);
  assert.equal(lookup.closest().length, 8);
  lookup.handleAnswer(slow, []);
  assert.equal(lookup.closest()[0], slow);
});

test('a lookup of dead nodes ends', () => {
  const lookup = new Lookup(target, nodesNear(3, 30));
  let count = 0;
  for (let next = lookup.pickNext(); next !== null; next = lookup.pickNext()) {
    lookup.markAsked(next);
    lookup.markFailed(next);
    count++;
  }
  assert.equal(count, 30);
  assert.ok(lookup.isDone);
  assert.deepEqual(lookup.closest(), []);
});

test('who names three that are silent and none that answers is not believed further', () => {
  const lookup = new Lookup(target, nodesNear(1, 20));
  lookup.handleAnswer(ask(lookup), nodesNear(30, 16));
  let lieCount = 0;
  for (let next = lookup.pickNext(); next !== null; next = lookup.pickNext()) {
    lookup.markAsked(next);
    if (next.hopCount === 2) {
      lookup.markFailed(next);
      lieCount++;
    } else lookup.handleAnswer(next, []);
  }
  assert.equal(lieCount, dhtLimits.lookupLieCountMax);
  assert.equal(lookup.closest().length, 8);
});

test('one who tells a truth among lies is heard', () => {
  const lookup = new Lookup(target, nodesNear(1, 9));
  const real = nodesNear(40, 1);
  lookup.handleAnswer(ask(lookup), [...real, ...nodesNear(30, 5)]);
  const first = ask(lookup);
  assert.deepEqual(first.node.id, real[0]!.id);
  lookup.handleAnswer(first, []);
  for (let i = 0; i < 5; i++) {
    const next = ask(lookup);
    assert.equal(next.hopCount, 2);
    lookup.markFailed(next);
  }
});

test('of one block of addresses one node counts', () => {
  const sybils = Array.from({ length: 50 }, (_, i) =>
    nodeInfo(idIn(target, 60 + i, new Prng(i)), { address: addressOf(`203.0.113.${i}`), port: 6881 }),
  );
  const honest = Array.from({ length: 10 }, (_, i) =>
    nodeInfo(idIn(target, 10, new Prng(900 + i)), { address: addressOf(`77.1.${i}.1`), port: 6881 }),
  );
  const lookup = new Lookup(target, honest);
  lookup.handleAnswer(ask(lookup), sybils);
  for (let next = lookup.pickNext(); next !== null; next = lookup.pickNext()) {
    lookup.markAsked(next);
    lookup.handleAnswer(next, []);
  }
  const found = lookup.closest();
  const isSybil = ({ node }: Candidate) => node.endpoint.address.startsWith('203.');
  assert.equal(found.filter(isSybil).length, 1);
  assert.ok(found.filter((candidate) => !isSybil(candidate)).length >= 7);
});

test('beside the nearest of all, the nearest whose ids fit their addresses are found', () => {
  const secure = Array.from({ length: 9 }, (_, i) => nodeAt(`77.${i}.1.1`, 100 + i));
  const chosen = Array.from({ length: 9 }, (_, i) =>
    nodeInfo(idIn(target, 80, new Prng(i)), { address: addressOf(`88.${i}.1.1`), port: 1 }),
  );
  const lookup = new Lookup(target, [...secure, ...chosen]);
  for (let next = lookup.pickNext(); next !== null; next = lookup.pickNext()) {
    lookup.markAsked(next);
    lookup.handleAnswer(next, []);
  }
  const found = lookup.closest();
  assert.equal(found.filter(({ isSecure }) => isSecure).length, 8);
  assert.equal(found.length, 16);
});

test('endless approach has an end', () => {
  const prng = new Prng(7);
  const lookup = new Lookup(target, nodesNear(1, 8));
  let bits = 2;
  for (let next = lookup.pickNext(); next !== null; next = lookup.pickNext()) {
    lookup.markAsked(next);
    bits = Math.min(150, bits + 1);
    const more = Array.from({ length: 8 }, () =>
      nodeAt(`10.9.${prng.below(256)}.${prng.below(256)}`, prng.between(1, 9999), idIn(target, bits, prng)),
    );
    lookup.handleAnswer(next, more);
  }
  assert.ok(lookup.queryCount <= dhtLimits.lookupQueryCountMax);
  assert.ok(lookup.isDone);
});

test('eclipse: our own contacts are asked however near the nodes are that an attacker names', () => {
  const lookup = new Lookup(target, nodesNear(1, 10));
  const liar = ask(lookup);
  lookup.handleAnswer(liar, nodesNear(40, 8));
  let witnessCount = 1;
  for (let next = lookup.pickNext(); next !== null; next = lookup.pickNext()) {
    lookup.markAsked(next);
    if (next.isWitness) witnessCount++;
    lookup.handleAnswer(next, next.isWitness ? nodesNear(50, 1) : nodesNear(45, 8));
  }
  assert.equal(witnessCount, dhtLimits.lookupWitnessCount);
  assert.equal(lookup.closest()[0]?.node.endpoint.address, '10.50.0.0');
});
