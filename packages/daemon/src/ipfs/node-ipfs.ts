/**
 * The node's part in IPFS. Nothing of it is loaded before somebody asks, unless the node takes part in libp2p anyway;
 * from then on the repository stays open until the node ends. With libp2p it gives and gets blocks, without it keeps
 * to what is here.
 */
import { join } from 'node:path';
import type { Settings } from '@tequio/api';
import type {
  BlockReader,
  ContentProviding,
  DelegatedRouting,
  DenyList,
  ImportDeps,
  IpfsExchange,
  IpfsPorts,
  IpfsRepository,
  IpfsService,
  IpnsNames,
  Mfs,
  NameResolver,
  TrustlessGateways,
} from '@tequio/ipfs';
import {
  type HttpClient,
  isLocalAddress,
  type Log,
  NodeError,
  type OverlayPort,
  type Ports,
} from '@tequio/kernel';
import { RateLimiter } from '@tequio/network';
import { verifyForeignSignature } from '@tequio/runtime';
import { pause } from '../supervise/supervisor.ts';
import { readDenyLists } from './deny-lists.ts';
import { KeyRing } from './key-ring.ts';
import { lockRepository } from './repository-lock.ts';

export type NodeIpfsDeps = {
  readonly ports: IpfsPorts & Pick<Ports, 'files' | 'signatures'>;
  readonly log: Log;
  readonly dataFolder: string;
  readonly bootId: string | null;
  readonly settings: () => Settings['ipfs'];
  /** As everything outside: through the proxy, where there is one. */
  readonly http: HttpClient;
  /** TXT records in DNS. Null: DNS is not asked, for that would go around the proxy. */
  readonly lookUpText: ((name: string) => Promise<readonly string[]>) | null;
  /** Null: this node takes no part in libp2p. */
  readonly openOverlay: (() => Promise<OverlayPort>) | null;
};

/** What needs nobody else. */
export type LocalIpfs = {
  readonly repository: IpfsRepository;
  /** What a command line does with it. */
  readonly service: IpfsService;
  readonly mfs: Mfs;
  readonly leafHasher: NonNullable<ImportDeps['leafHasher']>;
  /** What is neither shown, given away nor fetched; null: there is no list. */
  readonly denyList: DenyList | null;
};

export type OpenIpfs = LocalIpfs & {
  readonly names: NameResolver;
  /** Names of keys: published from here, and looked up. */
  readonly ipns: IpnsNames;
  /** What they are published with. */
  readonly keys: KeyRing;
  readonly exchange: IpfsExchange | null;
  /** What others are told of what is here; null: this node is not among others. */
  readonly providing: ContentProviding | null;
};

/** What one thing is read with; to be closed. */
export type IpfsReading = { readonly reader: BlockReader; close(): void };

/** At the start others are met when this node itself answers; whoever needs them sooner does not wait for it. */
const startPauseMs = 100;

export class NodeIpfs {
  readonly #deps: NodeIpfsDeps;
  #local: Promise<LocalIpfs> | null = null;
  #open: Promise<OpenIpfs> | null = null;
  #current: OpenIpfs | null = null;
  /** Of what is open, in the order of opening: what needs nobody else, and what stands on it. */
  readonly #localClosers: (() => void | Promise<void>)[] = [];
  readonly #closers: (() => void | Promise<void>)[] = [];
  /**
   * A gate of its own before the streams, and no branch of the node's tree: what passes it is counted there once, by
   * the connections that carry it.
   */
  readonly #rates = { down: new RateLimiter('ipfs down'), up: new RateLimiter('ipfs up') };
  #isClosed = false;

  constructor(deps: NodeIpfsDeps) {
    this.#deps = deps;
    this.applyLimits();
  }

  /** What is open; null: nobody has asked for it yet, or it is off. */
  get current(): OpenIpfs | null {
    return this.#current;
  }

  /** @throws NodeError `IPFS_IN_USE`, `IPFS_OFF`, `IPFS_CLOSED`, `IPFS_STORE_NEWER`, `DATABASE_OPEN`, DISK_*, OVERLAY_* */
  open(): Promise<OpenIpfs> {
    this.#assertOpen();
    this.#open ??= this.#openCurrent().catch((error: unknown) => {
      // Whoever asks next tries again: a disk may have room by then.
      this.#open = null;
      throw error;
    });
    return this.#open;
  }

  /** Without libp2p, which takes longer to load than all else. @throws as {@link open}, without OVERLAY_* */
  openLocal(): Promise<LocalIpfs> {
    this.#assertOpen();
    this.#local ??= this.#openLocalParts().catch(async (error: unknown) => {
      this.#local = null;
      await closeAll(this.#localClosers);
      throw error;
    });
    return this.#local;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new NodeError('IPFS_CLOSED', 'The node is about to end.', { op: 'open' });
    if (!this.#deps.settings().enabled)
      throw new NodeError('IPFS_OFF', 'This node takes no part in IPFS: the setting ipfs.enabled says so.', {
        op: 'open',
      });
  }

  /** The limits that the settings name hold from now on. */
  applyLimits(): void {
    const { limitDown, limitUp } = this.#deps.settings();
    this.#rates.down.setLimit(limitDown);
    this.#rates.up.setLimit(limitUp);
  }

  /** Null: it is off or ends, or nothing was ever kept here. @throws NodeError as {@link open} */
  async openKnown(): Promise<OpenIpfs | null> {
    const { ports, dataFolder, settings } = this.#deps;
    if (this.#current !== null) return this.#current;
    const isKept = (await ports.files.kind(join(dataFolder, 'ipfs', 'blocks.sqlite'))) === 'file';
    return isKept && settings().enabled && !this.#isClosed ? this.open() : null;
  }

  /** Of what is here, and where the node takes part in libp2p of what others have. */
  read({ repository, exchange }: OpenIpfs): IpfsReading {
    if (exchange === null) return { reader: repository.blocks, close: () => undefined };
    const retrieval = exchange.retrieve();
    return { reader: retrieval, close: () => retrieval.close() };
  }

  /** A part for the supervisor: others may ask from the start on. */
  async run(signal: AbortSignal): Promise<void> {
    const takesPart = this.#deps.openOverlay !== null && this.#deps.settings().enabled;
    if (takesPart && (await pause(startPauseMs, this.#deps.ports.clock, signal))) await this.open();
    if (!signal.aborted)
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    await this.close();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#open?.catch(() => null);
    await this.#local?.catch(() => null);
    this.#open = null;
    this.#local = null;
    this.#current = null;
    await closeAll(this.#closers);
    await closeAll(this.#localClosers);
  }

  async #openCurrent(): Promise<OpenIpfs> {
    const open = await this.#openAll();
    this.#current = open;
    return open;
  }

  async #openLocalParts(): Promise<LocalIpfs> {
    const { IpfsRepository, IpfsService, diskLeafHasher, openFiles } = await import('@tequio/ipfs');
    const { ports, log, dataFolder, bootId, settings } = this.#deps;
    const { disk, files, database, hashes, clock } = ports;
    const folder = join(dataFolder, 'ipfs');
    const lock = lockRepository(folder);
    this.#localClosers.push(() => lock.release());
    const repository = await IpfsRepository.open(
      { folder, quotaBytes: settings().quota, bootId },
      { disk, files, database, hashes, clock, log },
    );
    this.#localClosers.push(() => repository.close());
    const service = IpfsService.of(repository, folder, ports);
    const leafHasher = diskLeafHasher(disk);
    const mfs = openFiles(repository, { hashes, clock, leafHasher });
    const denyList = await readDenyLists(settings().denyLists, { files, hashes, log });
    return { repository, service, mfs, leafHasher, denyList };
  }

  async #openAll(): Promise<OpenIpfs> {
    const { IpfsExchange, NameResolver } = await import('@tequio/ipfs');
    const { ports, log, dataFolder, openOverlay } = this.#deps;
    const { files, hashes, clock } = ports;
    const folder = join(dataFolder, 'ipfs');
    const local = await this.openLocal();
    const { repository, denyList } = local;
    const overlay = openOverlay === null ? null : await openOverlay();
    try {
      const sources = await this.#openSources();
      const exchange =
        overlay === null
          ? null
          : new IpfsExchange({
              overlay,
              repository,
              hashes,
              clock,
              log,
              ...sources,
              rates: this.#rates,
              denyList: () => denyList,
            });
      this.#closers.push(() => exchange?.close());
      exchange?.start();
      const ipns = await this.#openNames(overlay, repository, sources.routing);
      const keys = new KeyRing(folder, join(dataFolder, 'identity.key'), { files, hashes });
      ipns.addKeys((name) => keys.find(name));
      const names = new NameResolver(ipns);
      const providing = await this.#openProviding(overlay, repository, denyList);
      return { ...local, exchange, names, ipns, keys, providing };
    } catch (error) {
      await closeAll(this.#closers);
      throw error;
    }
  }

  /** Names of keys are asked for in the DHT, those of domains in DNS. */
  async #openNames(
    overlay: OverlayPort | null,
    repository: IpfsRepository,
    routing: DelegatedRouting,
  ): Promise<IpnsNames> {
    const { IpnsNames, PublishedNames } = await import('@tequio/ipfs');
    const { ports, log, settings } = this.#deps;
    const { clock, hashes } = ports;
    const ipns = new IpnsNames({
      overlay,
      clock,
      hashes,
      log,
      lookUpText: this.#deps.lookUpText ?? (async () => []),
      store: new PublishedNames(repository.database),
      followsResolved: () => settings().namesByPubsub,
      moreRecords: (name, signal) => routing.getRecords(name, signal),
      verify: ({ type, data }, message, signature) => verifyForeignSignature(type, data, message, signature),
    });
    this.#closers.push(() => ipns.close());
    ipns.start();
    return ipns;
  }

  /** Servers that the user has named; by default none. */
  async #openSources(): Promise<{
    readonly routing: DelegatedRouting;
    readonly gateways: TrustlessGateways | null;
  }> {
    const { DelegatedRouting, TrustlessGateways } = await import('@tequio/ipfs');
    const { ports, http, log, settings } = this.#deps;
    const { routers, gateways } = settings();
    const routing = new DelegatedRouting(routers, http);
    if (routers.length + gateways.length === 0) return { routing, gateways: null };
    return {
      routing,
      gateways: new TrustlessGateways(gateways, {
        http,
        clock: ports.clock,
        // Whom a router names may not lead into the local network.
        allowAddress: (address) => !isLocalAddress(address),
        onWrong: (url) => log.warn('ipfs.gateway-wrong', { url }),
      }),
    };
  }

  async #openProviding(
    overlay: OverlayPort | null,
    repository: IpfsRepository,
    list: DenyList | null,
  ): Promise<ContentProviding | null> {
    if (overlay === null) return null;
    const { ContentProviding } = await import('@tequio/ipfs');
    const { ports, log, settings } = this.#deps;
    const { clock, hashes } = ports;
    const strategy = (): Settings['ipfs']['provide'] => settings().provide;
    const denyList = (): DenyList | null => list;
    const providing = new ContentProviding({ overlay, repository, clock, hashes, log, strategy, denyList });
    this.#closers.push(() => providing.close());
    providing.start();
    return providing;
  }
}

/** In reverse order: who uses something is closed before it is, and the lock goes last. */
async function closeAll(closers: (() => void | Promise<void>)[]): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}
