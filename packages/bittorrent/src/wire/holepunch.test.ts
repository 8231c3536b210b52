import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, type IpAddress, Prng, toHex, tryFromHex } from '@tequio/kernel';
import { decodeHolepunch, encodeHolepunch, holepunchError } from './holepunch.ts';

const v4 = { address: '192.0.2.1' as IpAddress, port: 6881 };
const v6 = { address: '2001:db8::1' as IpAddress, port: 6881 };

function decodedHex(hex: string) {
  const result = decodeHolepunch(tryFromHex(hex)!);
  assert.ok(result.ok, hex);
  return result.value;
}

test('the form of BEP 55', () => {
  assert.equal(toHex(encodeHolepunch({ type: 'rendezvous', endpoint: v4 })), '0000c00002011ae100000000');
  assert.equal(
    toHex(encodeHolepunch({ type: 'connect', endpoint: v6 })),
    '010120010db80000000000000000000000011ae100000000',
  );
  const refused = { type: 'error', endpoint: v4, error: holepunchError.notConnected } as const;
  assert.equal(toHex(encodeHolepunch(refused)), '0200c00002011ae100000002');
});

test('messages go there and back', () => {
  for (const endpoint of [v4, v6]) {
    for (const type of ['rendezvous', 'connect'] as const)
      assert.deepEqual(decodedHex(toHex(encodeHolepunch({ type, endpoint }))), { type, endpoint });
    const refused = { type: 'error', endpoint, error: 77 } as const;
    assert.deepEqual(decodedHex(toHex(encodeHolepunch(refused))), refused);
  }
});

test('libtorrent sends no error where there is none; what follows the end is ignored', () => {
  assert.deepEqual(decodedHex('0100c00002011ae1'), { type: 'connect', endpoint: v4 });
  assert.deepEqual(decodedHex('0100c00002011ae1000000001234'), { type: 'connect', endpoint: v4 });
});

test('kinds that are not known are to be ignored, an error repeats any endpoint', () => {
  assert.deepEqual(decodedHex('0300c00002011ae100000000'), { type: 'unknown' });
  assert.deepEqual(decodedHex('0002c00002011ae100000000'), { type: 'unknown' });
  assert.deepEqual(decodedHex('02000000000000000000 0001'.replaceAll(' ', '')), {
    type: 'error',
    endpoint: { address: '0.0.0.0', port: 0 },
    error: 1,
  });
});

test('what is too short is refused', () => {
  for (const hex of ['', '00', '0000', '0000c00002011a', '0200c00002011ae1', '0001c00002011ae100000000']) {
    const result = decodeHolepunch(tryFromHex(hex)!);
    assert.ok(!result.ok && result.fault.code === 'BITTORRENT_HOLEPUNCH_MESSAGE', hex);
  }
});

test('damaged messages never throw', () => {
  const prng = new Prng(5);
  const good = [v4, v6].map((endpoint) => encodeHolepunch({ type: 'error', endpoint, error: 2 }));
  for (let run = 0; run < 20_000; run++) {
    const bytes = concatBytes([prng.pick(good), prng.bytes(prng.below(4))]);
    for (let i = prng.below(4); i > 0; i--) bytes[prng.below(bytes.length)] = prng.below(256);
    const result = decodeHolepunch(bytes.subarray(0, prng.between(0, bytes.length)));
    if (!result.ok || result.value.type === 'unknown') continue;
    const { port } = result.value.endpoint;
    assert.ok(port >= 0 && port < 65536);
  }
});
