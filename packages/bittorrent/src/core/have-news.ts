/**
 * The news that pieces are here (HAVE, BEP 3): pieces that are verified close together are told in one packet.
 *
 * Rules: the first new piece starts a wait of `haveDelayMs`, and all that came until its end are told together. Who has
 * not been told what we have hears it in its bitfield; a seed needs no news.
 * Attacker: none, nothing of it follows from what peers say. Cost: O(peers x new pieces), 20 times a second at most.
 */
import { messageId } from '../wire/peer-message.ts';
import type { Peer } from './peer.ts';

/** So long a new piece may wait for others. */
export const haveDelayMs = 50;

export class HaveNews {
  readonly #touched: (peer: Peer) => void;
  readonly #pieces: number[] = [];
  #dueMs: number | null = null;

  /** @param touched the peer got something to send */
  constructor(touched: (peer: Peer) => void) {
    this.#touched = touched;
  }

  /** When the news is to be told; null: there is none. */
  get dueMs(): number | null {
    return this.#dueMs;
  }

  add(piece: number, nowMs: number): void {
    this.#pieces.push(piece);
    this.#dueMs ??= nowMs + haveDelayMs;
  }

  /** Tells everybody who may care, whether it is time or not. */
  tell(peers: Iterable<Peer>): void {
    this.#dueMs = null;
    for (const peer of peers) {
      if (!peer.saidPieces) continue;
      if (!peer.isSeed) for (const piece of this.#pieces) peer.writer.writeIndex(messageId.have, piece);
      this.#touched(peer);
    }
    this.#pieces.length = 0;
  }
}
