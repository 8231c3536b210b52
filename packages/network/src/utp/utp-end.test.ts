import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Endpoint, readUint16, type UdpSocket } from '@tequio/kernel';
import { World } from '@tequio/simulator';
import { SharedUdp } from '../shared-udp.ts';
import { utpExtension, utpHeaderBytes, utpType, writeUtpIdentity, writeUtpMoment } from './utp-packet.ts';
import { UtpStreams } from './utp-streams.ts';

/** Takes a connection, hangs up on the first words, and knows nothing of it from then on, as libtorrent does. */
async function startAbrupt(world: World): Promise<Endpoint> {
  const host = world.addHost();
  let isGone = false;
  const socket: UdpSocket = await host.udp.bind({ address: null, port: 0 }, (bytes, from) => {
    const type = bytes[0]! >> 4;
    const isAnswered = type === utpType.syn || type === utpType.data;
    if (!isAnswered || isGone) return;
    // The number of the connection is in the SYN; what comes later has the next one.
    const connectionId = readUint16(bytes, 2) - (type === utpType.syn ? 0 : 1);
    const say = (kind: number): void => {
      const packet = new Uint8Array(utpHeaderBytes);
      writeUtpIdentity(packet, kind, utpExtension.none, connectionId, 700);
      writeUtpMoment(packet, 1, 1, 100_000, readUint16(bytes, 16));
      socket.send(packet, from);
    };
    isGone = type === utpType.data;
    say(utpType.state);
    if (isGone) say(utpType.fin);
  });
  return { address: host.host.addresses[0]!, port: socket.local.port };
}

test('who hangs up and is gone is not waited for: our words were heard, only our end was not', async () => {
  const world = new World({ seed: 1 });
  const to = await startAbrupt(world);
  const host = world.addHost();
  const shared = new SharedUdp({ udp: host.udp });
  await shared.start({ address: host.host.addresses[0]!, port: 0 });
  const streams = new UtpStreams({ shared, clock: host.clock, entropy: host.entropy });
  let closed: string | null | undefined;
  const connection = streams.dial(
    to,
    { timeoutMs: 5000 },
    {
      onOpen: () => connection.write([new Uint8Array(68)]),
      onBytes: () => {},
      onClose: (error) => void (closed = error),
    },
  );
  const startMs = host.clock.nowMs();
  await world.run(() => closed !== undefined);
  assert.equal(closed, null);
  assert.ok(host.clock.nowMs() - startMs < 5000, `after ${host.clock.nowMs() - startMs} ms`);
  await streams.close();
});
