import type {
  EventPage,
  Identity,
  ListedTorrent,
  LogLine,
  Management,
  NodeApi,
  NodeEvent,
  NodeStatus,
  Settings,
  TorrentDelta,
  TorrentList,
  TorrentListQuery,
  TorrentsApi,
} from '@tequio/api';
import { settingsSchema } from '@tequio/api/settings';
import { NodeError } from '@tequio/kernel';

export const rootToken = 'root-token';

/** A managed node whose torrents a test writes, and which remembers what it was asked to do. */
export class FakeManagement {
  readonly calls: {
    readonly name: string;
    readonly args: readonly unknown[];
    readonly as: Identity | null;
  }[] = [];
  readonly rows = new Map<string, ListedTorrent>();
  readonly versions = new Map<string, number>();
  readonly removed = new Map<string, number>();
  version = 1;
  listCount = 0;
  changesCount = 0;
  readonly events: NodeEvent[] = [];
  settings: Settings = settingsSchema.parse({ http: { address: '127.0.0.1:0' } });
  password: string | null = null;
  readonly keys = new Map<string, Identity>([[rootToken, { user: null, scope: 'admin' }]]);
  /** File contents by torrent. */
  readonly contents = new Map<string, readonly { readonly path: string; readonly bytes: Uint8Array }[]>();
  /** Bytes of content are given only as far as this lets them. */
  gate: Promise<void> = Promise.resolve();
  /** In place of the rows here. */
  torrents: TorrentsApi | null = null;
  /** What single calls answer, by `part.method`. */
  readonly answers = new Map<string, unknown>();
  #order: { readonly key: string; readonly rows: readonly ListedTorrent[] } | null = null;
  readonly #eventListeners = new Set<(event: NodeEvent) => void>();
  readonly #logListeners = new Set<(line: LogLine) => void>();

  put(id: string, fields: Partial<ListedTorrent> = {}): void {
    const was = this.rows.get(id) ?? rowExample(id);
    this.rows.set(id, { ...was, ...fields });
    this.versions.delete(id);
    this.versions.set(id, ++this.version);
  }

  drop(id: string): void {
    this.rows.delete(id);
    this.versions.delete(id);
    this.removed.set(id, ++this.version);
  }

  emit(event: NodeEvent['event']): void {
    const told = { seq: this.events.length + 1, atMs: 1000, event };
    this.events.push(told);
    for (const listener of this.#eventListeners) listener(told);
  }

  say(line: LogLine): void {
    for (const listener of this.#logListeners) listener(line);
  }

  get listenerCount(): number {
    return this.#eventListeners.size + this.#logListeners.size;
  }

  /** @param who whose rights; null: nobody's in particular */
  as(who: Identity | null): Management {
    const parts: Record<string, object> = {
      torrents: this.torrents ?? this.#torrents(),
      events: {
        since: async (seq: number, limit = 1000): Promise<EventPage> => ({
          events: this.events.filter((event) => event.seq > seq).slice(0, limit),
          lost: seq > this.events.length,
          seq: this.events.length,
        }),
        subscribe: (listener: (event: NodeEvent) => void) => {
          this.#eventListeners.add(listener);
          return () => void this.#eventListeners.delete(listener);
        },
      },
      log: {
        subscribe: (listener: (line: LogLine) => void) => {
          this.#logListeners.add(listener);
          return () => void this.#logListeners.delete(listener);
        },
      },
      settings: { get: async () => this.settings },
      status: { status: async () => statusExample },
      users: {
        hasPassword: async () => this.password !== null,
        tryKey: async (key: string) => this.keys.get(key) ?? null,
        tryPassword: async (user: string, password: string) =>
          user === 'admin' && password === this.password ? { user: null, scope: 'admin' } : null,
      },
    };
    const node: Record<string, unknown> = { as: (identity: Identity) => this.as(identity) };
    for (const part of [
      'torrents',
      'status',
      'history',
      'events',
      'log',
      'settings',
      'rss',
      'users',
      'network',
      'dht',
      'ipfs',
      'bridge',
    ])
      node[part] = new Proxy(parts[part] ?? {}, {
        get: (known, name: string) =>
          Reflect.get(known, name)?.bind(known) ??
          (async (...args: unknown[]) => {
            this.calls.push({ name: `${part}.${name}`, args, as: who });
            const answer = this.answers.get(`${part}.${name}`);
            if (answer instanceof Error) throw answer;
            return answer;
          }),
      });
    return node as unknown as Management;
  }

  get node(): NodeApi & { readonly management: Management } {
    return { management: this.as(null) } as unknown as NodeApi & { readonly management: Management };
  }

  #torrents(): object {
    return {
      list: async (query: TorrentListQuery = {}): Promise<TorrentList> => {
        this.listCount++;
        const { filter = {}, sort = 'addedAtMs', descending = false, offset = 0, limit = 100 } = query;
        const rows = this.#sorted(sort, descending).filter(
          (row) =>
            (filter.groups === undefined || filter.groups.includes(row.state)) &&
            (filter.text === undefined || row.name.includes(filter.text)) &&
            (filter.category === undefined || row.category === filter.category),
        );
        const counts = query.counts === true ? countsExample : null;
        const page = rows.slice(offset, offset + limit);
        return { version: this.version, totalCount: rows.length, rows: page, counts };
      },
      get: async (id: string) => this.rows.get(id) ?? null,
      changes: async (since: number): Promise<TorrentDelta> => {
        this.changesCount++;
        const changed: ListedTorrent[] = [];
        // Latest last: what is older than asked for need not be looked at.
        for (const [id, version] of [...this.versions].reverse()) {
          if (version <= since) break;
          changed.push(this.rows.get(id)!);
        }
        const removed = [...this.removed].filter(([, version]) => version > since).map(([id]) => id);
        return { version: this.version, full: since === 0, changed, removed };
      },
      files: async (id: string) => {
        const files = this.contents.get(id);
        if (files === undefined) throw new NodeError('TORRENT_MISSING', `There is no torrent ${id}.`);
        return files.map(({ path, bytes }, index) => ({
          index,
          path,
          bytes: bytes.length,
          doneBytes: 0,
          priority: 4,
          pad: false,
        }));
      },
      readContent: (id: string, file: number, offset: number, length: number, signal?: AbortSignal) =>
        this.#read(id, file, offset, length, signal),
    };
  }

  /** Sorted once for a version, for a test may have very many. */
  #sorted(sort: keyof ListedTorrent, descending: boolean): readonly ListedTorrent[] {
    const key = `${sort} ${descending} ${this.version}`;
    if (this.#order?.key !== key) {
      const sign = descending ? -1 : 1;
      const rows = [...this.rows.values()].sort(
        (a, b) => sign * compare(a[sort], b[sort]) || compare(a.id, b.id),
      );
      this.#order = { key, rows };
    }
    return this.#order.rows;
  }

  async *#read(id: string, file: number, offset: number, length: number, signal?: AbortSignal) {
    const { bytes } = this.contents.get(id)![file]!;
    for (let at = offset; at < offset + length; at += 16_384) {
      await Promise.race([this.gate, new Promise((resolve) => signal?.addEventListener('abort', resolve))]);
      if (signal?.aborted) return;
      yield bytes.subarray(at, Math.min(at + 16_384, offset + length));
    }
  }
}

function compare(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return (a as string) < (b as string) ? -1 : 1;
}

const countsExample = {
  groups: {
    metadata: 0,
    checking: 0,
    downloading: 1,
    seeding: 0,
    paused: 0,
    error: 0,
    active: 0,
    stalled: 0,
    queued: 0,
    finished: 0,
  },
  categories: { '': 1 },
  tags: {},
  trackers: {},
};

export const statusExample: NodeStatus = {
  version: '1.2.3',
  startedAtMs: 1000,
  dataFolder: '/data',
  downloadFolder: '/downloads',
  totals: {
    downRate: 0,
    upRate: 0,
    downloadedBytes: 0,
    uploadedBytes: 0,
    torrentCount: 0,
    connectionCount: 0,
    dhtNodeCount: 0,
  },
  allTime: { downloadedBytes: 5, uploadedBytes: 6, runCount: 1, runMs: 1 },
  port: 27272,
  reachability: [],
  freeBytes: 1000,
  paused: null,
  altLimits: false,
  dht: null,
  troubles: [],
};

/** @param index of a torrent: its id */
export function idOf(index: number): string {
  return index.toString(16).padStart(40, '0');
}

export function rowExample(id: string): ListedTorrent {
  return {
    id,
    infoHashV1: id,
    infoHashV2: null,
    name: `name ${id.slice(-6)}`,
    folder: '/downloads',
    state: 'downloading',
    error: null,
    errorCode: null,
    private: false,
    pieceCount: 100,
    pieceBytes: 16384,
    havePieceCount: 0,
    fileCount: 1,
    totalBytes: 1_638_400,
    wantedBytes: 1_638_400,
    doneBytes: 0,
    downloadedBytes: 0,
    uploadedBytes: 0,
    wastedBytes: 0,
    downRate: 0,
    upRate: 0,
    peerCount: 0,
    seedCount: 0,
    candidateCount: 0,
    swarmSeedCount: null,
    swarmLeechCount: null,
    secondsLeft: null,
    checked: 0,
    availability: 0,
    category: null,
    limitDown: null,
    limitUp: null,
    sequential: false,
    superSeed: false,
    trackerHost: null,
    activeAtMs: null,
    tags: [],
    owner: null,
    addedAtMs: 1000,
    finishedAtMs: null,
    downloadingMs: 0,
    seedingMs: 0,
    queuePosition: null,
    queued: false,
    forced: false,
    shareGoal: null,
    edgesFirst: false,
    finishedFolder: null,
    comment: null,
    ratio: 0,
    progress: 0,
  };
}
