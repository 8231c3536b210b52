/**
 * Reads pieces back from the disk and hashes them: a full recheck, pieces that resume data leaves in doubt, the blocks
 * of a piece that failed. Keeps at most `checksAtOnce` jobs with the disk, so that checking a large torrent is steady
 * and can be stopped at any piece.
 */
import type { DigestRequest, DiskResult } from '@tequio/kernel';
import type { PieceExpectation } from './piece-assembly.ts';
import type { PieceLayout } from './piece-layout.ts';

export const checksAtOnce = 8;

export type CheckJob = {
  readonly id: number;
  readonly piece: number;
  readonly bytes: number;
  readonly digest: DigestRequest;
};

export type CheckOutcome = {
  readonly piece: number;
  readonly matched: boolean;
  readonly result: DiskResult;
  readonly purpose: CheckPurpose;
};

/**
 * `doubt`: is it there? `blocks`: a failed piece's blocks, for blame. `recover`: written under disk trouble.
 * `leaves`: a peer asks for block hashes of a piece that we have (BEP 52).
 */
export type CheckPurpose = 'doubt' | 'blocks' | 'recover' | 'leaves';

export class PieceChecker {
  readonly #layout: PieceLayout;
  readonly #expectation: PieceExpectation;
  readonly #nextJobId: () => number;
  readonly #waiting: { piece: number; purpose: CheckPurpose }[] = [];
  #nextWaiting = 0;
  readonly #running = new Map<number, { piece: number; purpose: CheckPurpose }>();
  readonly #out: CheckJob[] = [];
  #doubtCount = 0;

  constructor(layout: PieceLayout, expectation: PieceExpectation, nextJobId: () => number) {
    this.#layout = layout;
    this.#expectation = expectation;
    this.#nextJobId = nextJobId;
  }

  /** Pieces of which it is not known yet whether we have them. */
  get doubtCount(): number {
    return this.#doubtCount;
  }

  add(piece: number, purpose: CheckPurpose): void {
    if (purpose === 'doubt') this.#doubtCount++;
    this.#waiting.push({ piece, purpose });
    this.#start();
  }

  /** Forgets what has not begun. */
  cancel(): void {
    for (const check of this.#waiting.slice(this.#nextWaiting))
      if (check.purpose === 'doubt') this.#doubtCount--;
    this.#forgetWaiting();
  }

  owns(id: number): boolean {
    return this.#running.has(id);
  }

  handleChecked(id: number, result: DiskResult): CheckOutcome | null {
    const check = this.#running.get(id);
    if (check === undefined) return null;
    this.#running.delete(id);
    if (check.purpose === 'doubt') this.#doubtCount--;
    this.#start();
    return { ...check, matched: result.ok && (result.digests?.matched ?? false), result };
  }

  drainJobs(out: CheckJob[]): void {
    for (const job of this.#out) out.push(job);
    this.#out.length = 0;
  }

  #forgetWaiting(): void {
    this.#waiting.length = 0;
    this.#nextWaiting = 0;
  }

  #start(): void {
    while (this.#running.size < checksAtOnce && this.#nextWaiting < this.#waiting.length) {
      const check = this.#waiting[this.#nextWaiting++]!;
      if (this.#nextWaiting === this.#waiting.length) this.#forgetWaiting();
      const { piece } = check;
      const sha1 = this.#expectation.sha1Of(piece);
      const root = this.#expectation.rootOf(piece);
      const id = this.#nextJobId();
      this.#running.set(id, check);
      this.#out.push({
        id,
        piece,
        bytes: this.#layout.bytesOf(piece),
        digest: {
          sha1: sha1 !== null,
          sha1Blocks: check.purpose === 'blocks' || this.#expectation.isWatched(piece),
          merkle:
            root === null
              ? null
              : { leafCount: this.#layout.leafCountOf(piece), bytes: this.#layout.dataBytesOf(piece) },
          stream: null,
          expect: { sha1, root },
        },
      });
    }
  }
}
