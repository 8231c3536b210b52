/** The naive twin of smart ban: keeps every failure for ever, as plain objects, and finds all answers by scanning. */
import type { PeerKey } from './piece-picker-open.ts';

type Sent = { readonly piece: number; readonly block: number; readonly peer: PeerKey; readonly hash: string };

export class SmartBanModel {
  #sent: Sent[] = [];

  isOnParole(peer: PeerKey): boolean {
    return this.#sent.some((one) => one.peer === peer);
  }

  isWatched(piece: number): boolean {
    return this.#sent.some((one) => one.piece === piece);
  }

  /** Peers to blame. */
  handleFailed(piece: number, senders: readonly PeerKey[], hashes: readonly string[]): Set<PeerKey> {
    if (senders.every((sender) => sender === senders[0]) && senders[0]! >= 0) return new Set([senders[0]!]);
    const guilty = new Set<PeerKey>();
    senders.forEach((peer, block) => {
      const before = this.#sent.filter(
        (one) => one.piece === piece && one.block === block && one.peer === peer,
      );
      if (peer >= 0 && before.some((one) => one.hash !== hashes[block])) guilty.add(peer);
    });
    senders.forEach((peer, block) => {
      this.#sent.push({ piece, block, peer, hash: hashes[block]! });
    });
    return guilty;
  }

  handlePassed(piece: number, hashes: readonly string[]): Set<PeerKey> {
    const ofPiece = this.#sent.filter((one) => one.piece === piece);
    this.#sent = this.#sent.filter((one) => one.piece !== piece);
    return new Set(
      ofPiece.filter((one) => one.peer >= 0 && one.hash !== hashes[one.block]).map((one) => one.peer),
    );
  }
}
