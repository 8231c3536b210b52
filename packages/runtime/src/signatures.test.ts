import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '@tequio/kernel';
import { createSignatures } from './signatures.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

test('Ed25519 keys and signatures are those of RFC 8032, section 7.1, tests 2 and 3', () => {
  const signatures = createSignatures();
  const vectors = [
    {
      secret: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      public: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      message: '72',
      signature:
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
        '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    },
    {
      secret: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
      public: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      message: 'af82',
      signature:
        '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac' +
        '18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    },
  ];
  for (const vector of vectors) {
    const message = bytes(vector.message);
    equal(toHex(signatures.publicKeyOf(bytes(vector.secret))), vector.public);
    equal(toHex(signatures.sign(bytes(vector.secret), message)), vector.signature);
    equal(signatures.verify(bytes(vector.public), message, bytes(vector.signature)), true);
    message[0]! ^= 1;
    equal(signatures.verify(bytes(vector.public), message, bytes(vector.signature)), false);
  }
});

test('keys and signatures of a wrong length, and points off the curve, are false and nothing worse', () => {
  const signatures = createSignatures();
  const message = new Uint8Array(1);
  for (const length of [0, 31, 33])
    equal(signatures.verify(new Uint8Array(length), message, new Uint8Array(64)), false);
  for (const length of [0, 63, 65])
    equal(signatures.verify(new Uint8Array(32), message, new Uint8Array(length)), false);
  equal(signatures.verify(new Uint8Array(32).fill(255), message, new Uint8Array(64).fill(255)), false);
});
