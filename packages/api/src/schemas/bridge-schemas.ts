/** Content in two networks at once. */
import { z } from 'zod';
import type { Bridged, IpfsToTorrent, ShareOnBoth } from '../bridge-api.ts';
import { absolutePath, torrentId } from './torrent-schemas.ts';

const version = z.enum(['v1', 'v2', 'hybrid']).exactOptional().meta({ description: 'By default hybrid.' });
const trackers = z.array(z.string().min(1).max(4096)).max(100).exactOptional();

export const bridged = z.strictObject({
  torrent: torrentId,
  known: z.boolean().meta({ description: 'The torrent was there before.' }),
  name: z.string(),
  magnet: z.string(),
  cid: z.string().meta({ description: 'Of the file, or of the folder.' }),
  wrapped: z.string().meta({ description: 'Of a folder in which that has its name.' }),
  files: z.array(z.strictObject({ path: z.string(), cid: z.string() })),
  copiedBytes: z.number().meta({ description: 'What lies twice on the disk; mostly 0.' }),
}) satisfies z.ZodType<Bridged>;

export const ipfsToTorrent = z.strictObject({
  path: z.string().min(1).max(4096).meta({ description: 'A CID, or /ipfs/CID/name/….' }),
  folder: absolutePath.exactOptional(),
  name: z.string().min(1).max(255).exactOptional(),
  version,
  trackers,
}) satisfies z.ZodType<IpfsToTorrent>;

export const shareOnBoth = z.strictObject({
  path: absolutePath,
  version,
  trackers,
}) satisfies z.ZodType<ShareOnBoth>;
