import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, Prng } from '@tequio/kernel';
import { limits } from './limits.ts';
import { encodeNoisePayload, tryDecodeNoisePayload } from './noise-payload.ts';
import { encodeHead, type FrameHead, FrameReader, frameType, YamuxError } from './yamux-frame.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 3_000);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);

type Heard = { readonly heads: FrameHead[]; readonly bodies: Uint8Array[] };

/** @returns null: it was refused */
function read(pieces: readonly Uint8Array[]): Heard | null {
  const heard: Heard = { heads: [], bodies: [] };
  let isInside = false;
  const reader = new FrameReader({
    handleHead: (head) => {
      equal(isInside, false, 'a head comes after all data of the one before');
      isInside = head.type === frameType.data;
      heard.heads.push(head);
      if (isInside) heard.bodies.push(new Uint8Array());
    },
    handleBody: (bytes, isLast) => {
      ok(isInside);
      heard.bodies.push(concatBytes([heard.bodies.pop()!, bytes]));
      isInside = !isLast;
    },
  });
  try {
    for (const piece of pieces) reader.push(piece);
    return heard;
  } catch (error) {
    ok(error instanceof YamuxError, String(error));
    return null;
  }
}

function cut(prng: Prng, bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + prng.below(prng.pick([1, 5, 13, 200])));
    pieces.push(bytes.slice(at, end));
    at = end;
  }
  return pieces;
}

test('frames are the same however they are cut', () => {
  for (let seed = firstSeed; seed < firstSeed + runCount / 3; seed++) {
    const prng = new Prng(seed);
    const heads: FrameHead[] = [];
    const bodies: Uint8Array[] = [];
    const parts: Uint8Array[] = [];
    for (let i = prng.below(6); i >= 0; i--) {
      const type = prng.below(4);
      const isOfConnection = type === frameType.ping || type === frameType.goAway;
      const body = type === frameType.data ? prng.bytes(prng.below(60)) : null;
      const stream = isOfConnection ? 0 : 1 + prng.below(2 ** 32 - 1);
      const head = { type, flags: prng.below(16), stream, length: body?.length ?? prng.nextUint32() };
      heads.push(head);
      if (body !== null) bodies.push(body);
      parts.push(encodeHead(head), body ?? new Uint8Array());
    }
    deepEqual(read(cut(prng, concatBytes(parts))), { heads, bodies }, `seed ${seed}`);
  }
});

test('whatever comes, it is frames or refused', () => {
  let soundCount = 0;
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    const prng = new Prng(seed);
    const bytes = prng.bytes(prng.below(64));
    // Half of them look like frames at least.
    if (prng.chance(0.5)) bytes.set([0, prng.below(5)].slice(0, bytes.length));
    if (read(cut(prng, bytes)) !== null) soundCount++;
  }
  ok(soundCount > 0 && soundCount < runCount);
});

test('whatever a handshake says, it is a payload or none; and a payload comes back as it was', () => {
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    const prng = new Prng(seed);
    const muxers = Array.from({ length: prng.below(4) }, (_, index) => `/muxer/${index}`);
    const payload = {
      identityKey: prng.bytes(1 + prng.below(300)),
      signature: prng.bytes(1 + prng.below(300)),
      muxers,
    };
    const bytes = encodeNoisePayload(payload);
    deepEqual(tryDecodeNoisePayload(bytes), payload);
    for (let i = prng.below(4); i >= 0; i--) bytes[prng.below(bytes.length)] = prng.below(256);
    const found = tryDecodeNoisePayload(bytes.subarray(0, prng.below(bytes.length + 1)));
    ok(found === null || found.muxers.length <= limits.noise.muxerCount);
  }
});
