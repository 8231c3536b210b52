import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, type IpAddress } from '@tequio/kernel';
import { type MadeTorrent, makeOddTorrent, makeTorrent } from './made-torrent.fixture.ts';
import type { TorrentEffect } from './torrent-effect.ts';
import { connect, hangUp, TestNode, TorrentWorld, withoutFast } from './torrent-world.fixture.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

function assertSame(node: TestNode, made: MadeTorrent): void {
  assert.equal(Buffer.compare(node.disk.bytes, made.content), 0, 'the right bytes are on disk');
  assert.equal(node.factsOf('finished').length, 1);
  assert.deepEqual(node.blames, []);
}

const torrents: readonly (readonly [string, () => MadeTorrent])[] = [
  ['v1, one file', () => makeTorrent('v1', 64 * KiB, [1_000_001])],
  ['v1, pieces of 1.5 MiB', () => makeOddTorrent(1536 * KiB, 4 * MiB + 7)],
  ['v1, pieces of 20,000 bytes', () => makeOddTorrent(20_000, 900_001)],
  ['v1, one byte', () => makeTorrent('v1', 16 * KiB, [1])],
  ['v2, many files', () => makeTorrent('v2', 32 * KiB, [10, 40_000, 32_768, 300_000, 0, 16_385])],
  ['v2, pieces of 4 MiB', () => makeTorrent('v2', 4 * MiB, [100_000, 5 * MiB])],
  ['hybrid, many files', () => makeTorrent('hybrid', 32 * KiB, [10, 40_000, 32_768, 300_000, 0, 16_385])],
  ['hybrid, pieces of 2 MiB', () => makeTorrent('hybrid', 2 * MiB, [100_000, 2_500_000, 3 * MiB])],
];

for (const [name, make] of torrents) {
  for (const [how, rewrite] of [
    ['with the fast extension', undefined],
    ['without the fast extension', withoutFast],
  ] as const) {
    test(`a seed serves two leeches, who serve each other, ${how}: ${name}`, () => {
      const made = make();
      const world = new TorrentWorld();
      const seed = new TestNode(world, made, { has: 'all' });
      const leeches = [0, 1].map(() => new TestNode(world, made, { has: 'nothing' }));
      for (const leech of leeches) connect(leech, seed, rewrite);
      connect(leeches[0]!, leeches[1]!, rewrite);
      world.runUntil(() => leeches.every((leech) => leech.isComplete));
      world.run(1000);
      for (const leech of leeches) assertSame(leech, made);
      assert.deepEqual(seed.blames, []);
      // Seeds hang up on each other, without a fault.
      for (const node of world.nodes) assert.ok(node.closings.every(({ fault }) => fault === null));
      hangUp(world);
      for (const node of world.nodes) node.assertBalanced();
    });
  }
}

test('a magnet fetches the metadata, the piece layers where there are some, and the content', () => {
  for (const version of ['v1', 'v2', 'hybrid'] as const) {
    const made = makeTorrent(version, 16 * KiB, [300_000, 100, 2_000_000]);
    const world = new TorrentWorld();
    const seed = new TestNode(world, made, { has: 'all' });
    const leech = new TestNode(world, made, { has: 'nothing', magnet: true });
    const other = new TestNode(world, made, { has: 'nothing', magnet: true });
    connect(leech, seed);
    connect(other, leech);
    world.runUntil(() => leech.isComplete && other.isComplete);
    assertSame(leech, made);
    assertSame(other, made);
    hangUp(world);
    for (const node of world.nodes) node.assertBalanced();
  }
});

test('whoever comes in with one hash of a hybrid is answered with that hash', () => {
  const made = makeTorrent('hybrid', 16_384, [50_000]);
  const { infoHashV1, infoHashV2 } = made.metainfo.info;
  const node = new TestNode(new TorrentWorld(), made, { has: 'all' });
  const endpoint = { address: '10.9.9.9' as IpAddress, port: 1 };
  for (const [named, expected] of [
    [infoHashV2!.subarray(0, 20), infoHashV2!.subarray(0, 20)],
    [undefined, infoHashV1!],
  ] as const) {
    node.torrent.addPeer(endpoint, true, 0, false, named);
    const effects: TorrentEffect[] = [];
    node.torrent.drain(effects);
    const sent = effects.find((effect) => effect.type === 'send');
    assert.ok(sent !== undefined);
    assert.deepEqual(concatBytes(sent.parts).subarray(28, 48), expected);
  }
});
