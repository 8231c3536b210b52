/**
 * Much at once between the node as people run it and kubo: a large file both ways, kubo's gateway reading from here,
 * limits that are set while blocks go, and blocks that the disk has spoilt. `TEQUIO_LARGE=1`: 1 GiB in place of 96 MiB.
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { after, before, describe, test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { create, type KuboRPCClient } from 'kubo-rpc-client';
import { LabDaemon } from '../lab/daemon.ts';
import { ipfsConfig } from '../lab/ipfs-config.ts';
import { Kubo, whyNoKubo } from '../lab/kubo.ts';
import { skipWithout } from '../lab/missing.ts';
import { runTequio } from '../lab/tequio.ts';

const MiB = 1 << 20;
const largeBytes = (env['TEQUIO_LARGE'] === '1' ? 1024 : 96) * MiB;
const waitMs = 400_000;
const limit = { timeout: 600_000 };

type Digest = { readonly bytes: number; readonly sha256: string };

async function digestOf(parts: AsyncIterable<Uint8Array>): Promise<Digest> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of parts) {
    hash.update(part);
    bytes += part.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** A file that no two seeds share, made a MiB at a time. */
function writeLarge(path: string, seed: number): void {
  const prng = new Prng(seed);
  const file = openSync(path, 'w');
  for (let at = 0; at < largeBytes; at += MiB) writeSync(file, prng.bytes(MiB));
  closeSync(file);
}

describe('the node and kubo, much at once', { skip: whyNoKubo() ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-large-'));
  const data = join(folder, 'node');
  mkdirSync(data);
  writeFileSync(join(data, 'config.toml'), ipfsConfig({}));
  const daemon = new LabDaemon(data);
  let kubo: Kubo;
  let client: KuboRPCClient;

  before(async () => {
    kubo = new Kubo(folder);
    await kubo.startDaemon();
    await daemon.start();
    await meet();
  }, limit);

  after(async () => {
    await daemon.stop();
    await kubo?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function meet(): Promise<void> {
    const headers = { authorization: `Bearer ${daemon.token}` };
    client = create({ url: `${daemon.origin}/api/v0`, headers });
    const address = kubo.addresses().find((known) => known.startsWith('/ip4/127.0.0.1/tcp/'))!;
    await client.swarm.connect(address as never, { timeout: waitMs });
  }

  /** Of what kubo gives: by its gateway, or through its RPC. */
  async function readByKubo(path: string): Promise<Digest> {
    const answer = path.startsWith('/ipfs/')
      ? await fetch(kubo.gatewayUrl + path, { signal: AbortSignal.timeout(waitMs) })
      : await fetch(`${kubo.apiUrl}/api/v0/cat?arg=${path}`, {
          method: 'POST',
          signal: AbortSignal.timeout(waitMs),
        });
    equal(answer.status, 200, path);
    return digestOf(answer.body!);
  }

  async function addPath(path: string): Promise<string> {
    const answer = await fetch(`${daemon.origin}/api/v0/add/path?${new URLSearchParams({ arg: path })}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${daemon.token}` },
      signal: AbortSignal.timeout(waitMs),
    });
    return (JSON.parse((await answer.text()).trim().split('\n').at(-1)!) as { Root: string }).Root;
  }

  test(`${largeBytes / MiB} MiB: from here to kubo, and from kubo to here`, limit, async (t) => {
    const [mine, theirs] = [join(folder, 'mine'), join(folder, 'theirs')];
    writeLarge(mine, 1);
    writeLarge(theirs, 2);
    const wanted = await digestOf(createReadStream(mine));
    const cid = await addPath(mine);
    const toStartMs = performance.now();
    deepEqual(await readByKubo(cid), wanted);
    const rate = (startMs: number): string =>
      `${Math.round(largeBytes / MiB / ((performance.now() - startMs) / 1000))} MiB/s`;
    t.diagnostic(`to kubo: ${rate(toStartMs)}`);
    const other = await digestOf(createReadStream(theirs));
    const theirCid = kubo.say('add', '-Q', '--cid-version=1', theirs);
    const fromStartMs = performance.now();
    deepEqual(await digestOf(client.cat(theirCid, { timeout: waitMs })), other);
    t.diagnostic(`from kubo: ${rate(fromStartMs)}`);
    rmSync(mine);
    rmSync(theirs);
  });

  test('kubo’s gateway shows what is here', limit, async () => {
    const site = join(folder, 'site');
    mkdirSync(site);
    writeFileSync(join(site, 'index.html'), '<h1>from here</h1>');
    const content = new Prng(3).bytes(3 * MiB);
    writeFileSync(join(site, 'large.bin'), content);
    const answer = await client.addAll(
      [
        { path: 'site/index.html', content: readFileSync(join(site, 'index.html')) },
        { path: 'site/large.bin', content },
      ],
      { cidVersion: 1 },
    );
    let root = '';
    for await (const { path, cid } of answer) if (path === 'site') root = String(cid);
    const page = await fetch(`${kubo.gatewayUrl}/ipfs/${root}/`, { signal: AbortSignal.timeout(waitMs) });
    equal(await page.text(), '<h1>from here</h1>');
    const { sha256 } = await readByKubo(`/ipfs/${root}/large.bin`);
    equal(sha256, createHash('sha256').update(content).digest('hex'));
    const block = await fetch(`${kubo.gatewayUrl}/ipfs/${root}?format=raw`);
    equal((await block.arrayBuffer()).byteLength > 0, true);
  });

  test('limits that are set while the node runs hold for blocks, each way', limit, async () => {
    const rateBytes = 2 * MiB;
    const content = new Prng(4).bytes(6 * MiB);
    const { cid } = await client.add(content, { cidVersion: 1 });
    await daemon.ask('PATCH', 'settings', { ipfs: { limitUp: rateBytes } });
    const upStartMs = performance.now();
    await readByKubo(String(cid));
    const upSeconds = (performance.now() - upStartMs) / 1000;
    const theirCid = kubo.sayOf(new Prng(5).bytes(6 * MiB), 'add', '-Q', '--cid-version=1');
    await daemon.ask('PATCH', 'settings', { ipfs: { limitUp: null, limitDown: rateBytes } });
    const downStartMs = performance.now();
    await digestOf(client.cat(theirCid, { timeout: waitMs }));
    const downSeconds = (performance.now() - downStartMs) / 1000;
    await daemon.ask('PATCH', 'settings', { ipfs: { limitDown: null } });
    // Slower it may always be. What is let through at once counts for less than a second.
    ok(upSeconds > 2, `6 MiB up at 2 MiB/s took ${upSeconds} s`);
    ok(downSeconds > 2, `6 MiB down at 2 MiB/s took ${downSeconds} s`);
  });

  test('blocks that the disk has spoilt are found, named, and fetched again', limit, async () => {
    const content = new Prng(6).bytes(4 * MiB);
    const { cid } = await client.add(content, { cidVersion: 1 });
    const wanted = createHash('sha256').update(content).digest('hex');
    equal((await readByKubo(String(cid))).sha256, wanted, 'kubo has it from here');
    await daemon.stop();
    const segments = join(data, 'ipfs', 'segments');
    let spoiltCount = 0;
    for (const name of readdirSync(segments)) {
      const bytes = readFileSync(join(segments, name));
      for (const part of [0, 2]) {
        const at = bytes.indexOf(content.subarray(part * MiB + 1000, part * MiB + 1064));
        if (at < 0) continue;
        bytes[at]! ^= 1;
        spoiltCount++;
      }
      writeFileSync(join(segments, name), bytes);
    }
    equal(spoiltCount, 2);
    await daemon.start();
    await meet();
    const verified = await runTequio(['ipfs', 'repo', 'verify', '--data', data], folder);
    equal([...verified.stdout.matchAll(/^block baf\w+ was corrupt/gm)].length, 2, verified.stdout);
    ok(verified.code !== 0);
    equal((await digestOf(client.cat(cid, { timeout: waitMs }))).sha256, wanted, 'fetched again from kubo');
    const local = await client.files.stat(`/ipfs/${cid}`, { withLocal: true });
    equal(local.local, true);
    for await (const { cid: pinned } of client.pin.ls({ paths: cid })) match(String(pinned), /^baf/);
  });
});

test('kubo is here', (t) => {
  const missing = whyNoKubo();
  if (missing !== null) skipWithout(t, missing);
});
