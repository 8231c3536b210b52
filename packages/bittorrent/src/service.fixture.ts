/** Services over the real machine: loopback, temporary folders, made-up content. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Database, type IpAddress, Prng } from '@tequio/kernel';
import { createRuntimePorts, type RuntimePorts } from '@tequio/runtime';
import type { AddOptions, BittorrentEvent, CreateOptions, TorrentId, TorrentSnapshot } from './contract.ts';
import type { BittorrentOptions } from './options.ts';
import { type BittorrentService, createBittorrent } from './service.ts';

export type Content = {
  readonly name: string;
  readonly files: readonly { readonly path: string; readonly bytes: Uint8Array }[];
};

/** @param sizes bytes of the files `0.bin`, `1.bin`, …; odd ones lie in a folder of their own */
export function makeContent(sizes: readonly number[], seed = 1): Content {
  const prng = new Prng(seed);
  return {
    name: 'content',
    files: sizes.map((bytes, index) => ({
      path: index % 2 === 1 ? `inner/${index}.bin` : `${index}.bin`,
      bytes: prng.bytes(bytes).slice(),
    })),
  };
}

/** A service and what it has told. */
export class TestService {
  readonly service: BittorrentService;
  readonly ports: RuntimePorts;
  readonly folder: string;
  readonly events: BittorrentEvent[] = [];

  constructor(folder: string, options: Partial<BittorrentOptions>, database: Database | null = null) {
    this.folder = folder;
    this.ports = createRuntimePorts();
    this.service = createBittorrent(
      {
        dataFolder: join(folder, 'data'),
        bootId: 'boot',
        bind: '127.0.0.1' as IpAddress,
        port: 0,
        ...options,
      },
      { ports: this.ports, database },
    );
    this.service.subscribe((event) => this.events.push(event));
  }

  get address(): string {
    return `127.0.0.1:${this.service.port}`;
  }

  async close(): Promise<void> {
    await this.service.close();
    await this.ports.close();
  }

  snapshot(id: TorrentId): TorrentSnapshot {
    const snapshot = this.service.torrent(id);
    assert.ok(snapshot !== null);
    return snapshot;
  }

  eventsOf<Type extends BittorrentEvent['type']>(type: Type): Extract<BittorrentEvent, { type: Type }>[] {
    return this.events.filter(
      (event): event is Extract<BittorrentEvent, { type: Type }> => event.type === type,
    );
  }

  /** Waits until the torrent is as `isSo` says; fails after `limitMs`. */
  async until(id: TorrentId, isSo: (torrent: TorrentSnapshot) => boolean, limitMs = 60_000): Promise<void> {
    const endMs = Date.now() + limitMs;
    while (!isSo(this.snapshot(id))) {
      if (Date.now() > endMs) {
        const { state, error, havePieceCount, peerCount, candidateCount } = this.snapshot(id);
        const lately = JSON.stringify(this.events.slice(-6));
        assert.fail(
          `still ${state} (${error}), ${havePieceCount} pieces, ${peerCount} peers, ${candidateCount} others; ${lately}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Waits until a value has not changed for so long. */
  async untilStill(
    id: TorrentId,
    measure: (torrent: TorrentSnapshot) => number,
    stillMs: number,
  ): Promise<void> {
    let [value, sinceMs] = [measure(this.snapshot(id)), Date.now()];
    await this.until(id, (torrent) => {
      if (measure(torrent) !== value) [value, sinceMs] = [measure(torrent), Date.now()];
      return Date.now() - sinceMs >= stillMs;
    });
  }
}

/** Services that end, and folders that go, with the test. */
export class ServiceBench {
  readonly root: string;
  readonly #services: TestService[] = [];

  constructor(root: string) {
    this.root = root;
  }

  async start(
    name: string,
    options: Partial<BittorrentOptions> = {},
    database: Database | null = null,
  ): Promise<TestService> {
    const folder = join(this.root, name);
    await mkdir(folder, { recursive: true });
    const service = new TestService(folder, options, database);
    this.#services.push(service);
    await service.service.start();
    return service;
  }

  /** Writes content into a folder, makes a torrent of it and seeds it there. */
  async seed(
    seeder: TestService,
    content: Content,
    version: CreateOptions['version'] = 'v1',
    pieceBytes = 65_536,
  ): Promise<{ readonly id: TorrentId; readonly torrent: Uint8Array }> {
    for (const { path, bytes } of content.files) {
      const place = join(seeder.folder, content.name, path);
      await mkdir(dirname(place), { recursive: true });
      await writeFile(place, bytes);
    }
    const torrent = await seeder.service.create({
      path: join(seeder.folder, content.name),
      version,
      pieceBytes,
    });
    const id = await seeder.service.add({ torrent }, { folder: seeder.folder, seed: true });
    await seeder.until(id, ({ state }) => state === 'seeding');
    return { id, torrent };
  }

  get(
    leech: TestService,
    torrent: Uint8Array,
    seeder: TestService,
    more: Partial<AddOptions> = {},
  ): Promise<TorrentId> {
    return leech.service.add({ torrent }, { folder: leech.folder, peers: [seeder.address], ...more });
  }

  async close(): Promise<void> {
    for (const service of this.#services) await service.close();
    await rm(this.root, { recursive: true, force: true });
  }
}

export async function withBench(use: (bench: ServiceBench) => Promise<void>): Promise<void> {
  const bench = new ServiceBench(await mkdtemp(join(tmpdir(), 'tequio-service-')));
  try {
    await use(bench);
  } finally {
    await bench.close();
  }
}

/** The content lies in the folder, byte for byte; `except` not at all. */
export async function assertContent(
  folder: string,
  content: Content,
  except: readonly number[] = [],
): Promise<void> {
  for (const [index, { path, bytes }] of content.files.entries()) {
    const place = join(folder, content.name, path);
    const found = await readFile(place).catch(() => null);
    if (except.includes(index)) assert.equal(found, null, `${path} is not there`);
    else assert.ok(found !== null && Buffer.compare(found, bytes) === 0, `${path} is right`);
  }
}
