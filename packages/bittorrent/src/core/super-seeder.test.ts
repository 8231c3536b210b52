import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Bitfield, Prng } from '@tequio/kernel';
import { SuperSeeder } from './super-seeder.ts';

function seederOf(pieceCount: number, peerCount: number): SuperSeeder {
  const seeder = new SuperSeeder({ pieceCount, prng: new Prng(1) });
  for (let peer = 0; peer < peerCount; peer++) seeder.addPeer(peer, new Bitfield(pieceCount));
  return seeder;
}

function reveal(seeder: SuperSeeder, peer: number): number | null {
  const piece = seeder.pickReveal(peer);
  if (piece !== null) seeder.markRevealed(peer, piece);
  return piece;
}

describe('super seeder', () => {
  it('shows each peer two pieces, all different, and the next when one is seen elsewhere', () => {
    const seeder = seederOf(20, 5);
    const shown = [0, 1, 2, 3, 4].map((peer) => [reveal(seeder, peer)!, reveal(seeder, peer)!]);
    assert.equal(new Set(shown.flat()).size, 10);
    assert.equal(reveal(seeder, 0), null);
    const piece = shown[0]![0]!;
    seeder.handleHave(0, piece);
    assert.equal(reveal(seeder, 0), null, 'it has the piece, but has not passed it on');
    seeder.handleHave(1, piece);
    const next = reveal(seeder, 0);
    assert.ok(next !== null && !shown.flat().includes(next), 'a piece that nobody has yet');
    assert.equal(reveal(seeder, 0), null);
  });

  it('permits only what was shown', () => {
    const seeder = seederOf(5, 2);
    const piece = reveal(seeder, 0)!;
    assert.ok(seeder.isRevealed(0, piece) && !seeder.isRevealed(1, piece));
    assert.ok(!seeder.isRevealed(9, piece));
  });

  it('serves a lone peer to the end', () => {
    const seeder = seederOf(10, 1);
    for (let i = 0; i < 10; i++) seeder.handleHave(0, reveal(seeder, 0)!);
    assert.equal(reveal(seeder, 0), null);
    assert.ok(seeder.isSpread);
  });

  it("shows a lost peer's piece to another", () => {
    const seeder = seederOf(1, 2);
    assert.equal(reveal(seeder, 0), 0);
    seeder.removePeer(0);
    assert.equal(reveal(seeder, 1), 0);
  });

  it('spreads 100 pieces over 10 peers that trade among themselves with 100 to 125 uploads of its own', () => {
    const pieceCount = 100;
    const seeder = seederOf(pieceCount, 10);
    const prng = new Prng(9);
    const has = Array.from({ length: 10 }, () => new Bitfield(pieceCount));
    let uploadCount = 0;
    for (let round = 0; round < 2000 && !seeder.isSpread; round++) {
      for (let peer = 0; peer < 10; peer++) {
        const piece = reveal(seeder, peer);
        if (piece !== null && has[peer]!.set(piece)) {
          uploadCount++;
          seeder.handleHave(peer, piece);
        }
        // And one piece from a random other.
        const other = prng.below(10);
        const wanted = [...Array(pieceCount).keys()].find((at) => has[other]!.has(at) && !has[peer]!.has(at));
        if (wanted !== undefined && has[peer]!.set(wanted)) seeder.handleHave(peer, wanted);
      }
    }
    assert.ok(seeder.isSpread);
    assert.ok(uploadCount >= 100 && uploadCount <= 125, `${uploadCount} uploads`);
  });

  it('gives one that passes nothing on two pieces only, while others are there', () => {
    const seeder = seederOf(50, 3);
    let count = 0;
    for (let i = 0; i < 50; i++) {
      const piece = reveal(seeder, 0);
      if (piece === null) continue;
      count++;
      seeder.handleHave(0, piece);
    }
    assert.equal(count, 2);
  });
});
