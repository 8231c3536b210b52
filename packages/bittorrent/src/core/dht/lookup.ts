/**
 * One search for the nodes nearest to a target, in one address family (BEP 5: iterative, by distance).
 *
 *   candidate: fresh -> asked -> answered
 *                          \-> late (1 s: somebody else is asked besides) -> answered | failed
 *
 * At most four queries are under way that are not late. The next one goes to the nearest candidate among the eight
 * nearest that may still count; the lookup ends when those have answered, so a few silent nodes delay it and never
 * stop it.
 *
 * Attackers, and what stops them:
 * - Sybils with chosen ids near the target: beside the eight nearest of all, the eight nearest whose id fits their
 *   address (BEP 42) must have answered, and results hold both. Many ids without addresses to match gain nothing.
 * - Sybils with a block of addresses: of one /24 (IPv6: /48) one candidate counts, whatever their number.
 * - Poison (names of nodes that are not there): who named three that stayed silent and none that answered is not
 *   believed any further, so a liar costs three queries.
 * - Eclipse (attackers that name each other and nobody else): the first of those that we knew ourselves are all asked,
 *   however near the nodes are that others name; one honest witness leads out of the circle.
 * - Endless approach (each answer names something nearer): a ceiling of queries and of candidates.
 * Private and loopback addresses are exempt from the rules about addresses.
 *
 * Cost: a sorted list of at most 100; an answer of eight nodes costs a few comparisons each.
 */
import { bytesEqual } from '@tequio/kernel';
import { compareDistance, isSecureNodeId } from '../../wire/dht-node-id.ts';
import type { NodeInfo } from '../../wire/dht-node-info.ts';
import { dhtLimits } from './dht-limits.ts';
import { isLocalNode, networkBlockOf } from './place.ts';

export type Candidate = {
  readonly node: NodeInfo;
  readonly isSecure: boolean;
  /** null: exempt. */
  readonly block: string | null;
  /** Answers between us and it: 1 for those that we knew. */
  readonly hopCount: number;
  readonly namedBy: Candidate | null;
  /** Asked whatever nearer ones are named. */
  readonly isWitness: boolean;
  state: 'fresh' | 'asked' | 'late' | 'answered' | 'failed';
  /** Of those that it named. */
  lieCount: number;
  truthCount: number;
  /** What it gave us to store something there. */
  token: Uint8Array | null;
  /** BEP 44: the sequence number that it has. */
  sequence: bigint | null;
};

const {
  bucketSize: width,
  lookupWitnessCount: witnessCount,
  lookupAlpha,
  lookupCandidateCountMax,
  lookupBlockCountMax,
} = dhtLimits;

export class Lookup {
  readonly target: Uint8Array;
  /** Nearest first. */
  readonly #candidates: Candidate[] = [];
  readonly #places = new Set<string>();
  readonly #blockCount = new Map<string, number>();
  /** Which candidate of a block counts: the first that was asked and has not failed. */
  readonly #blockHolder = new Map<string, Candidate>();
  #askedCount = 0;
  queryCount = 0;
  answerCount = 0;
  failCount = 0;

  constructor(target: Uint8Array, known: readonly NodeInfo[]) {
    this.target = target;
    for (const node of known) this.#add(node, null, this.#candidates.length < witnessCount);
  }

  get candidateCount(): number {
    return this.#candidates.length;
  }

  /** The candidate to ask now, or null. It stays fresh until {@link markAsked}. */
  pickNext(): Candidate | null {
    if (this.#askedCount >= lookupAlpha || this.queryCount >= dhtLimits.lookupQueryCountMax) return null;
    return this.#nextFresh();
  }

  /** Nothing is under way that could change the result. */
  get isDone(): boolean {
    if (this.#askedCount > 0) return false;
    return this.queryCount >= dhtLimits.lookupQueryCountMax || this.#nextFresh() === null;
  }

  /** fresh -> asked */
  markAsked(candidate: Candidate): void {
    candidate.state = 'asked';
    this.#askedCount++;
    this.queryCount++;
    if (candidate.block !== null) this.#blockHolder.set(candidate.block, candidate);
  }

  /** asked -> late */
  markLate(candidate: Candidate): void {
    if (candidate.state !== 'asked') return;
    candidate.state = 'late';
    this.#askedCount--;
    if (candidate.namedBy !== null) candidate.namedBy.lieCount++;
  }

  /** asked or late -> failed */
  markFailed(candidate: Candidate): void {
    if (candidate.state !== 'asked' && candidate.state !== 'late') return;
    this.markLate(candidate);
    candidate.state = 'failed';
    this.failCount++;
    if (candidate.block !== null && this.#blockHolder.get(candidate.block) === candidate)
      this.#blockHolder.delete(candidate.block);
  }

  /** asked or late -> answered, and what it named. */
  handleAnswer(candidate: Candidate, named: readonly NodeInfo[]): void {
    if (candidate.state !== 'asked' && candidate.state !== 'late') return;
    if (candidate.state === 'asked') this.#askedCount--;
    else if (candidate.namedBy !== null) candidate.namedBy.lieCount--;
    if (candidate.namedBy !== null) candidate.namedBy.truthCount++;
    candidate.state = 'answered';
    this.answerCount++;
    for (const node of named) this.#add(node, candidate);
  }

  /** A node that was asked without our knowing its id (a bootstrap host) has answered. */
  addAnswered(node: NodeInfo, named: readonly NodeInfo[]): Candidate | null {
    const candidate = this.#add(node, null);
    if (candidate === null) return null;
    this.markAsked(candidate);
    this.handleAnswer(candidate, named);
    return candidate;
  }

  /** Those that count: the eight nearest of all that answered, and the eight nearest whose id fits their address. */
  closest(): Candidate[] {
    const found: Candidate[] = [];
    let secureCount = 0;
    for (const candidate of this.#candidates) {
      if (candidate.state !== 'answered' || !this.#mayCount(candidate)) continue;
      if (found.length < width || (candidate.isSecure && secureCount < width)) found.push(candidate);
      if (candidate.isSecure) secureCount++;
    }
    return found;
  }

  /** Walks from the nearest on; the eight nearest that may still count, of all and of the secure ones, are in reach. */
  #nextFresh(): Candidate | null {
    let count = 0;
    let secureCount = 0;
    for (const candidate of this.#candidates) {
      if (!this.#mayCount(candidate)) continue;
      const isNear = count < width || (candidate.isSecure && secureCount < width);
      const isInReach = isNear || candidate.isWitness;
      if (isInReach && candidate.state === 'fresh') return candidate;
      count++;
      if (candidate.isSecure) secureCount++;
    }
    return null;
  }

  #mayCount(candidate: Candidate): boolean {
    if (candidate.state === 'failed' || candidate.state === 'late') return false;
    if (candidate.block !== null) {
      const holder = this.#blockHolder.get(candidate.block);
      if (holder !== undefined && holder !== candidate) return false;
    }
    if (candidate.state !== 'fresh') return true;
    const { namedBy } = candidate;
    return namedBy === null || namedBy.truthCount > 0 || namedBy.lieCount < dhtLimits.lookupLieCountMax;
  }

  #add(node: NodeInfo, namedBy: Candidate | null, isWitness = false): Candidate | null {
    if (this.#places.has(node.place)) return null;
    let at = this.#candidates.length;
    if (
      at >= lookupCandidateCountMax &&
      compareDistance(node.id, this.#candidates[at - 1]!.node.id, this.target) >= 0
    )
      return null;
    const isLocal = isLocalNode(node);
    const block = isLocal ? null : networkBlockOf(node.addressBytes);
    if (block !== null) {
      const count = this.#blockCount.get(block) ?? 0;
      if (count >= lookupBlockCountMax) return null;
      this.#blockCount.set(block, count + 1);
    }
    while (at > 0 && compareDistance(node.id, this.#candidates[at - 1]!.node.id, this.target) < 0) at--;
    // The same id at two addresses: whoever was named first is asked; the id proves nothing for the other.
    if (at > 0 && bytesEqual(this.#candidates[at - 1]!.node.id, node.id)) return null;
    const candidate: Candidate = {
      node,
      isSecure: isLocal || isSecureNodeId(node.id, node.addressBytes),
      block,
      hopCount: (namedBy?.hopCount ?? 0) + 1,
      namedBy,
      isWitness,
      state: 'fresh',
      lieCount: 0,
      truthCount: 0,
      token: null,
      sequence: null,
    };
    this.#places.add(node.place);
    this.#candidates.splice(at, 0, candidate);
    if (this.#candidates.length > lookupCandidateCountMax) this.#dropFarthest();
    return candidate;
  }

  /** The farthest that is not under way. Its place stays known: it shall not come again. */
  #dropFarthest(): void {
    for (let i = this.#candidates.length - 1; i >= 0; i--) {
      const { state } = this.#candidates[i]!;
      if (state === 'asked' || state === 'late') continue;
      this.#candidates.splice(i, 1);
      return;
    }
  }
}
