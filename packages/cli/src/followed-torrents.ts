import type { NodeApi, TorrentSource } from '@tequio/api';
import { NodeError } from '@tequio/kernel';
import { UsageError } from './errors.ts';
import type { Session } from './session.ts';

type Link = NonNullable<ReturnType<NodeApi['mutable']['tryReadLink']>>;

/** What `get` does when a link leads to another torrent now. @returns the new one's id */
export type Exchange = (oldId: string, source: TorrentSource) => Promise<string>;

/** Torrents that change (BEP 46), as long as one command runs. */
export class FollowedTorrents {
  readonly #session: Session;
  readonly #node: NodeApi;
  readonly #pollMs: number | undefined;
  readonly #ends: (() => void)[] = [];
  /** Exchanges happen one after the other. */
  #work: Promise<void> = Promise.resolve();

  /** @param pollMs between two looks; by default the node's choice */
  constructor(session: Session, node: NodeApi, pollMs?: number) {
    this.#pollMs = pollMs;
    this.#session = session;
    this.#node = node;
  }

  /**
   * Looks for the present torrent of a link, until it is found, and from then on for others.
   * @param timeoutMs null: for ever
   * @param exchange called for each later one, with the id that `started` was told, or that the last call gave
   */
  async begin(link: Link, timeoutMs: number | null, exchange: Exchange): Promise<Followed> {
    const { dht } = this.#node.bittorrent;
    const { messages, world } = this.#session;
    if (dht === null) throw new UsageError(messages.dht.needed);
    const followed: Followed = { source: null, id: null };
    return new Promise((resolve, reject) => {
      const timer =
        timeoutMs === null
          ? null
          : world.setTimer(timeoutMs, () => {
              this.close();
              reject(new NodeError('CLI_UNREACHABLE', messages.dht.nothingPublished));
            });
      this.#ends.push(
        dht.follow(
          link.publicKey,
          link.salt,
          ({ infoHash }) => {
            const source = { magnet: infoHash };
            if (followed.source === null) {
              timer?.cancel();
              followed.source = source;
              resolve(followed);
            } else this.#work = this.#work.then(() => this.#exchange(followed, source, exchange));
          },
          this.#pollMs,
        ),
      );
    });
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  async #exchange(followed: Followed, source: TorrentSource, exchange: Exchange): Promise<void> {
    if (followed.id === null || this.#ends.length === 0) return;
    try {
      followed.id = await exchange(followed.id, source);
    } catch (error) {
      this.#session.output.error(String(error instanceof Error ? error.message : error));
    }
  }
}

/** `source`: the first one that was found. `id`: of the torrent now, once it is added. */
export type Followed = { source: TorrentSource | null; id: string | null };
