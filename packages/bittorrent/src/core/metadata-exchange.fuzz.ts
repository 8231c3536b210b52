import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { type Behaviour, honest, lying, rejecting, silent, World } from './metadata-exchange.model.ts';
import { metadataExchangeLimits } from './metadata-exchange.ts';

const runMs = Number(process.env['FUZZ_MS'] ?? 2000);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);
const honestPeer = 1000;

/** A peer that now and then does what another kind does. */
function moody(prng: Prng, kinds: readonly Behaviour[]): Behaviour {
  return (piece, info) => prng.pick(kinds)(piece, info);
}

function addSomePeer(world: World, prng: Prng, peer: number, liars: Set<number>): void {
  const size = world.info.length;
  const claimed = prng.chance(0.6) ? size : prng.between(1, 3 * size);
  const delayMs = prng.pick([5, 80, 2_500, 12_000]);
  const lies = lying(claimed, (piece) => (piece * 7 + peer) % 3 !== 0, delayMs);
  const truth = claimed === size ? honest(delayMs) : lies;
  const kinds = [[truth], [silent], [rejecting], [lies], [truth, silent, rejecting], [lies, truth, silent]];
  const chosen = prng.pick(kinds);
  if (chosen.includes(lies)) liars.add(peer);
  world.add(peer, moody(prng, chosen), prng.chance(0.05) ? null : claimed);
}

/** What nobody asked for, as a stranger or a registered peer may send it. */
function sendJunk(world: World, prng: Prng, peer: number): void {
  const piece = prng.below(2048);
  const bytes = prng.bytes(prng.between(1, 16384));
  const kind = prng.below(3);
  if (kind === 0) world.send(peer, { type: 'request', piece });
  else if (kind === 1) world.send(peer, { type: 'reject', piece });
  else world.send(peer, { type: 'data', piece, totalBytes: prng.chance(0.5) ? null : 99, bytes });
}

function run(seed: number): void {
  const prng = new Prng(seed);
  const world = new World(
    prng.between(1, prng.pick([100, 40_000, 300_000])),
    prng.pick(['v1', 'v2', 'both']),
  );
  const liars = new Set<number>();
  const junkSenders = new Set<number>();
  for (let peer = prng.below(12); peer > 0; peer--) addSomePeer(world, prng, peer, liars);
  for (let step = prng.below(30); step > 0 && world.doneMs === null; step--) {
    world.run(world.nowMs + prng.below(5_000));
    const peer = prng.between(1, 20);
    const dice = prng.below(4);
    if (dice === 0) world.remove(peer);
    else if (dice === 1) addSomePeer(world, prng, peer + 100 * step, liars);
    else if (dice === 2) {
      junkSenders.add(peer);
      sendJunk(world, prng, peer);
    }
  }
  world.add(honestPeer, honest(prng.pick([20, 500])));
  world.run(world.nowMs + 3_600_000);
  assert.ok(world.doneMs !== null, 'with one honest peer it ends');
  for (const [peer, code] of world.blamed) {
    assert.notEqual(peer, honestPeer, `honest, but ${code}`);
    if (code === 'BITTORRENT_METADATA_FALSE') assert.ok(liars.has(peer) || junkSenders.has(peer));
  }
  assert.ok(world.requestCountAtOnceMax <= metadataExchangeLimits.requestCountMax + 8);
  assert.equal(world.exchange.nextTimeoutMs(), null);
}

test('random swarms of honest, slow, silent and lying peers end with the truth', () => {
  const end = performance.now() + runMs;
  let seed = firstSeed;
  for (; seed < firstSeed + 20 || performance.now() < end; seed++) {
    try {
      run(seed);
    } catch (error) {
      throw new Error(`FUZZ_SEED=${seed}`, { cause: error });
    }
  }
});
