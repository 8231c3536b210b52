/**
 * Thousands of DHT nodes in virtual time, without the sockets, hosts and promises of the whole simulated world: a heap
 * of deliveries and timers. The nodes are the real machines, and real datagrams go between them.
 */
import { createHash, hash } from 'node:crypto';
import {
  addressFromBytes,
  compareBytes,
  type Endpoint,
  formatEndpoint,
  type Hashes,
  isLocalAddress,
  Prng,
  type Signatures,
} from '@tequio/kernel';
import type { DhtEffect, SearchReport, SearchRequest } from '../src/core/dht/dht-effect.ts';
import { dhtLimits } from '../src/core/dht/dht-limits.ts';
import { DhtNode } from '../src/core/dht/node.ts';
import { secureNodeId, sharedPrefixBits } from '../src/wire/dht-node-id.ts';
import { type NodeInfo, nodeInfo } from '../src/wire/dht-node-info.ts';

export const simulatedHashes: Hashes = {
  sha1: (bytes) => hash('sha1', bytes, 'buffer'),
  sha256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
};

/** Nobody signs in these simulations. */
const noSignatures: Signatures = {
  publicKeyOf: () => new Uint8Array(32),
  sign: () => new Uint8Array(64),
  verify: () => false,
};

/** Whoever receives datagrams: a machine, or an attacker. */
export type Actor = {
  readonly info: NodeInfo;
  readonly isHostile: boolean;
  isAlive: boolean;
  /** Datagrams received. */
  receivedCount: number;
  handle(bytes: Uint8Array, from: Endpoint): void;
};

export type Honest = Actor & { readonly node: DhtNode };

/** What a search gave in the end. */
export type Found = { readonly report: SearchReport; readonly peers: readonly Endpoint[] };

type Wait = { readonly peers: Endpoint[]; readonly done: (found: Found) => void };

export class DhtWorld {
  readonly prng: Prng;
  readonly actors = new Map<string, Actor>();
  readonly honest: Honest[] = [];
  nowMs = 1;
  messageCount = 0;
  /** Searches that ended because whoever asked has left. */
  abandonedCount = 0;
  readonly #heap = new EventHeap();
  readonly #waits = new Map<DhtNode, Map<number, Wait>>();
  readonly #usedAddresses = new Set<string>();
  readonly #latencyMs: readonly [number, number];
  readonly #loss: number;
  #effects: DhtEffect[] = [];

  constructor(seed: number, options: { latencyMs?: readonly [number, number]; loss?: number } = {}) {
    this.prng = new Prng(seed);
    this.#latencyMs = options.latencyMs ?? [10, 120];
    this.#loss = options.loss ?? 0.01;
  }

  /** A node at an address of its own, whose id fits it. It knows nobody yet. */
  addNode(): Honest {
    const info = this.freshInfo();
    const node = new DhtNode(
      { families: [4], ids: { 4: info.id } },
      {
        prng: this.prng.fork(),
        secret: this.prng.bytes(32),
        hashes: simulatedHashes,
        signatures: noSignatures,
      },
    );
    let timerMs = Number.POSITIVE_INFINITY;
    const rearm = (): void => {
      const nextMs = node.nextTimeoutMs() ?? Number.POSITIVE_INFINITY;
      if (nextMs >= timerMs) return;
      timerMs = nextMs;
      this.#heap.push(nextMs, () => {
        if (!actor.isAlive || timerMs !== nextMs) return;
        timerMs = Number.POSITIVE_INFINITY;
        node.handleTimeout(this.nowMs);
        settle();
      });
    };
    const settle = (): void => {
      this.#carryOut(actor);
      rearm();
    };
    const actor: Honest & { settle: () => void } = {
      info,
      node,
      isHostile: false,
      isAlive: true,
      receivedCount: 0,
      handle: (bytes, from) => {
        node.handleDatagram(bytes, from, this.nowMs);
        settle();
      },
      settle,
    };
    node.start(this.nowMs);
    this.actors.set(formatEndpoint(info.endpoint), actor);
    this.honest.push(actor);
    rearm();
    return actor;
  }

  /** A node joins by way of some that live. */
  join(): Honest {
    const newcomer = this.addNode();
    for (let i = 0; i < 2; i++) newcomer.node.addHost(this.livingNode().info.endpoint, this.nowMs);
    this.settle(newcomer);
    return newcomer;
  }

  addActor(actor: Actor): void {
    this.actors.set(formatEndpoint(actor.info.endpoint), actor);
  }

  leave(actor: Actor): void {
    actor.isAlive = false;
    this.actors.delete(formatEndpoint(actor.info.endpoint));
    const at = this.honest.indexOf(actor as Honest);
    if (at < 0) return;
    this.abandonedCount += this.#waits.get(this.honest[at]!.node)?.size ?? 0;
    this.honest[at] = this.honest.at(-1)!;
    this.honest.pop();
  }

  livingNode(): Honest {
    return this.prng.pick(this.honest);
  }

  /** An id and an address that nobody has, and that fit each other. */
  freshInfo(): NodeInfo {
    for (;;) {
      const bytes = this.prng.bytes(4);
      const address = addressFromBytes(bytes);
      if (isLocalAddress(address) || this.#usedAddresses.has(address)) continue;
      this.#usedAddresses.add(address);
      return nodeInfo(secureNodeId(bytes, this.prng.bytes(20)), {
        address,
        port: this.prng.between(1024, 65_535),
      });
    }
  }

  /**
   * Gives every node the contacts that it would have after hours in a DHT of these: in each bucket some at random.
   * @param gone were there until lately, so tables still hold them
   */
  warmUp(gone: readonly NodeInfo[]): void {
    const all = [...[...this.actors.values()].map(({ info }) => info), ...gone];
    all.sort((a, b) => compareBytes(a.id, b.id));
    for (const { node, info } of this.honest) {
      const { table } = node.sides[0]!;
      let [low, high] = [0, all.length];
      // All between low and high share the first `bit` bits with us; those of the other half fill bucket `bit`.
      for (let bit = 0; high - low > 1 && bit < 40; bit++) {
        const middle = splitAt(all, low, high, bit);
        const isOne = (info.id[bit >> 3]! & (0x80 >> (bit & 7))) !== 0;
        const [from, to] = isOne ? [low, middle] : [middle, high];
        this.#fillBucket(table, all, from, to);
        if (isOne) low = middle;
        else high = middle;
      }
    }
  }

  /** Starts a search and calls back when it has ended. */
  search(from: Honest, request: SearchRequest, done: (found: Found) => void): void {
    const number = from.node.search(request, this.nowMs);
    let waits = this.#waits.get(from.node);
    if (waits === undefined) this.#waits.set(from.node, (waits = new Map()));
    waits.set(number, { peers: [], done });
    this.settle(from);
  }

  /** Something was asked of a machine from outside: its effects are carried out. */
  settle(actor: Honest): void {
    (actor as Honest & { settle: () => void }).settle();
  }

  send(bytes: Uint8Array, from: Endpoint, to: Endpoint): void {
    this.messageCount++;
    if (this.prng.chance(this.#loss)) return;
    const key = formatEndpoint(to);
    const [least, most] = this.#latencyMs;
    this.#heap.push(this.nowMs + least + this.prng.nextFloat() * (most - least), () => {
      const actor = this.actors.get(key);
      if (actor === undefined) return;
      actor.receivedCount++;
      actor.handle(bytes, from);
    });
  }

  at(delayMs: number, work: () => void): void {
    this.#heap.push(this.nowMs + delayMs, work);
  }

  /** Lets time pass. */
  run(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const next = this.#heap.pop(endMs);
      if (next === null) break;
      this.nowMs = next.atMs;
      next.work();
    }
    this.nowMs = endMs;
  }

  #carryOut(actor: Honest): void {
    actor.node.drain(this.#effects);
    if (this.#effects.length === 0) return;
    const effects = this.#effects;
    this.#effects = [];
    for (const effect of effects) {
      if (effect.type === 'send') this.send(effect.bytes, actor.info.endpoint, effect.to);
      else if (effect.type === 'peers')
        this.#waits
          .get(actor.node)
          ?.get(effect.search)
          ?.peers.push(...effect.peers);
      else if (effect.type === 'searched') {
        const waits = this.#waits.get(actor.node);
        const wait = waits?.get(effect.search);
        waits?.delete(effect.search);
        wait?.done({ report: effect.report, peers: wait.peers });
      }
    }
  }

  #fillBucket(
    table: DhtNode['sides'][number]['table'],
    all: readonly NodeInfo[],
    from: number,
    to: number,
  ): void {
    const { bucketSize, questionableMs } = dhtLimits;
    const few = to - from <= bucketSize;
    for (let i = 0; i < Math.min(bucketSize, to - from); i++) {
      const info = all[few ? from + i : from + this.prng.below(to - from)]!;
      table.handleAnswered(info, this.nowMs - this.prng.nextFloat() * questionableMs);
    }
  }
}

/** The first in `all` between low and high whose bit is one. */
function splitAt(all: readonly NodeInfo[], low: number, high: number, bit: number): number {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((all[middle]!.id[bit >> 3]! & (0x80 >> (bit & 7))) !== 0) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** How many of the nodes that live are nearer to the target than the farthest of the given ones. */
export function rankOf(world: DhtWorld, target: Uint8Array, node: NodeInfo): number {
  const shared = sharedPrefixBits(node.id, target);
  let count = 0;
  for (const { info } of world.actors.values()) if (sharedPrefixBits(info.id, target) > shared) count++;
  return count;
}

type HeapEvent = { readonly atMs: number; readonly order: number; readonly work: () => void };

/** What happens when; of equal times the first one pushed. */
class EventHeap {
  readonly #events: HeapEvent[] = [];
  #order = 0;

  push(atMs: number, work: () => void): void {
    const events = this.#events;
    const event = { atMs, order: this.#order++, work };
    let at = events.length;
    events.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, events[parent]!)) break;
      events[at] = events[parent]!;
      at = parent;
    }
    events[at] = event;
  }

  /** The next event, if it is not after `endMs`. */
  pop(endMs: number): HeapEvent | null {
    const events = this.#events;
    const first = events[0];
    if (first === undefined || first.atMs > endMs) return null;
    const last = events.pop()!;
    if (events.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && isBefore(events[child + 1]!, events[child]!)) child++;
      if (!isBefore(events[child]!, last)) break;
      events[at] = events[child]!;
      at = child;
    }
    events[at] = last;
    return first;
  }
}

function isBefore(a: HeapEvent, b: HeapEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
