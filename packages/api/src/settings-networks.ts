/** Sections of the settings: the networks, and the way out to them. */
import { z } from 'zod';
import { dhtBootstrapHosts } from './dht-bootstrap.ts';
import { overlayBootstrap } from './overlay-bootstrap.ts';
import { absolutePath, hostName, optional, rate } from './setting-parts.ts';

const minuteOfDay = z.int().min(0).max(1439);

const schedule = z.strictObject({
  days: z
    .array(z.int().min(0).max(6))
    .min(1)
    .max(7)
    .meta({ description: 'Days on which it begins; 0 is Sunday.' })
    .default([0, 1, 2, 3, 4, 5, 6]),
  fromMinute: minuteOfDay.meta({ description: 'Begins.', unit: 'minute of the day' }),
  toMinute: minuteOfDay.meta({
    description: 'Ends; on the next day when it is not later than the beginning.',
    unit: 'minute of the day',
  }),
});

const limitPair = {
  limitDown: optional(rate, { description: 'Download of the whole node; by default no limit.', unit: 'B/s' }),
  limitUp: optional(rate, { description: 'Upload of the whole node; by default no limit.', unit: 'B/s' }),
};

export const bittorrentSection = z.strictObject({
  port: optional(z.int().min(0).max(65535), {
    description: 'TCP and UDP port for other peers; 0: any free one; by default 27272, or a free one.',
    restart: true,
  }),
  bind: optional(hostName, {
    description:
      'Address or network interface that everything goes through; while it is not there nothing is sent.',
    restart: true,
  }),
  transport: z
    .enum(['both', 'tcp', 'utp'])
    .meta({ description: 'How peers are connected.', restart: true })
    .default('both'),
  encryption: z
    .enum(['allow', 'prefer', 'require', 'off'])
    .meta({ description: 'Encryption of connections to peers.', restart: true })
    .default('allow'),
  dht: z
    .boolean()
    .meta({ description: 'Takes part in the DHT, and finds peers in it.', restart: true })
    .default(true),
  dhtBootstrap: z
    .array(
      z
        .string()
        .max(300)
        .regex(/^\S+:\d{1,5}$/, 'must be HOST:PORT'),
    )
    .max(50)
    .meta({ description: 'Whom to ask first for nodes of the DHT.', restart: true })
    .default([...dhtBootstrapHosts]),
  pex: z
    .boolean()
    .meta({ description: 'Peers of public torrents tell each other of others.', restart: true })
    .default(true),
  lsd: z
    .boolean()
    .meta({ description: 'Finds, and is found by, peers on the local network.', restart: true })
    .default(false),
  portMapping: z
    .boolean()
    .meta({ description: "Asks routers to let the node's port through.", restart: true })
    .default(true),
  ...limitPair,
  preallocate: z
    .boolean()
    .meta({ description: 'Takes the space on the disk before the content comes.' })
    .default(false),
  reuse: z
    .enum(['own', 'all', 'off'])
    .meta({
      description:
        "Content that another torrent has is taken from the disk: of the same user's torrents, of all (which shows users that somebody has it), or of none.",
    })
    .default('own'),
});

export const altLimitsSection = z.strictObject({
  limitDown: optional(rate, { description: 'Download while they hold; by default no limit.', unit: 'B/s' }),
  limitUp: optional(rate, { description: 'Upload while they hold; by default no limit.', unit: 'B/s' }),
  schedule: z.array(schedule).max(50).meta({ description: 'When they hold by themselves.' }).default([]),
});

export const proxySection = z.strictObject({
  url: optional(
    z
      .string()
      .max(1000)
      .regex(/^(?:socks5|http):\/\/\S+$/i, 'must be socks5://HOST:PORT or http://HOST:PORT'),
    {
      description: '`socks5://USER:PASSWORD@HOST:PORT` or `http://…`; by default none.',
      restart: true,
      secret: true,
    },
  ),
  peers: z
    .boolean()
    .meta({
      description: 'Connections to peers, web seeds and the DHT go through it, and no other way.',
      restart: true,
    })
    .default(true),
  trackers: z
    .boolean()
    .meta({
      description: 'Questions to trackers, and torrent files from the web, go through it.',
      restart: true,
    })
    .default(true),
});

export const addressFilterSection = z.strictObject({
  source: optional(z.string().min(1).max(4096), {
    description:
      'Absolute path or http(s) address of a list of addresses (P2P, DAT, CIDR; gzip too) to keep away from.',
  }),
  refreshHours: z
    .int()
    .min(1)
    .max(8760)
    .meta({ description: 'How often a list from the web is fetched again.', unit: 'hours' })
    .default(24),
});

export const overlaySection = z.strictObject({
  enabled: z
    .boolean()
    .meta({
      description: 'Takes part in libp2p also while nothing here needs it.',
      restart: true,
    })
    .default(false),
  port: optional(z.int().min(0).max(65_535), {
    description: 'TCP port; 0: any free one; by default 4001, or a free one when that is taken.',
    restart: true,
  }),
  webSocketPort: optional(z.int().min(0).max(65_535), {
    description: 'Port for WebSockets, by which pages in browsers come; by default none.',
    restart: true,
  }),
  quicPort: optional(z.int().min(0).max(65_535), {
    description: 'UDP port for QUIC; by default QUIC is not used.',
    restart: true,
  }),
  webRtc: z
    .boolean()
    .meta({ description: 'Reaches peers behind routers directly, by WebRTC.', restart: true })
    .default(true),
  dht: z
    .enum(['none', 'client', 'server'])
    .meta({ description: 'Part in the DHT: none, asking, or answering others too.', restart: true })
    .default('client'),
  localDiscovery: z
    .boolean()
    .meta({ description: 'Finds, and is found by, nodes on the local network.', restart: true })
    .default(true),
  relayServer: z
    .boolean()
    .meta({
      description: 'Others behind routers are introduced to each other here, within narrow limits.',
      restart: true,
    })
    .default(true),
  bootstrap: z
    .array(z.string().min(1).max(1000).startsWith('/', 'must be a multiaddr like /ip4/…/tcp/…/p2p/…'))
    .max(100)
    .meta({ description: 'Addresses of nodes that are dialled first.', restart: true })
    .default([...overlayBootstrap]),
  swarmKey: optional(absolutePath, {
    description: 'File of a private swarm’s key; then only who has it is spoken to.',
    restart: true,
  }),
  connections: z
    .int()
    .min(8)
    .max(400)
    .meta({ description: 'Connections at most.', restart: true })
    .default(80),
});
