import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Endpoint, type IpAddress, Prng } from '@tequio/kernel';
import type { TrackerAnswer } from '../wire/tracker-http-response.ts';
import { Announcer, type AnnouncerEffect, type AnnouncerOptions } from './announcer.ts';
import { announcerLimits, type TrackerFailure } from './announcer-tracker.ts';

type Announce = Extract<AnnouncerEffect, { type: 'announce' }>;
const hash = new Uint8Array(20).fill(1);
const peer: Endpoint = { address: '192.0.2.1' as IpAddress, port: 1 };
const second = 1000;
const minute = 60_000;

const answer: TrackerAnswer = {
  intervalMs: 30 * minute,
  minIntervalMs: null,
  seedCount: 3,
  leechCount: 4,
  completedCount: null,
  peers: [peer],
  externalAddress: null,
  trackerId: null,
  warning: null,
};

function failure(
  kind: TrackerFailure['kind'],
  retryInMs: TrackerFailure['retryInMs'] = null,
): TrackerFailure {
  return {
    fault: { code: 'BITTORRENT_TEST', message: `it is ${kind}`, blame: 'tracker', penalty: 0 },
    kind,
    retryInMs,
  };
}

/** The announcer on a virtual clock, with trackers that answer as `reply` says. */
class World {
  readonly machine: Announcer;
  readonly effects: AnnouncerEffect[] = [];
  readonly log: { atMs: number; url: string; event: string; family: number }[] = [];
  readonly waiting = new Map<number, Announce>();
  nowMs = 1000;
  /** Null: silence. */
  reply: (announce: Announce) => TrackerAnswer | TrackerFailure | null = () => answer;

  constructor(tiers: string[][], options: Partial<AnnouncerOptions> = {}) {
    this.machine = new Announcer({ tiers, infoHashes: [hash], families: [4], prng: new Prng(1), ...options });
  }

  input(input: Parameters<Announcer['handle']>[0]): void {
    this.machine.handle(input, this.nowMs);
    this.settle();
  }

  settle(): void {
    for (;;) {
      const out: AnnouncerEffect[] = [];
      this.machine.drain(out);
      if (out.length === 0) return;
      this.effects.push(...out);
      for (const effect of out) {
        if (effect.type === 'cancel') this.waiting.delete(effect.id);
        if (effect.type === 'announce') this.#serve(effect);
      }
    }
  }

  #serve(effect: Announce): void {
    this.log.push({ atMs: this.nowMs, url: effect.url, event: effect.event, family: effect.family });
    const reply = this.reply(effect);
    if (reply === null) this.waiting.set(effect.id, effect);
    else if ('fault' in reply)
      this.machine.handle({ type: 'failure', id: effect.id, failure: reply }, this.nowMs);
    else this.machine.handle({ type: 'answer', id: effect.id, answer: reply }, this.nowMs);
  }

  advance(byMs: number): void {
    const endMs = this.nowMs + byMs;
    for (let rounds = 0; ; rounds++) {
      assert.ok(rounds < 10_000, 'the machine keeps its timer in the past');
      const next = this.machine.nextTimeoutMs();
      if (next === null || next > endMs) break;
      this.nowMs = Math.max(this.nowMs, next);
      this.machine.handleTimeout(this.nowMs);
      this.settle();
    }
    this.nowMs = endMs;
  }

  /** `event url` of all announces since the last call. */
  heard(): string[] {
    return this.log.splice(0).map(({ url, event }) => `${event} ${url.slice(7, 8)}`);
  }

  states(): string[] {
    return this.machine
      .snapshot(this.nowMs, this.nowMs)
      .map((shown) => `${shown.url.slice(7, 8)} ${shown.state}`);
  }
}

const a = 'http://a.example/announce';
const b = 'http://b.example/announce';
const c = 'http://c.example/announce';

test('one tracker: started, then nothing to tell at every interval, then stopped', () => {
  const world = new World([[a]]);
  world.input({ type: 'start', isComplete: false });
  assert.deepEqual(world.heard(), ['started a']);
  world.advance(95 * minute);
  assert.deepEqual(world.heard(), ['none a', 'none a', 'none a']);
  world.input({ type: 'stop' });
  assert.deepEqual(world.heard(), ['stopped a']);
  assert.equal(world.effects.at(-1)?.type, 'stopped');
  world.advance(10 * 60 * minute);
  assert.deepEqual(world.heard(), []);
  const peers = world.effects.filter((effect) => effect.type === 'peers');
  assert.equal(peers.length, 4);
});

test('every tier is asked, one tracker of each, and the first that works moves to the front', () => {
  const world = new World([[a, b], [c]], {
    prng: {
      ...new Prng(1),
      shuffle: (items: unknown[]) => items,
      nextUint32: () => 7,
      nextFloat: () => 0,
    } as unknown as Prng,
  });
  world.reply = ({ url }) => (url === a ? failure('unreachable') : answer);
  world.input({ type: 'start', isComplete: false });
  assert.deepEqual(world.heard(), ['started a', 'started c', 'started b']);
  assert.deepEqual(world.states(), ['b working', 'a failed', 'c working']);
  world.advance(31 * minute);
  assert.deepEqual(world.heard(), ['none b', 'none c']);
  world.reply = ({ url }) => (url === b ? failure('unreachable') : answer);
  world.advance(30 * minute);
  assert.deepEqual(
    world.heard().filter((line) => !line.endsWith('c')),
    ['none b', 'started a'],
  );
  assert.deepEqual(world.states().slice(0, 2), ['a working', 'b failed']);
});

test('announceAllTrackers asks each tracker by itself', () => {
  const world = new World([[a, b]], { announceAllTrackers: true });
  world.input({ type: 'start', isComplete: false });
  assert.deepEqual(world.heard().sort(), ['started a', 'started b']);
});

test('back-off doubles from five seconds to an hour, and a refusal starts at a minute', () => {
  for (const kind of ['unreachable', 'refused'] as const) {
    const world = new World([[a]]);
    world.reply = () => failure(kind);
    world.input({ type: 'start', isComplete: false });
    world.advance(24 * 60 * minute);
    const times = world.log.map((entry) => entry.atMs);
    const gaps = times.slice(1).map((at, i) => at - times[i]!);
    gaps.forEach((gap, i) => {
      const base = Math.min((kind === 'refused' ? 60 : 5) * second * 2 ** i, 60 * minute);
      assert.ok(gap >= 0.8 * base && gap <= 1.2 * base, `${kind}: gap ${i} is ${gap}, base ${base}`);
    });
    assert.ok(gaps.length > 20);
    assert.ok(world.log.every((entry) => entry.event === 'started'));
  }
});

test('retry in is obeyed, and never means until the user asks', () => {
  const world = new World([[a]]);
  world.reply = () => failure('refused', 20 * minute);
  world.input({ type: 'start', isComplete: false });
  world.advance(19 * minute);
  assert.equal(world.heard().length, 1);
  world.reply = () => failure('refused', 'never');
  world.advance(2 * minute);
  assert.equal(world.heard().length, 1);
  world.advance(100 * 60 * minute);
  assert.deepEqual(world.heard(), []);
  assert.equal(world.machine.snapshot(0, 0)[0]?.nextAnnounceMs, null);
  assert.equal(world.machine.snapshot(0, 0)[0]?.message, 'it is refused');
  world.reply = () => answer;
  world.input({ type: 'announce-now' });
  assert.deepEqual(world.heard(), ['started a']);
});

test('completed is told once, at once, and only to those who knew us before', () => {
  const world = new World([[a], [b]]);
  world.reply = ({ url }) => (url === b ? failure('unreachable') : answer);
  world.input({ type: 'start', isComplete: false });
  world.heard();
  world.input({ type: 'completed' });
  world.input({ type: 'completed' });
  assert.deepEqual(world.heard(), ['completed a']);
  world.reply = () => answer;
  world.advance(minute);
  assert.deepEqual(world.heard(), ['started b']);
  world.input({ type: 'add-trackers', tiers: [[c, a]] });
  world.advance(40 * minute);
  assert.deepEqual(world.heard().sort(), ['none a', 'none b', 'none c', 'started c']);
});

test('completed while an announce is under way follows it; a seed never says completed', () => {
  const world = new World([[a]]);
  world.reply = () => null;
  world.input({ type: 'start', isComplete: false });
  world.input({ type: 'completed' });
  assert.deepEqual(world.heard(), ['started a']);
  world.reply = () => answer;
  world.input({ type: 'answer', id: [...world.waiting.keys()][0]!, answer });
  assert.deepEqual(world.heard(), ['completed a']);
  const seed = new World([[a]]);
  seed.input({ type: 'start', isComplete: true });
  seed.input({ type: 'completed' });
  seed.advance(31 * minute);
  assert.deepEqual(seed.heard(), ['started a', 'none a']);
});

test('stopped goes to all that heard or may have heard us, and takes five seconds at most', () => {
  const world = new World([[a], [b], [c]]);
  world.reply = ({ url }) => (url === a ? answer : url === b ? failure('unreachable') : null);
  world.input({ type: 'start', isComplete: false });
  world.heard();
  const inDoubt = [...world.waiting.values()].map((effect) => effect.url);
  assert.deepEqual(inDoubt, [c]);
  world.reply = () => null;
  world.input({ type: 'stop' });
  assert.deepEqual(world.heard(), ['stopped a', 'stopped c']);
  const stops = world.effects.filter(
    (effect) => effect.type === 'announce' && effect.event === 'stopped',
  ) as Announce[];
  assert.ok(stops.every((effect) => effect.numWant === 0 && effect.timeoutMs === announcerLimits.stopMs));
  world.advance(4 * second);
  assert.notEqual(world.effects.at(-1)?.type, 'stopped');
  world.advance(2 * second);
  assert.equal(world.effects.at(-1)?.type, 'stopped');
  assert.equal(world.waiting.size, 0);
  world.reply = () => answer;
  world.input({ type: 'start', isComplete: true });
  assert.deepEqual(world.heard().sort(), ['started a', 'started b', 'started c']);
});

test('a tracker that may never have heard us is waited for a second only', () => {
  const world = new World([[a], [b]]);
  world.reply = ({ url }) => (url === a ? answer : null);
  world.input({ type: 'start', isComplete: false });
  world.input({ type: 'stop' });
  world.advance(900);
  assert.notEqual(world.effects.at(-1)?.type, 'stopped');
  world.advance(200);
  assert.equal(world.effects.at(-1)?.type, 'stopped');
});

test('stop with nobody to tell ends at once, and a start while stopping goes on', () => {
  const world = new World([[a]]);
  world.input({ type: 'stop' });
  assert.deepEqual(world.effects, [{ type: 'stopped' }]);
  world.reply = () => failure('unreachable');
  world.input({ type: 'start', isComplete: false });
  world.input({ type: 'stop' });
  assert.equal(world.effects.filter((effect) => effect.type === 'stopped').length, 2);
  world.reply = () => answer;
  world.input({ type: 'start', isComplete: false });
  world.reply = () => null;
  world.input({ type: 'stop' });
  world.reply = () => answer;
  world.heard();
  world.input({ type: 'start', isComplete: false });
  assert.deepEqual(world.heard(), ['started a']);
  world.advance(20 * second);
  assert.deepEqual(world.states(), ['a working']);
});

test('starved: asked again after the min interval, each time later; enough peers: back to the interval', () => {
  const world = new World([[a]]);
  world.reply = () => ({ ...answer, minIntervalMs: 2 * minute });
  world.input({ type: 'start', isComplete: false });
  world.input({ type: 'starved', starved: true });
  world.advance(29 * minute);
  const times = world.log.map((entry) => (entry.atMs - 1000) / minute);
  assert.deepEqual(times, [0, 2, 6, 14]);
  world.input({ type: 'starved', starved: false });
  world.log.length = 0;
  world.advance(14 * minute);
  assert.deepEqual(world.heard(), []);
  world.advance(3 * minute);
  assert.deepEqual(world.heard(), ['none a']);
});

test('intervals are clamped, and the user cannot hammer', () => {
  const world = new World([[a]]);
  world.reply = () => ({ ...answer, intervalMs: 1 });
  world.input({ type: 'start', isComplete: false });
  world.advance(10 * minute);
  assert.ok(world.heard().length <= 11);
  for (let i = 0; i < 50; i++) world.input({ type: 'announce-now' });
  assert.ok(world.heard().length <= 1);
  world.reply = () => ({ ...answer, intervalMs: 2 ** 40 });
  world.advance(2 * minute);
  world.heard();
  world.advance(announcerLimits.intervalMsMax * 1.06);
  assert.equal(world.heard().length, 1);
});

test('both families and both hashes of a hybrid are announced; one that works is enough', () => {
  const world = new World([[a]], { families: [4, 6], infoHashes: [hash, new Uint8Array(20).fill(2)] });
  world.reply = ({ family }) => (family === 6 ? failure('family') : answer);
  world.input({ type: 'start', isComplete: false });
  assert.equal(world.heard().length, 4);
  assert.deepEqual(world.states(), ['a working']);
  world.advance(31 * minute);
  world.heard();
  world.advance(1 * minute);
  world.input({ type: 'stop' });
  assert.deepEqual(world.heard(), ['stopped a', 'stopped a']);
  const none = new World([[a]], { families: [4, 6] });
  none.reply = ({ family }) => failure(family === 4 ? 'family' : 'refused');
  none.input({ type: 'start', isComplete: false });
  assert.equal(none.machine.snapshot(0, 0)[0]?.message, 'it is refused');
});

test('a slot that fails where another works is left alone for a while', () => {
  const world = new World([[a]], { families: [4, 6] });
  world.reply = ({ family }) => (family === 6 ? failure('unreachable') : answer);
  world.input({ type: 'start', isComplete: false });
  assert.equal(world.heard().length, 2);
  world.advance(29 * minute);
  world.input({ type: 'starved', starved: true });
  assert.deepEqual(world.heard(), ['none a']);
  world.advance(60 * minute);
  assert.ok(world.log.some((entry) => entry.family === 6));
});

test('addresses as hosts are asked over their own family only; refused URLs are shown and left alone', () => {
  const world = new World([['http://[2001:db8::1]/announce', 'http://192.0.2.1/announce'], ['file:///x']], {
    families: [4, 6],
    announceAllTrackers: true,
  });
  world.input({ type: 'start', isComplete: false });
  assert.deepEqual(world.log.map((entry) => entry.family).sort(), [4, 6]);
  world.input({ type: 'announce-now' });
  const refused = world.machine.snapshot(0, 0).find((shown) => shown.url === 'file:///x');
  assert.equal(refused?.state, 'failed');
  assert.match(refused?.message ?? '', /not http/);
});

test('a torrent with thousands of trackers asks a few at a time, and only the first ones', () => {
  const tiers = Array.from({ length: 3000 }, (_, i) => [`http://t${i}.example/announce`]);
  const world = new World(tiers);
  world.reply = () => null;
  world.input({ type: 'start', isComplete: false });
  assert.equal(world.log.length, announcerLimits.roundCountMax);
  assert.equal(world.machine.nextTimeoutMs(), null);
  while (world.waiting.size > 0) {
    const id = [...world.waiting.keys()][0]!;
    world.waiting.delete(id);
    world.input({ type: 'answer', id, answer });
  }
  assert.equal(new Set(world.log.map((entry) => entry.url)).size, announcerLimits.trackerCountMax);
});

test('stale ids are ignored; scrapes only change the counts', () => {
  const world = new World([[a]]);
  world.input({ type: 'answer', id: 99, answer });
  world.input({ type: 'scrape' });
  const scrape = world.effects.find((effect) => effect.type === 'scrape');
  assert.ok(scrape?.type === 'scrape');
  world.input({
    type: 'swarms',
    id: scrape.id,
    swarms: [{ seedCount: 8, completedCount: 0, leechCount: 9 }],
  });
  world.input({
    type: 'swarms',
    id: scrape.id,
    swarms: [{ seedCount: 1, completedCount: 0, leechCount: 1 }],
  });
  const [shown] = world.machine.snapshot(0, 0);
  assert.deepEqual([shown?.seedCount, shown?.leechCount, shown?.state], [8, 9, 'waiting']);
  assert.equal(world.log.length, 0);
});

test('random histories: never two rounds of a tier, no announce after stop, no endless loop', () => {
  for (let seed = 0; seed < 150; seed++) {
    const prng = new Prng(seed);
    const world = new World([[a, b], [c]], {
      families: prng.chance(0.5) ? [4] : [4, 6],
      prng: new Prng(seed),
    });
    world.reply = () => {
      const roll = prng.below(5);
      if (roll === 0) return null;
      if (roll === 1)
        return failure(
          prng.pick(['family', 'refused', 'unreachable'] as const),
          prng.pick([null, 'never', minute] as const),
        );
      return {
        ...answer,
        intervalMs: prng.below(100) * minute,
        minIntervalMs: prng.chance(0.5) ? null : prng.below(100) * second,
      };
    };
    let running = false;
    for (let step = 0; step < 60; step++) {
      const roll = prng.below(9);
      if (roll === 0) world.input({ type: 'start', isComplete: prng.chance(0.5) });
      else if (roll === 1) world.input({ type: 'stop' });
      else if (roll === 2) world.input({ type: 'completed' });
      else if (roll === 3) world.input({ type: 'starved', starved: prng.chance(0.5) });
      else if (roll === 4) world.input({ type: 'announce-now' });
      else if (roll === 5 && world.waiting.size > 0) {
        const id = prng.pick([...world.waiting.keys()]);
        world.waiting.delete(id);
        world.input(
          prng.chance(0.5)
            ? { type: 'answer', id, answer }
            : { type: 'failure', id, failure: failure('unreachable') },
        );
      } else world.advance(prng.below(90) * minute);
      if (roll === 0) running = true;
      if (roll === 1) running = false;
      const announcing = world.states().filter((state) => state.endsWith('announcing'));
      assert.ok(announcing.filter((state) => state[0] !== 'c').length <= 1, `seed ${seed}`);
      const heard = world.heard();
      if (!running)
        assert.ok(
          heard.every((line) => line.startsWith('stopped') || roll === 0),
          `seed ${seed}: ${heard}`,
        );
    }
  }
});

test('trackers are replaced: those that stay are not asked again, those that go hear that we leave', () => {
  const world = new World([[a], [b]]);
  world.input({ type: 'start', isComplete: false });
  assert.deepEqual(world.heard(), ['started a', 'started b']);
  const c = 'http://c.example/announce';
  world.input({ type: 'set-trackers', tiers: [[c], [a]] });
  assert.deepEqual(world.heard(), ['stopped b', 'started c']);
  assert.deepEqual(
    world.machine.snapshot(0, 0).map(({ url, tier }) => [url, tier]),
    [
      [c, 0],
      [a, 1],
    ],
  );
  world.input({ type: 'set-trackers', tiers: [] });
  assert.deepEqual(world.heard().sort(), ['stopped a', 'stopped c']);
  assert.equal(world.machine.host, null);
  world.advance(100 * minute);
  assert.deepEqual(world.heard(), []);
});

test('what is under way to a tracker that goes is broken off, and its answer not heard', () => {
  const world = new World([[a], [b]]);
  world.reply = () => null;
  world.input({ type: 'start', isComplete: false });
  world.heard();
  world.input({ type: 'set-trackers', tiers: [[b]] });
  assert.deepEqual(world.heard(), ['stopped a']);
  world.input({ type: 'answer', id: 1, answer });
  assert.deepEqual(
    world.machine.snapshot(0, 0).map(({ url, state }) => [url, state]),
    [[b, 'announcing']],
  );
});

test('the user waits for the min interval that a tracker has named', () => {
  const world = new World([[a]]);
  world.reply = () => ({ ...answer, minIntervalMs: 5 * minute });
  world.input({ type: 'start', isComplete: false });
  world.heard();
  world.input({ type: 'announce-now' });
  world.advance(4 * minute);
  assert.deepEqual(world.heard(), []);
  world.advance(2 * minute);
  assert.deepEqual(world.heard(), ['none a']);
});

test('a changed port is told at once, whatever interval the tracker asked for', () => {
  const world = new World([['http://a.example/announce']]);
  world.reply = () => ({ ...answer, minIntervalMs: 5 * minute });
  world.input({ type: 'start', isComplete: false });
  world.advance(minute);
  world.heard();
  world.input({ type: 'announce-now' });
  assert.deepEqual(world.heard(), []);
  world.input({ type: 'port-changed' });
  assert.deepEqual(world.heard(), ['none a']);
});
