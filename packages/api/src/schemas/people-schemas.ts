/** Users, keys, sessions and feeds as they go over HTTP. Browser-safe. */
import { z } from 'zod';
import type { Feed, FeedItem, FeedRule, FeedRuleState, FeedState, FeedVerdict } from '../rss-api.ts';
import type { ApiKey, Identity, User, UserState } from '../users-api.ts';
import { absolutePath, addTorrent, bytesCount, count, timeMs, torrentPatch } from './torrent-schemas.ts';

export const scope = z
  .enum(['read', 'write', 'admin'])
  .meta({ description: 'read: looks; write: manages torrents too; admin: everything.' });

export const userName = z
  .string()
  .regex(/^[a-z0-9._-]{1,64}$/, 'must be 1 to 64 of a-z, 0-9, ".", "_" and "-"')
  .meta({ description: 'Name of a user.' });

const userShape = {
  name: userName,
  scope,
  folder: absolutePath.nullable().meta({ description: 'Their content goes in here only.' }),
  quotaBytes: bytesCount.nullable().meta({ description: 'Wanted bytes of all their torrents together.' }),
  torrentCountMax: count.nullable(),
};

export const user = z.strictObject(userShape) satisfies z.ZodType<User>;
export const userState = z.strictObject({
  ...userShape,
  usedBytes: bytesCount,
  torrentCount: count,
  createdAtMs: timeMs,
}) satisfies z.ZodType<UserState>;

const keyShape = {
  id: z.string(),
  name: z.string(),
  scope,
  user: userName.nullable().meta({ description: "On whose behalf; null: the node's owner." }),
  createdAtMs: timeMs,
  lastUsedAtMs: timeMs.nullable(),
};

export const apiKey = z.strictObject(keyShape) satisfies z.ZodType<ApiKey>;
export const madeKey = z.strictObject({
  ...keyShape,
  key: z.string().meta({ description: 'Shown this once.' }),
});
export const keyOptions = z.strictObject({
  name: z.string().min(1).max(100),
  scope,
  user: userName.nullable().exactOptional(),
});

export const identity = z.strictObject({ user: userName.nullable(), scope }) satisfies z.ZodType<Identity>;
export const password = z.string().max(1024).meta({ description: 'An empty one takes it away.' });

const feedUrl = z
  .string()
  .max(4096)
  .regex(/^https?:\/\//i, 'must begin with http:// or https://')
  .meta({ description: 'Address of the feed.' });

const feedShape = {
  url: feedUrl,
  name: z.string().max(200).nullable(),
  enabled: z.boolean(),
  refreshMinutes: z.int().min(1).max(100_000).nullable(),
};

export const feed = z.strictObject(feedShape) satisfies z.ZodType<Feed>;
export const feedState = z.strictObject({
  ...feedShape,
  title: z.string().nullable(),
  fetchedAtMs: timeMs.nullable(),
  nextFetchAtMs: timeMs.nullable(),
  error: z.string().nullable(),
  itemCount: count,
  unreadCount: count,
}) satisfies z.ZodType<FeedState>;

export const feedItem = z.strictObject({
  id: z.string(),
  feed: z.string(),
  title: z.string(),
  link: z.string().nullable(),
  source: z.string().nullable(),
  publishedAtMs: timeMs.nullable(),
  seenAtMs: timeMs,
  bytes: bytesCount.nullable(),
  description: z.string().nullable(),
  read: z.boolean(),
  takenBy: z.string().nullable(),
}) satisfies z.ZodType<FeedItem>;

const ruleShape = {
  name: z.string().min(1).max(100),
  enabled: z.boolean(),
  priority: z.int().min(-1e6).max(1e6),
  feeds: z.array(feedUrl).max(1000).meta({ description: 'Empty: all feeds.' }),
  must: z.string().max(10_000),
  mustNot: z.string().max(10_000),
  regex: z.boolean(),
  episodes: z.string().max(1000).nullable(),
  onceAnEpisode: z.boolean(),
  bytesMin: bytesCount.nullable(),
  bytesMax: bytesCount.nullable(),
  restDays: z.number().min(0).max(10_000),
  add: z.strictObject({
    folder: addTorrent.shape.folder,
    category: torrentPatch.shape.category,
    tags: torrentPatch.shape.tags,
    paused: addTorrent.shape.paused,
    shareGoal: torrentPatch.shape.shareGoal,
    sequential: torrentPatch.shape.sequential,
    limitDown: torrentPatch.shape.limitDown,
    limitUp: torrentPatch.shape.limitUp,
  }),
};

export const feedRule = z.strictObject(ruleShape) satisfies z.ZodType<FeedRule>;
export const feedRuleState = z.strictObject({
  ...ruleShape,
  takenAtMs: timeMs.nullable(),
  takenCount: count,
}) satisfies z.ZodType<FeedRuleState>;
export const feedVerdict = z.strictObject({
  item: feedItem,
  fits: z.boolean(),
  reason: z.string().nullable(),
}) satisfies z.ZodType<FeedVerdict>;
