import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { Prng, tryFromHex } from '@tequio/kernel';
import fc from 'fast-check';
import {
  decodeUtpPacket,
  isSequenceAfter,
  sequenceDistance,
  UtpPacket,
  utpCapacityBytes,
  utpExtension,
  utpHeaderBytes,
  utpPaddingBytesMin,
  utpType,
  writeUtpCapacity,
  writeUtpIdentity,
  writeUtpMoment,
  writeUtpPadding,
} from './utp-packet.ts';

function decode(bytes: Uint8Array): UtpPacket | null {
  const packet = new UtpPacket();
  return decodeUtpPacket(bytes, packet) ? packet : null;
}

test('a header as BEP 29 draws it, each field in its place', () => {
  const bytes = tryFromHex('2100abcd0102030405060708000f00000011fffe')!;
  const packet = decode(bytes)!;
  deepEqual(
    { ...packet },
    {
      type: utpType.state,
      connectionId: 0xabcd,
      timestampUs: 0x01020304,
      delayUs: 0x05060708,
      windowBytes: 0x000f0000,
      sequence: 0x0011,
      acknowledged: 0xfffe,
      sackAt: 0,
      sackBytes: 0,
      capacityBytes: 0,
      payloadAt: 20,
    },
  );
});

test('packets that other programs sent are understood', () => {
  // Transmission 3.00: a SYN with the old extension of 8 bytes.
  const syn = decode(tryFromHex('4102edba2f9f5c4700000000000400006184000000080000000000000000')!)!;
  deepEqual([syn.type, syn.connectionId, syn.sequence, syn.payloadAt], [utpType.syn, 0xedba, 0x6184, 30]);
  // libtorrent: a selective acknowledgement of one byte.
  const state = decode(tryFromHex('2101edbb2fa9298d2f7d1a0a000400006186d5730001ff')!)!;
  deepEqual([state.sackAt, state.sackBytes, state.payloadAt], [22, 1, 23]);
});

test('what is written is read', () => {
  const any16 = fc.integer({ min: 0, max: 0xffff });
  const any32 = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4 }), any16, any32, any32, any32, any16, any16, (...fields) => {
      const [type, id, timestampUs, delayUs, windowBytes, sequence, acknowledged] = fields;
      const bytes = new Uint8Array(utpHeaderBytes);
      writeUtpIdentity(bytes, type, utpExtension.none, id, sequence);
      writeUtpMoment(bytes, timestampUs, delayUs, windowBytes, acknowledged);
      const packet = decode(bytes)!;
      deepEqual(
        [packet.type, packet.connectionId, packet.timestampUs, packet.delayUs, packet.windowBytes],
        [type, id, timestampUs, delayUs, windowBytes],
      );
      deepEqual([packet.sequence, packet.acknowledged], [sequence, acknowledged]);
    }),
  );
});

test('padding of every length is skipped', () => {
  for (let length = utpPaddingBytesMin; length < 1100; length++) {
    const bytes = new Uint8Array(utpHeaderBytes + length + 3).fill(0xaa);
    writeUtpIdentity(bytes, utpType.data, utpExtension.flags, 1, 2);
    writeUtpPadding(bytes, utpHeaderBytes, length);
    const packet = decode(bytes);
    equal(packet?.payloadAt, utpHeaderBytes + length, `padding of ${length}`);
    equal(packet.sackBytes, 0);
    // libutp: type 1 or 2 first, and 2 with eight bytes.
    deepEqual([bytes[1], bytes[utpHeaderBytes + 1]], [2, 8]);
  }
});

test('a chain of extensions that leaves the packet, other versions and types are refused', () => {
  const whole = tryFromHex('2101edbb2fa9298d2f7d1a0a000400006186d57302040000000000020102')!;
  ok(decode(whole));
  for (let length = 0; length < whole.length; length++) equal(decode(whole.subarray(0, length)), null);
  for (const first of [0x20, 0x22, 0x51, 0xf1]) {
    equal(decode(Uint8Array.from(whole, (byte, i) => (i === 0 ? first : byte))), null);
  }
});

test('how long datagrams may be is said and understood', () => {
  const bytes = new Uint8Array(utpHeaderBytes + utpCapacityBytes);
  writeUtpIdentity(bytes, utpType.syn, utpExtension.flags, 1, 2);
  writeUtpCapacity(bytes, utpHeaderBytes, 16_384);
  deepEqual([decode(bytes)?.capacityBytes, decode(bytes)?.payloadAt], [16_384, bytes.length]);
  deepEqual([bytes[1], bytes[utpHeaderBytes + 1]], [2, 8]);
});

test('random bytes never throw, and never point outside', () => {
  const prng = new Prng(3);
  const packet = new UtpPacket();
  for (let i = 0; i < 20_000; i++) {
    const bytes = prng.bytes(prng.between(0, 80));
    if (bytes.length > 1) {
      bytes[0] = (prng.below(5) << 4) | 1;
      if (prng.chance(0.5)) bytes[1] = 1;
    }
    if (!decodeUtpPacket(bytes, packet)) continue;
    ok(packet.payloadAt <= bytes.length);
    ok(packet.sackBytes === 0 || packet.sackAt + packet.sackBytes <= bytes.length);
  }
});

test('numbers go round', () => {
  equal(sequenceDistance(0xfffe, 3), 5);
  ok(isSequenceAfter(3, 0xfffe));
  ok(!isSequenceAfter(0xfffe, 3));
  ok(!isSequenceAfter(7, 7));
});
