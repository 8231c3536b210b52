import type { IpAddress } from '@tequio/kernel';

/** How a peer is to be dialled. */
export type PeerDialOptions = {
  /** From the call to `onOpen`. */
  readonly timeoutMs: number;
  /** Address to dial from; null: the system chooses. */
  readonly from: IpAddress | null;
  /** The 20 bytes that name the torrent in the handshake; without it nothing can be encrypted. */
  readonly infoHash?: Uint8Array;
  /** By default TCP. */
  readonly transport?: 'tcp' | 'utp';
};
