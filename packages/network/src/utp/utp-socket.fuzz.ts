/**
 * Pairs of connections over channels that lose, repeat, delay and change the order of datagrams: whatever is written
 * arrives in order, whole and once, or both sides see an error; memory stays within its limits. And bytes of no
 * meaning, or of a wrong one, never throw.
 */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { limits } from '../limits.ts';
import { type Channel, type End, endpointA, endpointB, type UtpHost, UtpPair } from './utp-pair.fixture.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 120);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);

type Line = { loss: number; twice: number; latencyMs: number; jitterMs: number; mtuBytes: number };

function channelOf(prng: Prng, line: Line): Channel {
  return (bytes) => {
    if (bytes.length > line.mtuBytes || prng.chance(line.loss)) return [];
    const delay = (): number => line.latencyMs + prng.nextFloat() * line.jitterMs;
    return prng.chance(line.twice) ? [delay(), delay()] : [delay()];
  };
}

function lineOf(prng: Prng): Line {
  const isBad = prng.chance(0.5);
  return {
    loss: isBad ? prng.nextFloat() * 0.25 : 0,
    twice: prng.chance(0.3) ? 0.2 : 0,
    latencyMs: prng.pick([0.1, 5, 50, 300]),
    jitterMs: prng.pick([0, 0, 3, 100]),
    mtuBytes: prng.pick([1200, 1300, 1472, 65_000]),
  };
}

/** One direction: a stream of bytes whose every byte is known from its place. */
class Story {
  written = 0;
  checked = 0;
  isEnded = false;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  byteAt(at: number): number {
    return (Math.imul(at + this.#seed, 0x9e3779b1) >>> 24) & 0xff;
  }

  next(length: number): Uint8Array {
    const bytes = Uint8Array.from({ length }, (_, i) => this.byteAt(this.written + i));
    this.written += length;
    return bytes;
  }

  check(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte !== this.byteAt(this.checked)) throw new Error(`byte ${this.checked} is wrong`);
      this.checked++;
    }
  }
}

function writeSome(prng: Prng, host: UtpHost, end: End, story: Story, nowMs: number): void {
  if (end.connection === null || end.error !== undefined || story.isEnded) return;
  const parts = Array.from({ length: prng.between(1, 3) }, () => prng.pick([0, 1, 20, 700, 5000, 40_000]));
  const before = story.written;
  const bytes = parts.map((length) => story.next(length));
  if (!end.connection.write(bytes, nowMs)) {
    story.written = before;
    story.isEnded = true;
  }
  host.drive();
}

function runPair(seed: number): void {
  const prng = new Prng(seed);
  const lines = [lineOf(prng), lineOf(prng)] as const;
  const pair = new UtpPair(prng.fork(), channelOf(prng.fork(), lines[0]), channelOf(prng.fork(), lines[1]));
  const near = pair.a.dial(endpointB, 20_000);
  pair.run(20_000, () => (near.isOpen && pair.b.ends.length > 0) || near.error !== undefined);
  const far = pair.b.ends[0];
  if (near.error !== undefined || far === undefined) return;
  const [there, back] = [new Story(seed), new Story(seed + 1)];
  far.keepsBytes = false;
  near.keepsBytes = false;
  far.onRead = (bytes) => there.check(bytes);
  near.onRead = (bytes) => back.check(bytes);
  let mostBytes = 0;
  const stepCount = prng.between(5, 60);
  for (let step = 0; step < stepCount; step++) {
    const nowMs = pair.clock.nowMs();
    if (prng.chance(0.5)) writeSome(prng, pair.a, near, there, nowMs);
    if (prng.chance(0.3)) writeSome(prng, pair.b, far, back, nowMs);
    for (const [host, end] of [
      [pair.a, near],
      [pair.b, far],
    ] as const) {
      if (!prng.chance(0.2)) continue;
      end.isPaused = !end.isPaused;
      if (!end.isPaused) end.read(nowMs);
      host.drive();
    }
    pair.run(prng.pick([0, 1, 30, 400]));
    mostBytes = Math.max(
      mostBytes,
      near.connection!.figures.waitingBytes,
      far.connection!.figures.waitingBytes,
    );
  }
  for (const [host, end] of [
    [pair.a, near],
    [pair.b, far],
  ] as const) {
    end.isPaused = false;
    end.read(pair.clock.nowMs());
    host.drive();
  }
  const isDone = (): boolean =>
    (there.checked === there.written && back.checked === back.written) ||
    near.error !== undefined ||
    far.error !== undefined;
  pair.run(900_000, isDone);
  const wasWhole = there.checked === there.written && back.checked === back.written;
  const isAEnding = prng.chance(0.5);
  const [host, end] = isAEnding ? [pair.a, near] : [pair.b, far];
  end.connection!.end(pair.clock.nowMs());
  host.drive();
  pair.run(400_000, () => near.error !== undefined && far.error !== undefined);
  ok(near.error !== undefined && far.error !== undefined, 'both sides have closed');
  ok(wasWhole || (near.error !== null && far.error !== null), 'all has arrived, or both have an error');
  ok(mostBytes <= limits.utp.receiveBytesMax + 65_536, 'memory of a receiver');
  deepEqual([pair.a.socket.waitingBytes, pair.b.socket.waitingBytes], [0, 0]);
  pair.run(20_000);
  deepEqual([pair.a.socket.counts.connections, pair.b.socket.counts.connections], [0, 0]);
}

test('what is written arrives in order, whole and once, over any channel', () => {
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    try {
      runPair(seed);
    } catch (error) {
      throw new Error(`seed ${seed} (FUZZ_SEED=${seed} FUZZ_RUNS=1)`, { cause: error });
    }
  }
});

/** Bytes that look like uTP, or like a packet of this very connection, or like nothing. */
function strayBytes(prng: Prng, seen: readonly Uint8Array[]): Uint8Array {
  if (prng.chance(0.3) || seen.length === 0) {
    const bytes = prng.bytes(prng.between(0, 60));
    if (bytes.length > 0 && prng.chance(0.8)) bytes[0] = (prng.below(6) << 4) | 1;
    if (bytes.length > 1 && prng.chance(0.7)) bytes[1] = prng.below(3);
    return bytes;
  }
  const bytes = prng.pick(seen).slice();
  const changeCount = prng.between(1, 4);
  for (let i = 0; i < changeCount; i++) bytes[prng.below(bytes.length)] = prng.below(256);
  return prng.chance(0.2) ? bytes.subarray(0, prng.below(bytes.length + 1)) : bytes;
}

test('stray datagrams never throw, and cost bounded memory', () => {
  for (let seed = firstSeed; seed < firstSeed + Math.ceil(runCount / 4); seed++) {
    const prng = new Prng(seed);
    const seen: Uint8Array[] = [];
    const channel: Channel = (bytes) => {
      if (seen.length < 300) seen.push(bytes.slice());
      return [prng.nextFloat() * 5];
    };
    const pair = new UtpPair(prng.fork(), channel, channel);
    const near = pair.a.dial(endpointB);
    try {
      for (let i = 0; i < 400; i++) {
        if (near.connection !== null && prng.chance(0.1)) {
          near.connection.write([prng.bytes(prng.between(0, 3000))], pair.clock.nowMs());
          pair.a.drive();
        }
        const [host, from] = prng.chance(0.5) ? [pair.a, endpointB] : [pair.b, endpointA];
        host.receive(strayBytes(prng, seen).slice(), from);
        pair.run(prng.pick([0, 1, 20]));
        const { connections } = pair.b.socket.counts;
        ok(connections <= limits.utp.unconfirmedCountMax + 50, `${connections} connections`);
      }
      pair.run(1_000_000);
    } catch (error) {
      throw new Error(`seed ${seed} (FUZZ_SEED=${seed} FUZZ_RUNS=4)`, { cause: error });
    }
    equal(pair.a.socket.waitingBytes + pair.b.socket.waitingBytes, 0);
  }
});
