import type { PeerPlace, PeerSnapshot } from '@tequio/api';

/** @param countries of the peers, in their order */
export function placesOf(
  peers: readonly Pick<PeerSnapshot, 'downRate' | 'upRate'>[],
  countries: readonly (string | null)[],
): PeerPlace[] {
  const places = new Map<string | null, PeerPlace>();
  for (const [index, { downRate, upRate }] of peers.entries()) {
    const country = countries[index] ?? null;
    const place = places.get(country) ?? { country, peerCount: 0, downRate: 0, upRate: 0 };
    places.set(country, {
      country,
      peerCount: place.peerCount + 1,
      downRate: place.downRate + downRate,
      upRate: place.upRate + upRate,
    });
  }
  return [...places.values()].sort((a, b) => b.peerCount - a.peerCount);
}
