import type { Fault, OverlayStream, OverlayStreamHandler, Timer } from '@tequio/kernel';
import { BitswapClient } from '../core/bitswap-client.ts';
import type { BitswapClientCounts, BitswapClientEffect } from '../core/bitswap-client-words.ts';
import { type BitswapLedger, debtRatio } from '../core/bitswap-ledger.ts';
import type { BitswapPeerCounts } from '../core/bitswap-peer.ts';
import { BitswapServer, type BitswapServerEffect } from '../core/bitswap-server.ts';
import {
  type BitswapMessage,
  bitswapMessageLimits,
  bitswapProtocols,
  decodeBitswapMessage,
  emptyBitswapMessage,
  encodeBitswapMessage,
} from '../wire/bitswap-message.ts';
import { type CidKey, cidKeyOf } from '../wire/cid-bytes.ts';
import { FrameDecoder } from '../wire/message-frames.ts';
import type { BitswapDeps } from './bitswap-deps.ts';
import { BitswapLine } from './bitswap-line.ts';
import { nameBlocks } from './block-name.ts';
import { PacedReading } from './paced-reading.ts';
import { ProviderSearch } from './provider-search.ts';

export const bitswapDriverLimits = {
  /** Streams that one peer may have open to us. */
  streamCountMax: 16,
  /** Of these so many are believed when they name a length that the peer has kept before. */
  believedCountMax: 3,
  penaltyMax: 100,
  /** Who was sent away is not spoken with for so long. */
  banMs: 3_600_000,
  banCountMax: 10_000,
  /** A line that fails is tried again after so long, and after twice as long each time. */
  redialMs: 1_000,
  redialCountMax: 5,
} as const;

export type BitswapPeerView = BitswapLedger & {
  readonly debtRatio: number;
  readonly client: Readonly<BitswapPeerCounts> | null;
  readonly latencyMs: number | null;
  /** What it wants of us, and how much of that was refused. */
  readonly wantCount: number;
  readonly refusedWants: number;
};

type Peer = {
  readonly id: string;
  readonly line: BitswapLine;
  readonly ledger: BitswapLedger;
  readonly streams: Set<OverlayStream>;
  /** The newest protocol that it is known to speak. */
  protocol: string;
  /** The longest message that came whole: a length as long is believed. */
  longestBytes: number;
  penalty: number;
  failCount: number;
  redial: Timer | null;
};

type Waiter = (bytes: Uint8Array | null) => void;

/** Bitswap over the overlay: streams in, messages out, one loop, one timer. The decisions are in core/. */
export class BitswapDriver {
  readonly #deps: BitswapDeps;
  readonly #client = new BitswapClient();
  readonly #server: BitswapServer;
  readonly #peers = new Map<string, Peer>();
  readonly #bans = new Map<string, number>();
  /** Who waits for a block: by name, then by session. */
  readonly #waiters = new Map<CidKey, Map<number, Set<Waiter>>>();
  readonly #search: ProviderSearch;
  readonly #ends: (() => void)[] = [];
  #sessionCount = 0;
  #timer: Timer | null = null;
  #timerMs = Number.POSITIVE_INFINITY;
  #isPumping = false;
  #isScheduled = false;
  #isClosed = false;

  constructor(deps: BitswapDeps) {
    this.#deps = deps;
    const up = deps.rates?.up;
    this.#server = new BitswapServer({ allowance: up === undefined ? null : () => up });
    this.#search = new ProviderSearch(deps);
  }

  start(): void {
    const { overlay } = this.#deps;
    for (const protocol of bitswapProtocols)
      this.#ends.push(overlay.handle(protocol, (stream) => this.#accept(stream)));
    this.#ends.push(
      overlay.watch({
        onPeer: (peer, protocols) => {
          this.#greet(peer, protocols);
          this.#pump();
        },
        onPeerGone: (peer) => {
          this.#closePeer(peer);
          this.#pump();
        },
      }),
    );
    for (const { peer, protocols } of overlay.peers) this.#greet(peer, protocols);
    this.#pump();
  }

  /** Ends all waits with null. */
  close(): void {
    this.#isClosed = true;
    for (const end of this.#ends.splice(0)) end();
    this.#search.close();
    for (const peer of [...this.#peers.keys()]) this.#closePeer(peer);
    this.#timer?.cancel();
    this.#timer = null;
    for (const sessions of [...this.#waiters.values()])
      for (const waiters of sessions.values()) for (const waiter of waiters) waiter(null);
    this.#waiters.clear();
  }

  get counts(): Readonly<BitswapClientCounts> {
    return this.#client.counts;
  }

  /** CIDs that are wanted now. */
  get wantlist(): readonly Uint8Array[] {
    return [...this.#client.wants];
  }

  /** What a peer wants of us. */
  wantlistOf(peer: string): readonly Uint8Array[] {
    return this.#server.wantsOf(peer);
  }

  get peers(): readonly BitswapPeerView[] {
    const served = new Map(this.#server.peers.map((view) => [view.peer, view]));
    return [...this.#peers.values()].map(({ id, ledger }) => {
      const client = this.#client.peers.get(id);
      const server = served.get(id);
      const whole = {
        ...ledger,
        sentBlocks: server?.sentBlocks ?? 0,
        sentBytes: server?.sentBytes ?? 0,
      };
      return {
        ...whole,
        debtRatio: debtRatio(whole),
        client: client === undefined ? null : { ...client.counts },
        latencyMs: client?.latencyMs ?? null,
        wantCount: server?.wantCount ?? 0,
        refusedWants: server?.refusedWants ?? 0,
      };
    });
  }

  /** A session's number: blocks of one thing are wanted under one. */
  openSession(): number {
    return ++this.#sessionCount;
  }

  /** Its waits end with null. */
  closeSession(session: number): void {
    for (const [key, sessions] of [...this.#waiters]) {
      const waiters = sessions.get(session);
      if (waiters === undefined) continue;
      sessions.delete(session);
      if (sessions.size === 0) this.#waiters.delete(key);
      for (const waiter of waiters) waiter(null);
    }
    this.#client.handle({ type: 'session-close', session }, this.#nowMs);
    this.#schedule();
  }

  /** The block, whose bytes have the name that was asked for; null when `signal` or the session ended first. */
  get(session: number, cid: Uint8Array, signal?: AbortSignal): Promise<Uint8Array | null> {
    if (this.#isClosed || signal?.aborted === true) return Promise.resolve(null);
    const key = cidKeyOf(cid);
    return new Promise((resolve) => {
      const sessions = this.#waiters.get(key) ?? new Map<number, Set<Waiter>>();
      this.#waiters.set(key, sessions);
      const waiters = sessions.get(session) ?? new Set<Waiter>();
      sessions.set(session, waiters);
      const waiter: Waiter = (bytes) => {
        signal?.removeEventListener('abort', onAbort);
        resolve(bytes);
      };
      const onAbort = (): void => {
        this.#stopWaiting(session, cid, key, waiter);
        waiter(null);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      waiters.add(waiter);
      if (waiters.size > 1) return;
      this.#client.handle({ type: 'want', session, cids: [cid] }, this.#nowMs);
      this.#schedule();
    });
  }

  /** A connected peer is said to have what the session wants. */
  markProvider(session: number, peer: string): void {
    this.#client.handle({ type: 'provider', session, peer }, this.#nowMs);
    this.#schedule();
  }

  /** Blocks have come into the store: those who wait for them get them. */
  markStored(cids: readonly Uint8Array[]): void {
    this.#server.handle({ type: 'stored', cids }, this.#nowMs);
    this.#schedule();
  }

  get #nowMs(): number {
    return this.#deps.clock.nowMs();
  }

  #stopWaiting(session: number, cid: Uint8Array, key: CidKey, waiter: Waiter): void {
    const sessions = this.#waiters.get(key);
    const waiters = sessions?.get(session);
    if (sessions === undefined || waiters === undefined || !waiters.delete(waiter) || waiters.size > 0)
      return;
    sessions.delete(session);
    if (sessions.size === 0) this.#waiters.delete(key);
    this.#client.handle({ type: 'unwant', session, cids: [cid] }, this.#nowMs);
    this.#schedule();
  }

  // Peers and streams

  #greet(peer: string, protocols: readonly string[]): void {
    const protocol = bitswapProtocols.find((name) => protocols.includes(name));
    if (protocol !== undefined) this.#openPeer(peer, protocol);
  }

  #openPeer(id: string, protocol: string): Peer | null {
    const known = this.#peers.get(id);
    if (known !== undefined) return known;
    const untilMs = this.#bans.get(id);
    if (this.#isClosed || (untilMs !== undefined && this.#nowMs < untilMs)) return null;
    const peer: Peer = {
      id,
      line: new BitswapLine(this.#deps.overlay, id, {
        onSent: (bytes) => {
          peer.failCount = 0;
          this.#server.handle({ type: 'sent', peer: id, bytes }, this.#nowMs);
          this.#schedule();
        },
        onLost: () => this.#lose(peer),
      }),
      ledger: { peer: id, sentBlocks: 0, sentBytes: 0, receivedBlocks: 0, receivedBytes: 0, exchanges: 0 },
      streams: new Set(),
      protocol,
      longestBytes: 0,
      penalty: 0,
      failCount: 0,
      redial: null,
    };
    this.#peers.set(id, peer);
    this.#meet(peer);
    return peer;
  }

  #closePeer(id: string): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    this.#peers.delete(id);
    peer.redial?.cancel();
    peer.line.close();
    for (const stream of [...peer.streams]) stream.reset();
    peer.streams.clear();
    this.#part(peer);
  }

  #meet({ id, protocol }: Peer): void {
    const speaksHave = protocol === bitswapProtocols[0];
    this.#server.handle({ type: 'peer-open', peer: id, protocol }, this.#nowMs);
    this.#client.handle({ type: 'peer-open', peer: id, speaksHave }, this.#nowMs);
  }

  #part({ id }: Peer): void {
    this.#client.handle({ type: 'peer-gone', peer: id }, this.#nowMs);
    this.#server.handle({ type: 'peer-gone', peer: id }, this.#nowMs);
  }

  /** Our stream to it broke: what it was told may be lost, so it is told again, as if it had just come. */
  #lose(peer: Peer): void {
    if (this.#peers.get(peer.id) !== peer) return;
    const { redialMs, redialCountMax } = bitswapDriverLimits;
    this.#part(peer);
    this.#schedule();
    if (peer.failCount++ >= redialCountMax) return;
    peer.redial?.cancel();
    peer.redial = this.#deps.clock.setTimer(redialMs * 2 ** (peer.failCount - 1), () => {
      if (this.#peers.get(peer.id) !== peer) return;
      this.#meet(peer);
      this.#pump();
    });
  }

  #accept(stream: OverlayStream): OverlayStreamHandler | null {
    const peer = this.#openPeer(stream.peer, stream.protocol);
    if (peer === null || peer.streams.size >= bitswapDriverLimits.streamCountMax) return null;
    peer.streams.add(stream);
    const believed = peer.streams.size <= bitswapDriverLimits.believedCountMax ? peer.longestBytes : 0;
    const decoder = new FrameDecoder(bitswapMessageLimits.messageBytesMax, believed);
    const { rates, clock } = this.#deps;
    const pace =
      rates === undefined
        ? null
        : new PacedReading(stream, rates.down.child('stream'), clock, (isHeld) => this.#hold(peer, isHeld));
    return {
      onBytes: (bytes) => {
        if (this.#peers.get(peer.id) !== peer) return;
        pace?.received(bytes.length);
        const result = decoder.push(bytes, (message) => this.#handleBytes(peer, message));
        if (!result.ok) {
          this.#blame(peer, result.fault);
          stream.reset();
        } else if (decoder.isInside) {
          this.#client.handle({ type: 'bytes', peer: peer.id, bytes: bytes.length }, this.#nowMs);
        }
        this.#pump();
      },
      onEnd: () => stream.end(),
      onClose: () => {
        pace?.close();
        peer.longestBytes = Math.max(peer.longestBytes, decoder.longestBytes);
        peer.streams.delete(stream);
      },
    };
  }

  #hold(peer: Peer, isHeld: boolean): void {
    if (this.#peers.get(peer.id) !== peer) return;
    this.#client.handle({ type: 'held', peer: peer.id, isHeld }, this.#nowMs);
    this.#schedule();
  }

  #handleBytes(peer: Peer, bytes: Uint8Array): void {
    if (this.#peers.get(peer.id) !== peer) return;
    const decoded = decodeBitswapMessage(bytes);
    if (!decoded.ok) {
      this.#blame(peer, decoded.fault);
      return;
    }
    const message = decoded.value;
    peer.ledger.exchanges++;
    const nowMs = this.#nowMs;
    if (message.blocks.length + message.presences.length > 0) this.#handleAnswers(peer, message, nowMs);
    if (message.entries.length > 0 || message.full) {
      const { entries, full } = message;
      this.#server.handle({ type: 'wants', peer: peer.id, entries, full }, nowMs);
    }
  }

  #handleAnswers(peer: Peer, message: BitswapMessage, nowMs: number): void {
    const { blocks, fault } = nameBlocks(this.#deps.namer, message.blocks);
    for (const { bytes } of blocks) {
      peer.ledger.receivedBlocks++;
      peer.ledger.receivedBytes += bytes.length;
    }
    const { presences } = message;
    this.#client.handle({ type: 'message', peer: peer.id, blocks, presences }, nowMs);
    if (fault !== null) this.#blame(peer, fault);
  }

  #blame(peer: Peer, fault: Fault): void {
    const { penaltyMax, banMs, banCountMax } = bitswapDriverLimits;
    peer.penalty += fault.penalty;
    this.#deps.log.debug('bitswap.fault', { peer: peer.id, code: fault.code, penalty: peer.penalty });
    this.#deps.onFault?.(peer.id, fault);
    if (peer.penalty < penaltyMax || this.#peers.get(peer.id) !== peer) return;
    const oldest = this.#bans.keys().next();
    if (this.#bans.size >= banCountMax && oldest.done !== true) this.#bans.delete(oldest.value);
    this.#bans.set(peer.id, this.#nowMs + banMs);
    this.#closePeer(peer.id);
    void this.#deps.overlay.disconnect(peer.id).catch(() => undefined);
    this.#deps.onBan?.(peer.id);
  }

  // The loop

  /** Later in this turn, so that many wants make one message. */
  #schedule(): void {
    if (this.#isScheduled || this.#isPumping || this.#isClosed) return;
    this.#isScheduled = true;
    void Promise.resolve().then(() => {
      this.#isScheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#isPumping || this.#isClosed) return;
    this.#isPumping = true;
    for (;;) {
      const effects: (BitswapClientEffect | BitswapServerEffect)[] = [];
      this.#client.drain(effects as BitswapClientEffect[]);
      this.#server.drain(effects as BitswapServerEffect[]);
      if (effects.length === 0) break;
      for (const effect of effects) this.#run(effect);
    }
    this.#isPumping = false;
    this.#arm();
  }

  #arm(): void {
    const nextMs = Math.min(
      this.#client.nextTimeoutMs() ?? Number.POSITIVE_INFINITY,
      this.#server.nextTimeoutMs() ?? Number.POSITIVE_INFINITY,
    );
    if (nextMs === this.#timerMs && this.#timer !== null) return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#timerMs = nextMs;
    if (!Number.isFinite(nextMs)) return;
    this.#timer = this.#deps.clock.setTimer(Math.max(0, nextMs - this.#nowMs), () => {
      this.#timer = null;
      const nowMs = this.#nowMs;
      this.#client.handleTimeout(nowMs);
      this.#server.handleTimeout(nowMs);
      this.#pump();
    });
  }

  #run(effect: BitswapClientEffect | BitswapServerEffect): void {
    switch (effect.type) {
      case 'send': {
        const message =
          'message' in effect ? effect.message : { ...emptyBitswapMessage, entries: effect.entries };
        const bytes = 'bytes' in effect ? effect.bytes : 0;
        const frame = encodeBitswapMessage(message);
        // The blocks in it were counted when the server asked for them.
        this.#deps.rates?.up.charge(frame.length - bytes, this.#nowMs);
        this.#peers.get(effect.peer)?.line.send(frame, bytes);
        break;
      }
      case 'block':
        this.#deliver(effect.block.cid, effect.block.bytes);
        break;
      case 'find':
        this.#find(effect.session, effect.cid);
        break;
      case 'look':
        void this.#look(effect.job, effect.cids);
        break;
      case 'read':
        void this.#read(effect.job, effect.cids);
        break;
      case 'fault': {
        const peer = this.#peers.get(effect.peer);
        if (peer !== undefined) this.#blame(peer, effect.fault);
        break;
      }
    }
  }

  #deliver(cid: Uint8Array, bytes: Uint8Array): void {
    const key = cidKeyOf(cid);
    const sessions = this.#waiters.get(key);
    this.#waiters.delete(key);
    for (const waiters of sessions?.values() ?? []) for (const waiter of waiters) waiter(bytes);
  }

  async #look(job: number, cids: readonly Uint8Array[]): Promise<void> {
    const { store, maySend, log } = this.#deps;
    let sizes: readonly (number | null)[];
    try {
      sizes = await store.sizes(cids);
    } catch (error) {
      log.debug('bitswap.store-failed', { reason: String(error) });
      sizes = cids.map(() => null);
    }
    const isGiven = (size: number, cid: Uint8Array): boolean =>
      size <= bitswapMessageLimits.blockBytesMax && maySend?.(cid) !== false;
    const given = sizes.map((size, index) => (size !== null && isGiven(size, cids[index]!) ? size : null));
    this.#server.handle({ type: 'looked', job, sizes: given }, this.#nowMs);
    this.#schedule();
  }

  async #read(job: number, cids: readonly Uint8Array[]): Promise<void> {
    const blocks = await Promise.all(cids.map((cid) => this.#deps.store.read(cid).catch(() => null)));
    this.#server.handle({ type: 'read', job, blocks }, this.#nowMs);
    this.#schedule();
  }

  #find(session: number, cid: Uint8Array): void {
    void this.#search.find(cid, (peer) => {
      if (this.#isBanned(peer)) return false;
      if (this.#peers.has(peer)) this.markProvider(session, peer);
      return !this.#peers.has(peer);
    });
  }

  #isBanned(peer: string): boolean {
    return this.#nowMs < (this.#bans.get(peer) ?? Number.NEGATIVE_INFINITY);
  }
}
