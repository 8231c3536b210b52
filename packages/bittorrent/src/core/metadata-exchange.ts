/**
 * Getting a torrent's `info` from peers when only its info-hash is known (BEP 9), and giving it to others
 * afterwards.
 *
 * The hash is over the whole `info`, so no piece can be checked alone, and anybody may lie about pieces and
 * about the size. Rules:
 *  1. Pieces are gathered in attempts. An attempt has one size; peers with another `metadata_size` take no
 *     part in it. Memory is taken as data arrives, never because of a size.
 *  2. At first all peers of a size share one attempt: each is asked for up to `requestCountMax` pieces at
 *     once, lowest missing first; when nothing is left to ask, a piece that has been waited for is asked of
 *     a second peer too.
 *  3. A shared attempt that fails its check names nobody. From then on this size is fetched whole from
 *     single peers, and a single peer whose `info` fails is proven false. When one passes, the pieces of the
 *     failed attempt that differ from the truth prove their senders false as well, and so is everybody who
 *     claims another size.
 *  4. `attemptCountMax` attempts are active. When others wait, an active one that has used up its time makes
 *     room; each further turn is longer than the last. Fewest turns go first, then most peers, then the
 *     smaller size. So a crowd of liars with invented sizes delays the honest size by a bounded number of
 *     turns.
 *  5. A peer that lets a request time out, or rejects it, is left alone for a time that doubles.
 *
 * Cost of an attack: liars must upload what they invent; at most `heldBytesMax` of what is not active is
 * kept. Others' requests are served within a budget per peer, rejected beyond it, and rejected until we have
 * the `info`.
 */
import { bytesEqual, copyBytes, type Fault, type Hashes, toHex } from '@tequio/kernel';
import {
  type MetadataMessage,
  metadataLimits,
  metadataPieceBytes,
  metadataPieceBytesOf,
  metadataPieceCountOf,
} from '../wire/metadata.ts';
import {
  type Attempt,
  createAttempt,
  expire,
  falseFault,
  forgetAsk,
  type MetadataPeer,
  metadataExchangeLimits,
  type PeerKey,
  pickPiece,
  pieceFault,
  sizeFault,
  takesPart,
  tryTakeAsk,
  unaskedFault,
} from './metadata-exchange-attempt.ts';

export { metadataExchangeLimits };

export type MetadataEffect =
  /** Ask this peer for this piece. */
  | { readonly type: 'request'; readonly peer: PeerKey; readonly piece: number }
  /** Answer this peer's request. `bytes` is a view of the `info`. */
  | {
      readonly type: 'data';
      readonly peer: PeerKey;
      readonly piece: number;
      readonly totalBytes: number;
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'reject'; readonly peer: PeerKey; readonly piece: number }
  /** The `info`, checked against every info-hash that is known. */
  | { readonly type: 'done'; readonly info: Uint8Array }
  /** `peer` may have left in the meantime. */
  | { readonly type: 'blame'; readonly peer: PeerKey; readonly fault: Fault };

export class MetadataExchange {
  readonly #hashes: Hashes;
  readonly #infoHashV1: Uint8Array | null;
  readonly #infoHashV2: Uint8Array | null;
  readonly #peers = new Map<PeerKey, MetadataPeer>();
  /** Peers that have been proven false; they are not asked again. */
  readonly #false = new Set<PeerKey>();
  readonly #effects: MetadataEffect[] = [];
  #attempts: Attempt[] = [];
  /** Sizes whose shared attempt has failed. */
  readonly #soloSizes = new Set<number>();
  #evidence: { readonly peer: PeerKey; readonly piece: number; readonly digest: string }[] = [];
  #info: Uint8Array | null = null;
  #pollMs: number | null = null;

  /** At least one of the info-hashes: 20 bytes for v1, 32 for v2. */
  constructor(
    hashes: Hashes,
    infoHashes: { readonly infoHashV1: Uint8Array | null; readonly infoHashV2: Uint8Array | null },
  ) {
    this.#hashes = hashes;
    this.#infoHashV1 = infoHashes.infoHashV1;
    this.#infoHashV2 = infoHashes.infoHashV2;
  }

  /** The `info`, once it is known. */
  get info(): Uint8Array | null {
    return this.#info;
  }

  /** Share of the furthest attempt that has arrived, 0 to 1: for showing. */
  get progress(): number {
    if (this.#info !== null) return 1;
    return this.#attempts.reduce((most, a) => Math.max(most, a.pieces.size / a.pieceCount), 0);
  }

  /** From now on only serves: the `info` is known from elsewhere and has been checked. */
  setInfo(info: Uint8Array): void {
    this.#info = info;
    this.#attempts = [];
    this.#pollMs = null;
  }

  /**
   * A peer that speaks `ut_metadata` (its handshake gave an id for it), also to be served.
   * @param sizeBytes its `metadata_size`; null: it did not say
   */
  addPeer(key: PeerKey, sizeBytes: number | null, nowMs: number): void {
    const known = this.#peers.get(key);
    if (known !== undefined && known.sizeBytes === sizeBytes) return;
    this.#dropPeer(key);
    const isUsable = sizeBytes !== null && sizeBytes > 0 && sizeBytes <= metadataLimits.bytesMax;
    const peer: MetadataPeer = {
      key,
      sizeBytes: isUsable ? sizeBytes : null,
      asks: [],
      expired: [],
      restMs: 0,
      restUntilMs: 0,
      serveTokens: known?.serveTokens ?? Number.POSITIVE_INFINITY,
      serveTokensMs: known?.serveTokensMs ?? nowMs,
    };
    this.#peers.set(key, peer);
    if (this.#info !== null) return;
    this.#addAttemptFor(peer);
    this.#pollMs ??= nowMs + metadataExchangeLimits.pollMs;
    this.#ask(nowMs);
  }

  removePeer(key: PeerKey, nowMs: number): void {
    this.#dropPeer(key);
    this.#false.delete(key);
    this.#ask(nowMs);
  }

  /** A decoded message of a peer that was added. `bytes` of data are copied. */
  handleMessage(key: PeerKey, message: MetadataMessage, nowMs: number): void {
    const peer = this.#peers.get(key);
    if (peer === undefined) return;
    if (message.type === 'request') this.#serve(peer, message.piece, nowMs);
    else if (message.type === 'data') this.#handleData(peer, message, nowMs);
    else if (message.type === 'reject') this.#handleReject(peer, message.piece, nowMs);
    this.#ask(nowMs);
  }

  nextTimeoutMs(): number | null {
    return this.#pollMs;
  }

  handleTimeout(nowMs: number): void {
    if (this.#pollMs === null || nowMs < this.#pollMs) return;
    this.#pollMs = null;
    for (const peer of this.#peers.values()) {
      const late = peer.asks.filter((ask) => ask.deadlineMs <= nowMs);
      if (late.length > 0) {
        peer.asks = peer.asks.filter((ask) => ask.deadlineMs > nowMs);
        for (const ask of late) expire(peer, ask);
        this.#rest(peer, nowMs);
      }
      if (peer.sizeBytes !== null) this.#pollMs = nowMs + metadataExchangeLimits.pollMs;
    }
    if (this.#info !== null) this.#pollMs = null;
    this.#ask(nowMs);
  }

  /** Moves all waiting effects to the end of `out`. */
  drain(out: MetadataEffect[]): void {
    for (const effect of this.#effects) out.push(effect);
    this.#effects.length = 0;
  }

  #handleReject(peer: MetadataPeer, piece: number, nowMs: number): void {
    const ask = tryTakeAsk(peer.asks, piece);
    if (ask === null) return;
    forgetAsk(ask);
    this.#rest(peer, nowMs);
  }

  #handleData(peer: MetadataPeer, message: MetadataMessage & { readonly type: 'data' }, nowMs: number): void {
    let ask = tryTakeAsk(peer.asks, message.piece);
    if (ask !== null) forgetAsk(ask);
    ask ??= tryTakeAsk(peer.expired, message.piece);
    if (ask === null) {
      this.#blame(peer.key, unaskedFault);
      return;
    }
    const { attempt, piece } = ask;
    if (this.#info !== null || attempt.pieces.has(piece) || !this.#attempts.includes(attempt)) return;
    const saidBytes = message.totalBytes ?? attempt.sizeBytes;
    if (
      saidBytes !== attempt.sizeBytes ||
      message.bytes.length !== metadataPieceBytesOf(attempt.sizeBytes, piece)
    ) {
      this.#rest(peer, nowMs);
      this.#blame(peer.key, pieceFault);
      return;
    }
    peer.restMs = 0;
    attempt.pieces.set(piece, { bytes: copyBytes(message.bytes), sender: peer.key });
    attempt.heldBytes += message.bytes.length;
    if (attempt.pieces.size === attempt.pieceCount) this.#finish(attempt);
    this.#forgetTooMuch();
  }

  #finish(attempt: Attempt): void {
    const info = new Uint8Array(attempt.sizeBytes);
    const senders = new Set<PeerKey>();
    for (const [piece, { bytes, sender }] of attempt.pieces) {
      info.set(bytes, piece * metadataPieceBytes);
      senders.add(sender);
    }
    this.#attempts = this.#attempts.filter((other) => other !== attempt);
    for (const peer of this.#peers.values()) {
      for (const ask of peer.asks) if (ask.attempt === attempt) expire(peer, ask);
      peer.asks = peer.asks.filter((ask) => ask.attempt !== attempt);
    }
    if (this.#isTrue(info)) this.#succeed(info);
    else this.#fail(attempt, senders);
  }

  /** Rule 3. */
  #fail(attempt: Attempt, senders: ReadonlySet<PeerKey>): void {
    if (senders.size === 1) {
      for (const sender of senders) this.#markFalse(sender);
    } else {
      for (const [piece, { bytes, sender }] of attempt.pieces)
        this.#evidence.push({ peer: sender, piece, digest: toHex(this.#hashes.sha1(bytes)) });
      this.#evidence = this.#evidence.slice(-metadataExchangeLimits.evidenceCountMax);
      this.#soloSizes.add(attempt.sizeBytes);
    }
    for (const peer of this.#peers.values())
      if (peer.sizeBytes === attempt.sizeBytes) this.#addAttemptFor(peer);
  }

  #succeed(info: Uint8Array): void {
    this.setInfo(info);
    this.#effects.push({ type: 'done', info });
    for (const peer of this.#peers.values()) {
      for (const ask of peer.asks) expire(peer, ask);
      peer.asks = [];
    }
    const digests = new Map<number, string>();
    for (const { peer, piece, digest } of this.#evidence) {
      const from = piece * metadataPieceBytes;
      if (!digests.has(piece))
        digests.set(piece, toHex(this.#hashes.sha1(info.subarray(from, from + metadataPieceBytes))));
      if (digest !== digests.get(piece)) this.#markFalse(peer);
    }
    for (const peer of this.#peers.values())
      if (peer.sizeBytes !== null && peer.sizeBytes !== info.length) this.#blame(peer.key, sizeFault);
    this.#evidence = [];
    this.#soloSizes.clear();
  }

  #isTrue(info: Uint8Array): boolean {
    const [v1, v2] = [this.#infoHashV1, this.#infoHashV2];
    if (v1 === null && v2 === null) return false;
    if (v1 !== null && !bytesEqual(this.#hashes.sha1(info), v1)) return false;
    return v2 === null || bytesEqual(this.#hashes.sha256(info), v2);
  }

  /** Makes the attempt that this peer can take part in, unless it is there. */
  #addAttemptFor(peer: MetadataPeer): void {
    const { sizeBytes } = peer;
    if (sizeBytes === null || this.#false.has(peer.key)) return;
    const solo = this.#soloSizes.has(sizeBytes) ? peer.key : null;
    if (this.#attempts.some((attempt) => attempt.sizeBytes === sizeBytes && attempt.solo === solo)) return;
    this.#attempts.push(createAttempt(sizeBytes, solo));
  }

  /** Chooses the active attempts (rule 4), then asks every peer that can be asked (rule 2). */
  #ask(nowMs: number): void {
    if (this.#info !== null || this.#attempts.length === 0) return;
    this.#rotate(nowMs);
    for (const peer of this.#peers.values()) {
      if (!this.#canAsk(peer, nowMs)) continue;
      while (peer.asks.length < metadataExchangeLimits.requestCountMax) {
        const attempt = this.#attempts.find((a) => a.activeSinceMs !== null && takesPart(peer, a));
        const piece = attempt === undefined ? -1 : pickPiece(attempt, peer, nowMs);
        if (attempt === undefined || piece < 0) break;
        peer.asks.push({ attempt, piece, deadlineMs: nowMs + metadataExchangeLimits.answerMs });
        const peerCount = (attempt.asked.get(piece)?.peerCount ?? 0) + 1;
        attempt.asked.set(piece, { peerCount, atMs: nowMs });
        this.#effects.push({ type: 'request', peer: peer.key, piece });
      }
    }
  }

  #rotate(nowMs: number): void {
    const { attemptCountMax, turnMs } = metadataExchangeLimits;
    const supporters = new Map<Attempt, number>();
    for (const attempt of this.#attempts) supporters.set(attempt, this.#supporterCount(attempt, nowMs));
    const waiting = this.#attempts.filter((a) => a.activeSinceMs === null && supporters.get(a)! > 0);
    for (const attempt of this.#attempts) {
      if (attempt.activeSinceMs === null) continue;
      const isOver = nowMs - attempt.activeSinceMs >= turnMs * (attempt.turnCount + 1);
      if (supporters.get(attempt) === 0) attempt.activeSinceMs = null;
      else if (isOver && waiting.length > 0) {
        attempt.activeSinceMs = null;
        attempt.turnCount++;
        waiting.push(attempt);
      }
    }
    let activeCount = this.#attempts.filter((a) => a.activeSinceMs !== null).length;
    if (activeCount >= attemptCountMax || waiting.length === 0) return;
    waiting.sort(
      (a, b) =>
        a.turnCount - b.turnCount || supporters.get(b)! - supporters.get(a)! || a.sizeBytes - b.sizeBytes,
    );
    for (const attempt of waiting) {
      if (activeCount++ >= attemptCountMax) break;
      attempt.activeSinceMs = nowMs;
    }
  }

  /** Peers that could be asked for its pieces now. */
  #supporterCount(attempt: Attempt, nowMs: number): number {
    let count = 0;
    for (const peer of this.#peers.values())
      if (takesPart(peer, attempt) && this.#canAsk(peer, nowMs)) count++;
    return count;
  }

  #canAsk(peer: MetadataPeer, nowMs: number): boolean {
    return peer.sizeBytes !== null && peer.restUntilMs <= nowMs && !this.#false.has(peer.key);
  }

  /** Of attempts that are not active, what is over the ceiling goes, the largest first. */
  #forgetTooMuch(): void {
    const idle = this.#attempts.filter((a) => a.activeSinceMs === null && a.heldBytes > 0);
    idle.sort((a, b) => b.heldBytes - a.heldBytes);
    let heldBytes = idle.reduce((sum, attempt) => sum + attempt.heldBytes, 0);
    for (const attempt of idle) {
      if (heldBytes <= metadataExchangeLimits.heldBytesMax) return;
      heldBytes -= attempt.heldBytes;
      attempt.pieces.clear();
      attempt.heldBytes = 0;
    }
  }

  #dropPeer(key: PeerKey): void {
    const peer = this.#peers.get(key);
    if (peer === undefined) return;
    for (const ask of peer.asks) forgetAsk(ask);
    this.#peers.delete(key);
    let orphanCount = 0;
    // From the newest on: what nobody can go on with is kept for a peer that comes back, but not without end.
    for (let i = this.#attempts.length - 1; i >= 0; i--) {
      const attempt = this.#attempts[i]!;
      const isOrphan = attempt.solo === key || (attempt.solo === null && !this.#hasPeer(attempt));
      const isKept = attempt.solo === null && attempt.heldBytes > 0;
      if (isOrphan && !(isKept && ++orphanCount <= metadataExchangeLimits.orphanCountMax))
        this.#attempts.splice(i, 1);
    }
  }

  #hasPeer(attempt: Attempt): boolean {
    for (const peer of this.#peers.values()) if (takesPart(peer, attempt)) return true;
    return false;
  }

  #markFalse(peer: PeerKey): void {
    if (this.#false.has(peer)) return;
    if (this.#peers.has(peer)) this.#false.add(peer);
    this.#attempts = this.#attempts.filter((attempt) => attempt.solo !== peer);
    this.#blame(peer, falseFault);
  }

  #rest(peer: MetadataPeer, nowMs: number): void {
    const { restMs, restMaxMs } = metadataExchangeLimits;
    peer.restMs = Math.min(restMaxMs, Math.max(restMs, peer.restMs * 2));
    peer.restUntilMs = nowMs + peer.restMs;
  }

  #blame(peer: PeerKey, fault: Fault): void {
    this.#effects.push({ type: 'blame', peer, fault });
  }

  #serve(peer: MetadataPeer, piece: number, nowMs: number): void {
    const { serveBurstFactor, serveBurstExtra, servePerSecond } = metadataExchangeLimits;
    const pieceCount = this.#info === null ? 0 : metadataPieceCountOf(this.#info.length);
    const burst = pieceCount * serveBurstFactor + serveBurstExtra;
    const gained = (Math.max(0, nowMs - peer.serveTokensMs) * servePerSecond) / 1000;
    peer.serveTokens = Math.min(burst, peer.serveTokens + gained);
    peer.serveTokensMs = nowMs;
    if (this.#info === null || piece >= pieceCount || peer.serveTokens < 1) {
      this.#effects.push({ type: 'reject', peer: peer.key, piece });
      return;
    }
    peer.serveTokens--;
    const totalBytes = this.#info.length;
    const from = piece * metadataPieceBytes;
    const bytes = this.#info.subarray(from, from + metadataPieceBytesOf(totalBytes, piece));
    this.#effects.push({ type: 'data', peer: peer.key, piece, totalBytes, bytes });
  }
}
