/** The lists of content that the user has named (`ipfs.denyLists`), one below the other. */
import type { DenyList } from '@tequio/ipfs';
import { decodeUtf8Lossy, type FilesPort, type Hashes, type Log, NodeError } from '@tequio/kernel';

/** Public lists have some ten megabytes. */
const listBytesMax = 256 * 1024 * 1024;

export type DenyListDeps = {
  readonly files: Pick<FilesPort, 'readFile'>;
  readonly hashes: Hashes;
  readonly log: Log;
};

/** Null: none is named. @throws NodeError `IPFS_DENY_LIST`: a list that cannot be read is not passed over */
export async function readDenyLists(
  paths: readonly string[],
  { files, hashes, log }: DenyListDeps,
): Promise<DenyList | null> {
  if (paths.length === 0) return null;
  const { DenyList } = await import('@tequio/ipfs');
  const list = new DenyList(hashes);
  for (const path of paths) {
    const bytes = await files.readFile(path, listBytesMax).catch((cause: unknown) => {
      throw new NodeError(
        'IPFS_DENY_LIST',
        `The list of content ${path} cannot be read. Put it there, or take it out of the setting ipfs.denyLists.`,
        { op: 'open', cause, data: { path } },
      );
    });
    list.add(decodeUtf8Lossy(bytes));
  }
  log.info('ipfs.deny-lists', { rules: list.ruleCount, problems: list.problems.length });
  return list;
}
