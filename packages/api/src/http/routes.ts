/**
 * The routes of the HTTP API, below `/api/v1`: the one table that the server, the typed client, the OpenAPI document
 * and docs/api.md are made from. What goes in and comes out of each stands in `route-schemas.ts` under the same name,
 * apart from here so that a client need not load what checks it.
 */
import { dhtRoutes } from './dht-routes.ts';
import { ipfsRoutes } from './ipfs-routes.ts';
import type { Route } from './route.ts';

export type { Route };

export const apiPrefix = '/api/v1';

export const routes = {
  'session.get': {
    method: 'GET',
    path: '/session',
    scope: 'none',
    summary: 'who is asking; null: nobody known',
  },
  'session.open': {
    method: 'POST',
    path: '/session',
    scope: 'none',
    summary: 'log in: the answer sets a cookie',
  },
  'session.close': { method: 'DELETE', path: '/session', scope: 'none', summary: 'log out' },
  'session.oneTime': {
    method: 'POST',
    path: '/session/one-time-token',
    scope: 'read',
    summary: 'a token that lets in once, with the rights of who asks',
  },

  'torrents.list': {
    method: 'GET',
    path: '/torrents',
    scope: 'read',
    summary: 'torrents, filtered, sorted, a page of them, some fields of each',
  },
  'torrents.add': {
    method: 'POST',
    path: '/torrents',
    scope: 'write',
    summary: 'add a torrent',
    large: true,
  },
  'torrents.patch': { method: 'PATCH', path: '/torrents', scope: 'write', summary: 'change torrents' },
  'torrents.changes': {
    method: 'GET',
    path: '/torrents/changes',
    scope: 'read',
    summary: 'what has changed since a version',
  },
  'torrents.create': {
    method: 'POST',
    path: '/torrents/create',
    scope: 'admin',
    summary: 'make a .torrent of a file or folder of the node',
  },
  'torrents.verify': {
    method: 'POST',
    path: '/torrents/verify',
    scope: 'admin',
    summary: 'hold files of the node against a .torrent, and change nothing',
  },
  'torrents.preview': {
    method: 'POST',
    path: '/torrents/preview',
    scope: 'write',
    summary: 'what is in a torrent, before it is added',
    large: true,
  },
  'torrents.addTags': { method: 'POST', path: '/torrents/tags/add', scope: 'write', summary: 'give tags' },
  'torrents.removeTags': {
    method: 'POST',
    path: '/torrents/tags/remove',
    scope: 'write',
    summary: 'take tags away; an empty list takes all',
  },
  'torrents.pause': {
    method: 'POST',
    path: '/torrents/pause',
    scope: 'write',
    summary: 'let them stand still',
  },
  'torrents.resume': { method: 'POST', path: '/torrents/resume', scope: 'write', summary: 'let them go on' },
  'torrents.recheck': {
    method: 'POST',
    path: '/torrents/recheck',
    scope: 'write',
    summary: 'read all content again and verify it',
  },
  'torrents.announce': {
    method: 'POST',
    path: '/torrents/announce',
    scope: 'write',
    summary: 'ask trackers and DHT again, no sooner than they allow',
  },
  'torrents.remove': {
    method: 'POST',
    path: '/torrents/remove',
    scope: 'write',
    summary: 'forget torrents, and with removeContent delete their files',
  },
  'torrents.move': {
    method: 'POST',
    path: '/torrents/move',
    scope: 'write',
    summary: 'move the content to another folder',
  },
  'torrents.moveInQueue': {
    method: 'POST',
    path: '/torrents/queue',
    scope: 'write',
    summary: 'move torrents in the queue',
  },
  'torrents.addPeers': {
    method: 'POST',
    path: '/torrents/peers',
    scope: 'write',
    summary: 'dial these peers',
  },
  'torrents.get': { method: 'GET', path: '/torrents/{id}', scope: 'read', summary: 'one torrent' },
  'torrents.makeTwin': {
    method: 'POST',
    path: '/torrents/{id}/twin',
    scope: 'write',
    summary: 'make a v2 or hybrid torrent of its files, and share it beside',
  },
  'torrents.files': { method: 'GET', path: '/torrents/{id}/files', scope: 'read', summary: 'its files' },
  'torrents.peers': {
    method: 'GET',
    path: '/torrents/{id}/peers',
    scope: 'read',
    summary: 'the peers that are connected',
  },
  'torrents.peerPlaces': {
    method: 'GET',
    path: '/peer-places',
    scope: 'read',
    summary: 'in which countries the connected peers of all torrents are',
  },
  'torrents.trackers': {
    method: 'GET',
    path: '/torrents/{id}/trackers',
    scope: 'read',
    summary: 'its trackers and how they are doing',
  },
  'torrents.setTrackers': {
    method: 'PUT',
    path: '/torrents/{id}/trackers',
    scope: 'write',
    summary: 'replace its trackers',
  },
  'torrents.webSeeds': {
    method: 'GET',
    path: '/torrents/{id}/web-seeds',
    scope: 'read',
    summary: 'its web seeds',
  },
  'torrents.setWebSeeds': {
    method: 'PUT',
    path: '/torrents/{id}/web-seeds',
    scope: 'write',
    summary: 'replace its web seeds',
  },
  'torrents.pieces': {
    method: 'GET',
    path: '/torrents/{id}/pieces',
    scope: 'read',
    summary: 'which pieces are there, and how often among the peers',
  },
  'torrents.show': {
    method: 'GET',
    path: '/torrents/{id}/metainfo',
    scope: 'read',
    summary: 'what its .torrent file says; null while that is not known',
  },
  'torrents.export': {
    method: 'GET',
    path: '/torrents/{id}/metainfo.torrent',
    scope: 'read',
    summary: 'the .torrent file itself',
  },
  'torrents.setFilePriorities': {
    method: 'POST',
    path: '/torrents/{id}/files/priority',
    scope: 'write',
    summary: 'which files are wanted, and how much',
  },
  'torrents.renameFile': {
    method: 'POST',
    path: '/torrents/{id}/files/rename',
    scope: 'write',
    summary: 'rename a file',
  },
  'torrents.renameFolder': {
    method: 'POST',
    path: '/torrents/{id}/folders/rename',
    scope: 'write',
    summary: 'rename a folder inside the torrent',
  },
  'torrents.content': {
    method: 'GET',
    path: '/torrents/{id}/files/{file}/content',
    scope: 'read',
    summary: 'leads to the content of a file, also while it is downloading',
  },
  'torrents.playlist': {
    method: 'GET',
    path: '/torrents/{id}/playlist.m3u8',
    scope: 'read',
    summary: 'a playlist of its audio and video files',
  },

  'categories.list': { method: 'GET', path: '/categories', scope: 'read', summary: 'categories' },
  'categories.put': {
    method: 'PUT',
    path: '/categories',
    scope: 'write',
    summary: 'make a category, or change the one of this name',
  },
  'categories.remove': {
    method: 'POST',
    path: '/categories/remove',
    scope: 'write',
    summary: 'remove a category; its torrents stay',
  },
  'tags.list': { method: 'GET', path: '/tags', scope: 'read', summary: 'tags' },
  'tags.put': { method: 'PUT', path: '/tags', scope: 'write', summary: 'make tags' },
  'tags.drop': { method: 'POST', path: '/tags/drop', scope: 'write', summary: 'remove tags everywhere' },
  'trackerRules.list': {
    method: 'GET',
    path: '/tracker-rules',
    scope: 'read',
    summary: 'limits and share goals by tracker',
  },
  'trackerRules.put': {
    method: 'PUT',
    path: '/tracker-rules',
    scope: 'write',
    summary: 'make or change one',
  },
  'trackerRules.remove': {
    method: 'POST',
    path: '/tracker-rules/remove',
    scope: 'write',
    summary: 'remove one',
  },

  'status.get': { method: 'GET', path: '/status', scope: 'read', summary: 'how the node is doing' },
  'status.pauseAll': {
    method: 'POST',
    path: '/pause',
    scope: 'write',
    summary: 'let everything stand still, until a time or for good',
  },
  'status.resumeAll': { method: 'POST', path: '/resume', scope: 'write', summary: 'let everything go on' },
  'status.setAltLimits': {
    method: 'POST',
    path: '/alt-limits',
    scope: 'write',
    summary: 'alternative limits, on or off',
  },
  'status.freeBytes': {
    method: 'GET',
    path: '/free-space',
    scope: 'read',
    summary: 'free bytes on the device of a folder; null: not known',
  },
  'status.shutdown': { method: 'POST', path: '/shutdown', scope: 'admin', summary: 'end the node' },
  'history.speeds': {
    method: 'GET',
    path: '/history',
    scope: 'read',
    summary: 'speeds of the past, of the node or a torrent',
  },
  'events.stream': {
    method: 'GET',
    path: '/events',
    scope: 'read',
    summary: 'server-sent events: what happens, and what changes in a view of the torrents',
  },
  'events.since': {
    method: 'GET',
    path: '/events/page',
    scope: 'read',
    summary: 'events after a number, without a stream',
  },
  'log.lines': { method: 'GET', path: '/log', scope: 'admin', summary: 'lines of the log' },

  'settings.get': { method: 'GET', path: '/settings', scope: 'admin', summary: 'all settings' },
  'settings.patch': { method: 'PATCH', path: '/settings', scope: 'admin', summary: 'change settings' },
  'settings.origins': {
    method: 'GET',
    path: '/settings/origins',
    scope: 'admin',
    summary: 'where values come from that are no defaults',
  },
  'settings.schema': {
    method: 'GET',
    path: '/settings/schema',
    scope: 'read',
    summary: 'JSON Schema of the settings',
  },

  'rss.feeds': { method: 'GET', path: '/rss/feeds', scope: 'read', summary: 'feeds' },
  'rss.putFeed': { method: 'PUT', path: '/rss/feeds', scope: 'write', summary: 'make or change a feed' },
  'rss.removeFeed': { method: 'POST', path: '/rss/feeds/remove', scope: 'write', summary: 'remove a feed' },
  'rss.refresh': {
    method: 'POST',
    path: '/rss/refresh',
    scope: 'write',
    summary: 'read a feed now, or all of them',
  },
  'rss.items': { method: 'GET', path: '/rss/items', scope: 'read', summary: 'items, latest first' },
  'rss.markRead': {
    method: 'POST',
    path: '/rss/items/read',
    scope: 'write',
    summary: 'items of a feed were read',
  },
  'rss.rules': { method: 'GET', path: '/rss/rules', scope: 'read', summary: 'rules' },
  'rss.putRule': { method: 'PUT', path: '/rss/rules', scope: 'write', summary: 'make or change a rule' },
  'rss.renameRule': { method: 'POST', path: '/rss/rules/rename', scope: 'write', summary: 'rename a rule' },
  'rss.removeRule': { method: 'POST', path: '/rss/rules/remove', scope: 'write', summary: 'remove a rule' },
  'rss.testRule': {
    method: 'POST',
    path: '/rss/rules/test',
    scope: 'write',
    summary: 'what a rule would say of the items that are there',
  },

  'users.list': { method: 'GET', path: '/users', scope: 'admin', summary: 'users' },
  'users.put': { method: 'PUT', path: '/users', scope: 'admin', summary: 'make or change a user' },
  'users.remove': { method: 'POST', path: '/users/remove', scope: 'admin', summary: 'remove a user' },
  'users.setPassword': {
    method: 'POST',
    path: '/users/password',
    scope: 'admin',
    summary: 'set a password; of the owner when no user is named',
  },
  'users.hasPassword': {
    method: 'GET',
    path: '/users/password',
    scope: 'admin',
    summary: 'whether the owner has one',
  },
  'keys.list': { method: 'GET', path: '/keys', scope: 'admin', summary: 'keys of programs' },
  'keys.make': {
    method: 'POST',
    path: '/keys',
    scope: 'admin',
    summary: 'make a key; it is shown this once',
  },
  'keys.remove': { method: 'POST', path: '/keys/remove', scope: 'admin', summary: 'remove a key' },

  'network.bans': { method: 'GET', path: '/bans', scope: 'read', summary: 'peers that were banned' },
  'network.ban': { method: 'POST', path: '/bans', scope: 'admin', summary: 'ban an address' },
  'network.unban': { method: 'POST', path: '/bans/remove', scope: 'admin', summary: 'lift a ban' },
  'network.addressFilter': {
    method: 'GET',
    path: '/address-filter',
    scope: 'read',
    summary: 'what the address filter was found to hold; null: there is none',
  },
  'network.refreshAddressFilter': {
    method: 'POST',
    path: '/address-filter/refresh',
    scope: 'admin',
    summary: 'read the address filter again',
  },

  'network.routers': {
    method: 'GET',
    path: '/routers',
    scope: 'read',
    summary: 'the routers before the node and the ports that they let through; null: none is asked',
  },

  ...dhtRoutes,
  ...ipfsRoutes,
  'bridge.torrentToIpfs': {
    method: 'POST',
    path: '/bridge/ipfs',
    scope: 'write',
    summary: 'offer the files of a torrent on IPFS, from where they lie; users: of their own only',
  },
  'bridge.ipfsToTorrent': {
    method: 'POST',
    path: '/bridge/torrent',
    scope: 'write',
    summary: 'get content from IPFS and share it as a torrent; users: only those who may do everything',
  },
  'bridge.share': {
    method: 'POST',
    path: '/bridge/share',
    scope: 'admin',
    summary: 'offer a file or folder of the machine in both networks',
  },
} as const satisfies Readonly<Record<string, Route>>;

export type RouteName = keyof typeof routes;

export const routeNames = Object.keys(routes) as readonly RouteName[];
