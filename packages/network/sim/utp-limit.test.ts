/**
 * A receiver with a limit, over uTP on a local line: what the sender puts on the line is the limit too, from the first
 * seconds on, because the receiver offers no more room than its reader uses.
 */
import { ok } from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { RateLimiter } from '../src/bandwidth.ts';
import { type End, endpointB, UtpPair } from '../src/utp/utp-pair.fixture.ts';

/** Of the limit; what the headers of uTP come to is in it. */
const errorMax = 0.05;

const chunk = new Uint8Array(64 * 1024);

/** A transfer whose reader takes so many bytes a second and no more; timers are a millisecond late, as real ones. */
class PacedTransfer {
  /** Payload and uTP's header that the sender has put on the line. */
  sentBytes = 0;
  readonly #pair: UtpPair;
  readonly #limiter: RateLimiter;
  readonly #reader: End;
  #isArmed = false;

  constructor(seed: number, rate: number, roundTripMs: number) {
    this.#limiter = new RateLimiter('reader', rate);
    const latencyMs = roundTripMs / 2;
    const there = (bytes: Uint8Array): readonly number[] => {
      // Packets as on any line: the ones that try for more do not pass.
      if (bytes.length > 1472) return [];
      this.sentBytes += bytes.length;
      return [latencyMs];
    };
    this.#pair = new UtpPair(new Prng(seed), there, () => [latencyMs]);
    const writer = this.#pair.a.dial(endpointB);
    writer.onReady = () => this.#feed(writer);
    this.#feed(writer);
    this.#pair.run(1000, () => this.#pair.b.ends.length > 0);
    this.#reader = this.#pair.b.ends[0]!;
    this.#reader.keepsBytes = false;
    this.#reader.onRead = (bytes) => {
      this.#limiter.charge(bytes.length, this.#pair.clock.nowMs());
      this.#pause();
    };
  }

  get readBytes(): number {
    return this.#reader.receivedBytes;
  }

  run(ms: number): void {
    this.#pair.run(ms);
  }

  #feed(writer: End): void {
    while (writer.connection!.queuedBytes < 4 * chunk.length) {
      if (!writer.connection!.write([chunk], this.#pair.clock.nowMs())) break;
    }
    this.#pair.a.drive();
  }

  #pause(): void {
    const { clock } = this.#pair;
    const waitMs = this.#limiter.nextMs(clock.nowMs()) - clock.nowMs();
    this.#reader.isPaused = waitMs > 0;
    if (waitMs <= 0 || this.#isArmed) return;
    this.#isArmed = true;
    clock.setTimer(Math.ceil(waitMs) + 1, () => {
      this.#isArmed = false;
      this.#pause();
      this.#reader.read(clock.nowMs());
      this.#pair.b.drive();
    });
  }
}

/** @returns by how much what was sent in each of the spans differs from the limit; 1 is as much again */
function errorsOf(transfer: PacedTransfer, rate: number, spansMs: readonly number[]): number[] {
  return spansMs.map((ms) => {
    const before = transfer.sentBytes;
    transfer.run(ms);
    return ((transfer.sentBytes - before) * 1000) / ms / rate - 1;
  });
}

const shown = (errors: readonly number[]): string =>
  errors.map((error) => `${(100 * error).toFixed(1)} %`).join(', ');

for (const { megabytes, spanMs } of [
  { megabytes: 1, spanMs: 3000 },
  { megabytes: 10, spanMs: 2000 },
  { megabytes: 100, spanMs: 2000 },
]) {
  test(`a reader of ${megabytes} MB/s near by: in the first seconds too nothing more is sent`, (context) => {
    const rate = megabytes * 1e6;
    const errors = errorsOf(new PacedTransfer(1, rate, 0.5), rate, [spanMs, spanMs]);
    context.diagnostic(shown(errors));
    for (const error of errors) ok(Math.abs(error) < errorMax, `${error}`);
  });
}

for (const { roundTripMs, settleMs } of [
  { roundTripMs: 50, settleMs: 1000 },
  { roundTripMs: 300, settleMs: 8000 },
]) {
  test(`a reader of 1 MB/s, ${roundTripMs} ms away, never waits for room`, (context) => {
    const rate = 1e6;
    const transfer = new PacedTransfer(1, rate, roundTripMs);
    transfer.run(settleMs);
    const before = transfer.readBytes;
    const errors = errorsOf(transfer, rate, [3000, 3000, 3000]);
    const read = (transfer.readBytes - before) / 9;
    context.diagnostic(`${shown(errors)}; read ${Math.round(read)} bytes/s`);
    for (const error of errors) ok(Math.abs(error) < errorMax, `${error}`);
    ok(read > 0.99 * rate, `${read} bytes/s were read`);
  });
}
