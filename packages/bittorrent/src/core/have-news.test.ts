import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HaveNews, haveDelayMs } from './have-news.ts';
import { makeTorrent } from './made-torrent.fixture.ts';
import type { Peer } from './peer.ts';
import { FakePeer, settle, TestNode, TorrentWorld } from './torrent-world.fixture.ts';

test('pieces that come close together are told together, once; seeds and strangers hear nothing', () => {
  const written: string[] = [];
  const touched: string[] = [];
  const peer = (name: string, saidPieces: boolean, isSeed: boolean): Peer =>
    ({
      name,
      saidPieces,
      isSeed,
      writer: { writeIndex: (_id: number, piece: number) => void written.push(`${name} ${piece}`) },
    }) as unknown as Peer;
  const peers = [peer('leech', true, false), peer('seed', true, true), peer('stranger', false, false)];
  const news = new HaveNews((at) => void touched.push((at as unknown as { name: string }).name));
  assert.equal(news.dueMs, null);
  news.add(7, 1000);
  news.add(3, 1000 + haveDelayMs - 1);
  assert.equal(news.dueMs, 1000 + haveDelayMs, 'the first one counts');
  news.tell(peers);
  assert.deepEqual(written, ['leech 7', 'leech 3']);
  assert.deepEqual(touched, ['leech', 'seed']);
  assert.equal(news.dueMs, null);
  news.tell(peers);
  assert.equal(written.length, 2);
  news.add(1, 5000);
  assert.equal(news.dueMs, 5000 + haveDelayMs);
});

test('a leech hears of every piece that its neighbour gets', () => {
  const torrent = makeTorrent('v1', 32 * 1024, [300_000]);
  const world = new TorrentWorld();
  const node = new TestNode(world, torrent, { has: 'nothing' });
  const leech = new FakePeer(node);
  new FakePeer(node).serve();
  world.runUntil(() => node.isComplete);
  world.run(haveDelayMs + 10);
  const told = leech.heardOf('have').map(({ piece }) => piece);
  const all = Array.from({ length: torrent.metainfo.info.pieceCount }, (_, piece) => piece);
  assert.deepEqual(
    told.sort((a, b) => a - b),
    all,
  );
  settle(world);
});
