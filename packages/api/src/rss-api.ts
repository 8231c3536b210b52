import type { AddTorrent } from './torrents-api.ts';

export type Feed = {
  /** Its address; names the feed. */
  readonly url: string;
  /** Null: the feed's own title. */
  readonly name: string | null;
  readonly enabled: boolean;
  /** Null: as the settings say. */
  readonly refreshMinutes: number | null;
};

export type FeedState = Feed & {
  /** As the feed itself says; null: not read yet. */
  readonly title: string | null;
  readonly fetchedAtMs: number | null;
  readonly nextFetchAtMs: number | null;
  /** Why the last try failed; null: it did not. */
  readonly error: string | null;
  readonly itemCount: number;
  readonly unreadCount: number;
};

export type FeedItem = {
  /** The feed's guid, or its link. */
  readonly id: string;
  readonly feed: string;
  readonly title: string;
  /** A page about it. */
  readonly link: string | null;
  /** Address of a .torrent, or a magnet link; null: the item has none. */
  readonly source: string | null;
  readonly publishedAtMs: number | null;
  readonly seenAtMs: number;
  readonly bytes: number | null;
  readonly description: string | null;
  readonly read: boolean;
  /** The rule that has added it; null: none has. */
  readonly takenBy: string | null;
};

/** Which items of feeds are added, and how. */
export type FeedRule = {
  /** 1 to 100 characters; names the rule. */
  readonly name: string;
  readonly enabled: boolean;
  /** Rules are tried from the smallest number; the first that fits takes the item. */
  readonly priority: number;
  /** Addresses; empty: all feeds. */
  readonly feeds: readonly string[];
  /** Empty: everything fits. Words with `*` and `?`, `|` between alternatives; or a regular expression. */
  readonly must: string;
  /** Empty: nothing is left out. */
  readonly mustNot: string;
  readonly regex: boolean;
  /** Seasons and episodes, as `2x1-8;2x11;3x5-;`; null: any. */
  readonly episodes: string | null;
  /** Each episode once, unless it is a repack or a proper. */
  readonly onceAnEpisode: boolean;
  readonly bytesMin: number | null;
  readonly bytesMax: number | null;
  /** Days in which nothing else is taken after an item was; 0: none. */
  readonly restDays: number;
  readonly add: Pick<
    AddTorrent,
    'folder' | 'category' | 'tags' | 'paused' | 'shareGoal' | 'sequential' | 'limitDown' | 'limitUp'
  >;
};

export type FeedRuleState = FeedRule & { readonly takenAtMs: number | null; readonly takenCount: number };

/** What a rule says of an item. */
export type FeedVerdict = {
  readonly item: FeedItem;
  readonly fits: boolean;
  /** Why it does not, as a sentence; null: it does. */
  readonly reason: string | null;
};

export type FeedItemQuery = {
  readonly feed?: string;
  readonly unread?: boolean;
  readonly offset?: number;
  readonly limit?: number;
};

export interface RssApi {
  feeds(): Promise<readonly FeedState[]>;
  /** @throws NodeError `RSS_FEED` */
  putFeed(feed: Feed): Promise<void>;
  removeFeed(url: string): Promise<void>;
  /** Reads it now; all when none is named. @throws NodeError `RSS_FEED` */
  refresh(url?: string): Promise<void>;
  /** Latest first; at most 1000. */
  items(query?: FeedItemQuery): Promise<{ readonly totalCount: number; readonly items: readonly FeedItem[] }>;
  /** Of one feed; all of them when no ids are given. */
  markRead(feed: string, ids?: readonly string[]): Promise<void>;
  rules(): Promise<readonly FeedRuleState[]>;
  /** @throws NodeError `RSS_RULE` with what is wrong */
  putRule(rule: FeedRule): Promise<void>;
  renameRule(name: string, newName: string): Promise<void>;
  removeRule(name: string): Promise<void>;
  /** What the rule would say of all items that are kept, without adding any. @throws NodeError `RSS_RULE` */
  testRule(rule: FeedRule): Promise<readonly FeedVerdict[]>;
}
