/**
 * The block store against a twin that keeps everything in maps, with the process killed and the power lost at whatever
 * moment. `node block-store.fuzz.ts SEED` runs one of them again.
 */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { argv, env } from 'node:process';
import { test } from 'node:test';
import { StoreWorld, storeFolder, wrongCounts } from './block-store.fixture.ts';
import { verifyBlocks } from './block-verification.ts';
import type { Block } from './blocks.ts';

const stepCount = 60;

class Twin {
  readonly at: StoreWorld;
  /** Every block that was ever made. */
  readonly made: Block[] = [];
  /** Acknowledged and not allowed to be lost by a kill. By text of the CID. */
  readonly here = new Set<string>();
  /** Pinned for sure: what hangs on them stays whatever happens. */
  readonly pinned = new Set<string>();
  /** Collections that have begun: what was asked for before one may go with it. */
  collectionCount = 0;
  readonly #links = new Map<string, readonly string[]>();
  readonly #prng;

  constructor(at: StoreWorld) {
    this.at = at;
    this.#prng = at.world.prng.fork();
  }

  below(count: number): number {
    return this.#prng.below(count);
  }

  make(): Block {
    if (this.made.length > 2 && this.below(3) === 0) {
      const links = Array.from({ length: 1 + this.below(4) }, () => this.any());
      const block = this.at.node(
        links.map(({ cid }) => cid),
        String(this.made.length),
      );
      this.#links.set(
        block.cid.toString(),
        links.map(({ cid }) => cid.toString()),
      );
      this.made.push(block);
      return block;
    }
    const bytes = new Uint8Array([0, 1, 50, 3000, 20_000][this.below(5)]!).fill(this.made.length);
    const block = this.at.leaf(bytes);
    this.made.push(block);
    return block;
  }

  any(): Block {
    return this.made[this.below(this.made.length)]!;
  }

  /** The texts of all that hangs on a root, itself too. */
  graph(root: string): Set<string> {
    const seen = new Set([root]);
    for (const text of seen) for (const link of this.#links.get(text) ?? []) seen.add(link);
    return seen;
  }

  kept(): Set<string> {
    return new Set([...this.pinned].flatMap((root) => [...this.graph(root)]));
  }

  async check(mustBeHere: ReadonlySet<string>, why: string): Promise<void> {
    equal(wrongCounts(this.at.store), null, why);
    for (const { cid, bytes } of this.made) {
      const found = await this.at.run(this.at.store.get(cid));
      if (found === null) ok(!mustBeHere.has(cid.toString()), `${why}: ${cid} is lost`);
      else deepEqual(found, bytes, why);
      if (found === null) this.here.delete(cid.toString());
      else this.here.add(cid.toString());
    }
  }
}

type Started = Promise<unknown>;

/** Begins something. What it has done counts from when it says so. */
function begin(twin: Twin): Started {
  const { at } = twin;
  const ignored = (): undefined => undefined;
  const { deathCount } = at;
  const isAlive = (): boolean => at.deathCount === deathCount;
  const { collectionCount } = twin;
  switch (twin.below(8)) {
    case 0:
      twin.here.clear();
      twin.collectionCount++;
      return at.collector.collect().then(ignored, ignored);
    case 1: {
      const { cid } = twin.any();
      return at.pins.add(cid, at.collector).then(() => {
        // It may have been removed since, by another of these.
        if (isAlive() && at.pins.find(cid) !== null) twin.pinned.add(cid.toString());
      }, ignored);
    }
    case 2: {
      const [root] = twin.pinned;
      if (root === undefined) return Promise.resolve();
      twin.pinned.delete(root);
      at.pins.remove(twin.made.find(({ cid }) => cid.toString() === root)!.cid);
      return Promise.resolve();
    }
    default: {
      const count = 1 + twin.below(6);
      const blocks = Array.from({ length: count }, () =>
        twin.made.length > 0 && twin.below(3) === 0 ? twin.any() : twin.make(),
      );
      return at.store.put(blocks).then(() => {
        if (!isAlive() || twin.collectionCount !== collectionCount) return;
        for (const { cid } of blocks) twin.here.add(cid.toString());
      });
    }
  }
}

async function runOnce(seed: number): Promise<void> {
  const at = await StoreWorld.start(seed, { segmentBytes: 60_000 });
  const twin = new Twin(at);
  for (let i = 0; i < 3; i++) twin.make();
  let pinsBefore = new Set<string>();
  for (let step = 0; step < stepCount; step++) {
    const why = `seed ${seed}, step ${step}`;
    pinsBefore = new Set(twin.pinned);
    const running = Array.from({ length: 1 + twin.below(4) }, () => begin(twin));
    const end = twin.below(6);
    if (end > 1) {
      await at.run(Promise.all(running));
      if (twin.below(10) === 0) deepEqual((await at.run(verifyBlocks(at.store))).corrupt, [], why);
      if (twin.below(4) === 0) await twin.check(new Set([...twin.kept(), ...twin.here]), why);
      continue;
    }
    for (const promise of running) promise.catch(() => undefined);
    await at.world.run(twin.below(40) / 10);
    const acknowledged = new Set(twin.here);
    if (end === 0) await at.kill();
    else await at.losePower();
    // A pin that was being removed or made may be there or not; what the store says it has, it has in full.
    const pins = new Set(at.pins.list().map(({ cid }) => cid.toString()));
    for (const root of twin.pinned)
      if (pinsBefore.has(root)) ok(pins.has(root), `${why}: pin ${root} is lost`);
    twin.pinned.clear();
    for (const root of pins) twin.pinned.add(root);
    twin.here.clear();
    await twin.check(new Set([...twin.kept(), ...(end === 0 ? acknowledged : [])]), why);
  }
  await at.run(at.collector.collect());
  twin.here.clear();
  await twin.check(twin.kept(), `seed ${seed}, at the end`);
  deepEqual([...twin.here].sort(), [...twin.kept()].sort(), `seed ${seed}: garbage is left`);
  const found = at.volume.files(`${storeFolder}/segments`).length;
  equal(found, at.store.index.segments.size, `seed ${seed}: files are left`);
}

const only = argv[2] === undefined ? null : Number(argv[2]);
const count = Number(env['FUZZ_RUNS'] ?? 12);

for (const seed of only === null ? Array.from({ length: count }, (_, i) => i + 1) : [only])
  test(`block store and its twin, seed ${seed}`, () => runOnce(seed));
