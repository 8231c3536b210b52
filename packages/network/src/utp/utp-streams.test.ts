import { testTcpPort } from '@tequio/kernel/compliance/tcp';
import { World } from '@tequio/simulator';
import { SharedUdp } from '../shared-udp.ts';
import { UtpStreams } from './utp-streams.ts';

/** A host's shared port and the uTP on it. */
async function makeNode(world: World, line: Parameters<World['addHost']>[0] = {}) {
  const host = world.addHost(line);
  const address = host.host.addresses[0]!;
  const shared = new SharedUdp({ udp: host.udp });
  await shared.start({ address, port: 0 });
  const streams = new UtpStreams({ shared, clock: host.clock, entropy: host.entropy });
  return { host, address, shared, streams };
}

for (const rate of [Number.POSITIVE_INFINITY, 20e6]) {
  testTcpPort(`utp at ${rate} bytes/s`, async () => {
    const world = new World({ seed: 1 });
    const [server, client] = [
      await makeNode(world, { downRate: rate, upRate: rate }),
      await makeNode(world, { downRate: rate, upRate: rate }),
    ];
    return {
      server: server.streams,
      client: client.streams,
      serverAddress: server.address,
      clientAddress: client.address,
      until: (condition) => world.run(condition, 120_000),
      pass: (ms) => world.run(ms),
      close: async () => {
        await Promise.all([server.streams.close(), client.streams.close()]);
      },
    };
  });
}
