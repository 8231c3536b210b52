import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type {
  Feed,
  FeedRule,
  Identity,
  Management,
  NodeApi,
  NodeEvent,
  NodeStatus,
  Settings,
  TorrentSource,
} from '@tequio/api';
import { settingsSchema } from '@tequio/api/settings';
import { readPieceHashes } from '@tequio/bittorrent';
import { NodeError } from '@tequio/kernel';
import { createRuntimePorts } from '@tequio/runtime';
import { startNode } from '../../compose.ts';
import type { CompatPorts } from '../compat-caller.ts';
import { TwinTorrents } from './twin-torrents.ts';

const { folders, hashes } = createRuntimePorts();

/** The parts of a managed node that compatible APIs look at, kept in memory. */
export class TwinNode {
  readonly torrents: TwinTorrents;
  readonly node: NodeApi;
  readonly ports: CompatPorts;
  readonly feeds = new Map<string, Feed>();
  readonly rules = new Map<string, FeedRule>();
  readonly keys = new Map<string, string>();
  readonly banned: string[] = [];
  settings: Settings = settingsSchema.parse({});
  altLimits = false;
  shutdownCount = 0;
  /** The twin's clock: seconds pass when a test says so. */
  nowMs = 1_700_000_000_000;
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  readonly #offline: NodeApi;
  #seq = 0;

  private constructor(offline: NodeApi) {
    this.#offline = offline;
    this.torrents = new TwinTorrents(
      (source) => offline.bittorrent.show(source),
      () => this.nowMs,
      '/downloads',
    );
    const management = this.#management();
    this.node = new Proxy(offline, {
      get: (target, key) => (key === 'management' ? management : Reflect.get(target, key, target)),
    });
    this.ports = {
      readSource: (text) => readTwinSource(text),
      show: (source) => offline.bittorrent.show(source),
      create: (...of) => offline.bittorrent.create(...of),
      pieceHashes: (torrent) => readPieceHashes(torrent, hashes),
      listFolder: (path) => folders.list(path),
      writeFile: (path, bytes) => writeFile(path, bytes),
      wallMs: () => this.nowMs,
      randomBytes: (count) => randomBytes(count),
    };
  }

  static async open(): Promise<TwinNode> {
    return new TwinNode(
      await startNode({
        dataFolder: null,
        offline: true,
        port: null,
        bind: null,
        portMapping: false,
        limitDown: null,
        limitUp: null,
        encryption: 'prefer',
        transport: 'both',
      }),
    );
  }

  close(): Promise<void> {
    return this.#offline.close();
  }

  emit(event: NodeEvent['event']): void {
    const kept: NodeEvent = { seq: ++this.#seq, atMs: this.nowMs, event };
    for (const listener of this.#listeners) listener(kept);
  }

  #status(): NodeStatus {
    const { book } = this.torrents;
    return {
      version: '0.1.0',
      startedAtMs: 1_700_000_000_000 - 60_000,
      dataFolder: '/data',
      downloadFolder: this.settings.folders.download ?? '/downloads',
      totals: {
        downRate: 0,
        upRate: 0,
        downloadedBytes: 10,
        uploadedBytes: 20,
        torrentCount: book.size,
        connectionCount: 0,
        dhtNodeCount: 0,
      },
      allTime: { downloadedBytes: 1000, uploadedBytes: 2000, runCount: 3, runMs: 90_000 },
      port: 27272,
      reachability: [],
      freeBytes: 1e9,
      paused: null,
      altLimits: this.altLimits,
      dht: null,
      troubles: [],
    };
  }

  #management(): Management {
    const management: Management = {
      get dht(): never {
        throw new Error('The twin has no DHT.');
      },
      get ipfs(): never {
        throw new Error('The twin has no IPFS.');
      },
      torrents: this.torrents,
      status: {
        status: async () => this.#status(),
        pauseAll: async () => {},
        resumeAll: async () => {},
        setAltLimits: async (on) => void (this.altLimits = on),
        freeBytes: async (path) => (path.startsWith('/missing') ? null : 1e9),
        shutdown: async () => void this.shutdownCount++,
      },
      history: { speeds: async () => ({ stepMs: 1000, endMs: this.nowMs, down: [], up: [] }) },
      events: {
        since: async () => ({ events: [], lost: false, seq: this.#seq }),
        subscribe: (listener) => {
          this.#listeners.add(listener);
          return () => this.#listeners.delete(listener);
        },
      },
      log: {
        lines: async ({ since = 0 } = {}) =>
          [
            {
              seq: 1,
              atMs: this.nowMs,
              level: 'info' as const,
              name: 'node.started',
              fields: { port: 27272 },
            },
          ].filter(({ seq }) => seq > since),
        subscribe: () => () => {},
      },
      settings: {
        get: async () => this.settings,
        origins: async () => ({}),
        patch: async (changes) => {
          const merged = Object.fromEntries(
            Object.entries(this.settings).map(([key, section]) => {
              const change = (changes as Record<string, unknown>)[key];
              return [
                key,
                change !== undefined && !Array.isArray(section) && typeof section === 'object'
                  ? { ...section, ...(change as object) }
                  : (change ?? section),
              ];
            }),
          );
          const checked = settingsSchema.safeParse(merged);
          if (!checked.success) throw new NodeError('SETTINGS_VALUE', checked.error.message);
          this.settings = checked.data;
          return { changed: [], restartNeeded: [] };
        },
        schema: async () => ({}),
      },
      rss: this.#rss(),
      users: this.#users(),
      network: {
        bans: async () => [],
        ban: async (address) => void this.banned.push(address),
        unban: async () => false,
        addressFilter: async () => ({ rangeCount: 7, badLineCount: 0, badLines: [], readAtMs: 0 }),
        refreshAddressFilter: async () => ({ rangeCount: 8, badLineCount: 0, badLines: [] }),
        routers: async () => null,
      },
      bridge: {
        torrentToIpfs: () => assert.fail('no tool bridges'),
        ipfsToTorrent: () => assert.fail('no tool bridges'),
        share: () => assert.fail('no tool bridges'),
      },
      as: (_identity: Identity) => management,
    };
    return management;
  }

  #rss(): Management['rss'] {
    return {
      feeds: async () =>
        [...this.feeds.values()].map((feed) => ({
          ...feed,
          title: feed.name,
          fetchedAtMs: null,
          nextFetchAtMs: null,
          error: null,
          itemCount: 0,
          unreadCount: 0,
        })),
      putFeed: async (feed) => void this.feeds.set(feed.url, feed),
      removeFeed: async (url) => void this.feeds.delete(url),
      refresh: async () => {},
      items: async () => ({ totalCount: 0, items: [] }),
      markRead: async () => {},
      rules: async () =>
        [...this.rules.values()].map((rule) => ({ ...rule, takenAtMs: null, takenCount: 0 })),
      putRule: async (rule) => void this.rules.set(rule.name, rule),
      renameRule: async (name, newName) => {
        const rule = this.rules.get(name)!;
        this.rules.delete(name);
        this.rules.set(newName, { ...rule, name: newName });
      },
      removeRule: async (name) => void this.rules.delete(name),
      testRule: async () => [],
    };
  }

  #users(): Management['users'] {
    return {
      users: async () => [],
      putUser: async () => {},
      removeUser: async () => {},
      setPassword: async () => {},
      hasPassword: async () => true,
      keys: async () =>
        [...this.keys].map(([key, name]) => ({
          id: key,
          name,
          scope: 'admin',
          user: null,
          createdAtMs: 0,
          lastUsedAtMs: null,
        })),
      makeKey: async ({ name, scope }) => {
        const key = `tq_${randomBytes(12).toString('hex')}`;
        this.keys.set(key, name);
        return { id: key, name, scope, user: null, createdAtMs: this.nowMs, lastUsedAtMs: null, key };
      },
      removeKey: async (id) => void this.keys.delete(id),
      tryPassword: async (user, password) =>
        user === 'admin' && password === 'correct horse' ? { user: null, scope: 'admin' } : null,
      tryKey: async (key) =>
        key === 'the-token' || this.keys.has(key) ? { user: null, scope: 'admin' } : null,
    };
  }
}

async function readTwinSource(text: string): Promise<TorrentSource> {
  if (/^(?:magnet:|[0-9a-f]{40}$)/i.test(text)) return { magnet: text };
  const bytes = await readFile(text).catch(() => {
    throw new NodeError('FILE_MISSING', `There is nothing at ${text}.`);
  });
  return { torrent: new Uint8Array(bytes) };
}
