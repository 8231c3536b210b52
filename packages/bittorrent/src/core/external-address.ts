/**
 * How others see us: peers (`yourip`, BEP 10), trackers (`external ip`, BEP 24) and the DHT (BEP 42) each name the
 * address from which we came. One of them may lie, or see us through a way of its own; so they vote.
 *
 * Rules: one voter is a network (/24, or /48 of IPv6; a tracker is its name), and its latest word counts; the latest 50
 * voters of each family are heard, each for two hours. The address with the most votes is ours once it has two; another
 * one takes its place when it has more. Local addresses are not voted for, and local voters are not heard: they see
 * another side of us.
 * Attacker: whoever wants us to believe in an address (to choose our place in the DHT, or our priority) needs as many
 * networks as there are honest ones among the latest 50. Cost: O(50) a vote.
 */
import {
  type IpAddress,
  isIpv6,
  isLocalAddress,
  toHex,
  tryAddressToBytes,
  tryParseAddress,
} from '@tequio/kernel';

export const externalAddressLimits = {
  voterCountMax: 50,
  voteCountMin: 2,
  voteLifeMs: 7_200_000,
} as const;

type Vote = { readonly address: IpAddress; readonly atMs: number };

/** Votes of one address family. */
class Ballot {
  /** In order of the latest word. */
  readonly votes = new Map<string, Vote>();
  address: IpAddress | null = null;
}

export class ExternalAddress {
  readonly #ballots = { 4: new Ballot(), 6: new Ballot() };

  /** Our address as most voters see it; null: too few have said. */
  of(family: 4 | 6): IpAddress | null {
    return this.#ballots[family].address;
  }

  /** How many voters name {@link of}, and how many there are. */
  votesFor(family: 4 | 6): { readonly voteCount: number; readonly voterCount: number } {
    const { votes, address } = this.#ballots[family];
    let voteCount = 0;
    for (const vote of votes.values()) if (vote.address === address) voteCount++;
    return { voteCount, voterCount: votes.size };
  }

  /**
   * Somebody says that we are at `address`.
   * @param voter the address of who says so, or the name of its host
   * @returns true when {@link of} has another answer now
   */
  handleVote(address: IpAddress, voter: string, nowMs: number): boolean {
    const from = tryParseAddress(voter);
    if (isLocalAddress(address) || (from !== null && isLocalAddress(from))) return false;
    const ballot = this.#ballots[isIpv6(address) ? 6 : 4];
    const { votes } = ballot;
    const network = networkOf(voter);
    votes.delete(network);
    votes.set(network, { address, atMs: nowMs });
    for (const [key, vote] of votes) {
      const isOld = nowMs - vote.atMs > externalAddressLimits.voteLifeMs;
      if (!isOld && votes.size <= externalAddressLimits.voterCountMax) break;
      votes.delete(key);
    }
    const before = ballot.address;
    ballot.address = winnerOf(ballot);
    return ballot.address !== before;
  }
}

function winnerOf({ votes, address: current }: Ballot): IpAddress | null {
  const counts = new Map<IpAddress, number>();
  for (const { address } of votes.values()) counts.set(address, (counts.get(address) ?? 0) + 1);
  let winner = current;
  let most = current === null ? 0 : (counts.get(current) ?? 0);
  for (const [address, count] of counts) {
    if (count <= most || count < externalAddressLimits.voteCountMin) continue;
    winner = address;
    most = count;
  }
  return winner;
}

function networkOf(voter: string): string {
  const bytes = tryAddressToBytes(voter);
  if (bytes === null) return `name ${voter.toLowerCase()}`;
  return toHex(bytes.subarray(0, bytes.length === 4 ? 3 : 6));
}
