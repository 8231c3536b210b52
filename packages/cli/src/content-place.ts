import type { NodeApi, ShownTorrent } from '@tequio/api';
import { NodeError } from '@tequio/kernel';
import type { Messages } from './messages/en.ts';
import { baseName, joinPath, parentFolder } from './path-text.ts';

/**
 * Where the content of a torrent lies, of a path that a user gave. People name the content itself
 * (`~/Downloads/debian.iso`) or the folder it lies in (`~/Downloads`); both are right.
 */

/** The content itself: a file, or the folder that has the torrent's files. A renamed one is taken as it is. */
export async function findContent(node: NodeApi, shown: ShownTorrent, path: string): Promise<string> {
  return (await holdsContent(node, shown, path)) ? joinPath(path, contentNameOf(shown)) : path;
}

/** The folder around the content, or null when the content is neither in `path` nor is it `path` itself. */
export async function tryFindFolder(
  node: NodeApi,
  shown: ShownTorrent,
  path: string,
): Promise<string | null> {
  if (await holdsContent(node, shown, path)) return path;
  const parent = parentFolder(path);
  return baseName(path) === contentNameOf(shown) && (await holdsContent(node, shown, parent)) ? parent : null;
}

/** A folder can be made there. @throws NodeError `FILE_WRITE` when a file is in the way */
export async function mustBeFolder(node: NodeApi, folder: string, messages: Messages): Promise<void> {
  for (let path = folder; ; path = parentFolder(path)) {
    const kind = await node.files.kind(path);
    if (kind === 'folder' || parentFolder(path) === path) return;
    if (kind !== null) throw new NodeError('FILE_WRITE', messages.errors.notFolder(path), { op: 'write' });
  }
}

/** True when the torrent's first file, or the folder of its name, is below `folder`. */
async function holdsContent(node: NodeApi, shown: ShownTorrent, folder: string): Promise<boolean> {
  if ((await node.files.kind(folder)) !== 'folder') return false;
  const first = firstFileOf(shown);
  if (first !== undefined && (await node.files.kind(joinPath(folder, first))) !== null) return true;
  // The first file may be the one that is missing. A folder of the same name inside the content is no reason.
  const kind = await node.files.kind(joinPath(folder, contentNameOf(shown)));
  return kind !== null && baseName(folder) !== contentNameOf(shown);
}

function firstFileOf(shown: ShownTorrent): string | undefined {
  return shown.files.find((file) => !file.pad)?.path;
}

/** The safe name: the first element of every path. */
function contentNameOf(shown: ShownTorrent): string {
  return firstFileOf(shown)?.split('/')[0] ?? shown.name;
}
