/** Torrents that are made of files of the node's machine, and held against them. */

import type { VerifyReport } from '@tequio/bittorrent/contract';
import { z } from 'zod';
import type { CreateTorrent } from '../torrents-api.ts';
import { absolutePath } from './torrent-schemas.ts';

const url = z.string().min(1).max(4096);
const text = z.string().max(10_000).nullable().exactOptional();

export const createTorrent = z.strictObject({
  path: absolutePath,
  files: z
    .array(z.string().min(1).max(4096))
    .min(1)
    .max(100_000)
    .exactOptional()
    .meta({ description: 'Only these of the folder, by path below it; by default all.' }),
  version: z.enum(['v1', 'v2', 'hybrid']),
  pieceBytes: z
    .int()
    .min(16_384)
    .max(2 ** 29)
    .nullable()
    .exactOptional()
    .meta({ description: 'A power of two; by default chosen from the size.' }),
  trackers: z.array(z.array(url).max(100)).max(100).exactOptional().meta({ description: 'An array a tier.' }),
  webSeeds: z.array(url).max(100).exactOptional(),
  private: z.boolean().exactOptional(),
  source: text,
  similar: z
    .array(z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i, 'must be 40 or 64 hex digits'))
    .max(1000)
    .exactOptional()
    .meta({ description: 'BEP 38: info-hashes of torrents with files in common.' }),
  collections: z
    .array(z.string().min(1).max(1000))
    .max(1000)
    .exactOptional()
    .meta({ description: 'BEP 38: collections that it belongs to.' }),
  comment: text,
  createdBy: text,
  createdAt: z.int().min(0).nullable().exactOptional().meta({ description: 'Seconds since 1970.' }),
}) satisfies z.ZodType<CreateTorrent>;

export const createdTorrent = z.strictObject({
  torrent: z.base64().meta({ description: 'The .torrent file, in Base64.' }),
});

export const verifyTorrent = z.strictObject({
  torrent: z
    .base64()
    .min(1)
    .max(96 << 20)
    .meta({ description: 'A .torrent file in Base64.' }),
  path: absolutePath.meta({ description: 'The file, or the folder that its files lie in.' }),
});

export const verifyReport = z.strictObject({
  ok: z.boolean(),
  pieceCount: z.number(),
  goodPieceCount: z.number(),
  files: z.array(
    z.strictObject({
      path: z.string(),
      bytes: z.number(),
      state: z
        .enum(['good', 'missing', 'short', 'long', 'wrong', 'not-a-file', 'unreadable'])
        .meta({ description: '`long`: right content, with more after it.' }),
      badPieces: z.array(z.number()).meta({ description: 'Pieces of this file that are not good.' }),
      goodBytes: z.number(),
    }),
  ),
}) satisfies z.ZodType<VerifyReport>;
