/**
 * How connections to peers are made: the torrents say to whom, this says by which way. Whoever asks gets a stream of
 * plain bytes, whatever lies under it; a plain connection has nothing under it but the port's own.
 */
import {
  type Clock,
  type Endpoint,
  formatEndpoint,
  type StreamConnection,
  type StreamHandler,
  type StreamPort,
} from '@tequio/kernel';
import { EncryptedDial } from './encrypted-dial.ts';
import type { PeerDialOptions } from './peer-dial-options.ts';
import type { PeerEncryption } from './peer-encryption.ts';

export type { PeerDialOptions };

export interface PeerDialer {
  /** Dials; `onOpen` or `onClose` follows within `timeoutMs`, never from inside this call. */
  dial(to: Endpoint, options: PeerDialOptions, handler: StreamHandler): StreamConnection;
  /** The peer at this endpoint, which was dialled, introduced itself rightly. */
  markUnderstood(to: Endpoint): void;
  /**
   * A connection was made and ended before the other side had said a word.
   * @returns true: it may understand us when it is dialled again now
   */
  handleSilentEnd(to: Endpoint): boolean;
}

export type PeerDialerDeps = {
  readonly tcp: Pick<StreamPort, 'dial'>;
  readonly clock: Clock;
  readonly encryption: PeerEncryption;
};

export function createPeerDialer(deps: PeerDialerDeps): PeerDialer {
  const { tcp, clock, encryption } = deps;
  return {
    dial: (to, options, handler) => {
      const { infoHash } = options;
      if (infoHash === undefined || encryption.wayTo(formatEndpoint(to)) === 'plain')
        return tcp.dial(to, options, handler);
      const connection = new EncryptedDial(encryption, clock, infoHash, handler);
      connection.dial(tcp, to, options);
      return connection;
    },
    markUnderstood: (to) => encryption.markUnderstood(formatEndpoint(to)),
    handleSilentEnd: (to) => encryption.handleSilentEnd(formatEndpoint(to)),
  };
}
