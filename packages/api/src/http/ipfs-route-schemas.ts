/** What goes in and comes out of the routes of IPFS; a part of `route-schemas.ts`. */
import { z } from 'zod';
import * as ipfs from '../schemas/ipfs-schemas.ts';
import type { ipfsRoutes } from './ipfs-routes.ts';
import type { RouteSchemas } from './route.ts';

const ofContent = z.strictObject({ path: ipfs.contentPath });

export const ipfsRouteSchemas = {
  'ipfs.state': { result: ipfs.nodeState },
  'ipfs.files': {
    query: z.strictObject({ path: ipfs.treePath, ...ipfs.pageQuery.shape }),
    result: ipfs.folderPage,
  },
  'ipfs.entry': { query: ofContent, result: ipfs.fileEntry },
  'ipfs.addFile': { query: z.strictObject({ path: ipfs.treePath }), result: ipfs.fileEntry },
  'ipfs.makeFolder': { body: z.strictObject({ path: ipfs.treePath }) },
  'ipfs.moveFile': { body: z.strictObject({ from: ipfs.treePath, to: ipfs.treePath }) },
  'ipfs.removeFiles': { body: z.strictObject({ paths: z.array(ipfs.treePath).min(1).max(1000) }) },
  'ipfs.importFile': {
    body: z.strictObject({ source: ipfs.contentPath, path: ipfs.treePath }),
    result: ipfs.fileEntry,
  },
  'ipfs.content': { query: ofContent },
  'ipfs.pins': { query: ipfs.pageQuery, result: ipfs.pinPage },
  'ipfs.pin': {
    body: z.strictObject({ path: ipfs.contentPath, name: z.string().max(255).exactOptional() }),
    result: z.strictObject({ cid: z.string() }),
  },
  'ipfs.unpin': { body: z.strictObject({ cid: ipfs.cid }) },
  'ipfs.block': { query: ofContent, result: ipfs.blockView },
  'ipfs.peers': { result: z.array(ipfs.peerView) },
  'ipfs.connect': {
    body: z.strictObject({ address: z.string().min(1).max(1000) }),
    result: z.strictObject({ peer: z.string() }),
  },
  'ipfs.collect': { result: z.strictObject({ removedBlocks: z.int(), freedBytes: z.number() }) },
} as const satisfies Readonly<Record<keyof typeof ipfsRoutes, RouteSchemas>>;
