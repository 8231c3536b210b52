/**
 * One search over the address families that we are in: a lookup in each, then the storing of what is to be stored on
 * the nodes that it found. What answers say is gathered here; see dht-effect.ts for what can be asked.
 *
 *   waiting -> looking (in each family) -> storing -> done
 *
 * A `get` of an immutable item is done with the first genuine one. Of a mutable item the newest that any node gave
 * counts, so all nodes near it are heard; a node that holds back the newest is outvoted by one honest one.
 */
import type { Hashes, Signatures } from '@tequio/kernel';
import type { AddressFamily } from '../../wire/compact-peers.ts';
import { bloomBytes, estimateBloom, insertIntoBloom, mergeBloom } from '../../wire/dht-bloom.ts';
import { type DhtItem, isGenuineItem, targetOf } from '../../wire/dht-item.ts';
import { compactEndpoint, type NodeInfo } from '../../wire/dht-node-info.ts';
import { type KrpcAnswer, krpcError, type Want } from '../../wire/krpc.ts';
import type { SentQuery } from '../../wire/krpc-encode.ts';
import type { SearchReport, SearchRequest } from './dht-effect.ts';
import { copyItem } from './item-store.ts';
import type { Candidate, Lookup } from './lookup.ts';

/** The lookup of one family. */
export type SearchLeg = {
  readonly family: AddressFamily;
  readonly lookup: Lookup;
  /** Bootstrap hosts that were asked and have not answered. */
  hostCount: number;
  isDone: boolean;
};

export class Search {
  readonly number: number;
  readonly request: SearchRequest;
  readonly target: Uint8Array;
  readonly startedMs: number;
  readonly legs: SearchLeg[] = [];
  /** Announcements and puts that were not answered yet. */
  storingCount = 0;
  storedCount = 0;
  refusal: SearchReport['refusal'] = null;
  #peerCount = 0;
  #item: DhtItem | null = null;
  #isSettled = false;
  #blooms: { readonly seeds: Uint8Array; readonly peers: Uint8Array } | null = null;
  readonly #samples = new Map<string, Uint8Array>();
  readonly #hashes: Hashes;
  readonly #signatures: Signatures;

  constructor(number: number, request: SearchRequest, hashes: Hashes, signatures: Signatures, nowMs: number) {
    this.number = number;
    this.request = request;
    this.startedMs = nowMs;
    this.target = request.kind === 'put' ? targetOf(request.item, hashes) : request.target;
    this.#hashes = hashes;
    this.#signatures = signatures;
  }

  /** There is nothing more to look for. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  get isDone(): boolean {
    return this.storingCount === 0 && this.legs.every((leg) => leg.isDone);
  }

  /** What each candidate is asked. */
  query(id: Uint8Array, want: Want): SentQuery {
    const { request, target } = this;
    switch (request.kind) {
      case 'nodes':
        return { method: 'find_node', id, target, want };
      case 'peers':
        return {
          method: 'get_peers',
          id,
          target,
          want,
          noSeed: request.noSeed,
          scrape: request.scrape,
        };
      case 'sample':
        return { method: 'sample_infohashes', id, target, want };
      default:
        return { method: 'get', id, target, want, sequence: null };
    }
  }

  /** What a node that was found is told, or null: nothing is stored on it. */
  storeQuery(id: Uint8Array, { token, sequence }: Candidate): SentQuery | null {
    const { request, target } = this;
    if (token === null) return null;
    if (request.kind === 'peers' && request.announce !== null)
      return { method: 'announce_peer', id, target, ...request.announce, token };
    if (request.kind !== 'put' || this.#isOutdated) return null;
    // Without a stored value there is nothing to compare (BEP 44).
    return { method: 'put', id, item: request.item, token, cas: sequence === null ? null : request.cas };
  }

  handleAnswer(candidate: Candidate, answer: KrpcAnswer): void {
    if (answer.token !== null) candidate.token = answer.token.slice();
    candidate.sequence = answer.sequence;
    if (answer.samples !== null)
      for (const sample of answer.samples) this.#samples.set(String(sample), sample.slice());
    if (this.request.kind === 'get' || this.request.kind === 'put') this.handleItem(answer.item);
    this.#peerCount += answer.peers.length;
    if (this.request.kind === 'peers' && this.request.scrape) this.#handleScrape(answer);
  }

  /** It has asked for a value's storing and was refused. */
  handleRefusal(code: number, text: string): void {
    this.refusal = { code, text };
  }

  report(nowMs: number): SearchReport {
    const blooms = this.#blooms;
    const nodes: NodeInfo[] = [];
    let [queryCount, answerCount, hopCount] = [0, 0, 0];
    for (const { lookup } of this.legs) {
      const closest = lookup.closest();
      nodes.push(...closest.map(({ node }) => node));
      queryCount += lookup.queryCount;
      answerCount += lookup.answerCount;
      hopCount = Math.max(hopCount, closest[0]?.hopCount ?? 0);
    }
    return {
      kind: this.request.kind,
      target: this.target,
      nodes,
      queryCount,
      answerCount,
      hopCount,
      elapsedMs: nowMs - this.startedMs,
      storedCount: this.storedCount,
      peerCount: this.#peerCount,
      estimate:
        blooms === null
          ? null
          : { seedCount: estimateBloom(blooms.seeds), peerCount: estimateBloom(blooms.peers) },
      item: this.#item,
      samples: [...this.#samples.values()],
      refusal:
        this.refusal ??
        (this.#isOutdated ? { code: krpcError.sequenceTooLow, text: 'a newer one is stored' } : null),
    };
  }

  /** Somebody holds a newer value than the one we want to put, or another with the same number. */
  get #isOutdated(): boolean {
    const { request } = this;
    if (request.kind !== 'put' || request.item.type !== 'mutable' || this.#item?.type !== 'mutable')
      return false;
    return this.#item.sequence > request.item.sequence;
  }

  /** A node, or we ourselves, keep this under the target. */
  handleItem(found: DhtItem | null): void {
    const { request } = this;
    if (found === null || (request.kind !== 'get' && request.kind !== 'put')) return;
    const ours = request.kind === 'put' ? request.item : null;
    const salt =
      request.kind === 'get' ? request.salt : ours?.type === 'mutable' ? ours.salt : new Uint8Array(0);
    const item: DhtItem = found.type === 'mutable' ? { ...found, salt } : found;
    const best = this.#item;
    const isBetter =
      best === null || (item.type === 'mutable' && best.type === 'mutable' && item.sequence > best.sequence);
    // Only what would be taken is worth the check of a signature.
    if (!isBetter || !isGenuineItem(item, this.target, this.#hashes, this.#signatures)) return;
    this.#item = copyItem(item);
    if (request.kind === 'get' && item.type === 'immutable') this.#isSettled = true;
  }

  #handleScrape({ bloomSeeds, bloomPeers, peers }: KrpcAnswer): void {
    if (bloomSeeds === null && peers.length === 0) return;
    this.#blooms ??= { seeds: new Uint8Array(bloomBytes), peers: new Uint8Array(bloomBytes) };
    if (bloomSeeds !== null) mergeBloom(this.#blooms.seeds, bloomSeeds);
    if (bloomPeers !== null) mergeBloom(this.#blooms.peers, bloomPeers);
    // A node that does not know of filters: those that it names count, unless they are known as seeds.
    if (bloomSeeds !== null) return;
    for (const peer of peers) this.#insertPeer(compactEndpoint(peer).subarray(0, -2));
  }

  #insertPeer(address: Uint8Array): void {
    const one = new Uint8Array(bloomBytes);
    insertIntoBloom(one, address, this.#hashes);
    const { seeds, peers } = this.#blooms!;
    if (one.some((byte, i) => (byte & ~seeds[i]!) !== 0)) mergeBloom(peers, one);
  }
}
