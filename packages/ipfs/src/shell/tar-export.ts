/** A file or folder as one tape archive, in bounded memory. */
import { decodeUtf8Lossy, emptyBytes, NodeError } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { contentBytesOf } from '../core/unixfs-node.ts';
import { encodeTarHeader, type TarEntry, tarEnd, tarPadding } from '../wire/tar.ts';
import type { BlockReader } from './blocks.ts';
import { exportFile, getUnixfsNode, listFolder } from './unixfs-export.ts';

/** Folders inside one another. */
const depthMax = 256;

/**
 * @param name of the first entry
 * @throws NodeError `IPFS_TAR_PATH` when an entry would lie outside of it, and as reading does
 */
export async function* exportTar(
  reader: BlockReader,
  root: CID,
  name: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* exportEntry(reader, root, name, name, 0, signal);
  yield tarEnd();
}

async function* exportEntry(
  reader: BlockReader,
  cid: CID,
  path: string,
  root: string,
  depth: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (depth > depthMax) throw outside(path);
  const node = await getUnixfsNode(reader, cid, signal);
  const entry: TarEntry = {
    path,
    kind: 'file',
    bytes: 0,
    mode: node.mode,
    modifiedSeconds: node.modified?.seconds ?? 0,
    target: '',
  };
  if (node.kind === 'directory' || node.kind === 'hamt-shard') {
    yield encodeTarHeader({ ...entry, kind: 'folder' });
    for await (const child of listFolder(reader, cid, signal)) {
      const childPath = insideOf(path, child.name, root);
      yield* exportEntry(reader, child.cid, childPath, root, depth + 1, signal);
    }
  } else if (node.kind === 'symlink') {
    yield encodeTarHeader({ ...entry, kind: 'symlink', target: decodeUtf8Lossy(node.data ?? emptyBytes) });
  } else {
    const bytes = contentBytesOf(node);
    yield encodeTarHeader({ ...entry, bytes });
    yield* exportFile(reader, cid, signal === undefined ? {} : { signal });
    yield tarPadding(bytes);
  }
}

/** Names of a stranger's folder may hold anything: where they lead is worked out, and must be inside the archive. */
function insideOf(folder: string, name: string, root: string): string {
  const parts = folder.split('/');
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  if (parts[0] !== root || parts.length < 2 || name.includes('\0')) throw outside(`${folder}/${name}`);
  return parts.join('/');
}

function outside(path: string): NodeError {
  return new NodeError('IPFS_TAR_PATH', `"${path.slice(0, 200)}" would lie outside of the archive.`, {
    op: 'tar',
  });
}
