/** Questions to the DHT, over HTTP, of a node whose DHT has others. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DhtApi, RunningDaemon } from '@tequio/api';
import { createClient, type NodeClient } from '@tequio/client';
import { encodeUtf8 } from '@tequio/kernel';
import { startDaemon } from '../start-daemon.ts';
import { DhtService, dhtServiceLimits } from './dht-service.ts';

const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;

async function start(
  t: TestContext,
  bittorrent: { readonly dht: boolean; readonly dhtBootstrap?: string[] },
): Promise<{ daemon: RunningDaemon; client: NodeClient }> {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-dht-'));
  const daemon = await startDaemon({
    dataFolder: join(folder, 'data'),
    configPath: null,
    env: {},
    flags: {
      bittorrent: { port: 0, bind: '127.0.0.1', portMapping: false, lsd: false, ...bittorrent },
      http: { address: '127.0.0.1:0' },
    },
    version: '9',
    pageFolder: null,
    countryFile: null,
  });
  t.after(async () => {
    await daemon.close();
    rmSync(folder, { recursive: true });
  });
  const token = readFileSync(join(folder, 'data', 'token'), 'utf8').trim();
  return { daemon, client: createClient({ url: daemon.url!, token }) };
}

test('ping, put, get, lookup and sample, by the node itself', async (t) => {
  const first = await start(t, { dht: true, dhtBootstrap: [] });
  const at = `127.0.0.1:${first.daemon.bittorrent.dht!.status()!.port}`;
  const { client } = await start(t, { dht: true, dhtBootstrap: [at] });
  const { dht } = client;
  const pong = await dht.ping(at);
  assert.equal(pong?.id, first.daemon.bittorrent.dht!.status()!.families[0]!.id);
  const secretKey = new Uint8Array(32).fill(7);
  const salt = encodeUtf8('salt');
  const put = await dht.put({ value: encodeUtf8('2:ab'), secretKey, salt, sequence: 2n ** 60n + 1n });
  assert.equal(put.storedCount, 1, String(put.refusal));
  const got = await dht.get(put.item.publicKey!, salt);
  assert.deepEqual(
    [got.item?.sequence, got.item?.value, got.item?.salt],
    [2n ** 60n + 1n, encodeUtf8('2:ab'), salt],
  );
  const looked = await dht.lookup('ab'.repeat(20));
  assert.deepEqual([looked.peers, looked.answerCount], [[], 1]);
  assert.deepEqual((await dht.sample(null)).infoHashes, []);
  await assert.rejects(dht.get('xyz'), code('HTTP_INPUT'));
  await assert.rejects(dht.put({ value: encodeUtf8('no'), secretKey: null }), code('BITTORRENT_DHT_VALUE'));
  assert.equal(await client.network.routers(), null, 'port mapping is off');
});

test('a node without a DHT says so', async (t) => {
  const { client } = await start(t, { dht: false });
  await assert.rejects(client.dht.lookup('ab'.repeat(20)), code('DHT_OFF'));
});

test('so many questions at once, and no more', async () => {
  const answers: (() => void)[] = [];
  const ready = (): Promise<boolean> => Promise.resolve(true);
  const ping = (): Promise<null> => new Promise((resolve) => answers.push(() => resolve(null)));
  const service = new DhtService(() => ({ ready, ping }) as unknown as DhtApi);
  const asked = Array.from({ length: dhtServiceLimits.questionCountMax }, () => service.ping('a:1'));
  await assert.rejects(service.ping('a:1'), code('DHT_BUSY'));
  for (const answer of answers) answer();
  assert.ok((await Promise.all(asked)).every((answer) => answer === null));
  const again = service.ping('a:1');
  answers.at(-1)!();
  assert.equal(await again, null);
});
