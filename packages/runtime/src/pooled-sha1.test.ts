import { deepEqual, equal } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { tryLoadPooledSha1 } from './pooled-sha1.ts';

const sha1 = tryLoadPooledSha1();

test('what the pool hashes is SHA-1', { skip: sha1 === null }, async () => {
  const memory = new Uint8Array(new SharedArrayBuffer(1 << 20)).map((_, at) => (at * 31) >> 3);
  const digestOf = (bytes: Uint8Array) =>
    new Promise<Uint8Array | null>((resolve) => sha1!.digest(bytes, resolve));
  const lengths = [1, 20, 63, 64, 65, 16_384, 1 << 20];
  const digests = await Promise.all(lengths.map((length) => digestOf(memory.subarray(0, length))));
  for (const [i, length] of lengths.entries()) {
    const expected = createHash('sha1').update(memory.slice(0, length)).digest();
    deepEqual(digests[i], new Uint8Array(expected));
  }
});

test('a stream gives the SHA-1 of its parts together', { skip: sha1 === null }, async () => {
  const stream = sha1!.open();
  const parts = [1, 16_384, 63, 300_000].map((length, at) => new Uint8Array(length).fill(at));
  for (const part of parts) equal(await new Promise((resolve) => stream.update(part, resolve)), true);
  deepEqual(stream.finish(), new Uint8Array(createHash('sha1').update(Buffer.concat(parts)).digest()));
  stream.close();
});

test('many at once, each with its own answer', { skip: sha1 === null }, async () => {
  const pieces = Array.from({ length: 200 }, (_, at) => new Uint8Array(4096).fill(at));
  let answeredCount = 0;
  const digests = await Promise.all(
    pieces.map(
      (piece) =>
        new Promise<Uint8Array | null>((resolve) => {
          sha1!.digest(piece, (digest) => {
            answeredCount++;
            resolve(digest);
          });
          equal(answeredCount, 0, 'never from inside the call');
        }),
    ),
  );
  for (const [at, piece] of pieces.entries())
    deepEqual(digests[at], new Uint8Array(createHash('sha1').update(piece).digest()));
});
