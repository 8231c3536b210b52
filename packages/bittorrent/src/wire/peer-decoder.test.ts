import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, type Fault, Prng, toHex, tryFromHex, writeUint32 } from '@tequio/kernel';
import { RecordingSink, randomMessage, writeMessage } from './peer-decoder.fixture.ts';
import { PeerDecoder, peerWireLimits, wireFault } from './peer-decoder.ts';
import {
  encodeHandshake,
  type Handshake,
  MessageWriter,
  messageId,
  tryDecodeHandshake,
  tryInfoHashOfPrefix,
} from './peer-message.ts';

const handshake: Handshake = {
  infoHash: new Uint8Array(20).fill(7),
  peerId: Uint8Array.from('-TQ0100-abcdefghijkl', (char) => char.charCodeAt(0)),
  extended: true,
  fast: true,
  dht: false,
  v2: true,
};
const shake = encodeHandshake(handshake);

/** A message with a length that may lie. */
function raw(length: number, id: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(5 + payload.length);
  writeUint32(bytes, 0, length);
  bytes[4] = id;
  bytes.set(payload, 5);
  return bytes;
}

function decode(...parts: Uint8Array[]): { sink: RecordingSink; fault: Fault | null } {
  const sink = new RecordingSink();
  return { sink, fault: new PeerDecoder(sink).push(concatBytes([shake, ...parts])) };
}

test('the handshake is that of BEP 3, with the bits of BEP 5, 6, 10 and 52', () => {
  const expected = `13426974546f7272656e742070726f746f636f6c0000000000100014${'07'.repeat(20)}2d5451303130302d6162636465666768696a6b6c`;
  assert.equal(toHex(shake), expected);
  assert.deepEqual(tryDecodeHandshake(tryFromHex(expected)!), handshake);
  for (const bit of ['extended', 'fast', 'dht', 'v2'] as const) {
    for (const on of [false, true]) {
      const other = { ...handshake, [bit]: on };
      assert.deepEqual(tryDecodeHandshake(encodeHandshake(other)), other);
    }
  }
  assert.deepEqual(tryInfoHashOfPrefix(shake.subarray(0, 48)), handshake.infoHash);
  assert.equal(tryInfoHashOfPrefix(shake.subarray(0, 47)), null);
  assert.equal(tryDecodeHandshake(shake.subarray(0, 67)), null);
});

test('what is no handshake is a light fault, and nothing is read after it', () => {
  const sink = new RecordingSink();
  const decoder = new PeerDecoder(sink);
  const fault = decoder.push(
    Uint8Array.from(`GET / HTTP/1.1${' '.repeat(60)}`, (char) => char.charCodeAt(0)),
  );
  assert.equal(fault?.code, 'BITTORRENT_WIRE_HANDSHAKE');
  assert.equal(fault?.penalty, 10);
  assert.equal(decoder.push(shake), null);
  assert.equal(sink.handshakeCount, 0);
});

test('each message has the bytes of its standard', () => {
  const cases: readonly [(writer: MessageWriter) => void, string][] = [
    [(writer) => writer.writeKeepAlive(), '00000000'],
    [(writer) => writer.writeEmpty(messageId.choke), '0000000100'],
    [(writer) => writer.writeEmpty(messageId.unchoke), '0000000101'],
    [(writer) => writer.writeEmpty(messageId.interested), '0000000102'],
    [(writer) => writer.writeEmpty(messageId.notInterested), '0000000103'],
    [(writer) => writer.writeIndex(messageId.have, 258), '000000050400000102'],
    [(writer) => writer.writePayload(messageId.bitfield, Uint8Array.of(0xf0)), '0000000205f0'],
    [(writer) => writer.writeRange(messageId.request, 1, 16384, 16384), '0000000d06000000010000400000004000'],
    [(writer) => writer.writeBlock(1, 16384, Uint8Array.of(9, 8)), '0000000b0700000001000040000908'],
    [(writer) => writer.writeRange(messageId.cancel, 1, 0, 4), '0000000d08000000010000000000000004'],
    [(writer) => writer.writePort(6881), '00000003091ae1'],
    [(writer) => writer.writeIndex(messageId.suggest, 3), '000000050d00000003'],
    [(writer) => writer.writeEmpty(messageId.haveAll), '000000010e'],
    [(writer) => writer.writeEmpty(messageId.haveNone), '000000010f'],
    [(writer) => writer.writeRange(messageId.reject, 1, 0, 4), '0000000d10000000010000000000000004'],
    [(writer) => writer.writeIndex(messageId.allowedFast, 4), '000000051100000004'],
    [(writer) => writer.writeExtended(3, Uint8Array.of(0x64, 0x65)), '0000000414036465'],
    [(writer) => writer.writePayload(messageId.hashRequest, new Uint8Array(2)), '00000003150000'],
  ];
  for (const [write, hex] of cases) {
    const writer = new MessageWriter();
    write(writer);
    assert.equal(writer.byteCount, hex.length / 2);
    assert.equal(toHex(concatBytes(writer.take())), hex);
    assert.ok(writer.isEmpty);
  }
});

test('any chunking of a stream gives the same messages, and block bytes land where they belong', () => {
  for (let seed = 1; seed <= 120; seed++) {
    const prng = new Prng(seed);
    const writer = new MessageWriter();
    const expected: string[] = [];
    for (let count = 40; count > 0; count--) expected.push(writeMessage(writer, randomMessage(prng)));
    const stream = concatBytes([shake, ...writer.take()]);
    const sink = new RecordingSink();
    const decoder = new PeerDecoder(sink);
    const chunkMax = prng.pick([1, 2, 5, 17, 1000, 20_000, stream.length]);
    for (let at = 0; at < stream.length; ) {
      const taken = prng.between(1, chunkMax);
      // Borrowed bytes: the next chunk lies in the same buffer.
      const lent = stream.slice(at, at + taken);
      assert.equal(decoder.push(lent), null, `seed ${seed}`);
      lent.fill(0xee);
      at += taken;
    }
    assert.deepEqual(sink.seen, expected, `seed ${seed}`);
    assert.equal(sink.handshakeCount, 1);
  }
});

test('the writer gives out what was written, in order, whatever is taken in between; blocks are not copied', () => {
  const prng = new Prng(5);
  const writer = new MessageWriter();
  const taken: Uint8Array[] = [];
  const expected: Uint8Array[] = [];
  for (let round = 0; round < 300; round++) {
    const message = randomMessage(prng);
    writeMessage(writer, message);
    const alone = new MessageWriter();
    writeMessage(alone, message);
    expected.push(...alone.take());
    if (prng.chance(0.2)) taken.push(...writer.take());
  }
  taken.push(...writer.take());
  assert.equal(Buffer.compare(concatBytes(taken), concatBytes(expected)), 0);
  const data = new Uint8Array(16384);
  writer.writeBlock(0, 0, data);
  writer.writeEmpty(messageId.choke);
  const parts = writer.take();
  assert.equal(parts.length, 3);
  assert.equal(parts[1], data);
});

test('lengths that no message has are faults with a sentence', () => {
  const cases: readonly [Uint8Array, string][] = [
    [raw(0xffffffff, messageId.piece), 'BITTORRENT_WIRE_TOO_LONG'],
    [raw(peerWireLimits.unknownBytesMax + 2, 200), 'BITTORRENT_WIRE_TOO_LONG'],
    [raw(2 + peerWireLimits.extendedBytesMax, messageId.extended), 'BITTORRENT_WIRE_TOO_LONG'],
    [raw(2 + peerWireLimits.hashBytesMax, messageId.hashes), 'BITTORRENT_WIRE_TOO_LONG'],
    [raw(2, messageId.choke, new Uint8Array(1)), 'BITTORRENT_WIRE_LENGTH'],
    [raw(1, messageId.have), 'BITTORRENT_WIRE_LENGTH'],
    [raw(6, messageId.have, new Uint8Array(5)), 'BITTORRENT_WIRE_LENGTH'],
    [raw(14, messageId.request, new Uint8Array(13)), 'BITTORRENT_WIRE_LENGTH'],
    [raw(1, messageId.extended), 'BITTORRENT_WIRE_LENGTH'],
    [raw(8, messageId.piece, new Uint8Array(7)), 'BITTORRENT_WIRE_BLOCK_LENGTH'],
    [raw(10 + peerWireLimits.blockBytesMax, messageId.piece), 'BITTORRENT_WIRE_BLOCK_LENGTH'],
  ];
  for (const [bytes, code] of cases) {
    const { fault } = decode(bytes);
    assert.equal(fault?.code, code, toHex(bytes.subarray(0, 8)));
    assert.match(fault?.message ?? '', /^The peer [^-]+\.$/);
    assert.equal(fault?.blame, 'peer');
  }
});

test('the longest allowed messages pass, unknown ones are passed over', () => {
  const long = new Uint8Array(peerWireLimits.bitfieldBytesMax);
  const { sink, fault } = decode(
    raw(1 + long.length, messageId.bitfield, long),
    raw(1 + peerWireLimits.unknownBytesMax, 99, new Uint8Array(peerWireLimits.unknownBytesMax)),
    raw(1, 250),
    raw(9, messageId.piece, new Uint8Array(8)),
    raw(1, messageId.unchoke),
  );
  assert.equal(fault, null);
  assert.deepEqual(
    sink.seen.map((line) => line.split(' ')[0]),
    ['bitfield', 'piece', 'unchoke'],
  );
});

test('a fault of the sink ends the stream at once, wherever it is', () => {
  for (const where of ['handshake', 'have', 'head', 'end'] as const) {
    const sink = new RecordingSink();
    sink.failAt = where;
    const decoder = new PeerDecoder(sink);
    const writer = new MessageWriter();
    writer.writeIndex(messageId.have, 1);
    writer.writeBlock(1, 0, new Uint8Array(100));
    writer.writeEmpty(messageId.unchoke);
    const fault = decoder.push(concatBytes([shake, ...writer.take()]));
    assert.deepEqual(fault, wireFault('TEST', 'The sink has had enough.'), where);
    const seenCount = sink.seen.length;
    assert.equal(decoder.push(concatBytes([raw(1, messageId.unchoke)])), null);
    assert.equal(sink.seen.length, seenCount);
  }
});
