import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import type { OverlayDeps } from './index.ts';
import { MappedPorts } from './mapped-ports.ts';

type Mapping = NonNullable<OverlayDeps['portMapping']>;
type Way = Mapping['ways'][number];

/** A router that says what it is told to say. */
class FakeMapping {
  ways: readonly Way[] = [];
  wanted: string[] = [];
  tell = (): void => {};

  want(ports: Parameters<Mapping['want']>[0]): () => void {
    this.wanted = ports.map(({ transport, port }) => `${transport} ${port}`);
    return () => void (this.wanted = []);
  }

  subscribe(listener: () => void): () => void {
    this.tell = listener;
    return () => {};
  }
}

function way(externalAddress: string | null, mappings: readonly object[]): Way {
  return { family: 4, local: '192.168.1.2', externalAddress, mappings } as unknown as Way;
}

test('ports that libp2p listens on are asked for, and what routers gave is told', () => {
  const mapping = new FakeMapping();
  const told: unknown[] = [];
  const mapped = new MappedPorts(mapping, {
    addPublicAddressMapping: (...call) => told.push(['add', ...call]),
    removePublicAddressMapping: (...call) => told.push(['remove', ...call]),
  });
  mapped.start(
    ['/ip4/192.168.1.2/tcp/4001', '/ip4/127.0.0.1/tcp/4001', '/ip4/192.168.1.2/udp/4002/quic-v1'].map(
      (text) => multiaddr(text),
    ),
  );
  deepEqual(mapping.wanted, ['tcp 4001', 'udp 4002']);
  const tcp = { transport: 'tcp', port: 4001, state: 'mapped', externalPort: 5001, reason: '' };
  const udp = { ...tcp, transport: 'udp', port: 4002, state: 'asked', externalPort: null };
  const foreign = { ...tcp, port: 6881, externalPort: 6881 };
  mapping.ways = [way('81.2.3.4', [tcp, udp, foreign])];
  mapping.tell();
  mapping.tell();
  deepEqual(told.splice(0), [['add', '192.168.1.2', 4001, '81.2.3.4', 5001, 'tcp']]);
  mapping.ways = [way('81.2.3.4', [{ ...tcp, externalPort: 5002 }])];
  mapping.tell();
  deepEqual(told.splice(0), [
    ['remove', '192.168.1.2', 4001, '81.2.3.4', 5001, 'tcp'],
    ['add', '192.168.1.2', 4001, '81.2.3.4', 5002, 'tcp'],
  ]);
  // Behind a second router, and with a router that has no address, nobody gets in this way.
  mapping.ways = [way('100.64.0.3', [tcp]), way(null, [tcp])];
  mapping.tell();
  deepEqual(told, [['remove', '192.168.1.2', 4001, '81.2.3.4', 5002, 'tcp']]);
  mapped.close();
  deepEqual(mapping.wanted, []);
});
