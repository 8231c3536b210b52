import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import fc from 'fast-check';
import { RateLimiter } from './bandwidth.ts';

type Taker = { limiter: RateLimiter; bytes: number; wants: (nowMs: number) => boolean };

const taker = (limiter: RateLimiter, wants: (nowMs: number) => boolean = () => true): Taker => ({
  limiter,
  bytes: 0,
  wants,
});

/** Everybody takes blocks as long as it can, once a tick, in an order that changes. */
function drive(
  takers: Taker[],
  options: { seconds: number; tickMs: number; blockBytes?: number; seed?: number },
): void {
  const prng = new Prng(options.seed ?? 1);
  const blockBytes = options.blockBytes ?? 16 * 1024;
  for (let nowMs = 0; nowMs < options.seconds * 1000; nowMs += options.tickMs) {
    for (const one of prng.shuffle([...takers])) {
      while (one.wants(nowMs) && one.limiter.tryTake(blockBytes, nowMs)) one.bytes += blockBytes;
    }
  }
}

const near = (value: number, wanted: number, share: number, what: string): void =>
  ok(
    Math.abs(value - wanted) <= share * wanted,
    `${what}: ${Math.round(value)} instead of ${Math.round(wanted)}`,
  );

for (const rate of [20e3, 1e6, 10e6, 100e6]) {
  for (const [tickMs, blockBytes] of [
    [1, 16_384],
    [20, 16_384],
    [20, 1448],
    [7, 262_144],
  ] as const) {
    test(`${rate / 1e6} MB/s is kept within 5 %, looked at every ${tickMs} ms, ${blockBytes} bytes each`, () => {
      const seconds = rate < 1e6 ? 200 : 10;
      const root = new RateLimiter('all', rate);
      const takers = Array.from({ length: 3 }, (_, i) => taker(root.child(`${i}`)));
      drive(takers, { seconds, tickMs, blockBytes });
      near(takers.reduce((sum, { bytes }) => sum + bytes, 0) / seconds, rate, 0.05, 'rate');
    });
  }
}

test('greedy children get equal shares, whoever asks first and however often', () => {
  for (const tickMs of [1, 20]) {
    const root = new RateLimiter('all', 10e6);
    const takers = Array.from({ length: 8 }, (_, i) => taker(root.child(`${i}`)));
    for (let nowMs = 0; nowMs < 10_000; nowMs += tickMs) {
      // Always in the same order, the first one three times.
      for (const one of [...takers, takers[0]!, takers[0]!]) {
        while (one.limiter.tryTake(16_384, nowMs)) one.bytes += 16_384;
      }
    }
    for (const { bytes } of takers) near(bytes, 12.5e6, 0.1, 'share');
  }
});

test('among many, nobody starves, even when asked last each time', () => {
  for (const rate of [1e6, 10e6]) {
    const torrent = new RateLimiter('all', rate).child('torrent');
    const takers = Array.from({ length: 100 }, (_, i) => taker(torrent.child(`${i}`)));
    for (let nowMs = 0; nowMs < 20_000; nowMs += 10) {
      for (const one of takers) while (one.limiter.tryTake(16_384, nowMs)) one.bytes += 16_384;
    }
    for (const { bytes } of takers) near(bytes, (rate * 20) / 100, 0.25, 'share');
  }
});

test('shares go by torrent first, then by peer, also through torrents without a limit of their own', () => {
  const root = new RateLimiter('all', 4e6);
  const [a, b] = [root.child('a'), root.child('b')];
  const alone = taker(a.child('1'));
  const many = Array.from({ length: 4 }, (_, i) => taker(b.child(`${i}`)));
  drive([alone, ...many], { seconds: 10, tickMs: 5 });
  near(alone.bytes, 20e6, 0.1, 'the torrent with one peer');
  for (const { bytes } of many) near(bytes, 5e6, 0.15, 'one of four');
});

test('who needs less than its share gets all it asks for, and the others the rest', () => {
  const root = new RateLimiter('all', 2e6);
  let taken = 0;
  const modest: Taker = taker(root.child('modest'), (nowMs) => modest.bytes <= (nowMs / 1000) * 300_000);
  const greedy = [taker(root.child('x')), taker(root.child('y'))];
  drive([modest, ...greedy], { seconds: 20, tickMs: 10 });
  near(modest.bytes, 6e6, 0.05, 'modest');
  for (const { bytes } of greedy) near(bytes, 17e6, 0.1, 'greedy');
  taken = modest.bytes + greedy[0]!.bytes + greedy[1]!.bytes;
  near(taken, 40e6, 0.05, 'all');
});

test('a limit of a torrent or peer holds below a higher one, and the rest is not lost', () => {
  const root = new RateLimiter('all', 5e6);
  const slow = root.child('slow', 1e6);
  const slowPeers = [taker(slow.child('1')), taker(slow.child('2', 200_000))];
  const free = taker(root.child('free').child('1'));
  drive([...slowPeers, free], { seconds: 10, tickMs: 5 });
  near(slowPeers[1]!.bytes, 2e6, 0.05, 'limited peer');
  near(slowPeers[0]!.bytes, 8e6, 0.1, 'its sibling');
  near(free.bytes, 40e6, 0.05, 'the others');
});

test('a waiting child that never comes back delays the others by a moment only', () => {
  const root = new RateLimiter('all', 1e6);
  const [dead, alive] = [root.child('dead'), taker(root.child('alive'))];
  for (let nowMs = 0; nowMs < 10_000; nowMs += 10) {
    while (alive.limiter.tryTake(16_384, nowMs)) alive.bytes += 16_384;
    if (nowMs === 1000) equal(dead.tryTake(16_384, nowMs), false);
  }
  near(alive.bytes, 10e6, 0.05, 'alive');
});

test('nobody saves up: after a silence the share is what it was', () => {
  const root = new RateLimiter('all', 1e6);
  const late = taker(root.child('late'), (nowMs) => nowMs >= 10_000);
  const early = taker(root.child('early'));
  drive([late, early], { seconds: 20, tickMs: 5 });
  near(late.bytes, 5e6, 0.1, 'late');
  near(early.bytes, 15e6, 0.05, 'early');
});

test('no limit never refuses; a limit can come, change and go', () => {
  const root = new RateLimiter('all');
  const leaf = root.child('torrent').child('peer');
  ok(leaf.isUnlimited);
  for (let i = 0; i < 1000; i++) ok(leaf.tryTake(1e6, 0));
  equal(leaf.nextMs(5), 5);
  root.setLimit(1000);
  ok(!leaf.isUnlimited);
  ok(leaf.tryTake(100_000, 0));
  equal(leaf.tryTake(1, 0), false);
  ok(leaf.nextMs(0) > 80_000);
  root.setLimit(10e6);
  const nextMs = leaf.nextMs(0);
  ok(nextMs < 1, 'the old debt is forgotten');
  ok(leaf.tryTake(1, nextMs));
  root.setLimit(null);
  ok(leaf.tryTake(1e9, 0));
  throws(() => root.setLimit(0), /above zero/);
  throws(() => root.setLimit(Number.NaN), /above zero/);
});

test('what passed unasked is paid for by all buckets above', () => {
  const root = new RateLimiter('all', 1e6);
  const leaf = root.child('peer');
  leaf.charge(1e6, 0);
  equal(root.child('other').tryTake(1, 500), false);
  deepEqual(Math.round(leaf.nextMs(500)), 950);
  ok(root.child('other').tryTake(1, 1001));
});

const requestBytesMax = 40_000;

/** Every window that starts and ends with a request. */
function isWithin(passed: readonly { atMs: number; bytes: number }[], rate: number): boolean {
  const burst = Math.max(16_384, rate * 0.05) + requestBytesMax;
  return passed.every((first, from) => {
    let sum = 0;
    return passed.slice(from).every(({ atMs, bytes }) => {
      sum += bytes;
      return sum <= (rate * (atMs - first.atMs)) / 1000 + burst + 1;
    });
  });
}

test('property: in no window does a node pass more than rate x time + burst + one request', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 5_000, max: 5_000_000 }), (seed, rate) => {
      const prng = new Prng(seed);
      const root = new RateLimiter('all', rate);
      const torrentRate = rate / 2;
      const torrent = root.child('torrent', torrentRate);
      const leaves = [torrent.child('a'), torrent.child('b'), root.child('c')];
      const passed: { atMs: number; bytes: number; inTorrent: boolean }[] = [];
      let nowMs = prng.nextFloat() * 1e6;
      for (let i = 0; i < 300; i++) {
        nowMs += prng.chance(0.3) ? prng.nextFloat() * 200 : prng.nextFloat() * 5;
        const at = prng.below(3);
        const bytes = prng.between(1, requestBytesMax);
        const foreseen = leaves[at]!.nextMs(nowMs) === nowMs;
        equal(leaves[at]!.tryTake(bytes, nowMs), foreseen, 'nextMs says what tryTake does');
        if (foreseen) passed.push({ atMs: nowMs, bytes, inTorrent: at < 2 });
      }
      return (
        isWithin(passed, rate) &&
        isWithin(
          passed.filter(({ inTorrent }) => inTorrent),
          torrentRate,
        )
      );
    }),
    { numRuns: 50 },
  );
});
