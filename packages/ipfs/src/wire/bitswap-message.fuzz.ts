import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesEqual, concatBytes, Prng } from '@tequio/kernel';
import {
  type BitswapMessage,
  bitswapMessageLimits,
  decodeBitswapMessage,
  encodeBitswapMessage,
} from './bitswap-message.ts';
import { cidOf, encodeCidPrefix, tryReadCid } from './cid-bytes.ts';
import { encodeFrame, FrameDecoder } from './message-frames.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 6_000);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);

function randomCid(prng: Prng): Uint8Array {
  const prefix = {
    version: 1,
    codec: prng.pick([0x55, 0x70, 0x0129]),
    hashCode: 0x12,
    digestBytes: 32,
  } as const;
  return cidOf(prefix, prng.bytes(32));
}

function several<Value>(prng: Prng, make: () => Value): Value[] {
  return Array.from({ length: prng.below(5) }, make);
}

function randomMessage(prng: Prng): BitswapMessage {
  return {
    full: prng.chance(0.3),
    entries: several(prng, () => ({
      cid: randomCid(prng),
      priority: prng.nextUint32() | 0,
      cancel: prng.chance(0.3),
      type: prng.pick(['block', 'have'] as const),
      sendDontHave: prng.chance(0.5),
    })),
    blocks: several(prng, () => ({
      prefix: prng.chance(0.3)
        ? null
        : encodeCidPrefix({ version: 1, codec: 0x55, hashCode: 0x12, digestBytes: 32 }),
      data: prng.bytes(prng.below(400)),
    })),
    presences: several(prng, () => ({ cid: randomCid(prng), have: prng.chance(0.5) })),
    pendingBytes: prng.below(2 ** 31),
  };
}

function bodyOf(message: BitswapMessage): Uint8Array {
  const frames: Uint8Array[] = [];
  const decoder = new FrameDecoder(bitswapMessageLimits.messageBytesMax);
  assert.ok(decoder.push(encodeBitswapMessage(message), (frame) => frames.push(frame)).ok);
  assert.equal(frames.length, 1);
  return frames[0]!;
}

test('whatever a message holds, it is sound or a fault', () => {
  let soundCount = 0;
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    const prng = new Prng(seed);
    let bytes = bodyOf(randomMessage(prng));
    for (let count = prng.below(4); count > 0 && bytes.length > 0; count--) {
      if (prng.chance(0.7)) bytes[prng.below(bytes.length)] = prng.below(256);
      else bytes = bytes.slice(0, prng.below(bytes.length));
    }
    const decoded = decodeBitswapMessage(bytes);
    if (!decoded.ok) {
      assert.equal(decoded.fault.code, 'IPFS_BITSWAP_MESSAGE', `seed ${seed}`);
      continue;
    }
    soundCount++;
    for (const { cid } of [...decoded.value.entries, ...decoded.value.presences])
      assert.ok(tryReadCid(cid) !== null, `seed ${seed}`);
    for (const { data } of decoded.value.blocks)
      assert.ok(data.length === 0 || data.buffer === bytes.buffer, `seed ${seed}`);
    assert.ok(decoded.value.pendingBytes >= 0);
    // Sound messages are written and read again as the same.
    const again = decodeBitswapMessage(bodyOf(decoded.value));
    assert.ok(again.ok && bytesEqual(bodyOf(again.value), bodyOf(decoded.value)), `seed ${seed}`);
  }
  assert.ok(soundCount > runCount / 10 && soundCount < runCount, `${soundCount}`);
});

test('frames come out whole however the stream is cut, and never beyond the limit', () => {
  for (let seed = firstSeed; seed < firstSeed + runCount / 10; seed++) {
    const prng = new Prng(seed);
    const sent = Array.from({ length: prng.between(1, 6) }, () =>
      prng.bytes(prng.pick([0, 1, 127, 128, 40_000])),
    );
    const stream = concatBytes(sent.map(encodeFrame));
    const decoder = new FrameDecoder(50_000);
    const got: Uint8Array[] = [];
    for (let at = 0; at < stream.length; ) {
      const end = Math.min(stream.length, at + prng.between(1, prng.pick([3, 1000, 60_000])));
      const chunk = stream.slice(at, end);
      assert.ok(decoder.push(chunk, (frame) => got.push(frame)).ok);
      chunk.fill(0xee);
      at = end;
    }
    assert.equal(decoder.isInside, false);
    assert.equal(got.length, sent.length, `seed ${seed}`);
    for (const [index, frame] of got.entries()) assert.ok(bytesEqual(frame, sent[index]!), `seed ${seed}`);
  }
  const refused = new FrameDecoder(50_000).push(encodeFrame(new Uint8Array(50_001)), () => assert.fail());
  assert.ok(!refused.ok && refused.fault.code === 'IPFS_FRAME');
});
