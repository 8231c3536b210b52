/** Ports behind a proxy, in the simulated world, with a small SOCKS5 and HTTP proxy of the test's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressFromBytes,
  concatBytes,
  decodeUtf8Lossy,
  type Endpoint,
  encodeUtf8,
  formatEndpoint,
  type IpAddress,
  NodeError,
  type Ports,
  readUint16,
  type StreamConnection,
  toHex,
  tryParseAddress,
  type UdpSocket,
} from '@tequio/kernel';
import { type HostPorts, World } from '@tequio/simulator';
import { ProxiedPorts } from './proxied-ports.ts';
import { decodeProxyUrl } from './proxy-settings.ts';
import { encodeSocks5Address, encodeSocks5Datagram, tryDecodeSocks5Datagram } from './socks5-message.ts';

const port = 1080;

/** Relays for real; notes what it was asked for. Names that end in `.there` are `there`. */
class TestProxy {
  readonly asked: string[] = [];
  readonly #host: HostPorts;
  readonly #there: IpAddress;
  relayCount = 0;
  refusesDatagrams = false;
  controls: StreamConnection[] = [];

  constructor(host: HostPorts, there: IpAddress) {
    this.#host = host;
    this.#there = there;
  }

  get address(): IpAddress {
    return this.#host.host.addresses[0]!;
  }

  async start(): Promise<void> {
    await this.#host.tcp.listen({ address: null, port }, (client) => {
      let held: Uint8Array = new Uint8Array(0);
      let step = 0;
      let other: StreamConnection | null = null;
      const connect = (target: Endpoint, answer: Uint8Array): void => {
        const dialled = this.#host.tcp.dial(
          target,
          { timeoutMs: 5000 },
          {
            onOpen: () => {
              client.write([answer]);
              other = dialled;
            },
            onBytes: (bytes) => client.write([bytes.slice()]),
            onClose: () => client.end(),
          },
        );
      };
      return {
        onBytes: (bytes) => {
          if (other !== null) {
            other.write([bytes.slice()]);
            return;
          }
          held = concatBytes([held, bytes]);
          const text = decodeUtf8Lossy(held);
          if (text.startsWith('CONNECT ')) {
            if (!text.endsWith('\r\n\r\n')) return;
            this.asked.push(text.split('\r\n')[0]!);
            const [host, at] = text.split(' ')[1]!.split(':');
            connect(this.#endpoint(host!, Number(at)), encodeUtf8('HTTP/1.1 200 yes\r\n\r\n'));
            held = new Uint8Array(0);
          } else if (step === 0) {
            step = 1;
            held = new Uint8Array(0);
            client.write([Uint8Array.of(5, 0)]);
          } else void this.#request(client, held, connect);
        },
        onClose: () => other?.destroy(),
      };
    });
  }

  async #request(
    client: StreamConnection,
    bytes: Uint8Array,
    connect: (target: Endpoint, answer: Uint8Array) => void,
  ): Promise<void> {
    const isName = bytes[3] === 3;
    const host = isName ? decodeUtf8Lossy(bytes.subarray(5, -2)) : addressFromBytes(bytes.subarray(4, -2));
    const at = readUint16(bytes, bytes.length - 2);
    this.asked.push(`${bytes[1]} ${host}:${at}`);
    if (bytes[1] === 1) {
      connect(this.#endpoint(host, at), Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
      return;
    }
    if (this.refusesDatagrams) {
      client.write([Uint8Array.of(5, 7, 0, 1, 0, 0, 0, 0, 0, 0)]);
      return;
    }
    this.controls.push(client);
    const from: { client: Endpoint | null } = { client: null };
    const outside: UdpSocket = await this.#host.udp.bind({ address: null, port: 0 }, (data, sender) => {
      if (from.client === null) return;
      inside.send(encodeSocks5Datagram({ host: sender.address, port: sender.port }, data), from.client);
    });
    const inside: UdpSocket = await this.#host.udp.bind({ address: null, port: 0 }, (data, sender) => {
      from.client = sender;
      const read = tryDecodeSocks5Datagram(data)!;
      this.asked.push(`datagram ${read.from.host}:${read.from.port}`);
      this.relayCount++;
      outside.send(read.data.slice(), this.#endpoint(read.from.host, read.from.port));
    });
    const bound = encodeSocks5Address({ host: '0.0.0.0', port: inside.local.port });
    client.write([concatBytes([Uint8Array.of(5, 0, 0), bound])]);
  }

  #endpoint(host: string, at: number): Endpoint {
    return { address: host.endsWith('.there') ? this.#there : tryParseAddress(host)!, port: at };
  }
}

async function setUp(kind: 'socks5' | 'http') {
  const world = new World({ seed: 3 });
  const [us, proxyHost, there] = [world.addHost(), world.addHost(), world.addHost()];
  const proxy = new TestProxy(proxyHost, there.host.addresses[0]!);
  await proxy.start();
  const seen = new Set<string>();
  await there.tcp.listen({ address: null, port: 80 }, (connection) => {
    seen.add(connection.remote.address);
    return { onBytes: (bytes) => connection.write([bytes.slice()]), onClose() {} };
  });
  const echo: UdpSocket = await there.udp.bind({ address: null, port: 53 }, (bytes, from) => {
    seen.add(from.address);
    echo.send(bytes.slice(), from);
  });
  const settings = decodeProxyUrl(`${kind}://${proxy.address}:${port}`);
  assert.ok(settings.ok);
  const looked: string[] = [];
  const below = {
    ...us,
    resolver: {
      resolve: (name: string) => {
        looked.push(name);
        return us.resolver.resolve(name);
      },
    },
  } as unknown as Ports;
  const ports = new ProxiedPorts(below, settings.value);
  const onlyTheProxyWasSeen = (): void => {
    assert.deepEqual([...seen], [proxy.address]);
    assert.deepEqual(new Set(looked), new Set([proxy.address]));
  };
  return { world, proxy, ports, there: there.host.addresses[0]!, onlyTheProxyWasSeen };
}

test('connections go through either kind of proxy, names as names', async () => {
  for (const kind of ['socks5', 'http'] as const) {
    const { world, proxy, ports, there, onlyTheProxyWasSeen } = await setUp(kind);
    const [standIn] = await ports.resolver.resolve('seed.there');
    for (const address of [there, standIn!]) {
      const heard: Uint8Array[] = [];
      let closed: string | null | undefined;
      const connection = ports.tcp.dial(
        { address, port: 80 },
        { timeoutMs: 5000 },
        {
          onOpen: () => connection.write([encodeUtf8('hello')]),
          onBytes: (bytes) => void heard.push(bytes.slice()),
          onClose: (error) => void (closed = error),
        },
      );
      assert.equal(formatEndpoint(connection.remote), `${address}:80`);
      await world.run(() => heard.length > 0);
      assert.equal(decodeUtf8Lossy(concatBytes(heard)), 'hello');
      connection.end();
      await world.run(() => closed !== undefined);
      assert.equal(closed, null);
    }
    const expected =
      kind === 'socks5'
        ? [`1 ${there}:80`, '1 seed.there:80']
        : [`CONNECT ${there}:80 HTTP/1.1`, 'CONNECT seed.there:80 HTTP/1.1'];
    assert.deepEqual(proxy.asked, expected);
    onlyTheProxyWasSeen();
  }
});

test('a proxy that is silent, or away, or refuses ends the dial in time, with a reason', async () => {
  const { world, proxy, ports } = await setUp('socks5');
  const reasons: (string | null)[] = [];
  const dial = (through: Ports, address: string): void => {
    const to = { address: address as IpAddress, port: 9 };
    through.tcp.dial(to, { timeoutMs: 2000 }, { onBytes() {}, onClose: (error) => void reasons.push(error) });
  };
  dial(ports, '240.9.9.9');
  await world.run(() => reasons.length === 1);
  const silent = decodeProxyUrl(`socks5://${proxy.address}:81`);
  assert.ok(silent.ok);
  const startMs = ports.clock.nowMs();
  dial(new ProxiedPorts(ports, silent.value), '20.0.0.3');
  await world.run(() => reasons.length === 2);
  assert.ok(ports.clock.nowMs() - startMs <= 2001);
  assert.match(String(reasons[0]), /forgotten/);
  assert.ok(reasons[1] !== null);
});

test('datagrams go through SOCKS5, to names too; a lost association comes back', async () => {
  const { world, proxy, ports, there, onlyTheProxyWasSeen } = await setUp('socks5');
  const [standIn] = await ports.resolver.resolve('tracker.there');
  const heard: string[] = [];
  const socket = await ports.udp.bind({ address: null, port: 6881 }, (bytes, from) => {
    heard.push(`${toHex(bytes)} ${formatEndpoint(from)}`);
  });
  assert.equal(socket.local.port, 6881);
  socket.send(Uint8Array.of(1), { address: there, port: 53 });
  await world.run(() => heard.length === 1);
  socket.send(Uint8Array.of(2), { address: standIn!, port: 53 });
  await world.run(() => heard.length === 3);
  // Whose answer it is can only be told by what is in it: it comes as from the address, and as from the name.
  assert.deepEqual(heard, [`01 ${there}:53`, `02 ${there}:53`, `02 ${standIn}:53`]);
  proxy.controls[0]!.destroy();
  await world.run(500);
  socket.send(Uint8Array.of(3), { address: there, port: 53 });
  await world.run(() => heard.length === 5);
  assert.equal(proxy.controls.length, 2);
  await socket.close();
  await world.run(1000);
  assert.deepEqual(
    proxy.asked.filter((line) => line.startsWith('datagram')),
    [`datagram ${there}:53`, 'datagram tracker.there:53', `datagram ${there}:53`],
  );
  onlyTheProxyWasSeen();
});

test('where no datagrams can go, none go', async () => {
  const http = await setUp('http');
  await assert.rejects(
    http.ports.udp.bind({ address: null, port: 0 }, () => {}),
    NodeError,
  );
  const { world, proxy, ports, there } = await setUp('socks5');
  proxy.refusesDatagrams = true;
  const group = '239.192.152.143' as IpAddress;
  const multicast = { group, interface: null };
  await assert.rejects(
    ports.udp.bind({ address: null, port: 6771, multicast }, () => {}),
    NodeError,
  );
  assert.deepEqual(await ports.networks.list(), []);
  const socket = await ports.udp.bind({ address: null, port: 0 }, () => assert.fail('nobody answers'));
  for (let i = 0; i < 100; i++) socket.send(Uint8Array.of(1), { address: there, port: 53 });
  await world.run(20 * 60_000);
  assert.equal(proxy.relayCount, 0);
  const askedCount = proxy.asked.length;
  assert.ok(askedCount > 2 && askedCount < 12, `${askedCount} times in 20 minutes`);
  await socket.close();
});
