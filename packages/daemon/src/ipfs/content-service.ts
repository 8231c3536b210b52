/**
 * IPFS for pages and programs: the node's tree of files, its pins, blocks and peers. Only `state` can be asked without
 * the repository being opened; the code that works in it is loaded with it.
 */
import type { IpfsNodeApi, IpfsNodeState, IpfsPeerView } from '@tequio/api';
import { type Hashes, NodeError, type OverlayPort } from '@tequio/kernel';
import type { NodeIpfs, OpenIpfs } from './node-ipfs.ts';
import type { OpenContent } from './open-content.ts';
import { transportOf, whereOf } from './peer-address.ts';

export type ContentServiceDeps = {
  readonly ipfs: NodeIpfs;
  readonly hashes: Hashes;
  readonly isEnabled: () => boolean;
  /** Null: the gateway is off. */
  readonly gatewayUrl: () => string | null;
  /** By `ADDRESS:PORT`. */
  readonly countriesOf: (endpoints: readonly string[]) => Promise<readonly (string | null)[]>;
};

/** How long others are asked for one block. */
const lookMs = 45_000;
const dialMs = 30_000;
const peerCountMax = 1000;

/** See the top of the file. */
export class ContentService implements IpfsNodeApi {
  readonly #deps: ContentServiceDeps;

  constructor(deps: ContentServiceDeps) {
    this.#deps = deps;
  }

  async state(): Promise<IpfsNodeState> {
    const { ipfs, isEnabled, gatewayUrl } = this.#deps;
    const { current } = ipfs;
    if (!isEnabled()) return { ...restingState, mode: 'off' };
    if (current === null) return { ...restingState, gatewayUrl: gatewayUrl() };
    const { repository, mfs, exchange, providing } = current;
    const { blockCount, blockBytes, diskBytes, quotaBytes } = repository.blocks.state();
    const peers = exchange?.bitswap.peers ?? [];
    const sum = (of: (peer: (typeof peers)[number]) => number): number =>
      peers.reduce((all, peer) => all + of(peer), 0);
    return {
      mode: exchange === null ? 'alone' : 'online',
      peer: exchange?.overlay.peer ?? null,
      addresses: exchange?.overlay.addresses ?? [],
      peerCount: exchange?.overlay.peers.length ?? 0,
      blockCount,
      blockBytes,
      diskBytes,
      quotaBytes,
      pinCount: repository.pins.list().length,
      filesBytes: (await mfs.stat('/')).dagBytes,
      wantCount: exchange?.bitswap.wantlist.length ?? 0,
      askedCount: sum(({ wantCount }) => wantCount),
      receivedBytes: sum(({ receivedBytes }) => receivedBytes),
      sentBytes: sum(({ sentBytes }) => sentBytes),
      gatewayUrl: gatewayUrl(),
      providing: providing?.state ?? null,
    };
  }

  files: IpfsNodeApi['files'] = (path, options = {}) => this.#with((content) => content.files(path, options));

  entry: IpfsNodeApi['entry'] = (path) => this.#soon((content) => content.entry(path));

  addFile: IpfsNodeApi['addFile'] = (path, parts) => this.#with((content) => content.addFile(path, parts));

  async makeFolder(path: string): Promise<void> {
    const { mfs } = await this.#deps.ipfs.open();
    await mfs.mkdir(path);
  }

  moveFile: IpfsNodeApi['moveFile'] = (from, to) => this.#with((content) => content.moveFile(from, to));

  removeFiles: IpfsNodeApi['removeFiles'] = (paths) => this.#with((content) => content.removeFiles(paths));

  importFile: IpfsNodeApi['importFile'] = (source, path) =>
    this.#soon((content) => content.importFile(source, path));

  async *readFile(
    path: string,
    { signal = never, ...range }: NonNullable<Parameters<IpfsNodeApi['readFile']>[1]> = {},
  ): AsyncGenerator<Uint8Array> {
    const { content, close } = await this.#openContent(signal);
    try {
      yield* content.readFile(path, range);
    } finally {
      close();
    }
  }

  async *readArchive(path: string, name: string, signal: AbortSignal = never): AsyncGenerator<Uint8Array> {
    const { content, close } = await this.#openContent(signal);
    try {
      yield* content.readArchive(path, name);
    } finally {
      close();
    }
  }

  pins: IpfsNodeApi['pins'] = (options = {}) => this.#with((content) => content.pins(options));

  pin: IpfsNodeApi['pin'] = (path, name) => this.#with((content) => content.pin(path, name));

  unpin: IpfsNodeApi['unpin'] = (cid) => this.#with(async (content) => content.unpin(cid));

  block: IpfsNodeApi['block'] = (path) => this.#soon((content) => content.block(path));

  async peers(): Promise<readonly IpfsPeerView[]> {
    const exchange = this.#deps.ipfs.current?.exchange ?? null;
    if (exchange === null) return [];
    const peers = exchange.overlay.peers.slice(0, peerCountMax);
    const traded = new Map(exchange.bitswap.peers.map((peer) => [peer.peer, peer]));
    const countries = await this.#deps.countriesOf(peers.map(({ address }) => whereOf(address)));
    return peers.map(({ peer, address, direction, isRelayed, agent, latencyMs }, index) => ({
      peer,
      address,
      country: countries[index] ?? null,
      direction,
      transport: isRelayed ? 'relay' : transportOf(address),
      agent,
      latencyMs,
      receivedBytes: traded.get(peer)?.receivedBytes ?? 0,
      sentBytes: traded.get(peer)?.sentBytes ?? 0,
      wantCount: traded.get(peer)?.wantCount ?? 0,
    }));
  }

  async connect(address: string): Promise<string> {
    return overlayOf(await this.#deps.ipfs.open()).connect(address.replace(/^\/p2p\/([^/]+)$/, '$1'), {
      timeoutMs: dialMs,
    });
  }

  async collect(): Promise<{ readonly removedBlocks: number; readonly freedBytes: number }> {
    const { repository } = await this.#deps.ipfs.open();
    const { removedCount, freedBytes } = await repository.collect();
    return { removedBlocks: removedCount, freedBytes };
  }

  async #openContent(signal: AbortSignal): Promise<{ readonly content: OpenContent; close(): void }> {
    const { ipfs, hashes } = this.#deps;
    const [{ OpenContent }, open] = await Promise.all([import('./open-content.ts'), ipfs.open()]);
    const reading = ipfs.read(open);
    return {
      content: new OpenContent(open, reading.reader, hashes, signal),
      close: () => reading.close(),
    };
  }

  async #with<Value>(work: (content: OpenContent) => Promise<Value>, signal = never): Promise<Value> {
    const { content, close } = await this.#openContent(signal);
    try {
      return await work(content);
    } finally {
      close();
    }
  }

  /** Somebody waits for the answer: who has it may never be found. */
  async #soon<Value>(work: (content: OpenContent) => Promise<Value>): Promise<Value> {
    const signal = AbortSignal.timeout(lookMs);
    try {
      return await this.#with(work, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new NodeError('IPFS_NOT_FOUND', 'Nobody who has it answered in time. Try again later.', {
        op: 'get',
        retry: true,
        cause: error,
      });
    }
  }
}

const never = new AbortController().signal;

const restingState: IpfsNodeState = {
  mode: 'resting',
  peer: null,
  addresses: [],
  peerCount: 0,
  blockCount: 0,
  blockBytes: 0,
  diskBytes: 0,
  quotaBytes: null,
  pinCount: 0,
  filesBytes: null,
  wantCount: 0,
  askedCount: 0,
  receivedBytes: 0,
  sentBytes: 0,
  gatewayUrl: null,
  providing: null,
};

/** @throws NodeError `IPFS_ALONE` */
function overlayOf({ exchange }: OpenIpfs): OverlayPort {
  if (exchange !== null) return exchange.overlay;
  throw new NodeError(
    'IPFS_ALONE',
    'This node takes no part in libp2p: turn the setting overlay.enabled on, and start the node again.',
    { op: 'connect' },
  );
}
