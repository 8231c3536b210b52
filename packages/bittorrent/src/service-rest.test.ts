/** Torrents at rest over real sockets and files: that nobody can tell, and that they are light. */
import assert from 'node:assert/strict';
import { mkdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { createDatabases } from '@tequio/runtime';
import type { TorrentId, TorrentRow } from './contract.ts';
import {
  assertContent,
  makeContent,
  type ServiceBench,
  type TestService,
  withBench,
} from './service.fixture.ts';
import type { TorrentPlaces } from './shell/torrent-places.ts';

type Run = TestService & { readonly end: () => Promise<void> };

/** A run of a node that remembers. */
async function run(bench: ServiceBench, name: string, restAfterMs: number | null): Promise<Run> {
  await mkdir(join(bench.root, name, 'data'), { recursive: true });
  const database = createDatabases().open(join(bench.root, name, 'data', 'node.db'));
  const service = await bench.start(name, { restAfterMs }, database);
  const end = async (): Promise<void> => {
    await service.close();
    database.close();
  };
  return Object.assign(service, { end });
}

test('a torrent that rests is found, served and shown; its peers and files come with whoever needs it', () =>
  withBench(async (bench) => {
    const content = makeContent([200_000, 50_000]);
    const first = await run(bench, 'node', 60_000);
    const { id } = await bench.seed(first, content);
    const before = first.snapshot(id);
    await first.end();
    const second = await run(bench, 'node', 60_000);
    assert.equal(await second.service.restore(), 1);
    const after = second.snapshot(id);
    assert.deepEqual({ ...after, downRate: 0 }, { ...before, downRate: 0, uploadedBytes: 0 });
    assert.deepEqual(second.service.pieces(id).have, Uint8Array.of(0xf0));
    const leech = await bench.start('leech');
    await bench.get(leech, second.service.exportTorrent(id)!, second);
    await leech.until(id, ({ state }) => state === 'seeding');
    await assertContent(leech.folder, content);
    assert.equal(second.service.row(id)?.uploadedBytes, 250_000);
    assert.deepEqual(second.eventsOf('bittorrent.torrent.finished'), [], 'no news');
    await second.end();
  }));

test('a file that was changed behind our back is noticed before anybody is told that it is here', () =>
  withBench(async (bench) => {
    const [one, two, three] = ['one', 'two', 'three'].map((name, n) => ({
      ...makeContent([70_000 + n], n),
      name,
    }));
    const first = await run(bench, 'node', 60_000);
    const ids: TorrentId[] = [];
    for (const content of [one!, two!, three!]) ids.push((await bench.seed(first, content)).id);
    await first.end();
    await rm(join(bench.root, 'node', 'one', '0.bin'));
    await utimes(join(bench.root, 'node', 'two', '0.bin'), 1000, 1000);
    const second = await run(bench, 'node', 60_000);
    await second.service.restore();
    await second.until(ids[0]!, ({ state }) => state === 'downloading');
    await second.until(ids[1]!, () => second.eventsOf('bittorrent.torrent.checked').length === 2);
    assert.deepEqual(
      ids.map((id) => second.service.row(id)?.doneBytes),
      [0, 70_001, 70_002],
    );
    await second.end();
  }));

/** Which torrents rest: nothing that a user sees tells. */
function atRest({ service }: TestService): Set<TorrentId> {
  const { places } = service as unknown as { places: TorrentPlaces };
  return new Set(places.resting().map(({ id }) => id));
}

/** It does what it was told, and nothing is being checked. */
function isStill({
  state,
  checked,
}: {
  readonly state: TorrentRow['state'];
  readonly checked: number;
}): boolean {
  return (state === 'seeding' || state === 'paused') && checked === 1;
}

/** What a user sees, without what time alone changes. */
function seen(service: TestService): object[] {
  return service.service.rows().map((row) => {
    const { downRate, upRate, addedAtMs, finishedAtMs, activeAtMs, uploadedBytes, folder, ...same } = row;
    const { id } = row;
    const files = service.service.files(id);
    const trackers = service.service.trackers(id).map(({ url, tier }) => [url, tier]);
    const webSeeds = service.service.webSeeds(id).map(({ url }) => url);
    return { ...same, candidateCount: 0, peerCount: 0, files, trackers: trackers.sort(), webSeeds };
  });
}

/** One wish of a user, by chance; the same for both nodes. */
function wishOf(prng: Prng, id: TorrentId): (node: TestService) => unknown {
  const number = prng.below(1000);
  const wishes: ((node: TestService) => unknown)[] = [
    ({ service }) => service.rename(id, `name ${number}`),
    ({ service }) => service.setCategory(id, number % 3 === 0 ? null : `category ${number % 5}`),
    ({ service }) => service.setTorrentLimits(id, { down: null, up: 1_000_000 + number }),
    ({ service }) => service.setSequential(id, number % 2 === 0),
    ({ service }) => service.setEdgesFirst(id, number % 2 === 0),
    ({ service }) => service.setTrackers(id, [[`http://127.0.0.1:9/${number}`]]),
    ({ service }) => service.setWebSeeds(id, [`http://127.0.0.1:9/${number}`]),
    ({ service }) => service.setFilePriority(id, [number % 2], 1 + (number % 7)),
    ({ service }) => service.pause(id),
    ({ service }) => service.resume(id),
    ({ service }) => service.recheck(id),
    ({ service }) => service.renameFile(id, 1, `${(service.row(id) as TorrentRow).infoHashV1}/new-${number}`),
  ];
  return wishes[prng.below(wishes.length)]!;
}

test('whatever is wished, in any order, a node whose torrents rest shows what one shows whose torrents never do', () =>
  withBench(async (bench) => {
    const prng = new Prng(6);
    const contents = Array.from({ length: 4 }, (_, n) => ({
      ...makeContent([60_000, 30_000], n),
      name: `c-${n}`,
    }));
    let nodes = [await run(bench, 'resting', 0), await run(bench, 'awake', null)];
    const ids: TorrentId[] = [];
    for (const content of contents) {
      ids.push((await bench.seed(nodes[0]!, content)).id);
      await bench.seed(nodes[1]!, content);
    }
    let restCount = 0;
    for (let round = 0; round < 3; round++) {
      for (let step = 0; step < 10; step++) {
        const id = ids[prng.below(ids.length)]!;
        const wish = wishOf(prng, id);
        for (const node of nodes) {
          await wish(node);
          await node.until(id, isStill);
        }
        assert.deepEqual(seen(nodes[0]!), seen(nodes[1]!), `round ${round}, step ${step}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 60));
      restCount += atRest(nodes[0]!).size;
      assert.equal(atRest(nodes[1]!).size, 0);
      for (const node of nodes) await node.end();
      nodes = [await run(bench, 'resting', 0), await run(bench, 'awake', null)];
      for (const node of nodes) {
        assert.equal(await node.service.restore(), contents.length);
        for (const id of ids) await node.until(id, isStill);
      }
      assert.deepEqual(seen(nodes[0]!), seen(nodes[1]!), `after round ${round}`);
    }
    assert.ok(restCount > 3, `${restCount} of ${3 * ids.length} rested at the end of a round`);
    for (const node of nodes) await node.end();
  }));
