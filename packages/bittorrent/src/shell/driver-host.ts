/** What the driver of a torrent is given, and whom it tells. */
import type { Clock, DiskPort, Endpoint, Fault, IpAddress, Log } from '@tequio/kernel';
import type { Admission, Ban } from '@tequio/network';
import type { TorrentEffect } from '../core/torrent-effect.ts';
import type { ContentPlaces } from './content-jobs.ts';
import type { PeerDialer } from './peer-dialer.ts';
import type { TorrentRates } from './rate-limit.ts';

/** Effects that concern more than connections and disk jobs. */
export type TorrentFact = Exclude<
  TorrentEffect,
  {
    type:
      | 'send'
      | 'close'
      | 'job'
      | 'blame'
      | 'handshaken'
      | 'listens'
      | 'seen'
      | 'heard'
      | 'punch'
      | 'dht-node';
  }
>;

export type DriverDeps = {
  readonly clock: Clock;
  readonly dialer: PeerDialer;
  readonly disk: DiskPort;
  readonly log: Log;
  readonly bind: IpAddress | null;
  /** Asked before a connection is made, and told of faults. */
  readonly admission: Admission;
  /** Told of all that comes and goes; may want to pause reading. */
  readonly rates: Pick<TorrentRates, 'received' | 'sent' | 'forgotten'>;
  /** A peer says that it sees us at this address. */
  readonly seenAt: (address: IpAddress, by: IpAddress) => void;
  /** Where others see us; null: not known. */
  readonly ownEndpoint: (family: 4 | 6) => Endpoint | null;
  /** A peer says that it has a DHT node there. */
  readonly foundDhtNode?: (endpoint: Endpoint) => void;
};

export interface DriverHost extends ContentPlaces {
  /** The torrent's: what the connection budget counts its connections under. */
  readonly id: string;
  handleFact(fact: TorrentFact): void;
  /** All effects have been carried out: whoever feeds the torrent besides its peers may look for work. */
  driven(): void;
  connected(
    endpoint: Endpoint,
    incoming: boolean,
    over: { readonly isUtp: boolean; readonly isEncrypted: boolean },
  ): void;
  closed(endpoint: Endpoint, fault: Fault | null, wasConnected: boolean): void;
  banned(endpoint: Endpoint, ban: Ban): void;
}
