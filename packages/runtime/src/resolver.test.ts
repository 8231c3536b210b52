import { deepEqual, ok, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import { isLocalAddress } from '@tequio/kernel';
import { createResolver } from './resolver.ts';

test('literals are themselves, in their canonical form', async () => {
  const resolver = createResolver();
  deepEqual(await resolver.resolve('192.0.2.7'), ['192.0.2.7']);
  deepEqual(await resolver.resolve('2001:DB8:0::1'), ['2001:db8::1']);
  deepEqual(await resolver.resolve('::ffff:10.0.0.1'), ['10.0.0.1']);
});

test('names from the hosts file are found', async () => {
  const addresses = await createResolver().resolve('localhost');
  ok(addresses.length > 0);
  ok(addresses.every(isLocalAddress));
});

test('what is no name is refused without asking anybody', async () => {
  const resolver = createResolver();
  await rejects(resolver.resolve(''), { code: 'NET_RESOLVE', retry: false });
  await rejects(resolver.resolve('a'.repeat(300)), { code: 'NET_RESOLVE', message: /not a host name/ });
});
