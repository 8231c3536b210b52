import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  concatBytes,
  encodeUtf8,
  formatEndpoint,
  fromLatin1,
  type IpAddress,
  Prng,
  toLatin1,
  tryFromHex,
} from '@tequio/kernel';
import { encodeBencode } from './bencode.ts';
import { decodePex, encodePex, type PexMessage, pexFlag, pexLimits } from './pex.ts';

const v4 = { address: '192.0.2.1' as IpAddress, port: 6881 };
const other = { address: '203.0.113.9' as IpAddress, port: 1 };
const v6 = { address: '2001:db8::1' as IpAddress, port: 65535 };

function decoded(bytes: Uint8Array): PexMessage {
  const result = decodePex(bytes);
  assert.ok(result.ok, toLatin1(bytes));
  return result.value;
}

test('the form of BEP 11, both families', () => {
  const bytes = encodePex({
    added: [
      { endpoint: v4, flags: pexFlag.seed | pexFlag.outgoing },
      { endpoint: v6, flags: pexFlag.holepunch },
    ],
    dropped: [other],
  });
  const text = toLatin1(bytes);
  const v6Text = `${toLatin1(tryFromHex('20010db8000000000000000000000001')!)}\xff\xff`;
  assert.equal(
    text,
    `d5:added6:\xc0\x00\x02\x01\x1a\xe17:added.f1:\x126:added618:${v6Text}8:added6.f1:\x087:dropped6:\xcb\x00q\x09\x00\x01e`,
  );
});

test('messages go there and back, IPv4 first', () => {
  const message = {
    added: [
      { endpoint: v4, flags: 0 },
      { endpoint: other, flags: 31 },
      { endpoint: v6, flags: 2 },
    ],
    dropped: [other, v6],
  };
  assert.deepEqual(decoded(encodePex(message)), message);
  assert.deepEqual(decoded(encodePex({ added: [], dropped: [] })), { added: [], dropped: [] });
});

test('a port of 0 is left out and takes its flags along; missing flags are zeros; torn entries go', () => {
  const text = 'd5:added14:\x01\x01\x01\x01\x00\x00\x02\x02\x02\x02\x00\x07\x03\x037:added.f1:\x02e';
  assert.deepEqual(decoded(fromLatin1(text)).added, [
    { endpoint: { address: '2.2.2.2', port: 7 }, flags: 0 },
  ]);
  const withFlags = text.replace('1:\x02', '2:\x02\x05');
  assert.deepEqual(decoded(fromLatin1(withFlags)).added, [
    { endpoint: { address: '2.2.2.2', port: 7 }, flags: 5 },
  ]);
});

test('IPv4 inside IPv6 is the IPv4 address', () => {
  const mapped = tryFromHex('00000000000000000000ffffc00002011ae1')!;
  const [peer] = decoded(encodeBencode({ added6: mapped })).added;
  assert.equal(formatEndpoint(peer!.endpoint), '192.0.2.1:6881');
});

test('what is no list of peers is passed over, unknown keys too', () => {
  assert.deepEqual(decoded(encodeUtf8('d5:addedi1e7:added.fle7:droppedd1:a1:be3:fooi1ee')), {
    added: [],
    dropped: [],
  });
});

test('what is refused', () => {
  for (const text of ['', 'le', 'i1e', 'd5:added', 'd5:added0:ex', '6:banana']) {
    const result = decodePex(encodeUtf8(text));
    assert.ok(!result.ok && result.fault.code === 'BITTORRENT_PEX_MESSAGE', text);
  }
  const long = encodeBencode({ added: new Uint8Array(pexLimits.bytesMax).fill(9) });
  assert.equal(decodePex(long).ok, false);
});

test('a long message is read up to the limit', () => {
  const count = pexLimits.readCountMax + 20;
  const lists = new Prng(3).bytes(6 * count).fill(7);
  const { added, dropped } = decoded(encodeBencode({ added: lists, dropped: lists, added6: lists }));
  assert.equal(added.length, pexLimits.readCountMax);
  assert.equal(dropped.length, pexLimits.readCountMax);
});

test('damaged messages never throw and stay bounded', () => {
  const prng = new Prng(11);
  const good = encodePex({
    added: [v4, other, v6].map((endpoint) => ({ endpoint, flags: prng.below(256) })),
    dropped: [v4, v6],
  });
  for (let run = 0; run < 20_000; run++) {
    const bytes = concatBytes([good, prng.bytes(prng.below(4))]);
    for (let i = prng.below(4); i > 0; i--) bytes[prng.below(bytes.length)] = prng.below(256);
    const result = decodePex(bytes.subarray(0, prng.between(0, bytes.length)));
    if (!result.ok) continue;
    for (const { endpoint, flags } of result.value.added) {
      assert.ok(endpoint.port > 0 && endpoint.port < 65536 && flags >= 0 && flags < 256);
    }
    assert.ok(result.value.added.length + result.value.dropped.length <= 2 * pexLimits.readCountMax);
  }
});
