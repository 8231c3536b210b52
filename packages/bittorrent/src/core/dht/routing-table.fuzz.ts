import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng, toHex } from '@tequio/kernel';
import { secureNodeId } from '../../wire/dht-node-id.ts';
import { type NodeInfo, nodeInfo } from '../../wire/dht-node-info.ts';
import { addressOf, idIn } from './dht.fixture.ts';
import { isLocalNode } from './place.ts';
import { RoutingTableModel } from './routing-table.model.ts';
import { RoutingTable } from './routing-table.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 150);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);
const stepCount = 300;

/** Few addresses, ports and ids, so that they meet again; in few buckets, so that those are full. */
function randomNode(prng: Prng, own: Uint8Array): NodeInfo {
  const bytes = Uint8Array.of(prng.pick([10, 203, 203, 77]), 0, 113, prng.below(60));
  const endpoint = { address: addressOf(bytes.join('.')), port: prng.between(1, 3) };
  const fixed = new Prng(prng.below(80));
  const id = prng.chance(0.3) ? secureNodeId(bytes, fixed.bytes(20)) : idIn(own, prng.below(5), fixed);
  if (prng.chance(0.01)) return nodeInfo(own, endpoint);
  return nodeInfo(id, endpoint);
}

function runOne(seed: number): void {
  const prng = new Prng(seed);
  const own = prng.bytes(20);
  const table = new RoutingTable(own);
  const model = new RoutingTableModel(own);
  let seen: NodeInfo[] = [];
  let nowMs = 0;
  for (let step = 0; step < stepCount; step++) {
    nowMs += prng.below(60_000);
    const node = seen.length > 0 && prng.chance(0.4) ? prng.pick(seen) : randomNode(prng, own);
    seen = [node, ...seen].slice(0, 40);
    const dice = prng.below(10);
    if (dice < 6)
      assert.equal(table.handleAnswered(node, nowMs), model.answered(node, nowMs), `step ${step}`);
    else if (dice < 7) assert.equal(table.handleHeard(node.place, node.id, nowMs), model.heard(node, nowMs));
    else if (dice < 8) {
      table.markAsked(node.place, nowMs);
      model.asked(node.place, nowMs);
    } else {
      table.handleFailed(node.place);
      model.failed(node.place);
    }
    const target = prng.chance(0.5) ? prng.bytes(20) : idIn(own, prng.below(12), prng);
    const countMax = prng.between(1, 20);
    assert.deepEqual(
      table.closest(target, countMax).map(({ id }) => toHex(id)),
      model.closest(target, countMax),
      `closest at step ${step}`,
    );
    assert.deepEqual(
      table.closest(target, countMax, true),
      table
        .closest(target, 2000)
        .filter((other) => !isLocalNode(other))
        .slice(0, countMax),
    );
    if (table.wants(node)) assert.ok(table.hasRoomFor(node.id));
    assert.equal(table.count, model.count);
    assert.equal(table.pickStale()?.dueMs ?? null, model.dueMs);
  }
  const state = [...seen.map(({ place }) => table.get(place)), ...table.contacts()]
    .filter((contact) => contact !== null)
    .map((c) => `${toHex(c.node.id)} ${c.isReplacement} ${c.failCount} ${c.heardMs}`);
  const known = new Set(model.state);
  for (const line of state) assert.ok(known.has(line), line);
  assert.equal(new Set(state).size >= table.count, true);
}

test('the table and its naive twin agree on everything that can be seen', () => {
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    try {
      runOne(seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});
