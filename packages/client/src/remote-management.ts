import type { LogLine, Management, NodeEvent, TorrentListQuery, TorrentSource } from '@tequio/api';
import type { RouteInput } from '@tequio/api/routes';
import { NodeError } from '@tequio/kernel';
import { fromBase64, toBase64 } from './base64.ts';
import { EventReader } from './event-reader.ts';
import type { HttpCalls } from './http-calls.ts';
import { remoteDht } from './remote-dht.ts';
import { remoteIpfs } from './remote-ipfs.ts';

/** What goes in and out of these calls is checked at the node's end; here the types say the same. */
export function remoteManagement(calls: HttpCalls): Management {
  return {
    torrents: remoteTorrents(calls),
    status: {
      status: () => calls.call('status.get') as never,
      pauseAll: (untilMs) => done(calls.call('status.pauseAll', { body: { untilMs } })),
      resumeAll: () => done(calls.call('status.resumeAll')),
      setAltLimits: (on) => done(calls.call('status.setAltLimits', { body: { on } })),
      freeBytes: (path) => calls.call('status.freeBytes', { query: { path } }),
      shutdown: () => done(calls.call('status.shutdown')),
    },
    history: {
      speeds: (step, torrent) =>
        calls.call('history.speeds', { query: { step, ...(torrent === undefined ? {} : { torrent }) } }),
    },
    events: {
      since: (since, limit) =>
        calls.call('events.since', { query: { since, ...(limit === undefined ? {} : { limit }) } }) as never,
      subscribe: (listener) =>
        follow(calls, { channels: ['events'] }, 'event', (data) => listener(data as NodeEvent)),
    },
    log: {
      lines: (query = {}) => calls.call('log.lines', { query }),
      subscribe: (listener) =>
        follow(calls, { channels: ['log'], level: 'debug' }, 'log', (data) => listener(data as LogLine)),
    },
    settings: {
      get: () => calls.call('settings.get'),
      origins: () => calls.call('settings.origins'),
      patch: (changes) => calls.call('settings.patch', { body: changes }),
      schema: () => calls.call('settings.schema'),
    },
    rss: remoteRss(calls),
    users: remoteUsers(calls),
    network: {
      bans: () => calls.call('network.bans'),
      ban: (address, message) => done(calls.call('network.ban', { body: { address, message } })),
      unban: (address) => calls.call('network.unban', { body: { address } }),
      addressFilter: () => calls.call('network.addressFilter'),
      refreshAddressFilter: () => calls.call('network.refreshAddressFilter'),
      routers: () => calls.call('network.routers'),
    },
    dht: remoteDht(calls),
    ipfs: remoteIpfs(calls),
    bridge: {
      torrentToIpfs: (torrent) => calls.call('bridge.torrentToIpfs', { body: { torrent } }),
      ipfsToTorrent: ({ trackers, ...content }) =>
        calls.call('bridge.ipfsToTorrent', {
          body: { ...content, ...(trackers === undefined ? null : { trackers: [...trackers] }) },
        }),
      share: ({ trackers, ...content }) =>
        calls.call('bridge.share', {
          body: { ...content, ...(trackers === undefined ? null : { trackers: [...trackers] }) },
        }),
    },
    as: () => notHere('Rights come with the key that a client is made with.'),
  };
}

function remoteTorrents(calls: HttpCalls): Management['torrents'] {
  const post =
    <Name extends 'torrents.pause' | 'torrents.resume' | 'torrents.recheck' | 'torrents.announce'>(
      name: Name,
    ) =>
    (ids: readonly string[]): Promise<void> =>
      done(calls.call(name as 'torrents.pause', { body: { ids: [...ids] } }));
  return {
    list: (query = {}) => calls.call('torrents.list', { query: flatQuery(query) }) as never,
    get: (id) => orNull(calls.call('torrents.get', { params: { id }, query: {} }) as never),
    changes: (since) => calls.call('torrents.changes', { query: { since } }),
    add: ({ source, ...rest }) =>
      calls.call('torrents.add', { body: { ...rest, source: sourceText(source) } as never }),
    makeTwin: (id, version) => calls.call('torrents.makeTwin', { params: { id }, body: { version } }),
    create: async (options) =>
      fromBase64((await calls.call('torrents.create', { body: options as never })).torrent),
    verify: (torrent, path) => calls.call('torrents.verify', { body: { torrent: toBase64(torrent), path } }),
    preview: (source, timeoutMs) =>
      calls.call('torrents.preview', { body: { source: sourceText(source), timeoutMs } }),
    patch: (ids, patch) =>
      done(calls.call('torrents.patch', { body: { ids: [...ids], patch: patch as never } })),
    addTags: (ids, tags) =>
      done(calls.call('torrents.addTags', { body: { ids: [...ids], tags: [...tags] } })),
    removeTags: (ids, tags) =>
      done(calls.call('torrents.removeTags', { body: { ids: [...ids], tags: [...tags] } })),
    pause: post('torrents.pause'),
    resume: post('torrents.resume'),
    recheck: post('torrents.recheck'),
    announce: post('torrents.announce'),
    remove: (ids, options = {}) =>
      done(calls.call('torrents.remove', { body: { ids: [...ids], ...options } })),
    move: (ids, folder) => done(calls.call('torrents.move', { body: { ids: [...ids], folder } })),
    moveInQueue: (ids, to) => done(calls.call('torrents.moveInQueue', { body: { ids: [...ids], to } })),
    setFilePriorities: (id, files, priority) =>
      done(
        calls.call('torrents.setFilePriorities', { params: { id }, body: { files: [...files], priority } }),
      ),
    renameFile: (id, file, path) =>
      done(calls.call('torrents.renameFile', { params: { id }, body: { file, path } })),
    renameFolder: (id, from, to) =>
      done(calls.call('torrents.renameFolder', { params: { id }, body: { from, to } })),
    setTrackers: (id, tiers) =>
      done(
        calls.call('torrents.setTrackers', {
          params: { id },
          body: { tiers: tiers.map((tier) => [...tier]) },
        }),
      ),
    setWebSeeds: (id, urls) =>
      done(calls.call('torrents.setWebSeeds', { params: { id }, body: { urls: [...urls] } })),
    addPeers: (ids, peers) =>
      done(calls.call('torrents.addPeers', { body: { ids: [...ids], peers: [...peers] } })),
    files: (id) => calls.call('torrents.files', { params: { id } }),
    peerPlaces: () => calls.call('torrents.peerPlaces'),
    peers: (id) => calls.call('torrents.peers', { params: { id } }) as never,
    trackers: (id) => calls.call('torrents.trackers', { params: { id } }),
    webSeeds: (id) => calls.call('torrents.webSeeds', { params: { id } }),
    pieces: async (id) => {
      const { have, availability, active } = await calls.call('torrents.pieces', { params: { id } });
      return { have: fromBase64(have), availability: fromBase64(availability), active };
    },
    show: (id) => calls.call('torrents.show', { params: { id } }),
    exportTorrent: async (id) => {
      try {
        return new Uint8Array(await (await calls.send('torrents.export', { params: { id } })).arrayBuffer());
      } catch (error) {
        if (error instanceof NodeError && error.code === 'TORRENT_METADATA') return null;
        throw error;
      }
    },
    readContent: (id, file, offset, length, signal) => readContent(calls, id, file, offset, length, signal),
    ...remoteGroups(calls),
  };
}

/** What many torrents have in common. */
function remoteGroups(
  calls: HttpCalls,
): Pick<
  Management['torrents'],
  | 'categories'
  | 'putCategory'
  | 'removeCategory'
  | 'tags'
  | 'putTags'
  | 'dropTags'
  | 'trackerRules'
  | 'putTrackerRule'
  | 'removeTrackerRule'
> {
  return {
    categories: () => calls.call('categories.list'),
    putCategory: (category) => done(calls.call('categories.put', { body: category })),
    removeCategory: (name) => done(calls.call('categories.remove', { body: { name } })),
    tags: () => calls.call('tags.list'),
    putTags: (names) => done(calls.call('tags.put', { body: { names: [...names] } })),
    dropTags: (names) => done(calls.call('tags.drop', { body: { names: [...names] } })),
    trackerRules: () => calls.call('trackerRules.list'),
    putTrackerRule: (rule) => done(calls.call('trackerRules.put', { body: rule })),
    removeTrackerRule: (host) => done(calls.call('trackerRules.remove', { body: { host } })),
  };
}

function remoteRss(calls: HttpCalls): Management['rss'] {
  return {
    feeds: () => calls.call('rss.feeds'),
    putFeed: (feed) => done(calls.call('rss.putFeed', { body: feed })),
    removeFeed: (url) => done(calls.call('rss.removeFeed', { body: { url } })),
    refresh: (url) => done(calls.call('rss.refresh', { body: url === undefined ? {} : { url } })),
    items: (query = {}) => calls.call('rss.items', { query }),
    markRead: (feed, ids) =>
      done(calls.call('rss.markRead', { body: { feed, ...(ids === undefined ? {} : { ids: [...ids] }) } })),
    rules: () => calls.call('rss.rules'),
    putRule: (rule) => done(calls.call('rss.putRule', { body: rule as never })),
    renameRule: (name, newName) => done(calls.call('rss.renameRule', { body: { name, newName } })),
    removeRule: (name) => done(calls.call('rss.removeRule', { body: { name } })),
    testRule: (rule) => calls.call('rss.testRule', { body: rule as never }),
  };
}

function remoteUsers(calls: HttpCalls): Management['users'] {
  return {
    users: () => calls.call('users.list'),
    putUser: (user) => done(calls.call('users.put', { body: user })),
    removeUser: (name) => done(calls.call('users.remove', { body: { name } })),
    setPassword: (user, password) => done(calls.call('users.setPassword', { body: { user, password } })),
    hasPassword: () => calls.call('users.hasPassword'),
    keys: () => calls.call('keys.list'),
    makeKey: (options) => calls.call('keys.make', { body: options }),
    removeKey: (id) => done(calls.call('keys.remove', { body: { id } })),
    tryPassword: () => notHere('Only the node itself checks passwords.'),
    tryKey: () => notHere('Only the node itself checks keys.'),
  };
}

async function done(answer: Promise<unknown>): Promise<void> {
  await answer;
}

async function orNull<Value>(answer: Promise<Value>): Promise<Value | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof NodeError && error.code === 'TORRENT_MISSING') return null;
    throw error;
  }
}

function notHere(sentence: string): never {
  throw new NodeError('CLIENT_NOT_HERE', sentence);
}

function follow(
  calls: HttpCalls,
  query: RouteInput<'events.stream'>['query'],
  type: string,
  listener: (data: unknown) => void,
): () => void {
  const reader = new EventReader(calls, query, ({ event, data }) => {
    if (event === type) listener(data);
  });
  return () => reader.close();
}

/** A filter's names beside the others, as they stand in a query. */
export function flatQuery({ filter = {}, ...rest }: TorrentListQuery): RouteInput<'torrents.list'>['query'] {
  return { ...rest, ...filter } as RouteInput<'torrents.list'>['query'];
}

function sourceText(source: TorrentSource): RouteInput<'torrents.add'>['body']['source'] {
  return 'magnet' in source ? { magnet: source.magnet } : { torrent: toBase64(source.torrent) };
}

/** The link that the node gives is on another origin, and good for one file. */
async function* readContent(
  calls: HttpCalls,
  id: string,
  file: number,
  offset: number,
  length: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (length === 0) return;
  const answer = await calls.send(
    'torrents.content',
    { params: { id, file } },
    {
      headers: { range: `bytes=${offset}-${offset + length - 1}` },
      endless: true,
      ...(signal === undefined ? {} : { signal }),
    },
  );
  const reader = answer.body!.getReader();
  for (let got = await reader.read(); !got.done; got = await reader.read()) yield got.value;
}
