/**
 * A DHT of 3,000 nodes of which 20 % are one attacker's. They behave until they are asked about a target; then
 *
 * - a third eclipses: it names the attacker's nodes nearest to the target, and no others;
 * - a third poisons: it names nodes that are not there, half of them with ids that fit their addresses;
 * - a third plays sybil: it names nodes at one block of 256 addresses whose ids are chosen to be nearer to the target
 *   than anybody's; they answer, take announcements and keep nothing.
 *
 * All give false peers. A search is a success when the true peer is among those that it found.
 */
import assert from 'node:assert/strict';
import { type Endpoint, type IpAddress, toHex } from '@tequio/kernel';
import { compareDistance, secureNodeId } from '../src/wire/dht-node-id.ts';
import { compactEndpoint, type NodeInfo, nodeInfo } from '../src/wire/dht-node-info.ts';
import { decodeKrpc } from '../src/wire/krpc.ts';
import { encodeKrpcAnswer } from '../src/wire/krpc-encode.ts';
import { type Actor, DhtWorld, type Found } from './dht-world.ts';
import { median } from './measures.ts';
import { isLarge, simulate } from './simulate.ts';

const nodeCount = 3000;
const hostileShare = 0.2;
const targetCount = isLarge ? 1000 : 150;
const sybilBlock = '203.0.113.';
const falsePeer = Uint8Array.of(198, 51, 100, 66, 0x1a, 0xe1);

simulate('20 % hostile nodes poison, eclipse and play sybil', import.meta.filename, run);

async function run({ seed, note }: { seed: number; note: (text: string) => void }): Promise<void> {
  const world = new DhtWorld(seed);
  const attacker = new Attacker(world);
  for (let i = 0; i < nodeCount * (1 - hostileShare); i++) world.addNode();
  for (let i = 0; i < nodeCount * hostileShare; i++) attacker.addNode();
  world.warmUp([]);
  const results: (Found & { readonly isFound: boolean })[] = [];
  const honestShares: number[] = [];
  for (let i = 0; i < targetCount; i++) {
    const target = world.prng.bytes(20);
    const search = { kind: 'peers', target, scrape: false, noSeed: false } as const;
    const announce = { port: 6881, impliedPort: false, seed: false };
    world.at(i * 200, () => {
      const announcer = world.livingNode();
      const peer = announcer.info.endpoint.address;
      world.search(announcer, { ...search, announce }, ({ report }) => {
        const honest = report.nodes.filter(({ endpoint }) => !attacker.owns(endpoint));
        honestShares.push(honest.length / report.nodes.length);
        world.at(2000, () =>
          world.search(world.livingNode(), { ...search, announce: null }, (found) =>
            results.push({ ...found, isFound: found.peers.some(({ address }) => address === peer) }),
          ),
        );
      });
    });
  }
  world.run(targetCount * 200 + 90_000);
  const successCount = results.filter(({ isFound }) => isFound).length;
  const queries = results.map(({ report }) => report.queryCount);
  const elapsed = results.map(({ report }) => report.elapsedMs);
  note(`${successCount} of ${results.length} searches found the true peer`);
  note(`${Math.round(100 * median(honestShares))} % of the nodes announced to are honest (median)`);
  note(
    `median ${median(queries)} queries, at most ${Math.max(...queries)}; median ${Math.round(median(elapsed))} ms`,
  );
  assert.equal(results.length, targetCount);
  assert.ok(successCount >= 0.97 * targetCount, `${successCount} of ${targetCount}`);
  assert.ok(median(honestShares) >= 0.4, `${median(honestShares)}`);
  assert.ok(median(queries) <= 60 && Math.max(...queries) <= 200);
}

class Attacker {
  readonly #world: DhtWorld;
  readonly #nodes: NodeInfo[] = [];
  readonly #places = new Set<string>();
  /** By target. */
  readonly #sybils = new Map<string, readonly NodeInfo[]>();

  constructor(world: DhtWorld) {
    this.#world = world;
  }

  owns({ address, port }: Endpoint): boolean {
    return this.#places.has(`${address}:${port}`) || address.startsWith(sybilBlock);
  }

  addNode(): void {
    const info = this.#world.freshInfo();
    const way = this.#nodes.length % 3;
    this.#nodes.push(info);
    this.#places.add(`${info.endpoint.address}:${info.endpoint.port}`);
    this.#addActor(info, (target) => {
      if (way === 0) return this.#nearest(target);
      return way === 1 ? this.#bogus(target) : this.#sybilsOf(target);
    });
  }

  #addActor(info: NodeInfo, answer: (target: Uint8Array) => readonly NodeInfo[]): void {
    const actor: Actor = {
      info,
      isHostile: true,
      isAlive: true,
      receivedCount: 0,
      handle: (bytes, from) => {
        const message = decodeKrpc(bytes);
        if (!message.ok || message.value.type !== 'query') return;
        const { query, transaction } = message.value;
        const nodes = 'target' in query && query.target !== null ? answer(query.target.slice()) : null;
        const peers = query.method === 'get_peers' ? [falsePeer] : null;
        const reply = encodeKrpcAnswer(
          transaction,
          { id: info.id, nodes, peers, token: this.#world.prng.bytes(4) },
          compactEndpoint(from),
        );
        this.#world.send(reply, info.endpoint, from);
      },
    };
    this.#world.addActor(actor);
  }

  #nearest(target: Uint8Array): readonly NodeInfo[] {
    return [...this.#nodes].sort((a, b) => compareDistance(a.id, b.id, target)).slice(0, 8);
  }

  /** Nodes that are not there: some with ids near the target, others with the best of many that fit an address. */
  #bogus(target: Uint8Array): readonly NodeInfo[] {
    const { prng } = this.#world;
    return Array.from({ length: 8 }, (_, i) => {
      const endpoint = { address: `99.${prng.below(256)}.${prng.below(256)}.7` as IpAddress, port: 6881 };
      if (i % 2 === 0) return nodeInfo(nearId(target, 20, prng.bytes(20)), endpoint);
      const tries = Array.from({ length: 100 }, () => prng.bytes(4)).map((bytes) => ({
        id: secureNodeId(bytes, prng.bytes(20)),
        address: bytes.join('.') as IpAddress,
      }));
      const best = tries.reduce((a, b) => (compareDistance(a.id, b.id, target) < 0 ? a : b));
      return nodeInfo(best.id, { address: best.address, port: 6881 });
    });
  }

  #sybilsOf(target: Uint8Array): readonly NodeInfo[] {
    const key = toHex(target);
    let sybils = this.#sybils.get(key);
    if (sybils === undefined) {
      const { prng } = this.#world;
      const port = 1024 + this.#sybils.size;
      sybils = Array.from({ length: 64 }, (_, i) =>
        nodeInfo(nearId(target, 30, prng.bytes(20)), { address: `${sybilBlock}${i * 4}` as IpAddress, port }),
      );
      this.#sybils.set(key, sybils);
      for (const sybil of sybils) this.#addActor(sybil, () => this.#sybilsOf(target));
    }
    const from = this.#world.prng.below(sybils.length - 8);
    return sybils.slice(from, from + 8);
  }
}

/** An id that begins with so many bits of the target. */
function nearId(target: Uint8Array, bits: number, random: Uint8Array): Uint8Array {
  const id = random.slice();
  for (let bit = 0; bit < bits; bit++) {
    const mask = 0x80 >> (bit & 7);
    id[bit >> 3] = (id[bit >> 3]! & ~mask) | (target[bit >> 3]! & mask);
  }
  return id;
}
