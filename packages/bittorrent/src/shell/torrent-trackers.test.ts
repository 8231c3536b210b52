import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, type IpAddress, Prng, type Timer } from '@tequio/kernel';
import type { AnnounceEvent } from '../wire/tracker-udp.ts';
import { TorrentTrackers, type TorrentTrackersHost, type TrackerAsker } from './torrent-trackers.ts';

type Answer = Awaited<ReturnType<TrackerAsker['announce']>>;

/** Trackers that answer when the test says so, in a time that stands still; timers are only counted. */
class Bench {
  readonly asked: { url: string; event: AnnounceEvent; answer: (answer: Answer) => void }[] = [];
  readonly told: string[] = [];
  readonly trackers: TorrentTrackers;
  timerCount = 0;
  onAnswered = (): void => {};

  constructor(tiers: readonly (readonly string[])[]) {
    const clock: Clock = { nowMs: () => 0, wallMs: () => 0, setTimer: () => this.#setTimer() };
    const client: TrackerAsker = {
      announce: ({ url, event }) =>
        new Promise((answer) => {
          this.told.push(`asked ${url}`);
          this.asked.push({ url, event, answer });
        }),
      scrape: () => new Promise(() => {}),
    };
    const host: TorrentTrackersHost = {
      figures: () => ({
        peerId: new Uint8Array(20),
        port: 1,
        uploadedBytes: 0,
        downloadedBytes: 0,
        leftBytes: 1,
      }),
      peers: () => {
        this.told.push('peers');
        this.onAnswered();
      },
      answered: () => void this.told.push('answered'),
      failed: () => void this.told.push('failed'),
      externalAddress: () => {},
    };
    const options = { tiers, infoHashes: [new Uint8Array(20)], families: [4] as const, prng: new Prng(1) };
    this.trackers = new TorrentTrackers(options, { client, clock }, host);
  }

  /** All questions that wait are answered with a peer. */
  async answerAll(): Promise<void> {
    const peers = [{ address: '192.0.2.1' as IpAddress, port: 5 }];
    for (const { answer } of this.asked.splice(0)) answer({ ok: true, value: { ...quiet, peers } });
    for (let turn = 0; turn < 10; turn++) await null;
  }

  #setTimer(): Timer {
    this.timerCount++;
    let isOver = false;
    return {
      cancel: () => {
        if (!isOver) this.timerCount--;
        isOver = true;
      },
    };
  }
}

const quiet = {
  intervalMs: 1_800_000,
  minIntervalMs: null,
  seedCount: null,
  leechCount: null,
  completedCount: null,
  trackerId: null,
  warning: null,
  externalAddress: null,
};

const url = 'http://tracker.test/announce';

test('whoever stops twice is told twice, and one farewell goes out', async () => {
  const bench = new Bench([[url]]);
  bench.trackers.handle({ type: 'start', isComplete: false });
  await bench.answerAll();
  let endedCount = 0;
  const stops = [bench.trackers.stop(), bench.trackers.stop()];
  for (const stop of stops) void stop.then(() => endedCount++);
  assert.deepEqual(
    bench.asked.map(({ event }) => event),
    ['stopped'],
  );
  await null;
  assert.equal(endedCount, 0);
  await bench.answerAll();
  assert.equal(endedCount, 2);
  assert.equal(bench.timerCount, 0);
  bench.trackers.handle({ type: 'start', isComplete: false });
  assert.deepEqual(
    bench.asked.map(({ event }) => event),
    ['started'],
  );
  bench.trackers.close();
});

test('who starts again during a farewell has not left, and is not broken off', async () => {
  const bench = new Bench([[url]]);
  bench.trackers.handle({ type: 'start', isComplete: false });
  await bench.answerAll();
  const stop = bench.trackers.stop();
  bench.trackers.handle({ type: 'start', isComplete: false });
  await stop;
  await bench.answerAll();
  assert.equal(bench.trackers.snapshot()[0]?.state, 'working');
  bench.trackers.close();
});

test('after the end nothing is asked, no timer runs, and nobody waits', async () => {
  const bench = new Bench([[url]]);
  bench.trackers.handle({ type: 'start', isComplete: false });
  await bench.answerAll();
  const stop = bench.trackers.stop();
  bench.trackers.close();
  await stop;
  await bench.trackers.stop();
  bench.asked.length = 0;
  bench.trackers.handle({ type: 'start', isComplete: false });
  await bench.answerAll();
  assert.deepEqual(bench.asked, []);
  assert.equal(bench.timerCount, 0);
});

test('what the host says while it is told something comes after what was decided before', async () => {
  const bench = new Bench([[url]]);
  bench.onAnswered = () =>
    bench.trackers.handle({ type: 'add-trackers', tiers: [['http://later.test/announce']] });
  bench.trackers.handle({ type: 'start', isComplete: false });
  await bench.answerAll();
  assert.deepEqual(bench.told, [`asked ${url}`, 'peers', 'answered', 'asked http://later.test/announce']);
  bench.trackers.close();
});
