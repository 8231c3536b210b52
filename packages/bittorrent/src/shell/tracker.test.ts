/** Our client on our tracker, over real sockets on loopback. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatEndpoint, type IpAddress, Prng, silentLog } from '@tequio/kernel';
import {
  createClock,
  createEntropy,
  createHttpClient,
  createHttpServer,
  createResolver,
  createUdp,
} from '@tequio/runtime';
import { TorrentTrackers } from './torrent-trackers.ts';
import { type AnnounceRequest, TrackerClient } from './tracker-client.ts';
import { createTracker, type TrackerServer, type TrackerServerOptions } from './tracker-server.ts';

const hash = new Uint8Array(20).fill(0xab);

async function withTracker(
  options: Partial<TrackerServerOptions>,
  use: (tracker: TrackerServer, client: TrackerClient) => Promise<void>,
): Promise<void> {
  const ports = { clock: createClock(), entropy: createEntropy(), udp: createUdp(), log: silentLog };
  const resolver = createResolver();
  const http = createHttpClient(resolver);
  const tracker = createTracker(
    { httpPort: 0, udpPort: 0, ...options },
    { ...ports, httpServer: createHttpServer() },
  );
  const client = new TrackerClient({ userAgent: 'Test/1' }, { ...ports, resolver, http });
  await tracker.start();
  try {
    await use(tracker, client);
  } finally {
    await client.close();
    http.close();
    await tracker.close();
  }
}

function announce(url: string, port: number, more: Partial<AnnounceRequest> = {}): AnnounceRequest {
  return {
    url,
    family: 4,
    timeoutMs: 5000,
    infoHash: hash,
    peerId: new Uint8Array(20).fill(port),
    port,
    uploadedBytes: 0,
    downloadedBytes: 0,
    leftBytes: 5,
    event: 'started',
    key: port,
    numWant: -1,
    trackerId: null,
    ...more,
  };
}

test('peers that announce over HTTP and UDP find each other; counts, completions and leaving are seen', async () => {
  await withTracker({}, async (tracker, client) => {
    const http = `http://127.0.0.1:${tracker.httpPort}/announce`;
    const udp = `udp://127.0.0.1:${tracker.udpPort}/announce?x=1`;
    const first = await client.announce(announce(http, 1001, { leftBytes: 0 }));
    assert.ok(first.ok);
    assert.deepEqual(first.value.peers, []);
    assert.equal(first.value.externalAddress, '127.0.0.1');
    assert.equal(first.value.minIntervalMs, 30_000);
    const second = await client.announce(announce(udp, 1002));
    assert.ok(second.ok, second.ok ? '' : second.failure.fault.message);
    assert.deepEqual(second.value.peers.map(formatEndpoint), ['127.0.0.1:1001']);
    const third = await client.announce(announce(http, 1003));
    assert.ok(third.ok);
    assert.deepEqual(third.value.peers.map(formatEndpoint).sort(), ['127.0.0.1:1001', '127.0.0.1:1002']);
    await client.announce(announce(udp, 1002, { leftBytes: 0, event: 'completed' }));
    await client.announce(announce(http, 1001, { leftBytes: 0, event: 'stopped' }));
    const infoHashes = [hash, new Uint8Array(20)];
    const empty = { seedCount: 0, completedCount: 0, leechCount: 0 };
    for (const url of [http, udp]) {
      const scraped = await client.scrape({ url, family: 4, timeoutMs: 5000, infoHashes });
      assert.deepEqual(scraped, {
        ok: true,
        value: [{ seedCount: 1, completedCount: 1, leechCount: 1 }, empty],
      });
    }
    const stats = tracker.stats();
    assert.deepEqual(
      [stats.announceCount, stats.httpAnnounceCount, stats.scrapeCount, stats.torrentCount],
      [5, 3, 2, 1],
    );
  });
});

test('IPv6 and IPv4 are kept apart on UDP and together on HTTP', async (t) => {
  await withTracker({}, async (tracker, client) => {
    const six = await client.announce(announce(`udp://[::1]:${tracker.udpPort}`, 2001, { family: 6 }));
    if (!six.ok) return t.skip(`no IPv6 on loopback: ${six.failure.fault.message}`);
    await client.announce(announce(`udp://127.0.0.1:${tracker.udpPort}`, 2002));
    const byHttp = await client.announce(
      announce(`http://[::1]:${tracker.httpPort}/announce`, 2003, { family: 6 }),
    );
    assert.ok(byHttp.ok, byHttp.ok ? '' : byHttp.failure.fault.message);
    assert.deepEqual(byHttp.value.peers.map(formatEndpoint).sort(), ['127.0.0.1:2002', '[::1]:2001']);
    const again = await client.announce(announce(`udp://[::1]:${tracker.udpPort}`, 2001, { family: 6 }));
    assert.deepEqual(again.ok && again.value.peers.map(formatEndpoint), ['[::1]:2003']);
  });
});

test('the access list refuses over both, and never is said to HTTP clients', async () => {
  const access = { mode: 'allow', infoHashes: [new Uint8Array(20)] } as const;
  await withTracker({ access, bind: '127.0.0.1' as IpAddress }, async (tracker, client) => {
    const http = await client.announce(announce(`http://127.0.0.1:${tracker.httpPort}/announce`, 1));
    assert.ok(!http.ok);
    assert.deepEqual([http.failure.kind, http.failure.retryInMs], ['refused', 'never']);
    const udp = await client.announce(announce(`udp://127.0.0.1:${tracker.udpPort}`, 1));
    assert.ok(!udp.ok);
    assert.equal(udp.failure.fault.message, 'The tracker says: torrent not served here');
    assert.equal(tracker.stats().refusedCount, 2);
  });
});

test('a taken port is said plainly, and nothing is left listening', async () => {
  await withTracker({ bind: '127.0.0.1' as IpAddress }, async (tracker) => {
    const ports = { clock: createClock(), entropy: createEntropy(), udp: createUdp(), log: silentLog };
    const second = createTracker(
      { httpPort: 0, udpPort: tracker.udpPort, bind: '127.0.0.1' as IpAddress },
      { ...ports, httpServer: createHttpServer() },
    );
    await assert.rejects(second.start(), { code: 'NET_LISTEN' });
    assert.deepEqual([second.httpPort, second.udpPort], [null, null]);
  });
});

test('a torrent joins by all tiers, completes, and takes leave', async () => {
  await withTracker({}, async (tracker, client) => {
    const http = `http://127.0.0.1:${tracker.httpPort}/announce`;
    const tiers = [[http], [`udp://127.0.0.1:${tracker.udpPort}`], ['udp://127.0.0.1:1/']];
    await client.announce(announce(http, 4000));
    let leftBytes = 9;
    const peers: string[] = [];
    let answeredCount = 0;
    let onAnswer = (): void => {};
    const trackers = new TorrentTrackers(
      { tiers, infoHashes: [hash], families: [4], prng: new Prng(1) },
      { client, clock: createClock() },
      {
        figures: () => {
          return { peerId: new Uint8Array(20), port: 4001, uploadedBytes: 0, downloadedBytes: 0, leftBytes };
        },
        peers: (found) => void peers.push(...found.map(formatEndpoint)),
        answered: () => {
          answeredCount++;
          onAnswer();
        },
        failed: () => {},
        externalAddress: () => {},
      },
    );
    const untilAnswered = (count: number): Promise<void> =>
      new Promise((resolve) => {
        onAnswer = () => {
          if (answeredCount === count) resolve();
        };
      });
    trackers.handle({ type: 'start', isComplete: false });
    await untilAnswered(2);
    assert.deepEqual(peers, ['127.0.0.1:4000', '127.0.0.1:4000']);
    const states = trackers.snapshot().map((shown) => shown.state);
    assert.deepEqual(states, ['working', 'working', 'announcing']);
    leftBytes = 0;
    trackers.handle({ type: 'completed' });
    await untilAnswered(4);
    assert.deepEqual([tracker.stats().seedCount, tracker.stats().leechCount], [1, 1]);
    // The silent tracker is waited for a second; the others have heard by then.
    await trackers.stop();
    assert.deepEqual([tracker.stats().seedCount, tracker.stats().leechCount], [0, 1]);
  });
});
