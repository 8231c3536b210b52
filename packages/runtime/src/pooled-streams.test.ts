import { deepEqual, equal, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import type { PooledSha1 } from './pooled-sha1.ts';
import { PooledStreams } from './pooled-streams.ts';

/** Hashes nothing; tells what is done with its streams, and ends updates when it is told to. */
function fixture() {
  const log: string[] = [];
  const ends: ((isDone: boolean) => void)[] = [];
  let streamCount = 0;
  const sha1: PooledSha1 = {
    digest: () => {},
    open: () => {
      const id = streamCount++;
      return {
        update: (_, done) => void ends.push(done),
        finish: () => {
          log.push(`finish ${id}`);
          return new Uint8Array([id]);
        },
        close: () => void log.push(`close ${id}`),
      };
    },
  };
  return { log, ends, streams: new PooledStreams(sha1) };
}

const bytes = new Uint8Array(1);

test('a digest comes with the last part, and the stream is given back', async () => {
  const { log, ends, streams } = fixture();
  streams.begin(7);
  const first = streams.digest({ key: 7, part: 'first' }, bytes);
  equal(streams.isBusy(7), true);
  ends.shift()!(true);
  equal(await first, null);
  equal(streams.isBusy(7), false);
  const last = streams.digest({ key: 7, part: 'last' }, bytes);
  ends.shift()!(true);
  deepEqual(await last, new Uint8Array([0]));
  deepEqual(log, ['finish 0', 'close 0']);
  equal(streams.has(7), false);
});

test('a stream that is ended while it is used is given back afterwards, and once', async () => {
  const { log, ends, streams } = fixture();
  streams.begin(7);
  const first = streams.digest({ key: 7, part: 'first' }, bytes);
  streams.end(7);
  deepEqual(log, []);
  ends.shift()!(true);
  await rejects(first, /could not be computed/);
  deepEqual(log, ['close 0']);
  await rejects(streams.digest({ key: 7, part: 'middle' }, bytes), /start anew/);
  streams.close();
  deepEqual(log, ['close 0']);
});

test('one that begins anew has nothing of the one before', async () => {
  const { log, ends, streams } = fixture();
  streams.begin(7);
  streams.begin(7);
  deepEqual(log, ['close 0']);
  const only = streams.digest({ key: 7, part: 'last' }, bytes);
  ends.shift()!(true);
  deepEqual(await only, new Uint8Array([1]));
  streams.close();
  deepEqual(log, ['close 0', 'finish 1', 'close 1']);
});
