import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, type Fault, Prng } from '@tequio/kernel';
import { feed, fixedKeys, hashes, type MseSide, takeOut } from './mse.fixture.ts';
import { MseInitiator } from './mse-initiator.ts';
import { MseResponder } from './mse-responder.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 400);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);

type Talk = { readonly toA: Uint8Array; readonly toB: Uint8Array };

/** Everything is drawn from the seed, so that the same pair can be made again. */
function makePair(seed: number): { a: MseInitiator; b: MseResponder; skey: Uint8Array } {
  const prng = new Prng(seed);
  const skey = prng.bytes(20);
  const [secretA, secretB] = [prng.bytes(20), prng.bytes(20)];
  const a = new MseInitiator(
    {
      skey,
      provide: prng.between(1, 3),
      initialPayload: prng.bytes(prng.below(100)),
      pad: prng.bytes(prng.below(513)),
      innerPadBytes: prng.below(513),
    },
    { hashes, keyAgreement: fixedKeys(secretA) },
  );
  const findSkey = (): Uint8Array | null => (prng.chance(0.95) ? skey : null);
  const b = new MseResponder(
    {
      accept: prng.between(1, 3),
      prefersRc4: skey[0]! < 128,
      pad: prng.bytes(prng.below(513)),
      findSkey,
    },
    { hashes, keyAgreement: fixedKeys(secretB) },
  );
  return { a, b, skey };
}

/** What both say when nobody disturbs. */
function record(seed: number): Talk {
  const { a, b } = makePair(seed);
  const toB = [takeOut(a)];
  const toA: Uint8Array[] = [];
  for (let round = 0; round < 2; round++) {
    feed(b, toB.at(-1)!, () => 5000);
    toA.push(takeOut(b));
    feed(a, toA.at(-1)!, () => 5000);
    toB.push(takeOut(a));
  }
  return { toA: concatBytes(toA), toB: concatBytes(toB) };
}

function damage(bytes: Uint8Array, prng: Prng): Uint8Array {
  const kind = prng.below(6);
  if (kind === 0) return prng.bytes(prng.below(3000));
  const at = prng.below(bytes.length + 1);
  if (kind === 1) return concatBytes([bytes.subarray(0, at), prng.bytes(prng.below(2000))]);
  if (kind === 2) return concatBytes([bytes.subarray(0, at), bytes]);
  if (kind === 3) return concatBytes([bytes, prng.bytes(prng.below(2000))]);
  const changed = bytes.slice();
  if (bytes.length > 0) changed[prng.below(bytes.length)]! ^= 1 << prng.below(8);
  return changed;
}

function outcome(side: MseSide, bytes: Uint8Array, portion: () => number): unknown {
  const { fault, left } = feed(side, bytes, portion);
  const said = takeOut(side);
  const result = side.result;
  if (result === null) return { fault: (fault as Fault | null)?.code, said };
  result.decrypt?.apply(left);
  return { said, isEncrypted: result.encrypt !== null, read: concatBytes([result.rest, left]) };
}

test('whatever comes ends in a fault, a result or waiting: the same for any portions, and never a throw', () => {
  const seen = new Set<string>();
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    const prng = new Prng(seed * 7 + 1);
    const talk = record(seed);
    const isA = prng.chance(0.5);
    const bytes = damage(isA ? talk.toA : talk.toB, prng);
    const take = (): MseSide => (isA ? makePair(seed).a : makePair(seed).b);
    const whole = outcome(take(), bytes, () => 1 << 20);
    const portionMax = prng.pick([1, 13, 300]);
    const parted = outcome(take(), bytes, () => prng.between(1, portionMax));
    assert.deepEqual(parted, whole, `seed ${seed}`);
    const { fault } = whole as { fault?: string };
    seen.add(fault ?? ('read' in (whole as object) ? 'done' : 'waiting'));
  }
  if (runCount < 400) return;
  for (const kind of ['done', 'waiting', 'SYNC', 'TORRENT', 'CONSTANT', 'SELECT', 'OFFER'])
    assert.ok(
      [...seen].some((code) => code.endsWith(kind)),
      `nothing ended as ${kind}`,
    );
});
