import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Prng, toHex, tryFromHex } from '@tequio/kernel';
import { Rc4 } from './rc4.ts';

const vectors: { keyStreams: { key: string; at: Record<string, string> }[] } = JSON.parse(
  readFileSync(new URL('../../vectors/mse.json', import.meta.url), 'utf8'),
);

test('key streams as RFC 6229 prints them', () => {
  assert.equal(vectors.keyStreams.length, 14);
  // Two of its lines, so that the file itself is checked against the RFC.
  assert.equal(vectors.keyStreams[0]!.at['0'], 'b2396305f03dc027ccc3524a0a1118a8');
  assert.equal(vectors.keyStreams[4]!.at['4096'], 'a36a4c301ae8ac13610ccbc12256cacc');
  for (const { key, at } of vectors.keyStreams) {
    const stream = new Uint8Array(4112);
    new Rc4(tryFromHex(key)!).apply(stream);
    for (const [place, bytes] of Object.entries(at))
      assert.equal(toHex(stream.subarray(Number(place), Number(place) + 16)), bytes, `${key} at ${place}`);
  }
});

test('after discarding 1024 bytes the stream goes on where RFC 6229 has that place', () => {
  for (const { key, at } of vectors.keyStreams) {
    const cipher = new Rc4(tryFromHex(key)!);
    cipher.discard(1000);
    cipher.discard(24);
    const bytes = new Uint8Array(16);
    cipher.apply(bytes);
    assert.equal(toHex(bytes), at['1024']);
  }
});

test('in whatever portions, in place or into another array at any offset, the stream is one', () => {
  const prng = new Prng(1);
  const key = prng.bytes(20);
  const plain = prng.bytes(3000);
  const whole = plain.slice();
  new Rc4(key).apply(whole);
  for (let run = 0; run < 50; run++) {
    const cipher = new Rc4(key);
    const to = new Uint8Array(plain.length + 10).fill(0xee);
    for (let at = 0; at < plain.length; ) {
      const part = plain.slice(at, at + prng.between(0, 40));
      if (prng.chance(0.5)) cipher.transform(part, to, at + 5);
      else {
        cipher.apply(part);
        to.set(part, at + 5);
      }
      at += part.length;
    }
    assert.deepEqual(to.subarray(5, -5), whole);
    assert.deepEqual([to[4], to[3005]], [0xee, 0xee], 'nothing beside it is touched');
  }
  const cipher = new Rc4(key);
  cipher.apply(whole);
  assert.deepEqual(whole, plain, 'twice is as never');
});
