import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Clock,
  type Endpoint,
  encodeUtf8,
  type HttpClient,
  type HttpRequest,
  type IpAddress,
  NodeError,
  Prng,
  readUint32,
  silentLog,
  tryParseAddress,
  type UdpPort,
  writeUint32,
} from '@tequio/kernel';
import { encodeHttpFailure } from '../wire/tracker-http-response.ts';
import { decodeUdpTrackerRequest } from '../wire/tracker-udp.ts';
import { type AnnounceRequest, TrackerClient } from './tracker-client.ts';

/** Everything that the client needs, in virtual time; a datagram is answered by `answer`, a page by `page`. */
class World {
  nowMs = 0;
  readonly sent: { atMs: number; action: number }[] = [];
  readonly pages: HttpRequest[] = [];
  answer: (bytes: Uint8Array) => { bytes: Uint8Array; from?: Endpoint } | null = () => null;
  page: (request: HttpRequest) => { status: number; headers?: Record<string, string>; body?: Uint8Array } =
    () => ({ status: 404 });
  readonly names = new Map<string, IpAddress[]>();
  readonly families: number[];
  readonly client: TrackerClient;
  readonly #timers = new Set<{ atMs: number; callback: () => void }>();

  constructor(families: number[] = [4, 6]) {
    this.families = families;
    const prng = new Prng(1);
    this.client = new TrackerClient(
      { userAgent: 'Test/1' },
      {
        clock: this.#clock,
        udp: this.#udp,
        http: this.#http,
        log: silentLog,
        entropy: { bytes: (length) => prng.bytes(length) },
        resolver: {
          resolve: async (name) => {
            const found = this.names.get(name);
            if (found === undefined) throw new NodeError('NET_RESOLVE', `no such name: ${name}`);
            return found;
          },
        },
      },
    );
  }

  readonly #clock: Clock = {
    nowMs: () => this.nowMs,
    wallMs: () => this.nowMs,
    setTimer: (delayMs, callback) => {
      const timer = { atMs: this.nowMs + delayMs, callback };
      this.#timers.add(timer);
      return { cancel: () => void this.#timers.delete(timer) };
    },
  };

  readonly #udp: UdpPort = {
    bind: async (at, onDatagram) => {
      if (!this.families.includes(at.ipv6 === true ? 6 : 4))
        throw new NodeError('NET_LISTEN', 'no such family');
      return {
        local: { address: '0.0.0.0' as IpAddress, port: 1 },
        send: (bytes, to) => {
          this.sent.push({ atMs: this.nowMs, action: readUint32(bytes, 8) });
          const reply = this.answer(bytes);
          if (reply !== null) queueMicrotask(() => onDatagram(reply.bytes, reply.from ?? to));
        },
        close: async () => {},
      };
    },
  };

  readonly #http: HttpClient = {
    open: (request, handler) => {
      this.pages.push(request);
      queueMicrotask(() => {
        const host = new URL(request.url).hostname.replace(/^\[|\]$/g, '');
        const remote = (this.names.get(host) ?? [tryParseAddress(host)!]).find((address) =>
          request.allowAddress?.(address),
        );
        if (remote === undefined) return handler.onEnd({ code: 'HTTP_ADDRESS_REFUSED', message: 'refused' });
        const { status, headers = {}, body = new Uint8Array(0) } = this.page(request);
        handler.onHead({ status, headers, remote });
        handler.onBytes(body);
        handler.onEnd(null);
      });
      return { pause() {}, resume() {}, abort() {} };
    },
  };

  /** Lets `work` come to its end, time going on to the next timer whenever all waits. */
  async finish<Value>(work: Promise<Value>): Promise<Value> {
    let isDone = false;
    void work.finally(() => (isDone = true));
    for (let rounds = 0; rounds < 1000; rounds++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (isDone) return work;
      const next = [...this.#timers].sort((a, b) => a.atMs - b.atMs)[0];
      assert.ok(next !== undefined, 'it waits for nothing');
      this.#timers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.callback();
    }
    return assert.fail('it never ends');
  }

  announce(url: string, more: Partial<AnnounceRequest> = {}): ReturnType<TrackerClient['announce']> {
    return this.finish(this.client.announce({ ...request, url, ...more }));
  }

  get timerCount(): number {
    return this.#timers.size;
  }
}

const request: AnnounceRequest = {
  url: '',
  family: 4,
  timeoutMs: null,
  infoHash: new Uint8Array(20).fill(7),
  peerId: new Uint8Array(20).fill(8),
  port: 6881,
  uploadedBytes: 0,
  downloadedBytes: 0,
  leftBytes: 1,
  event: 'started',
  key: 1,
  numWant: 50,
  trackerId: null,
};
const tracker: Endpoint = { address: '192.0.2.9' as IpAddress, port: 6969 };
const udpUrl = 'udp://192.0.2.9:6969/announce';

/** An honest UDP tracker that gives connection ids `id`. */
function honest(id = 5): (bytes: Uint8Array) => { bytes: Uint8Array } | null {
  return (bytes) => {
    const asked = decodeUdpTrackerRequest(bytes);
    if (!asked.ok) return null;
    const reply = new Uint8Array(asked.value.type === 'announce' ? 26 : 16);
    writeUint32(reply, 4, asked.value.transaction);
    if (asked.value.type === 'connect') {
      reply[15] = id;
      return { bytes: reply };
    }
    if (asked.value.connectionId[7] !== id) return error(bytes);
    writeUint32(reply, 0, 1);
    writeUint32(reply, 8, 1800);
    reply.set([192, 0, 2, 1, 0x1a, 0xe1], 20);
    return { bytes: reply };
  };
}

function error(bytes: Uint8Array): { bytes: Uint8Array } {
  const reply = new Uint8Array(11);
  writeUint32(reply, 0, 3);
  reply.set(bytes.subarray(12, 16), 4);
  reply.set(encodeUtf8('bad'), 8);
  return { bytes: reply };
}

function withNames(world: World, names: Record<string, string[]>): World {
  world.names.set('192.0.2.9', [tracker.address]);
  for (const [name, addresses] of Object.entries(names)) world.names.set(name, addresses as IpAddress[]);
  return world;
}

test('UDP: connect, announce; the id is kept for a minute', async () => {
  const world = withNames(new World(), {});
  world.answer = honest();
  const outcome = await world.announce(udpUrl);
  assert.ok(outcome.ok);
  assert.deepEqual(outcome.value.peers, [{ address: '192.0.2.1', port: 6881 }]);
  assert.equal(outcome.value.intervalMs, 1_800_000);
  await world.announce(udpUrl);
  assert.deepEqual(
    world.sent.map((datagram) => datagram.action),
    [0, 1, 1],
  );
  world.nowMs += 61_000;
  await world.announce(udpUrl);
  assert.deepEqual(
    world.sent.map((datagram) => datagram.action),
    [0, 1, 1, 0, 1],
  );
  assert.equal(world.timerCount, 0);
});

test('UDP: silence is asked again after 3, 6, 12 and 24 seconds, then it is unreachable', async () => {
  const world = withNames(new World(), {});
  const outcome = await world.announce(udpUrl);
  assert.ok(!outcome.ok);
  assert.equal(outcome.failure.fault.code, 'BITTORRENT_TRACKER_SILENT');
  assert.deepEqual(
    world.sent.map((datagram) => datagram.atMs),
    [0, 3000, 9000, 21_000],
  );
  assert.equal(world.nowMs, 45_000);
  const short = withNames(new World(), {});
  await short.announce(udpUrl, { timeoutMs: 5000 });
  assert.equal(short.nowMs, 5000);
});

test('UDP: losses at any step are made up for', async () => {
  for (let lost = 0; lost < 3; lost++) {
    const world = withNames(new World(), {});
    const good = honest();
    let count = 0;
    world.answer = (bytes) => (count++ === lost ? null : good(bytes));
    assert.equal((await world.announce(udpUrl)).ok, true, `lost ${lost}`);
  }
});

test('UDP: answers from elsewhere, with other transactions, or malformed are not taken', async () => {
  const world = withNames(new World(), {});
  const good = honest();
  const bad: ((bytes: Uint8Array) => { bytes: Uint8Array; from?: Endpoint } | null)[] = [
    (bytes) => ({ ...good(bytes)!, from: { ...tracker, port: 1 } }),
    (bytes) => ({ ...good(bytes)!, from: { ...tracker, address: '192.0.2.10' as IpAddress } }),
    (bytes) => {
      const reply = good(bytes)!;
      reply.bytes[7]! ^= 1;
      return reply;
    },
    (bytes) => ({ bytes: good(bytes)!.bytes.subarray(0, 7) }),
    (bytes) => ({ bytes: good(bytes)!.bytes.subarray(0, 12) }),
  ];
  for (const answer of bad) {
    world.answer = answer;
    assert.equal((await world.announce(udpUrl)).ok, false);
  }
});

test('UDP: an error on an old id is forgiven once; the second is the answer', async () => {
  const world = withNames(new World(), {});
  world.answer = honest(5);
  await world.announce(udpUrl);
  world.answer = honest(6);
  assert.equal((await world.announce(udpUrl)).ok, true);
  world.answer = (bytes) => (readUint32(bytes, 8) === 0 ? honest(6)(bytes) : error(bytes));
  const outcome = await world.announce(udpUrl);
  assert.ok(!outcome.ok);
  assert.deepEqual(
    [outcome.failure.kind, outcome.failure.fault.message],
    ['refused', 'The tracker says: bad'],
  );
});

test('UDP: many torrents share one connect', async () => {
  const world = withNames(new World(), {});
  world.answer = honest();
  const announces = Array.from({ length: 20 }, () => world.client.announce({ ...request, url: udpUrl }));
  const outcomes = await world.finish(Promise.all(announces));
  assert.ok(outcomes.every((outcome) => outcome.ok));
  assert.equal(world.sent.filter((datagram) => datagram.action === 0).length, 1);
});

test('families: a name without one, and a host without one', async () => {
  const world = withNames(new World([4]), {
    'four.example': ['192.0.2.9'],
    'both.example': ['2001:db8::9', '192.0.2.9'],
  });
  world.answer = honest();
  const kind = async (url: string, family: 4 | 6): Promise<string> => {
    const outcome = await world.announce(url, { family });
    return outcome.ok ? 'ok' : outcome.failure.kind;
  };
  assert.equal(await kind('udp://four.example:6969', 6), 'family');
  assert.equal(await kind('udp://both.example:6969', 6), 'family');
  assert.equal(await kind('udp://both.example:6969', 4), 'ok');
  assert.equal(await kind('udp://none.example:6969', 4), 'unreachable');
  assert.equal(await kind('http://four.example/announce', 6), 'family');
});

test('called off: a signal ends an announce at once', async () => {
  const world = withNames(new World(), { 'slow.example': ['192.0.2.9'] });
  const abort = new AbortController();
  const announce = world.client.announce({ ...request, url: udpUrl }, abort.signal);
  await new Promise((resolve) => setImmediate(resolve));
  abort.abort();
  const outcome = await announce;
  assert.ok(!outcome.ok);
  assert.deepEqual([outcome.failure.fault.code, world.nowMs], ['BITTORRENT_TRACKER_CALLED_OFF', 0]);
});

test('HTTP: answers, refusals and statuses', async () => {
  const world = withNames(new World(), { 't.example': ['192.0.2.9'] });
  const url = 'http://t.example/announce?pass=1';
  world.page = () => ({ status: 200, body: encodeUtf8('d8:intervali60e5:peers0:e') });
  const good = await world.announce(url);
  assert.ok(good.ok && good.value.intervalMs === 60_000);
  assert.match(world.pages[0]!.url, /^http:\/\/t\.example\/announce\?pass=1&info_hash=%07/);
  assert.equal(world.pages[0]!.headers?.['user-agent'], 'Test/1');
  const failureOf = async (page: ReturnType<World['page']>): Promise<unknown[]> => {
    world.page = () => page;
    const outcome = await world.announce(url);
    return outcome.ok
      ? ['ok']
      : [outcome.failure.kind, outcome.failure.fault.code, outcome.failure.retryInMs];
  };
  assert.deepEqual(await failureOf({ status: 400, body: encodeHttpFailure('no', 2) }), [
    'refused',
    'BITTORRENT_TRACKER_REFUSED',
    120_000,
  ]);
  assert.deepEqual(await failureOf({ status: 404, body: encodeUtf8('<html>') }), [
    'refused',
    'BITTORRENT_TRACKER_STATUS',
    null,
  ]);
  assert.deepEqual(await failureOf({ status: 502 }), ['unreachable', 'BITTORRENT_TRACKER_STATUS', null]);
  assert.deepEqual(await failureOf({ status: 200, body: encodeUtf8('<html>') }), [
    'unreachable',
    'BITTORRENT_TRACKER_ANSWER',
    null,
  ]);
});

test('HTTP: redirects are followed five times, and never from outside to inside', async () => {
  const names = {
    'out.example': ['192.0.2.9'],
    'in.example': ['10.0.0.1'],
    'rebind.example': ['127.0.0.1', '::1'],
  };
  const world = withNames(new World(), names);
  const redirect = (location: string): ReturnType<World['page']> => ({ status: 302, headers: { location } });
  const codeOf = async (url: string, location: string, family: 4 | 6 = 4): Promise<string> => {
    world.page = (page) =>
      page.url === location ? { status: 200, body: encodeUtf8('de') } : redirect(location);
    const outcome = await world.announce(url, { family });
    return outcome.ok ? 'ok' : outcome.failure.fault.code;
  };
  const out = 'http://out.example/announce';
  assert.equal(await codeOf(out, 'http://out.example/elsewhere'), 'ok');
  assert.equal(await codeOf(out, 'http://in.example/announce'), 'BITTORRENT_URL_LOCAL');
  assert.equal(await codeOf(out, 'http://127.0.0.1/announce'), 'BITTORRENT_URL_LOCAL');
  assert.equal(await codeOf('http://in.example/announce', 'http://rebind.example/announce'), 'ok');
  assert.equal(
    await codeOf('http://in.example/announce', 'http://rebind.example/admin'),
    'BITTORRENT_URL_LOCAL',
  );
  assert.equal(await codeOf('http://rebind.example/admin', out), 'BITTORRENT_URL_LOCAL');
  assert.equal(await codeOf('http://rebind.example/announce.php', out), 'ok');
  assert.equal(await codeOf('http://[::ffff:127.0.0.1]/admin', out), 'BITTORRENT_URL_LOCAL');
  const before = world.pages.length;
  assert.equal(await codeOf(out, 'nowhere'), 'BITTORRENT_URL_REFUSED');
  assert.equal(world.pages.length - before, 6);
  assert.equal(await codeOf('file:///etc/passwd', out), 'BITTORRENT_URL_REFUSED');
  assert.ok(world.pages.every((page) => page.allowAddress !== undefined));
});

test('close ends what is under way, and nothing is sent after it', async () => {
  const world = withNames(new World(), {});
  const announce = world.client.announce({ ...request, url: udpUrl });
  await new Promise((resolve) => setImmediate(resolve));
  await world.client.close();
  assert.equal((await announce).ok, false);
  const later = await world.client.announce({ ...request, url: udpUrl });
  assert.equal(later.ok, false);
  assert.deepEqual([world.sent.length, world.timerCount], [1, 0]);
});
