import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import type { IpAddress } from '@tequio/kernel';
import { type HostPorts, World } from '@tequio/simulator';
import { FilteredPorts } from './filtered-ports.ts';

const address = (host: HostPorts): IpAddress => host.host.addresses[0]!;

function setUp(): {
  world: World;
  friend: HostPorts;
  stranger: HostPorts;
  own: HostPorts;
  ports: FilteredPorts;
} {
  const world = new World({ seed: 1 });
  const [friend, stranger, own] = [world.addHost(), world.addHost(), world.addHost()];
  const bad = address(stranger);
  // Disk, files and database are not used here.
  return { world, friend, stranger, own, ports: new FilteredPorts(own as never, (one) => one === bad) };
}

test('connections: filtered ones are neither dialled nor let in', async () => {
  const { world, friend, stranger, own, ports } = setUp();
  const seen: string[] = [];
  for (const [name, host] of [
    ['friend', friend],
    ['stranger', stranger],
  ] as const) {
    await host.tcp.listen({ address: null, port: 80 }, () => {
      seen.push(`${name} was dialled`);
      return { onBytes() {}, onClose() {} };
    });
  }
  await ports.tcp.listen({ address: null, port: 80 }, (connection) => {
    seen.push(`let in ${connection.remote.address === address(friend) ? 'friend' : 'stranger'}`);
    return { onBytes() {}, onClose() {} };
  });
  const dial = (from: Pick<HostPorts, 'tcp'>, to: HostPorts, name: string): void =>
    void from.tcp.dial(
      { address: address(to), port: 80 },
      { timeoutMs: 1000 },
      {
        onOpen: () => void seen.push(`${name} open`),
        onBytes() {},
        onClose: (error) => void seen.push(`${name} closed: ${error}`),
      },
    );
  dial(ports, friend, 'out');
  await world.run(1000);
  dial(ports, stranger, 'out');
  await world.run(1000);
  deepEqual(seen.splice(0), ['friend was dialled', 'out open', 'out closed: the address filter forbids it']);
  dial(friend, own, 'in');
  dial(stranger, own, 'in');
  await world.run(1000);
  equal(seen.filter((what) => what === 'let in friend').length, 1);
  equal(
    seen.some((what) => what === 'let in stranger'),
    false,
  );
});

test('datagrams and HTTP requests too', async () => {
  const { world, friend, stranger, own, ports } = setUp();
  const got: string[] = [];
  const theirs = await Promise.all(
    (
      [
        ['friend', friend],
        ['stranger', stranger],
      ] as const
    ).map(([name, host]) => host.udp.bind({ address: null, port: 53 }, () => void got.push(`${name} got`))),
  );
  const socket = await ports.udp.bind({ address: null, port: 53 }, (_bytes, from) => {
    got.push(from.address === address(friend) ? 'from friend' : 'from stranger');
  });
  for (const host of [friend, stranger]) socket.send(new Uint8Array(1), { address: address(host), port: 53 });
  for (const one of theirs) one.send(new Uint8Array(1), { address: address(own), port: 53 });
  await world.run(1000);
  deepEqual(got.sort(), ['friend got', 'from friend']);
  const answers: string[] = [];
  for (const host of [friend, stranger]) {
    await host.httpServer.listen({ address: null, port: 8080 }, () => ({
      status: 200,
      headers: {},
      body: new Uint8Array(0),
    }));
    ports.http.open(
      { method: 'GET', url: `http://${address(host)}:8080/`, timeoutMs: 5000, bytesMax: 100 },
      {
        onHead: ({ status }) => void answers.push(`${status}`),
        onBytes() {},
        onEnd: (error) => void answers.push(error?.code ?? 'ok'),
      },
    );
    await world.run(1000);
  }
  deepEqual(answers, ['200', 'ok', 'HTTP_ADDRESS_REFUSED']);
});
