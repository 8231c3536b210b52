/**
 * A source of whole runs among the peers (a web seed, or content that another torrent has): plans runs of blocks for it
 * with the same picker, and turns the bytes that it sends into received blocks. It has a peer key of its own, so that
 * its blocks are blamed like anybody's.
 *
 *   idle source -> tryPlanRun (blocks requested in the picker) -> bytes -> whole blocks received -> run over -> again
 *                                                            -> broken off: what did not come is released
 *
 * Bytes are gathered in one block of memory of its own: a peer may be filling the same block in the piece's memory,
 * and only whole blocks may meet there. Cost: one more copy a byte, for such sources alone.
 */
import { type Bitfield, type Fault, RateMeter } from '@tequio/kernel';
import { blockBytes } from '../wire/torrent-info.ts';
import type { TorrentContent } from './content.ts';
import type { PeerKey } from './peer.ts';
import type { BlockPick } from './piece-picker.ts';

export interface FeedSource {
  /** It gets the next run when it is `idle`. */
  readonly state: string;
  /** What can be had from it. */
  readonly pieces: Bitfield;
  /** Blocks of one run. */
  readonly runBlockCountMax: number;
  /** What it gives was on this machine before: nothing was received, and the swarm has no copy more. */
  readonly isLocal: boolean;
  /** It has sent what is wrong. */
  handleBan(fault: Fault): void;
}

/** Bytes that are wanted: from `offset` in `piece` on, over as many pieces as it takes. */
export type FeedRun = { readonly piece: number; readonly offset: number; readonly bytes: number };

export class BlockFeeder<Source extends FeedSource = FeedSource> {
  readonly key: PeerKey;
  readonly seed: Source;
  readonly down = new RateMeter();
  readonly #content: TorrentContent;
  readonly #block = new Uint8Array(blockBytes);
  #gathered = 0;
  /** Blocks of the run that have not come yet, in order. */
  #due: BlockPick[] = [];

  constructor(key: PeerKey, seed: Source, content: TorrentContent) {
    this.key = key;
    this.seed = seed;
    this.#content = content;
  }

  /** What the idle seed is to fetch now; its blocks count as requested from here on. Null: nothing. */
  tryPlanRun(nowMs: number): FeedRun | null {
    if (this.seed.state !== 'idle' || !this.#content.mayRequest) return null;
    const picks: BlockPick[] = [];
    this.#content.requester.pickFor(this.key, this.seed.pieces, this.seed.runBlockCountMax, nowMs, picks);
    const run = this.#firstRun(picks);
    if (run.length === 0) return null;
    this.#due = run;
    this.#gathered = 0;
    let bytes = 0;
    for (const { piece, block } of run) {
      this.#content.requester.reserveFor(this.key, piece, block);
      bytes += this.#content.layout.blockBytesOf(piece, block);
    }
    return { piece: run[0]!.piece, offset: run[0]!.block * blockBytes, bytes };
  }

  /** Bytes of the run, in order, borrowed. */
  handleBytes(bytes: Uint8Array, nowMs: number): void {
    this.down.add(bytes.length, nowMs);
    for (let at = 0; at < bytes.length; ) {
      const due = this.#due[0];
      if (due === undefined) return;
      const dueBytes = this.#content.layout.blockBytesOf(due.piece, due.block);
      const taken = Math.min(dueBytes - this.#gathered, bytes.length - at);
      this.#block.set(bytes.subarray(at, at + taken), this.#gathered);
      this.#gathered += taken;
      at += taken;
      if (this.#gathered < dueBytes) continue;
      this.#due.shift();
      this.#gathered = 0;
      const block = this.#block.subarray(0, dueBytes);
      this.#content.requester.handleBlock(this.key, due, block, nowMs, this.seed.isLocal);
    }
  }

  /** The run is over, or broken off: what did not come is free for others. */
  release(): void {
    for (const { piece, block } of this.#due) this.#content.requester.releaseFor(this.key, piece, block);
    this.#due = [];
    this.#gathered = 0;
  }

  /** The next piece follows it without padding between, which in v2 nobody sends. */
  #isEndOfWhole({ piece, block }: BlockPick): boolean {
    const { layout } = this.#content;
    return block + 1 === layout.wholeBlockCount && layout.bytesOf(piece) === layout.info.pieceBytes;
  }

  /** The picks that follow the first one without a gap. */
  #firstRun(picks: readonly BlockPick[]): BlockPick[] {
    const run: BlockPick[] = [];
    const sorted = [...picks].sort((a, b) => a.piece - b.piece || a.block - b.block);
    const from = sorted.indexOf(picks[0]!);
    for (const pick of sorted.slice(Math.max(0, from))) {
      const last = run[run.length - 1];
      const isNext =
        last === undefined ||
        (pick.piece === last.piece && pick.block === last.block + 1) ||
        (pick.piece === last.piece + 1 && pick.block === 0 && this.#isEndOfWhole(last));
      if (!isNext) break;
      run.push(pick);
    }
    return run;
  }
}
