/** What is asked of torrents, and set for them, over real sockets and files; and what the next run knows of it. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createDatabases } from '@tequio/runtime';
import type { TorrentRow } from './contract.ts';
import {
  assertContent,
  makeContent,
  type ServiceBench,
  type TestService,
  withBench,
} from './service.fixture.ts';

const tiers = [['http://127.0.0.1:9/announce', 'http://127.0.0.1:9/b'], ['http://127.0.0.2:9/announce']];

/** A run of a node that remembers. */
async function run(
  bench: ServiceBench,
  name: string,
): Promise<TestService & { readonly end: () => Promise<void> }> {
  await mkdir(join(bench.root, name, 'data'), { recursive: true });
  const database = createDatabases().open(join(bench.root, name, 'data', 'node.db'));
  const service = await bench.start(name, {}, database);
  const end = async (): Promise<void> => {
    await service.close();
    database.close();
  };
  return Object.assign(service, { end });
}

test('a row says what the snapshot says; changes name whom to ask about', () =>
  withBench(async (bench) => {
    const content = makeContent([300_000, 0, 70_000]);
    const [seeder, leech] = [await bench.start('seed'), await bench.start('leech')];
    const { torrent } = await bench.seed(seeder, content);
    const before = leech.service.changes(0);
    assert.deepEqual([before.full, before.changed], [true, []]);
    const id = await bench.get(leech, torrent, seeder, { name: 'mine', category: 'films' });
    await leech.until(id, ({ state }) => state === 'seeding');
    const row = leech.service.row(id)!;
    const { files, trackers, peers, pieces, downRate, ...scalars } = leech.snapshot(id);
    assert.deepEqual(pick(row, scalars), scalars);
    assert.ok(Math.abs(row.downRate - downRate) < 0.1 * downRate && downRate > 0);
    assert.deepEqual(
      leech.service.rows().map((one) => one.id),
      [id],
    );
    assert.deepEqual([leech.service.files(id), leech.service.trackers(id)], [files, trackers]);
    assert.deepEqual([row.name, row.category, row.private, row.fileCount], ['mine', 'films', false, 3]);
    assert.deepEqual([row.trackerHost, row.swarmSeedCount, row.availability >= 1], [null, null, true]);
    assert.ok(row.activeAtMs !== null && Math.abs(row.activeAtMs - Date.now()) < 60_000);
    assert.equal(Buffer.from(leech.service.pieces(id).have).toString('base64'), pieces);
    const after = leech.service.changes(before.version);
    assert.deepEqual([after.full, after.changed, after.removed], [false, [id], []]);
    await leech.service.remove(id);
    const last = leech.service.changes(after.version);
    assert.deepEqual([last.changed, last.removed, leech.service.row(id)], [[], [id], null]);
    assert.deepEqual(leech.service.changes(last.version).removed, []);
    assert.throws(() => leech.service.files(id), /no torrent/);
    assert.deepEqual(peers, []);
  }));

test('a rate counts as a change until it is 0, and then once more', () =>
  withBench(async (bench) => {
    const content = makeContent([400_000]);
    const [seeder, leech] = [await bench.start('seed'), await bench.start('leech')];
    const { id, torrent } = await bench.seed(seeder, content);
    await bench.get(leech, torrent, seeder);
    await leech.until(id, ({ state }) => state === 'seeding');
    const { version } = leech.service.changes(0);
    assert.ok(leech.service.row(id)!.downRate > 0);
    const next = leech.service.changes(version);
    assert.deepEqual(next.changed, [id], 'nothing happened, but the rate falls');
    const totals = leech.service.totals();
    assert.ok(totals.downRate > 0 && totals.downloadedBytes >= 400_000, JSON.stringify(totals));
    assert.deepEqual([totals.torrentCount, totals.dhtNodeCount], [1, 0]);
  }));

test('peers: who they are, where from, and what went', () =>
  withBench(async (bench) => {
    const content = makeContent([3_000_000]);
    const [seeder, leech] = [await bench.start('seed', { limitUp: 1_000_000 }), await bench.start('leech')];
    const { id, torrent } = await bench.seed(seeder, content);
    await bench.get(leech, torrent, seeder);
    await leech.until(id, ({ havePieceCount }) => havePieceCount > 2);
    const [ours] = leech.service.peers(id);
    const [theirs] = seeder.service.peers(id);
    assert.ok(ours !== undefined && theirs !== undefined);
    assert.deepEqual([ours.incoming, ours.source, ours.progress], [false, 'user', 1]);
    assert.deepEqual([theirs.incoming, theirs.source], [true, 'incoming']);
    assert.match(ours.peerId, /^2d5451/);
    assert.notEqual(ours.peerId, theirs.peerId);
    assert.ok(ours.downloadedBytes > 100_000 && ours.uploadedBytes === 0);
    const { have, availability, active } = leech.service.pieces(id);
    assert.deepEqual([have.length, availability.length], [6, 46]);
    assert.ok(availability.every((count) => count === 1) && active.length > 0);
    assert.ok(leech.service.row(id)!.availability >= 1);
  }));

test('what is set is a change at once, for whoever asks', () =>
  withBench(async (bench) => {
    const first = await run(bench, 'node');
    const { service } = first;
    const { id } = await bench.seed(first, { ...makeContent([9000]), name: 'one' });
    const setters: readonly (() => unknown)[] = [
      () => service.setTorrentLimits(id, { down: 1000, up: 2000 }),
      () => service.setCategory(id, 'films'),
      () => service.setSuperSeed(id, true),
      () => service.rename(id, 'uno'),
      () => service.setSequential(id, true),
      () => service.setEdgesFirst(id, true),
      () => service.setTrackers(id, tiers),
      () => service.setFilePriority(id, [0], 6),
    ];
    for (const set of setters) {
      const { version } = service.changes(0);
      assert.deepEqual(service.changes(version).changed, []);
      await set();
      assert.deepEqual(service.changes(version).changed, [id], String(set));
    }
  }));

test('what was set, and all torrents, are there again in the next run, paused or running as they were', () =>
  withBench(async (bench) => {
    const [one, two] = [
      { ...makeContent([200_000, 90_000]), name: 'one' },
      { ...makeContent([9000], 2), name: 'two' },
    ];
    const first = await run(bench, 'node');
    const { id, torrent } = await bench.seed(first, one);
    const { id: other } = await bench.seed(first, two);
    await first.service.setTrackers(id, tiers);
    await first.service.setWebSeeds(id, ['http://127.0.0.1:9/one']);
    first.service.setTorrentLimits(id, { down: 1000, up: 2000 });
    first.service.setCategory(id, 'films');
    first.service.setSuperSeed(id, true);
    first.service.rename(id, 'uno');
    await first.service.setEdgesFirst(id, true);
    await first.service.setFilePriority(id, [1], 6);
    await first.service.pause(other);
    const before = first.service.row(id)!;
    assert.deepEqual([before.trackerHost, before.category, before.limitDown], ['127.0.0.1', 'films', 1000]);
    await first.end();

    const second = await run(bench, 'node');
    assert.equal(await second.service.restore(), 2);
    await second.until(id, ({ state }) => state === 'seeding');
    assert.deepEqual(
      second.service.rows().map(({ id: which, state, name }) => [which, state, name]),
      [
        [id, 'seeding', 'uno'],
        [other, 'paused', 'two'],
      ],
    );
    const after = second.service.row(id)!;
    assert.deepEqual([after.limitUp, after.category, after.superSeed], [2000, 'films', true]);
    assert.deepEqual([after.addedAtMs, after.doneBytes], [before.addedAtMs, 290_000]);
    assert.deepEqual(second.eventsOf('bittorrent.piece.verified'), [], 'nothing was read again');
    assert.deepEqual(
      second.service
        .trackers(id)
        .map(({ url }) => url)
        .sort(),
      tiers.flat().sort(),
    );
    assert.deepEqual(
      second.service.webSeeds(id).map(({ url }) => url),
      ['http://127.0.0.1:9/one'],
    );
    assert.equal(second.service.files(id)[1]?.priority, 6);
    // The file once more, as a user would: what he had set stays.
    assert.equal(await second.service.add({ torrent }, { folder: second.folder }), id);
    assert.equal(second.service.trackers(id).length, 3);
    await second.service.resume(other);
    await second.until(other, ({ state }) => state === 'seeding');
    const leech = await bench.start('leech');
    await bench.get(leech, second.service.exportTorrent(other)!, second);
    await leech.until(other, ({ state }) => state === 'seeding');
    await assertContent(leech.folder, two);
    await second.end();
  }));

test('a torrent whose folder is gone does not keep the others from coming back', () =>
  withBench(async (bench) => {
    const first = await run(bench, 'node');
    const { id } = await bench.seed(first, { ...makeContent([50_000]), name: 'here' });
    const { torrent } = await bench.seed(await bench.start('else'), {
      ...makeContent([60_000], 3),
      name: 'gone',
    });
    const lost = await first.service.add({ torrent }, { folder: join(bench.root, 'nowhere'), paused: true });
    assert.equal(first.service.row(lost)?.state, 'paused');
    await first.end();
    const second = await run(bench, 'node');
    assert.equal(await second.service.restore(), 2);
    await second.until(id, ({ state }) => state === 'seeding');
    assert.equal(second.service.row(lost)?.state, 'paused');
    await second.end();
  }));

test('added paused, with priorities: nothing moves until it is resumed', () =>
  withBench(async (bench) => {
    const content = makeContent([100_000, 100_000, 100_000]);
    const [seeder, leech] = [await bench.start('seed'), await bench.start('leech')];
    const { torrent } = await bench.seed(seeder, content);
    const id = await bench.get(leech, torrent, seeder, { paused: true, filePriorities: [0, 0, 4] });
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual([leech.snapshot(id).state, leech.snapshot(id).peerCount], ['paused', 0]);
    await leech.service.resume(id);
    await leech.until(id, () => leech.eventsOf('bittorrent.torrent.finished').length > 0);
    assert.equal(leech.service.row(id)?.wantedBytes, 100_000);
    await assertContent(leech.folder, content, [0, 2]);
  }));

test('who is banned is parted from and not let in, until he is forgiven', () =>
  withBench(async (bench) => {
    const content = makeContent([2_000_000]);
    const [seeder, leech] = [await bench.start('seed', { limitUp: 500_000 }), await bench.start('leech')];
    const { id, torrent } = await bench.seed(seeder, content);
    await bench.get(leech, torrent, seeder);
    await leech.until(id, ({ havePieceCount }) => havePieceCount > 0);
    leech.service.ban(seeder.address, 'It is slow.');
    await leech.until(id, ({ peerCount }) => peerCount === 0);
    assert.deepEqual(leech.service.bans(), [
      { address: seeder.address, code: 'BITTORRENT_BANNED_BY_USER', message: 'It is slow.', untilMs: null },
    ]);
    await leech.service.addPeer(id, seeder.address);
    assert.deepEqual([leech.service.unban('20.0.0.1'), leech.service.unban(seeder.address)], [false, true]);
    assert.deepEqual(leech.service.bans(), []);
    seeder.service.setLimits({ down: null, up: null });
    await leech.service.addPeer(id, seeder.address);
    await leech.until(id, ({ state }) => state === 'seeding');
    assert.throws(() => leech.service.ban('nobody', ''), /not an IP address/);
    assert.throws(() => leech.service.ban('127.0.0.1', ''), /name its port/);
  }));

test('a file is read while it is downloaded, from any place, and ends with the signal', () =>
  withBench(async (bench) => {
    const content = makeContent([4_000_000, 10, 50_000]);
    const [seeder, leech] = [await bench.start('seed', { limitUp: 2_000_000 }), await bench.start('leech')];
    const { id, torrent } = await bench.seed(seeder, content);
    await bench.get(leech, torrent, seeder);
    const expected = content.files[0]!.bytes;
    const parts: Uint8Array[] = [];
    for await (const part of leech.service.readContent(id, 0, 3_100_001, 700_000)) parts.push(part);
    assert.equal(Buffer.compare(Buffer.concat(parts), expected.subarray(3_100_001, 3_800_001)), 0);
    assert.notEqual(leech.snapshot(id).state, 'seeding', 'it did not wait for the rest');
    const aborted = AbortSignal.timeout(50);
    seeder.service.setLimits({ down: null, up: 1 });
    await assert.rejects(async () => {
      for await (const _ of leech.service.readContent(id, 0, 0, 4_000_000, aborted));
    }, /aborted due to timeout/);
    assert.throws(() => leech.service.readContent(id, 0, 4_000_000, 1), /no such/);
    assert.throws(() => leech.service.readContent(id, 7, 0, 1), /no such/);
  }));

function pick(row: TorrentRow, like: object): object {
  return Object.fromEntries(Object.keys(like).map((key) => [key, row[key as keyof TorrentRow]]));
}
