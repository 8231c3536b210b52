import type { PeerSnapshot } from '@tequio/bittorrent/contract';

/**
 * ISO 3166-1 alpha-2, in capitals, of the country that an address was given to. Looked up in a list that came with the
 * program: nobody is asked. Null: not known, or an address of no country (a local one).
 */
export type CountryCode = string | null;

export type ListedPeer = PeerSnapshot & { readonly country: CountryCode };

/** The peers of one country. */
export type PeerPlace = {
  readonly country: CountryCode;
  readonly peerCount: number;
  /** Bytes a second. */
  readonly downRate: number;
  readonly upRate: number;
};
