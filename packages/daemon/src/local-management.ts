/** The node's management, put together from its parts, and the same with somebody's rights. */
import type {
  BridgeApi,
  DhtQuestions,
  EventsApi,
  HistoryApi,
  Identity,
  IpfsNodeApi,
  LogApi,
  Management,
  NetworkApi,
  NodeEvent,
  RssApi,
  Scope,
  SettingsApi,
  StatusApi,
  TorrentsApi,
  UsersApi,
} from '@tequio/api';
import { guarded, type Scopes } from './users/guarded.ts';
import { allows, nodeOwner } from './users/rights.ts';

export type ManagementParts = {
  torrentsOf(who: Identity): TorrentsApi;
  readonly status: StatusApi;
  readonly history: HistoryApi;
  readonly events: EventsApi;
  readonly log: LogApi;
  readonly settings: SettingsApi;
  readonly rss: RssApi;
  readonly users: UsersApi;
  readonly network: NetworkApi;
  readonly dht: DhtQuestions;
  readonly ipfs: IpfsNodeApi;
  bridgeOf(torrents: TorrentsApi): BridgeApi;
};

export class LocalManagement implements Management {
  readonly torrents: TorrentsApi;
  readonly status: StatusApi;
  readonly history: HistoryApi;
  readonly events: EventsApi;
  readonly log: LogApi;
  readonly settings: SettingsApi;
  readonly rss: RssApi;
  readonly users: UsersApi;
  readonly network: NetworkApi;
  readonly dht: DhtQuestions;
  readonly ipfs: IpfsNodeApi;
  readonly bridge: BridgeApi;
  readonly #parts: ManagementParts;

  constructor(parts: ManagementParts, who: Identity = nodeOwner) {
    this.#parts = parts;
    this.torrents = parts.torrentsOf(who);
    this.status = guarded(parts.status, statusScopes(who), who);
    this.history = parts.history;
    this.events = allows(who, 'admin') ? parts.events : new OwnEvents(parts.events, this.torrents);
    this.log = guarded(parts.log, { lines: 'admin', subscribe: 'admin' }, who);
    this.settings = guarded(parts.settings, settingsScopes, who);
    this.rss = guarded(parts.rss, rssScopes(who), who);
    this.users = guarded(parts.users, usersScopes, who);
    this.network = guarded(parts.network, networkScopes, who);
    this.dht = guarded(parts.dht, dhtScopes(who), who);
    this.ipfs = guarded(parts.ipfs, ipfsScopes(who), who);
    this.bridge = guarded(parts.bridgeOf(this.torrents), bridgeScopes(who), who);
  }

  as(identity: Identity): Management {
    return new LocalManagement(this.#parts, identity);
  }
}

/** What is the whole node's, the owner's programs may do that may write; of users only those who may do everything. */
function scopeForAll({ user }: Identity): Scope {
  return user === null ? 'write' : 'admin';
}

function statusScopes(who: Identity): Scopes<StatusApi> {
  const all = scopeForAll(who);
  const forAll = { pauseAll: all, resumeAll: all, setAltLimits: all };
  return { ...forAll, status: 'read', freeBytes: 'write', shutdown: 'admin' };
}

const settingsScopes = { get: 'read', origins: 'read', schema: 'read', patch: 'admin' } as const;

function rssScopes(who: Identity): Scopes<RssApi> {
  const all = scopeForAll(who);
  const feeds = { putFeed: all, removeFeed: all, refresh: all, markRead: all } as const;
  const rules = { putRule: all, renameRule: all, removeRule: all } as const;
  return { ...feeds, ...rules, feeds: 'read', items: 'read', rules: 'read', testRule: 'read' };
}

const usersScopes = {
  users: 'admin',
  putUser: 'admin',
  removeUser: 'admin',
  setPassword: 'admin',
  hasPassword: 'admin',
  keys: 'admin',
  makeKey: 'admin',
  removeKey: 'admin',
  tryPassword: 'admin',
  tryKey: 'admin',
} as const;

const networkScopes = {
  routers: 'read',
  bans: 'read',
  addressFilter: 'read',
  ban: 'admin',
  unban: 'admin',
  refreshAddressFilter: 'admin',
} as const;

/** Files and pins are the owner's: other people see them, and change them, only when they may do everything. */
/** Each makes the node send to many. */
function dhtScopes(who: Identity): Scopes<DhtQuestions> {
  const all = scopeForAll(who);
  return { ping: all, lookup: all, get: all, put: all, sample: all };
}

function ipfsScopes(who: Identity): Scopes<IpfsNodeApi> {
  const look = who.user === null ? 'read' : 'admin';
  const all = scopeForAll(who);
  const looks = { files: look, entry: look, readFile: look, readArchive: look, pins: look } as const;
  const changes = {
    addFile: all,
    makeFolder: all,
    moveFile: all,
    removeFiles: all,
    importFile: all,
  } as const;
  const keeps = { pin: all, unpin: all, collect: all, connect: all } as const;
  return { ...looks, ...changes, ...keeps, state: 'read', block: look, peers: look };
}

/**
 * Which torrents are somebody's own, `torrents` says, and nobody offers another's on IPFS. What the store holds and any
 * path of the machine are the owner's.
 */
function bridgeScopes(who: Identity): Scopes<BridgeApi> {
  return { torrentToIpfs: 'write', ipfsToTorrent: scopeForAll(who), share: 'admin' };
}

/** What happens to somebody's own torrents, and to nobody else's. */
class OwnEvents implements EventsApi {
  readonly #all: EventsApi;
  readonly #torrents: TorrentsApi;

  constructor(all: EventsApi, torrents: TorrentsApi) {
    this.#all = all;
    this.#torrents = torrents;
  }

  async since(seq: number, limit?: number): ReturnType<EventsApi['since']> {
    const page = await this.#all.since(seq, limit);
    const own: NodeEvent[] = [];
    for (const one of page.events) if (await this.#isOwn(one)) own.push(one);
    return { ...page, events: own };
  }

  subscribe(listener: (event: NodeEvent) => void): () => void {
    return this.#all.subscribe((event) => {
      void this.#isOwn(event).then((isOwn) => {
        if (isOwn) listener(event);
      });
    });
  }

  async #isOwn({ event }: NodeEvent): Promise<boolean> {
    return 'torrent' in event && (await this.#torrents.get(event.torrent)) !== null;
  }
}
