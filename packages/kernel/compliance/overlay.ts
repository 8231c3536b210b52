/** What every OverlayPort must do; run on libp2p over loopback and on the simulator's twin in virtual time. */
import { deepEqual, equal, notEqual, ok, rejects, throws } from 'node:assert/strict';
import { test } from 'node:test';
import {
  encodeUtf8,
  type OverlayMessage,
  type OverlayPort,
  type OverlayProvider,
  type OverlayRecordRules,
  type OverlayStream,
  type OverlayStreamHandler,
} from '@tequio/kernel';

/** Three nodes that can reach each other, and answer in the DHT. Made anew for each test. */
export type OverlayFixture = {
  readonly nodes: readonly [OverlayPort, OverlayPort, OverlayPort];
  /** Lets the world go on until `condition` holds; throws when it takes too long. */
  until(condition: () => boolean): Promise<void>;
  /** Lets the world go on until the promise has settled. */
  settled<Value>(promise: Promise<Value>): Promise<Value>;
  close(): Promise<void>;
};

const timeoutMs = 30_000;
const echo = '/test/echo/1.0.0';
/** Nobody has this one: a well-formed name of a key that is nobody's. */
const nobody = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';

/** Writes down what happens to one stream. */
class Recorder implements OverlayStreamHandler {
  readonly events: string[] = [];
  readonly parts: Uint8Array[] = [];
  bytes = 0;
  error: string | null | undefined;
  hook: (event: string) => void = () => {};

  onOpen(): void {
    this.#note('open');
  }

  onBytes(bytes: Uint8Array): void {
    this.parts.push(bytes.slice());
    this.bytes += bytes.length;
    this.#note('bytes');
  }

  onDrain(): void {
    this.#note('drain');
  }

  onEnd(): void {
    this.#note('end');
  }

  onClose(error: string | null): void {
    this.error = error;
    this.#note('close');
  }

  get isClosed(): boolean {
    return this.events.includes('close');
  }

  /** Events with runs of the same one as one, and without drains. */
  get story(): string {
    const events = this.events.filter((event) => event !== 'drain');
    return events.filter((event, i) => event !== events[i - 1]).join(' ');
  }

  #note(event: string): void {
    this.events.push(event);
    this.hook(event);
  }
}

type Run = (fixture: OverlayFixture) => Promise<void>;

/** Registers the suite. */
export function testOverlayPort(name: string, make: () => Promise<OverlayFixture>): void {
  const withNodes = (title: string, run: Run): void => {
    test(`${name}: ${title}`, async () => {
      const fixture = await make();
      try {
        await run(fixture);
      } finally {
        await fixture.close();
      }
    });
  };
  withNodes('peers connect, are told of each other, and part', testPeers);
  withNodes('who cannot be reached is said to be so', testUnreachable);
  withNodes('bytes come whole and in order, and each side ends for itself', testEcho);
  withNodes('the first protocol that both speak is taken, and none is an error', testProtocols);
  withNodes('what is written before the stream is open is sent', testEarlyBytes);
  withNodes('a refused stream, and one that is broken off, end with an error', testBreaking);
  withNodes('a reader that pauses makes the writer wait', testBackPressure);
  withNodes('many streams at once keep apart', testManyStreams);
  withNodes('a message reaches all who subscribe, with who made it', testTopics);
  withNodes('topics and messages are bounded', testTopicBounds);
  withNodes('who has something is found by others', testProviders);
  withNodes('signed records are checked by who stores and who reads', testValues);
}

/** Connects, and waits until both know. */
async function connect(fixture: OverlayFixture, from: OverlayPort, to: OverlayPort): Promise<void> {
  const told = { from: false, to: false };
  const ends = [
    from.watch({ onPeer: (peer) => (told.from ||= peer === to.peer), onPeerGone() {} }),
    to.watch({ onPeer: (peer) => (told.to ||= peer === from.peer), onPeerGone() {} }),
  ];
  equal(await fixture.settled(from.connect(to.addresses[0]!, { timeoutMs })), to.peer);
  await fixture.until(() => told.from && told.to);
  for (const end of ends) end();
}

async function testPeers(fixture: OverlayFixture): Promise<void> {
  const [a, b] = fixture.nodes;
  b.handle(echo, () => null);
  const events: string[] = [];
  const stop = a.watch({
    onPeer: (peer, protocols) => events.push(`${peer === b.peer} ${protocols.includes(echo)}`),
    onPeerGone: (peer) => events.push(`gone ${peer === b.peer}`),
  });
  notEqual(a.peer, b.peer);
  ok(a.addresses.length > 0);
  await connect(fixture, a, b);
  deepEqual(events, ['true true']);
  const [info] = a.peers;
  deepEqual([info?.peer, info?.direction, info?.isRelayed], [b.peer, 'out', false]);
  equal(b.peers[0]?.direction, 'in');
  equal(await fixture.settled(a.connect(b.peer, { timeoutMs })), b.peer, 'it is connected already');
  equal(a.peers.length, 1);
  await fixture.settled(a.disconnect(b.peer));
  await fixture.until(() => a.peers.length === 0 && b.peers.length === 0 && events.length === 2);
  deepEqual(events, ['true true', 'gone true']);
  stop();
  await connect(fixture, a, b);
  equal(events.length, 2, 'whoever has stopped watching is told no more');
}

async function testUnreachable(fixture: OverlayFixture): Promise<void> {
  const [a, b, c] = fixture.nodes;
  const isDialError = { code: 'OVERLAY_DIAL' };
  await fixture.settled(rejects(a.connect('rubbish', { timeoutMs }), isDialError));
  await fixture.settled(rejects(a.connect('/rubbish', { timeoutMs }), isDialError));
  await fixture.settled(rejects(a.connect(nobody, { timeoutMs: 500 }), isDialError));
  await fixture.settled(rejects(a.connect(a.peer, { timeoutMs: 500 }), isDialError));
  const address = b.addresses[0]!.replace(b.peer, c.peer);
  await fixture.settled(rejects(a.connect(address, { timeoutMs: 2000 }), isDialError));
  equal(a.peers.length, 0, 'whoever is somebody else is not spoken to');
  const recorder = new Recorder();
  let isInside = true;
  recorder.hook = () => equal(isInside, false, 'never from inside the call');
  a.dial(nobody, [echo], { timeoutMs: 500 }, recorder).write(new Uint8Array(10));
  isInside = false;
  await fixture.until(() => recorder.isClosed);
  equal(recorder.story, 'close');
  ok(recorder.error);
}

/** Sends back all that comes, and ends when the other side does. */
function answerEcho(node: OverlayPort, recorders: Recorder[] = []): void {
  node.handle(echo, (stream) => {
    const recorder = new Recorder();
    recorders.push(recorder);
    recorder.hook = (event) => {
      if (event === 'bytes' && !stream.write(recorder.parts.at(-1)!)) stream.pause();
      if (event === 'drain') stream.resume();
      if (event === 'end') stream.end();
    };
    return recorder;
  });
}

async function testEcho(fixture: OverlayFixture): Promise<void> {
  const [a, b] = fixture.nodes;
  const there: Recorder[] = [];
  answerEcho(b, there);
  await connect(fixture, a, b);
  const here = new Recorder();
  const stream = a.dial(b.peer, [echo], { timeoutMs }, here);
  await fixture.until(() => here.events.length > 0);
  deepEqual([stream.peer, stream.protocol, stream.isRelayed], [b.peer, echo, false]);
  const sent = patterned(3_000_000);
  for (let at = 0; at < sent.length; at += 70_000) stream.write(sent.slice(at, at + 70_000));
  stream.end();
  await fixture.until(() => here.isClosed && there[0]?.isClosed === true);
  deepEqual([here.story, here.error], ['open bytes end close', null]);
  deepEqual([there[0]?.story, there[0]?.error], ['bytes end close', null]);
  ok(Buffer.concat(here.parts).equals(sent), 'the same bytes in the same order');
  equal(stream.write(new Uint8Array(1)), true, 'what is written to a closed stream goes nowhere');
}

async function testProtocols(fixture: OverlayFixture): Promise<void> {
  const [a, b] = fixture.nodes;
  const end = b.handle('/test/old/1.0.0', () => new Recorder());
  answerEcho(b);
  await connect(fixture, a, b);
  const here = new Recorder();
  const stream = a.dial(b.peer, ['/test/newest/3.0.0', echo, '/test/old/1.0.0'], { timeoutMs }, here);
  await fixture.until(() => here.events.length > 0);
  deepEqual([here.story, stream.protocol], ['open', echo]);
  end();
  const unknown = new Recorder();
  a.dial(b.peer, ['/test/old/1.0.0'], { timeoutMs }, unknown);
  await fixture.until(() => unknown.isClosed);
  ok(unknown.error, 'what is answered no more is an error');
  stream.reset();
  await fixture.until(() => here.isClosed);
}

async function testEarlyBytes(fixture: OverlayFixture): Promise<void> {
  const [a, b] = fixture.nodes;
  answerEcho(b);
  await connect(fixture, a, b);
  const here = new Recorder();
  const stream = a.dial(b.peer, [echo], { timeoutMs }, here);
  stream.write(encodeUtf8('hello '));
  stream.write(encodeUtf8('world'));
  equal(stream.queuedBytes, 11);
  stream.end();
  await fixture.until(() => here.isClosed);
  equal(Buffer.concat(here.parts).toString(), 'hello world');
  equal(here.story, 'open bytes end close');
  const given = new Recorder();
  a.dial(b.peer, [echo], { timeoutMs }, given).reset();
  await fixture.until(() => given.isClosed);
  deepEqual([given.story, given.error === null], ['close', false]);
}

async function testBreaking(fixture: OverlayFixture): Promise<void> {
  const [a, b] = fixture.nodes;
  const there: [OverlayStream, Recorder][] = [];
  b.handle('/test/refused/1.0.0', () => null);
  b.handle('/test/held/1.0.0', (stream) => {
    const recorder = new Recorder();
    there.push([stream, recorder]);
    return recorder;
  });
  await connect(fixture, a, b);
  const refused = new Recorder();
  a.dial(b.peer, ['/test/refused/1.0.0'], { timeoutMs }, refused);
  await fixture.until(() => refused.isClosed);
  ok(refused.error);
  for (const side of ['near', 'far'] as const) {
    const near = new Recorder();
    const stream = a.dial(b.peer, ['/test/held/1.0.0'], { timeoutMs }, near);
    stream.write(encodeUtf8('word'));
    await fixture.until(() => there.at(-1)?.[1].bytes === 4 && near.events.length > 0);
    const [farStream, far] = there.pop()!;
    let isInside = true;
    near.hook = (event) => equal(event === 'close' && isInside, false, 'never from inside the call');
    if (side === 'near') stream.reset();
    else farStream.reset();
    isInside = false;
    await fixture.until(() => near.isClosed && far.isClosed);
    ok(near.error && far.error, 'both sides are told');
  }
  const near = new Recorder();
  a.dial(b.peer, ['/test/held/1.0.0'], { timeoutMs }, near);
  await fixture.until(() => there.length === 1 && near.events.length > 0);
  await fixture.settled(b.disconnect(a.peer));
  await fixture.until(() => near.isClosed && there[0]![1].isClosed);
  ok(near.error, 'a connection that goes takes its streams with it');
}

async function testBackPressure(fixture: OverlayFixture): Promise<void> {
  const [a, b] = fixture.nodes;
  const far = new Recorder();
  const streams: OverlayStream[] = [];
  b.handle('/test/slow/1.0.0', (stream) => {
    stream.pause();
    streams.push(stream);
    return far;
  });
  await connect(fixture, a, b);
  const near = new Recorder();
  const stream = a.dial(b.peer, ['/test/slow/1.0.0'], { timeoutMs }, near);
  await fixture.until(() => near.events.length > 0 && streams.length === 1);
  let written = 0;
  // Far less than this fits in all buffers on the way.
  while (stream.write(patterned(64 * 1024)) && written < 200 * 1024 * 1024) written += 64 * 1024;
  written += 64 * 1024;
  ok(written < 100 * 1024 * 1024, `${written} bytes were taken though nobody reads`);
  stream.end();
  equal(far.bytes, 0);
  streams[0]!.resume();
  await fixture.until(() => far.events.includes('end'));
  equal(far.bytes, written);
  ok(near.events.includes('drain'));
  streams[0]!.end();
  await fixture.until(() => near.isClosed && far.isClosed);
  deepEqual([near.error, far.error], [null, null]);
}

async function testManyStreams(fixture: OverlayFixture): Promise<void> {
  const [a, b] = fixture.nodes;
  answerEcho(b);
  await connect(fixture, a, b);
  const recorders = Array.from({ length: 60 }, (_, index) => {
    const recorder = new Recorder();
    const stream = a.dial(b.peer, [echo], { timeoutMs }, recorder);
    stream.write(new Uint8Array(20_000).fill(index));
    stream.end();
    return recorder;
  });
  await fixture.until(() => recorders.every(({ isClosed }) => isClosed));
  for (const [index, { parts, error }] of recorders.entries()) {
    equal(error, null);
    ok(Buffer.concat(parts).equals(Buffer.alloc(20_000, index)));
  }
}

async function testTopics(fixture: OverlayFixture): Promise<void> {
  const [a, b, c] = fixture.nodes;
  await connect(fixture, a, b);
  await connect(fixture, b, c);
  const heard: [string, OverlayMessage][] = [];
  const subscriptions = [a, b, c].map((node, index) =>
    node.subscribe('weather', (message) => heard.push([`node ${index}`, message])),
  );
  a.subscribe('elsewhere', (message) => heard.push(['elsewhere', message]));
  await fixture.until(() => subscriptions.map(({ peers }) => peers.length).join() === '1,2,1');
  deepEqual(subscriptions[0]?.peers, [b.peer]);
  // A mesh takes a heartbeat to form; until then a message may reach fewer.
  let count = 0;
  const isHeardByAll = (): boolean => new Set(heard.map(([node]) => node)).size === 3;
  for (; !isHeardByAll() && count < 20; count++) {
    await fixture.settled(c.publish('weather', encodeUtf8('rain')));
    const before = heard.length;
    await fixture.until(() => isHeardByAll() || heard.length > before);
  }
  await fixture.until(isHeardByAll);
  for (const [, { topic, from, bytes }] of heard)
    deepEqual([topic, from, Buffer.from(bytes).toString()], ['weather', c.peer, 'rain']);
  const ofOne = heard.filter(([node]) => node === 'node 2').map(([, { sequence }]) => sequence);
  equal(new Set(ofOne).size, ofOne.length, 'no message comes twice');
  subscriptions[0]?.close();
  await fixture.until(() => !subscriptions[1]!.peers.includes(a.peer));
}

async function testTopicBounds(fixture: OverlayFixture): Promise<void> {
  const [a] = fixture.nodes;
  const isTopicError = { code: 'OVERLAY_TOPIC' };
  await fixture.settled(rejects(a.publish('large', new Uint8Array(2_000_000)), isTopicError));
  await fixture.settled(rejects(a.publish('', new Uint8Array(1)), isTopicError));
  throws(() => a.subscribe('long '.repeat(500), () => {}), isTopicError);
  const open = Array.from({ length: 1000 }, (_, index) => a.subscribe(`topic ${index}`, () => {}));
  throws(() => a.subscribe('one more', () => {}), isTopicError);
  open[0]!.close();
  a.subscribe('one more', () => {}).close();
  for (const subscription of open) subscription.close();
}

async function testProviders(fixture: OverlayFixture): Promise<void> {
  const [a, b, c] = fixture.nodes;
  await connect(fixture, a, b);
  await connect(fixture, c, b);
  const key = multihash(1);
  // Others enter a routing table a moment after they are connected.
  let takers = 0;
  await retry(fixture, async () => (takers = await a.provide(key)) > 0);
  ok(takers <= 20);
  const found: OverlayProvider[] = [];
  await retry(fixture, async () => {
    await c.find(key, (provider) => found.push(provider));
    return found.length > 0;
  });
  deepEqual([found.length, found[0]?.peer], [1, a.peer]);
  ok(found[0]!.addresses.length > 0);
  const own: OverlayProvider[] = [];
  await fixture.settled(a.find(key, (provider) => own.push(provider)));
  deepEqual(own, [], 'of itself one is not told');
  const others: OverlayProvider[] = [];
  await fixture.settled(c.find(multihash(2), (provider) => others.push(provider)));
  deepEqual(others, []);
  await fixture.settled(rejects(c.find(key, () => {}, AbortSignal.abort())));
  const place = await fixture.settled(c.findPeer(b.peer));
  equal(place?.peer, b.peer);
  equal(await fixture.settled(c.findPeer(nobody)), null);
}

/** The newest is the one with the largest last byte; all are valid that begin with their key. */
const testRules: OverlayRecordRules = {
  isValid: (key, value) => Buffer.from(value.subarray(0, key.length)).equals(key),
  pickBest: (_, values) => {
    const ages = values.map((value) => value.at(-1)!);
    return ages.indexOf(Math.max(...ages));
  },
};

async function testValues(fixture: OverlayFixture): Promise<void> {
  const [a, b, c] = fixture.nodes;
  const key = encodeUtf8('/test/some name');
  const recordOf = (age: number): Uint8Array => Uint8Array.from([...key, age]);
  const isRecordError = { code: 'OVERLAY_RECORD' };
  await fixture.settled(rejects(a.putValue(key, recordOf(1)), isRecordError));
  for (const node of fixture.nodes) node.acceptRecords('test', testRules);
  await connect(fixture, a, b);
  await connect(fixture, c, b);
  await fixture.settled(rejects(a.putValue(key, encodeUtf8('a lie')), isRecordError));
  await fixture.settled(rejects(a.putValue(key, new Uint8Array(20_000)), isRecordError));
  equal(await fixture.settled(c.getValue(key)), null);
  await retry(fixture, async () => (await a.putValue(key, recordOf(2))) > 0);
  await retry(fixture, async () => (await c.getValue(key)) !== null);
  deepEqual(Buffer.from((await fixture.settled(c.getValue(key)))!), Buffer.from(recordOf(2)));
  await fixture.settled(a.putValue(key, recordOf(3)));
  await retry(fixture, async () => (await c.getValue(key))?.at(-1) === 3);
  const publicKey = Uint8Array.from([8, 1, 18, 32, ...patterned(32)]);
  const name = Uint8Array.from([...encodeUtf8('/pk/'), 0, 36, ...publicKey]);
  await fixture.settled(a.putValue(name, publicKey));
  await retry(fixture, async () => (await c.getValue(name)) !== null);
  const wrong = Uint8Array.from([...encodeUtf8('/pk/'), 0, 36, ...publicKey.slice(0, 35), 1]);
  await fixture.settled(rejects(a.putValue(wrong, publicKey), isRecordError));
}

/** Until it is so: what spreads through a network takes its time. */
async function retry(fixture: OverlayFixture, isSo: () => Promise<boolean>): Promise<void> {
  for (let count = 0; count < 100; count++) if (await fixture.settled(isSo())) return;
  throw new Error('it is not so after 100 times');
}

function patterned(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
}

/** A key as the DHT takes it: sha2-256, 32 bytes. */
function multihash(seed: number): Uint8Array {
  return Uint8Array.from([0x12, 32, ...Array.from({ length: 32 }, (_, i) => (seed * 31 + i) & 0xff)]);
}
