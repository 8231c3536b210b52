/** Torrents as they go over HTTP: the types of this package, checked. Bytes are Base64. Browser-safe. */

import type { ShownTorrent, WebSeedSnapshot } from '@tequio/bittorrent/contract';
import { z } from 'zod';
import type { Category, TrackerRule } from '../category.ts';
import type { ListedTorrent, TorrentCounts, TorrentDelta } from '../torrent-list.ts';
import type { ShareGoal } from '../torrent-notes.ts';
import type { AddedTorrent, TorrentPatch } from '../torrents-api.ts';

export const bytesCount = z.number().min(0).meta({ description: 'Bytes.' });
export const rate = z.number().min(0).meta({ description: 'Bytes a second.' });
export const timeMs = z.number().meta({ description: 'Milliseconds since 1970.' });
export const count = z.int().min(0);
const limit = z.number().min(1).max(1e12).nullable().meta({ description: 'Bytes a second; null: no limit.' });
const share = z.number().min(0).max(1);

/** Hex of the v1 info-hash, or of the v2 one when there is no v1. */
export const torrentId = z
  .string()
  .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'must be the 40 or 64 hex digits of a torrent')
  .meta({ description: 'How a torrent is named: hex of its info-hash, v1 before v2.' });

export const torrentIds = z
  .array(torrentId)
  .min(1)
  .max(100_000)
  .meta({ description: 'All of them, or none when one is not there.' });

export const fileIndex = z.int().min(0).max(1e7).meta({ description: 'Of a file in its torrent, from 0.' });

export const absolutePath = z
  .string()
  .min(1)
  .max(4096)
  // A pattern and no function, so that the description of the API says it too.
  .regex(/^(?:\/|[A-Za-z]:[\\/]|\\\\)[^\0]*$/, 'must be an absolute path')
  .meta({ description: "Absolute, on the node's machine." });

const name = z.string().min(1).max(255);
export const categoryName = z.string().min(1).max(100);
export const tagNames = z.array(z.string().min(1).max(100)).max(100);
const hostPorts = z.array(z.string().min(3).max(300)).max(1000);
const urls = z.array(z.string().min(1).max(4096)).max(1000);
export const trackerTiers = z.array(urls).max(1000).meta({ description: 'A tier an array.' });

export const shareGoal = z
  .strictObject({
    ratio: z.number().min(0).max(1e6).nullable(),
    seedingMinutes: z.number().min(0).max(1e8).nullable(),
    idleMinutes: z.number().min(0).max(1e8).nullable(),
    action: z.enum(['pause', 'remove', 'remove-with-content', 'super-seed']),
  })
  .meta({
    description: 'How long it is shared; the first measure that is reached ends it.',
  }) satisfies z.ZodType<ShareGoal>;

const state = z.enum(['metadata', 'checking', 'downloading', 'seeding', 'paused', 'error']);

export const listedTorrent = z.strictObject({
  id: torrentId,
  infoHashV1: z.string().nullable(),
  infoHashV2: z.string().nullable(),
  name: z.string(),
  folder: z.string(),
  state,
  error: z.string().nullable(),
  errorCode: z.string().nullable(),
  private: z.boolean().nullable(),
  pieceCount: count,
  pieceBytes: bytesCount,
  havePieceCount: count,
  fileCount: count,
  totalBytes: bytesCount,
  wantedBytes: bytesCount,
  doneBytes: bytesCount,
  downloadedBytes: bytesCount,
  uploadedBytes: bytesCount,
  wastedBytes: bytesCount,
  downRate: rate,
  upRate: rate,
  peerCount: count,
  seedCount: count,
  candidateCount: count,
  swarmSeedCount: count.nullable(),
  swarmLeechCount: count.nullable(),
  secondsLeft: z.number().nullable(),
  checked: share,
  availability: z.number(),
  category: z.string().nullable(),
  limitDown: z.number().nullable(),
  limitUp: z.number().nullable(),
  sequential: z.boolean(),
  superSeed: z.boolean(),
  trackerHost: z.string().nullable(),
  activeAtMs: timeMs.nullable(),
  tags: z.array(z.string()),
  owner: z.string().nullable(),
  addedAtMs: timeMs,
  finishedAtMs: timeMs.nullable(),
  downloadingMs: z.number(),
  seedingMs: z.number(),
  queuePosition: count.nullable(),
  queued: z.boolean(),
  forced: z.boolean(),
  shareGoal: shareGoal.nullable(),
  edgesFirst: z.boolean(),
  finishedFolder: z.string().nullable(),
  comment: z.string().nullable(),
  ratio: z.number(),
  progress: share,
}) satisfies z.ZodType<ListedTorrent>;

/** What can be asked for with `fields`. */
export const torrentField = z.enum(
  Object.keys(listedTorrent.shape) as [keyof ListedTorrent, ...(keyof ListedTorrent)[]],
);

const group = z.enum([...state.options, 'active', 'stalled', 'queued', 'finished']);
const sortField = torrentField.exclude(['tags', 'shareGoal']);

/** A filter, an order and a page, as they stand in a query. An empty text stands for null: those without one. */
export const torrentListQuery = z.strictObject({
  groups: z
    .array(group)
    .exactOptional()
    .meta({ description: 'States, and groups of them: any of these, separated by commas.' }),
  category: z.string().max(100).nullable().exactOptional().meta({ description: 'Empty: those without one.' }),
  tag: z.string().max(100).nullable().exactOptional().meta({ description: 'Empty: those without any.' }),
  tracker: z
    .string()
    .max(255)
    .nullable()
    .exactOptional()
    .meta({ description: 'Host of the tracker; empty: those without one.' }),
  owner: z
    .string()
    .max(64)
    .nullable()
    .exactOptional()
    .meta({ description: "A user; empty: the node's owner." }),
  text: z.string().max(1000).exactOptional().meta({ description: 'Words, all of which are in the name.' }),
  ids: z.array(torrentId).exactOptional().meta({ description: 'Only these, separated by commas.' }),
  sort: sortField.exactOptional().meta({ description: 'By default addedAtMs. Null sorts last.' }),
  descending: z.boolean().exactOptional(),
  offset: z.int().min(0).max(1e9).exactOptional(),
  limit: z.int().min(0).max(5000).exactOptional().meta({ description: 'By default 100.' }),
  counts: z.boolean().exactOptional().meta({ description: 'How many of all torrents are in which group.' }),
  fields: z
    .array(torrentField)
    .exactOptional()
    .meta({ description: 'Only these of each torrent, and its id, separated by commas.' }),
});

const counts = z.record(z.string(), count);

export const torrentCounts = z.strictObject({
  groups: z.record(group, count),
  categories: counts.meta({ description: 'The key "" stands for none.' }),
  tags: counts,
  trackers: counts,
}) satisfies z.ZodType<TorrentCounts>;

export const torrentList = z.strictObject({
  version: z.number().meta({ description: 'For changes.' }),
  totalCount: count.meta({ description: 'That the filter lets through, on all pages.' }),
  rows: z.array(listedTorrent.partial()).meta({ description: 'With the fields that were asked for.' }),
  counts: torrentCounts.nullable().meta({ description: 'Null: not asked for.' }),
});

export const torrentDelta = z.strictObject({
  version: z.number().meta({ description: 'To be asked with next time.' }),
  full: z.boolean().meta({ description: 'True: changed is everything there is.' }),
  changed: z.array(listedTorrent),
  removed: z.array(torrentId),
}) satisfies z.ZodType<TorrentDelta>;

export const torrentSource = z
  .union([
    z.strictObject({
      torrent: z
        .base64()
        .max(96 << 20)
        .meta({ description: 'A .torrent file in Base64.' }),
    }),
    z.strictObject({
      magnet: z.string().min(1).max(100_000).meta({ description: 'A magnet link, or a hex info-hash.' }),
    }),
    z.strictObject({
      url: z
        .string()
        .max(4096)
        .regex(/^https?:\/\//i)
        .meta({ description: 'Address of a .torrent file, which the node fetches.' }),
    }),
  ])
  .meta({ description: 'What it is.' });

const patchable = {
  name: name.exactOptional().meta({ description: 'Shown instead of the name that it has.' }),
  tags: tagNames.exactOptional(),
  limitDown: limit.exactOptional(),
  limitUp: limit.exactOptional(),
  shareGoal: shareGoal.nullable().exactOptional(),
  sequential: z.boolean().exactOptional().meta({ description: 'From the beginning to the end.' }),
  superSeed: z.boolean().exactOptional(),
  edgesFirst: z.boolean().exactOptional().meta({ description: 'First and last piece of each file first.' }),
  forced: z.boolean().exactOptional().meta({ description: 'Runs whatever queue and share goal say.' }),
  finishedFolder: absolutePath.nullable().exactOptional(),
  comment: z.string().max(10_000).nullable().exactOptional(),
  category: categoryName.nullable().exactOptional(),
};

export const torrentPatch = z
  .strictObject(patchable)
  .meta({ description: 'What is left out stays; null takes it away.' }) satisfies z.ZodType<TorrentPatch>;

export const addTorrent = z.strictObject({
  ...patchable,
  source: torrentSource,
  name: name.nullable().exactOptional(),
  folder: absolutePath.exactOptional().meta({ description: "By default the category's, or the node's." }),
  paused: z.boolean().exactOptional(),
  seed: z.boolean().exactOptional().meta({ description: 'All content is believed to be there already.' }),
  select: z
    .array(z.string().min(1).max(4096))
    .max(10_000)
    .exactOptional()
    .meta({ description: 'Globs over file paths; others are not wanted.' }),
  filePriorities: z
    .array(z.int().min(0).max(7))
    .max(1e6)
    .exactOptional()
    .meta({ description: 'One for each file, 0 (not wanted) to 7; instead of select.' }),
  peers: hostPorts.exactOptional().meta({ description: 'HOST:PORT each, to dial at once.' }),
  trackers: urls.exactOptional().meta({ description: "Besides the torrent's own." }),
  preallocate: z.boolean().exactOptional(),
  toTopOfQueue: z.boolean().exactOptional(),
});

export const addedTorrent = z.strictObject({
  id: torrentId,
  known: z.boolean().meta({ description: 'It was there before.' }),
}) satisfies z.ZodType<AddedTorrent>;

export const shownTorrent = z.strictObject({
  name: z.string(),
  infoHashV1: z.string().nullable(),
  infoHashV2: z.string().nullable(),
  pieceBytes: bytesCount,
  pieceCount: count,
  totalBytes: bytesCount,
  private: z.boolean(),
  trackers: z.array(z.array(z.string())),
  webSeeds: z.array(z.string()),
  files: z.array(z.strictObject({ path: z.string(), bytes: bytesCount, pad: z.boolean() })),
  comment: z.string().nullable(),
  createdBy: z.string().nullable(),
  createdAt: z.number().nullable(),
  source: z.string().nullable(),
  similar: z
    .array(z.string())
    .meta({ description: 'BEP 38: torrents that may have files in common with it, by their info-hash.' }),
  collections: z.array(z.string()).meta({ description: 'BEP 38: collections that it belongs to.' }),
  nameChanges: z.array(z.strictObject({ was: z.string(), is: z.string(), reason: z.string() })),
  magnet: z.string(),
}) satisfies z.ZodType<ShownTorrent>;

// The engine may tell more of these than this list names: what is not named here goes through as it is.
export const fileSnapshot = z.looseObject({
  index: fileIndex,
  path: z.string(),
  bytes: bytesCount,
  doneBytes: bytesCount,
  priority: z.int().min(0).max(7),
  pad: z.boolean(),
});

const country = z
  .string()
  .nullable()
  .meta({ description: 'ISO 3166-1 alpha-2 of the country that the address was given to; null: not known.' });

export const peerSnapshot = z.looseObject({
  endpoint: z.string(),
  country,
  client: z.string().meta({ description: 'As the peer calls itself.' }),
  transport: z.enum(['tcp', 'utp']),
  encrypted: z.boolean(),
  downRate: rate,
  upRate: rate,
  progress: share,
  choking: z.boolean(),
  choked: z.boolean(),
  interesting: z.boolean(),
  interested: z.boolean(),
});

export const peerPlace = z.strictObject({ country, peerCount: count, downRate: rate, upRate: rate });

export const trackerSnapshot = z.looseObject({
  url: z.string(),
  tier: count,
  state: z.enum(['waiting', 'announcing', 'working', 'failed']),
  message: z.string().nullable(),
  peerCount: count,
  seedCount: count.nullable(),
  leechCount: count.nullable(),
  nextAnnounceMs: z.number().nullable(),
});

export const webSeedSnapshot = z.strictObject({
  url: z.string(),
  state: z.enum(['waiting', 'working', 'failed']),
  message: z.string().nullable(),
  downRate: rate,
  downloadedBytes: z.number().meta({ description: 'Since the torrent runs.' }),
}) satisfies z.ZodType<WebSeedSnapshot>;

/** `PieceView` with its bytes in Base64. */
export const pieceView = z.strictObject({
  have: z.base64().meta({ description: 'Bit field of verified pieces, first piece in the highest bit.' }),
  availability: z.base64().meta({ description: 'One byte a piece: how many connected peers have it.' }),
  active: z.array(count).meta({ description: 'Pieces that are being downloaded.' }),
});

const limitPair = z.strictObject({ down: limit, up: limit });

export const category = z.strictObject({
  name: categoryName.meta({ description: '`/` makes a category inside another one.' }),
  folder: absolutePath.nullable(),
  finishedFolder: absolutePath.nullable(),
  limits: limitPair.meta({ description: 'Of all its torrents together.' }),
  shareGoal: shareGoal.nullable(),
}) satisfies z.ZodType<Category>;

export const trackerRule = z.strictObject({
  host: z.string().min(1).max(255),
  limits: limitPair.meta({ description: 'Of all its torrents together.' }),
  shareGoal: shareGoal.nullable(),
}) satisfies z.ZodType<TrackerRule>;
