import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressFromBytes, crc32c, type Endpoint, Prng, tryFromHex, tryParseEndpoint } from '@tequio/kernel';
import { tryCanonicalPriority } from './canonical-priority.ts';

function priorityOf(one: string, other: string): number | null {
  return tryCanonicalPriority(tryParseEndpoint(one)!, tryParseEndpoint(other)!);
}

function crcOf(hex: string): number {
  return crc32c(tryFromHex(hex)!);
}

test('the examples of BEP 40', () => {
  assert.equal(priorityOf('123.213.32.10:1', '98.76.54.32:2'), 0xec2d7224);
  assert.equal(priorityOf('123.213.32.10:1', '123.213.32.234:2'), 0x99568189);
});

test('what is hashed, case by case', () => {
  // One address: the ports.
  assert.equal(priorityOf('230.12.123.3:1234', '230.12.123.3:300'), crcOf('012c04d2'));
  // One /24, one /16, nothing in common.
  assert.equal(priorityOf('230.12.123.1:1', '230.12.123.3:1'), crcOf('e60c7b01e60c7b03'));
  assert.equal(priorityOf('230.12.23.1:1', '230.12.123.3:1'), crcOf('e60c1701e60c7b01'));
  assert.equal(priorityOf('230.120.23.1:1', '230.12.123.3:1'), crcOf('e60c5101e6781501'));
});

test('IPv6 begins with six whole bytes', () => {
  const rest = '5555555555555555';
  const all = 'ffff:ffff:ffff:ffff';
  assert.equal(
    priorityOf(`[2001:db8:1:${all}:ffff]:1`, `[2001:db8:2:${all}:ffff]:1`),
    crcOf(`20010db800015555${rest}20010db800025555${rest}`),
  );
  assert.equal(
    priorityOf(`[2001:db8:1:1ff:${all}]:1`, `[2001:db8:1:2ff:${all}]:1`),
    crcOf(`20010db800010155${rest}20010db800010255${rest}`),
  );
  assert.equal(
    priorityOf(`[2001:db8:1:2ff:${all}]:1`, `[2001:db8:1:2fe:${all}]:1`),
    crcOf(`20010db8000102fe${rest}20010db8000102ff${rest}`),
  );
  assert.equal(
    priorityOf(`[2001:db8:1:2:1:ffff:ffff:ffff]:1`, `[2001:db8:1:2:2:ffff:ffff:ffff]:1`),
    crcOf('20010db8000100020001555555555555' + '20010db8000100020002555555555555'),
  );
});

test('both ends compute the same, and two families have no priority', () => {
  const prng = new Prng(40);
  const any = (length: number): Endpoint => ({
    address: addressFromBytes(prng.bytes(length).map((byte) => (prng.chance(0.5) ? 9 : byte))),
    port: prng.between(1, 65535),
  });
  for (let run = 0; run < 2000; run++) {
    const length = prng.pick([4, 16]);
    const [one, other] = [any(length), any(length)];
    assert.equal(tryCanonicalPriority(one, other), tryCanonicalPriority(other, one));
    assert.equal(tryCanonicalPriority(any(4), any(16)), null);
  }
});

test('neighbours have the same priority: an address more in a network is no chance more', () => {
  assert.equal(priorityOf('5.6.7.8:1', '200.1.0.2:1'), priorityOf('5.6.7.8:1', '200.1.2.10:1'));
});
