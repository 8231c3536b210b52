/**
 * The settings of a node: one schema that checks the config file, the environment, flags and what comes over the API,
 * and from which the documentation and the settings screen are made. Browser-safe.
 *
 * What has no value is null here, and is left out of the config file, for TOML knows no null. Times of day are minutes
 * since midnight, rates bytes a second, paths absolute.
 */
import { z } from 'zod';
import { dhtBootstrapHosts } from './dht-bootstrap.ts';
import { overlayBootstrap } from './overlay-bootstrap.ts';
import { absolutePath, optional, rate } from './setting-parts.ts';
import { ipfsSection } from './settings-ipfs.ts';

export type { SettingMeta } from './setting-parts.ts';

/** Of the config file's shape; one more with every migration. */
export const settingsVersion = 1;

const minuteOfDay = z.int().min(0).max(1439);
const hostName = z.string().min(1).max(255);

const shareGoal = z.strictObject({
  ratio: optional(z.number().min(0).max(1e6), {
    description: 'Uploaded bytes over the bytes of the content.',
  }),
  seedingMinutes: optional(z.int().min(0).max(1e8), {
    description: 'Time that it was shared.',
    unit: 'minutes',
  }),
  idleMinutes: optional(z.int().min(1).max(1e8), {
    description: 'Time in which nobody has taken a byte.',
    unit: 'minutes',
  }),
  action: z
    .enum(['pause', 'remove', 'remove-with-content', 'super-seed'])
    .meta({ description: 'What happens when the first of these is reached.' })
    .default('pause'),
});

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

const nodeSection = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(64)
    .meta({ description: 'What this node is called on its page.' })
    .default('Tequio'),
  language: z
    .enum(['system', 'en', 'es'])
    .meta({ description: 'Language of the page and of messages.' })
    .default('system'),
});

const foldersSection = z.strictObject({
  download: optional(absolutePath, {
    description:
      "Where content goes that is added without a folder; by default `Downloads` in the user's folder.",
  }),
  incomplete: optional(absolutePath, {
    description: 'Where content lies until it is complete; by default where it will stay.',
  }),
  finished: optional(absolutePath, {
    description: 'Where content moves to when it is complete; by default it stays.',
  }),
  torrentFiles: optional(absolutePath, {
    description: 'Where a copy of every .torrent file is kept; by default none is.',
  }),
});

const limitPair = {
  limitDown: optional(rate, { description: 'Download of the whole node; by default no limit.', unit: 'B/s' }),
  limitUp: optional(rate, { description: 'Upload of the whole node; by default no limit.', unit: 'B/s' }),
};

const bittorrentSection = z.strictObject({
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

const altLimitsSection = z.strictObject({
  limitDown: optional(rate, { description: 'Download while they hold; by default no limit.', unit: 'B/s' }),
  limitUp: optional(rate, { description: 'Upload while they hold; by default no limit.', unit: 'B/s' }),
  schedule: z.array(schedule).max(50).meta({ description: 'When they hold by themselves.' }).default([]),
});

const proxySection = z.strictObject({
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

const addressFilterSection = z.strictObject({
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

/** How many; null: all. A file, which knows no null, says 0. */
const most = (description: string, usual: number | null) =>
  z
    .int()
    .min(0)
    .max(1_000_000)
    .nullable()
    .transform((count) => (count === 0 ? null : count))
    .meta({ description })
    .prefault(usual);

const queueSection = z.strictObject({
  activeDownloads: most('How many download at once; 0: all.', 5),
  activeSeeds: most('How many are shared at once; 0: all.', null),
  activeTotal: most('How many are active at once; 0: all.', null),
  slowRate: z
    .int()
    .min(0)
    .max(1e9)
    .meta({
      description: 'One that is slower than this for a minute does not count; 0: all count.',
      unit: 'B/s',
    })
    .default(2048),
});

const watchFolder = z.strictObject({
  path: absolutePath.meta({ description: 'Folder in which .torrent files and `.magnet` texts appear.' }),
  folder: optional(absolutePath, { description: 'Where the content goes; by default as the category says.' }),
  category: optional(z.string().max(100), { description: 'Category of what is added.' }),
  tags: z
    .array(z.string().min(1).max(100))
    .max(50)
    .meta({ description: 'Tags of what is added.' })
    .default([]),
  paused: z.boolean().meta({ description: 'Added, but not started.' }).default(false),
  action: z
    .enum(['rename', 'delete', 'keep'])
    .meta({ description: 'What happens to the file: it gets `.added` at its end, goes, or stays.' })
    .default('rename'),
});

const rssSection = z.strictObject({
  enabled: z.boolean().meta({ description: 'Feeds are read.' }).default(true),
  refreshMinutes: z
    .int()
    .min(1)
    .max(100_000)
    .meta({ description: 'How often a feed is read.', unit: 'minutes' })
    .default(30),
  itemCountMax: z.int().min(10).max(10_000).meta({ description: 'Items kept of a feed.' }).default(200),
  addByRules: z.boolean().meta({ description: 'Rules add what fits them.' }).default(true),
});

const completionSection = z.strictObject({
  eachFile: z
    .boolean()
    .meta({ description: 'A file that is complete moves to its place, and does not wait for the others.' })
    .default(false),
  program: z
    .array(z.string().max(4096))
    .max(100)
    .meta({
      description:
        'Program that is run when a torrent is complete, an argument each, never through a shell. {name}, {folder}, ' +
        '{path}, {category}, {tags}, {id}, {bytes}, {tracker} stand for the torrent’s. Empty: none.',
    })
    .default([]),
  timeoutSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .meta({ description: 'It is ended after this time.', unit: 'seconds' })
    .default(3600),
});

const httpSection = z.strictObject({
  address: z
    .string()
    .min(1)
    .max(300)
    .meta({
      description:
        '`ADDRESS:PORT` of page and API. Another than the own machine’s needs a password. Port 0: any free one.',
      restart: true,
    })
    .default('127.0.0.1:27270'),
  enabled: z.boolean().meta({ description: 'Page and API are served.', restart: true }).default(true),
  basePath: z
    .string()
    .max(200)
    .regex(/^(?:\/[\w.~-]+)*$/, 'must be empty or like /tequio')
    .meta({ description: 'Path under which a reverse proxy shows the node.', restart: true })
    .default(''),
  allowedHosts: z
    .array(hostName)
    .max(50)
    .meta({ description: 'Host names, besides addresses and localhost, under which the node may be called.' })
    .default([]),
  trustedProxies: z
    .array(z.string().max(50))
    .max(50)
    .meta({ description: 'Addresses of reverse proxies whose word on who is asking is believed.' })
    .default([]),
  streamAddress: z
    .string()
    .max(300)
    .meta({
      description: '`ADDRESS:PORT` of the second origin, which serves content; port 0: any free one.',
      restart: true,
    })
    .default('127.0.0.1:0'),
  streamOrigin: optional(
    z
      .string()
      .max(300)
      .regex(/^https?:\/\/[^/\s]+$/i, 'must be like https://content.example.org'),
    {
      description:
        'Where a reverse proxy shows the second origin, as https://content.example.org; by default the same host and its port.',
    },
  ),
});

const overlaySection = z.strictObject({
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

const webSection = z.strictObject({
  folder: optional(absolutePath, {
    description: 'Folder with a page that was made for Transmission or qBittorrent, to be served as it is.',
    restart: true,
  }),
  path: z
    .string()
    .max(200)
    .regex(/^\/(?:[\w.~-]+(?:\/[\w.~-]+)*)?$/, 'must be / or like /transmission/web')
    .meta({
      description:
        'Where that page is served: `/` in place of our own, `/transmission/web` for Transmission’s.',
      restart: true,
    })
    .default('/'),
});

const compatSection = z.strictObject({
  transmission: z.boolean().meta({ description: 'Transmission RPC at `/transmission/rpc`.' }).default(true),
  qbittorrent: z.boolean().meta({ description: 'qBittorrent Web API at `/api/v2`.' }).default(true),
  aria2: z.boolean().meta({ description: 'aria2 JSON-RPC at `/jsonrpc`.' }).default(true),
  kubo: z.boolean().meta({ description: "Kubo's RPC for IPFS at `/api/v0`." }).default(true),
});

const usersSection = z.strictObject({
  folder: optional(absolutePath, {
    description:
      'Each user without a folder of their own gets one in here; by default in the download folder.',
  }),
});

export const settingsSchema = z.strictObject({
  version: z.literal(settingsVersion).meta({ description: "Of the file's shape." }).default(settingsVersion),
  node: nodeSection.prefault({}).meta({ description: 'The node itself.' }),
  folders: foldersSection.prefault({}).meta({ description: 'Where content lies.' }),
  bittorrent: bittorrentSection.prefault({}).meta({ description: 'BitTorrent.' }),
  overlay: overlaySection
    .prefault({})
    .meta({ description: 'libp2p: the network that IPFS and others stand on.' }),
  ipfs: ipfsSection.prefault({}).meta({ description: 'IPFS: content by the hash of what it is.' }),
  altLimits: altLimitsSection
    .prefault({})
    .meta({ description: 'Alternative limits, by hand or at set times.' }),
  proxy: proxySection.prefault({}).meta({ description: 'A proxy on the way out.' }),
  addressFilter: addressFilterSection.prefault({}).meta({ description: 'Addresses to keep away from.' }),
  queue: queueSection.prefault({}).meta({ description: 'How many torrents are active at once.' }),
  sharing: shareGoal.prefault({}).meta({ description: 'How long torrents are shared; by default for ever.' }),
  watch: z
    .array(watchFolder)
    .max(50)
    .meta({ description: 'Folders that are watched for torrents.' })
    .default([]),
  rss: rssSection.prefault({}).meta({ description: 'Feeds.' }),
  completion: completionSection
    .prefault({})
    .meta({ description: 'What happens when a torrent is complete.' }),
  http: httpSection.prefault({}).meta({ description: 'Page and API.' }),
  web: webSection.prefault({}).meta({ description: 'A page of another program.' }),
  compat: compatSection
    .prefault({})
    .meta({ description: "Other programs' interfaces, for tools made for them." }),
  users: usersSection.prefault({}).meta({ description: 'People besides the owner.' }),
});

/** Complete: every value is there. */
export type Settings = z.output<typeof settingsSchema>;

/** JSON Schema (2020-12) of a config file, with a sentence, a default and a unit for each setting. */
export function settingsJsonSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(settingsSchema, { io: 'input' }) as Readonly<Record<string, unknown>>;
}
