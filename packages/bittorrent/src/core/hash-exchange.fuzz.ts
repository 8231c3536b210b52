/** Random peers, answers, lies and times on the hash exchange and its naive twin. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { it } from 'node:test';
import { Prng } from '@tequio/kernel';
import type { HashRange, HashRequest } from '../wire/hash-messages.ts';
import type { TorrentFile } from '../wire/torrent-info.ts';
import { HashExchangeModel, nameOf } from './hash-exchange.model.ts';
import { type HashEffect, HashExchange } from './hash-exchange.ts';
import { HashTreeModel, joined } from './hash-tree.model.ts';
import { HashTree } from './hash-tree.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 60);
const digest = (name: string, bytes: Uint8Array) => new Uint8Array(createHash(name).update(bytes).digest());
const hashes = { sha1: (b: Uint8Array) => digest('sha1', b), sha256: (b: Uint8Array) => digest('sha256', b) };
const peerCount = 6;
const leafBytes = 32;

class Fuzz {
  readonly #prng: Prng;
  readonly #trees: HashTreeModel;
  readonly #tree: HashTree;
  readonly #real: HashExchange;
  readonly #model: HashExchangeModel;
  readonly #poor = new Set<string>();
  readonly #blocksPerPiece: number;
  /** Everything that was ever asked. */
  readonly #asked: { readonly peer: number; readonly request: HashRequest }[] = [];
  #nowMs = 0;
  readonly seen = new Map<string, number>();

  constructor(seed: number) {
    const prng = new Prng(seed);
    this.#prng = prng;
    this.#blocksPerPiece = prng.pick([1, 2, 4, 8]);
    let piece = 0;
    const files = Array.from({ length: prng.between(1, 4) }, () => {
      const count = prng.pick([1, 2, 5, 17, 600, 1100]);
      const file = {
        firstPiece: piece,
        leaves: Array.from({ length: count }, () => prng.bytes(leafBytes).slice()),
      };
      piece += Math.ceil(count / this.#blocksPerPiece);
      return file;
    });
    this.#trees = new HashTreeModel(hashes, files, this.#blocksPerPiece, 1 << 20);
    const torrentFiles = this.#trees.trees.map(
      (tree, index): TorrentFile => ({
        ...{ index, path: `${index}`, pad: false, executable: false, hidden: false, symlink: null },
        bytes: tree.blockCount * 16384,
        offset: tree.firstPiece * this.#blocksPerPiece * 16384,
        piecesRoot: tree.rows.at(-1)![0]!,
      }),
    );
    this.#tree = new HashTree(hashes, { pieceBytes: this.#blocksPerPiece * 16384, files: torrentFiles });
    const hasAnyOf = (peer: number, first: number): boolean => !this.#poor.has(`${peer} ${first}`);
    this.#model = new HashExchangeModel([...this.#tree.missingChunks()], hasAnyOf);
    this.#real = new HashExchange(this.#tree, { hasAnyOf });
  }

  run(): void {
    for (let step = 0; step < 150; step++) {
      this.#nowMs += this.#prng.chance(0.1) ? this.#prng.below(40_000) : this.#prng.below(800);
      this.#step();
      this.#compare();
    }
  }

  #step(): void {
    const [prng, real, model, nowMs] = [this.#prng, this.#real, this.#model, this.#nowMs];
    const key = prng.below(peerCount);
    const roll = prng.below(100);
    if (roll < 12) {
      real.addPeer(key, nowMs);
      model.addPeer(key, nowMs);
    } else if (roll < 16) {
      real.removePeer(key, nowMs);
      model.removePeer(key, nowMs);
    } else if (roll < 55) this.#answer();
    else if (roll < 65) {
      const asked = this.#anyAsked();
      if (asked === null) return;
      real.handleReject(asked.peer, asked.request, nowMs);
      model.handleReject(asked.peer, nameOf(asked.request), nowMs);
    } else if (roll < 75) this.#fail();
    else if (roll < 82) {
      const name = `${key} ${prng.below(this.#pieceCount)}`;
      if (!this.#poor.delete(name)) this.#poor.add(name);
      real.handlePieces(key, nowMs);
      model.handlePieces(key, nowMs);
    } else {
      real.handleTimeout(nowMs);
      model.handleTimeout(nowMs);
    }
  }

  get #pieceCount(): number {
    const last = this.#trees.trees.at(-1)!;
    return last.firstPiece + last.pieceCount;
  }

  /** Mostly one of the last, sometimes as if another peer had been asked. */
  #anyAsked(): { peer: number; request: HashRequest } | null {
    if (this.#asked.length === 0) return null;
    const asked = this.#prng.chance(0.8)
      ? this.#prng.pick(this.#asked.slice(-4))
      : this.#prng.pick(this.#asked);
    return this.#prng.chance(0.06) ? { ...asked, peer: this.#prng.below(peerCount) } : asked;
  }

  #answer(): void {
    const asked = this.#anyAsked();
    if (asked === null) return;
    const { peer, request } = asked;
    const truth = this.#trees.truthOf(request)!;
    const isTrue = this.#prng.chance(0.93);
    this.#real.handleHashes(peer, isTrue ? truth : this.#damaged(truth), this.#nowMs);
    const isLayerDone = ({ firstPiece }: { firstPiece: number }): number | null => {
      const file = this.#tree.fileOf(firstPiece);
      return this.#tree.pieceLayerOf(file) === null ? null : file;
    };
    this.#model.handleHashes(peer, nameOf(request), isTrue, isLayerDone, this.#nowMs);
  }

  #damaged(range: HashRange): HashRange {
    const copy = range.hashes.slice();
    const at = this.#prng.below(copy.length);
    copy[at] = copy[at]! ^ (1 << this.#prng.below(8));
    return { ...range, hashes: copy };
  }

  #fail(): void {
    const piece = this.#prng.below(this.#pieceCount);
    const truth = joined(this.#trees.leavesOf(piece));
    const bad = Array.from({ length: truth.length / leafBytes }, (_, block) => block).filter(() =>
      this.#prng.chance(0.3),
    );
    const found = truth.slice();
    for (const block of bad) found[block * leafBytes] = found[block * leafBytes]! ^ 1;
    const isOpen = this.#model.inquiries.some((inquiry) => inquiry.piece === piece);
    const isKnown = this.#tree.expectedRootOf(piece) !== null && !isOpen && this.#model.inquiries.length < 32;
    const requests = isKnown ? this.#tree.leafRequestsOf(piece) : [];
    assert.equal(this.#real.handleFailedPiece(piece, found, this.#nowMs), isKnown);
    if (isKnown) this.#model.handleFailedPiece(piece, requests, bad, this.#nowMs);
  }

  #compare(): void {
    const effects: HashEffect[] = [];
    this.#real.drain(effects);
    const said = effects.map((effect) => {
      this.seen.set(effect.type, (this.seen.get(effect.type) ?? 0) + 1);
      if (effect.type !== 'request') return textOf(effect);
      this.#asked.push(effect);
      return `request ${effect.peer} ${nameOf(effect.request)}`;
    });
    assert.deepEqual(said, this.#model.effects.splice(0));
    assert.equal(this.#real.nextTimeoutMs(), this.#model.pollMs);
  }
}

function textOf(effect: Exclude<HashEffect, { type: 'request' }>): string {
  switch (effect.type) {
    case 'rootsKnown':
      return `rootsKnown ${effect.firstPiece} ${effect.pieceCount}`;
    case 'pieceLayerKnown':
      return `pieceLayerKnown ${effect.file}`;
    case 'badBlocks':
      return `badBlocks ${effect.piece}: ${effect.blocks.join(' ')}`;
    case 'blocksUnknown':
      return `blocksUnknown ${effect.piece}`;
    default:
      return `blame ${effect.peer} ${effect.fault.code}`;
  }
}

it('hash exchange and its naive twin agree', () => {
  const first = Number(process.env['FUZZ_SEED'] ?? 1);
  const total = new Map<string, number>();
  for (let seed = first; seed < first + runCount; seed++) {
    const fuzz = new Fuzz(seed);
    try {
      fuzz.run();
    } catch (error) {
      throw new Error(`FUZZ_SEED=${seed} FUZZ_RUNS=1`, { cause: error });
    }
    for (const [name, count] of fuzz.seen) total.set(name, (total.get(name) ?? 0) + count);
  }
  if (runCount < 50) return;
  for (const name of ['request', 'rootsKnown', 'pieceLayerKnown', 'badBlocks', 'blocksUnknown', 'blame'])
    assert.ok((total.get(name) ?? 0) > 20, `${name}: ${total.get(name)}`);
});
