/**
 * Allowed fast (BEP 6): which pieces a choked peer may still have from us.
 *
 * The set follows from the peer's address and the info-hash alone, so that a peer gets the
 * same pieces from everybody, and coming back or from a neighbouring address (same /24) gains it nothing:
 *
 *   x = address with its last byte zeroed, then the info-hash
 *   repeat: x = SHA-1(x); each 4 bytes of x, modulo the piece count, is the next piece unless already there
 *
 * BEP 6 suggests 10 pieces; we give at most 5, because each is free bandwidth that nobody has to return (the
 * attack that made others lower theirs). It does not define sets for IPv6: those peers get none.
 *
 * Cost: one SHA-1 for five pieces, once a connection. Small piece counts make the loop repeat itself: a
 * torrent of n pieces has at most n to give, and the number of rounds is capped because x may enter a cycle
 * that misses some.
 */
import { addressToBytes, concatBytes, type Hashes, type IpAddress, isIpv6, readUint32 } from '@tequio/kernel';

export const allowedFastLimits = {
  /** Pieces that we let a choked peer have. */
  pieceCountMax: 5,
  /** Hashes that one set may cost; ten pieces of a large torrent take two or three. */
  roundCountMax: 64,
  /** Suggestions kept of one peer: it may advise at will. */
  suggestionCountMax: 16,
};

/**
 * The pieces that the peer at `address` may have while choked, in the standard's order; none for IPv6.
 * @param infoHash 20 bytes (a v2 hash truncated)
 * @param pieceCountWanted BEP 6's k
 */
export function createAllowedFastSet(
  hashes: Pick<Hashes, 'sha1'>,
  infoHash: Uint8Array,
  address: IpAddress,
  torrentPieceCount: number,
  pieceCountWanted: number = allowedFastLimits.pieceCountMax,
): number[] {
  const pieces: number[] = [];
  const wanted = Math.min(pieceCountWanted, torrentPieceCount);
  if (isIpv6(address) || wanted <= 0) return pieces;
  let x = concatBytes([addressToBytes(address), infoHash]);
  x[3] = 0;
  for (let round = 0; pieces.length < wanted && round < allowedFastLimits.roundCountMax; round++) {
    x = hashes.sha1(x);
    for (let at = 0; at < 20 && pieces.length < wanted; at += 4) {
      const piece = readUint32(x, at) % torrentPieceCount;
      if (!pieces.includes(piece)) pieces.push(piece);
    }
  }
  return pieces;
}
