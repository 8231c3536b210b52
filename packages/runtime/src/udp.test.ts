import type { IpAddress, UdpPort } from '@tequio/kernel';
import { passReal, untilReal } from '@tequio/kernel/compliance/clock-real';
import { testUdpPort } from '@tequio/kernel/compliance/udp';
import { tryLoadLibc } from './libc.ts';
import { createUdp } from './udp.ts';
import { createBatchedUdp } from './udp-batched.ts';
import { createSingleUdp } from './udp-single.ts';

/** Loopback has no IPv6 multicast, and batched sockets join no group. */
const group = { group: '239.192.152.143' as IpAddress, interface: '127.0.0.1' as IpAddress };

function testOn(name: string, make: () => UdpPort, hasGroups: boolean): void {
  for (const address of ['127.0.0.1', '::1'] as IpAddress[]) {
    testUdpPort(`runtime ${name} on ${address}`, async () => ({
      server: make(),
      client: make(),
      serverAddress: address,
      clientAddress: address,
      multicast: hasGroups && address !== '::1' ? group : null,
      until: untilReal,
      pass: passReal,
    }));
  }
}

const libc = tryLoadLibc();
testOn('udp', createUdp, true);
testOn('udp, one datagram a call', createSingleUdp, true);
if (libc !== null) testOn('udp, many datagrams a call', () => createBatchedUdp(libc), false);
