/** IPFS as it goes over HTTP. Browser-safe. */
import { z } from 'zod';
import type {
  IpfsBlockView,
  IpfsFileEntry,
  IpfsFolderPage,
  IpfsNodeState,
  IpfsPeerView,
  IpfsPinPage,
} from '../ipfs-node-api.ts';
import { bytesCount, count, timeMs } from './torrent-schemas.ts';

/** Of the node's tree. */
export const treePath = z
  .string()
  .min(1)
  .max(4096)
  .refine((path) => path.startsWith('/'), 'must begin with /')
  .meta({ description: 'Of the tree of files: `/folder/file`.' });
/** Of the tree, or anybody's. */
export const contentPath = z
  .string()
  .min(1)
  .max(4096)
  .meta({ description: 'Of the tree (`/folder/file`), or anybody’s: `/ipfs/CID/…`, `/ipns/NAME/…`, a CID.' });
export const cid = z.string().min(1).max(1000);
export const pageQuery = z.strictObject({
  offset: z.int().min(0).exactOptional(),
  limit: z.int().min(1).max(1000).exactOptional().meta({ description: 'By default 200.' }),
});

const providing = z.strictObject({
  keyCount: count,
  findableCount: count,
  neverToldCount: count,
  overdueCount: count,
  roundEndsMs: timeMs.nullable(),
});

export const nodeState = z.strictObject({
  mode: z.enum(['off', 'resting', 'alone', 'online']),
  peer: z.string().nullable(),
  addresses: z.array(z.string()),
  peerCount: count,
  blockCount: count,
  blockBytes: bytesCount,
  diskBytes: bytesCount,
  quotaBytes: bytesCount.nullable(),
  pinCount: count,
  filesBytes: bytesCount.nullable(),
  wantCount: count,
  askedCount: count,
  receivedBytes: bytesCount,
  sentBytes: bytesCount,
  gatewayUrl: z.string().nullable(),
  providing: providing.nullable(),
}) satisfies z.ZodType<IpfsNodeState>;

const pinMode = z.enum(['recursive', 'direct']);
const entryShape = {
  name: z.string(),
  cid: z.string(),
  kind: z.enum(['file', 'folder', 'link', 'unknown']),
  bytes: bytesCount.nullable(),
  dagBytes: bytesCount,
};

export const fileEntry = z.strictObject({
  ...entryShape,
  pin: pinMode.nullable(),
}) satisfies z.ZodType<IpfsFileEntry>;

export const folderPage = z.strictObject({
  path: z.string(),
  folder: fileEntry,
  totalCount: count,
  entries: z.array(fileEntry),
}) satisfies z.ZodType<IpfsFolderPage>;

export const pinPage = z.strictObject({
  totalCount: count,
  pins: z.array(
    z.strictObject({
      ...entryShape,
      mode: pinMode,
      told: z.strictObject({ atMs: timeMs, peerCount: count }).nullable(),
    }),
  ),
}) satisfies z.ZodType<IpfsPinPage>;

export const blockView = z.strictObject({
  cid: z.string(),
  codec: z.string(),
  hash: z.string(),
  digest: z.string(),
  blockBytes: bytesCount,
  kind: z.enum(['file', 'folder', 'link']).nullable(),
  contentBytes: bytesCount.nullable(),
  linkCount: count,
  links: z.array(z.strictObject({ name: z.string(), cid: z.string(), bytes: bytesCount.nullable() })),
  json: z.string().nullable(),
  head: z.string().meta({ description: 'The first bytes, in base64.' }),
  pin: pinMode.nullable(),
}) satisfies z.ZodType<IpfsBlockView>;

export const peerView = z.strictObject({
  peer: z.string(),
  address: z.string(),
  country: z.string().nullable(),
  direction: z.enum(['in', 'out']),
  transport: z.enum(['tcp', 'websocket', 'quic', 'webrtc', 'relay', 'other']),
  agent: z.string().nullable(),
  latencyMs: z.number().nullable(),
  receivedBytes: bytesCount,
  sentBytes: bytesCount,
  wantCount: count,
}) satisfies z.ZodType<IpfsPeerView>;
