/** Names, providing, routers and gateways in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpClient } from '@tequio/kernel';
import { Prng, silentLog, toHex } from '@tequio/kernel';
import { createHashes, createSignatures, verifyForeignSignature } from '@tequio/runtime';
import { World } from '@tequio/simulator';
import { defaultSweepOptions } from '../src/core/provider-sweep.ts';
import { answerRouting, DelegatedRouting } from '../src/shell/delegated-routing.ts';
import { Dnslinks } from '../src/shell/dnslink.ts';
import { IpnsNames, type IpnsNamesDeps, ipnsLimits } from '../src/shell/ipns-names.ts';
import { MemoryBlocks } from '../src/shell/memory-blocks.ts';
import { Providing } from '../src/shell/providing.ts';
import { ForgottenNames } from '../src/shell/published-names.ts';
import { Retrieval } from '../src/shell/retrieval.ts';
import { TrustlessGateways } from '../src/shell/trustless-gateways.ts';
import { makeCid } from '../src/wire/cid.ts';
import { type IpfsPublicKey, ipnsNameOf, ipnsNameText, ipnsRoutingKey } from '../src/wire/ipns-name.ts';
import { tryGatewayUrl } from '../src/wire/routing-json.ts';
import { OverlayTwins } from './overlay-twin.ts';

const hashes = createHashes();
const signatures = createSignatures();
const hourMs = 3_600_000;
const briefly = { lifetimeMs: 10 * hourMs, ttlMs: 1000, viaPubsub: false };

async function settled<Value>(world: World, promise: Promise<Value>): Promise<Value> {
  let done = false;
  void promise.then(
    () => (done = true),
    () => (done = true),
  );
  await world.run(() => done, hourMs);
  return promise;
}

/** Time passes so that long chains of promises come to their end in between. */
async function runSlowly(world: World, delayMs: number): Promise<void> {
  for (let leftMs = delayMs; leftMs > 0; leftMs -= 60_000) await world.run(Math.min(60_000, leftMs));
}

function ownerOf(seed: number): { readonly key: IpfsPublicKey; sign(message: Uint8Array): Uint8Array } {
  const secret = new Prng(seed).bytes(32);
  return {
    key: { type: 'ed25519', data: signatures.publicKeyOf(secret) },
    sign: (message) => signatures.sign(secret, message),
  };
}

function namesOn(
  world: World,
  twins: OverlayTwins,
  peer: string,
  more: Partial<IpnsNamesDeps> = {},
): IpnsNames {
  return new IpnsNames({
    overlay: twins.nodes.get(peer) ?? twins.add(peer),
    clock: world.clock,
    hashes,
    log: silentLog,
    verify: ({ type, data }, message, signature) => verifyForeignSignature(type, data, message, signature),
    lookUpText: async () => [],
    store: new ForgottenNames(),
    ...more,
  });
}

test('a name is published here and resolved there; a new value is one sequence further', async () => {
  const world = new World({ seed: 1 });
  const twins = new OverlayTwins(world.clock);
  const [a, b] = [namesOn(world, twins, 'a'), namesOn(world, twins, 'b')];
  const owner = ownerOf(1);
  const name = ipnsNameOf(owner.key, hashes);
  const options = { lifetimeMs: 48 * hourMs, ttlMs: 60_000, viaPubsub: false };
  await settled(world, a.publish(owner, '/ipfs/one', options));
  assert.equal((await settled(world, b.ipns(name)))?.value, '/ipfs/one');
  await settled(world, a.publish(owner, '/ipfs/two', options));
  assert.equal((await settled(world, b.ipns(name)))?.value, '/ipfs/one', 'within its time to live');
  await world.run(61_000);
  const second = await settled(world, b.ipns(name));
  assert.deepEqual([second?.value, second?.sequence], ['/ipfs/two', 1n]);
  // A record of before, put back by somebody: the newer one that is known stays.
  twins.values.set([...twins.values.keys()][0]!, new Uint8Array([1, 2, 3]));
  await world.run(61_000);
  assert.equal((await settled(world, b.ipns(name)))?.value, '/ipfs/two');
  const stranger = namesOn(world, twins, 'c');
  await assert.rejects(settled(world, stranger.ipns(name)), { code: 'IPFS_IPNS_RECORD' });
});

test('who follows a name hears of a new value at once', async () => {
  const world = new World({ seed: 1 });
  const twins = new OverlayTwins(world.clock);
  const [a, b] = [namesOn(world, twins, 'a'), namesOn(world, twins, 'b')];
  const owner = ownerOf(2);
  const name = ipnsNameOf(owner.key, hashes);
  b.follow(name);
  await settled(world, a.publish(owner, '/ipfs/one', { lifetimeMs: hourMs, ttlMs: hourMs, viaPubsub: true }));
  await world.run(100);
  twins.values.clear();
  assert.equal((await settled(world, b.ipns(name)))?.value, '/ipfs/one');
  b.close();
});

test('names are published again in time, as long as the node runs', async () => {
  const world = new World({ seed: 1 });
  const twins = new OverlayTwins(world.clock);
  const a = namesOn(world, twins, 'a');
  a.start();
  const owner = ownerOf(3);
  await settled(world, a.publish(owner, '/ipfs/one'));
  twins.values.clear();
  await world.run(5 * hourMs);
  assert.equal(twins.values.size, 1);
  const b = namesOn(world, twins, 'b');
  assert.equal((await settled(world, b.ipns(ipnsNameOf(owner.key, hashes))))?.value, '/ipfs/one');
  a.close();
});

test('what was published is published on after a restart, with the key of then or as it is', async () => {
  const world = new World({ seed: 1 });
  const twins = new OverlayTwins(world.clock);
  const store = new ForgottenNames();
  const [owner, lost] = [ownerOf(5), ownerOf(6)];
  const before = namesOn(world, twins, 'a', { store });
  before.start();
  await settled(world, before.publish(owner, '/ipfs/one', { ...briefly, allowOffline: true }));
  await settled(world, before.publish(lost, '/ipfs/lost', { ...briefly, lifetimeMs: 6 * hourMs }));
  before.close();
  twins.values.clear();
  const again = namesOn(world, twins, 'a', { store });
  const name = ipnsNameOf(owner.key, hashes);
  again.addKeys((asked) => (toHex(asked) === toHex(name) ? owner : null));
  again.start();
  assert.equal((await settled(world, again.ipns(name)))?.value, '/ipfs/one', 'known at once');
  await runSlowly(world, 13 * hourMs);
  const reader = namesOn(world, twins, 'b');
  const record = await settled(world, reader.ipns(name));
  assert.deepEqual([record?.value, record?.sequence], ['/ipfs/one', 0n]);
  assert.ok(record!.validUntilMs > world.clock.wallMs() + 8 * hourMs, 'with a new end');
  assert.deepEqual(
    again.published.map(({ value }) => value),
    ['/ipfs/one'],
    'without its key a name ends with its record',
  );
  again.close();
});

test('a name that another copy of the key has given a new value is left to that copy', async () => {
  const world = new World({ seed: 1 });
  const twins = new OverlayTwins(world.clock);
  const [a, b] = [namesOn(world, twins, 'a'), namesOn(world, twins, 'b')];
  const owner = ownerOf(7);
  a.addKeys(() => owner);
  a.start();
  await settled(world, a.publish(owner, '/ipfs/old', briefly));
  await settled(world, b.publish(owner, '/ipfs/new', briefly));
  await runSlowly(world, 9 * hourMs);
  const reader = namesOn(world, twins, 'c');
  assert.equal((await settled(world, reader.ipns(ipnsNameOf(owner.key, hashes))))?.value, '/ipfs/new');
  assert.equal(a.published.length, 0);
  await assert.rejects(settled(world, b.publish(owner, '/ipfs/x', { ...briefly, sequence: 1n })), {
    code: 'IPFS_PUBLISH_SEQUENCE',
  });
  a.close();
});

test('who begins to follow a name is told what was said before', async () => {
  const world = new World({ seed: 1 });
  const twins = new OverlayTwins(world.clock);
  const a = namesOn(world, twins, 'a');
  const b = namesOn(world, twins, 'b', { followsResolved: () => true });
  a.start();
  b.start();
  await settled(world, twins.nodes.get('b')!.connect('a'));
  const owner = ownerOf(8);
  await settled(world, a.publish(owner, '/ipfs/one', { ...briefly, viaPubsub: true }));
  twins.values.clear();
  const name = ipnsNameOf(owner.key, hashes);
  assert.equal((await settled(world, b.ipns(name)))?.value, '/ipfs/one');
  assert.equal(await settled(world, b.ipns(ipnsNameOf(ownerOf(9).key, hashes))), null);
  a.close();
  b.close();
});

test('no more names are followed than the limit; the oldest goes', () => {
  const world = new World({ seed: 1 });
  const names = namesOn(world, new OverlayTwins(world.clock), 'a');
  const all = Array.from({ length: ipnsLimits.followed + 3 }, (_, i) => ipnsNameOf(ownerOf(i).key, hashes));
  for (const name of all) names.follow(name);
  assert.equal(names.followed.length, ipnsLimits.followed);
  assert.deepEqual(names.followed.at(-1), all.at(-1));
  assert.equal(names.unfollow(all[0]!), false);
  names.close();
});

test('DNSLink: of `_dnslink.`, else of the domain; the same one for everybody', async () => {
  const world = new World({ seed: 1 });
  const texts: Record<string, string[]> = {
    '_dnslink.example.org': ['v=spf1', 'dnslink=/ipfs/b', 'dnslink=/ipfs/a', 'dnslink=javascript:x'],
    'plain.example.org': ['dnslink=/ipns/docs.example.org/sub'],
  };
  const names = namesOn(world, new OverlayTwins(world.clock), 'a', {
    lookUpText: async (name) => texts[name] ?? [],
  });
  assert.equal((await names.dnslink('Example.org.'))?.path, '/ipfs/a');
  assert.equal((await names.dnslink('plain.example.org'))?.path, '/ipns/docs.example.org/sub');
  assert.equal(await names.dnslink('other.example.org'), null);
});

test('a domain is asked about once a minute, one that says nothing every ten seconds', async () => {
  const world = new World({ seed: 1 });
  let askedCount = 0;
  const texts: Record<string, string[]> = { '_dnslink.example.org': ['dnslink=/ipfs/a'] };
  const links = new Dnslinks(async (name) => {
    askedCount++;
    return texts[name] ?? [];
  }, world.clock);
  const many = await Promise.all(Array.from({ length: 50 }, () => links.find('example.org')));
  assert.deepEqual([many.every((link) => link?.path === '/ipfs/a'), askedCount], [true, 1]);
  texts['_dnslink.example.org'] = ['dnslink=/ipfs/b'];
  await world.run(59_000);
  assert.equal((await links.find('example.org'))?.path, '/ipfs/a');
  await world.run(2000);
  assert.equal((await links.find('example.org'))?.path, '/ipfs/b');
  assert.equal(askedCount, 2);
  assert.equal(await links.find('silent.example.org'), null);
  assert.equal(await links.find('silent.example.org'), null);
  assert.equal(askedCount, 4, 'the domain, and _dnslink. before it');
  texts['silent.example.org'] = ['dnslink=/ipfs/c'];
  await world.run(11_000);
  assert.equal((await links.find('silent.example.org'))?.path, '/ipfs/c');
  // However many domains are asked for, few are remembered.
  for (let i = 0; i < 1000; i++) await links.find(`d${i}.example.org`);
  askedCount = 0;
  await links.find('silent.example.org');
  assert.ok(askedCount > 0);
});

test('a router answers what the overlay knows, and our client reads it', async () => {
  const world = new World({ seed: 1 });
  const twins = new OverlayTwins(world.clock);
  const owner = ownerOf(4);
  const peer = '12D3KooWRBy97UB99e3J6hiPesre1MZeuNQvfan4gBziswrRJsNK';
  const [router, provider] = [twins.add('router'), twins.add(peer)];
  const names = namesOn(world, twins, 'router');
  const cid = makeCid(0x55, 0x12, hashes.sha256(new Uint8Array(3)));
  await settled(world, provider.provide(cid.multihash.bytes));
  await settled(world, names.publish(owner, '/ipfs/one'));
  const http = httpOf(async (url) => {
    const answer = await answerRouting(
      { overlay: router, names },
      {
        method: 'GET',
        target: url.slice('http://router'.length),
        headers: { accept: 'application/x-ndjson' },
        signal: new AbortController().signal,
      },
    );
    return answer === null
      ? { status: 404, headers: {}, body: '' }
      : {
          status: answer.status,
          headers: answer.headers as Record<string, string>,
          body: answer.body as string,
        };
  });
  const routing = new DelegatedRouting(['http://router/'], http);
  const found: string[] = [];
  await settled(
    world,
    routing.findProviders(cid, (record) => void found.push(`${record.peer} ${record.protocols}`)),
  );
  assert.deepEqual(found, [`${peer} transport-bitswap`]);
  assert.equal((await settled(world, routing.findPeer(peer)))?.peer, peer);
  const name = ipnsNameOf(owner.key, hashes);
  const [record] = await settled(world, routing.getRecords(name));
  assert.deepEqual(record, [...twins.values.values()][0]);
  assert.ok(ipnsNameText(name).startsWith('k51') && ipnsRoutingKey(name).length > 30);
  const bad = await answerRouting(
    { overlay: router, names },
    {
      method: 'GET',
      target: '/routing/v1/providers/nonsense',
      headers: {},
      signal: new AbortController().signal,
    },
  );
  assert.equal(bad?.status, 400);
});

test('gateways that a router names are known by their multiaddr', () => {
  assert.equal(tryGatewayUrl('/dns/example.org/tcp/443/https'), 'https://example.org:443');
  assert.equal(tryGatewayUrl('/dns4/example.org/tcp/443/tls/http'), 'https://example.org:443');
  assert.equal(tryGatewayUrl('/ip6/2001:db8::1/tcp/8080/http'), 'http://[2001:db8::1]:8080');
  for (const no of ['/ip4/192.0.2.1/tcp/4001', '/dns/a/b/tcp/443/https', '/dns/example.org/tcp/443/wss', ''])
    assert.equal(tryGatewayUrl(no), null);
});

test('a gateway that sends wrong bytes is not believed, and not asked again', async () => {
  const world = new World({ seed: 1 });
  const right = new Uint8Array(1000).fill(7);
  const cid = makeCid(0x55, 0x12, hashes.sha256(right));
  const other = new Uint8Array(1000).fill(8);
  const otherCid = makeCid(0x55, 0x12, hashes.sha256(other));
  const asked: string[] = [];
  const http = httpOf(async (url) => {
    asked.push(new URL(url).host);
    const bytes = url.startsWith('http://liar')
      ? new Uint8Array(1000)
      : url.includes(cid.toString())
        ? right
        : other;
    return { status: 200, headers: {}, body: bytes };
  });
  const wrong: string[] = [];
  const gateways = new TrustlessGateways(['http://liar/', 'http://honest'], {
    http,
    clock: world.clock,
    allowAddress: () => true,
    onWrong: (url) => void wrong.push(url),
  });
  const local = new MemoryBlocks();
  const retrieval = new Retrieval({ local, bitswap: null, gateways, hashes, clock: world.clock });
  assert.deepEqual(await settled(world, retrieval.get(cid)), right);
  assert.deepEqual(await settled(world, retrieval.get(otherCid)), other);
  assert.deepEqual(asked, ['liar', 'honest', 'honest']);
  assert.deepEqual(wrong, ['http://liar']);
  assert.equal(await local.has(cid), true);
  assert.equal(retrieval.counts.gatewayBlocks, 2);
  retrieval.close();
});

test('what is provided is told, again in time, and its state can be seen', async () => {
  const world = new World({ seed: 1 });
  let toldCount = 0;
  const saved = new Map<string, number | null>();
  const keys = Array.from({ length: 300 }, (_, i) => new Prng(i).bytes(34));
  const providing = new Providing(
    { intervalMs: 22 * hourMs, regionCount: 64 },
    {
      overlay: {
        provide: async () => {
          await new Promise<void>((resolve) => world.clock.setTimer(500, resolve));
          return ++toldCount % 10 === 0 ? 0 : 20;
        },
      },
      clock: world.clock,
      hashes,
      log: silentLog,
      store: {
        load: () => [],
        save: (key, toldMs) => void saved.set(String(key), toldMs),
        remove: (key) => void saved.delete(String(key)),
      },
    },
  );
  providing.start();
  providing.add(keys);
  assert.equal(providing.state.neverToldCount, 300);
  await world.run(600_000);
  const { findableCount, neverToldCount } = providing.state;
  assert.deepEqual([findableCount, neverToldCount], [300, 0]);
  assert.ok([...saved.values()].every((toldMs) => toldMs !== null));
  const before = toldCount;
  await world.run(22 * hourMs);
  assert.ok(toldCount - before >= 290 && toldCount - before < 400, `${toldCount - before}`);
  providing.close();
});

test('10,000 blocks are told to others in an hour, though one in ten attempts fails', async () => {
  const world = new World({ seed: 1 });
  let toldCount = 0;
  const providing = new Providing(defaultSweepOptions, {
    overlay: {
      provide: async () => {
        await new Promise<void>((resolve) => world.clock.setTimer(4000, resolve));
        return ++toldCount % 10 === 0 ? 0 : 20;
      },
    },
    clock: world.clock,
    hashes,
    log: silentLog,
    store: { load: () => [], save: () => undefined, remove: () => undefined },
  });
  providing.start();
  providing.add(Array.from({ length: 10_000 }, (_, i) => new Prng(i).bytes(34)));
  await world.run(hourMs);
  assert.deepEqual([providing.state.findableCount, providing.state.neverToldCount], [10_000, 0]);
  providing.close();
});

test('while nobody can be told anything, hardly anybody is asked', async () => {
  const world = new World({ seed: 1 });
  let askedCount = 0;
  let isAlone = true;
  const providing = new Providing(defaultSweepOptions, {
    overlay: { provide: async () => (++askedCount > 0 && isAlone ? 0 : 20) },
    clock: world.clock,
    hashes,
    log: silentLog,
    store: { load: () => [], save: () => undefined, remove: () => undefined },
  });
  providing.start();
  providing.add(Array.from({ length: 2000 }, (_, i) => new Prng(i).bytes(34)));
  await runSlowly(world, 6 * hourMs);
  assert.ok(askedCount < 600, `${askedCount}`);
  isAlone = false;
  await runSlowly(world, 7 * hourMs);
  assert.equal(providing.state.findableCount, 2000);
  providing.close();
});

type Reply = {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array;
};

/** An HTTP client whose answers are made here. */
function httpOf(answer: (url: string) => Promise<Reply>): HttpClient {
  return {
    open: ({ url }, handler) => {
      let isAborted = false;
      void answer(url).then(({ status, headers, body }) => {
        if (isAborted) return;
        handler.onHead({ status, headers, remote: '192.0.2.1' as never });
        handler.onBytes(typeof body === 'string' ? new TextEncoder().encode(body) : body);
        handler.onEnd(null);
      });
      return {
        pause: () => undefined,
        resume: () => undefined,
        abort: () => {
          isAborted = true;
        },
      };
    },
  };
}
