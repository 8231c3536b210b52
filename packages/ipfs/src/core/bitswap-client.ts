import { assert, type Machine } from '@tequio/kernel';
import type { BitswapPresence } from '../wire/bitswap-message.ts';
import { type CidKey, cidKeyOf } from '../wire/cid-bytes.ts';
import type {
  BitswapClientCounts,
  BitswapClientEffect,
  BitswapClientInput,
  NamedBlock,
} from './bitswap-client-words.ts';
import { bitswapLimits, bitswapPenalty } from './bitswap-limits.ts';
import { BitswapPeer } from './bitswap-peer.ts';
import { BitswapSession } from './bitswap-session.ts';
import { BitswapWant, type Peer, type Session } from './bitswap-want.ts';
import { RecentKeys } from './recent-keys.ts';

/** Ready wants that are tried in vain before the turn ends: their peers are full, others' may not be. */
const readyTryMax = 64;

/**
 * Gets blocks from peers.
 *
 * Rules
 * - The first want of a session is asked about: HAVE? to many at once; the block itself only from the best that says
 *   yes. Later wants go straight to who was useful in the session, as want-blocks that ask for DONT_HAVE.
 * - The best of several: who is expected to deliver first (round trip + its queue), and who keeps its word.
 * - A want-block is out to one peer; to a second one when the first is late by a few round trips and another has it.
 *   Late by the peer's own timeout: it counts as a lacker, its window is halved, somebody else is asked.
 * - What nobody has is looked for again, rarer each time, among all peers and among providers; peers that come are
 *   asked at once.
 * - When a block comes, everybody who has the want on a list is told to strike it out, in their next message.
 *
 * Attackers: wrong bytes hash to a name that was never asked for (`IPFS_BITSWAP_UNWANTED`); who says HAVE and then
 * does not deliver is named (`IPFS_BITSWAP_HAVE_LIE`), seems further away with each time, and is sent away in the end;
 * a session's peers, windows and memories are bounded. An answer to a want that has just ended is nobody's fault: the
 * last 65,536 of those are remembered.
 *
 * Cost: O(1) a block and a presence (a want's peers aside), O(peers + sessions) a timeout.
 */
export class BitswapClient implements Machine<BitswapClientInput, BitswapClientEffect> {
  readonly counts: BitswapClientCounts = {
    blocks: 0,
    bytes: 0,
    duplicateBlocks: 0,
    duplicateBytes: 0,
    unwantedBlocks: 0,
  };
  readonly #peers = new Map<string, Peer>();
  readonly #sessions = new Map<number, Session>();
  readonly #wants = new Map<CidKey, BitswapWant>();
  readonly #ready = new Set<BitswapWant>();
  readonly #searching = new Set<BitswapWant>();
  readonly #recent = new RecentKeys(bitswapLimits.recentCountMax);
  #effects: BitswapClientEffect[] = [];
  /** Wants come in order: earlier ones are more urgent. */
  #priority = 0x7fff_ffff;

  /** What is wanted now. */
  get wants(): Iterable<Uint8Array> {
    return [...this.#wants.values()].map((want) => want.cid);
  }

  get wantCount(): number {
    return this.#wants.size;
  }

  get peers(): ReadonlyMap<string, Peer> {
    return this.#peers;
  }

  handle(input: BitswapClientInput, nowMs: number): void {
    switch (input.type) {
      case 'want':
        for (const cid of input.cids) this.#want(input.session, cid, nowMs);
        break;
      case 'unwant':
        for (const cid of input.cids) this.#unwant(input.session, cidKeyOf(cid));
        break;
      case 'session-close':
        for (const want of [...(this.#sessions.get(input.session)?.wants ?? [])])
          this.#unwant(input.session, want.key);
        this.#sessions.delete(input.session);
        break;
      case 'peer-open':
        this.#openPeer(input.peer, input.speaksHave, nowMs);
        break;
      case 'peer-gone':
        this.#closePeer(input.peer, nowMs);
        break;
      case 'bytes':
        this.#peers.get(input.peer)?.markBytes(input.bytes, nowMs);
        break;
      case 'held':
        this.#peers.get(input.peer)?.markHeld(input.isHeld, nowMs);
        break;
      case 'provider':
        this.#addProvider(input.session, input.peer);
        break;
      case 'message':
        this.#handleMessage(input.peer, input.blocks, input.presences, nowMs);
        break;
    }
    this.#place(nowMs);
  }

  handleTimeout(nowMs: number): void {
    for (const peer of this.#peers.values()) this.#checkPeer(peer, nowMs);
    for (const session of this.#sessions.values()) this.#checkSession(session, nowMs);
    this.#place(nowMs);
  }

  nextTimeoutMs(): number | null {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const peer of this.#peers.values()) {
      const sinceMs = peer.silentSinceMs;
      if (sinceMs !== null) nextMs = Math.min(nextMs, sinceMs + peer.timeoutMs, peer.nextHedgeMs(sinceMs));
    }
    for (const { searchMs, findMs } of this.#sessions.values())
      nextMs = Math.min(nextMs, searchMs ?? nextMs, findMs ?? nextMs);
    return Number.isFinite(nextMs) ? nextMs : null;
  }

  drain(out: BitswapClientEffect[]): void {
    for (const effect of this.#effects) out.push(effect);
    this.#effects = [];
    for (const peer of this.#peers.values()) {
      if (peer.outbox.size === 0) continue;
      out.push({ type: 'send', peer: peer.id, entries: [...peer.outbox.values()] });
      peer.outbox.clear();
    }
  }

  // Wants

  #want(sessionId: number, cid: Uint8Array, nowMs: number): void {
    let session = this.#sessions.get(sessionId);
    if (session === undefined) {
      session = new BitswapSession<BitswapWant>(sessionId);
      this.#sessions.set(sessionId, session);
    }
    const key = cidKeyOf(cid);
    let want = this.#wants.get(key);
    if (want === undefined) {
      assert(this.#wants.size < bitswapLimits.wantCountMax, 'callers want no more than they can be given');
      want = new BitswapWant(cid, key, this.#priority);
      this.#priority = this.#priority > 1 ? this.#priority - 1 : 0x7fff_ffff;
      this.#wants.set(key, want);
    }
    want.sessions.add(session);
    session.wants.add(want);
    if (want.state !== 'asked') this.#settle(want, nowMs);
  }

  #unwant(sessionId: number, key: CidKey): void {
    const want = this.#wants.get(key);
    const session = this.#sessions.get(sessionId);
    if (want === undefined || session === undefined || !want.sessions.delete(session)) return;
    session.wants.delete(want);
    if (session.wants.size === 0) session.endSearch();
    if (want.sessions.size === 0) this.#endWant(want, null);
  }

  /** any -> gone. @param from who sent the block and so knows that it is wanted no more */
  #endWant(want: BitswapWant, from: Peer | null): void {
    for (const session of want.sessions) {
      session.wants.delete(want);
      if (session.wants.size === 0) session.endSearch();
    }
    for (const peer of want.told.keys()) {
      peer.outstanding.delete(want);
      if (peer === from) peer.outbox.delete(want.key);
      else this.#strike(peer, want);
    }
    this.#wants.delete(want.key);
    this.#ready.delete(want);
    this.#searching.delete(want);
    this.#recent.add(want.key);
  }

  #strike(peer: Peer, want: BitswapWant): void {
    peer.outbox.set(want.key, {
      cid: want.cid,
      priority: 0,
      cancel: true,
      type: 'block',
      sendDontHave: false,
    });
  }

  /** asked, ready, searching -> ready or searching, by who could be asked. */
  #settle(want: BitswapWant, nowMs: number): void {
    const hasCandidate = this.#candidates(want).next().done !== true;
    want.state = hasCandidate ? 'ready' : 'searching';
    if (hasCandidate) {
      this.#searching.delete(want);
      this.#ready.add(want);
      return;
    }
    this.#ready.delete(want);
    this.#searching.add(want);
    for (const session of want.sessions) session.startSearch(nowMs, this.#peers.size > 0);
    this.#searchNow(want, nowMs);
  }

  /** Who may be asked for the block: those who said HAVE; else those who were useful in a session that wants it. */
  *#candidates(want: BitswapWant): Generator<Peer> {
    let has = false;
    for (const peer of want.havers) {
      if (want.asked.has(peer)) continue;
      has = true;
      yield peer;
    }
    if (has) return;
    for (const session of want.sessions)
      for (const peer of session.peers.keys())
        if (!want.lackers.has(peer) && !want.asked.has(peer)) yield peer;
  }

  #pickPeer(want: BitswapWant): Peer | null {
    let best: Peer | null = null;
    let bestMs = Number.POSITIVE_INFINITY;
    for (const peer of this.#candidates(want)) {
      if (!peer.hasRoom) continue;
      const { expectedMs } = peer;
      if (expectedMs >= bestMs) continue;
      best = peer;
      bestMs = expectedMs;
    }
    return best;
  }

  /** Gives ready wants to peers with room, in the order in which they came. */
  #place(nowMs: number): void {
    if (this.#ready.size === 0 || !this.#hasRoom()) return;
    let failCount = 0;
    for (const want of this.#ready) {
      const peer = this.#pickPeer(want);
      if (peer !== null) this.#ask(want, peer, nowMs);
      else if (++failCount >= readyTryMax) return;
    }
  }

  #hasRoom(): boolean {
    for (const peer of this.#peers.values()) if (peer.hasRoom) return true;
    return false;
  }

  /** ready, asked -> asked. */
  #ask(want: BitswapWant, peer: Peer, nowMs: number): void {
    this.#ready.delete(want);
    this.#searching.delete(want);
    want.state = 'asked';
    want.asked.add(peer);
    want.told.set(peer, nowMs);
    peer.outstanding.set(want, nowMs);
    this.#tell(peer, want, 'block');
  }

  #tell(peer: Peer, want: BitswapWant, type: 'block' | 'have'): void {
    peer.outbox.set(want.key, {
      cid: want.cid,
      priority: want.priority,
      cancel: false,
      type,
      sendDontHave: peer.speaksHave,
    });
  }

  // Searching

  /** A new want without anybody is asked about at once, unless a search with many others has just been. */
  #searchNow(want: BitswapWant, nowMs: number): void {
    if (this.#searching.size <= bitswapLimits.broadcastWantMax) this.#broadcast(want, nowMs);
  }

  #broadcast(want: BitswapWant, nowMs: number): void {
    let asked = 0;
    for (const peer of this.#peers.values()) {
      if (asked >= bitswapLimits.broadcastPeerMax) return;
      if (this.#askHave(want, peer, nowMs)) asked++;
    }
  }

  /** @returns whether there was anything to ask */
  #askHave(want: BitswapWant, peer: Peer, nowMs: number): boolean {
    if (want.told.has(peer) || want.lackers.has(peer)) return false;
    // Who does not know HAVE, and the only one there is, are asked for the block itself.
    if (!peer.speaksHave || this.#peers.size === 1) {
      if (!peer.hasRoom) return false;
      this.#ask(want, peer, nowMs);
      return true;
    }
    want.told.set(peer, nowMs);
    this.#tell(peer, want, 'have');
    return true;
  }

  #checkSession(session: Session, nowMs: number): void {
    const mustSearch = session.searchMs !== null && session.searchMs <= nowMs;
    const mustFind = session.findMs !== null && session.findMs <= nowMs;
    if (!mustSearch && !mustFind) return;
    const lost = [...session.wants].filter((want) => want.state === 'searching');
    if (lost.length === 0) {
      session.endSearch();
      return;
    }
    if (mustSearch) {
      for (const want of lost.slice(0, bitswapLimits.broadcastWantMax)) this.#searchAgain(want, nowMs);
      session.markSearched(nowMs);
    }
    if (mustFind) {
      this.#effects.push({ type: 'find', session: session.id, cid: lost[0]!.cid });
      session.markFound(nowMs);
    }
  }

  /** Whoever lacked it may have it by now; who was asked and never answered is asked again. */
  #searchAgain(want: BitswapWant, nowMs: number): void {
    want.lackers.clear();
    for (const [peer, askedMs] of want.told)
      if (!want.asked.has(peer) && nowMs - askedMs >= peer.timeoutMs) want.told.delete(peer);
    this.#settle(want, nowMs);
    if (want.state === 'searching') this.#broadcast(want, nowMs);
  }

  // Peers

  #openPeer(id: string, speaksHave: boolean, nowMs: number): void {
    if (this.#peers.has(id)) return;
    const peer = new BitswapPeer<BitswapWant>(id, speaksHave);
    this.#peers.set(id, peer);
    let count = 0;
    for (const want of this.#searching) {
      if (++count > bitswapLimits.newcomerWantMax) break;
      this.#askHave(want, peer, nowMs);
    }
  }

  #closePeer(id: string, nowMs: number): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    this.#peers.delete(id);
    for (const session of this.#sessions.values()) session.peers.delete(peer);
    for (const want of this.#wants.values()) {
      if (!want.told.has(peer) && !want.havers.has(peer) && !want.lackers.has(peer) && want.state !== 'ready')
        continue;
      want.forgetPeer(peer);
      if (want.asked.size === 0) this.#settle(want, nowMs);
    }
  }

  #addProvider(sessionId: number, id: string): void {
    const peer = this.#peers.get(id);
    const session = this.#sessions.get(sessionId);
    if (peer !== undefined && session !== undefined) this.#join(session, peer);
  }

  /** The peer probably has what the session wants: searching -> ready for all of that. */
  #join(session: Session, peer: Peer): void {
    if (!session.addPeer(peer)) return;
    for (const want of session.wants) {
      if (want.state !== 'searching' || want.lackers.has(peer)) continue;
      want.state = 'ready';
      this.#searching.delete(want);
      this.#ready.add(want);
    }
  }

  #checkPeer(peer: Peer, nowMs: number): void {
    const { timeoutMs, hedgeMs } = peer;
    const firstMs = peer.silentSinceMs;
    if (firstMs === null) return;
    const mayHedge = nowMs >= peer.nextHedgeMs(firstMs);
    if (mayHedge) peer.markHedge(nowMs);
    for (const [want, askedMs] of peer.outstanding) {
      const sinceMs = peer.sinceMs(askedMs);
      if (nowMs - sinceMs >= timeoutMs) this.#expire(peer, want, nowMs);
      else if (mayHedge && nowMs - sinceMs >= hedgeMs) this.#hedge(want, nowMs);
      else return;
    }
  }

  /** A second source for what is late, if one has it or at least has nothing else to do. */
  #hedge(want: BitswapWant, nowMs: number): void {
    if (want.asked.size >= bitswapLimits.hedgeCountMax) return;
    const other = this.#pickPeer(want);
    if (other !== null && (want.havers.has(other) || other.outstanding.size === 0))
      this.#ask(want, other, nowMs);
  }

  #expire(peer: Peer, want: BitswapWant, nowMs: number): void {
    peer.markTimeout();
    this.#fail(peer, want, nowMs, 'and then sent nothing');
  }

  /** The peer will not send the block: asked -> ready or searching, unless somebody else is asked too. */
  #fail(peer: Peer, want: BitswapWant, nowMs: number, how: string): void {
    const wasAsked = want.asked.delete(peer);
    peer.outstanding.delete(want);
    if (want.havers.delete(peer) && wasAsked) {
      peer.counts.lies++;
      this.#fault(peer, 'IPFS_BITSWAP_HAVE_LIE', `It said that it has a block, ${how}.`, bitswapPenalty.lie);
    }
    want.lackers.add(peer);
    if (want.asked.size === 0) this.#settle(want, nowMs);
  }

  // What peers say

  #handleMessage(
    id: string,
    blocks: readonly NamedBlock[],
    presences: readonly BitswapPresence[],
    nowMs: number,
  ): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    for (const block of blocks) this.#handleBlock(peer, block, nowMs);
    for (const presence of presences) this.#handlePresence(peer, presence, nowMs);
  }

  #handleBlock(peer: Peer, block: NamedBlock, nowMs: number): void {
    const key = cidKeyOf(block.cid);
    const want = this.#wants.get(key);
    if (want === undefined) {
      this.#handleStray(peer, key, block.bytes.length);
      return;
    }
    const askedMs = peer.outstanding.get(want);
    if (askedMs !== undefined) {
      peer.outstanding.delete(want);
      peer.markAnswer(askedMs, nowMs);
    }
    peer.markBlock(block.bytes.length, nowMs);
    this.counts.blocks++;
    this.counts.bytes += block.bytes.length;
    for (const session of want.sessions) {
      this.#join(session, peer);
      session.markBlock(peer);
    }
    this.#endWant(want, peer);
    this.#effects.push({ type: 'block', peer: peer.id, block });
  }

  /** A block that is not wanted: any more, or at all. */
  #handleStray(peer: Peer, key: CidKey, bytes: number): void {
    if (this.#recent.has(key)) {
      peer.counts.duplicateBlocks++;
      peer.counts.duplicateBytes += bytes;
      this.counts.duplicateBlocks++;
      this.counts.duplicateBytes += bytes;
      return;
    }
    peer.counts.unwantedBlocks++;
    this.counts.unwantedBlocks++;
    const message = 'It sent bytes that nobody asked for.';
    this.#fault(peer, 'IPFS_BITSWAP_UNWANTED', message, bitswapPenalty.unwanted);
  }

  #handlePresence(peer: Peer, presence: BitswapPresence, nowMs: number): void {
    const want = this.#wants.get(cidKeyOf(presence.cid));
    const askedMs = want?.told.get(peer);
    if (want === undefined || askedMs === undefined) return;
    peer.markAnswer(askedMs, nowMs);
    if (!presence.have) {
      // It keeps the want on its list, and may send the block when it comes to have it.
      this.#fail(peer, want, nowMs, 'and then that it has not');
      return;
    }
    want.lackers.delete(peer);
    want.havers.add(peer);
    for (const session of want.sessions) this.#join(session, peer);
    if (want.state === 'searching') this.#settle(want, nowMs);
  }

  #fault(peer: Peer, code: string, message: string, penalty: number): void {
    this.#effects.push({ type: 'fault', peer: peer.id, fault: { code, message, blame: 'peer', penalty } });
  }
}
