/**
 * Torrent machines connected by byte pipes in virtual time, each with a disk of its own; and fake peers, which say what
 * a test makes them say. One loop: the earliest event or timer, then the effects of whoever it concerned.
 */
import assert from 'node:assert/strict';
import { concatBytes, type Endpoint, type Fault, type IpAddress, PlainMemory, Prng } from '@tequio/kernel';
import { PeerDecoder, type PeerSink } from '../wire/peer-decoder.ts';
import {
  encodeHandshake,
  type Handshake,
  MessageWriter,
  messageId,
  type PeerMessage,
} from '../wire/peer-message.ts';
import { LinearDisk, TestSlabs } from './linear-disk.fixture.ts';
import { type MadeTorrent, nodeHashes } from './made-torrent.fixture.ts';
import type { PeerKey } from './peer.ts';
import { PieceMemory } from './piece-memory.ts';
import { ReadCache, type ReadExtent } from './read-cache.ts';
import { Torrent } from './torrent.ts';
import type { TorrentEffect } from './torrent-effect.ts';
import type { RateGate } from './uploader.ts';

/** One end of a pipe. */
export interface PipeEnd {
  deliver(bytes: Uint8Array): void;
  /** The other end is gone. */
  ended(): void;
}

type Event = { readonly atMs: number; readonly serial: number; readonly act: () => void };

export class TorrentWorld {
  nowMs = 1000;
  readonly nodes: TestNode[] = [];
  readonly #events: Event[] = [];
  #serial = 0;
  #idleCount = 0;

  after(delayMs: number, act: () => void): void {
    const event = { atMs: this.nowMs + delayMs, serial: this.#serial++, act };
    let at = this.#events.length;
    while (at > 0 && this.#events[at - 1]!.atMs > event.atMs) at--;
    this.#events.splice(at, 0, event);
  }

  /** Runs until `isDone`, or fails when that has not come after `limitMs` of virtual time. */
  runUntil(isDone: () => boolean, limitMs = 600_000): void {
    const endMs = this.nowMs + limitMs;
    while (!isDone()) assert.ok(this.step(endMs), `nothing more happens; it is ${this.nowMs} ms`);
  }

  run(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.step(endMs));
    this.nowMs = endMs;
  }

  /** The next event or timer; false when there is none before `endMs`. */
  step(endMs: number): boolean {
    const event = this.#events[0];
    let timerMs = Number.POSITIVE_INFINITY;
    let timerNode: TestNode | null = null;
    for (const node of this.nodes) {
      const atMs = node.torrent.nextTimeoutMs();
      if (atMs !== null && atMs < timerMs) {
        timerMs = atMs;
        timerNode = node;
      }
    }
    if (Math.min(timerMs, event?.atMs ?? Number.POSITIVE_INFINITY) > endMs) return false;
    if (event !== undefined && event.atMs <= timerMs) {
      this.#events.shift();
      this.nowMs = Math.max(this.nowMs, event.atMs);
      this.#idleCount = 0;
      event.act();
      return true;
    }
    assert.ok(timerMs > this.nowMs || ++this.#idleCount < 100, 'a timer that is due does something');
    if (timerMs > this.nowMs) this.#idleCount = 0;
    this.nowMs = Math.max(this.nowMs, timerMs);
    timerNode!.torrent.handleTimeout(this.nowMs);
    timerNode!.drive();
    return true;
  }
}

export const openGate: RateGate = { tryTake: () => true, readyAtMs: (nowMs) => nowMs };

export type NodeOptions = {
  /** What lies on its disk and counts as verified. */
  readonly has: 'all' | 'nothing';
  /** Only the info-hash is known. */
  readonly magnet?: boolean;
  readonly gate?: RateGate;
  readonly memoryBytesMax?: number;
  readonly cacheBytesMax?: number;
  readonly uploadSlots?: number | null;
  readonly pex?: boolean;
  readonly holepunch?: boolean;
};

type Link = {
  readonly other: PipeEnd;
  unsent: { readonly bytes: number; readonly leases: readonly ReadExtent[] }[];
};

let nodeCount = 0;

export class TestNode {
  readonly world: TorrentWorld;
  readonly made: MadeTorrent;
  readonly torrent: Torrent;
  readonly slabs = new TestSlabs();
  readonly memory: PieceMemory;
  readonly cache: ReadCache;
  readonly disk: LinearDisk;
  readonly facts: TorrentEffect[] = [];
  readonly endpoint: Endpoint;
  /** Connections that it ended itself: why. */
  readonly closings: { readonly endpoint: Endpoint; readonly fault: Fault | null }[] = [];
  readonly blames: { readonly endpoint: Endpoint | null; readonly fault: Fault }[] = [];
  diskDelayMs = 1;
  readonly #links = new Map<PeerKey, Link>();
  readonly #effects: TorrentEffect[] = [];
  #nextJobId = 1;

  constructor(world: TorrentWorld, made: MadeTorrent, options: NodeOptions) {
    const { info, pieceLayers } = made.metainfo;
    const number = ++nodeCount;
    this.world = world;
    this.made = made;
    this.memory = new PieceMemory(this.slabs, options.memoryBytesMax ?? 16 << 20);
    this.cache = new ReadCache(this.slabs, options.cacheBytesMax ?? 8 << 20);
    this.disk = new LinearDisk(info, options.has === 'all' ? made.content : null);
    this.endpoint = { address: `10.0.${number >> 8}.${number & 255}` as IpAddress, port: 6881 };
    const { infoHashV1, infoHashV2 } = info;
    this.torrent = new Torrent(
      {
        infoHashV1,
        infoHashV2,
        peerId: new Prng(number).bytes(20).slice(),
        listenPort: 6881,
        uploadSlots: options.uploadSlots ?? null,
        pex: options.pex ?? false,
        holepunch: options.holepunch ?? false,
      },
      {
        hashes: nodeHashes,
        prng: new Prng(number),
        memory: this.memory,
        cache: this.cache,
        gate: options.gate ?? openGate,
        owner: 1,
        nextJobId: () => this.#nextJobId++,
      },
    );
    world.nodes.push(this);
    if (options.magnet === true) return;
    const content = this.torrent.setInfo(info, pieceLayers, world.nowMs);
    const pieces = options.has === 'all' ? Array.from({ length: info.pieceCount }, (_, piece) => piece) : [];
    content.start(pieces, []);
    this.drive();
  }

  get isComplete(): boolean {
    return this.torrent.content?.picker.have.isFull ?? false;
  }

  /** A connection whose other end is `other`. */
  attach(endpoint: Endpoint, incoming: boolean, other: (end: PipeEnd) => PipeEnd): PeerKey {
    const key = this.torrent.addPeer(endpoint, incoming, this.world.nowMs);
    const end: PipeEnd = {
      deliver: (bytes) => {
        if (!this.#links.has(key)) return;
        const lent = bytes.slice();
        this.torrent.handleBytes(key, lent, this.world.nowMs);
        lent.fill(0xdd);
        this.drive();
      },
      ended: () => {
        if (!this.#links.has(key)) return;
        this.torrent.handleClosed(key, this.world.nowMs);
        this.#forget(key);
        this.drive();
      },
    };
    this.#links.set(key, { other: other(end), unsent: [] });
    this.drive();
    return key;
  }

  /** Does something with the torrent, and what follows from it. */
  act(what: (torrent: Torrent, nowMs: number) => void): void {
    what(this.torrent, this.world.nowMs);
    this.drive();
  }

  drive(): void {
    for (;;) {
      this.torrent.drain(this.#effects);
      if (this.#effects.length === 0) return;
      for (const effect of this.#effects.splice(0)) this.#carryOut(effect);
    }
  }

  factsOf<Type extends TorrentEffect['type']>(type: Type): Extract<TorrentEffect, { type: Type }>[] {
    return this.facts.filter((fact): fact is Extract<TorrentEffect, { type: Type }> => fact.type === type);
  }

  /** After all connections have ended and the disk is still. */
  assertBalanced(): void {
    this.torrent.content?.close();
    this.cache.forget(1);
    while (this.disk.waiting.length > 0) this.#runJob();
    assert.equal(this.memory.usedBytes, 0, 'piece memory is given back');
    assert.equal(this.cache.usedBytes, 0, 'read cache is given back');
    assert.equal(this.slabs.live.size, 0, 'no slab is left over');
  }

  #carryOut(effect: TorrentEffect): void {
    if (effect.type === 'send') this.#send(effect);
    else if (effect.type === 'job') {
      this.disk.give(effect.job);
      this.world.after(this.diskDelayMs, () => this.#runJob());
    } else if (effect.type === 'close') {
      this.closings.push(effect);
      const link = this.#links.get(effect.peer)!;
      this.#forget(effect.peer);
      this.world.after(1, () => link.other.ended());
    } else {
      this.facts.push(effect);
      if (effect.type === 'blame') this.blames.push(effect);
      if (effect.type === 'metadata') this.#activate();
    }
  }

  #activate(): void {
    const { info } = this.made.metainfo;
    this.torrent.setInfo(info, new Map(), this.world.nowMs).start([], []);
  }

  #runJob(): void {
    if (this.disk.waiting.length === 0) return;
    const { id, result } = this.disk.run();
    this.torrent.handleJob(id, result, this.world.nowMs);
    this.drive();
  }

  #send(effect: Extract<TorrentEffect, { type: 'send' }>): void {
    const link = this.#links.get(effect.peer);
    const sent = { bytes: effect.bytes, leases: effect.leases };
    if (link === undefined) {
      this.torrent.handleSent(effect.peer, sent.bytes, sent.leases, this.world.nowMs);
      return;
    }
    link.unsent.push(sent);
    const bytes = concatBytes(effect.parts);
    assert.equal(bytes.length, effect.bytes, 'a send is as long as it says');
    this.world.after(2, () => link.other.deliver(bytes));
    this.world.after(1, () => {
      if (link.unsent[0] !== sent) return;
      link.unsent.shift();
      this.torrent.handleSent(effect.peer, sent.bytes, sent.leases, this.world.nowMs);
      this.drive();
    });
  }

  #forget(key: PeerKey): void {
    const link = this.#links.get(key);
    this.#links.delete(key);
    for (const { bytes, leases } of link?.unsent.splice(0) ?? []) {
      this.torrent.handleSent(key, bytes, leases, this.world.nowMs);
    }
  }
}

/** Connects two nodes; `rewrite` changes what goes from one to the other, in either direction. */
export function connect(
  dialer: TestNode,
  listener: TestNode,
  rewrite: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
): void {
  const rewritten = (end: PipeEnd): PipeEnd => ({
    deliver: (bytes) => end.deliver(rewrite(bytes)),
    ended: () => end.ended(),
  });
  dialer.attach(listener.endpoint, false, (ours) => {
    let theirs: PipeEnd | null = null;
    listener.attach(dialer.endpoint, true, (end) => {
      theirs = end;
      return rewritten(ours);
    });
    return rewritten(theirs!);
  });
}

/** Takes the fast extension's bit out of a handshake. */
export function withoutFast(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 68 || bytes[0] !== 19) return bytes;
  const changed = bytes.slice();
  changed[27]! &= ~0x04;
  return changed;
}

/** Ends every connection of the nodes and lets everything come to rest. */
export function hangUp(world: TorrentWorld): void {
  for (const node of world.nodes) node.act((torrent, nowMs) => torrent.setPaused(true, nowMs));
  world.run(5000);
}

/** The end of a test: all hang up, and every node has given back what it held. */
export function settle(world: TorrentWorld): void {
  hangUp(world);
  for (const node of world.nodes) node.assertBalanced();
}

/** A message for people: one plain sentence without holes. */
export function isSentence(fault: Fault): boolean {
  return /^[A-Z][^\n]+\.$/.test(fault.message) && !/NaN|undefined|-\d|\[object/.test(fault.message);
}

let fakeCount = 0;

export type FakeOptions = Partial<Pick<Handshake, 'fast' | 'extended' | 'v2' | 'infoHash' | 'peerId'>> & {
  readonly silent?: boolean;
};

/** A peer that does nothing but what the test tells it. */
export class FakePeer implements PeerSink {
  readonly node: TestNode;
  readonly key: PeerKey;
  readonly endpoint: Endpoint;
  readonly writer = new MessageWriter();
  /** What the node said, blocks left out. */
  readonly heard: PeerMessage[] = [];
  readonly blocks: { readonly piece: number; readonly offset: number; readonly data: Uint8Array }[] = [];
  isEnded = false;
  onHeard: (message: PeerMessage) => void = () => {};
  blockTarget: PlainMemory | null = null;
  blockTargetAt = 0;
  readonly #decoder = new PeerDecoder(this);
  #end: PipeEnd | null = null;
  #at = { piece: 0, offset: 0 };

  constructor(node: TestNode, options: FakeOptions = {}) {
    const number = ++fakeCount;
    this.node = node;
    this.endpoint = { address: `10.9.${number >> 8}.${number & 255}` as IpAddress, port: 7000 };
    this.key = node.attach(this.endpoint, true, (end) => {
      this.#end = end;
      return {
        deliver: (bytes) => assert.equal(this.#decoder.push(bytes), null),
        ended: () => void (this.isEnded = true),
      };
    });
    if (options.silent === true) return;
    this.writer.writeBytes(
      encodeHandshake({
        infoHash: node.torrent.infoHashes[0]!,
        peerId: new Prng(100_000 + number).bytes(20).slice(),
        extended: true,
        fast: true,
        dht: false,
        v2: false,
        ...options,
      }),
    );
    this.flush();
  }

  /** Sends at once what was written. */
  flush(): void {
    if (!this.writer.isEmpty) this.send(concatBytes(this.writer.take()));
  }

  send(bytes: Uint8Array): void {
    this.#end!.deliver(bytes);
  }

  say(write: (writer: MessageWriter) => void): void {
    write(this.writer);
    this.flush();
  }

  close(): void {
    this.isEnded = true;
    this.#end!.ended();
  }

  heardOf<Type extends PeerMessage['type']>(type: Type): (PeerMessage & { readonly type: Type })[] {
    return this.heard.filter(
      (message): message is PeerMessage & { readonly type: Type } => message.type === type,
    );
  }

  /** The fault with which the node ended this connection; null when it ended without one, undefined when it did not. */
  get verdict(): Fault | null | undefined {
    return this.node.closings.find(({ endpoint }) => endpoint === this.endpoint)?.fault;
  }

  /** Says that it has everything and serves whatever it is asked for, `change` a block before it goes out. */
  serve(
    change: (data: Uint8Array, piece: number, offset: number) => Uint8Array | null = (data) => data,
  ): void {
    const { info } = this.node.made.metainfo;
    this.onHeard = (message) => {
      if (message.type !== 'request') return;
      const { piece, offset, bytes } = message;
      const start = piece * info.pieceBytes + offset;
      const data = change(this.node.made.content.slice(start, start + bytes), piece, offset);
      if (data !== null) this.writer.writeBlock(piece, offset, data);
      this.node.world.after(1, () => this.#serveMore());
    };
    this.say((writer) => {
      writer.writeEmpty(messageId.haveAll);
      writer.writeEmpty(messageId.unchoke);
    });
  }

  onHandshake(_handshake: Handshake): null {
    return null;
  }

  onMessage(message: PeerMessage): null {
    // Bytes are borrowed from the decoder.
    this.heard.push(structuredClone(message));
    this.onHeard(message);
    return null;
  }

  onBlockHead(piece: number, offset: number, bytes: number): null {
    this.#at = { piece, offset };
    this.blockTarget = new PlainMemory(new Uint8Array(bytes));
    this.blockTargetAt = 0;
    return null;
  }

  onBlockEnd(): null {
    this.blocks.push({ ...this.#at, data: this.blockTarget!.bytes });
    return null;
  }

  #serveMore(): void {
    if (!this.isEnded) this.flush();
  }
}
