/**
 * The node's part in IPFS. Nothing of it is loaded before somebody asks; from then on the repository stays open until
 * the node ends.
 */
import { join } from 'node:path';
import type { Settings } from '@tequio/api';
import type { ImportDeps, IpfsRepository } from '@tequio/ipfs';
import { type Log, NodeError, type Ports } from '@tequio/kernel';
import type { FolderLock } from '@tequio/runtime';
import { lockRepository } from './repository-lock.ts';

export type NodeIpfsDeps = {
  readonly ports: Pick<Ports, 'disk' | 'files' | 'database' | 'hashes' | 'clock'>;
  readonly log: Log;
  readonly dataFolder: string;
  readonly bootId: string | null;
  readonly settings: () => Settings['ipfs'];
};

export type OpenIpfs = {
  readonly repository: IpfsRepository;
  readonly leafHasher: NonNullable<ImportDeps['leafHasher']>;
  readonly lock: FolderLock;
};

export class NodeIpfs {
  readonly #deps: NodeIpfsDeps;
  #open: Promise<OpenIpfs> | null = null;
  #isClosed = false;

  constructor(deps: NodeIpfsDeps) {
    this.#deps = deps;
  }

  /** @throws NodeError `IPFS_IN_USE`, `IPFS_OFF`, `IPFS_CLOSED`, `IPFS_STORE_NEWER`, `DATABASE_OPEN`, DISK_* */
  open(): Promise<OpenIpfs> {
    if (this.#isClosed) throw new NodeError('IPFS_CLOSED', 'The node is about to end.', { op: 'open' });
    if (!this.#deps.settings().enabled)
      throw new NodeError('IPFS_OFF', 'This node takes no part in IPFS: the setting ipfs.enabled says so.', {
        op: 'open',
      });
    this.#open ??= this.#openRepository().catch((error: unknown) => {
      // Whoever asks next tries again: a disk may have room by then.
      this.#open = null;
      throw error;
    });
    return this.#open;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const open = await this.#open?.catch(() => null);
    await open?.repository.close();
    open?.lock.release();
  }

  async #openRepository(): Promise<OpenIpfs> {
    const { IpfsRepository, diskLeafHasher } = await import('@tequio/ipfs');
    const { ports, log, dataFolder, bootId, settings } = this.#deps;
    const { disk, files, database, hashes, clock } = ports;
    const folder = join(dataFolder, 'ipfs');
    const lock = lockRepository(folder);
    try {
      const repository = await IpfsRepository.open(
        { folder, quotaBytes: settings().quota, bootId },
        { disk, files, database, hashes, clock, log },
      );
      return { repository, leafHasher: diskLeafHasher(disk), lock };
    } catch (error) {
      lock.release();
      throw error;
    }
  }
}
