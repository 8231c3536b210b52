import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManagementEvent } from '@tequio/api';
import { NodeError, silentLog } from '@tequio/kernel';
import { VirtualClock } from '@tequio/simulator';
import { Supervisor } from './supervisor.ts';

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

/** Time goes on, event by event. */
async function pass(clock: VirtualClock, ms: number): Promise<void> {
  const untilMs = clock.nowMs() + ms;
  while ((clock.nextMs() ?? Number.POSITIVE_INFINITY) <= untilMs) {
    clock.fireNext();
    await settled();
  }
  clock.advanceTo(untilMs);
}

test('a part that fails is started again, later each time, and told of once', async () => {
  const clock = new VirtualClock();
  const events: ManagementEvent[] = [];
  const startedMs: number[] = [];
  const supervisor = new Supervisor({ clock, log: silentLog, emit: (event) => void events.push(event) });
  supervisor.start({
    name: 'feeds',
    run: async (signal) => {
      startedMs.push(clock.nowMs());
      if (startedMs.length < 5) throw new NodeError('X_BROKEN', 'It is broken.');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  });
  await settled();
  assert.equal(supervisor.troubles()[0]?.code, 'X_BROKEN');
  await pass(clock, 20_000);
  assert.deepEqual(startedMs, [0, 1000, 3000, 7000, 15_000]);
  assert.equal(supervisor.troubles().length, 1, 'not well until it was well for a minute');
  await pass(clock, 60_000);
  assert.deepEqual(supervisor.troubles(), []);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['node.trouble', 'node.recovered'],
  );
  await supervisor.close();
});

test('one that does not end is left behind after five seconds', async () => {
  const clock = new VirtualClock();
  const supervisor = new Supervisor({ clock, log: silentLog, emit: () => undefined });
  supervisor.start({ name: 'deaf', run: () => new Promise(() => undefined) });
  let isClosed = false;
  const closing = supervisor.close().then(() => {
    isClosed = true;
  });
  await settled();
  await pass(clock, 4999);
  assert.equal(isClosed, false);
  await pass(clock, 1);
  await closing;
});
