/** Blocks between this node and kubo, both ways, over libp2p on loopback. */
import { equal, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  BitswapDriver,
  exportBytes,
  importBytes,
  MemoryBlocks,
  profiles,
  Retrieval,
  tryDecodeCid,
  tryDigest,
  tryParseCid,
} from '@tequio/ipfs';
import { Prng, silentLog } from '@tequio/kernel';
import { createOverlay, defaultOverlayOptions } from '@tequio/overlay';
import { createHashes, createRuntimePorts } from '@tequio/runtime';
import { Kubo, whyNoKubo } from '../lab/kubo.ts';
import { skipWithout } from '../lab/missing.ts';

const MiB = 1024 * 1024;

test('bitswap with kubo: a file from there, and a file to there', { timeout: 170_000 }, async (t) => {
  const missing = whyNoKubo();
  if (missing !== null) return skipWithout(t, missing);
  const folder = mkdtempSync(join(tmpdir(), 'tequio-bitswap-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const kubo = new Kubo(folder);
  t.after(() => kubo.stop());
  await kubo.startDaemon();
  const [theirs, ours] = [new Prng(1).bytes(32 * MiB), new Prng(2).bytes(16 * MiB)];
  const theirCid = kubo.sayOf(theirs, 'add', '-Q', '--cid-version=1', '--raw-leaves');

  const { overlay, bitswap, blocks, hashes, clock, close } = await startNode();
  t.after(close);
  await overlay.connect(kubo.addresses().find((address) => address.startsWith('/ip4/127.0.0.1/tcp/'))!, {
    timeoutMs: 30_000,
  });

  const retrieval = new Retrieval({ local: blocks, bitswap, gateways: null, hashes, clock });
  const startMs = performance.now();
  const content = await exportBytes(retrieval, tryParseCid(theirCid)!, 40 * MiB, {
    windowBlocks: 32,
    signal: AbortSignal.timeout(60_000),
  });
  const seconds = (performance.now() - startMs) / 1000;
  retrieval.close();
  ok(Buffer.from(content).equals(theirs));
  t.diagnostic(`32 MiB from kubo in ${seconds.toFixed(2)} s, ${bitswap.counts.duplicateBlocks} blocks twice`);
  equal(bitswap.counts.unwantedBlocks, 0);

  const { cid } = await importBytes({ hashes, blocks }, profiles['unixfs-v1-2025'], ours);
  const toStartMs = performance.now();
  // Not as a command: it would stop this process, which is to answer.
  const answer = await fetch(`${kubo.apiUrl}/api/v0/cat?arg=${cid}`, {
    method: 'POST',
    signal: AbortSignal.timeout(60_000),
  });
  ok(Buffer.from(await answer.arrayBuffer()).equals(ours));
  t.diagnostic(`16 MiB to kubo in ${((performance.now() - toStartMs) / 1000).toFixed(2)} s`);
  const [peer] = bitswap.peers;
  ok(peer!.sentBytes >= 16 * MiB, `${peer!.sentBytes}`);
});

/** A node of ours on loopback, with nothing in its store. */
async function startNode() {
  const ports = createRuntimePorts();
  const hashes = createHashes();
  const database = ports.database.open(':memory:');
  const overlay = createOverlay(
    {
      ...defaultOverlayOptions,
      secretKey: ports.entropy.bytes(32),
      agent: 'tequio/test',
      port: 0,
      webRtc: false,
      dht: 'none',
      localDiscovery: false,
      relayCount: 0,
    },
    { ports, crypto: ports, database },
  );
  await overlay.start();
  const blocks = new MemoryBlocks();
  const bitswap = new BitswapDriver({
    overlay,
    clock: ports.clock,
    log: silentLog,
    namer: (code, bytes) => tryDigest(hashes, code, bytes, 32),
    store: {
      sizes: async (cids) => Promise.all(cids.map(async (cid) => (await get(cid))?.length ?? null)),
      read: (cid) => get(cid),
    },
    findProviders: async () => undefined,
  });
  async function get(bytes: Uint8Array): Promise<Uint8Array | null> {
    const cid = tryDecodeCid(bytes);
    return cid === null ? null : await blocks.get(cid);
  }
  bitswap.start();
  const close = async (): Promise<void> => {
    bitswap.close();
    await overlay.close();
    database.close();
  };
  return { overlay, bitswap, blocks, hashes, clock: ports.clock, close };
}
