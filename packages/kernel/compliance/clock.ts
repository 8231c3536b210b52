/** What every Clock must do. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '@tequio/kernel';

export type ClockFixture = {
  readonly clock: Clock;
  /** Lets time pass until `condition` holds; throws when it takes too long. */
  until(condition: () => boolean): Promise<void>;
};

/** Registers the suite. */
export function testClock(name: string, make: () => ClockFixture): void {
  test(`${name}: timers fire once, in order, and never early`, async () => {
    const { clock, until } = make();
    const startMs = clock.nowMs();
    const fired: [number, number][] = [];
    for (const delayMs of [30, 10.5, 20, 0]) {
      clock.setTimer(delayMs, () => fired.push([delayMs, clock.nowMs() - startMs]));
    }
    equal(fired.length, 0, 'never from inside setTimer');
    await until(() => fired.length === 4);
    deepEqual(
      fired.map(([delayMs]) => delayMs),
      [0, 10.5, 20, 30],
    );
    for (const [delayMs, afterMs] of fired) ok(afterMs >= delayMs, `${afterMs} >= ${delayMs}`);
  });

  test(`${name}: a cancelled timer never fires, and cancelling twice or late is harmless`, async () => {
    const { clock, until } = make();
    let wrongCount = 0;
    let rightCount = 0;
    const first = clock.setTimer(5, () => wrongCount++);
    first.cancel();
    first.cancel();
    const second = clock.setTimer(10, () => {
      third.cancel();
      rightCount++;
    });
    const third = clock.setTimer(11, () => wrongCount++);
    const last = clock.setTimer(40, () => rightCount++);
    await until(() => rightCount === 2);
    second.cancel();
    last.cancel();
    equal(wrongCount, 0);
  });

  test(`${name}: a timer can set the next one`, async () => {
    const { clock, until } = make();
    let count = 0;
    const again = (): void => {
      if (++count < 5) clock.setTimer(1, again);
    };
    clock.setTimer(1, again);
    await until(() => count === 5);
  });

  test(`${name}: a delay of months does not fire at once`, async () => {
    const { clock, until } = make();
    let fired = false;
    const long = clock.setTimer(2 ** 33, () => {
      fired = true;
    });
    let soon = false;
    clock.setTimer(20, () => {
      soon = true;
    });
    await until(() => soon);
    equal(fired, false);
    long.cancel();
  });

  test(`${name}: both clocks move together`, async () => {
    const { clock, until } = make();
    const [startMs, startWallMs] = [clock.nowMs(), clock.wallMs()];
    let done = false;
    clock.setTimer(30, () => {
      done = true;
    });
    await until(() => done);
    const passedMs = clock.nowMs() - startMs;
    ok(passedMs >= 30);
    ok(Math.abs(clock.wallMs() - startWallMs - passedMs) < 20);
    ok(startWallMs > 1_500_000_000_000);
  });
}
