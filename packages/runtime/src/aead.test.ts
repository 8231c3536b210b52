import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, Prng, toHex, tryFromHex } from '@tequio/kernel';
import { createAead } from './aead.ts';

const fromHex = (text: string): Uint8Array => tryFromHex(text)!;

test('ChaCha20-Poly1305: the example of RFC 8439, section 2.8.2, in one part and in several', () => {
  const key = createAead().chacha20Poly1305(
    fromHex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f'),
  );
  const nonce = fromHex('070000004041424344454647');
  const associated = fromHex('50515253c0c1c2c3c4c5c6c7');
  const text = new TextEncoder().encode(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  );
  const expected =
    'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b' +
    '1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc' +
    '3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691';
  for (const parts of [[text], [text.subarray(0, 1), text.subarray(1, 70), text.subarray(70)]])
    equal(toHex(concatBytes(key.seal(nonce, parts, associated))), expected);
  const sealed = fromHex(expected);
  const opened = key.tryOpen(
    nonce,
    [sealed.subarray(0, 7), sealed.subarray(7, -16)],
    sealed.subarray(-16),
    associated,
  );
  deepEqual(concatBytes(opened!), text);
});

test('whatever is changed is not opened: text, tag, nonce, key, what it is associated with', () => {
  const random = new Prng(5);
  const bytes = random.bytes(32);
  const aead = createAead();
  const [key, nonce, text, associated] = [
    aead.chacha20Poly1305(bytes),
    random.bytes(12),
    random.bytes(100),
    random.bytes(9),
  ];
  const sealed = concatBytes(key.seal(nonce, [text], associated));
  const open = (from: Uint8Array, at = nonce, own = key, beside = associated): Uint8Array[] | null =>
    own.tryOpen(at, [from.subarray(0, -16)], from.subarray(-16), beside);
  ok(open(sealed) !== null);
  const changed = (of: Uint8Array): Uint8Array => {
    const copy = of.slice();
    const at = random.below(copy.length);
    copy[at] = copy[at]! ^ (1 << random.below(8));
    return copy;
  };
  for (let i = 0; i < 200; i++) {
    equal(open(changed(sealed)), null);
    equal(open(sealed, changed(nonce)), null);
    equal(open(sealed, nonce, aead.chacha20Poly1305(changed(bytes))), null);
    equal(open(sealed, nonce, key, changed(associated)), null);
  }
  equal(key.tryOpen(nonce, [sealed.subarray(0, -16)], sealed.subarray(-8), associated), null);
});
