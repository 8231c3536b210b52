import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CompleteOptions, defaultOptions } from '../options.ts';
import { withProxyRules } from './proxy-rules.ts';

const all: CompleteOptions = {
  ...defaultOptions,
  dataFolder: '/state',
  bootId: 'boot',
  lsd: true,
  dht: { enabled: true, bootstrap: ['dht.example:6881'] },
};
const socks = { kind: 'socks5', peers: true, trackers: true } as const;

test('without a proxy for peers nothing changes', () => {
  assert.equal(withProxyRules(all), all);
  const trackersOnly = { ...all, proxy: { ...socks, peers: false } };
  assert.equal(withProxyRules(trackersOnly), trackersOnly);
});

test('behind SOCKS5: no listening unless a port is named, no local discovery, a DHT that only asks', () => {
  const ruled = withProxyRules({ ...all, proxy: socks });
  assert.deepEqual(
    [ruled.listen, ruled.transport, ruled.lsd, ruled.dht.enabled, ruled.dht.readOnly],
    [false, 'tcp', false, true, true],
  );
  assert.equal(withProxyRules({ ...all, proxy: socks, port: 7000 }).listen, true);
  assert.equal(withProxyRules({ ...all, proxy: socks, port: 7000, listen: false }).listen, false);
  assert.equal(withProxyRules({ ...all, proxy: socks, transport: 'utp' }).transport, 'utp');
});

test('behind HTTP: nothing that needs datagrams', () => {
  const ruled = withProxyRules({ ...all, proxy: { ...socks, kind: 'http' }, transport: 'utp' });
  assert.deepEqual([ruled.transport, ruled.dht.enabled], ['tcp', false]);
});
