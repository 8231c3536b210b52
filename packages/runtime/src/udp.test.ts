import type { IpAddress } from '@tequio/kernel';
import { passReal, untilReal } from '@tequio/kernel/compliance/clock-real';
import { testUdpPort } from '@tequio/kernel/compliance/udp';
import { createUdp } from './udp.ts';

for (const address of ['127.0.0.1', '::1'] as IpAddress[]) {
  testUdpPort(`runtime udp on ${address}`, async () => ({
    server: createUdp(),
    client: createUdp(),
    serverAddress: address,
    clientAddress: address,
    // The loopback interface has no IPv6 multicast.
    multicast:
      address === '::1'
        ? null
        : { group: '239.192.152.143' as IpAddress, interface: '127.0.0.1' as IpAddress },
    until: untilReal,
    pass: passReal,
  }));
}
