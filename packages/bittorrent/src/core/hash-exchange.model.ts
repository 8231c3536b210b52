/**
 * The naive twin of the hash exchange: what is missing, who was asked for what and who refused what, as plain lists;
 * every answer by looking through all of them. Whether hashes are true it is told. It writes its effects as text.
 */
import { toHex } from '@tequio/kernel';
import type { HashRequest } from '../wire/hash-messages.ts';

export function nameOf({ root, baseLayer, index, length, proofLayers }: HashRequest): string {
  return [toHex(root).slice(0, 8), baseLayer, index, length, proofLayers].join('/');
}

type Want = { name: string; firstPiece: number; pieceCount: number; inquiry: number | null };
type Ask = { name: string; want: Want; peer: number; deadlineMs: number };
type ModelPeer = { key: number; restMs: number; restUntilMs: number; isFalse: boolean };
type Inquiry = { piece: number; endMs: number; openCount: number; bad: number[] };

export class HashExchangeModel {
  readonly effects: string[] = [];
  wants: Want[];
  pollMs: number | null = null;
  readonly peers: ModelPeer[] = [];
  asks: Ask[] = [];
  expired: Ask[] = [];
  inquiries: Inquiry[] = [];
  refusals: { want: Want; peer: number; untilMs: number }[] = [];
  readonly #hasAnyOf: (peer: number, firstPiece: number, pieceCount: number) => boolean;

  constructor(
    chunks: readonly { request: HashRequest; firstPiece: number; pieceCount: number }[],
    hasAnyOf: (peer: number, firstPiece: number, pieceCount: number) => boolean,
  ) {
    this.wants = chunks.map(({ request, ...rest }) => ({ ...rest, name: nameOf(request), inquiry: null }));
    this.#hasAnyOf = hasAnyOf;
  }

  addPeer(key: number, nowMs: number): void {
    if (this.peers.some((peer) => peer.key === key)) return;
    this.peers.push({ key, restMs: 0, restUntilMs: 0, isFalse: false });
    this.handlePieces(key, nowMs);
  }

  removePeer(key: number, nowMs: number): void {
    const at = this.peers.findIndex((peer) => peer.key === key);
    if (at < 0) return;
    this.peers.splice(at, 1);
    this.asks = this.asks.filter(({ peer }) => peer !== key);
    this.expired = this.expired.filter(({ peer }) => peer !== key);
    this.refusals = this.refusals.filter(({ peer }) => peer !== key);
    this.#settle(nowMs);
  }

  handlePieces(key: number, nowMs: number): void {
    const peer = this.peers.find((one) => one.key === key);
    if (peer === undefined || this.wants.length === 0) return;
    this.#askPeer(peer, nowMs);
    this.pollMs ??= nowMs + 1000;
  }

  /** @param isLayerDone the file's piece layer is known with this chunk */
  handleHashes(
    key: number,
    name: string,
    isTrue: boolean,
    isLayerDone: (want: Want) => number | null,
    nowMs: number,
  ): void {
    const peer = this.peers.find((one) => one.key === key);
    if (peer === undefined || peer.isFalse) return;
    const ask = this.#takeAsk(key, name);
    if (ask === null) this.effects.push(`blame ${key} BITTORRENT_HASHES_UNASKED`);
    else if (this.wants.includes(ask.want)) {
      if (isTrue) this.#take(peer, ask.want, isLayerDone);
      else {
        peer.isFalse = true;
        this.expired.push(...this.asks.filter((one) => one.peer === key));
        this.asks = this.asks.filter((one) => one.peer !== key);
        this.effects.push(`blame ${key} BITTORRENT_HASHES_FALSE`);
      }
    }
    this.#settle(nowMs);
  }

  handleReject(key: number, name: string, nowMs: number): void {
    const ask = this.#takeAsk(key, name);
    if (ask === null) return;
    this.#refuse(ask, nowMs);
    this.#settle(nowMs);
  }

  handleFailedPiece(piece: number, requests: readonly HashRequest[], bad: number[], nowMs: number): void {
    if (requests.length === 0) {
      this.effects.push(`badBlocks ${piece}: 0`);
      return;
    }
    this.inquiries.push({ piece, endMs: nowMs + 30_000, openCount: requests.length, bad });
    for (const request of requests)
      this.wants.push({ name: nameOf(request), firstPiece: piece, pieceCount: 1, inquiry: piece });
    this.#settle(nowMs);
  }

  handleTimeout(nowMs: number): void {
    if (this.pollMs === null || nowMs < this.pollMs) return;
    this.pollMs = null;
    for (const peer of this.peers) {
      const late = this.asks.filter((ask) => ask.peer === peer.key && ask.deadlineMs <= nowMs);
      if (late.length === 0) continue;
      this.asks = this.asks.filter((ask) => !late.includes(ask));
      for (const ask of late) {
        this.#refuse(ask, nowMs);
        this.expired.push(ask);
        const own = this.expired.filter((one) => one.peer === peer.key);
        if (own.length > 8) this.expired.splice(this.expired.indexOf(own[0]!), 1);
      }
      peer.restMs = Math.min(120_000, Math.max(5000, peer.restMs * 2));
      peer.restUntilMs = nowMs + peer.restMs;
    }
    this.#settle(nowMs);
  }

  #take(peer: ModelPeer, want: Want, isLayerDone: (want: Want) => number | null): void {
    peer.restMs = 0;
    this.wants = this.wants.filter((other) => other !== want);
    if (want.inquiry === null) {
      this.effects.push(`rootsKnown ${want.firstPiece} ${want.pieceCount}`);
      const file = isLayerDone(want);
      if (file !== null) this.effects.push(`pieceLayerKnown ${file}`);
      return;
    }
    const inquiry = this.inquiries.find(({ piece }) => piece === want.inquiry)!;
    if (--inquiry.openCount > 0) return;
    this.inquiries = this.inquiries.filter((one) => one !== inquiry);
    this.effects.push(`badBlocks ${inquiry.piece}: ${inquiry.bad.join(' ')}`);
  }

  #takeAsk(key: number, name: string): Ask | null {
    for (const list of [this.asks, this.expired]) {
      const at = list.findIndex((ask) => ask.peer === key && ask.name === name);
      if (at >= 0) return list.splice(at, 1)[0]!;
    }
    return null;
  }

  #refuse({ want, peer }: Ask, nowMs: number): void {
    const untilMs = want.inquiry === null ? nowMs + 30_000 : Number.POSITIVE_INFINITY;
    this.refusals = this.refusals.filter((one) => one.want !== want || one.peer !== peer);
    this.refusals.push({ want, peer, untilMs });
  }

  #settle(nowMs: number): void {
    if (this.wants.length > 0) for (const peer of this.peers) this.#askPeer(peer, nowMs);
    if (this.wants.length === 0) this.pollMs = null;
    else this.pollMs ??= nowMs + 1000;
    for (const inquiry of [...this.inquiries]) {
      const isHopeless = this.wants.some(
        (want) =>
          want.inquiry === inquiry.piece &&
          !this.asks.some((ask) => ask.want === want) &&
          !this.peers.some((peer) => !peer.isFalse && this.#mayAsk(peer, want, nowMs)),
      );
      if (nowMs < inquiry.endMs && !isHopeless) continue;
      this.inquiries = this.inquiries.filter((one) => one !== inquiry);
      this.wants = this.wants.filter((want) => want.inquiry !== inquiry.piece);
      this.effects.push(`blocksUnknown ${inquiry.piece}`);
    }
  }

  #askPeer(peer: ModelPeer, nowMs: number): void {
    if (peer.isFalse || peer.restUntilMs > nowMs) return;
    for (const want of this.wants) {
      if (this.asks.filter((ask) => ask.peer === peer.key).length >= 2) return;
      if (this.asks.some((ask) => ask.want === want) || !this.#mayAsk(peer, want, nowMs)) continue;
      this.asks.push({ name: want.name, want, peer: peer.key, deadlineMs: nowMs + 15_000 });
      this.effects.push(`request ${peer.key} ${want.name}`);
    }
  }

  #mayAsk(peer: ModelPeer, want: Want, nowMs: number): boolean {
    if (this.refusals.some((one) => one.want === want && one.peer === peer.key && one.untilMs > nowMs))
      return false;
    return this.#hasAnyOf(peer.key, want.firstPiece, want.pieceCount);
  }
}
