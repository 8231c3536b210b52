/** One node a data folder: the second is told who is there, and touches nothing. */
import { join } from 'node:path';
import { encodeUtf8, type FilesPort, type Log, NodeError, tryDecodeUtf8 } from '@tequio/kernel';
import { type FolderLock, makePrivate, removeFile, tryLockFolder } from '@tequio/runtime';

/** What a node that runs tells others in `running.json` of the data folder, until it ends. */
export type RunningNode = {
  readonly pid: number;
  readonly startedAtMs: number;
  /** Of its API, without a token; null: it has none. */
  readonly url: string | null;
};

/** The folder is its owner's alone from here on. @throws NodeError `DATA_IN_USE`, `DATA_FOLDER` */
export async function lockDataFolder(
  dataFolder: string,
  mode: 'alone' | 'shared',
  files: FilesPort,
  log: Log,
): Promise<FolderLock> {
  const lock = tryLockFolder(join(dataFolder, 'lock'), mode);
  if (lock !== null) {
    closeToOthers(dataFolder, log);
    return lock;
  }
  const running = await readRunningNode(dataFolder, files);
  const who = running === null ? 'Another Tequio' : `A node (process ${running.pid})`;
  const way =
    running?.url == null ? 'Stop it, or choose another folder by --data.' : `It answers at ${running.url}.`;
  throw new NodeError('DATA_IN_USE', `${who} is running with the data folder ${dataFolder}. ${way}`, {
    op: 'lock',
    data: { dataFolder },
  });
}

function closeToOthers(dataFolder: string, log: Log): void {
  const outcome = makePrivate(dataFolder);
  if (outcome === 'was') return;
  const message =
    outcome === 'made'
      ? 'Other users of this machine could look into the data folder. From now on only its owner can (mode 0700).'
      : 'Other users of this machine can look into the data folder, and it is not ours to change: chmod 700.';
  log[outcome === 'made' ? 'info' : 'warn']('data-folder.mode', { dataFolder, message });
}

/** Null: there is none, or it does not say. What it says may be of one that was killed. */
export async function readRunningNode(dataFolder: string, files: FilesPort): Promise<RunningNode | null> {
  try {
    const text = tryDecodeUtf8(await files.readFile(runningPath(dataFolder), 10_000));
    const { pid, startedAtMs, url } = JSON.parse(text ?? '') as Partial<RunningNode>;
    if (typeof pid !== 'number' || typeof startedAtMs !== 'number') return null;
    return { pid, startedAtMs, url: typeof url === 'string' ? url : null };
  } catch {
    return null;
  }
}

export async function writeRunningNode(
  dataFolder: string,
  node: RunningNode,
  files: FilesPort,
): Promise<void> {
  await files.writeFile(runningPath(dataFolder), encodeUtf8(`${JSON.stringify(node)}\n`), { secret: true });
}

export async function removeRunningNode(dataFolder: string): Promise<void> {
  await removeFile(runningPath(dataFolder));
}

function runningPath(dataFolder: string): string {
  return join(dataFolder, 'running.json');
}
