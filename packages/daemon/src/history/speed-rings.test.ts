import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpeedRings } from './speed-rings.ts';

const startMs = Date.UTC(2026, 0, 1);

test('a steady flow reads as itself in every ring', () => {
  const rings = new SpeedRings();
  for (let second = 0; second < 7200; second++) rings.add(1000, 10, startMs + second * 1000);
  const endMs = startMs + 7_200_000;
  for (const step of ['second', 'minute', 'hour'] as const) {
    const { down, up, stepMs, endMs: end } = rings.read(step, endMs);
    assert.equal(down.at(-1), 1000, step);
    assert.equal(up.at(-1), 10, step);
    assert.equal(end, endMs, step);
    assert.equal(endMs % stepMs, 0);
  }
  assert.equal(rings.read('hour', endMs).down.filter((rate) => rate > 0).length, 2);
});

test('a sleep is zeros, a clock that is set back writes nothing wrong, and a later run goes on', () => {
  const rings = new SpeedRings();
  for (let second = 0; second < 60; second++) rings.add(500, 0, startMs + second * 1000);
  rings.add(500, 0, startMs + 180_000);
  const minutes = rings.read('minute', startMs + 240_000);
  assert.deepEqual(minutes.down.slice(-4), [500, 0, 0, 8]);
  rings.add(1e9, 0, startMs - 86_400_000);
  assert.deepEqual(rings.read('minute', startMs + 240_000), minutes);
  const later = new SpeedRings();
  later.load(rings.save(startMs + 240_000));
  assert.deepEqual(later.read('minute', startMs + 240_000), minutes);
});
