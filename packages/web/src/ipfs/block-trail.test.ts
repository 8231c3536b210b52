import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { readTrail, trailText } from './block-trail.ts';

test('a way through blocks is written into the address, and read from it', () => {
  const steps = [
    { path: 'ipfs://bafy1/a b', name: '' },
    { path: 'bafy2', name: 'a name with spaces' },
    { path: 'bafy3', name: '' },
  ];
  deepEqual(readTrail(trailText(steps)), steps);
  deepEqual(readTrail(''), []);
  deepEqual(readTrail('bafy1'), [{ path: 'bafy1', name: '' }]);
});

test('a name of two lines, and a way without end, do no harm', () => {
  deepEqual(
    readTrail(
      trailText([
        { path: 'a', name: '' },
        { path: 'b', name: 'x\ny' },
      ]),
    )[1],
    {
      path: 'b',
      name: 'x y',
    },
  );
  const long = Array.from({ length: 1000 }, (_, index) => ({ path: `b${index}`, name: `${index}` }));
  const read = readTrail(trailText(long));
  equal(read.length, 100);
  deepEqual([read[0]!.path, read.at(-1)!.path], ['b0', 'b999']);
});
