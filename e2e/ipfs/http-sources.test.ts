/** Blocks over HTTP from kubo's gateway, lists of denied content, and the node as a router for others. */
import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { create } from 'kubo-rpc-client';
import { LabDaemon } from '../lab/daemon.ts';
import { freePort } from '../lab/free-port.ts';
import { ipfsConfig } from '../lab/ipfs-config.ts';
import { Kubo, whyNoKubo } from '../lab/kubo.ts';
import { skipWithout } from '../lab/missing.ts';

const waitMs = 60_000;

test('content comes over HTTP from kubo’s gateway, what is denied does not, and peers are asked for by HTTP', {
  timeout: 280_000,
}, async (t) => {
  const missing = whyNoKubo();
  if (missing !== null) return skipWithout(t, missing);
  const folder = mkdtempSync(join(tmpdir(), 'tequio-http-sources-'));
  const kubo = new Kubo(folder);
  const data = join(folder, 'node');
  mkdirSync(data);
  const daemon = new LabDaemon(data);
  t.after(async () => {
    await daemon.stop();
    await kubo.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  await kubo.startDaemon();
  const theirs = new Prng(3).bytes(3 << 20);
  const cid = kubo.sayOf(theirs, 'add', '-Q', '--cid-version=1');
  const deniedCid = kubo.sayOf(new Prng(4).bytes(1000), 'add', '-Q', '--cid-version=1');
  const denyList = join(folder, 'list.deny');
  writeFileSync(denyList, `/ipfs/${deniedCid}\n`);
  const gatewayPort = await freePort();
  const listens = `127.0.0.1:${gatewayPort}`;
  const config = ipfsConfig(
    { gateway: listens, gateways: [kubo.gatewayUrl], denyLists: [denyList] },
    'client',
  );
  writeFileSync(join(data, 'config.toml'), config);
  await daemon.start();
  const headers = { authorization: `Bearer ${daemon.token}` };
  const client = create({ url: `${daemon.origin}/api/v0`, headers });

  // They are not connected: all of it comes over HTTP.
  deepEqual(JSON.parse(kubo.say('swarm', 'peers', '--enc=json')), { Peers: null });
  const parts: Uint8Array[] = [];
  for await (const part of client.cat(cid)) parts.push(part);
  ok(Buffer.concat(parts).equals(theirs));
  await rejects(client.block.get(deniedCid as never, { timeout: waitMs }), /on a list of content/);
  const gateway = `http://127.0.0.1:${gatewayPort}`;
  const refused = await fetch(`${gateway}/ipfs/${deniedCid}`, { signal: AbortSignal.timeout(waitMs) });
  equal(refused.status, 410);

  const address = kubo.addresses().find((known) => known.startsWith('/ip4/127.0.0.1/tcp/'))!;
  await fetch(`${daemon.origin}/api/v0/swarm/connect?arg=${encodeURIComponent(address)}`, {
    method: 'POST',
    headers,
    signal: AbortSignal.timeout(waitMs),
  });
  const peer = address.split('/').at(-1)!;
  const routed = await fetch(`${gateway}/routing/v1/peers/${peer}`, { signal: AbortSignal.timeout(waitMs) });
  const { Peers } = (await routed.json()) as { Peers: { ID: string; Addrs: string[] }[] };
  equal(Peers[0]?.ID, peer);
  ok(Peers[0]?.Addrs.some((known) => known.startsWith('/ip4/127.0.0.1/tcp/')));
});
