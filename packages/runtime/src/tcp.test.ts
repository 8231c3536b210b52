import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { IpAddress } from '@tequio/kernel';
import { passReal, untilReal } from '@tequio/kernel/compliance/clock-real';
import { testTcpPort } from '@tequio/kernel/compliance/tcp';
import { createTcp } from './tcp.ts';

const loopback = '127.0.0.1' as IpAddress;

for (const address of [loopback, '::1' as IpAddress]) {
  testTcpPort(`runtime tcp on ${address}`, async () => ({
    server: createTcp(),
    client: createTcp(),
    serverAddress: address,
    clientAddress: address,
    until: untilReal,
    pass: passReal,
    close: async () => {},
  }));
}

test('a dial that nobody answers times out', async () => {
  // A listener whose thread sleeps: its backlog fills, and then the system answers no more.
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
     });`,
    { eval: true },
  );
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  await passReal(50);
  const ends: (string | null)[] = [];
  const startMs = performance.now();
  const connections = Array.from({ length: 8 }, () =>
    createTcp().dial(
      { address: loopback, port },
      { timeoutMs: 150 },
      { onBytes() {}, onClose: (error) => ends.push(error) },
    ),
  );
  await untilReal(() => ends.length >= 4);
  ok(performance.now() - startMs >= 149);
  for (const error of ends) equal(error, 'timed out');
  for (const connection of connections) connection.destroy();
  await worker.terminate();
});

test('a port that the system does not take fails like any other dial', async () => {
  let error: string | null | undefined;
  createTcp().dial(
    { address: loopback, port: 70_000 },
    { timeoutMs: 1000 },
    {
      onBytes() {},
      onClose: (reason) => {
        error = reason;
      },
    },
  );
  equal(error, undefined);
  await untilReal(() => error !== undefined);
  ok(typeof error === 'string');
});

test('received chunks are lent from one buffer, on dialled and on accepted sockets', async () => {
  const buffers = new Set<ArrayBufferLike>();
  const tcp = createTcp();
  let byteCount = 0;
  const handler = {
    onBytes(bytes: Uint8Array): void {
      buffers.add(bytes.buffer);
      byteCount += bytes.length;
    },
    onClose() {},
  };
  const listener = await tcp.listen({ address: loopback, port: 0 }, (connection) => {
    connection.write([new Uint8Array(300_000)]);
    return handler;
  });
  const connections = Array.from({ length: 3 }, () => tcp.dial(listener.local, { timeoutMs: 1000 }, handler));
  for (const connection of connections) connection.write([new Uint8Array(300_000)]);
  await untilReal(() => byteCount === 6 * 300_000);
  equal(buffers.size, process.platform === 'win32' ? 6 : 1);
  for (const connection of connections) connection.destroy();
  await listener.close();
});
