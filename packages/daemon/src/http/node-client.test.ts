import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import type { Management, NodeEvent, NodeStatus } from '@tequio/api';
import { createClient, type TorrentCopy } from '@tequio/client';
import { NodeError } from '@tequio/kernel';
import { untilReal } from '@tequio/kernel/compliance/clock-real';
import { startFront } from './http-front.fixture.ts';
import { type FakeManagement, idOf, rootToken, statusExample } from './testing/fake-management.ts';

const goal = { ratio: 2, seedingMinutes: null, idleMinutes: null, action: 'pause' } as const;
const limits = { down: null, up: 1000 };
const rule = {
  name: 'r',
  enabled: true,
  priority: 0,
  feeds: [],
  must: 'a',
  mustNot: '',
  regex: false,
  episodes: null,
  onceAnEpisode: false,
  bytesMin: null,
  bytesMax: null,
  restDays: 0,
  add: { tags: ['t'], shareGoal: goal },
};
const feed = { url: 'https://f.example/', name: null, enabled: true, refreshMinutes: null };
const user = { name: 'ana', scope: 'write', folder: '/ana', quotaBytes: 5, torrentCountMax: null } as const;
const two = [idOf(1), idOf(2)];

const bridged = {
  torrent: idOf(2),
  known: false,
  name: 'a b',
  magnet: 'magnet:?xt=1',
  cid: 'bafy1',
  wrapped: 'bafy2',
  files: [{ path: 'a b', cid: 'bafy1' }],
  copiedBytes: 0,
};

/** Every call with what goes in; what comes back is the answer that the fake gives. */
const calls: readonly (readonly [string, readonly unknown[], unknown?])[] = [
  [
    'torrents.add',
    [{ source: { magnet: 'magnet:?xt=1' }, tags: ['a'], shareGoal: null }],
    { id: idOf(1), known: true },
  ],
  ['torrents.add', [{ source: { torrent: Buffer.from([0, 255, 10]) } }], { id: idOf(1), known: false }],
  ['torrents.patch', [two, { category: null, limitUp: 5, tags: ['x,y', 'ñ'] }]],
  ['torrents.addTags', [two, ['a']]],
  ['torrents.removeTags', [two, []]],
  ['torrents.pause', [two]],
  ['torrents.resume', [two]],
  ['torrents.recheck', [two]],
  ['torrents.announce', [two]],
  ['torrents.remove', [two, { removeContent: true }]],
  ['torrents.move', [two, '/a b/ñ']],
  ['torrents.moveInQueue', [two, 'top']],
  ['torrents.setFilePriorities', [idOf(1), [0, 3], 7]],
  ['torrents.renameFile', [idOf(1), 0, 'a/b']],
  ['torrents.renameFolder', [idOf(1), 'a', 'b']],
  ['torrents.create', [{ path: '/a b', version: 'v1', similar: ['ab'.repeat(20)] }], Uint8Array.of(100, 101)],
  [
    'torrents.verify',
    [Uint8Array.of(100, 101), '/a b'],
    { ok: true, pieceCount: 1, goodPieceCount: 1, files: [] },
  ],
  ['torrents.makeTwin', [idOf(1), 'hybrid'], { id: idOf(2), known: false }],
  ['bridge.torrentToIpfs', [idOf(1)], bridged],
  ['bridge.ipfsToTorrent', [{ path: '/ipfs/Qm/a b', version: 'v2' }], bridged],
  ['bridge.share', [{ path: '/a b', trackers: ['http://a/'] }], bridged],
  ['torrents.setTrackers', [idOf(1), [['http://a/'], []]]],
  ['torrents.setWebSeeds', [idOf(1), ['http://a/']]],
  ['torrents.addPeers', [two, ['[::1]:5']]],
  ['torrents.peers', [idOf(1)], []],
  ['torrents.trackers', [idOf(1)], []],
  ['torrents.webSeeds', [idOf(1)], []],
  ['torrents.show', [idOf(1)], null],
  ['torrents.categories', [], []],
  ['torrents.putCategory', [{ name: 'a/b', folder: null, finishedFolder: '/x', limits, shareGoal: goal }]],
  ['torrents.removeCategory', ['a/b']],
  ['torrents.tags', [], ['a']],
  ['torrents.putTags', [['a']]],
  ['torrents.dropTags', [['a']]],
  ['torrents.peerPlaces', [], [{ country: 'MX', peerCount: 2, downRate: 0, upRate: 1 }]],
  ['torrents.trackerRules', [], [{ host: 'a', limits, shareGoal: null }]],
  ['torrents.putTrackerRule', [{ host: 'a', limits, shareGoal: null }]],
  ['torrents.removeTrackerRule', ['a']],
  ['status.pauseAll', [null]],
  ['status.resumeAll', []],
  ['status.setAltLimits', [true]],
  ['status.freeBytes', ['/x'], null],
  ['status.shutdown', []],
  ['history.speeds', ['minute', idOf(1)], { stepMs: 1, endMs: 2, down: [1.5], up: [] }],
  ['log.lines', [{ level: 'warn', limit: 3 }], []],
  ['settings.patch', [{ queue: { activeSeeds: 3 } }], { changed: ['queue.activeSeeds'], restartNeeded: [] }],
  ['settings.origins', [], { 'http.address': 'flag' }],
  ['settings.schema', [], { type: 'object' }],
  ['rss.feeds', [], []],
  ['rss.putFeed', [feed]],
  ['rss.removeFeed', ['https://f.example/']],
  ['rss.refresh', ['https://f.example/']],
  ['rss.items', [{ unread: true, limit: 5 }], { totalCount: 0, items: [] }],
  ['rss.markRead', ['https://f.example/', ['a']]],
  ['rss.rules', [], []],
  ['rss.putRule', [rule]],
  ['rss.renameRule', ['a', 'b']],
  ['rss.removeRule', ['a']],
  ['rss.testRule', [rule], []],
  ['users.users', [], []],
  ['users.putUser', [user]],
  ['users.removeUser', ['ana']],
  ['users.setPassword', [null, 'secret']],
  ['users.keys', [], []],
  ['users.makeKey', [{ name: 'k', scope: 'read' }], { id: '1', name: 'k', key: 'secret' }],
  ['users.removeKey', ['1']],
  ['network.bans', [], []],
  ['network.ban', ['192.0.2.1', 'why']],
  ['network.unban', ['192.0.2.1'], true],
  ['network.addressFilter', [], null],
  ['network.refreshAddressFilter', [], { rangeCount: 1, badLineCount: 0, badLines: [] }],
  ['network.routers', [], { ways: [] }],
  ['dht.ping', ['a.example:1'], null],
  ['dht.lookup', ['ab'.repeat(20)], { peers: ['192.0.2.1:1'] }],
  ['dht.get', ['ab'.repeat(20), Uint8Array.of(1)], { item: null }],
  [
    'dht.put',
    [{ value: Uint8Array.of(1), secretKey: null, salt: Uint8Array.of(2), sequence: 2n ** 62n, cas: null }],
    { item: { value: Uint8Array.of(255), publicKey: null, salt: null, sequence: 2n ** 62n } },
  ],
  ['dht.sample', [null], { infoHashes: [] }],
  ['ipfs.files', ['/a b', { offset: 5, limit: 10 }], { path: '/a b', entries: [] }],
  ['ipfs.entry', ['/ipfs/bafy/ñ'], { name: 'ñ' }],
  ['ipfs.makeFolder', ['/a']],
  ['ipfs.moveFile', ['/a', '/b']],
  ['ipfs.removeFiles', [['/a', '/b']]],
  ['ipfs.importFile', ['bafy', '/a'], { name: 'a' }],
  ['ipfs.pins', [{ limit: 1 }], { totalCount: 0, pins: [] }],
  ['ipfs.pin', ['bafy', 'name'], 'bafy'],
  ['ipfs.unpin', ['bafy']],
  ['ipfs.block', ['bafy/x/0'], { codec: 'raw' }],
  ['ipfs.peers', [], []],
  ['ipfs.connect', ['/ip4/192.0.2.1/tcp/1'], '12D3'],
  ['ipfs.collect', [], { removedBlocks: 1, freedBytes: 2 }],
];

test('every call goes over the wire as it was made, and so does its answer', async (t) => {
  const { node, url } = await startFront(t);
  const client = createClient({ url, token: rootToken });
  for (const [name, args, answer] of calls) {
    node.answers.set(name, answer);
    const [part, method] = name.split('.') as [keyof Management, string];
    const call = Reflect.get(client[part], method) as (...args: readonly unknown[]) => Promise<unknown>;
    deepEqual(await call(...args), answer, name);
    const made = node.calls.at(-1)!;
    equal(made.name, name);
    deepEqual(withoutTail(made.args), args, name);
  }
});

/** What a caller leaves out may come as nothing. */
function withoutTail(args: readonly unknown[]): unknown[] {
  const kept = [...args];
  while (kept.length > 0 && kept.at(-1) === undefined) kept.pop();
  return kept;
}

test('every part of the contract is there', async (t) => {
  const { url } = await startFront(t);
  const client = createClient({ url, token: rootToken });
  const known = new Set([...calls.map(([name]) => name), ...elsewhere]);
  for (const part of [
    'torrents',
    'status',
    'history',
    'events',
    'log',
    'settings',
    'rss',
    'users',
    'network',
    'dht',
  ] as const)
    for (const method of Object.keys(client[part])) ok(known.has(`${part}.${method}`), `${part}.${method}`);
});

/** Shown by the tests below, or by those of their routes. */
const elsewhere = [
  'torrents.list',
  'torrents.get',
  'torrents.changes',
  'torrents.preview',
  'torrents.files',
  'torrents.pieces',
  'torrents.exportTorrent',
  'torrents.readContent',
  'status.status',
  'events.since',
  'events.subscribe',
  'log.subscribe',
  'settings.get',
  'users.hasPassword',
  'users.tryPassword',
  'users.tryKey',
];

test('lists, bytes and what is not there', async (t) => {
  const { node, url } = await startFront(t);
  const client = createClient({ url, token: rootToken });
  node.put(idOf(1), { name: 'a & b', category: null });
  node.put(idOf(2), { name: 'c', category: 'films' });
  const { rows, totalCount } = await client.torrents.list({ filter: { text: 'a & b', category: null } });
  deepEqual([rows.map(({ id }) => id), totalCount], [[idOf(1)], 1]);
  deepEqual(await client.torrents.get(idOf(1)), node.rows.get(idOf(1)));
  equal(await client.torrents.get(idOf(9)), null);
  const changes = await client.torrents.changes(2);
  deepEqual([changes.full, changes.changed.map(({ id }) => id)], [false, [idOf(2)]]);

  const bytes = Uint8Array.from({ length: 50_000 }, (_, index) => index % 256);
  node.contents.set(idOf(1), [{ path: 'a.bin', bytes }]);
  equal((await client.torrents.files(idOf(1)))[0]!.bytes, 50_000);
  const read: Uint8Array[] = [];
  for await (const part of client.torrents.readContent(idOf(1), 0, 100, 40_000)) read.push(part);
  deepEqual(Buffer.concat(read), Buffer.from(bytes.subarray(100, 40_100)));
  node.answers.set('torrents.pieces', {
    have: Uint8Array.of(255, 0),
    availability: Uint8Array.of(1),
    active: [3],
  });
  deepEqual(await client.torrents.pieces(idOf(1)), {
    have: Uint8Array.of(255, 0),
    availability: Uint8Array.of(1),
    active: [3],
  });
  node.answers.set('torrents.exportTorrent', Uint8Array.of(100, 101));
  deepEqual(await client.torrents.exportTorrent(idOf(1)), Uint8Array.of(100, 101));
  node.answers.set('torrents.exportTorrent', null);
  equal(await client.torrents.exportTorrent(idOf(1)), null);

  node.answers.set(
    'torrents.pause',
    new NodeError('TORRENT_MISSING', 'There is no such torrent.', { retry: true }),
  );
  await rejects(client.torrents.pause([idOf(9)]), {
    name: 'NodeError',
    code: 'TORRENT_MISSING',
    retry: true,
  });
  await rejects(createClient({ url, token: 'wrong' }).status.status(), { code: 'HTTP_UNKNOWN_CALLER' });
  await rejects(createClient({ url: 'http://127.0.0.1:1/' }).status.status(), { code: 'HTTP_UNREACHABLE' });
});

test('what happens is heard, also after the node was away', async (t) => {
  const first = await startFront(t);
  const client = createClient({ url: first.url, token: rootToken });
  const heard: NodeEvent[] = [];
  const end = client.events.subscribe((event) => heard.push(event));
  t.after(end);
  await untilReal(() => first.node.listenerCount > 1);
  first.node.emit({ type: 'node.resumed' });
  await untilReal(() => heard.length === 1);
  equal(heard[0]!.event.type, 'node.resumed');
  await first.close();
  const second = await startFront(t, {
    prepare: (node) => {
      node.settings = {
        ...node.settings,
        http: { ...node.settings.http, address: `127.0.0.1:${first.port}` },
      };
    },
  });
  await untilReal(() => second.node.listenerCount > 1);
  // It is told that the other run is over, and then what is new.
  await new Promise((resolve) => setTimeout(resolve, 100));
  second.node.emit({ type: 'node.closing' });
  await untilReal(() => heard.length === 2);
  equal(heard[1]!.event.type, 'node.closing');
});

test('a watched part of the list looks as the list does, whatever happens', async (t) => {
  const { node, url } = await startFront(t);
  const client = createClient({ url, token: rootToken });
  for (let index = 0; index < 30; index++) node.put(idOf(index), { uploadedBytes: index });
  const query = { sort: 'uploadedBytes', descending: true, limit: 10 } as const;
  let copy: TorrentCopy | null = null;
  const end = client.watchTorrents(query, (now) => void (copy = now), { intervalMs: 250 });
  t.after(end);
  const agrees = async () => {
    const { rows, totalCount } = await new FakeCopy(node).list(query);
    return JSON.stringify([copy?.rows, copy?.totalCount]) === JSON.stringify([rows, totalCount]);
  };
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let round = 0; round < 8; round++) {
    for (let change = 0; change < 5; change++) {
      if (random(4) === 0) node.drop(idOf(random(30)));
      else node.put(idOf(random(40)), { uploadedBytes: random(1000), name: `round ${round}` });
    }
    const startMs = performance.now();
    while (!(await agrees())) {
      ok(performance.now() - startMs < 5000, `round ${round}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  let status: NodeStatus | null = null;
  const endStatus = client.watchStatus((now) => void (status = now));
  t.after(endStatus);
  await untilReal(() => status !== null);
  deepEqual(status, statusExample);
});

class FakeCopy {
  readonly #node: FakeManagement;

  constructor(node: FakeManagement) {
    this.#node = node;
  }

  list(query: Parameters<Management['torrents']['list']>[0]) {
    return this.#node.as(null).torrents.list(query);
  }
}
