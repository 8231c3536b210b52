/**
 * The config document that kubo's clients read and change. What it says of things that this node has settings for is
 * read from these, and changes go there; the rest is kept as it is given, for whoever wrote it.
 */
import type { Settings, SettingsPatch } from '@tequio/api';
import { encodeUtf8, type FilesPort, NodeError, tryDecodeUtf8 } from '@tequio/kernel';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export type KuboConfigDeps = {
  readonly files: FilesPort;
  /** Where what has no setting is kept. */
  readonly path: string;
  readonly settings: () => Pick<Settings, 'overlay' | 'ipfs'>;
  /** @throws NodeError `SETTINGS_VALUE`, `SETTINGS_FIXED` */
  readonly change: (patch: SettingsPatch) => Promise<unknown>;
  readonly peer: () => Promise<string>;
};

/** Of a document, as text. */
export const configBytesMax = 1 << 20;
const depthMax = 32;

/** Sections that kubo knows; another is a mistake in writing. Source: kubo, docs/config.md. */
const sections = new Set(
  (
    'Addresses API AutoConf AutoNAT AutoTLS Bitswap Bootstrap DNS Datastore Discovery Experimental Gateway ' +
    'HTTPRetrieval Identity Import Internal Ipns Migration Mounts Peering Pinning Plugins Provide Provider Pubsub ' +
    'Reprovider Routing Swarm Version'
  ).split(' '),
);

type Mapped = {
  /** As kubo writes it; undefined: nothing to say. */
  read(settings: Pick<Settings, 'overlay' | 'ipfs'>): Json | undefined;
  /** @throws NodeError `IPFS_CONFIG` */
  write(value: Json): SettingsPatch;
};

/** By path, what a setting of ours says. */
const mapped: Readonly<Record<string, Mapped>> = {
  Bootstrap: {
    read: ({ overlay }) => [...overlay.bootstrap],
    write: (value) => ({ overlay: { bootstrap: textsOf('Bootstrap', value ?? []) } }) as SettingsPatch,
  },
  'Discovery.MDNS.Enabled': {
    read: ({ overlay }) => overlay.localDiscovery,
    write: (value) =>
      ({ overlay: { localDiscovery: flagOf('Discovery.MDNS.Enabled', value) } }) as SettingsPatch,
  },
  'Swarm.RelayService.Enabled': {
    read: ({ overlay }) => overlay.relayServer,
    write: (value) =>
      ({ overlay: { relayServer: flagOf('Swarm.RelayService.Enabled', value) } }) as SettingsPatch,
  },
  'Swarm.ConnMgr.HighWater': {
    read: ({ overlay }) => overlay.connections,
    write: (value) =>
      ({ overlay: { connections: numberOf('Swarm.ConnMgr.HighWater', value) } }) as SettingsPatch,
  },
  'Routing.Type': {
    read: ({ overlay }) => ({ none: 'none', client: 'dhtclient', server: 'dhtserver' })[overlay.dht],
    write: (value) => ({ overlay: { dht: routingOf(value) } }) as SettingsPatch,
  },
  'Datastore.StorageMax': {
    read: ({ ipfs }) => (ipfs.quota === null ? '' : `${ipfs.quota}B`),
    write: (value) => ({ ipfs: { quota: sizeOf(value) } }) as SettingsPatch,
  },
};

/** What kubo fills in where a document says nothing of its store. */
const emptyDatastore: JsonObject = {
  BloomFilterSize: 0,
  GCPeriod: '',
  HashOnRead: false,
  StorageGCWatermark: 0,
  StorageMax: '',
};

/** Of a node whose document nobody has changed. */
function usualDocument(): JsonObject {
  return {
    API: { HTTPHeaders: {} },
    Addresses: {
      API: '',
      Announce: [],
      AppendAnnounce: [],
      Gateway: '',
      NoAnnounce: [],
      Swarm: ['/ip4/0.0.0.0/tcp/4001', '/ip6/::/tcp/4001'],
    },
    AutoNAT: {},
    DNS: { Resolvers: {} },
    Datastore: { ...emptyDatastore, GCPeriod: '1h', StorageGCWatermark: 90 },
    Discovery: { MDNS: {} },
    Experimental: {},
    Gateway: { HTTPHeaders: {}, NoFetch: false, PublicGateways: null, RootRedirect: '' },
    Import: {},
    Ipns: { RecordLifetime: '', RepublishPeriod: '', ResolveCacheSize: 128 },
    Migration: {},
    Mounts: { IPFS: '/ipfs', IPNS: '/ipns' },
    Peering: { Peers: null },
    Pinning: { RemoteServices: {} },
    Provide: {},
    Pubsub: { Enabled: true, Router: 'gossipsub' },
    Reprovider: {},
    Routing: {},
    Swarm: {
      AddrFilters: null,
      ConnMgr: {},
      DisableBandwidthMetrics: false,
      RelayClient: {},
      RelayService: {},
    },
  };
}

/** Changes of kubo's that have a name: of the document, by path. Those without any here change nothing. */
const profiles: Readonly<Record<string, JsonObject>> = {
  server: { 'Discovery.MDNS.Enabled': false, 'Swarm.DisableNatPortMap': true },
  'local-discovery': { 'Discovery.MDNS.Enabled': true, 'Swarm.DisableNatPortMap': false },
  lowpower: {
    'Routing.Type': 'dhtclient',
    'Swarm.ConnMgr.LowWater': 20,
    'Swarm.ConnMgr.HighWater': 40,
    'Swarm.ConnMgr.GracePeriod': '1m0s',
  },
  'announce-off': { 'Provide.Enabled': false },
  'announce-on': { 'Provide.Enabled': true },
  test: { Bootstrap: [], 'Discovery.MDNS.Enabled': false },
};

/** See the top of the file. */
export class KuboConfig {
  readonly #deps: KuboConfigDeps;
  #document: JsonObject | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: KuboConfigDeps) {
    this.#deps = deps;
  }

  /** All of it, without secrets. @throws NodeError `FILE_READ`, `IPFS_CONFIG` */
  async document(): Promise<JsonObject> {
    const settings = this.#deps.settings();
    let document = withValue(await this.#read(), ['Identity'], { PeerID: await this.#deps.peer() });
    document = withValue(document, ['Datastore'], { ...emptyDatastore, ...objectOf(document['Datastore']) });
    for (const [path, { read }] of Object.entries(mapped)) {
      const value = read(settings);
      if (value !== undefined) document = withValue(document, path.split('.'), value);
    }
    return document;
  }

  /** What somebody has written into it; undefined: nothing. @throws NodeError `FILE_READ`, `IPFS_CONFIG` */
  async stored(path: string): Promise<Json | undefined> {
    return valueAt(await this.#read(), path);
  }

  /** @throws NodeError `IPFS_CONFIG` when there is nothing of that name */
  async get(path: string): Promise<Json> {
    let at: Json | undefined = await this.document();
    for (const part of path.split('.')) at = isObject(at) && Object.hasOwn(at, part) ? at[part] : undefined;
    if (at === undefined) throw invalid(`failed to get config value: key "${path}" has no attributes`);
    return at;
  }

  /** @throws NodeError `IPFS_CONFIG`, `SETTINGS_VALUE`, `SETTINGS_FIXED` */
  set(path: string, value: Json): Promise<void> {
    return this.#changing(async () => {
      checkPath(path);
      const document = withValue(await this.document(), path.split('.'), value);
      await this.#change(document, (name) => name === path || name.startsWith(`${path}.`));
    });
  }

  /** What it does not say of our settings leaves them as they are. @throws as `set` */
  replace(document: JsonObject): Promise<void> {
    return this.#changing(async () => {
      for (const section of Object.keys(document)) checkPath(section);
      await this.#change(document, (name) => valueAt(document, name) !== undefined);
    });
  }

  /** @throws NodeError `IPFS_CONFIG` when nobody knows the profile, and as `set` */
  applyProfile(
    name: string,
    isDry: boolean,
  ): Promise<{ readonly before: JsonObject; readonly after: JsonObject }> {
    return this.#changing(async () => {
      const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
      if (profile === undefined)
        throw invalid(`${name} is not a profile of this node; it knows ${Object.keys(profiles).join(', ')}`);
      const before = await this.document();
      let after = before;
      for (const [path, value] of Object.entries(profile)) after = withValue(after, path.split('.'), value);
      if (!isDry) await this.#change(after, (path) => Object.hasOwn(profile, path));
      return { before, after };
    });
  }

  async #change(document: JsonObject, isChanged: (path: string) => boolean): Promise<void> {
    for (const [path, { write }] of Object.entries(mapped)) {
      const value = valueAt(document, path);
      if (isChanged(path) && value !== undefined) await this.#deps.change(write(value));
    }
    const { Identity: _, ...kept } = document;
    const text = `${JSON.stringify(kept, null, 2)}\n`;
    if (text.length > configBytesMax) throw invalid('the config is too long');
    await this.#deps.files.writeFile(this.#deps.path, encodeUtf8(text), { secret: true });
    this.#document = kept;
  }

  async #read(): Promise<JsonObject> {
    if (this.#document !== null) return this.#document;
    const { files, path } = this.#deps;
    if ((await files.kind(path)) === null) return usualDocument();
    const document = parseConfig(tryDecodeUtf8(await files.readFile(path, configBytesMax)) ?? '');
    if (document === null)
      throw invalid(`${path} holds no config: remove it, or put back the one that was there`);
    this.#document = document;
    return document;
  }

  #changing<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** Null: no JSON object, or one that is too deep. */
export function parseConfig(text: string): JsonObject | null {
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) && depthOf(value) <= depthMax ? value : null;
  } catch {
    return null;
  }
}

function depthOf(value: Json, depth = 0): number {
  if (value === null || typeof value !== 'object' || depth > depthMax) return depth;
  return Math.max(depth, ...Object.values(value).map((part: Json) => depthOf(part, depth + 1)));
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function valueAt(document: JsonObject, path: string): Json | undefined {
  let at: Json | undefined = document;
  for (const part of path.split('.')) at = isObject(at) && Object.hasOwn(at, part) ? at[part] : undefined;
  return at;
}

function withValue(document: JsonObject, [first, ...rest]: readonly string[], value: Json): JsonObject {
  const inner = rest.length === 0 ? value : withValue(objectOf(document[first!]), rest, value);
  return { ...document, [first!]: inner };
}

function checkPath(path: string): void {
  const [section, ...rest] = path.split('.');
  if (!sections.has(section!)) throw invalid(`failed to set config value: ${section} not found`);
  if (rest.length > depthMax || rest.some((part) => part === '' || part === '__proto__'))
    throw invalid(`"${path}" is no name of a value`);
  if (section === 'Identity' && rest.length > 0)
    throw invalid(
      'cannot change the identity here: stop the node, and put another identity.key in its place',
    );
}

function textsOf(name: string, value: Json): readonly string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw invalid(`${name} is a list of texts`);
}

function flagOf(name: string, value: Json): boolean {
  if (typeof value === 'boolean') return value;
  throw invalid(`${name} is true or false`);
}

function numberOf(name: string, value: Json): number {
  if (typeof value === 'number') return value;
  throw invalid(`${name} is a number`);
}

function routingOf(value: Json): Settings['overlay']['dht'] {
  if (value === 'none') return 'none';
  if (value === 'dhtserver' || value === 'dht') return 'server';
  if (value === 'dhtclient' || value === 'auto' || value === 'autoclient' || value === null) return 'client';
  throw invalid('Routing.Type is none, dhtclient, dhtserver, dht or auto here');
}

/** `10GB`, `500MiB`; nothing: no limit. */
function sizeOf(value: Json): number | null {
  if (value === '' || value === null) return null;
  const parts = typeof value === 'string' ? /^(\d{1,15})\s*([kmgt]?)(i?)b?$/i.exec(value.trim()) : null;
  if (parts === null) throw invalid('Datastore.StorageMax is a size such as 10GB');
  const power = ['', 'k', 'm', 'g', 't'].indexOf(parts[2]!.toLowerCase());
  return Number(parts[1]) * (parts[3] === '' ? 1000 : 1024) ** power;
}

function invalid(message: string): NodeError {
  return new NodeError('IPFS_CONFIG', message, { op: 'config' });
}
