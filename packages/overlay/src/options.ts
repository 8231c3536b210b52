import type { Clock, Database, FilesPort, Log, OverlayAddress, Ports } from '@tequio/kernel';
import type { Admission, RateLimiter } from '@tequio/network';
import type { PortMapper } from '@tequio/network/port-mapping';
import { limits } from './limits.ts';
import type { NoiseCrypto } from './noise-handshake.ts';

export type OverlayOptions = {
  /** Seed of the node's Ed25519 key: who it is. */
  readonly secretKey: Uint8Array;
  /** What is told to peers about the program, `tequio/1.2.3`. */
  readonly agent: string;
  /** TCP port; 0 takes a free one, `usual` is 4001 or, where that is taken, a free one; null: nobody is let in. */
  readonly port: number | 'usual' | null;
  /** Port for WebSockets (browsers come this way); 0 takes a free one, null: none. */
  readonly webSocketPort: number | null;
  /** WebRTC: directly, and to peers behind routers through a relay's introduction. */
  readonly webRtc: boolean;
  /** UDP port for QUIC; 0 takes a free one, null: neither dialled nor listened on. */
  readonly quicPort: number | null;
  /** What part this node takes in the DHT: none, asking alone, or answering too. Nothing changes it but the user. */
  readonly dht: 'none' | 'client' | 'server';
  /** Other nodes of the local network are found by multicast DNS. */
  readonly localDiscovery: boolean;
  /** Who else is reached through this node's relay, within narrow limits. */
  readonly relayServer: boolean;
  /** What the relay gives: places, how long a connection through it lasts and what it carries each way. */
  readonly relayLimits: { readonly reservations: number; readonly lastMs: number; readonly bytes: number };
  /** How many relays this node asks for a place, so that it is reached behind a router. 0: none. */
  readonly relayCount: number;
  /** Who is dialled first. */
  readonly bootstrap: readonly OverlayAddress[];
  /** A private swarm's key (32 bytes): only who has it is spoken to. Null: the public network. */
  readonly swarmKey: Uint8Array | null;
  /** Connections; above it those that matter least are closed. */
  readonly connectionCountMax: number;
};

export type OverlayDeps = {
  readonly ports: Pick<
    Ports,
    'tcp' | 'udp' | 'networks' | 'resolver' | 'signatures' | 'hashes' | 'entropy'
  > & {
    readonly clock: Clock;
    readonly log: Log;
  };
  /** Encrypts connections. */
  readonly crypto: NoiseCrypto;
  /** Remembers peers and records. */
  readonly database: Database;
  /** The node's budget, bans and filter. Absent: all are welcome. */
  readonly admission?: Admission;
  /** The node's classes of bandwidth for this network. Absent: no limit. */
  readonly rates?: { readonly down: RateLimiter; readonly up: RateLimiter };
  /** The node's port mapping. Absent: routers are not asked. */
  readonly portMapping?: Pick<PortMapper, 'want' | 'subscribe' | 'ways'>;
  /**
   * The way outside is one address alone, or a proxy: then nothing may go around it, and only TCP through the ports is
   * used: no WebSocket, WebRTC, QUIC, multicast, nor names that only DNS records lead to.
   */
  readonly isBound?: boolean;
};

/** Where the key is read from. */
export type IdentityFiles = Pick<FilesPort, 'kind' | 'readFile' | 'writeFile' | 'makeFolder'>;

/** What does no harm anywhere. */
export const defaultOverlayOptions: Omit<OverlayOptions, 'secretKey' | 'agent'> = {
  port: 'usual',
  webSocketPort: null,
  webRtc: true,
  quicPort: null,
  dht: 'client',
  localDiscovery: true,
  relayServer: false,
  relayLimits: limits.relay,
  relayCount: 1,
  bootstrap: [],
  swarmKey: null,
  connectionCountMax: 150,
};
