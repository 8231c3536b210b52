/** Sections of the settings: where content lies, how it is shared, and what happens by itself. */
import { z } from 'zod';
import { absolutePath, optional } from './setting-parts.ts';

export const foldersSection = z.strictObject({
  download: optional(absolutePath, {
    description:
      "Where content goes that is added without a folder; by default `Downloads` in the user's folder.",
  }),
  incomplete: optional(absolutePath, {
    description: 'Where content lies until it is complete; by default where it will stay.',
  }),
  finished: optional(absolutePath, {
    description: 'Where content moves to when it is complete; by default it stays.',
  }),
  torrentFiles: optional(absolutePath, {
    description: 'Where a copy of every .torrent file is kept; by default none is.',
  }),
});

const most = (description: string, usual: number | null) =>
  z
    .int()
    .min(0)
    .max(1_000_000)
    .nullable()
    .transform((count) => (count === 0 ? null : count))
    .meta({ description })
    .prefault(usual);

export const queueSection = z.strictObject({
  activeDownloads: most('How many download at once; 0: all.', 5),
  activeSeeds: most('How many are shared at once; 0: all.', null),
  activeTotal: most('How many are active at once; 0: all.', null),
  slowRate: z
    .int()
    .min(0)
    .max(1e9)
    .meta({
      description: 'One that is slower than this for a minute does not count; 0: all count.',
      unit: 'B/s',
    })
    .default(2048),
});

export const shareGoal = z.strictObject({
  ratio: optional(z.number().min(0).max(1e6), {
    description: 'Uploaded bytes over the bytes of the content.',
  }),
  seedingMinutes: optional(z.int().min(0).max(1e8), {
    description: 'Time that it was shared.',
    unit: 'minutes',
  }),
  idleMinutes: optional(z.int().min(1).max(1e8), {
    description: 'Time in which nobody has taken a byte.',
    unit: 'minutes',
  }),
  action: z
    .enum(['pause', 'remove', 'remove-with-content', 'super-seed'])
    .meta({ description: 'What happens when the first of these is reached.' })
    .default('pause'),
});

export const watchFolder = z.strictObject({
  path: absolutePath.meta({ description: 'Folder in which .torrent files and `.magnet` texts appear.' }),
  folder: optional(absolutePath, { description: 'Where the content goes; by default as the category says.' }),
  category: optional(z.string().max(100), { description: 'Category of what is added.' }),
  tags: z
    .array(z.string().min(1).max(100))
    .max(50)
    .meta({ description: 'Tags of what is added.' })
    .default([]),
  paused: z.boolean().meta({ description: 'Added, but not started.' }).default(false),
  action: z
    .enum(['rename', 'delete', 'keep'])
    .meta({ description: 'What happens to the file: it gets `.added` at its end, goes, or stays.' })
    .default('rename'),
});

export const rssSection = z.strictObject({
  enabled: z.boolean().meta({ description: 'Feeds are read.' }).default(true),
  refreshMinutes: z
    .int()
    .min(1)
    .max(100_000)
    .meta({ description: 'How often a feed is read.', unit: 'minutes' })
    .default(30),
  itemCountMax: z.int().min(10).max(10_000).meta({ description: 'Items kept of a feed.' }).default(200),
  addByRules: z.boolean().meta({ description: 'Rules add what fits them.' }).default(true),
});

export const completionSection = z.strictObject({
  eachFile: z
    .boolean()
    .meta({ description: 'A file that is complete moves to its place, and does not wait for the others.' })
    .default(false),
  program: z
    .array(z.string().max(4096))
    .max(100)
    .meta({
      description:
        'Program that is run when a torrent is complete, an argument each, never through a shell. {name}, {folder}, ' +
        '{path}, {category}, {tags}, {id}, {bytes}, {tracker} stand for the torrent’s. Empty: none.',
    })
    .default([]),
  timeoutSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .meta({ description: 'It is ended after this time.', unit: 'seconds' })
    .default(3600),
});
