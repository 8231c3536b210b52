import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerEpoch } from './server-epoch.ts';

/** Whether the last of these answers, [server seconds, our seconds], says that mappings may be gone. */
function isForgotten(...answers: readonly (readonly [number, number])[]): boolean {
  const epoch = new ServerEpoch();
  return answers.map(([server, client]) => epoch.handleEpoch(server, client * 1000)).at(-1)!;
}

test('RFC 6887, section 8.5: clocks that go together, a little wrong, are fine', () => {
  assert.equal(isForgotten([0, 5000]), false, 'the first says nothing');
  assert.equal(isForgotten([100, 0], [120, 20]), false);
  assert.equal(isForgotten([100, 0], [99, 0]), false, 'one second back is a matter of rounding');
  assert.equal(isForgotten([100, 0], [1060, 1000]), false, 'a sixteenth slow');
  assert.equal(isForgotten([100, 0], [1160, 1000]), false, 'a sixteenth fast');
});

test('a server that goes back, or lost time, has started anew; one that ran on while we stood still too', () => {
  assert.equal(isForgotten([100, 0], [3, 20]), true);
  assert.equal(isForgotten([5, 0], [30, 300]), true, 'restarted in between, and older again than it was');
  assert.equal(isForgotten([100, 0], [7300, 20]), true, 'we slept');
  assert.equal(isForgotten([100, 0], [3, 20], [23, 40]), false, 'said once');
});
