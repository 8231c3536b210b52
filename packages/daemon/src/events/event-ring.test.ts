import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventRing } from './event-ring.ts';

test('who asks with the last number gets each event once, and is told what was lost', async () => {
  const ring = new EventRing(() => 7);
  const heard: number[] = [];
  const stop = ring.subscribe(({ seq }) => void heard.push(seq));
  assert.deepEqual(await ring.since(0), { events: [], lost: false, seq: 0 });
  for (let at = 0; at < 5; at++) ring.emit({ type: 'node.resumed' });
  stop();
  const first = await ring.since(0, 3);
  assert.deepEqual([first.events.map(({ seq }) => seq), first.lost, first.seq], [[1, 2, 3], false, 3]);
  assert.deepEqual(
    (await ring.since(first.seq)).events.map(({ seq }) => seq),
    [4, 5],
  );
  assert.deepEqual(await ring.since(5), { events: [], lost: false, seq: 5 });
  assert.equal((await ring.since(6)).lost, true, 'of another run');
  for (let at = 0; at < 10_000; at++) ring.emit({ type: 'node.resumed' });
  const late = await ring.since(4, 1);
  assert.deepEqual([late.lost, late.events[0]?.seq], [true, 6]);
  assert.equal((await ring.since(5, 1)).lost, false);
  assert.deepEqual(heard, [1, 2, 3, 4, 5]);
});
