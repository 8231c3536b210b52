/** Where a tree's root is kept: a row in the repository's database, and a root for its collections. */
import { CID } from 'multiformats/cid';
import { profiles } from './core/profile.ts';
import type { IpfsRepository } from './repository.ts';
import { Mfs, type MfsDeps, type MfsRoot } from './shell/mfs.ts';

/** One tree of a repository, by its name. */
export class StoredRoot implements MfsRoot {
  readonly #repository: IpfsRepository;
  readonly #name: string;

  /** @param name of the tree: `files` */
  constructor(repository: IpfsRepository, name: string) {
    this.#repository = repository;
    this.#name = name;
    repository.database.exec(
      'CREATE TABLE IF NOT EXISTS tree_roots (name TEXT PRIMARY KEY, cid BLOB NOT NULL) STRICT',
    );
    repository.addRoots(() => {
      const root = this.get();
      return root === null ? [] : [root];
    });
  }

  get(): CID | null {
    const row = this.#repository.database.get('SELECT cid FROM tree_roots WHERE name = ?', this.#name);
    return row === null ? null : CID.decode(row['cid'] as Uint8Array);
  }

  async set(root: CID): Promise<void> {
    await this.#repository.holding(async (keep) => {
      await keep(root);
      await this.#repository.blocks.sync();
      this.#repository.database.run(
        'INSERT INTO tree_roots (name, cid) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET cid = excluded.cid',
        this.#name,
        root.bytes,
      );
    });
    this.#repository.markRootsChanged();
  }
}

/** The repository's own tree of files, cut as kubo cuts it. */
export function openFiles(
  repository: IpfsRepository,
  deps: Pick<MfsDeps, 'hashes' | 'clock' | 'leafHasher'>,
): Mfs {
  const root = new StoredRoot(repository, 'files');
  return new Mfs({ ...deps, blocks: repository.blocks, root }, profiles['unixfs-v0-2015']);
}
