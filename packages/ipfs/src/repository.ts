/**
 * What this node keeps of IPFS, in one folder: blocks, pins, and who else has roots there (MFS). One process has the
 * folder at a time; whoever opens it holds the data folder's lock.
 */
import type { Clock, Database, DatabasePort, DiskPort, FilesPort, Hashes, Log } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { BlockCollector, type CollectionOptions, type CollectionReport } from './shell/block-collection.ts';
import { BlockStore, type BlockStoreOptions } from './shell/block-store.ts';
import { type Pin, type PinOptions, Pins } from './shell/pins.ts';

export type RepositoryOptions = BlockStoreOptions;

export type RepositoryPorts = {
  readonly disk: DiskPort;
  readonly files: Pick<FilesPort, 'walk'>;
  readonly database: DatabasePort;
  readonly hashes: Hashes;
  readonly clock: Clock;
  readonly log: Log;
};

/** See the top of the file. */
export class IpfsRepository {
  readonly blocks: BlockStore;
  readonly pins: Pins;
  /** The index, in which others of this package may have tables of their own. */
  readonly database: Database;
  readonly #collector: BlockCollector;
  readonly #roots: (() => Iterable<CID>)[] = [];
  readonly #watchers = new Set<() => void>();

  private constructor(blocks: BlockStore, database: Database) {
    this.blocks = blocks;
    this.database = database;
    const pins = new Pins(blocks);
    this.pins = pins;
    this.#collector = new BlockCollector(blocks, () => ({ ...pins.roots(), partial: this.treeRoots() }));
  }

  /** Opens or makes it. @throws NodeError `IPFS_STORE_NEWER`, `DATABASE_OPEN`, DISK_* */
  static async open(options: RepositoryOptions, ports: RepositoryPorts): Promise<IpfsRepository> {
    const database = ports.database.open(`${options.folder}/blocks.sqlite`);
    const { disk, files, hashes, clock, log } = ports;
    try {
      const blocks = await BlockStore.open(options, { disk, files, hashes, clock, log, database });
      return new IpfsRepository(blocks, database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** From now on collections leave what `rootsOf` names when they begin, as far as it is here. */
  addRoots(rootsOf: () => Iterable<CID>): void {
    this.#roots.push(rootsOf);
  }

  /** What `addRoots` was told of, now. */
  treeRoots(): CID[] {
    return this.#roots.flatMap((rootsOf) => [...rootsOf()]);
  }

  /** Calls back, from inside the change, when something is pinned or not any more, or a tree has another root. */
  watchRoots(onChange: () => void): () => void {
    const watcher = (): void => onChange();
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  markRootsChanged(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /**
   * Runs `work` so that collections leave every block that it puts, also those that were here before, and all that
   * hangs on what it gives to `keep`, until it is done: by then a pin or a root has to name them.
   */
  async holding<Value>(work: (keep: (root: CID) => Promise<void>) => Promise<Value>): Promise<Value> {
    const hold = this.blocks.hold();
    try {
      return await work(async (root) => {
        await this.#collector.notSweeping();
        this.blocks.holds.addRoot(hold, root);
      });
    } finally {
      this.blocks.holds.release(hold);
    }
  }

  /** See {@link Pins.add}. */
  async pin(cid: CID, options?: PinOptions): Promise<void> {
    await this.pins.add(cid, this.#collector, options);
    this.markRootsChanged();
  }

  /** See {@link Pins.update}. */
  async updatePin(from: CID, to: CID, options?: Parameters<Pins['update']>[3]): Promise<void> {
    await this.pins.update(from, to, this.#collector, options);
    this.markRootsChanged();
  }

  /** See {@link Pins.remove}. */
  unpin(cid: CID, mode?: Pin['mode']): void {
    this.pins.remove(cid, mode);
    this.markRootsChanged();
  }

  /** See {@link BlockCollector.collect}. */
  collect(options?: CollectionOptions): Promise<CollectionReport> {
    return this.#collector.collect(options);
  }

  async close(): Promise<void> {
    await this.blocks.close();
    this.database.close();
  }
}
