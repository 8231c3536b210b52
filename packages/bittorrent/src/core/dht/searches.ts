/**
 * All searches of a node: at most 32 at once, others wait in the order in which they were asked. See search.ts for the
 * life of one.
 */
import type { Endpoint, Hashes, Signatures } from '@tequio/kernel';
import type { NodeInfo } from '../../wire/dht-node-info.ts';
import type { KrpcAnswer, Want } from '../../wire/krpc.ts';
import type { SentQuery } from '../../wire/krpc-encode.ts';
import type { SearchReport, SearchRequest } from './dht-effect.ts';
import { dhtLimits } from './dht-limits.ts';
import { type Candidate, Lookup } from './lookup.ts';
import { Search, type SearchLeg } from './search.ts';
import type { DhtSide } from './side.ts';

/** What a query of a search was for. `candidate` null: a bootstrap host, whose id is not known. */
export type SearchPurpose =
  | {
      readonly type: 'look';
      readonly search: Search;
      readonly leg: SearchLeg;
      readonly candidate: Candidate | null;
    }
  | { readonly type: 'store'; readonly search: Search; readonly leg: SearchLeg };

export interface SearchesHost {
  readonly sides: readonly DhtSide[];
  readonly hashes: Hashes;
  readonly signatures: Signatures;
  /** Which families of nodes an answer should name. */
  wantOf(side: DhtSide): Want;
  /** False: it could not be sent, and nothing will follow. */
  ask(to: Endpoint, node: NodeInfo | null, query: SentQuery, purpose: SearchPurpose): boolean;
  /** A search begins: what we keep ourselves for others counts too. */
  begun(search: Search): void;
  searched(search: Search, report: SearchReport): void;
}

export class Searches {
  readonly #host: SearchesHost;
  readonly #running = new Set<Search>();
  #waiting: { readonly search: Search; readonly sides: readonly DhtSide[] }[] = [];
  #nextNumber = 1;

  constructor(host: SearchesHost) {
    this.#host = host;
  }

  get count(): number {
    return this.#running.size + this.#waiting.length;
  }

  /** Begins a search, or lets it wait. @returns its number, or 0 when too many wait */
  start(request: SearchRequest, nowMs: number, sides = this.#host.sides): number {
    if (this.#waiting.length >= dhtLimits.searchWaitingCountMax) return 0;
    const { hashes, signatures } = this.#host;
    const search = new Search(this.#nextNumber++, request, hashes, signatures, nowMs);
    this.#waiting.push({ search, sides });
    return search.number;
  }

  /** Forgets it; it will not be reported. */
  cancel(number: number): void {
    this.#waiting = this.#waiting.filter(({ search }) => search.number !== number);
    for (const search of this.#running) if (search.number === number) this.#running.delete(search);
  }

  /** Starts what waits and goes on with what has come to a halt. */
  advance(nowMs: number): void {
    while (this.#waiting.length > 0 && this.#running.size < dhtLimits.searchCountMax) {
      const { search, sides } = this.#waiting.shift()!;
      this.#running.add(search);
      this.#host.begun(search);
      for (const side of sides) this.#startLeg(search, side);
      for (const leg of search.legs) this.#advanceLeg(search, leg);
      this.#finishIfDone(search, nowMs);
    }
  }

  /** @param node who answered, as it calls itself */
  handleAnswer(
    purpose: SearchPurpose,
    node: NodeInfo,
    answer: KrpcAnswer,
    named: readonly NodeInfo[],
    nowMs: number,
  ): void {
    const { search, leg } = purpose;
    if (purpose.type === 'store') {
      search.storedCount++;
      search.storingCount--;
    } else {
      let { candidate } = purpose;
      if (candidate === null) {
        leg.hostCount--;
        candidate = leg.lookup.addAnswered(node, named);
      } else leg.lookup.handleAnswer(candidate, named);
      if (candidate !== null && this.#running.has(search)) search.handleAnswer(candidate, answer);
      this.#advanceLeg(search, leg);
    }
    this.#finishIfDone(search, nowMs);
  }

  handleLate({ type, search, leg, ...rest }: SearchPurpose, nowMs: number): void {
    if (type === 'store') return;
    const candidate = 'candidate' in rest ? rest.candidate : null;
    if (candidate !== null) leg.lookup.markLate(candidate);
    this.#advanceLeg(search, leg);
    this.#finishIfDone(search, nowMs);
  }

  /** @param error what it said instead of an answer; null: nothing */
  handleFailed(purpose: SearchPurpose, error: { code: number; text: string } | null, nowMs: number): void {
    const { search, leg } = purpose;
    if (purpose.type === 'store') {
      search.storingCount--;
      if (error !== null) search.handleRefusal(error.code, error.text);
    } else if (purpose.candidate === null) leg.hostCount--;
    else leg.lookup.markFailed(purpose.candidate);
    this.#advanceLeg(search, leg);
    this.#finishIfDone(search, nowMs);
  }

  #startLeg(search: Search, side: DhtSide): void {
    const { nodes, hosts } = side.seedsFor(search.target);
    const lookup = new Lookup(search.target, nodes);
    const leg: SearchLeg = { family: side.family, lookup, hostCount: 0, isDone: false };
    search.legs.push(leg);
    for (const to of hosts) {
      const purpose = { type: 'look', search, leg, candidate: null } as const;
      if (this.#host.ask(to, null, search.query(side.id, this.#host.wantOf(side)), purpose)) leg.hostCount++;
    }
  }

  #advanceLeg(search: Search, leg: SearchLeg): void {
    if (leg.isDone || !this.#running.has(search)) return;
    const { lookup } = leg;
    const side = this.#host.sides.find(({ family }) => family === leg.family)!;
    while (!search.isSettled) {
      const candidate = lookup.pickNext();
      if (candidate === null) break;
      lookup.markAsked(candidate);
      const { node } = candidate;
      const purpose = { type: 'look', search, leg, candidate } as const;
      if (!this.#host.ask(node.endpoint, node, search.query(side.id, this.#host.wantOf(side)), purpose))
        lookup.markFailed(candidate);
    }
    const isExhausted = lookup.isDone && leg.hostCount === 0;
    if (!search.isSettled && !isExhausted) return;
    leg.isDone = true;
    for (const candidate of lookup.closest()) {
      const query = search.storeQuery(side.id, candidate);
      if (query === null) continue;
      const { node } = candidate;
      if (this.#host.ask(node.endpoint, node, query, { type: 'store', search, leg })) search.storingCount++;
    }
  }

  #finishIfDone(search: Search, nowMs: number): void {
    if (!search.isDone || !this.#running.delete(search)) return;
    this.#host.searched(search, search.report(nowMs));
    this.advance(nowMs);
  }
}
