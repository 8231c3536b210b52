import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, Prng, writeUint32 } from '@tequio/kernel';
import { RecordingSink, randomMessage, writeMessage } from './peer-decoder.fixture.ts';
import { PeerDecoder, peerWireLimits } from './peer-decoder.ts';
import { encodeHandshake, MessageWriter } from './peer-message.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 1500);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);

const shake = encodeHandshake({
  infoHash: new Uint8Array(20),
  peerId: new Uint8Array(20),
  extended: true,
  fast: true,
  dht: true,
  v2: true,
});

function brokenStream(prng: Prng): Uint8Array {
  if (prng.chance(0.2)) return concatBytes([shake, prng.bytes(prng.below(3000))]);
  const writer = new MessageWriter();
  for (let count = prng.between(1, 12); count > 0; count--) writeMessage(writer, randomMessage(prng));
  const stream = concatBytes([shake, ...writer.take()]);
  for (let count = prng.below(5); count > 0; count--) {
    const at = prng.between(68, stream.length);
    if (prng.chance(0.5)) stream[at] = prng.below(256);
    else if (at + 4 <= stream.length)
      writeUint32(stream, at, prng.pick([0, 1, 9, 0xffffffff, 1 << 20, 1 << 17]));
  }
  return stream;
}

test('whatever comes gives messages or one fault, the same for any chunking', () => {
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    const prng = new Prng(seed);
    const stream = brokenStream(prng);
    const whole = new RecordingSink();
    const wholeFault = new PeerDecoder(whole).push(stream);
    const chunked = new RecordingSink();
    const decoder = new PeerDecoder(chunked);
    let fault = null;
    const chunkMax = prng.pick([1, 7, 100, 5000]);
    for (let at = 0; at < stream.length && fault === null; ) {
      const taken = prng.between(1, chunkMax);
      fault = decoder.push(stream.slice(at, at + taken));
      at += taken;
    }
    assert.deepEqual(fault, wholeFault, `seed ${seed}`);
    assert.deepEqual(chunked.seen, whole.seen, `seed ${seed}`);
    if (fault !== null) {
      assert.equal(decoder.push(stream), null, 'dead after its fault');
      assert.equal(chunked.seen.length, whole.seen.length);
    }
  }
});

test('a length alone allocates nothing: thousands of half-begun messages stay small', () => {
  const head = new Uint8Array(6);
  writeUint32(head, 0, peerWireLimits.bitfieldBytesMax + 1);
  head[4] = 5;
  const before = process.memoryUsage().arrayBuffers;
  const decoders = Array.from({ length: 2000 }, () => {
    const decoder = new PeerDecoder(new RecordingSink());
    decoder.push(shake);
    decoder.push(head);
    return decoder;
  });
  const grownBytes = process.memoryUsage().arrayBuffers - before;
  assert.ok(decoders.length * 4096 > grownBytes, `${grownBytes} bytes for ${decoders.length} connections`);
});
