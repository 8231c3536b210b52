import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex, tryFromHex } from '@tequio/kernel';
import { decodeNatPmpResponse, encodeNatPmpAddress, encodeNatPmpMap } from './nat-pmp.ts';

test('RFC 6886, sections 3.2 and 3.3: requests', () => {
  assert.equal(toHex(encodeNatPmpAddress()), '0000');
  const request = { internalPort: 0x1a2b, externalPort: 0x3c4d, lifetimeSeconds: 7200 };
  assert.equal(toHex(encodeNatPmpMap({ ...request, transport: 'udp' })), '000100001a2b3c4d00001c20');
  assert.equal(toHex(encodeNatPmpMap({ ...request, transport: 'tcp' })), '000200001a2b3c4d00001c20');
});

test('RFC 6886, sections 3.2 and 3.3: answers', () => {
  assert.deepEqual(decodeNatPmpResponse(tryFromHex('008000000000002a05010002')!), {
    ok: true,
    value: { type: 'address', result: 0, epochSeconds: 42, address: '5.1.0.2' },
  });
  assert.deepEqual(decodeNatPmpResponse(tryFromHex('008200000000002a1a2b3c4d00000e10')!), {
    ok: true,
    value: {
      type: 'map',
      result: 0,
      epochSeconds: 42,
      transport: 'tcp',
      internalPort: 0x1a2b,
      externalPort: 0x3c4d,
      lifetimeSeconds: 3600,
    },
  });
  const refused = decodeNatPmpResponse(tryFromHex('008000030000002a')!);
  assert.ok(refused.ok && refused.value.result === 3 && refused.value.type === 'address');
  for (const bad of [
    '',
    '00',
    '0280000000000000',
    '008000000000002a',
    '0081000000000000',
    '0003000000000000',
  ]) {
    assert.equal(decodeNatPmpResponse(tryFromHex(bad)!).ok, false, bad);
  }
});
