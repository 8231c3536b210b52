import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { IpAddress, LocalNetwork } from '@tequio/kernel';
import { type HostPorts, World } from '@tequio/simulator';
import { BoundLine, pickAddresses } from './bound-line.ts';
import { BoundPorts } from './bound-ports.ts';
import { limits } from './limits.ts';

function network(name: string, address: string): LocalNetwork {
  return { name, address: address as IpAddress, prefixBits: 24, gateway: null, gatewayIsGuess: false };
}

test('a line is an address, or the best addresses of an interface', () => {
  const networks = [
    network('eth0', '192.168.1.2'),
    network('tun0', '10.8.0.2'),
    network('tun0', '198.51.100.7'),
    network('tun0', 'fe80::1'),
    network('tun0', 'fd00::1'),
  ];
  deepEqual(pickAddresses('tun0', networks), { v4: '198.51.100.7', v6: 'fd00::1' });
  deepEqual(pickAddresses('10.8.0.2', networks), { v4: '10.8.0.2', v6: null });
  deepEqual(pickAddresses('tun1', networks), { v4: null, v6: null });
});

class Bench {
  readonly world = new World({ seed: 1 });
  readonly other: HostPorts = this.world.addHost();
  readonly own: HostPorts = this.world.addHost();
  readonly events: string[] = [];
  readonly line: BoundLine;
  readonly ports: BoundPorts;
  isThere = true;
  idleEndedCount = 0;

  constructor() {
    const networks = {
      list: async () => [
        network('eth0', '192.168.1.2'),
        ...(this.isThere ? [network('tun0', this.address)] : []),
      ],
    };
    const { http } = this.own;
    const endIdle = (): void => void this.idleEndedCount++;
    const below = { ...this.own, networks, http: { open: http.open.bind(http), endIdle } };
    this.line = new BoundLine('tun0', { clock: below.clock, networks });
    // Disk, files and database are not used here.
    this.ports = new BoundPorts(below as never, this.line);
    this.line.subscribe(() => void this.events.push(this.line.isUp ? 'up' : 'down'));
  }

  get address(): string {
    return this.own.host.addresses[0]!;
  }

  async look(isThere: boolean): Promise<void> {
    this.isThere = isThere;
    await this.world.run(2 * limits.line.lookMs);
  }

  dial(name: string): void {
    const to = { address: this.other.host.addresses[0]!, port: 80 };
    this.ports.tcp.dial(
      to,
      { timeoutMs: 1000 },
      {
        onOpen: () => void this.events.push(`${name} open`),
        onBytes: () => {},
        onClose: (error) => void this.events.push(`${name} closed: ${error}`),
      },
    );
  }
}

test('connections end with the line, none is made without it, and they are made again when it is back', async () => {
  const bench = new Bench();
  await bench.other.tcp.listen({ address: null, port: 80 }, () => ({ onBytes() {}, onClose() {} }));
  await bench.line.start();
  bench.dial('first');
  await bench.world.run(200);
  await bench.look(false);
  equal(bench.line.trouble, 'The network interface tun0 is not there: nothing is sent until it is.');
  const sentBytes = bench.own.host.sentBytes;
  bench.dial('second');
  await bench.world.run(5000);
  equal(bench.own.host.sentBytes, sentBytes);
  await bench.look(true);
  bench.dial('third');
  await bench.world.run(200);
  const [up, opened, down, closed, ...rest] = bench.events;
  deepEqual([up, opened, down], ['up', 'first open', 'down']);
  ok(closed!.startsWith('first closed'));
  deepEqual(rest, [
    'second closed: the address that everything is bound to is not there',
    'up',
    'third open',
  ]);
  deepEqual(
    [bench.line.trouble, await bench.ports.networks.list()],
    [null, [network('tun0', bench.address)]],
  );
  bench.line.close();
});

test('listeners and sockets come back at their port; what came in is closed', async () => {
  const bench = new Bench();
  await bench.line.start();
  const listener = await bench.ports.tcp.listen({ address: null, port: 0 }, () => ({
    onBytes: () => {},
    onClose: () => void bench.events.push('visitor gone'),
  }));
  const { port } = listener.local;
  ok(port > 0);
  let gotCount = 0;
  const socket = await bench.ports.udp.bind({ address: null, port: 0 }, () => void gotCount++);
  const theirs = await bench.other.udp.bind(
    { address: null, port: 53 },
    () => void bench.events.push('heard'),
  );
  const visit = (): void =>
    void bench.other.tcp.dial(
      { address: bench.own.host.addresses[0]!, port },
      { timeoutMs: 1000 },
      {
        onOpen: () => void bench.events.push('visit'),
        onBytes: () => {},
        onClose: () => {},
      },
    );
  const exchange = async (): Promise<void> => {
    socket.send(new Uint8Array(1), { address: bench.other.host.addresses[0]!, port: 53 });
    theirs.send(new Uint8Array(1), socket.local);
    await bench.world.run(200);
  };
  visit();
  await exchange();
  equal(gotCount, 1);
  await bench.look(false);
  visit();
  await exchange();
  deepEqual([gotCount, bench.events.splice(0)], [1, ['up', 'heard', 'visit', 'down', 'visitor gone']]);
  await bench.look(true);
  visit();
  await exchange();
  deepEqual([gotCount, bench.events, listener.local.port], [2, ['up', 'heard', 'visit'], port]);
  await listener.close();
  await socket.close();
  bench.line.close();
  await bench.world.run(2000);
});

test('HTTP requests and names wait for nothing: they fail while the line is down', async () => {
  const bench = new Bench();
  await bench.other.httpServer.listen({ address: null, port: 80 }, () => ({
    status: 200,
    headers: {},
    body: new Uint8Array(0),
  }));
  const ask = (): void =>
    void bench.ports.http.open(
      { method: 'GET', url: `http://${bench.other.host.addresses[0]}/`, timeoutMs: 5000, bytesMax: 9 },
      {
        onHead: ({ status }) => void bench.events.push(`${status}`),
        onBytes: () => {},
        onEnd: (error) => void bench.events.push(error?.code ?? 'end'),
      },
    );
  bench.isThere = false;
  await bench.line.start();
  ask();
  const name = await bench.ports.resolver.resolve('host-0').catch((error: { code: string }) => error.code);
  await bench.world.run(100);
  deepEqual([name, bench.events], ['NET_RESOLVE', ['HTTP_UNREACHABLE']]);
  await bench.look(true);
  ask();
  await bench.world.run(500);
  deepEqual(bench.events, ['HTTP_UNREACHABLE', 'up', '200', 'end']);
  ask();
  await bench.world.run(5);
  bench.isThere = false;
  await bench.line.start();
  deepEqual(bench.events.slice(4).sort(), ['HTTP_UNREACHABLE', 'down']);
  bench.line.close();
});

test('HTTP connections that are kept for later end with the line', async () => {
  const bench = new Bench();
  await bench.line.start();
  deepEqual([bench.line.isUp, bench.idleEndedCount], [true, 0]);
  await bench.look(false);
  deepEqual([bench.line.isUp, bench.idleEndedCount], [false, 1]);
  bench.line.close();
});

test('another address on the same interface: everything of the old one goes first', async () => {
  const bench = new Bench();
  await bench.line.start();
  const before = bench.line.addresses.v4;
  Object.defineProperty(bench, 'address', { value: '20.9.9.9' });
  await bench.look(true);
  deepEqual(bench.events, ['up', 'down', 'up']);
  deepEqual([before === '20.9.9.9', bench.line.addresses.v4], [false, '20.9.9.9']);
  bench.line.close();
});
