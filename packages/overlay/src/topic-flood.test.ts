/** A peer that makes gossipsub remember things: topics without end. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8, type OverlayPort, type OverlayStream } from '@tequio/kernel';
import { passReal, untilReal } from '@tequio/kernel/compliance/clock-real';
import { limits } from './limits.ts';
import { startOverlays } from './testing/start-overlays.ts';

const timeoutMs = 30_000;
const nameLength = 1000;
const floodCount = 5000;

/** Length before it, as protobuf and libp2p write it. */
function framed(bytes: Uint8Array): Uint8Array {
  const head: number[] = [];
  let length = bytes.length;
  for (; length > 127; length >>= 7) head.push((length & 127) | 128);
  return Uint8Array.from([...head, length, ...bytes]);
}

/** `RPC { subscriptions { subscribe: true, topicid } ... }` */
function subscriptions(topics: readonly string[]): Uint8Array {
  const all = topics.map((topic) => {
    const inner = Uint8Array.from([0x08, 1, 0x12, ...framed(encodeUtf8(topic))]);
    return Uint8Array.from([0x0a, ...framed(inner)]);
  });
  return framed(new Uint8Array(Buffer.concat(all)));
}

function topicOf(index: number): string {
  return `${index} `.padEnd(nameLength, 'x');
}

/** A stream that speaks gossipsub by hand. */
function gossip(from: OverlayPort, to: OverlayPort): OverlayStream {
  const events = { onBytes() {}, onClose() {} };
  return from.dial(to.peer, ['/meshsub/1.1.0'], { timeoutMs }, events);
}

test('topics of one peer cost so much and not more, and others are heard as before', async () => {
  const { nodes, close } = await startOverlays(3);
  const [victim, flooder, honest] = [nodes[0]!, nodes[1]!, nodes[2]!];
  try {
    for (const node of [flooder, honest]) await node.connect(victim.addresses[0]!, { timeoutMs });
    const heard: string[] = [];
    const subscription = victim.subscribe('weather', ({ from }) => void heard.push(from));
    honest.subscribe('weather', () => undefined);
    await untilReal(() => victim.subscribersOf(null).includes(flooder.peer));
    const stream = gossip(flooder, victim);
    const topics = Array.from({ length: floodCount }, (_, index) => topicOf(index));
    for (let at = 0; at < topics.length; at += 100) stream.write(subscriptions(topics.slice(at, at + 100)));
    await untilReal(() => victim.subscribersOf(topicOf(0)).includes(flooder.peer));
    await untilReal(() => subscription.peers.includes(honest.peer));
    await untilReal(() => honest.subscribersOf('weather').includes(victim.peer));
    // A mesh takes a heartbeat to form; until then a message may be lost.
    for (let tries = 0; heard.length === 0 && tries < 600; tries++) {
      await honest.publish('weather', encodeUtf8('rain'));
      await passReal(100);
    }
    equal(heard[0], honest.peer);
    const kept = topics.filter((topic) => victim.subscribersOf(topic).includes(flooder.peer)).length;
    ok(kept > 0 && kept * nameLength <= limits.topics.bytesPerPeer, `${kept} topics`);
    deepEqual(victim.subscribersOf(topicOf(floodCount - 1)), []);
  } finally {
    await close();
  }
});
