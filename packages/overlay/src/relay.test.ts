/** Through a relay; from there directly, by WebRTC, is shown in the laboratory (e2e/nat/overlay.test.ts). */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { OverlayPort } from '@tequio/kernel';
import { untilReal } from '@tequio/kernel/compliance/clock-real';
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
