/** The node as people run it and kubo: what one adds the other reads, through each one's own interface. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
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

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

test('added here and read by kubo, and back: files, a folder of 10,000, a pin', {
  timeout: 280_000,
}, async (t) => {
  const missing = whyNoKubo();
  if (missing !== null) return skipWithout(t, missing);
  const folder = mkdtempSync(join(tmpdir(), 'tequio-node-kubo-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const kubo = new Kubo(folder);
  t.after(() => kubo.stop());
  await kubo.startDaemon();
  const data = join(folder, 'node');
  mkdirSync(data);
  const gatewayPort = await freePort();
  writeFileSync(join(data, 'config.toml'), ipfsConfig({ gateway: `127.0.0.1:${gatewayPort}` }));
  const daemon = new LabDaemon(data);
  t.after(() => daemon.stop());
  await daemon.start();
  const client = create({
    url: `${daemon.origin}/api/v0`,
    headers: { authorization: `Bearer ${daemon.token}` },
  });

  const address = kubo.addresses().find((known) => known.startsWith('/ip4/127.0.0.1/tcp/'))!;
  const { addresses, id } = await client.id();
  ok(addresses.length > 0);
  const connected = await fetch(`${daemon.origin}/api/v0/swarm/connect?arg=${encodeURIComponent(address)}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${daemon.token}` },
  });
  match(await connected.text(), /success/);
  match(kubo.say('swarm', 'peers'), new RegExp(id.toString()));

  const [ours, theirs] = [new Prng(1).bytes(24 << 20), new Prng(2).bytes(24 << 20)];
  const { cid } = await client.add(ours, { cidVersion: 1 });
  const toStartMs = performance.now();
  ok(kubo.run('cat', cid.toString()).stdout.equals(ours));
  t.diagnostic(`24 MiB to kubo in ${((performance.now() - toStartMs) / 1000).toFixed(2)} s`);

  const theirCid = kubo.sayOf(theirs, 'add', '-Q', '--cid-version=1');
  const fromStartMs = performance.now();
  ok((await collect(client.cat(theirCid))).equals(theirs));
  t.diagnostic(`24 MiB from kubo in ${((performance.now() - fromStartMs) / 1000).toFixed(2)} s`);
  equal((await client.files.stat(`/ipfs/${theirCid}`, { withLocal: true })).local, true);

  const tree = join(folder, 'many');
  mkdirSync(tree);
  for (let file = 0; file < 10_000; file++)
    writeFileSync(join(tree, `file-${file}.txt`), `content ${file % 500}`);
  const treeCid = kubo.say('add', '-r', '-Q', '--cid-version=1', tree);
  const names: string[] = [];
  for await (const { name } of client.ls(treeCid)) names.push(name);
  equal(new Set(names).size, 10_000);
  deepEqual((await collect(client.cat(`${treeCid}/file-9999.txt`))).toString(), 'content 499');
  await client.pin.add(treeCid);
  await client.files.cp(`/ipfs/${treeCid}`, '/theirs');
  const copy = await client.files.stat('/theirs');
  equal(copy.cid.toString(), treeCid);
  match(kubo.say('ls', '--size=false', treeCid), /file-9999\.txt/);

  const gateway = `http://127.0.0.1:${gatewayPort}`;
  const page = await fetch(`${gateway}/ipfs/${treeCid}/file-7.txt`);
  equal(await page.text(), 'content 7');
  equal(page.headers.get('x-ipfs-path'), `/ipfs/${treeCid}/file-7.txt`);
  const range = await fetch(`${gateway}/ipfs/${theirCid}`, { headers: { range: 'bytes=1000-1999' } });
  deepEqual(new Uint8Array(await range.arrayBuffer()), theirs.slice(1000, 2000));
  equal(range.status, 206);
  const archive = await fetch(`${gateway}/ipfs/${treeCid}?format=car&dag-scope=entity`);
  ok(kubo.runWith(Buffer.from(await archive.arrayBuffer()), 'dag', 'import', '--pin-roots=false').stdout);
});
