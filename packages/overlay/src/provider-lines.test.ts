import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { Stream } from '@libp2p/interface';
import { concatBytes } from '@tequio/kernel';
import { VirtualClock } from '@tequio/simulator';
import { limits } from './limits.ts';
import { ProviderLines } from './provider-lines.ts';
import { AnswerEnd, encodeAddProvider, encodeFindNode, encodeProvider } from './provider-message.ts';

const question = Uint8Array.of(1, 99);
const message = (number: number): Uint8Array => Uint8Array.of(2, 7, number);

/** A stream whose other side is the test. */
class FakeStream extends EventTarget {
  readonly sent: Uint8Array[] = [];
  writeStatus = 'writable';
  isAborted = false;
  isEnded = false;

  send(bytes: Uint8Array): boolean {
    this.sent.push(bytes);
    return true;
  }

  abort(): void {
    this.isAborted = true;
    this.writeStatus = 'closed';
    this.dispatchEvent(new Event('close'));
  }

  async close(): Promise<void> {
    this.isEnded = true;
  }

  answer(...bytes: number[]): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: Uint8Array.of(...bytes) }));
  }
}

function startLines() {
  const clock = new VirtualClock();
  const lines = new ProviderLines(clock, question);
  const streams: FakeStream[] = [];
  const open = async (): Promise<Stream> => {
    const stream = new FakeStream();
    streams.push(stream);
    return stream as unknown as Stream;
  };
  const tell = (number: number): Promise<boolean> => lines.tell('peer', message(number), open);
  return { clock, lines, streams, tell };
}

/** What is due until then is done. */
function pass(clock: VirtualClock, ms: number): void {
  const endMs = clock.nowMs() + ms;
  while ((clock.nextMs() ?? Number.POSITIVE_INFINITY) <= endMs) clock.fireNext();
  clock.advanceTo(endMs);
}

/** Whatever waits for nothing but its turn has had it. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('all of a turn goes in one write, with a question behind it, and is told when that is answered', async () => {
  const { streams, tell } = startLines();
  let told = 0;
  const all = [1, 2, 3].map((number) => tell(number).then((isTold) => (told += Number(isTold))));
  await settled();
  equal(streams.length, 1);
  deepEqual(streams[0]!.sent, [concatBytes([message(1), message(2), message(3), question])]);
  const later = tell(4);
  await settled();
  equal(streams[0]!.sent.length, 1);
  equal(told, 0);
  streams[0]!.answer(3, 0);
  streams[0]!.answer(0, 0);
  await Promise.all(all);
  equal(told, 3);
  await settled();
  deepEqual(streams[0]!.sent[1], concatBytes([message(4), question]));
  streams[0]!.answer(0);
  equal(await later, true);
});

test('a line at rest is closed, and the next one is new', async () => {
  const { clock, streams, tell } = startLines();
  const first = tell(1);
  await settled();
  streams[0]!.answer(0);
  equal(await first, true);
  pass(clock, limits.lines.idleMs);
  equal(streams[0]!.isEnded, true);
  const second = tell(2);
  await settled();
  equal(streams.length, 2);
  streams[1]!.answer(0);
  equal(await second, true);
});

for (const [what, fail] of [
  ['that does not answer', (_: FakeStream, clock: VirtualClock) => pass(clock, limits.lines.answerMs)],
  ['that breaks off', (stream: FakeStream) => stream.abort()],
  ['that answers twice', (stream: FakeStream) => stream.answer(1, 0, 1, 0)],
  ['that answers without end', (stream: FakeStream) => stream.answer(0xff, 0xff, 0xff, 0x7f)],
] as const)
  test(`a peer ${what} was not told, and rests for a while`, async () => {
    const { clock, lines, streams, tell } = startLines();
    const waiting = tell(1);
    await settled();
    fail(streams[0]!, clock);
    equal(await waiting, false);
    ok(streams[0]!.isAborted);
    ok(lines.isResting('peer'));
    pass(clock, limits.lines.failedMs);
    ok(!lines.isResting('peer'));
  });

test('where there is no stream nothing is told; after the end neither', async () => {
  const { clock, lines, streams, tell } = startLines();
  equal(await lines.tell('other', message(1), () => Promise.reject(new Error('not there'))), false);
  const never = lines.tell('third', message(1), () => new Promise(() => {}));
  pass(clock, limits.lines.openMs);
  equal(await never, false);
  const open = tell(1);
  await settled();
  lines.close();
  equal(await open, false);
  ok(streams[0]!.isAborted);
  equal(await tell(2), false);
});

test('only so much waits for one peer', async () => {
  const { lines, tell } = startLines();
  const large = new Uint8Array(limits.lines.queuedBytes - 2);
  const first = lines.tell('peer', large, () => new Promise(() => {}));
  equal(await tell(1), false);
  lines.close();
  equal(await first, false);
});

test('messages as other programs write them', () => {
  const key = Uint8Array.of(0x12, 0x01, 0xaa);
  const provider = encodeProvider(Uint8Array.of(0x00, 0x01, 0xbb), [Uint8Array.of(4, 127, 0, 0, 1)]);
  // Written by hand from the specification's protobuf.
  deepEqual(
    Buffer.from(encodeAddProvider(key, provider)).toString('hex'),
    '15' + '0802' + '1203' + '1201aa' + '4a0c' + '0a03' + '0001bb' + '1205' + '047f000001',
  );
  deepEqual(Buffer.from(encodeFindNode(key)).toString('hex'), '07' + '0804' + '1203' + '1201aa');
});

test('an answer ends where its length says, however it comes', () => {
  const answer = Uint8Array.of(0x81, 0x01, ...new Uint8Array(129));
  for (let cut = 1; cut < answer.length; cut++) {
    const end = new AnswerEnd();
    equal(end.take(answer.subarray(0, cut)), false, `${cut}`);
    equal(end.take(answer.subarray(cut)), true, `${cut}`);
  }
});
