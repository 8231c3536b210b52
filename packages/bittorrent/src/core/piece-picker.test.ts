import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Bitfield, Prng } from '@tequio/kernel';
import { blockBytes } from '../wire/torrent-info.ts';
import { type BlockPick, type PickQuery, PiecePicker, type PiecePickerOptions } from './piece-picker.ts';

const blocksPerPiece = 4;

function pickerOf(pieceCount: number, more: Partial<PiecePickerOptions> = {}): PiecePicker {
  const pieceBytes = blocksPerPiece * blockBytes;
  return new PiecePicker({
    pieceCount,
    pieceBytes,
    totalBytes: pieceCount * pieceBytes,
    prng: new Prng(3),
    ...more,
  });
}

function picksOf(picker: PiecePicker, more: Partial<PickQuery> = {}): BlockPick[] {
  const out: BlockPick[] = [];
  picker.pick(
    {
      peer: 1,
      has: null,
      count: blocksPerPiece,
      allowed: null,
      suggested: [],
      mode: 'normal',
      openLimit: 100,
      endGame: false,
      nowMs: 0,
      ...more,
    },
    out,
  );
  return out;
}

const piecesOf = (picks: readonly BlockPick[]): number[] => [...new Set(picks.map(({ piece }) => piece))];

function fieldOf(pieceCount: number, pieces: Iterable<number>): Bitfield {
  const field = new Bitfield(pieceCount);
  for (const piece of pieces) field.set(piece);
  return field;
}

/** Asks for all that is picked. */
function request(picker: PiecePicker, more: Partial<PickQuery> = {}): BlockPick[] {
  const picks = picksOf(picker, more);
  for (const { piece, block } of picks)
    picker.markRequested(piece, block, more.peer ?? 1, more.mode === 'parole');
  return picks;
}

describe('piece picker', () => {
  it('takes the rarest piece first, once four pieces are had', () => {
    const picker = pickerOf(20);
    for (let piece = 0; piece < 20; piece++) if (piece !== 13) picker.addHave(piece);
    const chosen = new Set<number>();
    for (let i = 0; i < 200; i++) chosen.add(picksOf(picker)[0]!.piece);
    assert.ok(chosen.size > 15, 'the first ones are random');
    for (let piece = 0; piece < 4; piece++) picker.markHave(piece);
    for (let i = 0; i < 20; i++) assert.deepEqual(piecesOf(picksOf(picker)), [13]);
  });

  it('chooses at random among equally rare pieces', () => {
    const picker = pickerOf(50);
    for (let piece = 0; piece < 4; piece++) picker.markHave(piece);
    const chosen = new Set<number>();
    for (let i = 0; i < 500; i++) chosen.add(picksOf(picker)[0]!.piece);
    assert.ok(chosen.size > 35, `${chosen.size} of 46`);
  });

  it('beats rarity by priority and nothing by priority 0', () => {
    const picker = pickerOf(10);
    picker.addField(fieldOf(10, [7]));
    picker.setPriority(7, 5);
    assert.deepEqual(piecesOf(picksOf(picker)), [7]);
    for (let piece = 0; piece < 10; piece++) picker.setPriority(piece, 0);
    assert.deepEqual(picksOf(picker), []);
    assert.ok(picker.isFinished);
    assert.equal(picker.wantedBlocksLeft, 0);
  });

  it('counts a seed once for all pieces', () => {
    const picker = pickerOf(10);
    picker.addSeed();
    picker.addHave(3);
    assert.equal(picker.availabilityOf(3), 2);
    assert.equal(picker.availabilityOf(4), 1);
    picker.removeSeed();
    assert.equal(picker.availabilityOf(4), 0);
    assert.throws(() => picker.removeSeed(), /broken promise/);
  });

  it('finishes open pieces before it opens new ones, in ascending blocks, and keeps a peer to its own', () => {
    const picker = pickerOf(10);
    const [first] = request(picker, { peer: 1, count: 1 });
    assert.equal(first!.block, 0);
    const [second] = request(picker, { peer: 2, has: fieldOf(10, [first!.piece === 5 ? 6 : 5]), count: 2 });
    assert.deepEqual(
      picksOf(picker, { peer: 1, count: 3 }).map(({ piece, block }) => [piece, block]),
      [1, 2, 3].map((block) => [first!.piece, block]),
    );
    assert.deepEqual(
      picksOf(picker, { peer: 2, count: 2 }).map(({ piece, block }) => [piece, block]),
      [2, 3].map((block) => [second!.piece, block]),
    );
    // A third peer helps where least is left.
    assert.equal(picksOf(picker, { peer: 3, count: 1 })[0]!.piece, second!.piece);
    assert.equal(picker.openCount, 2);
  });

  it('opens no more pieces than it is allowed', () => {
    const picker = pickerOf(10);
    assert.equal(piecesOf(picksOf(picker, { count: 40, openLimit: 2 })).length, 2);
    assert.deepEqual(picksOf(picker, { openLimit: 0 }), []);
  });

  it('goes by index in sequential mode, higher priorities first', () => {
    const picker = pickerOf(100, { sequential: true });
    picker.setPriority(60, 7);
    picker.setPriority(50, 7);
    picker.markHave(0);
    assert.deepEqual(piecesOf(picksOf(picker, { count: 16 })), [50, 60, 1, 2]);
    assert.deepEqual(piecesOf(picksOf(picker, { count: 8, has: fieldOf(100, [33, 77, 2]) })), [2, 33]);
  });

  it('asks of allowed pieces only while choked, and takes suggestions of the best priority', () => {
    const picker = pickerOf(50);
    for (let piece = 0; piece < 4; piece++) picker.markHave(piece);
    assert.deepEqual(
      piecesOf(picksOf(picker, { allowed: new Set([20, 21, 2]), count: 40 })).sort(),
      [20, 21],
    );
    assert.deepEqual(piecesOf(picksOf(picker, { suggested: [30] })), [30]);
    picker.setPriority(40, 6);
    assert.deepEqual(piecesOf(picksOf(picker, { suggested: [30] })), [40]);
  });

  it('puts deadlines first, and asks a second, fast peer for what is nearly late', () => {
    const picker = pickerOf(10);
    picker.setDeadline(8, 10_000);
    picker.setDeadline(5, 5000);
    assert.deepEqual(piecesOf(request(picker, { count: 8 })), [5, 8]);
    assert.equal(piecesOf(picksOf(picker, { peer: 2, isFast: true, nowMs: 2999 })).includes(5), false);
    assert.deepEqual(piecesOf(picksOf(picker, { peer: 2, isFast: true, nowMs: 3000 })), [5]);
    assert.equal(piecesOf(picksOf(picker, { peer: 2, nowMs: 3000 })).includes(5), false, 'not a slow one');
    assert.equal(
      piecesOf(picksOf(picker, { peer: 1, isFast: true, nowMs: 3000 })).includes(5),
      false,
      'not the same',
    );
  });

  it('asks again in the end game only, of three peers at most, fewest requesters first', () => {
    const picker = pickerOf(3);
    picker.addSeed();
    request(picker, { peer: 1, count: 8 });
    assert.equal(picker.isEndGame, false);
    request(picker, { peer: 1, count: 4 });
    assert.equal(picker.isEndGame, true);
    assert.deepEqual(picksOf(picker, { peer: 2, endGame: false }), []);
    assert.deepEqual(picksOf(picker, { peer: 1, endGame: true }), [], 'never the same peer');
    request(picker, { peer: 2, count: 6, endGame: true });
    const third = request(picker, { peer: 3, count: 12, endGame: true });
    const counts = third.map(({ piece, block }) => {
      const out: number[] = [];
      picker.requestersOf(piece, block, out);
      return out.length;
    });
    assert.deepEqual(counts, [2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3]);
    assert.equal(request(picker, { peer: 4, count: 12, endGame: true }).length, 6);
    assert.deepEqual(picksOf(picker, { peer: 5, count: 12, endGame: true }), []);
    const [{ piece, block } = { piece: 0, block: 0 }] = third;
    assert.equal(picker.markReceived(piece, block, 3), 'new');
    assert.equal(picker.markReceived(piece, block, 1), 'duplicate');
    const left: number[] = [];
    picker.requestersOf(piece, block, left);
    assert.ok(!left.includes(1) && !left.includes(3));
  });

  it('does not wait for pieces that nobody has before the end game', () => {
    const picker = pickerOf(3);
    const has = fieldOf(3, [0, 1]);
    picker.addField(has);
    request(picker, { peer: 1, has, count: 8 });
    assert.equal(picker.isEndGame, true);
    picker.addHave(2);
    assert.equal(picker.isEndGame, false);
  });

  it('leaves a peer on parole alone with its piece', () => {
    const picker = pickerOf(2);
    const shared = request(picker, { peer: 1, count: 1 })[0]!.piece;
    const own = request(picker, { peer: 2, count: 2, mode: 'parole' });
    assert.deepEqual(piecesOf(own), [1 - shared]);
    assert.deepEqual(piecesOf(picksOf(picker, { peer: 3, count: 8 })), [shared]);
    assert.deepEqual(piecesOf(picksOf(picker, { peer: 2, count: 8, mode: 'parole' })), [1 - shared]);
    picker.releasePeer(2);
    assert.equal(picksOf(picker, { peer: 3, count: 8 }).length, 7, 'until it lets go');
  });

  it('forgets failed blocks, all or some, and who sent them', () => {
    const picker = pickerOf(1);
    request(picker);
    for (let block = 0; block < 4; block++) picker.markReceived(0, block, block < 2 ? 1 : 2);
    assert.ok(picker.isPieceReceived(0));
    assert.deepEqual(picker.contributorsOf(0), [1, 1, 2, 2]);
    picker.markFailed(0, [2]);
    assert.deepEqual(picker.contributorsOf(0), [1, 1, -1, 2]);
    // Peer 1 was asked for block 2 as well and still is.
    assert.equal(picker.markReleased(0, 2, 1), true);
    assert.equal(picker.wantedBlocksLeft, 1);
    assert.deepEqual(picksOf(picker), [{ piece: 0, block: 2 }]);
    picker.markReceived(0, 2, 3);
    picker.markFailed(0, null);
    assert.equal(picker.markReleased(0, 3, 1), true);
    assert.equal(picker.openCount, 0);
    assert.equal(picker.wantedBlocksLeft, 4);
  });

  it('takes unasked and late blocks of wanted pieces, refuses others', () => {
    const picker = pickerOf(3);
    assert.equal(picker.markReceived(0, 1, 9), 'new');
    picker.setPriority(1, 0);
    assert.equal(picker.markReceived(1, 0, 9), 'unwanted');
    picker.markHave(2);
    assert.equal(picker.markReceived(2, 0, 9), 'duplicate');
  });

  it('drops an open piece that is no longer wanted, but not one that waits for its hash', () => {
    const picker = pickerOf(2);
    picker.markReceived(0, 0, 1);
    assert.equal(picker.setPriority(0, 0), true);
    assert.equal(picker.openCount, 0);
    for (let block = 0; block < 4; block++) picker.markReceived(1, block, 1);
    assert.equal(picker.setPriority(1, 0), false);
    assert.ok(picker.isPieceReceived(1));
    assert.ok(picker.markHave(1));
    assert.ok(picker.isFinished);
  });

  it('wants a lost piece again', () => {
    const picker = pickerOf(2);
    picker.markHave(0);
    picker.markHave(1);
    assert.ok(picker.isFinished);
    picker.markMissing(1);
    assert.ok(picker.isWanted(1));
    assert.deepEqual(piecesOf(picksOf(picker)), [1]);
  });

  it('knows the short last piece, and pieces that end in padding', () => {
    const picker = new PiecePicker({
      pieceCount: 2,
      pieceBytes: 65_536,
      totalBytes: 65_537,
      prng: new Prng(1),
    });
    assert.deepEqual([picker.blockCountOf(0), picker.blockCountOf(1)], [4, 1]);
    const padded = pickerOf(3, { blockCountOf: (piece) => (piece === 1 ? 1 : 4) });
    assert.equal(padded.wantedBlocksLeft, 9);
    padded.markReceived(1, 0, 1);
    assert.ok(padded.isPieceReceived(1));
  });

  it('breaks loudly when a caller asks one peer twice', () => {
    const picker = pickerOf(1);
    picker.markRequested(0, 0, 1);
    assert.throws(() => picker.markRequested(0, 0, 1), /broken promise/);
  });

  it('finds the one piece that a peer has for us among 20,000, and says so when there is none', () => {
    const pieceCount = 20_000;
    const picker = pickerOf(pieceCount);
    for (let piece = 0; piece < 4; piece++) picker.markHave(piece);
    const prng = new Prng(5);
    for (let i = 0; i < 50; i++) {
      const piece = prng.between(4, pieceCount - 1);
      assert.deepEqual(piecesOf(picksOf(picker, { has: fieldOf(pieceCount, [0, 1, piece]) })), [piece]);
    }
    assert.deepEqual(picksOf(picker, { has: fieldOf(pieceCount, [0, 1, 2, 3]) }), []);
    // Beyond the entries that are looked at, priority still rules.
    picker.setPriority(77, 3);
    picker.setPriority(15_000, 3);
    assert.deepEqual(piecesOf(picksOf(picker, { has: fieldOf(pieceCount, [77, 15_000, 9999]) })), [9999]);
  });

  it('finds exactly what a peer has, also where the search turns to the bitmaps', () => {
    const prng = new Prng(11);
    for (let round = 0; round < 60; round++) {
      const pieceCount = prng.between(1100, 3000);
      const picker = pickerOf(pieceCount);
      for (let piece = 0; piece < pieceCount; piece++) {
        const roll = prng.below(20);
        if (roll === 0) picker.markHave(piece);
        else if (roll === 1) picker.setPriority(piece, prng.below(8));
        else if (roll < 6) picker.addHave(piece);
      }
      const has = fieldOf(
        pieceCount,
        Array.from({ length: prng.below(12) }, () => prng.below(pieceCount)),
      );
      const picks = picksOf(picker, { has, count: 1000, openLimit: 1000 });
      const expected = [];
      for (let piece = 0; piece < pieceCount; piece++) {
        if (has.has(piece) && picker.isWanted(piece)) expected.push(piece);
      }
      const found = piecesOf(picks);
      assert.deepEqual(
        [...found].sort((a, b) => a - b),
        expected,
      );
      const priorities = found.map((piece) => picker.priorityOf(piece));
      assert.deepEqual(
        priorities,
        [...priorities].sort((a, b) => b - a),
        'highest priority first',
      );
    }
  });
});
