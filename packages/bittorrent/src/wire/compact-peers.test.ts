import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Endpoint, formatEndpoint, type IpAddress, Prng, tryFromHex } from '@tequio/kernel';
import { compactPeerBytes, decodeCompactPeers, encodeCompactPeers } from './compact-peers.ts';

test('BEP 23: four bytes of address and two of port, in network order', () => {
  const bytes = tryFromHex('c00002011ae1cb007105ffff')!;
  assert.deepEqual(decodeCompactPeers(bytes, 4, 10).map(formatEndpoint), [
    '192.0.2.1:6881',
    '203.0.113.5:65535',
  ]);
});

test('BEP 7: sixteen bytes of address and two of port', () => {
  const bytes = tryFromHex('20010db80000000000000000000000011ae1')!;
  assert.deepEqual(decodeCompactPeers(bytes, 6, 10).map(formatEndpoint), ['[2001:db8::1]:6881']);
});

test('port 0, torn ends and entries past the limit are left out', () => {
  const bytes = tryFromHex('c00002010000c00002020001c00002030002c000')!;
  assert.deepEqual(decodeCompactPeers(bytes, 4, 10).map(formatEndpoint), ['192.0.2.2:1', '192.0.2.3:2']);
  assert.deepEqual(decodeCompactPeers(bytes, 4, 1).map(formatEndpoint), ['192.0.2.2:1']);
});

test('what is encoded decodes to the same, and each family keeps its own', () => {
  const prng = new Prng(7);
  for (let round = 0; round < 200; round++) {
    const endpoints: Endpoint[] = [];
    for (const family of [4, 6] as const) {
      const raw = prng.bytes(compactPeerBytes(family) * prng.below(5));
      endpoints.push(...decodeCompactPeers(raw, family, 100));
    }
    const v4 = decodeCompactPeers(encodeCompactPeers(endpoints, 4), 4, 100);
    const v6 = decodeCompactPeers(encodeCompactPeers(endpoints, 6), 6, 100);
    assert.deepEqual([...v4, ...v6], endpoints);
  }
  const one: Endpoint = { address: '192.0.2.1' as IpAddress, port: 1 };
  assert.equal(encodeCompactPeers([one], 6).length, 0);
});
