import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { concatBytes, encodeUtf8, toHex, tryFromHex } from '@tequio/kernel';
import {
  type BitswapMessage,
  bitswapMessageLimits,
  decodeBitswapMessage,
  emptyBitswapMessage,
  encodeBitswapMessage,
} from './bitswap-message.ts';
import { cidOf, cidV0Prefix, encodeCidPrefix, encodeVarint, tryReadCid } from './cid-bytes.ts';

const rawPrefix = { version: 1, codec: 0x55, hashCode: 0x12, digestBytes: 32 } as const;

function rawCid(text: string): Uint8Array {
  return cidOf(rawPrefix, new Uint8Array(hash('sha256', text, 'buffer')));
}

/** The message without its length, which is checked. */
function bodyOf(message: BitswapMessage): Uint8Array {
  const frame = encodeBitswapMessage(message);
  let lengthBytes = 1;
  while (frame[lengthBytes - 1]! >= 0x80) lengthBytes++;
  const body = frame.subarray(lengthBytes);
  assert.deepEqual(frame.subarray(0, lengthBytes), encodeVarint(body.length));
  return body;
}

test('a want is written as the specification writes it, byte for byte', () => {
  const cid = rawCid('a');
  const body = bodyOf({
    ...emptyBitswapMessage,
    full: true,
    entries: [{ cid, priority: 7, cancel: false, type: 'have', sendDontHave: true }],
  });
  // wantlist { entry { block, priority 7, wantType Have, sendDontHave }, full }
  const entry = `0a24${toHex(cid)}100720012801`;
  assert.equal(toHex(body), `0a300a2c${entry}1001`);
});

test('a block is written with its prefix from 1.1 on, and bare before', () => {
  const data = encodeUtf8('hello');
  const prefix = encodeCidPrefix(rawPrefix);
  const body = bodyOf({
    ...emptyBitswapMessage,
    blocks: [
      { prefix, data },
      { prefix: null, data },
    ],
    pendingBytes: 300,
  });
  const head = '28ac02';
  assert.equal(toHex(body), `${head}1a0d0a0401551220120568656c6c6f120568656c6c6f`);
});

test('what is written is read again, whatever it is', () => {
  const message: BitswapMessage = {
    full: true,
    entries: [
      { cid: rawCid('a'), priority: -5, cancel: false, type: 'block', sendDontHave: true },
      { cid: rawCid('b'), priority: 0, cancel: true, type: 'block', sendDontHave: false },
      {
        cid: cidOf(cidV0Prefix, new Uint8Array(32)),
        priority: 2 ** 31 - 1,
        cancel: false,
        type: 'have',
        sendDontHave: false,
      },
    ],
    blocks: [
      { prefix: null, data: new Uint8Array(300).fill(7) },
      { prefix: encodeCidPrefix(rawPrefix), data: new Uint8Array(0) },
    ],
    presences: [
      { cid: rawCid('c'), have: true },
      { cid: rawCid('d'), have: false },
    ],
    pendingBytes: 1 << 20,
  };
  const decoded = decodeBitswapMessage(bodyOf(message));
  assert.ok(decoded.ok);
  assert.deepEqual(plain(decoded.value), plain(message));
});

/** With byte strings as text, so that windows and copies compare alike. */
function plain(message: BitswapMessage): unknown {
  return JSON.parse(
    JSON.stringify(message, (_key, value) =>
      ArrayBuffer.isView(value) ? toHex(value as Uint8Array) : value,
    ),
  );
}

test('fields that nobody knows are passed over, and a field twice counts as its last', () => {
  const strange = tryFromHex('38011a0d0a0401551220120568656c6c6f420161')!;
  const decoded = decodeBitswapMessage(concatBytes([strange, tryFromHex('28012802')!]));
  assert.ok(decoded.ok);
  assert.equal(decoded.value.blocks.length, 1);
  assert.equal(decoded.value.pendingBytes, 2);
});

test('what is no CID, too large or broken is the sender’s fault', () => {
  const cases: [string, Uint8Array][] = [
    ['cut short', tryFromHex('0a30')!],
    ['a group', tryFromHex('0b')!],
    ['field 0', tryFromHex('0200')!],
    ['a want without a CID', tryFromHex('0a040a021001')!],
    ['a want for four bytes', tryFromHex('0a080a060a0401020304')!],
    ['a presence without a CID', tryFromHex('22021001')!],
    ['a varint without end', new Uint8Array(11).fill(0xff)],
    [
      'a block of more than 2 MiB',
      bodyOf({
        ...emptyBitswapMessage,
        blocks: [{ prefix: null, data: new Uint8Array(bitswapMessageLimits.blockBytesMax + 1) }],
      }),
    ],
    ['a message of more than 4 MiB', new Uint8Array(bitswapMessageLimits.messageBytesMax + 1)],
  ];
  for (const [name, bytes] of cases) {
    const decoded = decodeBitswapMessage(bytes);
    assert.ok(!decoded.ok, name);
    assert.equal(decoded.fault.code, 'IPFS_BITSWAP_MESSAGE');
    assert.equal(decoded.fault.blame, 'peer');
  }
});

test('CIDs are read whole or not at all', () => {
  const cid = rawCid('x');
  assert.deepEqual(tryReadCid(cid), rawPrefix);
  assert.deepEqual(tryReadCid(cidOf(cidV0Prefix, new Uint8Array(32))), cidV0Prefix);
  assert.equal(tryReadCid(cid.subarray(0, 35)), null);
  assert.equal(tryReadCid(concatBytes([cid, Uint8Array.of(0)])), null);
  assert.equal(tryReadCid(Uint8Array.of(2, 0x55, 0x12, 0)), null);
  assert.equal(tryReadCid(new Uint8Array(0)), null);
});
