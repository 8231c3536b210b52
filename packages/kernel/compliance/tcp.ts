/** What every StreamPort must do; run on the runtime's over loopback and on the simulator's in virtual time. */
import { deepEqual, equal, notEqual, ok, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import type { IpAddress, StreamConnection, StreamHandler, StreamListener, StreamPort } from '@tequio/kernel';

/** Two hosts that can reach each other (they may be one). Made anew for each test. */
export type TcpFixture = {
  readonly server: StreamPort;
  readonly client: StreamPort;
  readonly serverAddress: IpAddress;
  readonly clientAddress: IpAddress;
  /** Lets the world go on until `condition` holds; throws when it takes too long. */
  until(condition: () => boolean): Promise<void>;
  /** Lets the world go on for so long. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
};

/** Writes down what happens to one connection. */
class Recorder implements StreamHandler {
  connection: StreamConnection | null = null;
  readonly events: string[] = [];
  readonly received: number[] = [];
  receivedBytes = 0;
  error: string | null = null;
  /** Called after the recording. */
  hook: (event: 'open' | 'bytes' | 'close') => void = () => {};
  keepBytes = true;

  get closed(): boolean {
    return this.events.includes('close');
  }

  get open(): boolean {
    return this.events.includes('open');
  }

  onOpen(): void {
    this.events.push('open');
    this.hook('open');
  }

  onBytes(bytes: Uint8Array): void {
    if (this.keepBytes) for (const byte of bytes) this.received.push(byte);
    this.receivedBytes += bytes.length;
    if (this.events.at(-1) !== 'bytes') this.events.push('bytes');
    this.hook('bytes');
  }

  onClose(error: string | null): void {
    this.events.push('close');
    this.error = error;
    this.hook('close');
  }
}

type Pair = {
  readonly fixture: TcpFixture;
  readonly listener: StreamListener;
  readonly client: Recorder;
  readonly server: Recorder;
};

/** Registers the suite. */
export function testTcpPort(name: string, make: () => Promise<TcpFixture>): void {
  const withPair = (title: string, run: (pair: Pair) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      const fixture = await make();
      try {
        const pair = await connectPair(fixture);
        await run(pair);
        pair.client.connection?.destroy();
        await pair.listener.close();
      } finally {
        await fixture.close();
      }
    });
  };
  testData(withPair);
  testClosing(withPair);
  testFlow(withPair);
  testDialling(name, make);
}

async function connectPair(fixture: TcpFixture): Promise<Pair> {
  const [client, server] = [new Recorder(), new Recorder()];
  const listener = await fixture.server.listen({ address: fixture.serverAddress, port: 0 }, (connection) => {
    server.connection = connection;
    return server;
  });
  client.connection = fixture.client.dial(listener.local, { timeoutMs: 5000 }, client);
  deepEqual(client.events, [], 'nothing is called from inside dial');
  await fixture.until(() => client.open && server.connection !== null);
  return { fixture, listener, client, server };
}

type WithPair = (title: string, run: (pair: Pair) => Promise<void>) => void;

const bytesOf = (...values: number[]): Uint8Array => Uint8Array.from(values);

function testData(withPair: WithPair): void {
  withPair('both sides know both endpoints', async ({ fixture, listener, client, server }) => {
    deepEqual(client.connection?.remote, listener.local);
    deepEqual(server.connection?.remote, client.connection?.local);
    equal(server.connection?.local.port, listener.local.port);
    equal(server.connection?.remote.address, fixture.clientAddress);
    notEqual(listener.local.port, 0);
  });

  withPair(
    'parts arrive in order, both ways, and sent is called once',
    async ({ fixture, client, server }) => {
      let sentCount = 0;
      client.connection?.write([bytesOf(1, 2), bytesOf(), bytesOf(3)], () => sentCount++);
      client.connection?.write([bytesOf(4)], () => sentCount++);
      client.connection?.write([], () => sentCount++);
      server.connection?.write([bytesOf(9, 8), bytesOf(7)]);
      await fixture.until(() => server.receivedBytes === 4 && client.receivedBytes === 3 && sentCount === 3);
      deepEqual(server.received, [1, 2, 3, 4]);
      deepEqual(client.received, [9, 8, 7]);
      equal(client.connection?.queuedBytes, 0);
    },
  );

  withPair(
    'a megabyte arrives as it was sent, from shared memory too',
    async ({ fixture, client, server }) => {
      const shared = new Uint8Array(new SharedArrayBuffer(1 << 20));
      for (let i = 0; i < shared.length; i++) shared[i] = (i * 31 + (i >> 8)) & 0xff;
      let at = 0;
      let wrong = 0;
      const check = server.onBytes.bind(server);
      server.keepBytes = false;
      server.onBytes = (bytes) => {
        for (const byte of bytes) if (byte !== shared[at++]) wrong++;
        check(bytes);
      };
      for (let from = 0; from < shared.length; from += 16384) {
        client.connection?.write([bytesOf(), shared.subarray(from, from + 16384)]);
      }
      await fixture.until(() => server.receivedBytes === shared.length);
      equal(wrong, 0);
    },
  );
}

function testClosing(withPair: WithPair): void {
  withPair('end sends what is queued, then both sides close without an error', async (pair) => {
    const { fixture, client, server } = pair;
    server.keepBytes = false;
    for (let i = 0; i < 20; i++) client.connection?.write([new Uint8Array(50_000)]);
    client.connection?.end();
    client.connection?.write([bytesOf(1)]);
    await fixture.until(() => client.closed && server.closed);
    equal(server.receivedBytes, 1_000_000, 'all that was written before end, nothing after');
    deepEqual(server.events, ['bytes', 'close']);
    deepEqual(client.events, ['open', 'close']);
    deepEqual([client.error, server.error], [null, null]);
  });

  withPair('what was queued when the other side ends is still sent', async ({ fixture, client, server }) => {
    client.connection?.write([bytesOf(1)]);
    server.hook = (event) => {
      if (event === 'bytes') server.connection?.write([bytesOf(5, 6)]);
    };
    client.connection?.pause();
    await fixture.until(() => server.receivedBytes === 1);
    server.connection?.end();
    client.connection?.resume();
    await fixture.until(() => client.closed && server.closed);
    deepEqual(client.received, [5, 6]);
    deepEqual([client.error, server.error], [null, null]);
  });

  withPair('after end no more bytes are given to the handler', async ({ fixture, client, server }) => {
    client.connection?.end();
    server.connection?.write([bytesOf(1)]);
    await fixture.until(() => client.closed && server.closed);
    equal(client.receivedBytes, 0);
  });

  withPair('destroy closes both sides, never from inside the call', async ({ fixture, client, server }) => {
    client.connection?.destroy();
    equal(client.closed, false);
    client.connection?.destroy();
    client.connection?.write([bytesOf(1)], () => client.events.push('sent'));
    await fixture.until(() => client.closed && server.closed);
    deepEqual(client.events, ['open', 'close']);
    deepEqual(server.events, ['close']);
    equal(client.error, null);
    equal(client.connection?.queuedBytes, 0);
  });

  withPair('destroy from inside onBytes stops the bytes at once', async ({ fixture, client, server }) => {
    server.hook = (event) => {
      if (event === 'bytes') server.connection?.destroy();
    };
    for (let i = 0; i < 50; i++) client.connection?.write([new Uint8Array(100_000)]);
    await fixture.until(() => client.closed && server.closed);
    deepEqual(server.events, ['bytes', 'close']);
    equal(server.error, null);
    equal(client.error, 'reset by the other side');
  });
}

function testFlow(withPair: WithPair): void {
  withPair('a paused reader fills the writer’s queue, and resume empties it', async (pair) => {
    const { fixture, client, server } = pair;
    server.keepBytes = false;
    server.connection?.pause();
    let sentCount = 0;
    for (let i = 0; i < 320; i++) client.connection?.write([new Uint8Array(100_000)], () => sentCount++);
    await fixture.pass(200);
    ok((client.connection?.queuedBytes ?? 0) > 0, 'the system takes only so much');
    ok(sentCount < 320);
    const before = server.receivedBytes;
    await fixture.pass(100);
    equal(server.receivedBytes, before, 'nothing arrives while paused');
    server.connection?.resume();
    await fixture.until(() => server.receivedBytes === 32_000_000 && sentCount === 320);
    equal(client.connection?.queuedBytes, 0);
  });

  withPair('pause and resume from inside onBytes lose nothing', async ({ fixture, client, server }) => {
    server.keepBytes = false;
    let pauseCount = 0;
    server.hook = (event) => {
      if (event !== 'bytes') return;
      server.connection?.pause();
      pauseCount++;
    };
    for (let i = 0; i < 20; i++) client.connection?.write([new Uint8Array(100_000)]);
    client.connection?.end();
    await fixture.until(() => {
      server.connection?.resume();
      return server.closed && client.closed;
    });
    equal(server.receivedBytes, 2_000_000);
    ok(pauseCount > 1);
  });
}

function testDialling(name: string, make: () => Promise<TcpFixture>): void {
  const withFixture = (title: string, run: (fixture: TcpFixture) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      const fixture = await make();
      try {
        await run(fixture);
      } finally {
        await fixture.close();
      }
    });
  };

  withFixture('a dial to a closed port is refused', async (fixture) => {
    const listener = await fixture.server.listen({ address: fixture.serverAddress, port: 0 }, () => null);
    await listener.close();
    const client = new Recorder();
    const connection = fixture.client.dial(listener.local, { timeoutMs: 5000 }, client);
    connection.write([bytesOf(1)], () => client.events.push('sent'));
    await fixture.until(() => client.closed);
    await fixture.pass(20);
    deepEqual(client.events, ['close']);
    equal(client.error, 'connection refused');
  });

  withFixture('an acceptor that returns null closes the connection', async (fixture) => {
    const listener = await fixture.server.listen({ address: fixture.serverAddress, port: 0 }, () => null);
    const client = new Recorder();
    fixture.client.dial(listener.local, { timeoutMs: 5000 }, client);
    await fixture.until(() => client.closed);
    equal(client.receivedBytes, 0);
    await listener.close();
  });

  withFixture('a dial that is destroyed at once never opens', async (fixture) => {
    const listener = await fixture.server.listen({ address: fixture.serverAddress, port: 0 }, () => null);
    const client = new Recorder();
    fixture.client.dial(listener.local, { timeoutMs: 5000 }, client).destroy();
    deepEqual(client.events, []);
    await fixture.until(() => client.closed);
    await fixture.pass(20);
    deepEqual(client.events, ['close']);
    equal(client.error, null);
    await listener.close();
  });

  withFixture('what is written before the dial is through is sent when it is', async (fixture) => {
    const server = new Recorder();
    const listener = await fixture.server.listen({ address: fixture.serverAddress, port: 0 }, () => server);
    const client = new Recorder();
    const connection = fixture.client.dial(listener.local, { timeoutMs: 5000 }, client);
    connection.write([bytesOf(1), bytesOf(2)]);
    connection.write([bytesOf(3)]);
    connection.end();
    await fixture.until(() => server.closed && client.closed);
    deepEqual(server.received, [1, 2, 3]);
    await listener.close();
  });

  withFixture('a port in use cannot be listened on, and is free after close', async (fixture) => {
    const first = await fixture.server.listen({ address: fixture.serverAddress, port: 0 }, () => null);
    const again = (): Promise<StreamListener> =>
      fixture.server.listen({ address: fixture.serverAddress, port: first.local.port }, () => null);
    await rejects(again(), {
      code: 'NET_LISTEN',
      op: 'listen',
      retry: true,
      message: /another program uses it/,
    });
    await first.close();
    await (await again()).close();
  });

  withFixture('connections outlive their listener', async (fixture) => {
    const { client, server, listener } = await connectPair(fixture);
    await listener.close();
    client.connection?.write([bytesOf(1)]);
    await fixture.until(() => server.receivedBytes === 1);
    client.connection?.destroy();
    await fixture.until(() => server.closed && client.closed);
  });

  withFixture('listening on every address takes connections', async (fixture) => {
    const server = new Recorder();
    const listener = await fixture.server.listen({ address: null, port: 0 }, (connection) => {
      server.connection = connection;
      return server;
    });
    const client = new Recorder();
    const to = { address: fixture.serverAddress, port: listener.local.port };
    fixture.client.dial(to, { timeoutMs: 5000, from: fixture.clientAddress }, client);
    await fixture.until(() => client.open && server.connection !== null);
    equal(server.connection?.remote.address, fixture.clientAddress, 'IPv4 is not shown as mapped');
    server.connection?.destroy();
    await fixture.until(() => client.closed && server.closed);
    await listener.close();
  });
}
