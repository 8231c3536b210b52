/**
 * What metadata-exchange.ts remembers of one attempt to gather a torrent's `info`, and of one peer; its
 * limits and faults. The rules are told there.
 */
import type { Fault } from '@tequio/kernel';
import { metadataPieceCountOf } from '../wire/metadata.ts';

export const metadataExchangeLimits = {
  /** Requests to one peer at once: two keep a line of 32 KiB per round trip busy. */
  requestCountMax: 2,
  /** Attempts that are fetched at once. */
  attemptCountMax: 3,
  /** First turn of an attempt when others wait; the n-th is n times as long. */
  turnMs: 20_000,
  /** An answer later than this counts as none (but is still taken when it comes). */
  answerMs: 10_000,
  /** After this a second peer is asked for the same piece. */
  secondAskMs: 2_000,
  /** A peer that rejected or timed out is left alone this long, doubling up to the second figure. */
  restMs: 5_000,
  restMaxMs: 120_000,
  /** How often time is looked at while something is missing. */
  pollMs: 500,
  /** Data of attempts that are not active. */
  heldBytesMax: 64 * 1024 * 1024,
  /** Pieces of failed attempts that are remembered by their hash, to find who sent them. */
  evidenceCountMax: 8192,
  /** Attempts without any peer that are kept, in case one comes back. */
  orphanCountMax: 4,
  /** Requests a peer may have expired and still be believed to answer. */
  expiredCountMax: 8,
  /**
   * Pieces of our `info` that one peer gets at once: all of them twice, and some; then this many a second.
   */
  serveBurstFactor: 2,
  serveBurstExtra: 8,
  servePerSecond: 4,
};

export type PeerKey = number;

export type Attempt = {
  readonly sizeBytes: number;
  /** The only peer that takes part; null: all of this size. */
  readonly solo: PeerKey | null;
  readonly pieceCount: number;
  readonly pieces: Map<number, { readonly bytes: Uint8Array; readonly sender: PeerKey }>;
  /** Pieces that are on the way: how many peers were asked, and when the last of them. */
  readonly asked: Map<number, { readonly peerCount: number; readonly atMs: number }>;
  heldBytes: number;
  /** Null: not active. */
  activeSinceMs: number | null;
  turnCount: number;
};

export type Ask = { readonly attempt: Attempt; readonly piece: number; readonly deadlineMs: number };

export type MetadataPeer = {
  readonly key: PeerKey;
  /** Null: it has no metadata, or we do not believe its size. */
  readonly sizeBytes: number | null;
  asks: Ask[];
  /** Asks that timed out, or whose attempt has ended; their answers are still welcome. */
  readonly expired: Ask[];
  restMs: number;
  restUntilMs: number;
  serveTokens: number;
  serveTokensMs: number;
};

export function createAttempt(sizeBytes: number, solo: PeerKey | null): Attempt {
  return {
    sizeBytes,
    solo,
    pieceCount: metadataPieceCountOf(sizeBytes),
    pieces: new Map(),
    asked: new Map(),
    heldBytes: 0,
    activeSinceMs: null,
    turnCount: 0,
  };
}

export function takesPart(peer: MetadataPeer, attempt: Attempt): boolean {
  return peer.sizeBytes === attempt.sizeBytes && (attempt.solo === null || attempt.solo === peer.key);
}

/**
 * The lowest piece that nobody was asked for; else one that one other peer has kept us waiting for; else -1.
 */
export function pickPiece(attempt: Attempt, peer: MetadataPeer, nowMs: number): number {
  let second = -1;
  for (let piece = 0; piece < attempt.pieceCount; piece++) {
    if (attempt.pieces.has(piece)) continue;
    const asked = attempt.asked.get(piece);
    if (asked === undefined) return piece;
    if (second >= 0 || asked.peerCount > 1) continue;
    const isOld = nowMs - asked.atMs >= metadataExchangeLimits.secondAskMs;
    if (isOld && !peer.asks.some((ask) => ask.attempt === attempt && ask.piece === piece)) second = piece;
  }
  return second;
}

/** The attempt no longer counts on this ask. */
export function forgetAsk({ attempt, piece }: Ask): void {
  const asked = attempt.asked.get(piece);
  if (asked === undefined) return;
  if (asked.peerCount === 1) attempt.asked.delete(piece);
  else attempt.asked.set(piece, { ...asked, peerCount: asked.peerCount - 1 });
}

/** The answer is not waited for any more; if it comes, it was asked for. */
export function expire(peer: MetadataPeer, ask: Ask): void {
  forgetAsk(ask);
  peer.expired.push(ask);
  if (peer.expired.length > metadataExchangeLimits.expiredCountMax) peer.expired.shift();
}

/** Takes the oldest ask for `piece` out of the list. */
export function tryTakeAsk(asks: Ask[], piece: number): Ask | null {
  const at = asks.findIndex((ask) => ask.piece === piece);
  return at < 0 ? null : asks.splice(at, 1)[0]!;
}

export const unaskedFault: Fault = {
  code: 'BITTORRENT_METADATA_UNASKED',
  message: 'The peer sent a piece of metadata that was not asked for.',
  blame: 'peer',
  penalty: 10,
};

export const pieceFault: Fault = {
  code: 'BITTORRENT_METADATA_PIECE',
  message: 'The peer sent a piece of metadata whose length does not fit the size that it had announced.',
  blame: 'peer',
  penalty: 25,
};

export const sizeFault: Fault = {
  code: 'BITTORRENT_METADATA_SIZE',
  message: 'The peer announced a size of the metadata that is not the true one.',
  blame: 'peer',
  penalty: 50,
};

export const falseFault: Fault = {
  code: 'BITTORRENT_METADATA_FALSE',
  message: 'The peer sent false metadata: it does not have the hash that names the torrent.',
  blame: 'peer',
  penalty: 100,
};
