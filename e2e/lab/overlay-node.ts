/**
 * The overlay as a program of its own, for a machine of the laboratory: each JSON line on standard input is a request,
 * answered with one on standard output.
 */
import { argv, env, stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline';
import {
  createOverlay,
  defaultOverlayOptions,
  type OverlayOptions,
  type OverlayService,
} from '@tequio/overlay';
import { createRuntimePorts } from '@tequio/runtime';

const usualTimeoutMs = 60_000;
const echo = '/lab/echo/1.0.0';

type Request = {
  readonly id: number;
  readonly op: 'addresses' | 'connect' | 'peers' | 'echo';
  readonly to?: string;
  readonly bytes?: number;
  readonly acceptRelayed?: boolean;
  readonly timeoutMs?: number;
};

/** Sends so many bytes, has them sent back. */
function measureEcho(node: OverlayService, request: Request): Promise<object> {
  const { to = '', bytes = 0, acceptRelayed = false, timeoutMs = usualTimeoutMs } = request;
  return new Promise((resolve, reject) => {
    let received = 0;
    const startMs = performance.now();
    const stream = node.dial(
      to,
      [echo],
      { timeoutMs, acceptRelayed },
      {
        onBytes: (part) => void (received += part.length),
        onClose: (error) => {
          const seconds = (performance.now() - startMs) / 1000;
          if (error === null) resolve({ received, seconds, isRelayed: stream.isRelayed });
          else reject(new Error(error));
        },
      },
    );
    for (let sent = 0; sent < bytes; sent += 16_384)
      stream.write(new Uint8Array(Math.min(16_384, bytes - sent)));
    stream.end();
  });
}

async function answer(node: OverlayService, request: Request): Promise<object> {
  switch (request.op) {
    case 'addresses':
      return { peer: node.peer, addresses: node.addresses };
    case 'connect':
      return {
        peer: await node.connect(request.to ?? '', { timeoutMs: request.timeoutMs ?? usualTimeoutMs }),
      };
    case 'peers':
      return { peers: node.peers };
    case 'echo':
      return measureEcho(node, request);
  }
}

const ports = createRuntimePorts();
const options = JSON.parse(argv[2] ?? '{}') as Partial<OverlayOptions>;
const node = createOverlay(
  {
    ...defaultOverlayOptions,
    secretKey: ports.entropy.bytes(32),
    agent: 'tequio/lab',
    localDiscovery: false,
    ...options,
  },
  { ports, crypto: ports, database: ports.database.open(env['OVERLAY_DATABASE'] ?? ':memory:') },
);
await node.start();
node.handle(echo, (stream) => ({
  onBytes: (bytes) => {
    if (!stream.write(bytes.slice())) stream.pause();
  },
  onDrain: () => stream.resume(),
  onEnd: () => stream.end(),
  onClose() {},
}));
createInterface({ input: stdin })
  .on('line', (line) => {
    const request = JSON.parse(line) as Request;
    const reply = (words: object): void =>
      void stdout.write(`${JSON.stringify({ id: request.id, ...words })}\n`);
    answer(node, request).then(
      (words) => reply({ ok: true, ...words }),
      (error: unknown) => reply({ ok: false, error: String(error) }),
    );
  })
  .on('close', () => void node.close().then(() => ports.close()));
