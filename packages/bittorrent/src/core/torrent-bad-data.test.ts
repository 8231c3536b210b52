/** Pieces and blocks that are not what the torrent says: whose doing it is, and that the download goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageId } from '../wire/peer-message.ts';
import { makeTorrent, withWrongSha1 } from './made-torrent.fixture.ts';
import { connect, FakePeer, isSentence, settle, TestNode, TorrentWorld } from './torrent-world.fixture.ts';

const KiB = 1024;

test('BAD_PIECE: a peer that alone sent a wrong piece is banned, and the honest ones finish the download', () => {
  for (const version of ['v1', 'v2', 'hybrid'] as const) {
    const torrent = makeTorrent(version, 64 * KiB, [500_000]);
    const world = new TorrentWorld();
    const leech = new TestNode(world, torrent, { has: 'nothing' });
    const liar = new FakePeer(leech);
    liar.serve((data) => data.fill(7));
    world.run(3000);
    assert.equal(liar.verdict?.code, 'BITTORRENT_BAD_PIECE', version);
    assert.ok(isSentence(liar.verdict!));
    assert.equal(liar.verdict?.penalty, 100);
    connect(leech, new TestNode(world, torrent, { has: 'all' }));
    world.runUntil(() => leech.isComplete);
    assert.equal(Buffer.compare(leech.disk.bytes, torrent.content), 0);
    assert.deepEqual([...new Set(leech.blames.map(({ endpoint }) => endpoint))], [liar.endpoint]);
    settle(world);
  }
});

test('BAD_BLOCK: one liar among honest peers is found, whatever the version; nobody else is blamed', () => {
  for (const version of ['v1', 'v2', 'hybrid'] as const) {
    // Larger pieces than one peer is asked for at first, so that several work on one piece.
    const torrent = makeTorrent(version, 512 * KiB, [6_000_000]);
    const world = new TorrentWorld();
    const leech = new TestNode(world, torrent, { has: 'nothing' });
    const honest = [0, 1, 2].map(() => new FakePeer(leech));
    const liar = new FakePeer(leech);
    for (const fake of honest) fake.serve();
    liar.serve((data) => {
      data[5]! ^= 1;
      return data;
    });
    world.runUntil(() => leech.isComplete);
    assert.equal(Buffer.compare(leech.disk.bytes, torrent.content), 0);
    assert.match(liar.verdict?.code ?? '', /^BITTORRENT_(BAD_BLOCK|BAD_PIECE)$/, version);
    for (const { endpoint } of leech.blames) assert.equal(endpoint, liar.endpoint);
    settle(world);
  }
});

test('BAD_BLOCK: a liar that has left is blamed by its address', () => {
  const torrent = makeTorrent('v1', 512 * KiB, [512 * KiB]);
  const world = new TorrentWorld();
  const leech = new TestNode(world, torrent, { has: 'nothing' });
  const liar = new FakePeer(leech);
  let liesLeft = 1;
  liar.serve((data, _piece, offset) => {
    if (liesLeft-- <= 0) return null;
    return offset === 0 ? data.fill(1) : data;
  });
  world.run(200);
  const honest = new FakePeer(leech);
  honest.serve();
  world.runUntil(() => leech.factsOf('failed').length > 0);
  liar.close();
  world.runUntil(() => leech.isComplete);
  assert.deepEqual(
    leech.blames.map(({ endpoint, fault }) => [endpoint, fault.code]),
    [[liar.endpoint, 'BITTORRENT_BAD_BLOCK']],
  );
  settle(world);
});

test('TWO_FACED_BLOCK: a peer that sends one block in two ways is banned, though others had a part in the piece', () => {
  const torrent = makeTorrent('v1', 64 * KiB, [64 * KiB]);
  const world = new TorrentWorld();
  const leech = new TestNode(world, torrent, { has: 'nothing' });
  const [liar, other] = [new FakePeer(leech, { fast: false }), new FakePeer(leech, { fast: false })];
  for (const peer of [liar, other]) peer.say((w) => w.writeIndex(messageId.have, 0));
  const giveBlock = (peer: FakePeer, block: number, byte: number | null): void =>
    peer.say((w) => {
      const data = torrent.content.slice(block * 16 * KiB, (block + 1) * 16 * KiB);
      w.writeBlock(0, block * 16 * KiB, byte === null ? data : data.fill(byte));
    });
  for (const lie of [1, 2]) {
    // Each takes its part by turns: a choke makes us forget what we had asked for, and the last block comes late.
    other.say((w) => w.writeEmpty(messageId.unchoke));
    world.run(2000);
    giveBlock(other, 0, null);
    other.say((w) => w.writeEmpty(messageId.choke));
    liar.say((w) => w.writeEmpty(messageId.unchoke));
    world.run(2000);
    for (const block of [1, 2]) giveBlock(liar, block, lie);
    liar.say((w) => w.writeEmpty(messageId.choke));
    giveBlock(liar, 3, null);
    world.run(2000);
    assert.equal(leech.factsOf('failed').length, lie);
  }
  assert.equal(liar.verdict?.code, 'BITTORRENT_TWO_FACED_BLOCK');
  assert.ok(isSentence(liar.verdict!));
  for (const { endpoint } of leech.blames) assert.equal(endpoint, liar.endpoint);
  settle(world);
});

test('HYBRID_MISMATCH: a hybrid that contradicts itself is reported as broken, and no peer is blamed', () => {
  for (const pieceBytes of [32 * KiB, 2048 * KiB]) {
    const torrent = withWrongSha1(makeTorrent('hybrid', pieceBytes, [2 * pieceBytes]), [1]);
    const world = new TorrentWorld();
    const leech = new TestNode(world, torrent, { has: 'nothing' });
    connect(leech, new TestNode(world, torrent, { has: 'all' }));
    world.runUntil(() => leech.factsOf('broken').length > 0);
    const [broken] = leech.factsOf('broken');
    assert.equal(broken?.fault.code, 'BITTORRENT_HYBRID_MISMATCH');
    assert.equal(broken?.fault.blame, 'file');
    assert.ok(isSentence(broken!.fault));
    assert.deepEqual(leech.blames, []);
    settle(world);
  }
});
