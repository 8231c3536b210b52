import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Prng } from '@tequio/kernel';
import { Choker, type ChokerOptions, type ChokerPeer, rechokeMs } from './choker.ts';

function peer(key: number, more: Partial<ChokerPeer> = {}): ChokerPeer {
  return {
    key,
    interested: true,
    snubbed: false,
    downRate: 0,
    upRate: 0,
    uploadedSinceUnchoke: 0,
    unchokedSinceMs: null,
    connectedMs: -1_000_000,
    downloadedFromIt: 0,
    progress: 0.5,
    isUploadOnly: false,
    ...more,
  };
}

function chokerWith(more: Partial<ChokerOptions> = {}): Choker {
  return new Choker({ prng: new Prng(7), slots: 4, optimisticSlots: 1, ...more });
}

/**
 * A small closed world: `change` gives each peer's numbers of the round; returns, for each peer, the milliseconds that
 * it was unchoked.
 */
function simulate(
  choker: Choker,
  mode: 'leech' | 'seed',
  minutes: number,
  peersAt: (nowMs: number, unchokedSince: ReadonlyMap<number, number>) => ChokerPeer[],
): Map<number, number> {
  const served = new Map<number, number>();
  const unchokedSince = new Map<number, number>();
  for (let nowMs = 0; nowMs < minutes * 60_000; nowMs += rechokeMs) {
    const peers = peersAt(nowMs, unchokedSince).map((one) => ({
      ...one,
      unchokedSinceMs: unchokedSince.get(one.key) ?? null,
    }));
    const unchoke = new Set(choker.rechoke(peers, mode, nowMs).unchoke);
    for (const { key } of peers) {
      if (!unchoke.has(key)) unchokedSince.delete(key);
      else if (!unchokedSince.has(key)) unchokedSince.set(key, nowMs);
      served.set(key, (served.get(key) ?? 0) + (unchoke.has(key) ? rechokeMs : 0));
    }
  }
  return served;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('choker, leeching', () => {
  it('unchokes the best contributors and one more', () => {
    const peers = range(10).map((key) => peer(key, { downRate: key * 1000 }));
    const { unchoke } = chokerWith().rechoke(peers, 'leech', 0);
    assert.deepEqual(unchoke.slice(0, 3), [9, 8, 7]);
    assert.equal(new Set(unchoke).size, 4);
  });

  it('never names a peer that wants nothing, and one that only uploads when slots are left', () => {
    const peers = range(10).map((key) =>
      peer(key, { downRate: 1000, interested: key < 2, isUploadOnly: key === 1 }),
    );
    for (const mode of ['leech', 'seed'] as const) {
      assert.deepEqual(chokerWith().rechoke(peers, mode, 0).unchoke, [0, 1]);
      assert.deepEqual(chokerWith({ slots: 1 }).rechoke(peers, mode, 0).unchoke, [0]);
    }
  });

  it('gives no regular slot to a peer that snubs us', () => {
    const peers = [
      ...range(4).map((key) => peer(key, { downRate: 1000 })),
      peer(4, { downRate: 9000, snubbed: true }),
      ...range(50).map((i) => peer(10 + i, { connectedMs: 0 })),
    ];
    let named = 0;
    for (let seed = 0; seed < 50; seed++) {
      if (
        chokerWith({ prng: new Prng(seed) })
          .rechoke(peers, 'leech', 0)
          .unchoke.includes(4)
      )
        named++;
    }
    assert.ok(named <= 5, `named ${named} of 50 times, by the optimistic draw only`);
  });

  it('keeps the holder of a slot against one who is a little better, not against one much better', () => {
    const holders = range(3).map((key) => peer(key, { downRate: 1000, unchokedSinceMs: 0 }));
    const a = chokerWith({ optimisticSlots: 0, slots: 3 }).rechoke(
      [...holders, peer(3, { downRate: 1090 })],
      'leech',
      0,
    );
    assert.deepEqual([...a.unchoke].sort(), [0, 1, 2]);
    const b = chokerWith({ optimisticSlots: 0, slots: 3 }).rechoke(
      [...holders, peer(3, { downRate: 1110 })],
      'leech',
      0,
    );
    assert.ok(b.unchoke.includes(3));
  });

  it('prefers the older ally among equals', () => {
    const peers = range(6).map((key) => peer(key, { downRate: 500, downloadedFromIt: key }));
    assert.deepEqual(chokerWith({ slots: 2, optimisticSlots: 0 }).rechoke(peers, 'leech', 0).unchoke, [5, 4]);
  });

  it('fills slots that no contributor claims, and changes optimistic ones after 30 seconds only', () => {
    const choker = chokerWith();
    const peers = range(20).map((key) => peer(key));
    const first = [...choker.rechoke(peers, 'leech', 0).unchoke].sort();
    assert.equal(first.length, 4);
    assert.deepEqual([...choker.rechoke(peers, 'leech', 10_000).unchoke].sort(), first);
    assert.deepEqual([...choker.rechoke(peers, 'leech', 20_000).unchoke].sort(), first);
    const second = choker.rechoke(peers, 'leech', 30_000).unchoke;
    assert.equal(second.filter((key) => first.includes(key)).length, 0);
  });

  it("counts a newcomer's waiting three times, with 10 s from the start", () => {
    let newcomers = 0;
    for (let seed = 0; seed < 200; seed++) {
      const choker = chokerWith({ prng: new Prng(seed), slots: 1 });
      const old = range(10).map((key) => peer(key));
      for (let nowMs = 0; nowMs <= 20_000; nowMs += 10_000) choker.rechoke(old, 'leech', nowMs);
      // One has waited 20 s longer than the newcomer's head start of 10 s x 3.
      const { unchoke } = choker.rechoke([...old, peer(99, { connectedMs: 29_000 })], 'leech', 30_000);
      if (unchoke[0] === 99) newcomers++;
    }
    assert.ok(
      newcomers > 10 && newcomers < 40,
      `${newcomers} of 200: about even with one of ten who waited 30 s`,
    );
  });

  it('lets free riders have much less than contributors', () => {
    // 20 peers, half give us 50 kB/s while we unchoke them and for a round after, half never give anything.
    const choker = chokerWith({ slots: 5, optimisticSlots: 1 });
    const given = new Map<number, number>();
    const served = simulate(choker, 'leech', 30, (nowMs, unchokedSince) =>
      range(20).map((key) => {
        const gives = key < 10 && unchokedSince.has(key) && nowMs - unchokedSince.get(key)! >= rechokeMs;
        if (gives) given.set(key, (given.get(key) ?? 0) + 50_000 * 10);
        return peer(key, { downRate: gives ? 50_000 : 0, downloadedFromIt: given.get(key) ?? 0 });
      }),
    );
    const sum = (keys: number[]): number => keys.reduce((total, key) => total + (served.get(key) ?? 0), 0);
    const contributors = sum(range(10));
    const riders = sum(range(10).map((i) => 10 + i));
    assert.ok(
      contributors > 4 * riders,
      `contributors ${contributors / 1000} s, free riders ${riders / 1000} s`,
    );
    const least = Math.min(...range(20).map((key) => served.get(key)!));
    assert.ok(least >= 30_000, `nobody starves: least ${least / 1000} s`);
  });
});

describe('choker, seeding', () => {
  it('gives 20 leechers equal time in 30 minutes: within a turn and a round of the mean', () => {
    // Peers differ in speed (none so fast that the quota ends its turn) and lose interest now and then for a round.
    for (let seed = 0; seed < 10; seed++) {
      const prng = new Prng(100 + seed);
      const bytes = new Array<number>(20).fill(0);
      const served = simulate(chokerWith({ prng: new Prng(seed) }), 'seed', 30, (nowMs, unchokedSince) =>
        range(20).map((key) => {
          const sinceMs = unchokedSince.get(key);
          if (sinceMs !== undefined) bytes[key]! += (key + 1) * 20_000 * 10;
          return peer(key, {
            upRate: sinceMs === undefined ? 0 : (key + 1) * 20_000,
            uploadedSinceUnchoke: sinceMs === undefined ? 0 : (key + 1) * 20 * (nowMs - sinceMs),
            interested: sinceMs !== undefined || !prng.chance(0.02),
            progress: Math.min(1, nowMs / 1_800_000),
          });
        }),
      );
      const times = range(20).map((key) => served.get(key)!);
      const mean = times.reduce((sum, ms) => sum + ms, 0) / 20;
      assert.ok(mean > 0.95 * ((30 * 60_000 * 4) / 20), `slots are used: mean ${mean / 1000} s`);
      for (const [key, ms] of times.entries()) {
        assert.ok(
          Math.abs(ms - mean) <= 70_000,
          `seed ${seed}: peer ${key} had ${ms / 1000} s, mean ${mean / 1000} s`,
        );
      }
    }
  });

  it('ends a turn by quota as well, but only when somebody waits', () => {
    const full = range(4).map((key) => peer(key, { unchokedSinceMs: 0, uploadedSinceUnchoke: 1e9 }));
    assert.equal(chokerWith().rechoke(full, 'seed', 5000).unchoke.length, 4);
    const choker = chokerWith();
    const running = range(4).map((key) => peer(key, { unchokedSinceMs: 0 }));
    assert.ok(
      !choker.rechoke([...running, peer(9)], 'seed', 5000).unchoke.includes(9),
      'a running turn is not broken',
    );
    const served = [peer(0, { unchokedSinceMs: 0, uploadedSinceUnchoke: 1e9 }), ...running.slice(1), peer(9)];
    assert.deepEqual([...choker.rechoke(served, 'seed', 15_000).unchoke].sort(), [1, 2, 3, 9]);
  });

  it('favours both ends of the download', () => {
    const choker = chokerWith({ slots: 1 });
    const served = simulate(choker, 'seed', 120, () =>
      range(30).map((key) => peer(key, { progress: key < 10 ? 0 : key < 20 ? 0.5 : 0.99 })),
    );
    const sum = (from: number): number => range(10).reduce((total, i) => total + served.get(from + i)!, 0);
    assert.ok(sum(0) > 1.5 * sum(10), `start ${sum(0)}, middle ${sum(10)}`);
    assert.ok(sum(20) > 1.4 * sum(10), `end ${sum(20)}, middle ${sum(10)}`);
    assert.ok(sum(10) > 0, 'the middle is not forgotten');
  });

  it('serves the fastest when told so', () => {
    const peers = range(10).map((key) => peer(key, { upRate: key * 1000, unchokedSinceMs: 0 }));
    const { unchoke } = chokerWith({ seedAlgorithm: 'fastest' }).rechoke(peers, 'seed', 100_000);
    assert.deepEqual(unchoke.slice(0, 3), [9, 8, 7]);
  });
});

describe('choker, number of slots by rate', () => {
  it('opens as many as the present rate serves with n x 2 kB/s each, 4 to 200', () => {
    const waiting = range(250).map((i) => peer(100 + i));
    const countAt = (rateEach: number): number => {
      const served = range(12).map((key) => peer(key, { upRate: rateEach, unchokedSinceMs: 0 }));
      return chokerWith({ slots: null }).rechoke([...served, ...waiting], 'seed', 0).unchoke.length;
    };
    assert.equal(countAt(100_000), Math.floor(Math.sqrt((12 * 100_000) / 2048)));
    assert.deepEqual([countAt(0), countAt(1000), countAt(1e9)], [4, 4, 200]);
  });
});

describe('choker, between two rounds', () => {
  for (const mode of ['seed', 'leech'] as const) {
    it(`gives free slots to those who wait and takes none away, as a ${mode}`, () => {
      const served = range(3).map((key) => peer(key, { unchokedSinceMs: 0, uploadedSinceUnchoke: 1e9 }));
      const waiting = range(5).map((i) => peer(100 + i));
      const { unchoke } = chokerWith().fill([...served, ...waiting], mode, 900_000);
      assert.deepEqual(unchoke.slice(0, 3).sort(), [0, 1, 2]);
      assert.equal(unchoke.length, 4);
      assert.ok(unchoke[3]! >= 100);
      assert.equal(chokerWith({ slots: 2 }).fill([...served, ...waiting], mode, 900_000).unchoke.length, 3);
    });

    it(`leaves whoever wants nothing any more, as a ${mode}`, () => {
      const peers = [
        peer(1, { unchokedSinceMs: 0, interested: false }),
        peer(2, { unchokedSinceMs: 0 }),
        peer(3),
      ];
      assert.deepEqual(new Set(chokerWith().fill(peers, mode, 1000).unchoke), new Set([2, 3]));
    });
  }
});
