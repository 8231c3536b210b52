import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes } from '@tequio/kernel';
import { MessageWriter, messageId } from '../wire/peer-message.ts';
import { makeTorrent } from './made-torrent.fixture.ts';
import { FakePeer, hangUp, TestNode, TorrentWorld } from './torrent-world.fixture.ts';

const block = 16384;

function blockMessage(content: Uint8Array, at: number): Uint8Array {
  const writer = new MessageWriter();
  writer.writeBlock(0, at * block, content.slice(at * block, (at + 1) * block));
  return concatBytes(writer.take());
}

const haveAndUnchoke = (writer: MessageWriter): void => {
  writer.writeEmpty(messageId.haveAll);
  writer.writeEmpty(messageId.unchoke);
};

/** A torrent of one piece, and peers that have it. */
function setUp(blockCount: number, peerCount: number) {
  const made = makeTorrent('v1', 4 * block, [blockCount * block]);
  const world = new TorrentWorld();
  const node = new TestNode(world, made, { has: 'nothing' });
  const peers = Array.from({ length: peerCount }, () => new FakePeer(node));
  for (const peer of peers) peer.say(haveAndUnchoke);
  world.run(10);
  return { made, world, node, peers };
}

test('in the end game a block is asked of others too; the first whole one counts, and the others are told', () => {
  const { made, world, node, peers } = setUp(2, 2);
  const [first, second] = peers as [FakePeer, FakePeer];
  assert.equal(first.heardOf('request').length, 2);
  assert.equal(second.heardOf('request').length, 2);
  // Both send block 0 at the same time; the second is done first, the first goes on with other bytes.
  const message = blockMessage(made.content, 0);
  const lie = message.slice();
  lie.fill(0xff, 13 + 8000);
  first.send(lie.subarray(0, 8000));
  second.send(message);
  first.send(lie.subarray(8000));
  second.send(blockMessage(made.content, 1));
  world.run(10);
  assert.ok(node.isComplete, 'what came late has not spoilt it');
  assert.equal(first.heardOf('cancel').length, 2);
  assert.equal(second.heardOf('cancel').length, 0);
  assert.equal(node.torrent.wastedBytes, block);
  assert.deepEqual(node.blames, []);
  hangUp(world);
  node.assertBalanced();
});

test("a block that comes after its time is still welcome, and is nobody's fault", () => {
  const { made, world, node, peers } = setUp(4, 1);
  const [peer] = peers as [FakePeer];
  world.run(100_000);
  assert.ok(peer.heardOf('request').length >= 4);
  for (const at of [3, 2, 1, 0]) peer.send(blockMessage(made.content, at));
  world.run(10);
  assert.ok(node.isComplete);
  assert.equal(node.torrent.wastedBytes, 0);
  hangUp(world);
  node.assertBalanced();
});

test('a block that was given up while it came, asked for anew and is wasted leaves no memory behind', () => {
  const { made, world, node, peers } = setUp(4, 1);
  const [peer] = peers as [FakePeer];
  const message = blockMessage(made.content, 0);
  peer.send(message.subarray(0, 5000));
  world.run(110_000);
  assert.ok(node.memory.usedBytes > 0, 'it is asked for one block');
  const rest = message.subarray(5000);
  const writer = new MessageWriter();
  writer.writeEmpty(messageId.choke);
  peer.send(concatBytes([rest, ...writer.take()]));
  peer.close();
  assert.equal(node.torrent.content!.picker.openCount, 0);
  assert.equal(node.memory.usedBytes, 0);
  hangUp(world);
  node.assertBalanced();
});

test('whoever chokes us without the fast extension owes nothing; with it, it answers or rejects', () => {
  for (const fast of [false, true]) {
    const made = makeTorrent('v1', 4 * block, [4 * block]);
    const world = new TorrentWorld();
    const node = new TestNode(world, made, { has: 'nothing' });
    const peer = new FakePeer(node, { fast });
    peer.say((w) => {
      w.writeIndex(messageId.have, 0);
      w.writeEmpty(messageId.unchoke);
    });
    world.run(10);
    assert.equal(node.torrent.peers.get(peer.key)?.requests.size, 4);
    peer.say((w) => w.writeEmpty(messageId.choke));
    assert.equal(node.torrent.peers.get(peer.key)?.requests.size, fast ? 4 : 0);
    if (fast)
      peer.say((w) => {
        for (const at of [0, 1, 2, 3]) w.writeRange(messageId.reject, 0, at * block, block);
      });
    assert.equal(node.torrent.peers.get(peer.key)?.requests.size, 0);
    assert.equal(node.memory.usedBytes, 0);
    hangUp(world);
    node.assertBalanced();
  }
});

test('with no memory for another piece, what a stalled peer holds is asked of an idle one too, and no more than that', () => {
  const made = makeTorrent('v1', 2 * block, [64 * block]);
  const world = new TorrentWorld();
  // One piece fits.
  const node = new TestNode(world, made, { has: 'nothing', memoryBytesMax: 2 * block });
  const stalled = new FakePeer(node);
  stalled.say(haveAndUnchoke);
  world.run(10);
  const asked = stalled.heardOf('request').length;
  assert.ok(asked > 0 && node.torrent.content!.picker.openCount === 1);
  const [idle, third] = [new FakePeer(node), new FakePeer(node)];
  for (const peer of [idle, third]) peer.say(haveAndUnchoke);
  world.run(5000);
  const others = idle.heardOf('request').length + third.heardOf('request').length;
  assert.ok(idle.heardOf('request').length > 0, 'it helps long before the stalled one is given up');
  assert.ok(others <= asked, `${others} requests besides ${asked}`);
  hangUp(world);
  node.assertBalanced();
});

test('a piece that is wanted at once is asked for before what was asked earlier; that comes after it', () => {
  const made = makeTorrent('v1', 4 * block, [200 * block]);
  const world = new TorrentWorld();
  const node = new TestNode(world, made, { has: 'nothing' });
  const peer = new FakePeer(node);
  const content = node.torrent.content!;
  content.picker.setSequential(true);
  peer.say(haveAndUnchoke);
  world.run(10);
  // The window opens with what comes.
  const outstanding = (): number => [...node.torrent.peers.values()][0]!.requests.size;
  for (let sent = 0; outstanding() < 40; sent++) {
    const { piece, offset, bytes } = peer.heardOf('request')[sent]!;
    const at = piece * 4 * block + offset;
    peer.say((writer) => writer.writeBlock(piece, offset, made.content.slice(at, at + bytes)));
    world.run(1);
  }
  world.run(10);
  const outstandingBefore = outstanding();
  const askedBefore = peer.heardOf('request').length;
  content.setDeadline(45, world.nowMs, world.nowMs);
  node.torrent.refresh(world.nowMs);
  world.run(10);
  const asked = peer.heardOf('request').slice(askedBefore);
  const cancelled = peer.heardOf('cancel');
  assert.deepEqual(
    asked.slice(0, 4).map(({ piece, offset }) => [piece, offset / block]),
    [
      [45, 0],
      [45, 1],
      [45, 2],
      [45, 3],
    ],
  );
  assert.ok(cancelled.length > 0 && cancelled.every(({ piece }) => piece !== 45));
  assert.equal(outstanding(), outstandingBefore + 4, 'what was cancelled is asked for until it is answered');
  const wanted = cancelled[0]!;
  peer.say((writer) => writer.writeRange(messageId.reject, wanted.piece, wanted.offset, wanted.bytes));
  world.run(10);
  assert.equal(outstanding(), outstandingBefore + 3);
  // What is far enough away takes nothing back.
  content.setDeadline(49, world.nowMs + 3_600_000, world.nowMs);
  assert.equal(peer.heardOf('cancel').length, cancelled.length);
  // It answers nothing of it, against BEP 6: after a while it is not waited for, and asked anew.
  const askedThen = peer.heardOf('request').length;
  world.run(3000);
  assert.equal(peer.heardOf('request').length, askedThen);
  world.run(4000);
  assert.ok(peer.heardOf('request').length >= askedThen + cancelled.length - 5);
  hangUp(world);
  node.assertBalanced();
});
