/**
 * Applies the choker's choice to the peers of one torrent: every ten seconds a round; at once when somebody comes and a
 * slot is free; and as long as somebody waits, a look whether the line has room for more.
 *
 * Rules: the first look is a tenth of a second after the last slots were given out: by then they have shown what the
 * line carries. Each look that finds no room doubles the time until the next one, up to a second. So a fast line serves
 * all who have come within a tenth of a second, and a slow one keeps the few slots that are worth having.
 */
import type { Prng } from '@tequio/kernel';
import { Choker, type ChokerPeer, rechokeMs, slotsByRate } from './choker.ts';
import type { Peer } from './peer.ts';

/** Slots are filled at once so often a second. Whoever comes more often waits for the next second. */
const hastyRoundsMax = 4;
const hastyMs = 1000;
/** Between two looks for room. */
const lookMsMin = 100;
const lookMsMax = 1000;

export class Unchoking {
  readonly #choker: Choker;
  readonly #touched: (peer: Peer) => void;
  readonly #slots: number | null;
  /** Of the latest look; never fewer than these are given out without a look. */
  #slotCount: number;
  /** Next round, and next filling of free slots. */
  #nextMs = 0;
  #fillMs = Number.POSITIVE_INFINITY;
  #lookMs = lookMsMin;
  #hastySinceMs = Number.NEGATIVE_INFINITY;
  #hastyCount = 0;

  /** @param slots null: as many as the line serves well */
  constructor(options: { prng: Prng; slots: number | null }, touched: (peer: Peer) => void) {
    this.#choker = new Choker({ prng: options.prng, slots: options.slots, optimisticSlots: 1 });
    this.#touched = touched;
    this.#slots = options.slots;
    this.#slotCount = options.slots ?? slotsByRate([]);
  }

  /** When to look whether there is room for somebody who waits; null: nobody does. Rounds come with any later call. */
  nextTimeoutMs(): number | null {
    return this.#fillMs === Number.POSITIVE_INFINITY ? null : this.#fillMs;
  }

  isDue(nowMs: number): boolean {
    return nowMs >= Math.min(this.#nextMs, this.#fillMs);
  }

  /**
   * A peer has just become interested: true when free slots shall be filled at once. An attacker that says so again and
   * again, or that is not chosen, costs a few rounds a second.
   */
  tryHastyRound(peers: Iterable<Peer>, nowMs: number): boolean {
    let unchokedCount = 0;
    for (const peer of peers) if (!peer.amChoking) unchokedCount++;
    if (unchokedCount >= this.#slotCount) {
      // The line may have room for more by then.
      this.#fillMs = Math.min(this.#fillMs, nowMs + this.#lookMs);
      return false;
    }
    if (nowMs - this.#hastySinceMs >= hastyMs) {
      this.#hastySinceMs = nowMs;
      this.#hastyCount = 0;
    }
    if (this.#hastyCount >= hastyRoundsMax) {
      this.#fillMs = Math.min(this.#fillMs, nowMs + this.#lookMs);
      return false;
    }
    this.#hastyCount++;
    return true;
  }

  /**
   * A round when it is due; before that free slots are filled.
   * @param pieceCount of the torrent; `mode` as the choker takes it
   */
  rechoke(peers: readonly Peer[], pieceCount: number, mode: 'leech' | 'seed', nowMs: number): void {
    const candidates = peers.map((peer) => candidateOf(peer, pieceCount, nowMs));
    const isRound = nowMs >= this.#nextMs;
    const { unchoke } = isRound
      ? this.#choker.rechoke(candidates, mode, nowMs)
      : this.#choker.fill(candidates, mode, nowMs);
    const unchoked = new Set(unchoke);
    if (isRound) this.#nextMs = nowMs + rechokeMs;
    const someWait = candidates.some(({ key, interested }) => interested && !unchoked.has(key));
    const someCame = candidates.some(
      ({ key, unchokedSinceMs }) => unchokedSinceMs === null && unchoked.has(key),
    );
    this.#lookMs = someCame || !someWait ? lookMsMin : Math.min(lookMsMax, 2 * this.#lookMs);
    this.#fillMs = someWait ? nowMs + this.#lookMs : Number.POSITIVE_INFINITY;
    this.#slotCount = this.#slots ?? slotsByRate(candidates);
    for (const peer of peers) {
      if (unchoked.has(peer.key) !== peer.amChoking) continue;
      if (peer.amChoking) peer.markUnchoked(nowMs);
      else peer.markChoked();
      this.#touched(peer);
    }
  }
}

function candidateOf(peer: Peer, pieceCount: number, nowMs: number): ChokerPeer {
  return {
    key: peer.key,
    interested: peer.interested,
    snubbed: peer.window.isSnubbed,
    downRate: peer.down.bytesPerSecond(nowMs),
    upRate: peer.up.bytesPerSecond(nowMs),
    uploadedSinceUnchoke: peer.uploadedSinceUnchoke,
    unchokedSinceMs: peer.unchokedSinceMs,
    connectedMs: peer.connectedMs,
    downloadedFromIt: peer.down.totalBytes,
    progress: peer.progressOf(pieceCount),
    isUploadOnly: peer.uploadOnly,
  };
}
