/** The repository among others: what is here is given to peers, what is not here is got from them. */
import type { Clock, Hashes, Log, OverlayPort } from '@tequio/kernel';
import { tryDigest } from './core/block-hash.ts';
import type { IpfsRepository } from './repository.ts';
import { BitswapDriver } from './shell/bitswap-driver.ts';
import { Retrieval } from './shell/retrieval.ts';
import { tryDecodeCid } from './wire/cid.ts';

/** Enough for every hash that has a name. */
const digestBytes = 64;

export type IpfsExchangeDeps = {
  readonly overlay: OverlayPort;
  readonly repository: IpfsRepository;
  readonly hashes: Hashes;
  readonly clock: Clock;
  readonly log: Log;
};

/** See the top of the file. To be started, and closed before the repository is. */
export class IpfsExchange {
  readonly bitswap: BitswapDriver;
  readonly overlay: OverlayPort;
  readonly #deps: IpfsExchangeDeps;

  constructor(deps: IpfsExchangeDeps) {
    this.#deps = deps;
    const { overlay, clock, log, hashes, repository } = deps;
    const { blocks } = repository;
    this.overlay = overlay;
    this.bitswap = new BitswapDriver({
      overlay,
      clock,
      log,
      namer: (code, bytes) => tryDigest(hashes, code, bytes, digestBytes),
      store: {
        sizes: (cids) =>
          Promise.all(
            cids.map(async (bytes) => {
              const cid = tryDecodeCid(bytes);
              return cid === null ? null : blocks.bytesOf(cid);
            }),
          ),
        read: async (bytes) => {
          const cid = tryDecodeCid(bytes);
          return cid === null ? null : blocks.get(cid);
        },
      },
      findProviders: (bytes, onProvider, signal) => {
        const cid = tryDecodeCid(bytes);
        if (cid === null) return Promise.resolve();
        return overlay.find(
          cid.multihash.bytes,
          ({ peer, addresses }) => onProvider(peer, addresses),
          signal,
        );
      },
    });
  }

  start(): void {
    this.bitswap.start();
  }

  /** Whoever waits gets what is here, and else nothing. */
  close(): void {
    this.bitswap.close();
  }

  /** For one thing that is read; to be closed when it has been. */
  retrieve(): Retrieval {
    const { repository, hashes, clock } = this.#deps;
    return new Retrieval({ local: repository.blocks, bitswap: this.bitswap, gateways: null, hashes, clock });
  }
}
