/**
 * One torrent of one node: a machine without I/O and clock. Connections' bytes, finished jobs and time go in; bytes to
 * send, connections to make or close, jobs and facts come out.
 *
 *   metadata (only the info-hash is known) -> active (content) ; both with peers, either may be paused
 *
 * It coordinates: what a message means is in `conversation`, everything about pieces in `content`, who is unchoked in
 * `choker`, who is dialled in `peer-list`. Here is only what those have to do with each other.
 */
import {
  assert,
  bytesEqual,
  type DiskFault,
  type DiskResult,
  type Endpoint,
  type Fault,
  type IpAddress,
  RateMeter,
} from '@tequio/kernel';
import { encodeHandshake } from '../wire/peer-message.ts';
import type { Metainfo, TorrentInfo } from '../wire/torrent-info.ts';
import { BlockFeeder, type FeedSource } from './block-feeder.ts';
import { type ContentHost, type ContentJob, TorrentContent } from './content.ts';
import { Conversation, type ConversationHost } from './conversation.ts';
import { ExchangeRelay, type RelayHost } from './exchange-relay.ts';
import { HaveNews } from './have-news.ts';
import { type IntroductionEffect, Introductions } from './introductions.ts';
import { MetadataExchange } from './metadata-exchange.ts';
import { Peer, type PeerKey } from './peer.ts';
import { faultOfSilence, silenceLimits } from './peer-silence.ts';
import type { ReadExtent } from './read-cache.ts';
import { SuperSeeding } from './super-seeding.ts';
import { Suspects } from './suspects.ts';
import type { TorrentEffect } from './torrent-effect.ts';
import type { TorrentDeps, TorrentOptions } from './torrent-options.ts';
import { pickTwinToClose, twiceFault } from './twin-connection.ts';
import { Unchoking } from './unchoking.ts';

export const torrentLimits = {
  tickMs: 1000,
} as const;

export class Torrent implements ConversationHost, ContentHost, RelayHost {
  readonly infoHashes: readonly Uint8Array[];
  readonly peerId: Uint8Array;
  readonly metadata: MetadataExchange;
  readonly introductions: Introductions;
  readonly peers = new Map<PeerKey, Peer>();
  readonly down = new RateMeter();
  readonly up = new RateMeter();
  listenPort: number;
  wastedBytes = 0;
  /** When content last came or went; null: it has not. */
  contentAtMs: number | null = null;
  content: TorrentContent | null = null;
  nowMs = 0;

  readonly #options: TorrentOptions;
  readonly #deps: TorrentDeps;
  readonly #conversation: Conversation;
  readonly #relay = new ExchangeRelay(this);
  readonly #unchoking: Unchoking;
  readonly #haveNews = new HaveNews((peer) => this.touched(peer));
  readonly #feeders = new Map<PeerKey, BlockFeeder>();
  readonly #superSeeding: SuperSeeding;
  #superSeed: boolean;
  readonly #effects: TorrentEffect[] = [];
  readonly #touched = new Set<Peer>();
  readonly #suspects = new Suspects();
  #nextPeerKey = 1;
  #tickAtMs: number | null = null;
  #isPaused = false;

  constructor(options: TorrentOptions, deps: TorrentDeps) {
    this.#options = options;
    this.#deps = deps;
    this.peerId = options.peerId;
    this.#superSeed = options.superSeed ?? false;
    this.#superSeeding = new SuperSeeding(deps.prng, (peer) => this.touched(peer));
    this.listenPort = options.listenPort;
    this.infoHashes = [options.infoHashV1, options.infoHashV2?.subarray(0, 20) ?? null].filter(
      (hash) => hash !== null,
    );
    this.metadata = new MetadataExchange(deps.hashes, options);
    const { pex = false, holepunch = false } = options;
    const ownEndpoint = deps.ownEndpoint ?? (() => null);
    this.introductions = new Introductions(this, { pex, holepunch, ownEndpoint }, deps.prng);
    this.#conversation = new Conversation(this, deps.hashes);
    this.#unchoking = new Unchoking({ prng: deps.prng.fork(), slots: options.uploadSlots }, (peer) =>
      this.touched(peer),
    );
  }

  /** Of our DHT node, for this torrent's peers; 0: none. */
  get dhtPort(): number {
    return this.content?.info.private === true ? 0 : (this.#options.dhtPort?.() ?? 0);
  }

  get isUploadOnly(): boolean {
    return this.content?.isFinished ?? false;
  }

  get hidesPieces(): boolean {
    return this.#superSeeding.isOn;
  }

  /** The `info` is known, and nothing yet of what lies on the disk. */
  setKnown(info: TorrentInfo): void {
    this.metadata.setInfo(info.infoBytes);
    if (info.private) this.introductions.setPrivate();
  }

  /** metadata -> active. `start` of the content follows when it is known what is on disk. */
  setInfo(info: TorrentInfo, pieceLayers: Metainfo['pieceLayers'], nowMs: number): TorrentContent {
    this.nowMs = nowMs;
    this.setKnown(info);
    const content = new TorrentContent(info, pieceLayers, this, this.#deps);
    content.setPaused(this.#isPaused);
    this.content = content;
    for (const peer of [...this.peers.values()]) {
      this.#conversation.introduce(peer);
      const fault = content.pieces.applyEarly(peer);
      if (fault !== null) this.#close(peer, fault);
      else this.#addHashPeer(peer);
    }
    return content;
  }

  /** A connection exists; for one that we dialled its handshake goes out now, else after theirs has named us. */
  addPeer(endpoint: Endpoint, incoming: boolean, nowMs: number, isUtp = false, named?: Uint8Array): PeerKey {
    this.nowMs = nowMs;
    const peer = new Peer(this.#nextPeerKey++, endpoint, incoming, isUtp, this.#conversation, nowMs);
    this.peers.set(peer.key, peer);
    const infoHash = named ?? this.infoHashes[0]!;
    const v2 = this.#options.infoHashV2 !== null;
    const handshake = { infoHash, peerId: this.peerId, extended: true, fast: true, v2 };
    peer.writer.writeBytes(encodeHandshake({ ...handshake, dht: this.dhtPort !== 0 }));
    this.touched(peer);
    this.#tickAtMs ??= nowMs + torrentLimits.tickMs;
    return peer.key;
  }

  handleBytes(key: PeerKey, bytes: Uint8Array, nowMs: number): void {
    const peer = this.peers.get(key);
    if (peer === undefined) return;
    this.nowMs = nowMs;
    const fault = peer.decoder.push(bytes);
    if (fault !== null) {
      this.#close(peer, fault);
      return;
    }
    // Once a batch of input, not once a block: one pick and one packet for all blocks that came together.
    this.content?.requester.fill(peer, nowMs);
  }

  /** `bytes` of what was sent have been taken by the system. */
  handleSent(key: PeerKey, bytes: number, leases: readonly ReadExtent[], nowMs: number): void {
    this.nowMs = nowMs;
    this.content?.uploader.handleSent(leases);
    const peer = this.peers.get(key);
    if (peer === undefined) return;
    peer.unsentBytes -= bytes;
    if (peer.uploads.length > 0) this.content?.uploader.serve(peer, nowMs);
  }

  /** The connection is gone. */
  handleClosed(key: PeerKey, nowMs: number): void {
    this.nowMs = nowMs;
    const peer = this.peers.get(key);
    if (peer !== undefined) this.#remove(peer);
  }

  /** How the driver fares with a dial: somebody may have to open the way. */
  handleDial(endpoint: Endpoint, what: 'begun' | 'open' | 'failed', nowMs: number): void {
    this.nowMs = nowMs;
    this.introductions.handleDial(endpoint, what, nowMs);
  }

  handleJob(id: number, result: DiskResult, nowMs: number): void {
    this.nowMs = nowMs;
    this.content?.handleJob(id, result, nowMs);
    if (this.content?.requester.takeRelief() === true) this.#fillAll();
  }

  handleDiskRecovered(nowMs: number): void {
    this.nowMs = nowMs;
    this.content?.handleDiskRecovered();
    this.#fillAll();
  }

  setPaused(paused: boolean, nowMs: number): void {
    this.nowMs = nowMs;
    this.#isPaused = paused;
    this.content?.setPaused(paused);
    if (paused) for (const peer of [...this.peers.values()]) this.#close(peer, null);
  }

  /** After changes of pieces' priorities, or pieces that are missing again: says and asks what follows from it. */
  refresh(nowMs: number): void {
    this.nowMs = nowMs;
    for (const peer of this.peers.values()) this.updateInterest(peer);
    this.#fillAll();
  }

  /** Begins, or ends, to hide what we have. Who knows it already is parted from: it may come back and know nothing. */
  setSuperSeed(on: boolean, nowMs: number): void {
    this.nowMs = nowMs;
    this.#superSeed = on;
    const { content } = this;
    if (content === null) return;
    if (!on) this.#superSeeding.end(content.picker.have, this.peers.values());
    else if (content.isFinished && !this.hidesPieces) {
      for (const peer of [...this.peers.values()]) if (peer.saidPieces) this.#close(peer, null);
      this.#superSeeding.tryBegin(content.picker.have, this.peers.values());
    }
  }

  /** Ends a connection for a reason of ours. */
  closePeer(key: PeerKey, fault: Fault | null, nowMs: number): void {
    this.nowMs = nowMs;
    const peer = this.peers.get(key);
    if (peer !== undefined) this.#close(peer, fault);
  }

  handleTimeout(nowMs: number): void {
    this.nowMs = nowMs;
    const { dueMs } = this.#haveNews;
    if (dueMs !== null && nowMs >= dueMs) this.#haveNews.tell(this.peers.values());
    this.content?.uploader.handleTimeout(nowMs);
    this.metadata.handleTimeout(nowMs);
    this.content?.hashExchange.handleTimeout(nowMs);
    if (this.#tickAtMs !== null && nowMs >= this.#tickAtMs) this.#tick();
    else if (nowMs >= (this.#unchoking.nextTimeoutMs() ?? Number.POSITIVE_INFINITY)) this.#rechoke();
  }

  nextTimeoutMs(): number | null {
    const times = [
      this.#haveNews.dueMs,
      this.#tickAtMs,
      this.#unchoking.nextTimeoutMs(),
      this.content?.uploader.nextTimeoutMs() ?? null,
      this.metadata.nextTimeoutMs(),
      this.content?.hashExchange.nextTimeoutMs() ?? null,
    ].filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  drain(out: TorrentEffect[]): void {
    this.#relay.relayMetadata(this.metadata);
    if (this.content !== null) this.#relay.relayHashes(this.content);
    const introductions: IntroductionEffect[] = [];
    this.introductions.drain(introductions);
    for (const peer of this.#touched) this.#flush(peer);
    this.#touched.clear();
    if (this.content !== null) {
      const jobs: ContentJob[] = [];
      this.content.drainJobs(jobs);
      for (const job of jobs) out.push({ type: 'job', job });
    }
    for (const effect of this.#effects) out.push(effect);
    this.#effects.length = 0;
    for (const effect of introductions) out.push(effect);
  }

  // What the conversation tells.

  touched(peer: Peer): void {
    this.#touched.add(peer);
  }

  wantsSlot(peer: Peer): void {
    if (this.content === null || !peer.amChoking) return;
    if (this.#unchoking.tryHastyRound(this.peers.values(), this.nowMs)) this.#rechoke();
  }

  updateInterest(peer: Peer): void {
    const { content } = this;
    if (content === null || peer.handshake === null) return;
    content.hashExchange.handlePieces(peer.key, this.nowMs);
    this.#superSeeding.addPeer(peer);
    const was = peer.amInterested;
    peer.markInterested(content.pieces.isInteresting(peer));
    if (was !== peer.amInterested) this.touched(peer);
    if (content.isFinished && peer.isSeed) this.#close(peer, null);
  }

  handshaken(peer: Peer): Fault | null {
    for (const other of this.peers.values()) {
      if (other === peer || other.handshake === null) continue;
      if (!bytesEqual(other.handshake.peerId, peer.handshake!.peerId)) continue;
      if (pickTwinToClose(other, peer, this.peerId, this.nowMs) === peer) return twiceFault;
      this.#close(other, twiceFault);
    }
    this.#effects.push({ type: 'handshaken', peer: peer.key });
    this.introductions.setPeer(peer, this.nowMs);
    this.#addHashPeer(peer);
    return null;
  }

  introduced(peer: Peer, ourAddress: IpAddress | null): void {
    this.introductions.setPeer(peer, this.nowMs);
    const { key, contact, incoming, endpoint } = peer;
    if (incoming && contact !== null) this.#effects.push({ type: 'listens', peer: key, endpoint: contact });
    if (ourAddress !== null) this.#effects.push({ type: 'seen', address: ourAddress, by: endpoint.address });
  }

  dhtNodeSeen({ endpoint: { address } }: Peer, port: number): void {
    if (this.dhtPort !== 0) this.#effects.push({ type: 'dht-node', endpoint: { address, port } });
  }

  haveSeen(peer: Peer, piece: number): void {
    if (this.#superSeeding.handleHave(peer, piece))
      this.#superSeeding.end(this.content!.picker.have, this.peers.values());
  }

  mayServe(peer: Peer, piece: number): boolean {
    return this.#superSeeding.mayServe(peer, piece);
  }

  // What the content tells.

  verified(piece: number, isNew: boolean): void {
    this.#effects.push({ type: 'verified', piece, isNew });
    this.#haveNews.add(piece, this.nowMs);
    for (const peer of this.peers.values()) {
      if (peer.amInterested && peer.hasPiece(piece)) this.updateInterest(peer);
    }
  }

  missed(piece: number): void {
    this.#effects.push({ type: 'missed', piece });
  }

  lost(piece: number): void {
    for (const peer of this.peers.values()) this.#conversation.sayLost(peer, piece);
  }

  failed(piece: number): void {
    this.#effects.push({ type: 'failed', piece });
  }

  checked(): void {
    this.#effects.push({ type: 'checked' });
    const content = this.content!;
    for (const peer of this.peers.values()) {
      this.#conversation.sayPieces(peer, content);
      this.updateInterest(peer);
    }
  }

  finished(): void {
    this.#effects.push({ type: 'finished' });
    if (this.#superSeed) this.#superSeeding.tryBegin(this.content!.picker.have, this.peers.values());
    this.#haveNews.tell(this.peers.values());
    for (const peer of [...this.peers.values()]) {
      this.#conversation.sayUploadOnly(peer, true);
      this.updateInterest(peer);
    }
  }

  diskTrouble(fault: DiskFault | null): void {
    this.#effects.push({ type: 'disk-trouble', fault });
  }

  broken(fault: Fault): void {
    this.#effects.push({ type: 'broken', fault });
  }

  blame(key: PeerKey, fault: Fault): void {
    const peer = this.peers.get(key);
    const endpoint = peer?.endpoint ?? this.#suspects.endpointOf(key);
    if (peer !== undefined) peer.penalty += fault.penalty;
    // Small faults add up, so that a flood of them is one large one.
    const weighed = (peer?.penalty ?? 0) >= 100 ? { ...fault, penalty: 100 } : fault;
    this.#effects.push({ type: 'blame', peer: key, endpoint, fault: weighed });
    if (peer !== undefined && weighed.penalty >= 100) this.#close(peer, weighed);
    this.#feeders.get(key)?.seed.handleBan(fault);
  }

  /** A web seed joins as a peer that has everything; what is on this machine is no copy in the swarm. */
  addFeeder<Source extends FeedSource>(source: Source): BlockFeeder<Source> {
    assert(this.content !== null, 'feeders join when the torrent is known');
    const feeder = new BlockFeeder(this.#nextPeerKey++, source, this.content);
    this.#feeders.set(feeder.key, feeder);
    if (!source.isLocal) this.content.picker.addSeed();
    return feeder;
  }

  /** Its run must have been broken off. */
  removeFeeder({ key, seed }: BlockFeeder): void {
    if (this.#feeders.delete(key) && !seed.isLocal) this.content?.picker.removeSeed();
  }

  received(bytes: number, nowMs: number): void {
    this.down.add(bytes, nowMs);
    this.#deps.traffic?.down.add(bytes, nowMs);
    this.contentAtMs = nowMs;
  }

  wasted(bytes: number): void {
    this.wastedBytes += bytes;
  }

  metadataArrived(info: Uint8Array): void {
    this.#effects.push({ type: 'metadata', info });
  }

  hashesArrived(): void {
    this.#fillAll();
  }

  uploaded(bytes: number, nowMs: number): void {
    this.up.add(bytes, nowMs);
    this.#deps.traffic?.up.add(bytes, nowMs);
    this.contentAtMs = nowMs;
  }

  /** Whoever did not say that it speaks v2 hangs up on hash requests. */
  #addHashPeer(peer: Peer): void {
    const { infoHashV2 } = this.#options;
    if (infoHashV2 === null || peer.handshake === null) return;
    const isV2 = peer.handshake.v2 || bytesEqual(peer.handshake.infoHash, infoHashV2.subarray(0, 20));
    if (isV2) this.content?.hashExchange.addPeer(peer.key, this.nowMs);
  }

  /** Those who snub us come last: what they have let go of is for others first. */
  #fillAll(): void {
    const { content } = this;
    if (content === null) return;
    for (const peer of this.peers.values())
      if (!peer.window.isSnubbed) content.requester.fill(peer, this.nowMs);
    for (const peer of this.peers.values())
      if (peer.window.isSnubbed) content.requester.fill(peer, this.nowMs);
  }

  #flush(peer: Peer): void {
    if (peer.isClosed || peer.writer.isEmpty) return;
    const bytes = peer.writer.byteCount;
    const leases = this.content?.uploader.takeLeases(peer) ?? [];
    peer.unsentBytes += bytes;
    peer.lastSentMs = this.nowMs;
    this.#effects.push({ type: 'send', peer: peer.key, parts: peer.writer.take(), bytes, leases });
  }

  #close(peer: Peer, fault: Fault | null): void {
    if (peer.isClosed) return;
    const { key, endpoint, isSeed, uploadOnly } = peer;
    this.#effects.push({ type: 'close', peer: key, endpoint, fault, isSeed: isSeed || uploadOnly });
    this.#remove(peer);
  }

  #remove(peer: Peer): void {
    peer.isClosed = true;
    this.peers.delete(peer.key);
    this.#touched.delete(peer);
    this.metadata.removePeer(peer.key, this.nowMs);
    this.introductions.removePeer(peer);
    const { content } = this;
    if (content !== null) {
      if (content.smartBan.isOnParole(peer.key)) this.#suspects.add(peer);
      content.requester.removePeer(peer);
      content.uploader.removePeer(peer);
      content.pieces.removePeer(peer);
      this.#superSeeding.removePeer(peer);
      content.hashExchange.removePeer(peer.key, this.nowMs);
      // What it was asked for is free again.
      if (peer.amInterested) this.#fillAll();
    }
    if (this.peers.size === 0) this.#tickAtMs = null;
  }

  #tick(): void {
    const now = this.nowMs;
    this.#tickAtMs = this.peers.size === 0 ? null : now + torrentLimits.tickMs;
    for (const peer of [...this.peers.values()]) {
      const fault = faultOfSilence(peer, now);
      if (fault !== null) {
        this.#close(peer, fault);
        continue;
      }
      if (now - peer.lastSentMs >= silenceLimits.keepAliveMs) {
        peer.writer.writeKeepAlive();
        this.touched(peer);
      }
      this.content?.requester.handleTimeout(peer, now);
      this.content?.uploader.suggest(peer, now);
    }
    this.#fillAll();
    this.introductions.handleTick(now);
    if (this.#unchoking.isDue(now)) this.#rechoke();
  }

  #rechoke(): void {
    const { content } = this;
    if (content === null) return;
    const mode = content.isFinished ? 'seed' : 'leech';
    this.#unchoking.rechoke([...this.peers.values()], content.info.pieceCount, mode, this.nowMs);
  }
}
