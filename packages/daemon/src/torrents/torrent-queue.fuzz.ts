import { test } from 'node:test';
import fc from 'fast-check';
import { checkVerdict } from './torrent-queue.model.ts';
import { decideQueue, type QueueItem } from './torrent-queue.ts';

const most = fc.option(fc.nat(4), { nil: null });
const limits = fc.record({
  activeDownloads: most,
  activeSeeds: most,
  activeTotal: most,
  isPaused: fc.boolean(),
});
const items = fc
  .array(
    fc.record({
      complete: fc.boolean(),
      sinceMs: fc.nat(5),
      forced: fc.boolean(),
      running: fc.boolean(),
      slow: fc.boolean(),
    }),
    { maxLength: 12 },
  )
  .map((list) => list.map((item, rank): QueueItem => ({ ...item, rank, id: `t${rank}` })));

test('whatever there is, the queue keeps its promises', () => {
  fc.assert(
    fc.property(items, limits, (list, limit) => checkVerdict(list, limit, decideQueue(list, limit))),
    { numRuns: 3000 },
  );
});

test('what the queue has decided it does not change again', () => {
  fc.assert(
    fc.property(items, limits, (list, limit) => {
      const { run, wait } = decideQueue(list, limit);
      const after = list.map((item) => ({
        ...item,
        running: (item.running && !wait.includes(item.id)) || run.includes(item.id),
        // One that has just been started is not slow yet.
        slow: item.slow && item.running,
      }));
      const again = decideQueue(after, limit);
      if (again.run.length + again.wait.length > 0) throw new Error(JSON.stringify(again));
    }),
    { numRuns: 3000 },
  );
});
