import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import type { IpAddress } from '@tequio/kernel';
import { untilReal } from '@tequio/kernel/compliance/clock-real';
import { GatheredReads, gatheringLimits } from './gathered-reads.ts';
import { tryLoadLibc } from './libc.ts';
import { createTcp } from './tcp.ts';

const { gatheredBytes, measuredBytes, fastBytesPerMs } = gatheringLimits;

function fixture(isAble = true) {
  const set: number[] = [];
  const time = { ms: 0 };
  const reads = new GatheredReads(
    (bytes) => {
      set.push(bytes);
      return isAble;
    },
    () => time.ms,
  );
  /** Brings `bytes` in reads of 64 KiB, at a rate. */
  const bring = (bytes: number, bytesPerMs: number): void => {
    for (let left = bytes; left > 0; left -= 65_536) {
      time.ms += 65_536 / bytesPerMs;
      reads.handleRead(65_536);
    }
  };
  return { reads, set, bring };
}

test('reads are gathered while bytes come fast, and no longer', () => {
  const { reads, set, bring } = fixture();
  bring(2 * measuredBytes, fastBytesPerMs / 2);
  deepEqual(set, []);
  bring(2 * measuredBytes, fastBytesPerMs * 2);
  deepEqual(set, [gatheredBytes]);
  reads.look();
  deepEqual(set, [gatheredBytes]);
  reads.look();
  deepEqual(set, [gatheredBytes, 1]);
});

test('who is held up by it is measured twice as long each time', () => {
  const { reads, set, bring } = fixture();
  for (let time = 0; time < 4; time++) {
    bring(measuredBytes * 2 ** time - 65_536, fastBytesPerMs * 2);
    equal(set.length, 2 * time);
    bring(65_536, fastBytesPerMs * 2);
    equal(set.length, 2 * time + 1);
    reads.look();
    reads.look();
    equal(set.length, 2 * time + 2);
  }
});

test('who was gathered of for long is measured no longer than at first', () => {
  const { reads, set, bring } = fixture();
  for (let time = 0; time < 3; time++) {
    bring((1 + gatheringLimits.worthwhile) * measuredBytes, fastBytesPerMs * 2);
    equal(set.length, 2 * time + 1);
    reads.look();
    reads.look();
  }
});

test('a system that cannot is asked once', () => {
  const { set, bring } = fixture(false);
  bring(8 * measuredBytes, fastBytesPerMs * 2);
  deepEqual(set, [gatheredBytes]);
});

test('the end of a fast stream comes without more behind it', { skip: tryLoadLibc() === null }, async () => {
  const tcp = createTcp();
  const rounds = 3;
  const bytes = 24 * measuredBytes;
  const chunk = new Uint8Array(1 << 20);
  let received = 0;
  const listener = await tcp.listen({ address: '127.0.0.1' as IpAddress, port: 0 }, () => ({
    onBytes: (part) => {
      received += part.length;
    },
    onClose() {},
  }));
  const connection = tcp.dial(listener.local, { timeoutMs: 30_000 }, { onBytes() {}, onClose() {} });
  // The connection stays open: nothing but the next look brings what is less than is gathered.
  for (let round = 1; round <= rounds; round++) {
    for (let sent = 0; sent < bytes; sent += chunk.length) connection.write([chunk]);
    connection.write([new Uint8Array(round)]);
    await untilReal(() => received === round * bytes + (round * (round + 1)) / 2);
  }
  connection.destroy();
  await listener.close();
});
