/** Through a relay; from there directly, by WebRTC, is shown in the laboratory (e2e/nat/overlay.test.ts). */
import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import type { OverlayPort } from '@tequio/kernel';
import { untilReal } from '@tequio/kernel/compliance/clock-real';
import { limits } from './limits.ts';
import type { OverlayOptions } from './options.ts';
import { startOverlay } from './testing/start-overlays.ts';

const timeoutMs = 30_000;
const hello = '/test/hello/1.0.0';

/** What a dialled stream says first, and whether it went through a relay. */
async function ask(from: OverlayPort, to: OverlayPort, acceptRelayed: boolean): Promise<[string, boolean]> {
  let text = '';
  let end: string | null | undefined;
  const stream = from.dial(
    to.peer,
    [hello],
    { timeoutMs, acceptRelayed },
    { onBytes: (bytes) => void (text += Buffer.from(bytes).toString()), onClose: (error) => (end = error) },
  );
  stream.end();
  await untilReal(() => end !== undefined);
  equal(end, null);
  return [text, stream.isRelayed];
}

function answerHello(node: OverlayPort): void {
  node.handle(hello, (stream) => ({
    onBytes() {},
    onEnd: () => {
      stream.write(Buffer.from(stream.isRelayed ? 'hello by relay' : 'hello'));
      stream.end();
    },
    onClose() {},
  }));
}

/** A relay, and so many that are reached through it alone, each with its address there or null. */
async function withRelay(
  options: Partial<OverlayOptions>,
  count: number,
  work: (hidden: readonly OverlayPort[], relay: OverlayPort) => Promise<void>,
): Promise<void> {
  const relay = await startOverlay({ relayServer: true, ...options });
  const hidden = await Promise.all(
    Array.from({ length: count }, () => startOverlay({ port: null, relayCount: 1 })),
  );
  try {
    for (const { node } of hidden) await node.connect(relay.node.addresses[0]!, { timeoutMs });
    await work(
      hidden.map(({ node }) => node),
      relay.node,
    );
  } finally {
    for (const { close } of [...hidden, relay]) await close();
  }
}

function placeOf(node: OverlayPort): string | null {
  return node.addresses.find((one) => one.includes('/p2p-circuit/p2p/')) ?? null;
}

test('a relay carries so many bytes, and ends the connection', async () => {
  const bytes = 100_000;
  await withRelay({ relayLimits: { ...limits.relay, bytes } }, 2, async ([a, b]) => {
    let received = 0;
    b!.handle('/test/sink/1.0.0', () => ({ onBytes: (part) => (received += part.length), onClose() {} }));
    await untilReal(() => placeOf(b!) !== null);
    await a!.connect(placeOf(b!)!, { timeoutMs });
    let end: string | null | undefined;
    const options = { timeoutMs, acceptRelayed: true };
    const stream = a!.dial(b!.peer, ['/test/sink/1.0.0'], options, {
      onBytes() {},
      onClose: (error) => (end = error),
    });
    stream.write(new Uint8Array(20_000));
    await untilReal(() => received === 20_000);
    for (let sent = 0; sent < 20 * bytes; sent += 10_000) stream.write(new Uint8Array(10_000));
    await untilReal(() => end !== undefined);
    ok(end !== null, 'the sender is told');
    await untilReal(() => !a!.peers.some(({ peer }) => peer === b!.peer));
    ok(received <= bytes, `${received}`);
  });
});

test('a connection through a relay ends when its time is over', async () => {
  await withRelay({ relayLimits: { ...limits.relay, lastMs: 500 } }, 2, async ([a, b]) => {
    await untilReal(() => placeOf(b!) !== null);
    await a!.connect(placeOf(b!)!, { timeoutMs });
    await untilReal(() => [a!, b!].every((node) => !node.peers.some(({ isRelayed }) => isRelayed)));
    ok(placeOf(b!) !== null, 'the place stays');
  });
});

test('a relay has so many places, and no option makes them more', async () => {
  await withRelay({ relayLimits: { ...limits.relay, reservations: 1 } }, 2, async (hidden, relay) => {
    await untilReal(() => hidden.some((node) => placeOf(node) !== null));
    const [without] = hidden.filter((node) => placeOf(node) === null);
    // Whoever has none yet was refused, or is about to be: it has the same way to go as the other.
    const other = await startOverlay();
    try {
      const address = `${relay.addresses[0]!}/p2p-circuit/p2p/${without!.peer}`;
      await rejects(other.node.connect(address, { timeoutMs: 5000 }), { code: 'OVERLAY_DIAL' });
      await without!.disconnect(relay.peer);
      await without!.connect(relay.addresses[0]!, { timeoutMs });
      await rejects(other.node.connect(address, { timeoutMs: 5000 }), { code: 'OVERLAY_DIAL' });
      equal(placeOf(without!), null);
    } finally {
      await other.close();
    }
  });
});

test('whom nobody can dial is reached through a relay', async () => {
  const relay = await startOverlay({ relayServer: true });
  const hidden = [0, 1].map(() => startOverlay({ port: null, relayCount: 1 }));
  const [a, b] = await Promise.all(hidden);
  try {
    answerHello(b!.node);
    for (const { node } of [a!, b!]) await node.connect(relay.node.addresses[0]!, { timeoutMs });
    const address = (): string | undefined =>
      b!.node.addresses.find((one) => one.includes('/p2p-circuit/p2p/'));
    await untilReal(() => address() !== undefined);
    equal(await a!.node.connect(address()!, { timeoutMs }), b!.node.peer);
    deepEqual(await ask(a!.node, b!.node, true), ['hello by relay', true]);
    ok(a!.node.peers.some(({ peer, isRelayed }) => peer === b!.node.peer && isRelayed));
  } finally {
    for (const { close } of [a!, b!, relay]) await close();
  }
});
