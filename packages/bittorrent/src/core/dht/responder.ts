/**
 * Answers to others' queries (BEP 5, 32, 33, 44, 51). Nothing here sends: it makes one answer of one query, or an
 * error, and the node decides whether there is budget to send it.
 *
 * Handed out are only contacts that answered us themselves. Local contacts and peers are named to local askers only, so
 * a stranger learns nothing of the network behind us. Whoever writes must show a token of its address. A store that is
 * full says so by giving no token (BEP 33). Answers stay below what every path carries in one piece.
 */
import type { Endpoint } from '@tequio/kernel';
import type { AddressFamily } from '../../wire/compact-peers.ts';
import { compactEndpoint, type NodeInfo } from '../../wire/dht-node-info.ts';
import { type KrpcQuery, krpcError, type Want } from '../../wire/krpc.ts';
import { encodeKrpcAnswer, encodeKrpcError, type SentAnswer } from '../../wire/krpc-encode.ts';
import type { AnnounceStore } from './announce-store.ts';
import { dhtLimits } from './dht-limits.ts';
import type { ItemStore } from './item-store.ts';
import { ownerBlockOf } from './place.ts';
import type { RoutingTable } from './routing-table.ts';
import type { WriteTokens } from './tokens.ts';

export type ResponderDeps = {
  readonly tokens: WriteTokens;
  readonly announces: AnnounceStore;
  readonly items: ItemStore;
  /** null: we are not in this family's DHT. */
  readonly tableOf: (family: AddressFamily) => RoutingTable | null;
};

/** Who asks. Its bytes are borrowed. */
export type Asker = {
  readonly endpoint: Endpoint;
  /** The same in 6 or 18 bytes. */
  readonly compact: Uint8Array;
  /** The first 4 or 16 of these. */
  readonly address: Uint8Array;
  readonly family: AddressFamily;
  readonly isLocal: boolean;
};

type Refusal = { readonly code: number; readonly text: string };
const badToken: Refusal = { code: krpcError.protocol, text: 'bad token' };

export class Responder {
  readonly #deps: ResponderDeps;

  constructor(deps: ResponderDeps) {
    this.#deps = deps;
  }

  /** The datagram to send back. @param id our own in the asker's family */
  respond(
    query: KrpcQuery,
    transaction: Uint8Array,
    asker: Asker,
    id: Uint8Array,
    nowMs: number,
  ): Uint8Array {
    const answer = this.#answer(query, asker, id, nowMs);
    return 'code' in answer
      ? encodeKrpcError(transaction, answer.code, answer.text, asker.compact)
      : encodeKrpcAnswer(transaction, answer, asker.compact);
  }

  #answer(query: KrpcQuery, asker: Asker, id: Uint8Array, nowMs: number): SentAnswer | Refusal {
    switch (query.method) {
      case 'ping':
        return { id };
      case 'find_node':
        return { id, ...this.#bothNodes(query.target, query.want, asker) };
      case 'get_peers':
        return this.#peers(query, asker, id, nowMs);
      case 'announce_peer':
        return this.#announce(query, asker, nowMs) ?? { id };
      case 'get':
        return this.#item(query, asker, id, nowMs);
      case 'put':
        return this.#put(query, asker, nowMs) ?? { id };
      case 'sample_infohashes': {
        const { announces } = this.#deps;
        return {
          id,
          ...this.#bothNodes(query.target, query.want, asker),
          samples: announces.samples(dhtLimits.sampleCountMax),
          sampleTotal: announces.hashCount,
          sampleIntervalS: dhtLimits.sampleIntervalS,
        };
      }
      case 'unknown':
        if (query.target === null) return { code: krpcError.method, text: 'unknown method' };
        return { id, ...this.#bothNodes(query.target, query.want, asker) };
      default:
        return { code: query.code, text: query.text };
    }
  }

  #peers(
    query: Extract<KrpcQuery, { method: 'get_peers' }>,
    asker: Asker,
    id: Uint8Array,
    nowMs: number,
  ): SentAnswer {
    const { announces, tokens } = this.#deps;
    const { target, noSeed } = query;
    const blooms = query.scrape ? announces.blooms(target, asker.isLocal, nowMs) : null;
    const countMax = blooms === null ? dhtLimits.answerPeerCountMax : dhtLimits.answerPeerCountScrape;
    // An IPv6 peer is three times as long.
    const want = {
      family: asker.family,
      noSeed,
      askerIsLocal: asker.isLocal,
      countMax: asker.family === 4 ? countMax : Math.floor(countMax / 2),
    };
    const { peers, accepts } = announces.peersAndRoom(target, want, nowMs);
    // Filters need the room that nodes of the other family would take (BEP 33).
    const nodesWanted = blooms === null ? query.want : null;
    return {
      id,
      nodes: this.#nodes(4, target, nodesWanted, asker),
      nodes6: this.#nodes(6, target, nodesWanted, asker),
      peers,
      token: accepts ? tokens.issue(asker.address, nowMs) : null,
      bloomSeeds: blooms?.seeds ?? null,
      bloomPeers: blooms?.peers ?? null,
    };
  }

  #announce(
    query: Extract<KrpcQuery, { method: 'announce_peer' }>,
    asker: Asker,
    nowMs: number,
  ): Refusal | null {
    const { announces, tokens } = this.#deps;
    if (!tokens.isGood(query.token, asker.address, nowMs)) return badToken;
    const port = query.impliedPort ? asker.endpoint.port : query.port;
    const endpoint = { address: asker.endpoint.address, port };
    const stored = announces.announce(
      query.target,
      { endpoint, compact: compactEndpoint(endpoint), seed: query.seed, owner: ownerBlockOf(asker.address) },
      nowMs,
    );
    return stored ? null : { code: krpcError.server, text: 'no room' };
  }

  #item(
    query: Extract<KrpcQuery, { method: 'get' }>,
    asker: Asker,
    id: Uint8Array,
    nowMs: number,
  ): SentAnswer {
    const { items, tokens } = this.#deps;
    const item = items.get(query.target, nowMs);
    const isNews = item?.type !== 'mutable' || query.sequence === null || item.sequence > query.sequence;
    return {
      id,
      ...this.#bothNodes(query.target, query.want, asker),
      token: tokens.issue(asker.address, nowMs),
      item: isNews ? item : null,
      sequence: item?.type === 'mutable' ? item.sequence : null,
    };
  }

  #put(
    { item, token, cas }: Extract<KrpcQuery, { method: 'put' }>,
    asker: Asker,
    nowMs: number,
  ): Refusal | null {
    const { items, tokens } = this.#deps;
    if (!tokens.isGood(token, asker.address, nowMs)) return badToken;
    return items.put(item, cas, asker.isLocal ? null : ownerBlockOf(asker.address), nowMs);
  }

  /** Nodes of one family, if they are wanted and we are in its DHT. */
  #nodes(family: AddressFamily, target: Uint8Array, want: Want, asker: Asker): readonly NodeInfo[] | null {
    const isWanted = want === null ? asker.family === family : family === 4 ? want.ipv4 : want.ipv6;
    const table = isWanted ? this.#deps.tableOf(family) : null;
    return table === null ? null : table.closest(target, dhtLimits.answerNodeCount, !asker.isLocal);
  }

  #bothNodes(target: Uint8Array, want: Want, asker: Asker): Pick<SentAnswer, 'nodes' | 'nodes6'> {
    return { nodes: this.#nodes(4, target, want, asker), nodes6: this.#nodes(6, target, want, asker) };
  }
}
