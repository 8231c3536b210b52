import { assert, bytesEqual, type Fault } from '@tequio/kernel';
import type { PeerKey } from './piece-picker-open.ts';

/** Whose fault it was. The peer may have left since: the caller keeps addresses of those on parole. */
export type Blame = { readonly peer: PeerKey; readonly fault: Fault };

/** SHA-1. */
const hashBytes = 20;
/** Failed pieces remembered at once; the oldest gives way. */
export const failedPiecesMax = 64;
/** Blocks of all remembered failures together: 24 bytes each, 1.5 MiB. */
export const failedBlocksMax = 65_536;
/** Failures of one piece that are remembered; the oldest gives way. */
export const attemptsMax = 8;

type Attempt = { readonly senders: Int32Array; readonly hashes: Uint8Array };
type Failure = { readonly attempts: Attempt[]; readonly suspects: Set<PeerKey> };

/**
 * Finds out who sent the wrong block of a piece whose hash was wrong (the idea of libtorrent's smart ban).
 *
 *   piece 7 fails     block:  0    1    2    3       remembered: SHA-1 of each block, and its sender
 *                     from:   A    A    B    C       A, B, C are on parole
 *   piece 7 passes    block:  0    1    2'   3       2' differs from what B had sent: B is the liar, A and C are free
 *
 * Rules
 * 1. A failed piece that came wholly from one peer: that peer is guilty at once.
 * 2. A peer that sends different bytes for the same block at two times has lied at least once: guilty.
 * 3. Otherwise all senders are on parole, which makes rule 1 apply to whatever they send next (the picker gives them
 *    pieces of their own), until the piece passes: then each remembered block is compared with the good one.
 * 4. Parole ends when no remembered failure has the peer among its senders.
 * Rationale: banning everyone involved, or striking each, lets one liar among twenty peers have the others banned;
 * blaming nobody lets it stall the torrent for good.
 *
 * Attacker: one that spoils many pieces to wash out the memory (64 pieces, 65,536 blocks, oldest first) is on parole
 * from the first one, so the next is its own and names it. Two blocks with one SHA-1 (possible since 2017) would need
 * the torrent's author as an accomplice, and hide a liar only among its own victims.
 * BEP 52 torrents know each wrong block from its leaf hash and need this for nothing but the fault's words.
 * Cost: O(blocks) for a failed piece, and for a passed one that had failed; a lookup for all others.
 */
export class SmartBan {
  /** By piece, oldest failure first. */
  readonly #failures = new Map<number, Failure>();
  /** Remembered failures that a peer is suspected in. */
  readonly #suspicions = new Map<PeerKey, number>();
  #blockCount = 0;

  /** It is to be given pieces of its own only. Also true of suspects that have left. */
  isOnParole(peer: PeerKey): boolean {
    return this.#suspicions.has(peer);
  }

  /** The piece has failed before: when it passes, its block hashes are wanted ({@link handlePassed}). */
  isWatched(piece: number): boolean {
    return this.#failures.has(piece);
  }

  get failedPieceCount(): number {
    return this.#failures.size;
  }

  get failedBlockCount(): number {
    return this.#blockCount;
  }

  /**
   * The piece's hash was wrong.
   * @param senders who sent each block; -1: nobody (it was on the disk before), which can be blamed on no one
   * @param hashes 20 bytes a block; kept
   */
  handleFailed(piece: number, senders: readonly PeerKey[], hashes: Uint8Array): Blame[] {
    assert(hashes.length === senders.length * hashBytes, 'a hash for each block');
    const first = senders[0];
    if (first !== undefined && first >= 0 && senders.every((sender) => sender === first)) {
      return [{ peer: first, fault: badPieceFault(piece) }];
    }
    const failure = this.#failures.get(piece) ?? { attempts: [], suspects: new Set<PeerKey>() };
    const attempt = { senders: Int32Array.from(senders), hashes };
    const blames = twoFaced(piece, failure.attempts, attempt);
    // Again at the end: what failed last is remembered longest.
    this.#failures.delete(piece);
    this.#failures.set(piece, failure);
    failure.attempts.push(attempt);
    this.#blockCount += senders.length;
    if (failure.attempts.length > attemptsMax) this.#blockCount -= failure.attempts.shift()!.senders.length;
    for (const sender of senders) {
      if (sender < 0 || failure.suspects.has(sender)) continue;
      failure.suspects.add(sender);
      this.#suspicions.set(sender, (this.#suspicions.get(sender) ?? 0) + 1);
    }
    while (this.#failures.size > failedPiecesMax || this.#blockCount > failedBlocksMax) {
      this.#forget(this.#failures.keys().next().value!);
    }
    return blames;
  }

  /**
   * The piece passed. Only needed when it {@link isWatched}.
   * @param hashes 20 bytes a block, of the good blocks
   * @returns one blame for each liar, whatever number of blocks it had wrong
   */
  handlePassed(piece: number, hashes: Uint8Array): Blame[] {
    const failure = this.#failures.get(piece);
    if (failure === undefined) return [];
    const blames = new Map<PeerKey, Blame>();
    for (const { senders, hashes: sent } of failure.attempts) {
      for (let block = 0; block < senders.length; block++) {
        const peer = senders[block]!;
        if (peer < 0 || blames.has(peer) || sameHash(sent, hashes, block)) continue;
        blames.set(peer, { peer, fault: badBlockFault(piece, block) });
      }
    }
    this.#forget(piece);
    return [...blames.values()];
  }

  #forget(piece: number): void {
    const failure = this.#failures.get(piece)!;
    this.#failures.delete(piece);
    for (const { senders } of failure.attempts) this.#blockCount -= senders.length;
    for (const peer of failure.suspects) {
      const left = this.#suspicions.get(peer)! - 1;
      if (left === 0) this.#suspicions.delete(peer);
      else this.#suspicions.set(peer, left);
    }
  }
}

/** Peers that sent a block of this attempt differently before. */
function twoFaced(piece: number, before: readonly Attempt[], attempt: Attempt): Blame[] {
  const blames = new Map<PeerKey, Blame>();
  for (const { senders, hashes } of before) {
    for (let block = 0; block < senders.length; block++) {
      const peer = senders[block]!;
      if (peer < 0 || peer !== attempt.senders[block] || sameHash(hashes, attempt.hashes, block)) continue;
      blames.set(peer, { peer, fault: twoFacedFault(piece, block) });
    }
  }
  return [...blames.values()];
}

function sameHash(a: Uint8Array, b: Uint8Array, block: number): boolean {
  const [from, end] = [block * hashBytes, (block + 1) * hashBytes];
  return bytesEqual(a.subarray(from, end), b.subarray(from, end));
}

/** A peer's block differs from the good one (found by comparison, or by a BEP 52 leaf hash). */
export function badBlockFault(piece: number, block: number): Fault {
  return {
    code: 'BITTORRENT_BAD_BLOCK',
    message: `The peer sent wrong bytes in block ${block} of piece ${piece}.`,
    blame: 'peer',
    penalty: 100,
  };
}

function badPieceFault(piece: number): Fault {
  return {
    code: 'BITTORRENT_BAD_PIECE',
    message: `The peer alone sent piece ${piece}, and its hash was wrong.`,
    blame: 'peer',
    penalty: 100,
  };
}

function twoFacedFault(piece: number, block: number): Fault {
  return {
    code: 'BITTORRENT_TWO_FACED_BLOCK',
    message: `The peer sent block ${block} of piece ${piece} twice, with different bytes.`,
    blame: 'peer',
    penalty: 100,
  };
}
