/** Kubo's own client for JavaScript against nodes that are among others. */
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from 'kubo-rpc-client';
import { openKubo, withKubo } from './kubo-server.fixture.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test('keys: made, listed, renamed, removed; a name is published with one and read by another node', async () => {
  const [a, b] = await Promise.all([openKubo({ online: true }), openKubo({ online: true })]);
  try {
    const { id, addresses, protocols } = await b.client.id();
    ok(protocols.includes('/ipfs/bitswap/1.2.0'), protocols.join());
    await a.client.swarm.connect(addresses[0]!);
    deepEqual(
      (await a.client.swarm.peers({ verbose: true })).map(({ peer, direction }) => [
        peer.toString(),
        direction,
      ]),
      [[id.toString(), 'outbound']],
    );

    const key = await a.client.key.gen('blog', { type: 'ed25519' });
    const { cid } = await a.client.add('first entry');
    const { name, value } = await a.client.name.publish(cid, { key: 'blog' });
    deepEqual([name, value], [key.id, `/ipfs/${cid}`]);
    deepEqual(await all(b.client.name.resolve(key.id)), [`/ipfs/${cid}`]);
    equal(text(Buffer.concat(await all(b.client.cat(`/ipns/${key.id}`)))), 'first entry');
    const events = await all(b.client.routing.get(`/ipns/${key.id}`));
    equal(events.at(-1)?.name, 'VALUE');

    await a.client.key.rename('blog', 'diary');
    deepEqual(
      (await a.client.key.list()).map((one) => one.name),
      ['self', 'diary'],
    );
    await rejects(a.client.key.gen('diary', { type: 'ed25519' }), /exists/);
    await a.client.key.rm('diary');
    await rejects(a.client.name.publish(cid, { key: 'diary' }), /no key by the given name/);

    const pongs = (await all(a.client.ping(id, { count: 1 }))).filter((pong) => pong.text === '');
    deepEqual(
      pongs.map(({ success }) => success),
      [true],
    );
    ok(pongs[0]!.time > 0);
    const [bandwidth] = await all(a.client.stats.bw());
    ok(bandwidth!.totalOut > 0n, 'what was given is counted');
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
});

test('topics: bytes of any kind, from one node to all that listen', async () => {
  const [a, b] = await Promise.all([openKubo({ online: true }), openKubo({ online: true })]);
  try {
    await a.client.swarm.connect((await b.client.id()).addresses[0]!);
    const heard: Message[] = [];
    const topic = 'a topic/ñ';
    await b.client.pubsub.subscribe(topic, (message) => void heard.push(message));
    deepEqual(await b.client.pubsub.ls(), [topic]);
    deepEqual(await a.client.pubsub.ls(), []);
    const untilMs = performance.now() + 60_000;
    const wait = async (isTrue: () => boolean | Promise<boolean>): Promise<void> => {
      while (!(await isTrue())) {
        ok(performance.now() < untilMs, 'it takes too long');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    await wait(async () => (await a.client.pubsub.peers(topic)).length > 0);
    await a.client.pubsub.publish(topic, Uint8Array.of(0, 255, 10, 13));
    await wait(() => heard.length > 0);
    deepEqual([...heard[0]!.data], [0, 255, 10, 13]);
    equal(heard[0]!.topic, topic);
    await b.client.pubsub.unsubscribe(topic);
    await wait(async () => (await b.client.pubsub.ls()).length === 0);
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
});

test('the config document: settings of this node under kubo’s names, and the rest as it was written', () =>
  withKubo(async ({ client, origin }) => {
    const { id } = await client.id();
    equal(await client.config.get('Identity.PeerID'), id.toString());
    equal(await client.config.get('Discovery.MDNS.Enabled'), false);
    await client.config.set('Discovery.MDNS.Enabled', true);
    equal(await client.config.get('Discovery.MDNS.Enabled'), true);
    await client.config.set('Datastore.StorageMax', '10GB');
    equal(await client.config.get('Datastore.StorageMax'), '10000000000B');
    await client.config.set('Gateway.RootRedirect', '/somewhere');
    equal(await client.config.get('Gateway.RootRedirect'), '/somewhere');
    await rejects(client.config.set('Fruit', 'banana'), /Fruit not found/);
    await rejects(client.config.get('Identity.PrivKey'), /private key/);
    await rejects(client.config.set('Swarm.ConnMgr.HighWater', -5), /connections/);
    const peer = `/ip4/192.0.2.7/tcp/4001/p2p/${id}`;
    const change = (verb: string): Promise<Response> =>
      fetch(`${origin}/api/v0/bootstrap/${verb}?arg=${encodeURIComponent(peer)}`, { method: 'POST' });
    equal((await change('add')).status, 200);
    deepEqual((await client.bootstrap.list()).Peers.map(String), [peer]);
    equal((await change('rm')).status, 200);
    deepEqual((await client.bootstrap.list()).Peers, []);
    const { original, updated } = await client.config.profiles.apply('lowpower', { dryRun: true });
    ok(original.Swarm?.ConnMgr?.LowWater !== updated.Swarm?.ConnMgr?.LowWater);
    equal((await client.config.getAll()).Swarm?.ConnMgr?.LowWater, undefined);
  }));

test('without others around, what needs them says so, and what does not works', () =>
  withKubo(async ({ client, origin }) => {
    await rejects(client.swarm.peers(), /online/);
    await rejects(client.pubsub.publish('t', new Uint8Array(1)), /online/);
    const { cid } = await client.add('here');
    await rejects(client.name.publish(cid), /offline|No peer|others/);
    const { name } = await client.name.publish(cid, { allowOffline: true });
    deepEqual(await all(client.name.resolve(name)), [`/ipfs/${cid}`]);
    for (const verb of ['mount', 'update', 'config/edit', 'swarm/filters/add', 'p2p/listen', 'key/rotate']) {
      const answer = await fetch(`${origin}/api/v0/${verb}?arg=x`, { method: 'POST' });
      equal(answer.status, 400, verb);
      match(((await answer.json()) as { Message: string }).Message, /\w+ \w+/);
    }
  }));
