/** The node as people run it and Helia: what one adds, names, tells and says the other has, both ways, on loopback. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { after, before, describe, test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { create, type KuboRPCClient } from 'kubo-rpc-client';
import { LabDaemon } from '../lab/daemon.ts';
import { Helia, whyNoHelia } from '../lab/helia.ts';
import { ipfsConfig } from '../lab/ipfs-config.ts';
import { skipWithout } from '../lab/missing.ts';
import { until } from '../lab/until.ts';

const waitMs = 60_000;
const limit = { timeout: 200_000 };
const entryCount = 10_000;

type Digest = { readonly bytes: number; readonly sha256: string };

function digestOf(bytes: Uint8Array): Digest {
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

async function collect(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}

describe('the node and Helia', { skip: whyNoHelia() ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-helia-'));
  const data = join(folder, 'node');
  mkdirSync(data);
  writeFileSync(join(data, 'config.toml'), ipfsConfig({ provide: 'roots' }, 'server'));
  const daemon = new LabDaemon(data);
  let helia: Helia;
  let client: KuboRPCClient;
  let ours: string;
  let theirs: string;

  before(async () => {
    helia = new Helia(folder);
    await daemon.start();
    client = create({
      url: `${daemon.origin}/api/v0`,
      headers: { authorization: `Bearer ${daemon.token}` },
    });
    const [{ peer, addresses }, { id }] = [await helia.id(), await client.id()];
    [ours, theirs] = [id.toString(), peer];
    await client.swarm.connect(addresses[0] as never, { timeout: waitMs });
  }, limit);

  after(async () => {
    await daemon.stop();
    await helia?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A folder with so many files, of which one in twenty has content of its own. */
  function makeFolder(name: string): string {
    const path = join(folder, name);
    mkdirSync(path);
    for (let file = 0; file < entryCount; file++)
      writeFileSync(join(path, `a file of ${name}, number ${file}.txt`), `${name} ${file % 500}`);
    return path;
  }

  test('a file from here to there, and from there to here', limit, async () => {
    const [mine, other] = [new Prng(1).bytes(16 << 20), new Prng(2).bytes(16 << 20)];
    const { cid } = await client.add(mine, { cidVersion: 1 });
    deepEqual(await helia.ask('cat', { cid: String(cid) }), digestOf(mine));
    writeFileSync(join(folder, 'theirs'), other);
    const { cid: theirCid } = await helia.ask<{ cid: string }>('add', { path: join(folder, 'theirs') });
    deepEqual(digestOf(await collect(client.cat(theirCid, { timeout: waitMs }))), digestOf(other));
    const stat = await client.files.stat(`/ipfs/${theirCid}`, { withLocal: true });
    equal(stat.local, true);
  });

  test('folders of 10,000 entries, sharded, both ways', limit, async () => {
    const path = makeFolder('theirs-many');
    const { cid } = await helia.ask<{ cid: string }>('addFolder', { path });
    await client.pin.add(cid, { timeout: 2 * waitMs });
    const names: string[] = [];
    for await (const { name } of client.ls(cid)) names.push(name);
    equal(new Set(names).size, entryCount);
    const file = `${cid}/a file of theirs-many, number 9999.txt`;
    equal(String(await collect(client.cat(file))), 'theirs-many 499');

    const many = makeFolder('ours-many');
    const root = await addHere(many);
    // Helia takes them one after the other, from kubo too, and so a quarter of a minute for all shards.
    if (env['TEQUIO_LARGE'] === '1') {
      const { names: listed } = await helia.ask<{ names: string[] }>('ls', { cid: root });
      equal(new Set(listed).size, entryCount);
    }
    await Promise.all(
      Array.from({ length: 16 }, async (_, index) => {
        const number = (index * 617 + 5) % entryCount;
        const asked = { cid: root, path: `a file of ours-many, number ${number}.txt` };
        deepEqual(await helia.ask('cat', asked), digestOf(Buffer.from(`ours-many ${number % 500}`)));
      }),
    );
  });

  test('archives: what one writes the other reads, and it is the same to the byte', limit, async () => {
    const content = new Prng(3).bytes(3 << 20);
    const { cid } = await client.add(content, { cidVersion: 1 });
    const [mine, other] = [join(folder, 'ours.car'), join(folder, 'theirs.car')];
    writeFileSync(mine, await collect(client.dag.export(cid)));
    await helia.ask('exportCar', { cid: String(cid), path: other });
    ok(readFileSync(mine).equals(readFileSync(other)));
    await client.pin.rm(cid);
    for await (const _ of client.repo.gc());
    for await (const { root } of client.dag.import([readFileSync(other)] as never))
      equal(String(root.cid), String(cid));
    ok((await collect(client.cat(cid, { offline: true } as never))).equals(content));
    deepEqual(await helia.ask('importCar', { path: mine }), { roots: [String(cid)] });
  });

  test('names by the DHT, both ways, and who provides what', limit, async () => {
    const [first, second] = [await addText('first'), await addText('second')];
    await until('ours is known there', waitMs, async () => {
      const { name } = await client.name.publish(first as never, { ttl: '1s' } as never);
      const { value } = await helia.ask<{ value: string }>('resolve', { name: bare(name) });
      return value === `/ipfs/${first}`;
    });
    const { name: theirName } = await helia.ask<{ name: string }>('publish', { key: 'site', cid: second });
    await until('theirs is known here', waitMs, async () => {
      for await (const value of client.name.resolve(theirName, { nocache: true }))
        if (value === `/ipfs/${second}`) return true;
      return false;
    });
    await until('they find us', waitMs, async () => {
      const { peers } = await helia.ask<{ peers: string[] }>('providers', { cid: first });
      return peers.includes(ours);
    });
    writeFileSync(join(folder, 'told'), 'told by Helia');
    const { cid: told } = await helia.ask<{ cid: string }>('add', { path: join(folder, 'told') });
    await helia.ask('provide', { cid: told });
    await until('we find them', waitMs, async () => {
      for await (const event of client.routing.findProvs(told as never, { timeout: waitMs }))
        if (event.name === 'PROVIDER' && event.providers.some(({ id }) => String(id) === theirs)) return true;
      return false;
    });
  });

  test('messages of a topic, both ways', limit, async () => {
    const topic = 'tequio and Helia';
    const heard: string[] = [];
    await helia.ask('subscribe', { topic });
    await client.pubsub.subscribe(topic, ({ data: bytes }) => void heard.push(String(Buffer.from(bytes))));
    await until('each knows that the other listens', waitMs, async () => {
      const { peers } = await helia.ask<{ peers: string[] }>('subscribers', { topic });
      return peers.includes(ours) && (await client.pubsub.peers(topic)).map(String).includes(theirs);
    });
    await until('they have heard us', waitMs, async () => {
      await client.pubsub.publish(topic, Buffer.from('from here'));
      const { texts } = await helia.ask<{ texts: string[] }>('heard', { topic });
      return texts.includes('from here');
    });
    await until('we have heard them', waitMs, async () => {
      await helia.ask('say', { topic, text: 'from there' });
      return heard.includes('from there');
    });
    await client.pubsub.unsubscribe(topic);
  });

  async function addText(text: string): Promise<string> {
    return String((await client.add(text, { cidVersion: 1 })).cid);
  }

  /** By path, as the page and the command line add a folder. */
  async function addHere(path: string): Promise<string> {
    const query = new URLSearchParams({ arg: path, recursive: 'true' });
    const answer = await fetch(`${daemon.origin}/api/v0/add/path?${query}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${daemon.token}` },
      signal: AbortSignal.timeout(2 * waitMs),
    });
    const lines = (await answer.text()).trim().split('\n');
    return (JSON.parse(lines.at(-1)!) as { Root: string }).Root;
  }
});

test('Helia is here', (t) => {
  const missing = whyNoHelia();
  if (missing !== null) skipWithout(t, missing);
});

/** `/ipns/NAME` as NAME. */
function bare(name: string): string {
  return name.replace(/^\/ipns\//, '');
}
