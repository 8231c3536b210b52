/**
 * What goes in and comes out of each route. `params` are the parts of the path that are filled in; a value of `query`
 * is written as text, lists with commas between, null as nothing. Without `body` a request has none, and without
 * `result` its answer has none (204), or is no JSON.
 */
import { z } from 'zod';
import * as bridge from '../schemas/bridge-schemas.ts';
import * as create from '../schemas/create-schemas.ts';
import * as node from '../schemas/node-schemas.ts';
import * as people from '../schemas/people-schemas.ts';
import * as torrent from '../schemas/torrent-schemas.ts';
import { settingsSchema } from '../settings-schema.ts';
import { dhtRouteSchemas } from './dht-route-schemas.ts';
import { ipfsRouteSchemas } from './ipfs-route-schemas.ts';
import type { RouteSchemas } from './route.ts';
import type { RouteName } from './routes.ts';

export type { RouteSchemas };

const ofTorrent = z.strictObject({ id: torrent.torrentId });
const ids = z.strictObject({ ids: torrent.torrentIds });
const onIds = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject({ ids: torrent.torrentIds, ...shape });
const byName = z.strictObject({ name: z.string().min(1).max(1000) });

/** What an event stream carries. */
export const eventChannel = z.enum(['events', 'torrents', 'status', 'log']);

export const eventStreamQuery = z.strictObject({
  ...torrent.torrentListQuery.shape,
  channels: z
    .array(eventChannel)
    .min(1)
    .exactOptional()
    .meta({ description: 'By default events. torrents: the view that the rest of the query describes.' }),
  limit: z.int().min(1).max(1000).exactOptional().meta({ description: 'Rows of the view; by default 100.' }),
  intervalMs: z
    .int()
    .min(250)
    .max(60_000)
    .exactOptional()
    .meta({ description: 'The shortest time between two changes of the view; by default 1000.' }),
  level: node.logLevel.exactOptional().meta({ description: 'Of log lines; by default info.' }),
});

export const routeSchemas = {
  'session.get': { result: people.identity.nullable() },
  'session.open': {
    body: z.union([
      z.strictObject({ token: z.string().min(1).max(200).meta({ description: 'One that lets in once.' }) }),
      z.strictObject({ user: z.string().max(64), password: z.string().max(1024) }),
    ]),
    result: people.identity,
  },
  'session.close': {},
  'session.oneTime': { result: z.strictObject({ token: z.string() }) },

  'torrents.list': { query: torrent.torrentListQuery, result: torrent.torrentList },
  'torrents.add': { body: torrent.addTorrent, result: torrent.addedTorrent },
  'torrents.patch': { body: onIds({ patch: torrent.torrentPatch }) },
  'torrents.changes': {
    query: z.strictObject({ since: z.number().min(0).meta({ description: '0: everything.' }) }),
    result: torrent.torrentDelta,
  },
  'torrents.create': { body: create.createTorrent, result: create.createdTorrent },
  'torrents.verify': { body: create.verifyTorrent, result: create.verifyReport },
  'torrents.preview': {
    body: z.strictObject({
      source: torrent.torrentSource,
      timeoutMs: z.int().min(0).max(120_000).exactOptional(),
    }),
    result: torrent.shownTorrent,
  },
  'torrents.addTags': { body: onIds({ tags: torrent.tagNames }) },
  'torrents.removeTags': { body: onIds({ tags: torrent.tagNames }) },
  'torrents.pause': { body: ids },
  'torrents.resume': { body: ids },
  'torrents.recheck': { body: ids },
  'torrents.announce': { body: ids },
  'torrents.remove': { body: onIds({ removeContent: z.boolean().exactOptional() }) },
  'torrents.move': { body: onIds({ folder: torrent.absolutePath }) },
  'torrents.moveInQueue': { body: onIds({ to: z.enum(['top', 'up', 'down', 'bottom']) }) },
  'torrents.addPeers': { body: onIds({ peers: z.array(z.string().min(3).max(300)).min(1).max(1000) }) },
  'torrents.get': {
    params: ofTorrent,
    query: z.strictObject({ fields: torrent.torrentListQuery.shape.fields }),
    result: torrent.listedTorrent.partial(),
  },
  'torrents.makeTwin': {
    params: ofTorrent,
    body: z.strictObject({ version: z.enum(['v2', 'hybrid']) }),
    result: torrent.addedTorrent,
  },
  'torrents.files': { params: ofTorrent, result: z.array(torrent.fileSnapshot) },
  'torrents.peers': { params: ofTorrent, result: z.array(torrent.peerSnapshot) },
  'torrents.peerPlaces': { result: z.array(torrent.peerPlace) },
  'torrents.trackers': { params: ofTorrent, result: z.array(torrent.trackerSnapshot) },
  'torrents.setTrackers': { params: ofTorrent, body: z.strictObject({ tiers: torrent.trackerTiers }) },
  'torrents.webSeeds': { params: ofTorrent, result: z.array(torrent.webSeedSnapshot) },
  'torrents.setWebSeeds': {
    params: ofTorrent,
    body: z.strictObject({ urls: z.array(z.string().min(1).max(4096)).max(1000) }),
  },
  'torrents.pieces': { params: ofTorrent, result: torrent.pieceView },
  'torrents.show': { params: ofTorrent, result: torrent.shownTorrent.nullable() },
  'torrents.export': { params: ofTorrent },
  'torrents.setFilePriorities': {
    params: ofTorrent,
    body: z.strictObject({
      files: z.array(torrent.fileIndex).min(1).max(1e6),
      priority: z.int().min(0).max(7).meta({ description: '0: not wanted; 4 is normal.' }),
    }),
  },
  'torrents.renameFile': {
    params: ofTorrent,
    body: z.strictObject({ file: torrent.fileIndex, path: z.string().min(1).max(4096) }),
  },
  'torrents.renameFolder': {
    params: ofTorrent,
    body: z.strictObject({ from: z.string().min(1).max(4096), to: z.string().min(1).max(4096) }),
  },
  'torrents.content': { params: z.strictObject({ id: torrent.torrentId, file: torrent.fileIndex }) },
  'torrents.playlist': { params: ofTorrent },

  'categories.list': { result: z.array(torrent.category) },
  'categories.put': { body: torrent.category },
  'categories.remove': { body: byName },
  'tags.list': { result: z.array(z.string()) },
  'tags.put': { body: z.strictObject({ names: torrent.tagNames }) },
  'tags.drop': { body: z.strictObject({ names: torrent.tagNames }) },
  'trackerRules.list': { result: z.array(torrent.trackerRule) },
  'trackerRules.put': { body: torrent.trackerRule },
  'trackerRules.remove': { body: z.strictObject({ host: z.string().min(1).max(255) }) },

  'status.get': { result: node.nodeStatus },
  'status.pauseAll': {
    body: z.strictObject({ untilMs: z.number().nullable().meta({ description: 'Null: for good.' }) }),
  },
  'status.resumeAll': {},
  'status.setAltLimits': { body: z.strictObject({ on: z.boolean() }) },
  'status.freeBytes': {
    query: z.strictObject({ path: torrent.absolutePath }),
    result: z.number().nullable(),
  },
  'status.shutdown': {},
  'history.speeds': {
    query: z.strictObject({
      step: z.enum(['second', 'minute', 'hour']),
      torrent: torrent.torrentId.exactOptional(),
    }),
    result: node.speedHistory,
  },
  'events.stream': { query: eventStreamQuery },
  'events.since': {
    query: z.strictObject({
      since: z.int().min(0),
      limit: z.int().min(1).max(10_000).exactOptional().meta({ description: 'By default 1000.' }),
    }),
    result: node.eventPage,
  },
  'log.lines': {
    query: z.strictObject({
      since: z.int().min(0).exactOptional(),
      level: node.logLevel.exactOptional(),
      limit: z.int().min(1).max(10_000).exactOptional(),
    }),
    result: z.array(node.logLine),
  },

  'settings.get': { result: settingsSchema },
  'settings.patch': {
    body: z.record(z.string().max(100), z.unknown()).meta({ description: 'Parts of the settings.' }),
    result: z.strictObject({ changed: z.array(z.string()), restartNeeded: z.array(z.string()) }),
  },
  'settings.origins': { result: z.record(z.string(), z.enum(['file', 'environment', 'flag'])) },
  'settings.schema': { result: z.record(z.string(), z.unknown()) },

  'rss.feeds': { result: z.array(people.feedState) },
  'rss.putFeed': { body: people.feed },
  'rss.removeFeed': { body: z.strictObject({ url: z.string().min(1).max(4096) }) },
  'rss.refresh': { body: z.strictObject({ url: z.string().min(1).max(4096).exactOptional() }) },
  'rss.items': {
    query: z.strictObject({
      feed: z.string().max(4096).exactOptional(),
      unread: z.boolean().exactOptional(),
      offset: z.int().min(0).exactOptional(),
      limit: z.int().min(1).max(1000).exactOptional(),
    }),
    result: z.strictObject({ totalCount: z.int(), items: z.array(people.feedItem) }),
  },
  'rss.markRead': {
    body: z.strictObject({
      feed: z.string().min(1).max(4096),
      ids: z.array(z.string().max(4096)).max(10_000).exactOptional(),
    }),
  },
  'rss.rules': { result: z.array(people.feedRuleState) },
  'rss.putRule': { body: people.feedRule },
  'rss.renameRule': {
    body: z.strictObject({ name: z.string().min(1).max(100), newName: z.string().min(1).max(100) }),
  },
  'rss.removeRule': { body: byName },
  'rss.testRule': { body: people.feedRule, result: z.array(people.feedVerdict) },

  'users.list': { result: z.array(people.userState) },
  'users.put': { body: people.user },
  'users.remove': { body: z.strictObject({ name: people.userName }) },
  'users.setPassword': {
    body: z.strictObject({ user: people.userName.nullable(), password: people.password }),
  },
  'users.hasPassword': { result: z.boolean() },
  'keys.list': { result: z.array(people.apiKey) },
  'keys.make': { body: people.keyOptions, result: people.madeKey },
  'keys.remove': { body: z.strictObject({ id: z.string().min(1).max(200) }) },

  'network.bans': { result: z.array(node.ban) },
  'network.ban': {
    body: z.strictObject({ address: z.string().min(1).max(100), message: z.string().max(1000) }),
  },
  'network.unban': { body: z.strictObject({ address: z.string().min(1).max(100) }), result: z.boolean() },
  'network.addressFilter': { result: node.addressFilterState.nullable() },
  'network.refreshAddressFilter': { result: node.addressFilterReport },
  'network.routers': { result: node.natStatus.nullable() },

  ...dhtRouteSchemas,
  ...ipfsRouteSchemas,
  'bridge.torrentToIpfs': { body: z.strictObject({ torrent: torrent.torrentId }), result: bridge.bridged },
  'bridge.ipfsToTorrent': { body: bridge.ipfsToTorrent, result: bridge.bridged },
  'bridge.share': { body: bridge.shareOnBoth, result: bridge.bridged },
} as const satisfies Readonly<Record<RouteName, RouteSchemas>>;

type PartOf<Name extends RouteName, Part extends keyof RouteSchemas> = (typeof routeSchemas)[Name] extends {
  readonly [Key in Part]: infer Schema extends z.ZodType;
}
  ? z.output<Schema>
  : undefined;

/** What a route's handler is given, checked. */
export type RouteInput<Name extends RouteName> = {
  readonly params: PartOf<Name, 'params'>;
  readonly query: PartOf<Name, 'query'>;
  readonly body: PartOf<Name, 'body'>;
};

/** What it answers with. */
export type RouteResult<Name extends RouteName> = PartOf<Name, 'result'>;
