/** The overlay against kubo on loopback: transports, a private swarm, pubsub, and kubo as a relay. */
import { equal, ok, rejects } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { decodeUtf8Lossy, encodeUtf8, toHex } from '@tequio/kernel';
import {
  createOverlay,
  defaultOverlayOptions,
  type OverlayOptions,
  type OverlayService,
} from '@tequio/overlay';
import { createRuntimePorts } from '@tequio/runtime';
import { Kubo, whyNoKubo } from '../lab/kubo.ts';
import { skipWithout } from '../lab/missing.ts';
import { until } from '../lab/until.ts';

const waitMs = 60_000;
const limit = { timeout: 200_000 };

describe('the overlay and kubo', () => {
  const ports = createRuntimePorts();
  const folders: string[] = [];
  const closers: (() => Promise<void>)[] = [];

  after(async () => {
    for (const close of closers.reverse()) await close();
    await ports.close();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  function makeKubo(): Kubo {
    const folder = mkdtempSync(join(tmpdir(), 'tequio-overlay-kubo-'));
    folders.push(folder);
    const kubo = new Kubo(folder);
    closers.push(() => kubo.stop());
    return kubo;
  }

  async function startNode(options: Partial<OverlayOptions> = {}): Promise<OverlayService> {
    const database = ports.database.open(':memory:');
    const node = createOverlay(
      {
        ...defaultOverlayOptions,
        secretKey: ports.entropy.bytes(32),
        agent: 'tequio/test',
        port: 0,
        webRtc: false,
        dht: 'none',
        localDiscovery: false,
        relayCount: 0,
        ...options,
      },
      { ports, crypto: ports, database },
    );
    closers.push(async () => {
      await node.close();
      database.close();
    });
    await node.start();
    return node;
  }

  test('TCP, WebSocket and QUIC', limit, async (t) => {
    const missing = whyNoKubo();
    if (missing !== null) return skipWithout(t, missing);
    const kubo = makeKubo();
    const listen = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws', '/ip4/127.0.0.1/udp/0/quic-v1'];
    kubo.run('config', '--json', 'Addresses.Swarm', JSON.stringify(listen));
    await kubo.startDaemon();
    for (const [name, pattern] of [
      ['TCP', /\/tcp\/\d+\/p2p\//],
      ['WebSocket', /\/ws\/p2p\//],
      ['QUIC', /\/quic-v1\/p2p\//],
    ] as const) {
      const node = await startNode({ webSocketPort: 0, quicPort: 0 });
      const address = kubo.addresses().find((known) => pattern.test(known));
      ok(address !== undefined, name);
      equal(await node.connect(address, { timeoutMs: waitMs }), address.split('/').at(-1), name);
      await until(
        `kubo says what it is, over ${name}`,
        waitMs,
        () => node.peers[0]?.agent?.startsWith('kubo/') === true,
      );
      ok(kubo.say('swarm', 'peers').includes(node.peer), name);
    }
  });

  test('a private swarm: who has the key is spoken to, and nobody else', limit, async (t) => {
    const missing = whyNoKubo();
    if (missing !== null) return skipWithout(t, missing);
    const kubo = makeKubo();
    const swarmKey = ports.entropy.bytes(32);
    writeFileSync(
      join(kubo.repository, 'swarm.key'),
      `/key/swarm/psk/1.0.0/\n/base16/\n${toHex(swarmKey)}\n`,
    );
    kubo.run('config', '--json', 'Addresses.Swarm', '["/ip4/127.0.0.1/tcp/0"]');
    kubo.run('config', 'Routing.Type', 'dht');
    kubo.run('config', '--json', 'AutoConf.Enabled', 'false');
    await kubo.startDaemon();
    const [address] = kubo.addresses();
    const [member, stranger] = [await startNode({ swarmKey }), await startNode()];
    ok((await member.connect(address!, { timeoutMs: waitMs })).length > 0);
    await rejects(stranger.connect(address!, { timeoutMs: 5000 }), { code: 'OVERLAY_DIAL' });
  });

  test('messages of a topic, both ways', limit, async (t) => {
    const missing = whyNoKubo();
    if (missing !== null) return skipWithout(t, missing);
    const kubo = makeKubo();
    await kubo.startDaemon('--enable-pubsub-experiment');
    const node = await startNode();
    await node.connect(kubo.addresses()[0]!, { timeoutMs: waitMs });
    const heard: string[] = [];
    const topic = 'tequio-test';
    const encoded = `u${Buffer.from(topic).toString('base64url')}`;
    const subscription = node.subscribe(topic, ({ bytes }) => void heard.push(decodeUtf8Lossy(bytes)));
    const listening = new AbortController();
    const answer = await fetch(`${kubo.apiUrl}/api/v0/pubsub/sub?arg=${encoded}`, {
      method: 'POST',
      signal: listening.signal,
    });
    let theirs = '';
    const reading = (async () => {
      for await (const chunk of answer.body!) theirs += Buffer.from(chunk).toString();
    })().catch(() => undefined);
    await until('kubo subscribes too', waitMs, () => subscription.peers.length === 1);
    const said = `u${Buffer.from('from here').toString('base64url')}`;
    await until('kubo has heard us', waitMs, async () => {
      await node.publish(topic, encodeUtf8('from here'));
      return theirs.includes(said);
    });
    await until('we have heard kubo', waitMs, () => {
      kubo.sayOf(Buffer.from('from there'), 'pubsub', 'pub', topic);
      return heard.includes('from there');
    });
    listening.abort();
    await reading;
  });

  test('whom nobody can dial is reached through kubo’s relay', limit, async (t) => {
    const missing = whyNoKubo();
    if (missing !== null) return skipWithout(t, missing);
    const kubo = makeKubo();
    kubo.run('config', '--json', 'Swarm.RelayService', '{"Enabled": true}');
    kubo.run('config', 'Internal.Libp2pForceReachability', 'public');
    await kubo.startDaemon();
    const address = kubo.addresses().find((known) => known.startsWith('/ip4/127.0.0.1/tcp/'))!;
    const [caller, hidden] = [await startNode(), await startNode({ port: null, relayCount: 1 })];
    await hidden.connect(address, { timeoutMs: waitMs });
    const place = (): string | undefined => hidden.addresses.find((known) => known.includes('/p2p-circuit'));
    await until('the hidden one has a place with kubo', waitMs, () => place() !== undefined);
    equal(await caller.connect(place()!, { timeoutMs: waitMs }), hidden.peer);
    ok(caller.peers.some(({ peer, isRelayed }) => peer === hidden.peer && isRelayed));
  });
});
