// Helia as a program of its own: each JSON line on standard input is a request, answered with one on standard output.
// On loopback, without any server of its authors: it knows whom it is told to know.
// `node peer.mjs '{"swarmKey": "FILE", "relay": "ADDRESS", "relayServer": true}'`
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { argv, stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { withBitswap } from '@helia/bitswap';
import { car } from '@helia/car';
import { ipns, pubSubIPNSRouting } from '@helia/ipns';
import { withLibp2pLight } from '@helia/libp2p';
import { globSource, unixfs } from '@helia/unixfs';
import { CarReader } from '@ipld/car';
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { fetch } from '@libp2p/fetch';
import { gossipsub } from '@libp2p/gossipsub';
import { identify } from '@libp2p/identify';
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht';
import { noise } from '@libp2p/noise';
import { peerIdFromCID, peerIdFromString } from '@libp2p/peer-id';
import { ping } from '@libp2p/ping';
import { preSharedKey } from '@libp2p/pnet';
import { tcp } from '@libp2p/tcp';
import { webSockets } from '@libp2p/websockets';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createHeliaLight } from 'helia';
import { CID } from 'multiformats/cid';

const { swarmKey, relay, relayServer = false } = JSON.parse(argv[2] ?? '{}');
const waitMs = 120_000;

const helia = withBitswap(
  withLibp2pLight(createHeliaLight(), {
    addresses: {
      listen:
        relay === undefined ? ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'] : [`${relay}/p2p-circuit`],
    },
    transports: [circuitRelayTransport(), tcp(), webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    ...(swarmKey === undefined ? {} : { connectionProtector: preSharedKey({ psk: readFileSync(swarmKey) }) }),
    services: {
      identify: identify(),
      ping: ping(),
      fetch: fetch(),
      pubsub: gossipsub({ allowPublishToZeroTopicPeers: true }),
      // The DHT of addresses that are not of the Internet, as kubo has it.
      dht: kadDHT({
        protocol: '/ipfs/lan/kad/1.0.0',
        peerInfoMapper: passthroughMapper,
        clientMode: false,
        initialQuerySelfInterval: 100,
      }),
      ...(relayServer ? { relay: circuitRelayServer() } : {}),
    },
  }),
);
await helia.start();
const { libp2p } = helia;
const files = unixfs(helia);
const archives = car(helia);
const names = ipns(helia);
const namesByPubsub = ipns(helia, { routers: [pubSubIPNSRouting(helia)] });
const heard = [];
libp2p.services.pubsub.addEventListener('message', ({ detail }) => {
  heard.push({ topic: detail.topic, text: Buffer.from(detail.data).toString() });
});

/** Of what comes, without keeping it. */
async function digest(parts) {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of parts) {
    hash.update(part);
    bytes += part.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

const within = () => ({ signal: AbortSignal.timeout(waitMs) });

async function resolve(through, name) {
  for await (const { value } of through.resolve(CID.parse(name), { nocache: true, ...within() }))
    return { value };
  return { value: null };
}

const operations = {
  id: () => ({ peer: libp2p.peerId.toString(), addresses: libp2p.getMultiaddrs().map(String) }),
  connect: async ({ to }) => {
    await libp2p.dial(multiaddr(to), within());
    return {};
  },
  peers: () => ({
    peers: libp2p.getConnections().map((one) => ({
      peer: one.remotePeer.toString(),
      address: one.remoteAddr.toString(),
    })),
  }),
  add: async ({ path }) => ({ cid: String(await files.addByteStream(createReadStream(path))) }),
  /** All files of a folder. */
  addFolder: async ({ path }) => {
    let root;
    const options = { wrapWithDirectory: true };
    for await (const entry of files.addAll(globSource(path, '**/*'), options)) root = entry.cid;
    return { cid: String(root) };
  },
  cat: ({ cid, path }) => digest(files.cat(CID.parse(cid), { path, ...within() })),
  ls: async ({ cid }) => {
    const entries = [];
    for await (const entry of files.ls(CID.parse(cid), { extended: false, ...within() }))
      entries.push(entry.name ?? entry.path.split('/').at(-1));
    return { names: entries };
  },
  exportCar: async ({ cid, path }) => {
    await pipeline(Readable.from(archives.export(CID.parse(cid), within())), createWriteStream(path));
    return {};
  },
  importCar: async ({ path }) => {
    const reader = await CarReader.fromIterable(createReadStream(path));
    await archives.import(reader);
    return { roots: (await reader.getRoots()).map(String) };
  },
  publish: async ({ key, cid, byPubsub = false }) => {
    const { name } = await (byPubsub ? namesByPubsub : names).publish(key, CID.parse(cid), {
      ttl: 1,
      ...within(),
    });
    return { name };
  },
  resolve: ({ name, byPubsub = false }) => resolve(byPubsub ? namesByPubsub : names, name),
  provide: async ({ cid }) => {
    await helia.routing.provide(CID.parse(cid), within());
    return {};
  },
  providers: async ({ cid }) => {
    const peers = [];
    for await (const { id } of helia.routing.findProviders(CID.parse(cid), within()))
      peers.push(String(peerIdFromCID(id)));
    return { peers };
  },
  subscribe: ({ topic }) => {
    libp2p.services.pubsub.subscribe(topic);
    return {};
  },
  subscribers: ({ topic }) => ({ peers: libp2p.services.pubsub.getSubscribers(topic).map(String) }),
  say: async ({ topic, text }) => {
    await libp2p.services.pubsub.publish(topic, Buffer.from(text));
    return {};
  },
  heard: ({ topic }) => ({
    texts: heard.filter((message) => message.topic === topic).map(({ text }) => text),
  }),
  ping: async ({ to }) => ({ ms: await libp2p.services.ping.ping(peerIdFromString(to), within()) }),
};

createInterface({ input: stdin })
  .on('line', async (line) => {
    const { id, op, ...request } = JSON.parse(line);
    const reply = (words) => void stdout.write(`${JSON.stringify({ id, ...words })}\n`);
    try {
      reply({ ok: true, ...(await operations[op](request)) });
    } catch (error) {
      reply({ ok: false, error: String(error?.stack ?? error) });
    }
  })
  .on('close', () => process.exit());
