/** The parts of libp2p that make up this node, put together as the options say. */
import { autoNAT } from '@libp2p/autonat';
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { dcutr } from '@libp2p/dcutr';
import { type GossipSub, gossipsub } from '@libp2p/gossipsub';
import { type Identify, identify, identifyPush } from '@libp2p/identify';
import type { ConnectionGater, Libp2p, Transport } from '@libp2p/interface';
import type { AddressManager } from '@libp2p/interface-internal';
import {
  type KadDHT,
  kadDHT,
  passthroughMapper,
  removePrivateAddressesMapper,
  removePublicAddressesMapper,
} from '@libp2p/kad-dht';
import { type Ping, ping } from '@libp2p/ping';
import { preSharedKey } from '@libp2p/pnet';
import { assert, type Endpoint, formatEndpoint, type Log } from '@tequio/kernel';
import { createLibp2p, type Libp2pOptions, type ServiceFactoryMap } from 'libp2p';
import { createGate } from './gate.ts';
import { keyOf } from './identity.ts';
import { limits } from './limits.ts';
import { noise } from './noise.ts';
import type { OverlayDeps, OverlayOptions } from './options.ts';
import type { TellableDht } from './provider-telling.ts';
import type { RecordStore } from './record-store.ts';
import { silentLogger } from './silent-logger.ts';
import { swarmKeyFile } from './swarm-key.ts';
import { tcpAddress } from './tcp-addresses.ts';
import { TcpTransport } from './tcp-transport.ts';
import { yamux } from './yamux.ts';

export type Services = {
  identify: Identify;
  ping: Ping;
  pubsub: GossipSub;
  /** Of the Internet, and of the local network. */
  dht?: KadDHT;
  lanDht?: KadDHT;
  [name: string]: unknown;
};

export type Host = Libp2p<Services>;

type TransportFactory = NonNullable<Libp2pOptions['transports']>[number];
type Parts = {
  readonly transports: TransportFactory[];
  readonly listen: string[];
  readonly discovery: NonNullable<Libp2pOptions['peerDiscovery']>;
};

/** What other programs of this network listen on. */
const usualPort = 4001;

/** How long an address counts as reachable after somebody came in by it. */
const reachedMs = 24 * 3600 * 1000;

/** libp2p's inner parts that this package works with, taken out while it is put together. */
export type Inside = {
  addressManager: AddressManager | null;
  /** Whom WebRTC asks from where this node is seen. */
  stunServers: () => readonly Endpoint[];
};

/** Not started yet. */
export async function createHost(
  options: OverlayOptions,
  deps: OverlayDeps,
  store: RecordStore,
  inside: Inside,
): Promise<Host> {
  const parts = await createParts(options, deps, inside);
  const { swarmKey } = options;
  const host = await createLibp2p<Services>({
    start: false,
    privateKey: keyOf(options.secretKey, deps.ports.signatures),
    nodeInfo: { name: 'tequio', version: '0', userAgent: options.agent },
    logger: silentLogger,
    datastore: store,
    addresses: { listen: parts.listen },
    transports: parts.transports,
    peerDiscovery: parts.discovery,
    connectionEncrypters: [noise(deps.crypto)],
    streamMuxers: [yamux(deps.ports.clock)],
    connectionGater: createGate(deps.admission ?? null) as ConnectionGater,
    connectionManager: {
      maxConnections: Math.min(options.connectionCountMax, limits.connection.count),
      maxIncomingPendingConnections: limits.connection.incomingPending,
      inboundConnectionThreshold: limits.connection.incomingPerSecond,
    },
    peerStore: { maxAddressAge: limits.peers.lastMs, maxPeerAge: limits.peers.lastMs },
    services: createServices(options, inside),
    ...(swarmKey === null ? {} : { connectionProtector: preSharedKey({ psk: swarmKeyFile(swarmKey) }) }),
  });
  return host;
}

async function createParts(options: OverlayOptions, deps: OverlayDeps, inside: Inside): Promise<Parts> {
  const { ports, admission, rates, isBound = false } = deps;
  const tcp = new TcpTransport({
    tcp: ports.tcp,
    networks: ports.networks,
    resolver: ports.resolver,
    clock: ports.clock,
    admission: admission ?? null,
    rates: rates ?? null,
    mayMove: options.port === 'usual',
    // Proof enough: libp2p itself keeps an address to itself until several strangers have dialled it on request.
    onReached: (local) =>
      inside.addressManager?.confirmObservedAddr(tcpAddress(local), { type: 'transport', ttl: reachedMs }),
  });
  const transports: TransportFactory[] = [(): Transport => tcp, circuitRelayTransport()];
  const listen: string[] = [];
  const discovery: Parts['discovery'] = [];
  if (options.port !== null)
    listen.push(`/ip4/0.0.0.0/tcp/${options.port === 'usual' ? usualPort : options.port}`);
  for (let i = 0; i < options.relayCount; i++) listen.push('/p2p-circuit');
  // What opens sockets of its own would go around the address or proxy that everything is bound to.
  if (!isBound) {
    const stunServers: Inside['stunServers'] = () => inside.stunServers();
    await addFreeParts(options, { transports, listen, discovery }, { log: ports.log, stunServers });
  }
  return { transports, listen, discovery };
}

/** A part that is native is not there for every machine: then the node goes without, and says so. */
async function tryLoad<Part>(name: string, log: Log, load: () => Promise<Part>): Promise<Part | null> {
  try {
    return await load();
  } catch (error) {
    log.warn('overlay.part-missing', { part: name, reason: error instanceof Error ? error.message : '' });
    return null;
  }
}

/** Each is loaded only where it is wanted. In a private swarm QUIC and WebRTC, which encrypt by themselves, are out. */
async function addFreeParts(
  options: OverlayOptions,
  { transports, listen, discovery }: Parts,
  { log, stunServers }: { readonly log: Log; readonly stunServers: Inside['stunServers'] },
): Promise<void> {
  const { webSocketPort, webRtc, quicPort, swarmKey, localDiscovery, relayCount } = options;
  if (webSocketPort !== null) {
    const { webSockets } = await import('@libp2p/websockets');
    transports.push(webSockets());
    listen.push(`/ip4/0.0.0.0/tcp/${webSocketPort}/ws`);
  }
  if (webRtc && swarmKey === null) {
    const part = await tryLoad('webrtc', log, () => import('@libp2p/webrtc'));
    if (part !== null) {
      // Nobody but peers is asked; without a list libp2p asks companies.
      const rtcConfiguration = (): { iceServers: { urls: string[] }[] } => ({
        iceServers: stunServers().map((endpoint) => ({ urls: [`stun:${formatEndpoint(endpoint)}`] })),
      });
      transports.push(part.webRTC({ rtcConfiguration }), part.webRTCDirect());
      if (options.port !== null) listen.push('/ip4/0.0.0.0/udp/0/webrtc-direct');
      if (relayCount > 0) listen.push('/webrtc');
    }
  }
  if (quicPort !== null && swarmKey === null) {
    const part = await tryLoad('quic', log, () => import('@chainsafe/libp2p-quic'));
    if (part !== null) {
      transports.push(part.quic());
      listen.push(`/ip4/0.0.0.0/udp/${quicPort}/quic-v1`);
    }
  }
  if (localDiscovery) {
    const { mdns } = await import('@libp2p/mdns');
    discovery.push(mdns());
  }
}

/** What one message of a peer may hold. */
const rpcLimits = {
  maxSubscriptions: limits.topics.perMessage,
  maxMessages: limits.topics.perMessage,
  maxIhaveMessageIDs: limits.topics.idsPerMessage,
  maxIwantMessageIDs: limits.topics.idsPerMessage,
  maxIdontwantMessageIDs: 512,
  maxControlMessages: limits.topics.idsPerMessage,
  maxPeerInfos: 16,
};

function createServices(options: OverlayOptions, inside: Inside): ServiceFactoryMap<Services> {
  const { dht, relayServer, relayLimits } = options;
  const { topics, relay, streams } = limits;
  return {
    identify: identify({ runOnLimitedConnection: true }),
    identifyPush: identifyPush({ runOnLimitedConnection: true }),
    ping: ping(),
    inside: ({ addressManager }) => {
      inside.addressManager = addressManager;
      return inside;
    },
    autoNat: autoNAT(),
    dcutr: dcutr(),
    pubsub: gossipsub({
      allowPublishToZeroTopicPeers: true,
      emitSelf: true,
      globalSignaturePolicy: 'StrictSign',
      maxTopicBytesPerPeer: topics.bytesPerPeer,
      maxInboundDataLength: topics.messageBytes + 16 * 1024,
      maxInboundStreams: streams.perProtocol,
      decodeRpcLimits: rpcLimits,
    }),
    ...(dht === 'none' ? {} : createDhts(options)),
    ...(relayServer
      ? {
          relay: circuitRelayServer({
            reservations: {
              maxReservations: Math.min(relay.reservations, relayLimits.reservations),
              defaultDurationLimit: Math.min(relay.lastMs, relayLimits.lastMs),
              defaultDataLimit: BigInt(Math.min(relay.bytes, relayLimits.bytes)),
            },
          }),
        }
      : {}),
  };
}

/**
 * kubo's pair. The mode is what the user said, and nothing that autonat finds out changes it. Providing works as a
 * client too.
 */
function createDhts({ dht, swarmKey }: OverlayOptions): Pick<ServiceFactoryMap<Services>, 'dht' | 'lanDht'> {
  const common = {
    clientMode: dht !== 'server',
    // Sooner than the usual second: until then questions wait.
    initialQuerySelfInterval: 100,
    // What has been provided is provided again by whoever knows whether it is still there; store.ts sweeps the rest.
    reprovide: { interval: 2 ** 31 - 1 },
  };
  const wan = kadDHT({
    ...common,
    protocol: '/ipfs/kad/1.0.0',
    // A private swarm has one DHT, whatever its addresses are.
    peerInfoMapper: swarmKey === null ? removePrivateAddressesMapper : passthroughMapper,
  });
  if (swarmKey !== null) return { dht: wan };
  const lan = kadDHT({
    ...common,
    protocol: '/ipfs/lan/kad/1.0.0',
    datastorePrefix: '/dht-lan',
    logPrefix: 'lan-dht',
    metricsPrefix: 'lan_dht',
    peerInfoMapper: removePublicAddressesMapper,
  });
  return { dht: wan, lanDht: lan };
}

/** The DHTs that are there, with what their type does not promise. */
export function dhtsOf(host: Host): readonly TellableDht[] {
  return [host.services.dht, host.services.lanDht].filter(
    (dht): dht is TellableDht =>
      dht !== undefined && ['routingTable', 'providers', 'protocol'].every((name) => name in dht),
  );
}

/** The services that are always there. */
export function pubsubOf(host: Host): GossipSub {
  assert(host.services.pubsub !== undefined, 'gossipsub is always there');
  return host.services.pubsub;
}
