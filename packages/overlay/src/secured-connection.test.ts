/** Noise and yamux as libp2p uses them, against libp2p's own. */
import { deepEqual, equal, notEqual, ok, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type {
  ConnectionEncrypter,
  MessageStream,
  PrivateKey,
  SecuredConnection,
  Stream,
  StreamMuxer,
  StreamMuxerFactory,
} from '@libp2p/interface';
import { noise as libp2pNoise } from '@libp2p/noise';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { multiaddrConnectionPair } from '@libp2p/utils';
import { yamux as libp2pYamux } from '@libp2p/yamux';
import { type Clock, concatBytes, emptyBytes, Prng } from '@tequio/kernel';
import { untilReal } from '@tequio/kernel/compliance/clock-real';
import { createRuntimePorts } from '@tequio/runtime';
import { limits } from './limits.ts';
import { noise } from './noise.ts';
import { silentLogger } from './silent-logger.ts';
import { yamux } from './yamux.ts';

const ports = createRuntimePorts();
const { windowBytes } = limits.yamux;

type Kind = {
  readonly name: string;
  readonly muxer: StreamMuxerFactory;
  encrypter(privateKey: PrivateKey, muxers: Map<string, StreamMuxerFactory>): ConnectionEncrypter;
};

const kinds: readonly Kind[] = [
  {
    name: 'ours',
    muxer: yamux(ports.clock)(),
    encrypter: (privateKey, muxers) =>
      noise(ports)({ privateKey, upgrader: { getStreamMuxers: () => muxers } }),
  },
  {
    name: 'libp2p’s',
    muxer: libp2pYamux()(),
    encrypter: (privateKey, muxers) =>
      libp2pNoise()({
        privateKey,
        peerId: peerIdFromPrivateKey(privateKey),
        logger: silentLogger,
        upgrader: { getStreamMuxers: () => muxers } as never,
      }) as ConnectionEncrypter,
  },
];

async function secure(
  [dialler, listener]: readonly [Kind, Kind],
  expected?: PrivateKey,
): Promise<{ readonly ends: readonly [SecuredConnection, SecuredConnection]; readonly keys: PrivateKey[] }> {
  const keys = [await generateKeyPair('Ed25519'), await generateKeyPair('Ed25519')];
  const [near, far] = multiaddrConnectionPair();
  const muxersOf = ({ muxer }: Kind): Map<string, StreamMuxerFactory> => new Map([[muxer.protocol, muxer]]);
  const ends = await Promise.all([
    dialler
      .encrypter(keys[0]!, muxersOf(dialler))
      .secureOutbound(near, { remotePeer: peerIdFromPrivateKey(expected ?? keys[1]!) }),
    listener.encrypter(keys[1]!, muxersOf(listener)).secureInbound(far),
  ]);
  return { ends, keys };
}

function gather(stream: MessageStream): { bytes: Uint8Array } {
  const gathered: { bytes: Uint8Array } = { bytes: emptyBytes };
  stream.addEventListener('message', ({ data }) => {
    gathered.bytes = concatBytes([gathered.bytes, data.subarray()]);
  });
  return gathered;
}

/** All of it, however often it has to wait. */
async function write(stream: MessageStream, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += 100_000)
    if (!stream.send(bytes.subarray(at, at + 100_000))) await stream.onDrain();
}

const pairs = [
  [kinds[0]!, kinds[0]!],
  [kinds[0]!, kinds[1]!],
  [kinds[1]!, kinds[0]!],
] as const;

for (const pair of pairs) {
  const name = `${pair[0].name} and ${pair[1].name}`;

  test(`${name}: both know whom they speak with, and the muxer needs no negotiation`, async () => {
    const { ends, keys } = await secure(pair);
    const [dialled, accepted] = ends;
    equal(dialled.remotePeer.toString(), peerIdFromPrivateKey(keys[1]!).toString());
    equal(accepted.remotePeer.toString(), peerIdFromPrivateKey(keys[0]!).toString());
    equal(dialled.streamMuxer, pair[0].muxer);
    equal(accepted.streamMuxer, pair[1].muxer);
    dialled.connection.abort(new Error('done'));
  });

  test(`${name}: bytes of every length come as they were sent, both ways`, async () => {
    const { ends } = await secure(pair);
    const prng = new Prng(3);
    const lengths = [1, 2, 15, 16, 17, 1000, 65_518, 65_519, 65_520, 65_535, 65_536, 65_537, 300_000];
    const texts = lengths.map((length) => prng.bytes(length));
    const all = concatBytes(texts);
    for (const [from, to] of [ends, [ends[1], ends[0]]] as const) {
      const heard = gather(to!.connection);
      for (const text of texts) if (!from!.connection.send(text)) await from!.connection.onDrain();
      await untilReal(() => heard.bytes.length >= all.length);
      deepEqual(heard.bytes, all);
    }
    ends[0].connection.abort(new Error('done'));
  });

  test(`${name}: whoever is not the one who was dialled is not spoken with`, async () => {
    await rejects(secure(pair, await generateKeyPair('Ed25519')));
  });

  test(`${name}: a hundred streams at once, more than a window on each, keep apart`, async () => {
    const { ends } = await secure(pair);
    const [near, far] = ends.map((end) => end.streamMuxer!.createStreamMuxer(end.connection)) as [
      StreamMuxer,
      StreamMuxer,
    ];
    far.addEventListener('stream', ({ detail }) => echo(detail));
    const prng = new Prng(9);
    const work = Array.from({ length: 100 }, async (_, index) => {
      const stream = await near.createStream();
      const heard = gather(stream);
      const text = prng.bytes(index === 0 ? 1_500_000 : prng.below(20_000) + 1);
      await write(stream, text);
      await stream.close();
      await untilReal(() => heard.bytes.length >= text.length);
      deepEqual(heard.bytes, text);
    });
    await Promise.all(work);
    await untilReal(() => near.streams.length === 0 && far.streams.length === 0);
    ends[0].connection.abort(new Error('done'));
  });

  test(`${name}: who pauses makes the other side wait, and is sent no more than it said`, async () => {
    const { ends } = await secure(pair);
    const [near, far] = ends.map((end) => end.streamMuxer!.createStreamMuxer(end.connection)) as [
      StreamMuxer,
      StreamMuxer,
    ];
    const accepted: Stream[] = [];
    far.addEventListener('stream', ({ detail }) => accepted.push(detail));
    const stream = await near.createStream();
    await untilReal(() => accepted.length === 1);
    const reader = accepted[0]!;
    reader.pause();
    const text = new Prng(1).bytes(1_000_000);
    equal(stream.send(text), false);
    // libp2p's leaves some bytes of a window unused.
    await untilReal(() => reader.readBufferLength >= windowBytes - 12);
    await untilReal(() => stream.writeBufferLength <= text.length - (windowBytes - 12));
    ok(stream.writeBufferLength >= text.length - windowBytes, 'no more than the window has gone');
    const heard = gather(reader);
    reader.resume();
    await untilReal(() => heard.bytes.length === text.length);
    deepEqual(heard.bytes, text);
    ends[0].connection.abort(new Error('done'));
  });

  test(`${name}: a stream that is broken off ends on the other side too, and no other stream does`, async () => {
    const { ends } = await secure(pair);
    const [near, far] = ends.map((end) => end.streamMuxer!.createStreamMuxer(end.connection)) as [
      StreamMuxer,
      StreamMuxer,
    ];
    const accepted: Stream[] = [];
    far.addEventListener('stream', ({ detail }) => accepted.push(detail));
    const [one, other] = [await near.createStream(), await near.createStream()];
    await untilReal(() => accepted.length === 2);
    one!.abort(new Error('broken off'));
    await untilReal(() => accepted[0]!.status === 'reset');
    equal(accepted[1]!.status, 'open');
    const heard = gather(accepted[1]!);
    other!.send(new Uint8Array(10));
    await untilReal(() => heard.bytes.length === 10);
    ends[0].connection.abort(new Error('done'));
  });
}

function echo(stream: Stream): void {
  stream.addEventListener('message', ({ data }) => void stream.send(data));
  stream.addEventListener('remoteCloseWrite', () => void stream.close().catch(() => {}));
}

test('a new stream begins with the window that the last ones have grown to, up to a limit', async () => {
  const { ends } = await secure(pairs[0]);
  // Time stands still: however slow the machine is, every window is used up quickly.
  const clock: Clock = { ...ports.clock, nowMs: () => 0 };
  const [near, far] = ends.map((end) => yamux(clock)().createStreamMuxer(end.connection)) as [
    StreamMuxer,
    StreamMuxer,
  ];
  const accepted: Stream[] = [];
  far.addEventListener('stream', ({ detail }) => accepted.push(detail));
  const first = await near.createStream();
  await untilReal(() => accepted.length === 1);
  const heard = gather(accepted[0]!);
  const text = new Uint8Array(8 * windowBytes);
  await write(first, text);
  await untilReal(() => heard.bytes.length === text.length);
  const second = await near.createStream();
  await untilReal(() => accepted.length === 2);
  accepted[1]!.pause();
  second.send(new Uint8Array(limits.yamux.usualBytesMax * 2));
  await untilReal(() => accepted[1]!.readBufferLength > windowBytes);
  ok(accepted[1]!.readBufferLength <= limits.yamux.usualBytesMax);
  ends[0].connection.abort(new Error('done'));
});

test('what was changed on its way ends the connection', async () => {
  const keys = [await generateKeyPair('Ed25519'), await generateKeyPair('Ed25519')];
  const [near, far] = multiaddrConnectionPair();
  const none = new Map<string, StreamMuxerFactory>();
  const [dialled, accepted] = await Promise.all([
    kinds[0]!.encrypter(keys[0]!, none).secureOutbound(near),
    kinds[0]!.encrypter(keys[1]!, none).secureInbound(far),
  ]);
  const heard = gather(accepted.connection);
  // Past the cipher, in the shape of a message.
  near.send(new Uint8Array([0, 20, ...new Prng(1).bytes(20)]));
  await untilReal(() => accepted.connection.status !== 'open');
  equal(heard.bytes.length, 0);
  notEqual(far.status, 'open');
  ok(dialled);
});
