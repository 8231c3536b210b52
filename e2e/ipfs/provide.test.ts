/**
 * A test network that is told of blocks, and finds them: nodes of ours, and kubo among them. The same with 10,000 in
 * virtual time: packages/ipfs/sim/names.test.ts.
 */
import { equal, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ContentProviding, IpfsRepository, makeCid } from '@tequio/ipfs';
import { Prng, silentLog } from '@tequio/kernel';
import { createOverlay, defaultOverlayOptions, type OverlayService } from '@tequio/overlay';
import { createHashes, createRuntimePorts, type RuntimePorts } from '@tequio/runtime';
import { Kubo, whyNoKubo } from '../lab/kubo.ts';
import { skipWithout } from '../lab/missing.ts';
import { until } from '../lab/until.ts';

const blockCount = 200;
const nodeCount = 4;
const waitMs = 150_000;

async function startNode(ports: RuntimePorts): Promise<OverlayService> {
  const node = createOverlay(
    {
      ...defaultOverlayOptions,
      secretKey: ports.entropy.bytes(32),
      agent: 'tequio/test',
      port: 0,
      webRtc: false,
      dht: 'server',
      localDiscovery: false,
      relayCount: 0,
    },
    { ports, crypto: ports, database: ports.database.open(':memory:') },
  );
  await node.start();
  return node;
}

test('what is here is told to a network, and found by others', { timeout: 280_000 }, async (t) => {
  const missing = whyNoKubo();
  if (missing !== null) return skipWithout(t, missing);
  const folder = mkdtempSync(join(tmpdir(), 'tequio-provide-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const kubo = new Kubo(folder);
  t.after(() => kubo.stop());
  await kubo.startDaemon();
  const ports = createRuntimePorts();
  const hashes = createHashes();
  const nodes: OverlayService[] = [];
  for (let i = 0; i < nodeCount; i++) nodes.push(await startNode(ports));
  const [teller, finder] = nodes as [OverlayService, OverlayService];
  const kuboAddress = kubo.addresses().find((address) => address.startsWith('/ip4/127.0.0.1/tcp/'))!;
  for (const node of nodes) await node.connect(kuboAddress, { timeoutMs: waitMs });
  for (const node of nodes.slice(1))
    await node.connect(teller.addresses.find((address) => address.includes('/127.0.0.1/'))!, {
      timeoutMs: waitMs,
    });

  const { disk, files, database, clock } = ports;
  const repository = await IpfsRepository.open(
    { folder: join(folder, 'ipfs'), quotaBytes: null, bootId: null },
    { disk, files, database, hashes, clock, log: silentLog },
  );
  const prng = new Prng(1);
  const blocks = Array.from({ length: blockCount }, () => {
    const bytes = prng.bytes(64);
    return { cid: makeCid(0x55, 0x12, hashes.sha256(bytes)), bytes };
  });
  await repository.blocks.put(blocks);
  const providing = new ContentProviding({
    overlay: teller,
    repository,
    clock,
    hashes,
    log: silentLog,
    strategy: () => 'everything',
  });
  t.after(async () => {
    await providing.close();
    await repository.close();
    await Promise.all(nodes.map((node) => node.close()));
    await ports.close();
  });
  const startMs = performance.now();
  providing.start();
  await until('all have been told', waitMs, () => providing.state.findableCount === blockCount);
  const seconds = (performance.now() - startMs) / 1000;
  t.diagnostic(`${blockCount} told in ${seconds.toFixed(1)} s`);
  equal(providing.state.neverToldCount, 0);
  ok((providing.tryStateOf(blocks[7]!.cid)?.peerCount ?? 0) >= nodeCount - 1);

  for (let i = 0; i < blockCount; i += blockCount / 20) {
    const found: string[] = [];
    await finder.find(blocks[i]!.cid.multihash.bytes, ({ peer }) => void found.push(peer));
    ok(found.includes(teller.peer), `${i}`);
  }
  const answer = await fetch(`${kubo.apiUrl}/api/v0/routing/findprovs?arg=${blocks[123]!.cid}`, {
    method: 'POST',
    signal: AbortSignal.timeout(waitMs),
  });
  ok((await answer.text()).includes(teller.peer));
});
