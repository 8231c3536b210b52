import assert from 'node:assert/strict';
import { it } from 'node:test';
import { closedAfter } from './closed-after.ts';

async function* three(): AsyncGenerator<number> {
  yield 1;
  yield 2;
  yield 3;
}

async function* broken(): AsyncGenerator<number> {
  yield 1;
  throw new Error('the disk is gone');
}

function counted(items: AsyncIterable<number>): { items: AsyncIterable<number>; closed: () => number } {
  let closed = 0;
  return { items: closedAfter(items, () => closed++), closed: () => closed };
}

it('closes once after the last item', async () => {
  const { items, closed } = counted(three());
  const seen = [];
  for await (const item of items) {
    assert.equal(closed(), 0);
    seen.push(item);
  }
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(closed(), 1);
});

it('closes when nobody wants more', async () => {
  const { items, closed } = counted(three());
  for await (const _ of items) break;
  assert.equal(closed(), 1);
});

it('closes when nobody asked for anything', async () => {
  const { items, closed } = counted(three());
  const iterator = items[Symbol.asyncIterator]();
  await iterator.return?.();
  await iterator.return?.();
  assert.equal(closed(), 1);
  assert.equal((await iterator.next()).done, true);
});

it('closes after a fault, which goes on to whoever reads', async () => {
  const { items, closed } = counted(broken());
  await assert.rejects(async () => {
    for await (const _ of items);
  }, /the disk is gone/);
  assert.equal(closed(), 1);
});
