/** Random lists of operations on the picker and on its naive twin: everything that can be seen must be the same. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Bitfield, Prng } from '@tequio/kernel';
import { blockBytes } from '../wire/torrent-info.ts';
import { PiecePickerModel } from './piece-picker.model.ts';
import { type BlockPick, type PickQuery, PiecePicker } from './piece-picker.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 150);
const operationCount = 250;
const peerCount = 6;

type FuzzPeer = { has: Bitfield | null; here: boolean; parole: boolean };

class Fuzz {
  readonly #prng: Prng;
  readonly #picker: PiecePicker;
  readonly #model: PiecePickerModel;
  readonly #pieceCount: number;
  readonly #peers: FuzzPeer[];
  #nowMs = 0;
  pickCount = 0;
  readonly seen = { late: 0, short: 0, endGame: 0, parole: 0, failed: 0, had: 0 };

  constructor(seed: number) {
    const prng = new Prng(seed);
    this.#prng = prng;
    this.#pieceCount = prng.between(1, 40);
    const blocks = prng.between(1, 6);
    const pieceBytes = blocks * blockBytes - prng.below(2) * prng.below(blockBytes);
    const lastBytes = prng.between(1, pieceBytes);
    const totalBytes = (this.#pieceCount - 1) * pieceBytes + lastBytes;
    this.#picker = new PiecePicker({
      pieceCount: this.#pieceCount,
      pieceBytes,
      totalBytes,
      prng: prng.fork(),
    });
    const counts = Array.from({ length: this.#pieceCount }, (_, piece) =>
      Math.ceil((piece === this.#pieceCount - 1 ? lastBytes : pieceBytes) / blockBytes),
    );
    this.#model = new PiecePickerModel(counts);
    this.#peers = Array.from({ length: peerCount }, () => ({ has: null, here: false, parole: false }));
  }

  run(): void {
    for (let i = 0; i < operationCount; i++) {
      this.#nowMs += this.#prng.below(500);
      this.#step();
      this.#compare();
    }
  }

  #step(): void {
    const roll = this.#prng.below(100);
    if (roll < 8) this.#comeOrGo();
    else if (roll < 14) this.#haveOrNot();
    else if (roll < 20) this.#wish();
    else if (roll < 55) this.#pick();
    else if (roll < 85) this.#receive();
    else if (roll < 92) this.#release();
    else this.#verify();
  }

  #comeOrGo(): void {
    const key = this.#prng.below(peerCount);
    const peer = this.#peers[key]!;
    if (peer.here) {
      if (peer.has === null) {
        this.#picker.removeSeed();
        this.#model.seeds--;
      } else {
        this.#picker.removeField(peer.has);
        for (const piece of this.#model.pieces) if (peer.has.has(piece.index)) piece.copies--;
      }
      this.#picker.releasePeer(key);
      this.#model.releasePeer(key);
      peer.here = false;
      return;
    }
    peer.here = true;
    peer.parole = this.#prng.chance(0.2);
    if (this.#prng.chance(0.25)) {
      peer.has = null;
      this.#picker.addSeed();
      this.#model.seeds++;
      return;
    }
    peer.has = new Bitfield(this.#pieceCount);
    const share = this.#prng.nextFloat();
    for (const piece of this.#model.pieces) {
      if (!this.#prng.chance(share)) continue;
      peer.has.set(piece.index);
      piece.copies++;
    }
    this.#picker.addField(peer.has);
  }

  #haveOrNot(): void {
    const peer = this.#prng.pick(this.#peers);
    const piece = this.#anyPiece();
    if (!peer.here || peer.has === null) return;
    if (peer.has.set(piece)) {
      this.#picker.addHave(piece);
      this.#model.pieces[piece]!.copies++;
    } else {
      peer.has.clear(piece);
      this.#picker.removeHave(piece);
      this.#model.pieces[piece]!.copies--;
    }
  }

  #wish(): void {
    const piece = this.#anyPiece();
    const roll = this.#prng.below(10);
    if (roll < 6) {
      const priority = this.#prng.chance(0.2) ? 0 : this.#prng.between(1, 7);
      assert.equal(this.#picker.setPriority(piece, priority), this.#model.setPriority(piece, priority));
    } else if (roll < 9) {
      const atMs = this.#prng.chance(0.3) ? null : this.#nowMs + this.#prng.below(6000);
      this.#picker.setDeadline(piece, atMs);
      this.#model.setDeadline(piece, atMs);
    } else {
      const on = this.#prng.chance(0.3);
      this.#picker.setSequential(on);
      this.#model.sequential = on;
    }
  }

  #pick(): void {
    const key = this.#prng.below(peerCount);
    const peer = this.#peers[key]!;
    if (!peer.here) return;
    const some = (): number[] => Array.from({ length: this.#prng.below(6) }, () => this.#anyPiece());
    const query: PickQuery = {
      peer: key,
      has: peer.has,
      count: this.#prng.below(12),
      allowed: this.#prng.chance(0.15) ? new Set(some()) : null,
      suggested: this.#prng.chance(0.3) ? some() : [],
      mode: peer.parole ? 'parole' : 'normal',
      openLimit: this.#prng.below(4),
      endGame: this.#prng.chance(0.7),
      isFast: this.#prng.chance(0.5),
      isShort: this.#prng.chance(0.1),
      nowMs: this.#nowMs,
    };
    const picks: BlockPick[] = [];
    this.#picker.pick(query, picks);
    assert.deepEqual(
      picks,
      this.#model.explain(query, picks),
      `pick ${JSON.stringify({ ...query, has: null })}`,
    );
    this.pickCount += picks.length;
    for (const { piece, block } of picks) {
      if (this.#prng.chance(0.1)) continue;
      const others = this.#model.pieces[piece]!.blocks[block]!.requesters.length;
      if (others > 0)
        this.seen[this.#model.isEndGame ? 'endGame' : query.isShort === true ? 'short' : 'late']++;
      if (peer.parole) this.seen.parole++;
      this.#picker.markRequested(piece, block, key, peer.parole);
      this.#model.markRequested(piece, block, key, peer.parole);
    }
  }

  #receive(): void {
    const asked: [number, number, number][] = [];
    for (const piece of this.#model.pieces) {
      piece.blocks.forEach((block, at) => {
        for (const peer of block.requesters) asked.push([piece.index, at, peer]);
      });
    }
    const anyBlock = (): [number, number, number] => {
      const piece = this.#anyPiece();
      return [piece, this.#prng.below(this.#model.pieces[piece]!.blocks.length), this.#prng.below(peerCount)];
    };
    for (let i = this.#prng.below(4); i >= 0; i--) {
      const [piece, block, peer] =
        asked.length > 0 && this.#prng.chance(0.95) ? this.#prng.pick(asked) : anyBlock();
      const result = this.#picker.markReceived(piece, block, peer);
      assert.equal(result, this.#model.markReceived(piece, block, peer));
    }
  }

  #release(): void {
    const key = this.#prng.below(peerCount);
    if (this.#prng.chance(0.2)) {
      this.#picker.releasePeer(key);
      this.#model.releasePeer(key);
      return;
    }
    for (const piece of this.#model.pieces) {
      for (let block = 0; block < piece.blocks.length; block++) {
        if (!this.#prng.chance(0.3)) continue;
        const released = this.#picker.markReleased(piece.index, block, key);
        assert.equal(released, this.#model.markReleased(piece.index, block, key));
      }
    }
  }

  #verify(): void {
    for (const piece of this.#model.pieces) {
      if (this.#model.isFull(piece)) this.#judge(piece.index);
      else if (this.#prng.chance(0.01)) this.#markHave(piece.index);
      else if (piece.have && this.#prng.chance(0.05)) {
        this.#picker.markMissing(piece.index);
        this.#model.markMissing(piece.index);
      }
    }
  }

  #judge(piece: number): void {
    if (this.#prng.chance(0.6)) {
      this.#markHave(piece);
      return;
    }
    const blocks = this.#model.pieces[piece]!.blocks;
    const bad = this.#prng.chance(0.5)
      ? null
      : blocks.map((_, at) => at).filter(() => this.#prng.chance(0.5));
    this.#picker.markFailed(piece, bad);
    this.#model.markFailed(piece, bad);
    this.seen.failed++;
  }

  #markHave(piece: number): void {
    assert.equal(this.#picker.markHave(piece), this.#model.markHave(piece));
    this.seen.had++;
  }

  #anyPiece(): number {
    return this.#prng.below(this.#pieceCount);
  }

  #compare(): void {
    const picker = this.#picker;
    const model = this.#model;
    assert.equal(picker.wantedCount, model.wantedCount);
    assert.equal(picker.wantedBlocksLeft, model.wantedBlocksLeft);
    assert.equal(picker.isFinished, model.wantedCount === 0);
    assert.equal(picker.isEndGame, model.isEndGame);
    const open = model.openPieces();
    assert.deepEqual(
      [...picker.openPieces()].map(({ piece, receivedCount, requestedCount }) => [
        piece,
        receivedCount,
        requestedCount,
      ]),
      open.map((piece) => {
        const receivedCount = piece.blocks.filter((block) => block.sender !== null).length;
        return [piece.index, receivedCount, piece.blocks.length - receivedCount - model.freeCount(piece)];
      }),
    );
    for (const piece of model.pieces) {
      assert.equal(picker.availabilityOf(piece.index), piece.copies + model.seeds);
      assert.equal(picker.isWanted(piece.index), model.isWanted(piece));
      assert.equal(picker.have.has(piece.index), piece.have);
      assert.equal(picker.priorityOf(piece.index), piece.priority);
      assert.equal(picker.isPieceReceived(piece.index), model.isFull(piece));
    }
    for (const piece of open) {
      assert.deepEqual(
        picker.contributorsOf(piece.index),
        piece.blocks.map((block) => block.sender ?? -1),
      );
      piece.blocks.forEach((block, at) => {
        const requesters: number[] = [];
        picker.requestersOf(piece.index, at, requesters);
        assert.deepEqual(requesters.sort(), [...block.requesters].sort());
      });
    }
  }
}

it('piece picker and its naive twin agree', () => {
  const first = Number(process.env['FUZZ_SEED'] ?? 1);
  const total = { picks: 0, late: 0, short: 0, endGame: 0, parole: 0, failed: 0, had: 0 };
  for (let seed = first; seed < first + runCount; seed++) {
    const fuzz = new Fuzz(seed);
    try {
      fuzz.run();
    } catch (error) {
      throw new Error(`FUZZ_SEED=${seed} FUZZ_RUNS=1`, { cause: error });
    }
    total.picks += fuzz.pickCount;
    for (const name of ['late', 'short', 'endGame', 'parole', 'failed', 'had'] as const)
      total[name] += fuzz.seen[name];
  }
  // The interesting roads were taken.
  if (runCount >= 100)
    for (const [name, count] of Object.entries(total)) assert.ok(count > 40, `${name}: ${count}`);
});
