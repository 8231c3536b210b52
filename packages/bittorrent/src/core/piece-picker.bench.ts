/**
 * A pick must not cost more because the torrent is large: the same work on 1,000 and on 100,000 pieces, in turn, and
 * their ratio. Run: node packages/bittorrent/src/core/piece-picker.bench.ts
 */
import { Bitfield, Prng } from '@tequio/kernel';
import { median, sayRatio } from '@tequio/kernel/compliance/micro-bench';
import { blockBytes } from '../wire/torrent-info.ts';
import { type BlockPick, PiecePicker } from './piece-picker.ts';

const rounds = 8000;
const blocksPerPiece = 16;

type Bench = { readonly picker: PiecePicker; readonly fields: readonly Bitfield[]; readonly had: Bitfield };

function setUp(pieceCount: number): Bench {
  const prng = new Prng(1);
  const pieceBytes = blocksPerPiece * blockBytes;
  const picker = new PiecePicker({
    pieceCount,
    pieceBytes,
    totalBytes: pieceCount * pieceBytes,
    prng: new Prng(2),
  });
  const fields = Array.from({ length: 50 }, () => {
    const field = new Bitfield(pieceCount);
    for (let piece = 0; piece < pieceCount; piece++) if (prng.chance(0.5)) field.set(piece);
    picker.addField(field);
    return field;
  });
  for (let piece = 0; piece < 4; piece++) picker.markHave(piece);
  return { picker, fields, had: picker.have.clone() };
}

/** Microseconds of one pick by 50 peers in turn, 1 to 16 blocks each; all blocks asked are released at once. */
function measurePick({ picker, fields }: Bench): number {
  const out: BlockPick[] = [];
  let spentMs = 0;
  for (let round = 0; round < rounds; round++) {
    const peer = round % fields.length;
    const query = {
      peer,
      has: fields[peer]!,
      count: 1 + (round % 16),
      allowed: null,
      suggested: [],
      mode: 'normal',
      openLimit: 8,
      endGame: true,
      nowMs: 0,
    } as const;
    out.length = 0;
    const startMs = performance.now();
    picker.pick(query, out);
    spentMs += performance.now() - startMs;
    for (const { piece, block } of out) picker.markRequested(piece, block, peer);
    if (round % 8 === 7) for (let i = 0; i < fields.length; i++) picker.releasePeer(i);
  }
  return (spentMs * 1000) / rounds;
}

/** Microseconds of a pick by a peer that has nothing for us. */
function measureNothing({ picker, had }: Bench): number {
  const out: BlockPick[] = [];
  const startMs = performance.now();
  for (let round = 0; round < rounds / 10; round++) {
    picker.pick(
      {
        peer: 1,
        has: had,
        count: 4,
        allowed: null,
        suggested: [],
        mode: 'normal',
        openLimit: 8,
        endGame: true,
        nowMs: 0,
      },
      out,
    );
  }
  return ((performance.now() - startMs) * 1000) / (rounds / 10);
}

const small = setUp(1000);
const large = setUp(100_000);
const pairCount = 7;

/** What the large one costs by what the small one does, in turn. */
function compare(name: string, measureOne: (bench: Bench) => number): void {
  measureOne(small);
  measureOne(large);
  const ratios = Array.from({ length: pairCount }, () => {
    const cost = measureOne(small);
    return measureOne(large) / cost;
  });
  sayRatio(name, median(ratios), `${measureOne(large).toFixed(2)} us`);
}

compare('a pick of blocks', measurePick);
compare('a pick with nothing to find', measureNothing);
