import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@tequio/simulator';
import { type Limits, RateLimits, rateLimits, type TorrentRates } from './rate-limit.ts';

const off: Limits = { down: null, up: null };
const noSchedule = { schedule: [], zoneMinutesAt: () => 0 };

function near(value: number, wanted: number, share: number, what: string): void {
  assert.ok(
    Math.abs(value - wanted) <= share * wanted,
    `${what}: ${Math.round(value)}, not ${Math.round(wanted)}`,
  );
}

/** Sends as fast as it may, in chunks, whenever it is not paused. */
class Sender {
  bytes = 0;
  isPaused = false;
  readonly #chunkBytes: number;

  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  send(rates: TorrentRates): void {
    if (this.isPaused) return;
    this.bytes += this.#chunkBytes;
    rates.received(this, this.#chunkBytes);
  }
}

/** One step of the world: every sender gets a turn each 2 ms of the virtual clock. */
function drive(clock: VirtualClock, seconds: number, turn: () => void): void {
  const endMs = clock.nowMs() + seconds * 1000;
  for (let atMs = clock.nowMs(); atMs < endMs; atMs += 2) {
    clock.setTimer(atMs - clock.nowMs(), turn);
    for (let next = clock.nextMs(); next !== null && next <= atMs; next = clock.nextMs()) clock.fireNext();
    clock.advanceTo(atMs);
  }
}

const share = 1 + rateLimits.headerShare;

for (const rate of [1e6, 10e6, 100e6]) {
  test(`down: ${rate / 1e6} MB/s is kept with headers counted, and senders of all kinds get equal parts`, () => {
    const clock = new VirtualClock();
    const rates = new RateLimits(clock, { ...off, down: rate, ...noSchedule }).ofTorrent('t', off, null);
    // One brings a whole receive buffer at a time, others a few packets.
    const senders = [new Sender(262_144), new Sender(65_536), new Sender(16_384), new Sender(262_144)];
    drive(clock, 20, () => {
      for (const sender of senders) for (let i = 0; i < 4; i++) sender.send(rates);
    });
    const total = senders.reduce((sum, { bytes }) => sum + bytes, 0);
    near(total * share, rate * 20, 0.05, 'rate');
    // A receive buffer is a quarter of a second of the slowest limit: parts are coarse there.
    for (const { bytes } of senders) near(bytes, total / 4, rate < 10e6 ? 0.35 : 0.25, 'part');
    rates.close();
  });
}

test('up: peers of a torrent and torrents of a category share; what nobody asked about is counted too', () => {
  const clock = new VirtualClock();
  const limits = new RateLimits(clock, { ...off, up: 4e6, ...noSchedule });
  limits.setCategoryLimits('films', { down: null, up: 1e6 });
  const [film, song] = [limits.ofTorrent('film', off, 'films'), limits.ofTorrent('song', off, null)];
  const sent = { film: [0, 0], song: [0, 0, 0] };
  const take = (rates: TorrentRates, counts: number[]): void => {
    for (const peer of counts.keys()) {
      while (rates.tryTake(16_384, clock.nowMs(), peer)) {
        counts[peer]! += 16_384;
        // A tenth more of other messages.
        rates.sent(peer, 18_022);
      }
    }
  };
  drive(clock, 10, () => {
    take(film, sent.film);
    take(song, sent.song);
  });
  const bytesOf = (counts: number[]): number => counts.reduce((sum, bytes) => sum + bytes, 0) * 1.1 * share;
  near(bytesOf(sent.film), 10e6, 0.05, 'the category');
  near(bytesOf(sent.song), 30e6, 0.05, 'the rest');
  for (const bytes of sent.song) near(bytes, sent.song[0]!, 0.1, 'a peer');
});

test('a raised limit is felt soon, though little was left of the old one; a peer that is gone is not waited for', () => {
  const clock = new VirtualClock();
  const limits = new RateLimits(clock, { ...off, down: 1000, ...noSchedule });
  const rates = limits.ofTorrent('t', off, null);
  const [first, second] = [new Sender(1_000_000), new Sender(1000)];
  first.send(rates);
  second.send(rates);
  assert.ok(first.isPaused && second.isPaused);
  rates.forgotten(first, null);
  limits.setLimits(off);
  drive(clock, 1.5, () => {});
  assert.equal(second.isPaused, false);
});

test('the schedule changes the limits at its minute, and the wall clock may be set', () => {
  const clock = new VirtualClock();
  const startMs = clock.wallMs();
  // On the user's clock it is five minutes to eight on a Monday.
  const mondayMs = Date.parse('2026-03-02T07:55Z');
  const zoneMinutesAt = (): number => (mondayMs - startMs) / 60_000;
  const work = { days: [1, 2, 3, 4, 5], fromMinute: 480, toMinute: 1080, down: 5000, up: 1000 };
  const limits = new RateLimits(clock, { down: null, up: 7000, schedule: [work], zoneMinutesAt });
  limits.start();
  const minutes = (count: number): void => {
    const endMs = clock.nowMs() + count * 60_000;
    for (let next = clock.nextMs(); next !== null && next <= endMs; next = clock.nextMs()) clock.fireNext();
    clock.advanceTo(endMs);
  };
  assert.deepEqual(limits.current, { down: null, up: 7000 });
  minutes(6);
  assert.deepEqual(limits.current, { down: 5000, up: 1000 });
  minutes(10 * 60);
  assert.deepEqual(limits.current, { down: null, up: 7000 });
  limits.setLimits({ down: 1, up: 2 });
  assert.deepEqual(limits.current, { down: 1, up: 2 });
  minutes(14 * 60);
  assert.deepEqual(limits.current, { down: 5000, up: 1000 }, 'Tuesday');
  limits.setLimits({ down: 3, up: 4 }, []);
  assert.deepEqual(limits.current, { down: 3, up: 4 });
  limits.close();
  assert.equal(clock.nextMs(), null);
});
