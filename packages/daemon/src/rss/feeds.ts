/** Feeds, their items and rules: read in turn, kept in the database, and what fits a rule is added. */
import type {
  AddTorrent,
  Feed,
  FeedItem,
  FeedItemQuery,
  FeedRule,
  FeedRuleState,
  FeedState,
  FeedVerdict,
  ManagementEvent,
  RssApi,
  Settings,
  TorrentSource,
} from '@tequio/api';
import { type Clock, type Database, type Log, NodeError } from '@tequio/kernel';
import { Documents } from '../store/documents.ts';
import { pause } from '../supervise/supervisor.ts';
import { episodeKey, tryEpisode } from './episode.ts';
import { type ParsedFeed, parseFeed } from './feed-parser.ts';
import { compileRule, type RuleMemory } from './feed-rule.ts';

const feedCountMax = 500;
const ruleCountMax = 1000;
const takenEpisodesMax = 5000;
/** How often it is looked whether a feed is due. */
const lookMs = 5000;

type KeptFeed = Feed & {
  readonly title: string | null;
  readonly fetchedAtMs: number | null;
  readonly triedAtMs: number | null;
  readonly error: string | null;
};
type KeptRule = FeedRule & RuleMemory & { readonly takenCount: number };

export type FeedsDeps = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  settings(): Settings['rss'];
  /** @throws NodeError of the web */
  fetch(url: string): Promise<Uint8Array>;
  readSource(url: string): Promise<TorrentSource>;
  add(torrent: AddTorrent): Promise<{ readonly id: string }>;
  emit(event: ManagementEvent): void;
};

export class Feeds implements RssApi {
  readonly #deps: FeedsDeps;
  readonly #feeds: Documents<KeptFeed>;
  readonly #rules: Documents<KeptRule>;
  /** All items of a feed, latest first. */
  readonly #items: Documents<readonly FeedItem[]>;

  constructor(deps: FeedsDeps) {
    this.#deps = deps;
    this.#feeds = new Documents(deps.database, 'feed');
    this.#rules = new Documents(deps.database, 'feed-rule');
    this.#items = new Documents(deps.database, 'feed-items');
  }

  /** Reads each feed when it is due. */
  async run(signal: AbortSignal): Promise<void> {
    do {
      if (!this.#deps.settings().enabled) continue;
      for (const feed of this.#feeds.values()) {
        if (signal.aborted) return;
        if (feed.enabled && this.#dueAtMs(feed) <= this.#deps.clock.wallMs()) await this.#tryRead(feed.url);
      }
    } while (await pause(lookMs, this.#deps.clock, signal));
  }

  async feeds(): Promise<readonly FeedState[]> {
    return this.#feeds.values().map(({ triedAtMs: _, ...feed }) => {
      const items = this.#items.get(feed.url) ?? [];
      const kept = this.#feeds.get(feed.url)!;
      return {
        ...feed,
        nextFetchAtMs: feed.enabled && this.#deps.settings().enabled ? this.#dueAtMs(kept) : null,
        itemCount: items.length,
        unreadCount: items.filter(({ read }) => !read).length,
      };
    });
  }

  async putFeed({ url, name, enabled, refreshMinutes }: Feed): Promise<void> {
    const parsed = URL.parse(url);
    if (parsed === null || !/^https?:$/.test(parsed.protocol) || url.length > 4096)
      throw new NodeError(
        'RSS_FEED',
        `"${url}" is no address of a feed: it must begin with http:// or https://.`,
      );
    if (refreshMinutes !== null && !(Number.isInteger(refreshMinutes) && refreshMinutes >= 1))
      throw new NodeError('RSS_FEED', 'A feed is read every minute at most.');
    const known = this.#feeds.get(url);
    if (known === null && this.#feeds.size >= feedCountMax)
      throw new NodeError('RSS_FEED', `There are ${feedCountMax} feeds; remove one first.`);
    const fresh = { title: null, fetchedAtMs: null, triedAtMs: null, error: null };
    this.#feeds.put(url, { ...(known ?? fresh), url, name, enabled, refreshMinutes });
  }

  async removeFeed(url: string): Promise<void> {
    this.#feeds.remove(url);
    this.#items.remove(url);
  }

  async refresh(url?: string): Promise<void> {
    if (url !== undefined && !this.#feeds.has(url))
      throw new NodeError('RSS_FEED', `There is no feed ${url}.`);
    const urls = url === undefined ? this.#feeds.entries().map(([key]) => key) : [url];
    for (const one of urls) {
      const error = await this.#tryRead(one);
      if (error !== null && url !== undefined) throw error;
    }
  }

  async items(query: FeedItemQuery = {}): ReturnType<RssApi['items']> {
    const { feed, unread, offset = 0, limit = 1000 } = query;
    const lists = feed === undefined ? this.#items.values() : [this.#items.get(feed) ?? []];
    const found = lists
      .flat()
      .filter((item) => unread === undefined || item.read !== unread)
      .sort((a, b) => (b.publishedAtMs ?? b.seenAtMs) - (a.publishedAtMs ?? a.seenAtMs));
    return { totalCount: found.length, items: found.slice(offset, offset + Math.min(limit, 1000)) };
  }

  async markRead(feed: string, ids?: readonly string[]): Promise<void> {
    this.#change(feed, (item) =>
      ids === undefined || ids.includes(item.id) ? { ...item, read: true } : item,
    );
  }

  async rules(): Promise<readonly FeedRuleState[]> {
    return this.#rules.values().map(({ taken: _, ...rule }) => rule);
  }

  async putRule(rule: FeedRule): Promise<void> {
    compileRule(rule);
    const known = this.#rules.get(rule.name);
    if (known === null && this.#rules.size >= ruleCountMax)
      throw new NodeError('RSS_RULE', `There are ${ruleCountMax} rules; remove one first.`);
    const { takenAtMs = null, takenCount = 0, taken = [] } = known ?? {};
    this.#rules.put(rule.name, { ...rule, takenAtMs, takenCount, taken });
  }

  async renameRule(name: string, newName: string): Promise<void> {
    const rule = this.#rules.get(name);
    if (rule === null) throw new NodeError('RSS_RULE', `There is no rule "${name}".`);
    if (this.#rules.has(newName)) throw new NodeError('RSS_RULE', `There is a rule "${newName}" already.`);
    const renamed = { ...rule, name: newName };
    compileRule(renamed);
    this.#rules.put(newName, renamed);
    this.#rules.remove(name);
  }

  async removeRule(name: string): Promise<void> {
    this.#rules.remove(name);
  }

  async testRule(rule: FeedRule): Promise<readonly FeedVerdict[]> {
    const { reasonAgainst } = compileRule(rule);
    const nowMs = this.#deps.clock.wallMs();
    const { items } = await this.items();
    // As if it had taken nothing yet: whoever tries a rule wants to see what it means.
    const memory: RuleMemory = { takenAtMs: null, taken: [] };
    return items.map((item) => {
      const reason = reasonAgainst(item, memory, nowMs);
      return { item, fits: reason === null, reason };
    });
  }

  #dueAtMs({ triedAtMs, refreshMinutes }: KeptFeed): number {
    const minutes = refreshMinutes ?? this.#deps.settings().refreshMinutes;
    const nowMs = this.#deps.clock.wallMs();
    // A clock that was set back must not keep a feed waiting for the years between.
    return triedAtMs === null || triedAtMs > nowMs ? nowMs : triedAtMs + minutes * 60_000;
  }

  async #tryRead(url: string): Promise<NodeError | null> {
    const { clock, log } = this.#deps;
    try {
      const parsed = parseFeed(await this.#deps.fetch(url), url);
      const feed = this.#feeds.get(url);
      if (feed === null) return null;
      const nowMs = clock.wallMs();
      this.#feeds.put(url, {
        ...feed,
        title: parsed.title,
        fetchedAtMs: nowMs,
        triedAtMs: nowMs,
        error: null,
      });
      this.#keep(url, parsed);
      if (this.#deps.settings().addByRules) await this.#takeByRules(url);
      return null;
    } catch (error) {
      const failure =
        error instanceof NodeError ? error : new NodeError('RSS_FEED', String(error), { cause: error });
      log.warn('rss.failed', { feed: url, message: failure.message });
      const feed = this.#feeds.get(url);
      if (feed !== null) this.#feeds.put(url, { ...feed, triedAtMs: clock.wallMs(), error: failure.message });
      return failure;
    }
  }

  /** New items before the old ones, and no more of them than are to be kept. */
  #keep(url: string, { items }: ParsedFeed): void {
    const known = this.#items.get(url) ?? [];
    const ids = new Set(known.map(({ id }) => id));
    const seenAtMs = this.#deps.clock.wallMs();
    const fresh: FeedItem[] = [];
    for (const item of items) {
      if (ids.has(item.id)) continue;
      ids.add(item.id);
      fresh.push({ ...item, feed: url, seenAtMs, read: false, takenBy: null });
    }
    // What the feed itself still shows must stay known, or it would be new again the next time.
    const most = Math.max(this.#deps.settings().itemCountMax, items.length);
    if (fresh.length > 0) this.#items.put(url, [...fresh, ...known].slice(0, most));
  }

  async #takeByRules(url: string): Promise<void> {
    const rules = this.#rules
      .values()
      .filter(({ enabled }) => enabled)
      .sort((a, b) => a.priority - b.priority);
    if (rules.length === 0) return;
    // Oldest first, so that episodes come in their order.
    const items = [...(this.#items.get(url) ?? [])]
      .reverse()
      .filter(({ takenBy, read }) => takenBy === null && !read);
    for (const item of items) {
      for (const { name } of rules) if (await this.#tryTake(item, name)) break;
    }
  }

  async #tryTake(item: FeedItem, name: string): Promise<boolean> {
    const rule = this.#rules.get(name);
    if (rule === null) return false;
    const { clock, log } = this.#deps;
    const reason = compileRule(rule).reasonAgainst(item, rule, clock.wallMs());
    if (reason !== null || item.source === null) return false;
    try {
      const source = await this.#deps.readSource(item.source);
      const { id } = await this.#deps.add({ ...rule.add, source });
      this.#deps.emit({ type: 'node.rss.added', torrent: id, rule: name, title: item.title });
    } catch (error) {
      // Tried again when the feed is read the next time.
      log.warn('rss.take', {
        rule: name,
        title: item.title,
        message: error instanceof Error ? error.message : '',
      });
      return true;
    }
    const episode = tryEpisode(item.title);
    const episodes = episode === null ? rule.taken : [...rule.taken, episodeKey(episode, item.title)];
    this.#rules.put(name, {
      ...rule,
      takenAtMs: clock.wallMs(),
      takenCount: rule.takenCount + 1,
      taken: episodes.slice(-takenEpisodesMax),
    });
    this.#change(item.feed, (one) => (one.id === item.id ? { ...one, takenBy: name, read: true } : one));
    return true;
  }

  #change(feed: string, changed: (item: FeedItem) => FeedItem): void {
    const items = this.#items.get(feed);
    if (items !== null) this.#items.put(feed, items.map(changed));
  }
}
