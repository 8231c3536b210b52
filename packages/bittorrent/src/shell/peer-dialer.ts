/**
 * How connections to peers are made: the torrents say to whom, this says by which way. Whoever asks gets a stream of
 * plain bytes, whatever lies under it.
 */
import type { Endpoint, IpAddress, StreamConnection, StreamHandler, StreamPort } from '@tequio/kernel';

export type PeerDialOptions = {
  /** From the call to `onOpen`. */
  readonly timeoutMs: number;
  /** Address to dial from; null: the system chooses. */
  readonly from: IpAddress | null;
  /** The 20 bytes that name the torrent in the handshake. */
  readonly infoHash?: Uint8Array;
  /** By default TCP. */
  readonly transport?: 'tcp' | 'utp';
};

export interface PeerDialer {
  /** Dials; `onOpen` or `onClose` follows within `timeoutMs`, never from inside this call. */
  dial(to: Endpoint, options: PeerDialOptions, handler: StreamHandler): StreamConnection;
}

export type PeerDialerDeps = {
  readonly tcp: StreamPort;
};

export function createPeerDialer(deps: PeerDialerDeps): PeerDialer {
  return { dial: (to, options, handler) => deps.tcp.dial(to, options, handler) };
}
