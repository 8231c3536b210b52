/** One process works in a repository at a time: a node, or a command beside it. */
import { join } from 'node:path';
import { NodeError } from '@tequio/kernel';
import { type FolderLock, tryLockFolder } from '@tequio/runtime';

/** Makes the folder when it is missing. @throws NodeError `IPFS_IN_USE`, `DATA_FOLDER` */
export function lockRepository(folder: string): FolderLock {
  const lock = tryLockFolder(join(folder, 'lock'), 'alone');
  if (lock !== null) return lock;
  throw new NodeError('IPFS_IN_USE', `Another Tequio works in ${folder}: wait for its end, or stop it.`, {
    op: 'open',
    retry: true,
    data: { folder },
  });
}
