/** Routes of IPFS; a part of the table of all. */
import type { Route } from './route.ts';

export const ipfsRoutes = {
  'ipfs.state': {
    method: 'GET',
    path: '/ipfs',
    scope: 'read',
    summary: "how the node's part in IPFS is doing",
  },
  'ipfs.files': { method: 'GET', path: '/ipfs/files', scope: 'read', summary: 'a part of a folder' },
  'ipfs.entry': {
    method: 'GET',
    path: '/ipfs/entry',
    scope: 'read',
    summary: 'one file or folder, got from others if need be',
  },
  'ipfs.addFile': {
    method: 'PUT',
    path: '/ipfs/files',
    scope: 'write',
    summary: 'put a file into the tree: the body is its content, as application/octet-stream',
  },
  'ipfs.makeFolder': { method: 'POST', path: '/ipfs/folders', scope: 'write', summary: 'make a folder' },
  'ipfs.moveFile': { method: 'POST', path: '/ipfs/files/move', scope: 'write', summary: 'move or rename' },
  'ipfs.removeFiles': {
    method: 'POST',
    path: '/ipfs/files/remove',
    scope: 'write',
    summary: 'take files and folders out of the tree',
  },
  'ipfs.importFile': {
    method: 'POST',
    path: '/ipfs/files/import',
    scope: 'write',
    summary: "link somebody's content into the tree",
  },
  'ipfs.content': {
    method: 'GET',
    path: '/ipfs/content',
    scope: 'read',
    summary: 'leads to the content of a file, or to a folder as a tape archive',
  },
  'ipfs.pins': { method: 'GET', path: '/ipfs/pins', scope: 'read', summary: 'what is kept for good' },
  'ipfs.pin': {
    method: 'POST',
    path: '/ipfs/pins',
    scope: 'write',
    summary: 'keep it, and get what is not here',
  },
  'ipfs.unpin': { method: 'POST', path: '/ipfs/pins/remove', scope: 'write', summary: 'keep it no longer' },
  'ipfs.block': {
    method: 'GET',
    path: '/ipfs/block',
    scope: 'read',
    summary: 'a block, and what it links to',
  },
  'ipfs.peers': { method: 'GET', path: '/ipfs/peers', scope: 'read', summary: 'connected peers' },
  'ipfs.connect': { method: 'POST', path: '/ipfs/peers', scope: 'write', summary: 'connect to a peer' },
  'ipfs.collect': {
    method: 'POST',
    path: '/ipfs/collect',
    scope: 'write',
    summary: 'let go of blocks that nothing keeps',
  },
} as const satisfies Readonly<Record<string, Route>>;
