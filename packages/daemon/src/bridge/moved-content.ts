/** What IPFS gives from a torrent's files goes on being given when those are moved or renamed: the store is told. */
import type { FileRef, Log } from '@tequio/kernel';
import type { NodeIpfs } from '../ipfs/node-ipfs.ts';

/** See the top of the file. */
export class MovedContent {
  readonly #log: Log;
  readonly #ipfs: Pick<NodeIpfs, 'openKnown'>;

  constructor(ipfs: Pick<NodeIpfs, 'openKnown'>, log: Log) {
    this.#ipfs = ipfs;
    this.#log = log;
  }

  /** Never rejects: the file has been moved, whatever the store says. */
  async tell(from: FileRef, to: FileRef): Promise<void> {
    try {
      const open = await this.#ipfs.openKnown();
      await open?.repository.blocks.moveFile(pathOf(from), pathOf(to));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#log.warn('ipfs.moved-file', { path: pathOf(to), message });
    }
  }
}

/** As the store has it of files that it was given. */
function pathOf({ root, path }: FileRef): string {
  return `${root === '/' ? '' : root}/${path}`;
}
