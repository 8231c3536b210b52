/** Applies the choker's choice to the peers of one torrent: every ten seconds, and at once while slots are free. */
import type { Prng } from '@tequio/kernel';
import { Choker, rechokeMs } from './choker.ts';
import type { Peer } from './peer.ts';

/** An interested peer gets a slot at once while fewer than this are unchoked. */
const freeSlots = 4;
/** Rounds out of turn a second: as many as there are such slots. Whoever comes more often waits for the next second. */
const hastyRoundsMax = freeSlots;
const hastyMs = 1000;

export class Unchoking {
  readonly #choker: Choker;
  readonly #touched: (peer: Peer) => void;
  readonly #slots: number;
  #nextMs = 0;
  #hastySinceMs = Number.NEGATIVE_INFINITY;
  #hastyCount = 0;

  /** @param slots null: as many as the line serves well */
  constructor(options: { prng: Prng; slots: number | null }, touched: (peer: Peer) => void) {
    this.#choker = new Choker({ prng: options.prng, slots: options.slots, optimisticSlots: 1 });
    this.#touched = touched;
    this.#slots = options.slots ?? Number.POSITIVE_INFINITY;
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.#nextMs;
  }

  /**
   * A peer has just become interested: true when there shall be a round at once. An attacker that says so again and
   * again, or that is not chosen, costs a few rounds a second.
   */
  tryHastyRound(peers: Iterable<Peer>, nowMs: number): boolean {
    let unchokedCount = 0;
    for (const peer of peers) if (!peer.amChoking) unchokedCount++;
    if (unchokedCount >= Math.min(freeSlots, this.#slots)) return false;
    if (nowMs - this.#hastySinceMs >= hastyMs) {
      this.#hastySinceMs = nowMs;
      this.#hastyCount = 0;
    }
    if (this.#hastyCount >= hastyRoundsMax) {
      this.#nextMs = Math.min(this.#nextMs, this.#hastySinceMs + hastyMs);
      return false;
    }
    this.#hastyCount++;
    return true;
  }

  /** @param pieceCount of the torrent; `mode` as the choker takes it */
  rechoke(peers: readonly Peer[], pieceCount: number, mode: 'leech' | 'seed', nowMs: number): void {
    this.#nextMs = nowMs + rechokeMs;
    const candidates = peers.map((peer) => ({
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
    }));
    const unchoked = new Set(this.#choker.rechoke(candidates, mode, nowMs).unchoke);
    for (const peer of peers) {
      if (unchoked.has(peer.key) !== peer.amChoking) continue;
      if (peer.amChoking) peer.markUnchoked(nowMs);
      else peer.markChoked();
      this.#touched(peer);
    }
  }
}
