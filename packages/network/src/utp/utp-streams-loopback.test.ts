import { tryParseAddress } from '@tequio/kernel';
import { passReal, untilReal } from '@tequio/kernel/compliance/clock-real';
import { testTcpPort } from '@tequio/kernel/compliance/tcp';
import { createClock, createEntropy, createUdp } from '@tequio/runtime';
import { SharedUdp } from '../shared-udp.ts';
import { UtpStreams } from './utp-streams.ts';

async function makeNode(address: NonNullable<ReturnType<typeof tryParseAddress>>) {
  const shared = new SharedUdp({ udp: createUdp() });
  await shared.start({ address, port: 0 });
  const streams = new UtpStreams({ shared, clock: createClock(), entropy: createEntropy() });
  return { shared, streams };
}

for (const text of ['127.0.0.1', '::1']) {
  const address = tryParseAddress(text)!;
  testTcpPort(`utp on ${text}`, async () => {
    const [server, client] = [await makeNode(address), await makeNode(address)];
    return {
      server: server.streams,
      client: client.streams,
      serverAddress: address,
      clientAddress: address,
      until: untilReal,
      pass: passReal,
      close: async () => {
        await Promise.all([server.streams.close(), client.streams.close()]);
        await Promise.all([server.shared.close(), client.shared.close()]);
      },
    };
  });
}
