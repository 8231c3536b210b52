/** What every UdpPort must do on a network that loses nothing. */
import { deepEqual, equal, notEqual, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint, IpAddress, Multicast, UdpPort } from '@tequio/kernel';

/** Two hosts that can reach each other (they may be one). Made anew for each test. */
export type UdpFixture = {
  readonly server: UdpPort;
  readonly client: UdpPort;
  readonly serverAddress: IpAddress;
  readonly clientAddress: IpAddress;
  /** A network that both are on, and on which a group can be joined; null: there is none. */
  readonly multicast: Multicast | null;
  until(condition: () => boolean): Promise<void>;
  pass(ms: number): Promise<void>;
};

/** Registers the suite. */
export function testUdpPort(name: string, make: () => Promise<UdpFixture>): void {
  testExchange(name, make);
  testEdges(name, make);
  testMulticast(name, make);
}

function testExchange(name: string, make: () => Promise<UdpFixture>): void {
  test(`${name}: datagrams arrive whole, with their sender, and can be answered`, async () => {
    const { server, client, serverAddress, clientAddress, until } = await make();
    const atServer: [number[], Endpoint][] = [];
    const atClient: [number[], Endpoint][] = [];
    const serverSocket = await server.bind({ address: serverAddress, port: 0 }, (bytes, from) => {
      atServer.push([[...bytes], from]);
      serverSocket.send(Uint8Array.of(...bytes, 9), from);
    });
    const clientSocket = await client.bind({ address: clientAddress, port: 0 }, (bytes, from) => {
      atClient.push([[...bytes], from]);
    });
    notEqual(serverSocket.local.port, 0);
    clientSocket.send(Uint8Array.of(1, 2, 3), serverSocket.local);
    equal(atServer.length, 0, 'never from inside send');
    await until(() => atClient.length === 1);
    clientSocket.send(new Uint8Array(0), serverSocket.local);
    await until(() => atClient.length === 2);
    deepEqual(atServer, [
      [[1, 2, 3], clientSocket.local],
      [[], clientSocket.local],
    ]);
    deepEqual(atClient, [
      [[1, 2, 3, 9], serverSocket.local],
      [[9], serverSocket.local],
    ]);
    await Promise.all([serverSocket.close(), clientSocket.close()]);
  });

  test(`${name}: a large datagram arrives whole`, async () => {
    const { server, client, serverAddress, clientAddress, until } = await make();
    let lengths: number[] = [];
    const serverSocket = await server.bind({ address: serverAddress, port: 0 }, (bytes) => {
      lengths = [...lengths, bytes.length];
    });
    const clientSocket = await client.bind({ address: clientAddress, port: 0 }, () => {});
    clientSocket.send(new Uint8Array(9000), serverSocket.local);
    await until(() => lengths.length === 1);
    deepEqual(lengths, [9000]);
    await Promise.all([serverSocket.close(), clientSocket.close()]);
  });
}

function testEdges(name: string, make: () => Promise<UdpFixture>): void {
  test(`${name}: nothing arrives after close, and sending after it is harmless`, async () => {
    const { server, client, serverAddress, clientAddress, pass } = await make();
    let count = 0;
    const serverSocket = await server.bind({ address: serverAddress, port: 0 }, () => count++);
    const clientSocket = await client.bind({ address: clientAddress, port: 0 }, () => {});
    await serverSocket.close();
    await serverSocket.close();
    for (let i = 0; i < 3; i++) clientSocket.send(Uint8Array.of(1), serverSocket.local);
    await pass(30);
    serverSocket.send(Uint8Array.of(1), clientSocket.local);
    equal(count, 0);
    await clientSocket.close();
    clientSocket.send(Uint8Array.of(1), serverSocket.local);
  });

  test(`${name}: what cannot be sent is lost without an error`, async () => {
    const { client, clientAddress, pass } = await make();
    const socket = await client.bind({ address: clientAddress, port: 0 }, () => {});
    const other = (clientAddress.includes(':') ? '127.0.0.1' : '::1') as IpAddress;
    socket.send(Uint8Array.of(1), { address: other, port: 9 });
    socket.send(Uint8Array.of(1), { address: clientAddress, port: 0 });
    socket.send(new Uint8Array(70_000), { address: clientAddress, port: 9 });
    await pass(20);
    await socket.close();
  });

  test(`${name}: a port in use cannot be bound, and is free after close`, async () => {
    const { server, serverAddress } = await make();
    const first = await server.bind({ address: serverAddress, port: 0 }, () => {});
    const again = () => server.bind({ address: serverAddress, port: first.local.port }, () => {});
    await rejects(again(), { code: 'NET_LISTEN', retry: true, message: /another program uses it/ });
    await first.close();
    await (await again()).close();
  });

  test(`${name}: IPv4 and IPv6 can be bound to one port`, async () => {
    const { server } = await make();
    const four = await server.bind({ address: null, port: 0 }, () => {});
    const six = await server.bind({ address: null, port: four.local.port, ipv6: true }, () => {});
    equal(six.local.port, four.local.port);
    equal(four.local.address, '0.0.0.0');
    equal(six.local.address, '::');
    await Promise.all([four.close(), six.close()]);
  });
}

function testMulticast(name: string, make: () => Promise<UdpFixture>): void {
  test(`${name}: all members of a group hear what is sent to it, on one shared port`, async (t) => {
    const { server, client, clientAddress, multicast, until, pass } = await make();
    if (multicast === null) return t.skip('no group can be joined on this network');
    const heard: [string, Endpoint][] = [];
    const hear = (who: string) => (_: Uint8Array, from: Endpoint) => void heard.push([who, from]);
    const place = { address: null, multicast, ipv6: multicast.group.includes(':') };
    const first = await server.bind({ ...place, port: 0 }, hear('first'));
    const { port } = first.local;
    const second = await server.bind({ ...place, port }, hear('second'));
    const third = await client.bind({ ...place, port }, hear('third'));
    const group = { address: multicast.group, port };
    third.send(Uint8Array.of(1), group);
    await until(() => heard.length === 3);
    const from = { address: clientAddress, port };
    const byName = heard.toSorted(([a], [b]) => (a < b ? -1 : 1));
    deepEqual(byName, [
      ['first', from],
      ['second', from],
      ['third', from],
    ]);
    await second.close();
    third.send(Uint8Array.of(2), group);
    await until(() => heard.length === 5);
    await pass(20);
    equal(heard.length, 5, 'who has left hears no more');
    await Promise.all([first.close(), third.close()]);
  });

  test(`${name}: who sends to a group from a socket of another port is answered there`, async (t) => {
    const { server, client, clientAddress, multicast, until } = await make();
    if (multicast === null) return t.skip('no group can be joined on this network');
    const member = await server.bind(
      { address: null, port: 0, multicast, ipv6: multicast.group.includes(':') },
      (bytes, from) => member.send(bytes, from),
    );
    let answerCount = 0;
    const asker = await client.bind({ address: clientAddress, port: 0, multicast }, () => answerCount++);
    asker.send(Uint8Array.of(1), { address: multicast.group, port: member.local.port });
    await until(() => answerCount === 1);
    await Promise.all([member.close(), asker.close()]);
  });
}
