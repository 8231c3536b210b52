/**
 * Who goes when a torrent has all the connections that it may have and somebody new comes (BEP 40): whoever has the
 * lowest canonical priority, if that is lower than the newcomer's. Without this, those who were there first keep each
 * other's places, a newcomer finds a place nowhere, and whoever opens many connections keeps everybody out; with it all
 * nodes prefer the same pairs, the graph of the swarm is a random one, and addresses in many networks are needed to
 * hold many places.
 *
 * Not exchanged: a connection younger than `ageMsMin`, so that nobody is thrown out while he introduces himself; one
 * that is useful now, to us or to the other side (we are served, or serve). Where our own address is not known, and for
 * peers of our own network, nobody is exchanged. At most one each `betweenMs`.
 *
 * Attacker: connects and disconnects to have others thrown out: gains places only as his addresses have priority, and
 * one in five seconds. Cost: O(peers), then.
 */
import { type Endpoint, isIpv6, isLocalAddress } from '@tequio/kernel';
import { tryCanonicalPriority } from '../wire/canonical-priority.ts';
import type { Peer } from './peer.ts';

export const peerPriorityLimits = {
  ageMsMin: 20_000,
  /** A peer that has sent us a block within this is useful. */
  usefulMs: 30_000,
  betweenMs: 5000,
} as const;

/**
 * The peer whose place the newcomer gets; null: none.
 * @param ownEndpoint where others see us
 */
export function pickToReplace(
  peers: Iterable<Peer>,
  newcomer: Endpoint,
  ownEndpoint: (family: 4 | 6) => Endpoint | null,
  nowMs: number,
): Peer | null {
  let lowest = priorityOf(newcomer, ownEndpoint);
  if (lowest === null) return null;
  let chosen: Peer | null = null;
  for (const peer of peers) {
    const priority = priorityOf(peer.endpoint, ownEndpoint);
    if (priority === null || priority >= lowest || isNeeded(peer, nowMs)) continue;
    chosen = peer;
    lowest = priority;
  }
  return chosen;
}

function priorityOf(endpoint: Endpoint, ownEndpoint: (family: 4 | 6) => Endpoint | null): number | null {
  if (isLocalAddress(endpoint.address)) return null;
  const own = ownEndpoint(isIpv6(endpoint.address) ? 6 : 4);
  return own === null ? null : tryCanonicalPriority(own, endpoint);
}

function isNeeded(peer: Peer, nowMs: number): boolean {
  const { ageMsMin, usefulMs } = peerPriorityLimits;
  if (nowMs - peer.connectedMs < ageMsMin) return true;
  const servesUs = peer.lastBlockMs > peer.connectedMs && nowMs - peer.lastBlockMs < usefulMs;
  return servesUs || (peer.interested && !peer.amChoking);
}
