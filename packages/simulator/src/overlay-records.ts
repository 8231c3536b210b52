/**
 * The DHT of the simulated overlay. Records lie with the peers whose hashes are nearest to the key's, among those that
 * answer and are there at that moment, and go when these go; asking takes three ways there and back.
 */
import { hash } from 'node:crypto';
import {
  bytesEqual,
  type Clock,
  NodeError,
  type OverlayPeer,
  type OverlayProvider,
  type OverlayRecordRules,
  toHex,
  tryDecodeUtf8,
} from '@tequio/kernel';

/** How many peers keep a record, and for how long. Source: libp2p specs, kad-dht. */
const closestCount = 20;
const lastMs = 48 * 3600 * 1000;
const askMs = 3 * 2 * 20;
const keyBytesMax = 1024;
const valueBytesMax = 10 * 1024;

/** What one node keeps for others. */
export class KeptRecords {
  readonly providers = new Map<string, Map<OverlayPeer, { provider: OverlayProvider; untilMs: number }>>();
  readonly values = new Map<string, Uint8Array>();
}

export interface DhtNode {
  readonly peer: OverlayPeer;
  readonly kept: KeptRecords;
  readonly rules: ReadonlyMap<string, OverlayRecordRules>;
  /** Answers questions of others, and is there. */
  readonly isServer: boolean;
  readonly provider: OverlayProvider;
}

export class SimulatedDht {
  readonly #clock: Clock;
  readonly #nodes: () => Iterable<DhtNode>;
  readonly #settled: () => void;

  constructor(clock: Clock, nodes: () => Iterable<DhtNode>, settled: () => void) {
    this.#clock = clock;
    this.#nodes = nodes;
    this.#settled = settled;
  }

  async provide(self: DhtNode, key: Uint8Array): Promise<number> {
    await this.#wait();
    const untilMs = this.#clock.nowMs() + lastMs;
    const takers = this.#closest(key, self);
    for (const { kept } of takers) {
      const known = kept.providers.get(toHex(key)) ?? new Map();
      kept.providers.set(toHex(key), known.set(self.peer, { provider: self.provider, untilMs }));
    }
    return takers.length;
  }

  async find(
    self: DhtNode,
    key: Uint8Array,
    onProvider: (provider: OverlayProvider) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#wait();
    signal?.throwIfAborted();
    const told = new Set<OverlayPeer>([self.peer]);
    for (const { kept } of [self, ...this.#closest(key, self)])
      for (const { provider, untilMs } of kept.providers.get(toHex(key))?.values() ?? []) {
        if (untilMs <= this.#clock.nowMs() || told.has(provider.peer)) continue;
        told.add(provider.peer);
        onProvider(provider);
      }
  }

  async putValue(self: DhtNode, key: Uint8Array, value: Uint8Array): Promise<number> {
    if (key.length > keyBytesMax || value.length > valueBytesMax || !(await isValid(self, key, value)))
      throw new NodeError('OVERLAY_RECORD', 'The record is not what its key says, or too large.', {
        op: 'put',
      });
    await this.#wait();
    let count = 0;
    self.kept.values.set(toHex(key), value.slice());
    for (const node of this.#closest(key, self)) {
      if (!(await isValid(node, key, value))) continue;
      const old = node.kept.values.get(toHex(key));
      const isOlder = old !== undefined && rulesOf(node, key).pickBest(key, [value, old]) === 1;
      if (!isOlder) node.kept.values.set(toHex(key), value.slice());
      count++;
    }
    return count;
  }

  async getValue(self: DhtNode, key: Uint8Array, signal?: AbortSignal): Promise<Uint8Array | null> {
    await this.#wait();
    signal?.throwIfAborted();
    const values: Uint8Array[] = [];
    for (const { kept } of [self, ...this.#closest(key, self)]) {
      const value = kept.values.get(toHex(key));
      if (value !== undefined && (await isValid(self, key, value))) values.push(value);
    }
    return values.length === 0 ? null : (values[rulesOf(self, key).pickBest(key, values)] ?? null);
  }

  async closest(
    self: DhtNode,
    key: Uint8Array,
    onAnswer: (from: OverlayPeer, closer: readonly OverlayProvider[]) => void,
  ): Promise<void> {
    await this.#wait();
    const nearest = this.#closest(key, self);
    const closer = nearest.map(({ provider }) => provider);
    for (const { peer } of nearest) onAnswer(peer, closer);
  }

  async findPeer(peer: OverlayPeer): Promise<OverlayProvider | null> {
    await this.#wait();
    for (const node of this.#nodes()) if (node.peer === peer) return node.provider;
    return null;
  }

  #closest(key: Uint8Array, self: DhtNode): readonly DhtNode[] {
    const target = hash('sha256', key, 'buffer');
    return [...this.#nodes()]
      .filter((node) => node.isServer && node !== self)
      .map((node) => ({ node, distance: distanceOf(target, node.peer) }))
      .sort((a, b) => (a.distance < b.distance ? -1 : 1))
      .slice(0, closestCount)
      .map(({ node }) => node);
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.setTimer(askMs, () => {
        this.#settled();
        resolve();
      });
    });
  }
}

function distanceOf(target: Uint8Array, peer: OverlayPeer): bigint {
  const id = hash('sha256', peer, 'buffer');
  return BigInt(`0x${toHex(target.map((byte, i) => byte ^ id[i]!))}`);
}

/** `/pk/…` holds the key that it names. */
const publicKeyRules: OverlayRecordRules = {
  isValid: (key, value) => {
    const multihash = key.subarray(4);
    return multihash[0] === 0 && multihash[1] === value.length && bytesEqual(multihash.subarray(2), value);
  },
  pickBest: () => 0,
};

const noRules: OverlayRecordRules = { isValid: () => false, pickBest: () => 0 };

function rulesOf(node: DhtNode, key: Uint8Array): OverlayRecordRules {
  const end = key.indexOf(0x2f, 1);
  const namespace = key[0] === 0x2f && end > 1 ? tryDecodeUtf8(key.subarray(1, end)) : null;
  return namespace === 'pk' ? publicKeyRules : (node.rules.get(namespace ?? '') ?? noRules);
}

async function isValid(node: DhtNode, key: Uint8Array, value: Uint8Array): Promise<boolean> {
  return rulesOf(node, key).isValid(key, value);
}
