import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressScope, type IpAddress } from '@tequio/kernel';
import { ProxyNames, proxyNameLimits } from './proxy-names.ts';

test('a name has one address as long as it is known, an address is itself', () => {
  const names = new ProxyNames();
  const first = names.tryAddressOf('a.example')!;
  assert.equal(names.tryAddressOf('a.example'), first);
  assert.notEqual(names.tryAddressOf('b.example'), first);
  assert.equal(names.tryHostOf(first), 'a.example');
  assert.equal(addressScope(first), 'global');
  assert.equal(names.tryAddressOf('192.0.2.1'), '192.0.2.1');
  assert.equal(names.tryHostOf('192.0.2.1' as IpAddress), '192.0.2.1');
  assert.equal(names.tryHostOf('2001:db8::1' as IpAddress), '2001:db8::1');
  assert.equal(names.tryHostOf('240.9.9.9' as IpAddress), null);
  assert.equal(names.tryAddressOf(''), null);
  assert.equal(names.tryAddressOf('x'.repeat(256)), null);
});

test('of many names the longest unused are forgotten, and their addresses mean nobody then', () => {
  const names = new ProxyNames();
  const [first, second] = [names.tryAddressOf('first')!, names.tryAddressOf('second')!];
  for (let i = 2; i <= proxyNameLimits.nameCountMax; i++) {
    names.tryAddressOf(`name ${i}`);
    names.tryAddressOf('first');
  }
  assert.equal(names.tryHostOf(first), 'first');
  assert.equal(names.tryHostOf(second), null);
});
