import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placesOf } from './peer-places.ts';

test('peers are counted by country, the one with most first', () => {
  const peers = [1, 2, 4, 8].map((downRate) => ({ downRate, upRate: 10 * downRate }));
  assert.deepEqual(placesOf(peers, ['MX', null, 'CH', 'CH']), [
    { country: 'CH', peerCount: 2, downRate: 12, upRate: 120 },
    { country: 'MX', peerCount: 1, downRate: 1, upRate: 10 },
    { country: null, peerCount: 1, downRate: 2, upRate: 20 },
  ]);
  assert.deepEqual(placesOf([], []), []);
});
