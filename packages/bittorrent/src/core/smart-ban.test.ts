import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failedBlocksMax, failedPiecesMax, SmartBan } from './smart-ban.ts';

/** A made-up hash for each block: what block i should be is i; a lie is another number. */
function hashesOf(...blocks: number[]): Uint8Array {
  const hashes = new Uint8Array(20 * blocks.length);
  blocks.forEach((value, block) => {
    hashes.fill(value, 20 * block, 20 * block + 20);
  });
  return hashes;
}

describe('smart ban', () => {
  it('names the one who sent the wrong block when the piece passes, and frees the others', () => {
    const ban = new SmartBan();
    assert.deepEqual(ban.handleFailed(7, [1, 1, 2, 3], hashesOf(0, 1, 99, 3)), []);
    assert.ok(ban.isWatched(7) && ban.isOnParole(1) && ban.isOnParole(2) && ban.isOnParole(3));
    const blames = ban.handlePassed(7, hashesOf(0, 1, 2, 3));
    assert.deepEqual(
      blames.map(({ peer, fault }) => [peer, fault.code, fault.penalty]),
      [[2, 'BITTORRENT_BAD_BLOCK', 100]],
    );
    assert.ok(!ban.isOnParole(1) && !ban.isOnParole(2) && !ban.isWatched(7));
    assert.equal(ban.failedBlockCount, 0);
  });

  it('names who sent a whole wrong piece at once', () => {
    const ban = new SmartBan();
    assert.deepEqual(
      ban.handleFailed(7, [4, 4], hashesOf(0, 99)).map(({ peer, fault }) => [peer, fault.code]),
      [[4, 'BITTORRENT_BAD_PIECE']],
    );
    assert.ok(!ban.isOnParole(4), 'there is nothing left to find out');
  });

  it('names who sends a block in two ways', () => {
    const ban = new SmartBan();
    ban.handleFailed(7, [1, 2], hashesOf(0, 98));
    assert.deepEqual(
      ban.handleFailed(7, [3, 2], hashesOf(0, 99)).map(({ peer, fault }) => [peer, fault.code]),
      [[2, 'BITTORRENT_TWO_FACED_BLOCK']],
    );
  });

  it('blames nobody for bytes that were on the disk before', () => {
    const ban = new SmartBan();
    assert.deepEqual(ban.handleFailed(7, [-1, -1], hashesOf(98, 99)), []);
    assert.deepEqual(ban.handlePassed(7, hashesOf(0, 1)), []);
  });

  it('keeps parole until every failure of a peer is cleared up', () => {
    const ban = new SmartBan();
    ban.handleFailed(1, [1, 2], hashesOf(0, 99));
    ban.handleFailed(2, [1, 3], hashesOf(0, 99));
    assert.deepEqual(
      ban.handlePassed(1, hashesOf(0, 1)).map(({ peer }) => peer),
      [2],
    );
    assert.ok(ban.isOnParole(1) && !ban.isOnParole(2));
    ban.handlePassed(2, hashesOf(0, 1));
    assert.ok(!ban.isOnParole(1));
  });

  it('remembers a bounded number of pieces and blocks, the newest', () => {
    const ban = new SmartBan();
    for (let piece = 0; piece < 200; piece++) ban.handleFailed(piece, [1000 + piece, 2], hashesOf(0, 99));
    assert.equal(ban.failedPieceCount, failedPiecesMax);
    assert.ok(!ban.isWatched(0) && ban.isWatched(199));
    assert.ok(!ban.isOnParole(1000) && ban.isOnParole(1199));
    const large = Array.from({ length: 10_000 }, (_, block) => block % 7);
    for (let piece = 0; piece < 20; piece++) ban.handleFailed(piece, large, new Uint8Array(200_000));
    for (let i = 0; i < 20; i++) ban.handleFailed(5, large, new Uint8Array(200_000));
    assert.ok(ban.failedBlockCount <= failedBlocksMax, `${ban.failedBlockCount}`);
  });

  it('finds one liar among twenty peers by parole alone', () => {
    // Peer 13 spoils whatever it touches. After the first failure its next piece is its own, and names it.
    const ban = new SmartBan();
    const senders = Array.from({ length: 20 }, (_, peer) => peer);
    const hashes = hashesOf(...senders.map((peer) => (peer === 13 ? 99 : peer)));
    assert.deepEqual(ban.handleFailed(0, senders, hashes), []);
    assert.ok(senders.every((peer) => ban.isOnParole(peer)));
    assert.deepEqual(
      ban.handleFailed(1, [13, 13], hashesOf(99, 1)).map(({ peer }) => peer),
      [13],
    );
  });
});
