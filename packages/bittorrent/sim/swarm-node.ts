/** One member of a simulated swarm: a whole service on a host of its own, with a disk and what it remembers. */
import { type Database, type Slab, toHex } from '@tequio/kernel';
import { PortsAbove } from '@tequio/network';
import { createDatabases } from '@tequio/runtime';
import { type HostOptions, type HostPorts, SimulatedDisk, SimulatedVolume } from '@tequio/simulator';
import type { AddOptions, BittorrentEvent, TorrentSnapshot } from '../src/contract.ts';
import type { MadeTorrent } from '../src/core/made-torrent.fixture.ts';
import type { BittorrentOptions } from '../src/options.ts';
import { type BittorrentService, createBittorrent } from '../src/service.ts';
import { HostProcess } from './host-process.ts';
import type { Tamper } from './tamper.ts';

export type NodeOptions = {
  readonly name?: string;
  /** Has the content from the start. */
  readonly seed?: boolean;
  readonly line?: HostOptions;
  readonly service?: Partial<BittorrentOptions>;
  readonly add?: Partial<AddOptions>;
  readonly tamper?: Tamper | null;
  /** Knows the info-hashes only, and gets the rest from its peers. */
  readonly fromMagnet?: boolean;
  /** It may be blamed and banned. */
  readonly isHonest?: boolean;
  /** Remembers its torrents when it is killed. */
  readonly remembers?: boolean;
};

/** Room for pieces and for reading, small, so that a bound that does not hold is noticed. */
export const nodeMemory = { pieceMemoryBytesMax: 4 << 20, readCacheBytesMax: 2 << 20 } as const;
export const nodePort = 6881;
const folder = '/content';

/** Counts the memory that it has lent. */
class CountingDisk extends SimulatedDisk {
  lentBytes = 0;

  override allocateSlab(bytes: number): Slab {
    const slab = super.allocateSlab(bytes);
    this.lentBytes += slab.bytes.length;
    return slab;
  }

  override freeSlab(slab: Slab): void {
    this.lentBytes -= slab.bytes.length;
    super.freeSlab(slab);
  }
}

export class SwarmNode {
  readonly name: string;
  readonly host: HostPorts;
  readonly options: NodeOptions;
  readonly volume = new SimulatedVolume();
  readonly database: Database | null;
  readonly made: MadeTorrent;
  readonly #trackers: readonly string[];
  readonly #onEvent: (node: SwarmNode, event: BittorrentEvent) => void;
  readonly #read: Uint8Array;
  #disk: CountingDisk | null = null;
  #process: HostProcess | null = null;
  #service: BittorrentService | null = null;
  startedMs = 0;
  startedCount = 0;
  finishedMs: number | null = null;

  constructor(
    host: HostPorts,
    made: MadeTorrent,
    trackers: readonly string[],
    options: NodeOptions,
    onEvent: (node: SwarmNode, event: BittorrentEvent) => void,
  ) {
    this.name = options.name ?? host.host.name;
    this.host = host;
    this.made = made;
    this.options = options;
    this.database = options.remembers === true ? createDatabases().open(':memory:') : null;
    this.#trackers = trackers;
    this.#onEvent = onEvent;
    this.#read = new Uint8Array(made.metainfo.info.pieceBytes);
    if (options.seed === true) this.volume.put(contentPath, made.content);
  }

  get isHonest(): boolean {
    return this.options.isHonest ?? true;
  }

  get isRunning(): boolean {
    return this.#service !== null;
  }

  get address(): string {
    return this.host.host.addresses[0]!;
  }

  get endpoint(): string {
    return `${this.address}:${nodePort}`;
  }

  get service(): BittorrentService {
    if (this.#service === null) throw new Error(`${this.name} is not running`);
    return this.#service;
  }

  get snapshot(): TorrentSnapshot {
    return this.service.torrents()[0]!;
  }

  get id(): string {
    return this.snapshot.id;
  }

  /** Memory lent to the service, and what waits in its connections. */
  get lentBytes(): number {
    return this.#disk?.lentBytes ?? 0;
  }

  get queuedBytes(): number {
    return this.#process?.queuedBytes ?? 0;
  }

  get connectionCount(): number {
    return this.#process?.connectionCount ?? 0;
  }

  get secondsToFinish(): number {
    return this.finishedMs === null ? Number.POSITIVE_INFINITY : (this.finishedMs - this.startedMs) / 1000;
  }

  async start(): Promise<void> {
    const { options, host } = this;
    this.startedMs = host.clock.nowMs();
    this.startedCount++;
    this.#disk = new CountingDisk(host.clock, { volume: this.volume });
    this.#process = new HostProcess(host, this.#disk, options.tamper ?? null);
    // What is encrypted cannot be tampered with on its way out.
    const encryption = (options.tamper ?? null) === null ? 'allow' : 'off';
    const service = createBittorrent(
      { dataFolder: '/state', bootId: 'boot', port: nodePort, ...nodeMemory, encryption, ...options.service },
      // As in a node that runs, where ports lie above each other.
      { ports: new PortsAbove(this.#process.ports), database: this.database },
    );
    this.#service = service;
    service.subscribe((event) => {
      if (this.#service === service) this.#onEvent(this, event);
    });
    await service.start();
    await service.add(
      options.fromMagnet === true ? { magnet: magnetOf(this.made) } : { torrent: this.made.bytes },
      { folder, trackers: this.#trackers, seed: options.seed ?? false, ...options.add },
    );
  }

  /** Takes leave of everybody, as a user does who ends the program. */
  async stop(): Promise<void> {
    const service = this.service;
    this.#service = null;
    await service.close();
    this.#process?.kill();
  }

  /** `kill -9`; a `start` after it finds the disk and what was remembered. */
  kill(): void {
    this.#service = null;
    this.#process?.kill();
    this.#disk?.crash();
  }

  /** The piece as it lies on the disk; good until the next call. */
  readPiece(piece: number): Uint8Array {
    const { info } = this.made.metainfo;
    const offset = piece * info.pieceBytes;
    const bytes = this.#read.subarray(0, Math.min(info.pieceBytes, info.totalBytes - offset));
    this.volume.file(contentPath).read(offset, bytes);
    return bytes;
  }
}

/** Torrents here are of one file, named as the fixture names it. */
export const contentPath = `${folder}/made`;

function magnetOf({ metainfo }: MadeTorrent): string {
  const { infoHashV1, infoHashV2 } = metainfo.info;
  const topics = [
    infoHashV1 === null ? [] : [`urn:btih:${toHex(infoHashV1)}`],
    infoHashV2 === null ? [] : [`urn:btmh:1220${toHex(infoHashV2)}`],
  ];
  return `magnet:?${topics
    .flat()
    .map((topic) => `xt=${topic}`)
    .join('&')}`;
}
