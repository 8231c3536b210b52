/**
 * What each route does: a call on the node with the rights of who asks. Nothing else stands here; the routes that talk
 * HTTP themselves (streams, files, logins) are in `api-http-handlers.ts`.
 */
import type { CreateTorrent, ListedTorrent, Management, TorrentListQuery, TorrentSource } from '@tequio/api';
import type { RouteInput, RouteName } from '@tequio/api/http';
import { NodeError } from '@tequio/kernel';
import { dhtHandlers } from './dht-handlers.ts';
import { HttpError } from './http-fault.ts';
import type { Asked, Handler } from './route-handler.ts';

/** Routes that answer with something else than JSON, or need to know the request. */
export type SpecialRoute =
  | 'session.get'
  | 'session.open'
  | 'session.close'
  | 'session.oneTime'
  | 'torrents.export'
  | 'torrents.content'
  | 'torrents.playlist'
  | 'events.stream'
  | 'ipfs.addFile'
  | 'ipfs.content';

export type PlainRoute = Exclude<RouteName, SpecialRoute>;

const previewMs = 30_000;

export const handlers: { readonly [Name in PlainRoute]: Handler<Name> } = {
  'torrents.list': async ({ node }, { query }) => {
    const { fields, ...rest } = query;
    const { version, totalCount, rows, counts } = await node.torrents.list(toListQuery(rest));
    return { version, totalCount, rows: rows.map((row) => pickFields(row, fields)), counts } as never;
  },
  'torrents.add': async (asked, { body: { source, ...rest } }) =>
    asked.node.torrents.add({ ...rest, source: await toSource(source, asked) }),
  'torrents.patch': ({ node }, { body }) => node.torrents.patch(body.ids, body.patch),
  'torrents.changes': ({ node }, { query }) => node.torrents.changes(query.since) as never,
  'torrents.create': async ({ node }, { body }) => ({
    torrent: toBase64(await node.torrents.create(body as CreateTorrent)),
  }),
  'torrents.verify': ({ node }, { body: { torrent, path } }) =>
    node.torrents.verify(new Uint8Array(Buffer.from(torrent, 'base64')), path) as never,
  'torrents.preview': async (asked, { body: { source, timeoutMs = previewMs } }) =>
    asked.node.torrents.preview(await toSource(source, asked), timeoutMs) as never,
  'torrents.addTags': ({ node }, { body }) => node.torrents.addTags(body.ids, body.tags),
  'torrents.removeTags': ({ node }, { body }) => node.torrents.removeTags(body.ids, body.tags),
  'torrents.pause': ({ node }, { body }) => node.torrents.pause(body.ids),
  'torrents.resume': ({ node }, { body }) => node.torrents.resume(body.ids),
  'torrents.recheck': ({ node }, { body }) => node.torrents.recheck(body.ids),
  'torrents.announce': ({ node }, { body }) => node.torrents.announce(body.ids),
  'torrents.remove': ({ node }, { body: { ids, ...options } }) => node.torrents.remove(ids, options),
  'torrents.move': ({ node }, { body }) => node.torrents.move(body.ids, body.folder),
  'torrents.moveInQueue': ({ node }, { body }) => node.torrents.moveInQueue(body.ids, body.to),
  'torrents.addPeers': ({ node }, { body }) => node.torrents.addPeers(body.ids, body.peers),
  'torrents.get': async ({ node }, { params, query }) =>
    pickFields(await existing(node, params.id), query.fields) as never,
  'torrents.makeTwin': ({ node }, { params, body }) => node.torrents.makeTwin(params.id, body.version),
  'torrents.files': ({ node }, { params }) => node.torrents.files(params.id) as never,
  'torrents.peerPlaces': ({ node }) => node.torrents.peerPlaces() as never,
  'torrents.peers': ({ node }, { params }) => node.torrents.peers(params.id) as never,
  'torrents.trackers': ({ node }, { params }) => node.torrents.trackers(params.id) as never,
  'torrents.setTrackers': ({ node }, { params, body }) => node.torrents.setTrackers(params.id, body.tiers),
  'torrents.webSeeds': ({ node }, { params }) => node.torrents.webSeeds(params.id) as never,
  'torrents.setWebSeeds': ({ node }, { params, body }) => node.torrents.setWebSeeds(params.id, body.urls),
  'torrents.pieces': async ({ node }, { params }) => {
    const { have, availability, active } = await node.torrents.pieces(params.id);
    return { have: toBase64(have), availability: toBase64(availability), active: [...active] };
  },
  'torrents.show': ({ node }, { params }) => node.torrents.show(params.id) as never,
  'torrents.setFilePriorities': ({ node }, { params, body }) =>
    node.torrents.setFilePriorities(params.id, body.files, body.priority),
  'torrents.renameFile': ({ node }, { params, body }) =>
    node.torrents.renameFile(params.id, body.file, body.path),
  'torrents.renameFolder': ({ node }, { params, body }) =>
    node.torrents.renameFolder(params.id, body.from, body.to),

  'categories.list': ({ node }) => node.torrents.categories() as never,
  'categories.put': ({ node }, { body }) => node.torrents.putCategory(body),
  'categories.remove': ({ node }, { body }) => node.torrents.removeCategory(body.name),
  'tags.list': ({ node }) => node.torrents.tags() as never,
  'tags.put': ({ node }, { body }) => node.torrents.putTags(body.names),
  'tags.drop': ({ node }, { body }) => node.torrents.dropTags(body.names),
  'trackerRules.list': ({ node }) => node.torrents.trackerRules() as never,
  'trackerRules.put': ({ node }, { body }) => node.torrents.putTrackerRule(body),
  'trackerRules.remove': ({ node }, { body }) => node.torrents.removeTrackerRule(body.host),

  'status.get': ({ node }) => node.status.status() as never,
  'status.pauseAll': ({ node }, { body }) => node.status.pauseAll(body.untilMs),
  'status.resumeAll': ({ node }) => node.status.resumeAll(),
  'status.setAltLimits': ({ node }, { body }) => node.status.setAltLimits(body.on),
  'status.freeBytes': ({ node }, { query }) => node.status.freeBytes(query.path),
  'status.shutdown': ({ node }) => node.status.shutdown(),
  'history.speeds': ({ node }, { query }) => node.history.speeds(query.step, query.torrent) as never,
  'events.since': ({ node }, { query }) => node.events.since(query.since, query.limit) as never,
  'log.lines': ({ node }, { query }) => node.log.lines(query) as never,

  'settings.get': ({ node }) => node.settings.get(),
  'settings.patch': ({ node }, { body }) => node.settings.patch(body) as never,
  'settings.origins': ({ node }) => node.settings.origins(),
  'settings.schema': ({ node }) => node.settings.schema(),

  'rss.feeds': ({ node }) => node.rss.feeds() as never,
  'rss.putFeed': ({ node }, { body }) => node.rss.putFeed(body),
  'rss.removeFeed': ({ node }, { body }) => node.rss.removeFeed(body.url),
  'rss.refresh': ({ node }, { body }) => node.rss.refresh(body.url),
  'rss.items': ({ node }, { query }) => node.rss.items(query) as never,
  'rss.markRead': ({ node }, { body }) => node.rss.markRead(body.feed, body.ids),
  'rss.rules': ({ node }) => node.rss.rules() as never,
  'rss.putRule': ({ node }, { body }) => node.rss.putRule(body),
  'rss.renameRule': ({ node }, { body }) => node.rss.renameRule(body.name, body.newName),
  'rss.removeRule': ({ node }, { body }) => node.rss.removeRule(body.name),
  'rss.testRule': ({ node }, { body }) => node.rss.testRule(body) as never,

  'users.list': ({ node }) => node.users.users() as never,
  'users.put': ({ node }, { body }) => node.users.putUser(body),
  'users.remove': ({ node }, { body }) => node.users.removeUser(body.name),
  'users.setPassword': ({ node }, { body }) => node.users.setPassword(body.user, body.password),
  'users.hasPassword': ({ node }) => node.users.hasPassword(),
  'keys.list': ({ node }) => node.users.keys() as never,
  'keys.make': ({ node }, { body }) => node.users.makeKey(body),
  'keys.remove': ({ node }, { body }) => node.users.removeKey(body.id),

  'network.bans': ({ node }) => node.network.bans() as never,
  'network.ban': ({ node }, { body }) => node.network.ban(body.address, body.message),
  'network.unban': ({ node }, { body }) => node.network.unban(body.address),
  'network.addressFilter': ({ node }) => node.network.addressFilter() as never,
  'network.refreshAddressFilter': ({ node }) => node.network.refreshAddressFilter() as never,
  'network.routers': ({ node }) => node.network.routers() as never,

  ...dhtHandlers,

  'ipfs.state': ({ node }) => node.ipfs.state() as never,
  'ipfs.files': ({ node }, { query: { path, ...page } }) => node.ipfs.files(path, page) as never,
  'ipfs.entry': ({ node }, { query }) => node.ipfs.entry(query.path),
  'ipfs.makeFolder': ({ node }, { body }) => node.ipfs.makeFolder(body.path),
  'ipfs.moveFile': ({ node }, { body }) => node.ipfs.moveFile(body.from, body.to),
  'ipfs.removeFiles': ({ node }, { body }) => node.ipfs.removeFiles(body.paths),
  'ipfs.importFile': ({ node }, { body }) => node.ipfs.importFile(body.source, body.path),
  'ipfs.pins': ({ node }, { query }) => node.ipfs.pins(query) as never,
  'ipfs.pin': async ({ node }, { body }) => ({ cid: await node.ipfs.pin(body.path, body.name) }),
  'ipfs.unpin': ({ node }, { body }) => node.ipfs.unpin(body.cid),
  'ipfs.block': ({ node }, { query }) => node.ipfs.block(query.path) as never,
  'ipfs.peers': ({ node }) => node.ipfs.peers() as never,
  'ipfs.connect': async ({ node }, { body }) => ({ peer: await node.ipfs.connect(body.address) }),
  'ipfs.collect': ({ node }) => node.ipfs.collect(),
  'bridge.torrentToIpfs': ({ node }, { body }) => node.bridge.torrentToIpfs(body.torrent) as never,
  'bridge.ipfsToTorrent': ({ node }, { body }) => node.bridge.ipfsToTorrent(body) as never,
  'bridge.share': ({ node }, { body }) => node.bridge.share(body) as never,
};

/** @throws HttpError `TORRENT_MISSING` */
export async function existing(node: Management, id: string): Promise<ListedTorrent> {
  const torrent = await node.torrents.get(id);
  if (torrent === null) throw new HttpError(404, 'TORRENT_MISSING', `There is no torrent ${id}.`);
  return torrent;
}

type FlatListQuery = Omit<RouteInput<'torrents.list'>['query'], 'fields'>;

/** The query's names stand beside each other; the node's have the filter in one. */
export function toListQuery(query: FlatListQuery): TorrentListQuery {
  const { groups, category, tag, tracker, owner, text, ids, ...rest } = query;
  const filter = {
    ...(groups === undefined ? {} : { groups }),
    ...(category === undefined ? {} : { category }),
    ...(tag === undefined ? {} : { tag }),
    ...(tracker === undefined ? {} : { tracker }),
    ...(owner === undefined ? {} : { owner }),
    ...(text === undefined ? {} : { text }),
    ...(ids === undefined ? {} : { ids }),
  };
  return { ...rest, filter };
}

/** The row with these fields and its id; all of them when none are named. */
export function pickFields(
  row: ListedTorrent,
  fields: readonly (keyof ListedTorrent)[] | undefined,
): Partial<ListedTorrent> {
  if (fields === undefined) return row;
  const picked: Record<string, unknown> = { id: row.id };
  for (const field of fields) picked[field] = row[field];
  return picked;
}

type SourceText = RouteInput<'torrents.add'>['body']['source'];

async function toSource(source: SourceText, { readSource }: Asked): Promise<TorrentSource> {
  if ('magnet' in source) {
    // As everywhere else: what is neither is told so by the engine.
    return { magnet: source.magnet.trim() };
  }
  if ('url' in source) return readSource(source.url);
  const bytes = Buffer.from(source.torrent, 'base64');
  if (bytes.length === 0) throw new NodeError('SOURCE_EMPTY', 'The .torrent file is empty.', { op: 'add' });
  return { torrent: bytes };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
