/** The repository among others: what is here is given to peers, what is not here is got from them. */
import type { Clock, Hashes, Log, OverlayPort } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { tryDigest } from './core/block-hash.ts';
import type { DenyList } from './core/deny-list.ts';
import type { IpfsRepository } from './repository.ts';
import type { BitswapRates } from './shell/bitswap-deps.ts';
import { BitswapDriver } from './shell/bitswap-driver.ts';
import type { DelegatedRouting } from './shell/delegated-routing.ts';
import { Retrieval } from './shell/retrieval.ts';
import type { TrustlessGateways } from './shell/trustless-gateways.ts';
import { tryDecodeCid } from './wire/cid.ts';
import { tryGatewayUrl } from './wire/routing-json.ts';

/** Enough for every hash that has a name. */
const digestBytes = 64;

export type IpfsExchangeDeps = {
  readonly overlay: OverlayPort;
  readonly repository: IpfsRepository;
  readonly hashes: Hashes;
  readonly clock: Clock;
  readonly log: Log;
  /** Routers that the user has named, asked besides the DHT. */
  readonly routing?: DelegatedRouting | null;
  /** Gateways that blocks are got from besides peers: the user's, and those that routers name. */
  readonly gateways?: TrustlessGateways | null;
  /** Limits on what peers are given and give, beside those of the connections. Absent: none. */
  readonly rates?: BitswapRates;
  /** What is neither given away nor fetched; null: there is no list. */
  readonly denyList?: () => DenyList | null;
};

/** See the top of the file. To be started, and closed before the repository is. */
export class IpfsExchange {
  readonly bitswap: BitswapDriver;
  readonly overlay: OverlayPort;
  readonly #deps: IpfsExchangeDeps;

  constructor(deps: IpfsExchangeDeps) {
    this.#deps = deps;
    const { overlay, clock, log, hashes, repository, rates } = deps;
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
      maySend: (bytes) => {
        const cid = tryDecodeCid(bytes);
        return cid !== null && !this.denies(cid);
      },
      ...(rates === undefined ? {} : { rates }),
      findProviders: (bytes, onProvider, signal) => this.#findProviders(bytes, onProvider, signal),
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
    const { repository, hashes, clock, gateways = null } = this.#deps;
    const mayFetch = (cid: CID): boolean => !this.denies(cid);
    const { bitswap } = this;
    return new Retrieval({ local: repository.blocks, bitswap, gateways, hashes, clock, mayFetch });
  }

  /** Whether it is neither given away nor fetched. */
  denies(cid: CID): boolean {
    return this.#deps.denyList?.()?.deniesCid(cid) === true;
  }

  /** In the DHT and at routers at once. A gateway that a router names is asked for blocks from then on. */
  async #findProviders(
    bytes: Uint8Array,
    onProvider: (peer: string, addresses: readonly string[]) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const cid = tryDecodeCid(bytes);
    if (cid === null) return;
    const { overlay, routing = null, gateways = null } = this.#deps;
    await Promise.all([
      overlay.find(cid.multihash.bytes, ({ peer, addresses }) => onProvider(peer, addresses), signal),
      routing?.findProviders(
        cid,
        ({ peer, addresses, protocols }) => {
          for (const address of addresses) {
            const url = tryGatewayUrl(address);
            if (url !== null) gateways?.add(url);
          }
          if (protocols.length === 0 || protocols.includes('transport-bitswap')) onProvider(peer, addresses);
        },
        signal,
      ),
    ]);
  }
}
