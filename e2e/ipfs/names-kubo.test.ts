/** Names between this node and kubo, both ways: over the DHT, and over pubsub, on loopback. */
import { equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  ed25519Key,
  ForgottenNames,
  IpnsNames,
  ipnsNameOf,
  ipnsNameText,
  tryParseIpnsName,
} from '@tequio/ipfs';
import { silentLog } from '@tequio/kernel';
import { createOverlay, defaultOverlayOptions } from '@tequio/overlay';
import { createHashes, createRuntimePorts, verifyForeignSignature } from '@tequio/runtime';
import { Kubo, whyNoKubo } from '../lab/kubo.ts';
import { skipWithout } from '../lab/missing.ts';
import { until } from '../lab/until.ts';

const waitMs = 60_000;
const first = '/ipfs/bafkqaclunbssaztjojzxi';
const second = '/ipfs/bafkqactunbssa43fmnxw4za';

/** A node of ours on loopback that asks and answers in the DHT, and hears of names by pubsub where it is said. */
async function startNode(kubo: Kubo, dht: 'none' | 'server', pubsub: boolean) {
  const ports = createRuntimePorts();
  const hashes = createHashes();
  const database = ports.database.open(':memory:');
  const { clock, signatures, entropy } = ports;
  const overlay = createOverlay(
    {
      ...defaultOverlayOptions,
      secretKey: entropy.bytes(32),
      agent: 'tequio/test',
      port: 0,
      webRtc: false,
      dht,
      localDiscovery: false,
      relayCount: 0,
    },
    { ports, crypto: ports, database },
  );
  await overlay.start();
  const names = new IpnsNames({
    overlay,
    clock,
    hashes,
    log: silentLog,
    store: new ForgottenNames(),
    lookUpText: async () => [],
    followsResolved: () => pubsub,
    verify: ({ type, data }, message, signature) => verifyForeignSignature(type, data, message, signature),
  });
  names.start();
  const owner = ed25519Key(entropy.bytes(32), signatures);
  await overlay.connect(kubo.addresses().find((address) => address.startsWith('/ip4/127.0.0.1/tcp/'))!, {
    timeoutMs: waitMs,
  });
  const close = async (): Promise<void> => {
    names.close();
    await overlay.close();
    database.close();
    await ports.close();
  };
  return { overlay, names, owner, name: ipnsNameOf(owner.key, hashes), close };
}

/** Through kubo's RPC: a command would stop this process, which is to answer. */
async function ask(kubo: Kubo, call: string): Promise<string> {
  const answer = await fetch(`${kubo.apiUrl}/api/v0/${call}`, {
    method: 'POST',
    signal: AbortSignal.timeout(waitMs),
  });
  return answer.text();
}

/** Null: it does not know the name. */
async function resolvedByKubo(kubo: Kubo, name: Uint8Array): Promise<string | null> {
  const said = await ask(kubo, `name/resolve?arg=${ipnsNameText(name)}&nocache=true&dht-record-count=1`);
  return (JSON.parse(said.split('\n')[0] ?? '{}') as { Path?: string }).Path ?? null;
}

test('a name over the DHT: kubo resolves ours, and we kubo’s', { timeout: 170_000 }, async (t) => {
  const missing = whyNoKubo();
  if (missing !== null) return skipWithout(t, missing);
  const folder = mkdtempSync(join(tmpdir(), 'tequio-names-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const kubo = new Kubo(folder);
  t.after(() => kubo.stop());
  await kubo.startDaemon();
  const node = await startNode(kubo, 'server', false);
  t.after(node.close);
  await until('the record is at kubo', waitMs, async () => {
    await node.names.publish(node.owner, first, {
      lifetimeMs: 3_600_000,
      ttlMs: 1,
      viaPubsub: false,
      allowOffline: true,
    });
    return (await resolvedByKubo(kubo, node.name)) === first;
  });
  const record = await node.names.publish(node.owner, second, {
    lifetimeMs: 3_600_000,
    ttlMs: 1,
    viaPubsub: false,
  });
  ok(record.sequence > 0n);
  await until('kubo has the new one', waitMs, async () => (await resolvedByKubo(kubo, node.name)) === second);
  const said = await ask(kubo, `name/publish?arg=${first}&ttl=1s`);
  const { Name } = JSON.parse(said) as { Name: string };
  const theirs = tryParseIpnsName(Name)!;
  await until(
    'we have what kubo says',
    waitMs,
    async () => (await node.names.ipns(theirs).catch(() => null))?.value === first,
  );
});

test('a name over pubsub alone: what one publishes the other hears of', { timeout: 170_000 }, async (t) => {
  const missing = whyNoKubo();
  if (missing !== null) return skipWithout(t, missing);
  const folder = mkdtempSync(join(tmpdir(), 'tequio-names-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const kubo = new Kubo(folder);
  t.after(() => kubo.stop());
  // Nobody is asked but by pubsub.
  kubo.run('config', 'Routing.Type', 'none');
  await kubo.startDaemon('--enable-namesys-pubsub', '--enable-pubsub-experiment');
  const node = await startNode(kubo, 'none', true);
  t.after(node.close);
  const options = { lifetimeMs: 3_600_000, ttlMs: 1, viaPubsub: true };

  // Kubo follows what it has looked up once; a record of before that it asks for by fetch.
  await node.names.publish(node.owner, first, options);
  await until(
    'kubo has asked us for the record',
    waitMs,
    async () => (await resolvedByKubo(kubo, node.name)) === first,
  );
  await node.names.publish(node.owner, second, options);
  await until(
    'kubo has heard of the new one',
    waitMs,
    async () => (await resolvedByKubo(kubo, node.name)) === second,
  );
  match(await ask(kubo, 'name/pubsub/subs'), /ipns/);

  const said = await ask(kubo, `name/publish?arg=${first}&ttl=1s&allow-offline=true`);
  const { Name } = JSON.parse(said) as { Name: string };
  const theirs = tryParseIpnsName(Name)!;
  await until(
    'kubo has told us what it had',
    waitMs,
    async () => (await node.names.ipns(theirs).catch(() => null))?.value === first,
  );
  await ask(kubo, `name/publish?arg=${second}&ttl=1s&allow-offline=true`);
  await until(
    'we have heard of its new one',
    waitMs,
    async () => (await node.names.ipns(theirs).catch(() => null))?.value === second,
  );
  equal(node.names.followed.length, 2);
});
