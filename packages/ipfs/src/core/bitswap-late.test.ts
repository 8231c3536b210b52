/** When a block is late: by what comes, not by how long the whole of it takes. */
import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { cidOf } from '../wire/cid-bytes.ts';
import { BitswapClient } from './bitswap-client.ts';
import type { BitswapClientInput } from './bitswap-client-words.ts';
import { bitswapLimits } from './bitswap-limits.ts';

const prefix = { version: 1, codec: 0x55, hashCode: 0x12, digestBytes: 32 } as const;
const cid = cidOf(prefix, new Prng(1).bytes(32));

/** One block is asked of one peer at 0 ms; what it does then, every 100 ms. @returns timeouts after so long */
function timeoutsAfter(ms: number, doing: (nowMs: number) => BitswapClientInput | null): number {
  const client = new BitswapClient();
  client.handle({ type: 'peer-open', peer: 'a', speaksHave: true }, 0);
  client.handle({ type: 'want', session: 1, cids: [cid] }, 0);
  for (let nowMs = 0; nowMs <= ms; nowMs += 100) {
    const input = doing(nowMs);
    if (input !== null) client.handle(input, nowMs);
    const nextMs = client.nextTimeoutMs();
    if (nextMs !== null && nextMs <= nowMs) client.handleTimeout(nowMs);
    client.drain([]);
  }
  return client.peers.get('a')!.counts.timeouts;
}

const { timeoutFirstMs, progressBytes, progressBytesMax } = bitswapLimits;

test('who says nothing is late', () => {
  equal(
    timeoutsAfter(timeoutFirstMs + 100, () => null),
    1,
  );
});

test('a block that comes slowly is not late', () => {
  const bytes = progressBytes;
  equal(
    timeoutsAfter(10 * timeoutFirstMs, () => ({ type: 'bytes', peer: 'a', bytes })),
    0,
  );
});

test('a few bytes now and then are no block; nor are many without an end', () => {
  const few = timeoutsAfter(3 * timeoutFirstMs, () => ({ type: 'bytes', peer: 'a', bytes: 1 }));
  ok(few > 0);
  const many = timeoutsAfter(3 * timeoutFirstMs, () => ({
    type: 'bytes',
    peer: 'a',
    bytes: progressBytesMax / 4,
  }));
  ok(many > 0);
});

test('time in which its bytes are not read counts for nobody, and what follows counts again', () => {
  const endMs = 4 * timeoutFirstMs;
  const held = (nowMs: number): BitswapClientInput | null =>
    nowMs === 100 || nowMs === endMs ? { type: 'held', peer: 'a', isHeld: nowMs === 100 } : null;
  equal(timeoutsAfter(endMs + timeoutFirstMs - 100, held), 0);
  equal(timeoutsAfter(endMs + timeoutFirstMs + 100, held), 1);
});
