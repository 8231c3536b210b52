/**
 * Our own address as others see it (BEP 42's `ip`), by vote: each answering network (IPv4 /24, IPv6 /48) has one vote,
 * the last 24 count, and an address wins with at least four and more than half of them. A liar has one vote a network,
 * and what it could gain is only that we change our id. Local addresses are nothing that the id depends on.
 */
import type { Endpoint, IpAddress } from '@tequio/kernel';
import { dhtLimits } from './dht-limits.ts';
import { isLocal } from './place.ts';

const { voteCountMax, voteCountMin } = dhtLimits;

export class OwnAddress {
  /** By voter's network; the oldest vote first. */
  readonly #votes = new Map<string, Endpoint>();
  #winner: IpAddress | null = null;

  get address(): IpAddress | null {
    return this.#winner;
  }

  /** Our UDP port as each of the voters saw it: one number, unless a router takes another port for each. */
  get ports(): readonly number[] {
    return [...this.#votes.values()].map(({ port }) => port);
  }

  /** @returns true when another address has won */
  vote(voterBlock: string, seenAs: Endpoint): boolean {
    const { address } = seenAs;
    if (isLocal(address)) return false;
    this.#votes.delete(voterBlock);
    this.#votes.set(voterBlock, seenAs);
    if (this.#votes.size > voteCountMax) this.#votes.delete(this.#votes.keys().next().value!);
    if (address === this.#winner) return false;
    let count = 0;
    for (const voted of this.#votes.values()) if (voted.address === address) count++;
    if (count < voteCountMin || count * 2 <= this.#votes.size) return false;
    this.#winner = address;
    return true;
  }
}
