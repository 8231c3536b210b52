/**
 * Who uses a data folder. The lock is SQLite's on a file of its own, which the system gives back when a process ends in
 * whatever way, so that none is ever left behind.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { NodeError } from '@tequio/kernel';
import { makePrivateFile } from './database.ts';

export interface FolderLock {
  release(): void;
}

/** SQLITE_BUSY */
const busy = 5;

/**
 * Makes the folder, for the user only, when it is missing.
 *
 * @param mode `alone`: nobody else may be there; `shared`: only others who share it
 * @returns null: somebody is there
 * @throws NodeError `DATA_FOLDER` when the folder cannot be written
 */
export function tryLockFolder(path: string, mode: 'alone' | 'shared'): FolderLock | null {
  let file: DatabaseSync | null = null;
  try {
    // For its owner alone: keys, passwords and what somebody has downloaded lie here.
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    makePrivateFile(path);
    file = new DatabaseSync(path, { timeout: 0 });
    // Without a write-ahead log the locks are on the file itself, and last as long as the transaction.
    if (mode === 'alone') file.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    else {
      file.exec('BEGIN');
      file.prepare('SELECT count(*) FROM sqlite_master').get();
    }
    const locked = file;
    return { release: () => locked.close() };
  } catch (error) {
    file?.close();
    if ((error as { errcode?: number }).errcode === busy) return null;
    const reason = error instanceof Error ? error.message : String(error);
    throw new NodeError('DATA_FOLDER', `The data folder cannot be used: ${path}: ${reason}.`, {
      op: 'lock',
      data: { path },
      cause: error,
    });
  }
}
