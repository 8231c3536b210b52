/** A block store in virtual time, on a disk and a database that a test can crash. */

import { encode as encodeDagCbor } from '@ipld/dag-cbor';
import { type Database, NodeError, type Prng, type SqlValue } from '@tequio/kernel';
import { createDatabases } from '@tequio/runtime';
import { type HostPorts, SimulatedDisk, SimulatedVolume, World } from '@tequio/simulator';
import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';
import { BlockCollector, type Roots } from './block-collection.ts';
import { BlockStore, type BlockStoreOptions } from './block-store.ts';
import type { Block } from './blocks.ts';
import { Pins } from './pins.ts';

export const storeFolder = '/data/ipfs';

type Statement = { readonly sql: string; readonly values: readonly SqlValue[] };

/**
 * SQLite with a power switch: in `synchronous = NORMAL` the newest transactions may go with the power, each as a
 * whole and none before an older one; what was there when one was committed with `FULL` stays.
 */
export class FragileDatabase implements Database {
  #inner = createDatabases().open(':memory:');
  #kept: Statement[][] = [];
  #keptForSure = 0;
  #isFull = false;
  #open: Statement[] | null = null;

  exec(sql: string): void {
    this.#inner.exec(sql);
    if (/^\s*PRAGMA synchronous = /.test(sql)) this.#isFull = sql.includes('FULL');
    else this.#note({ sql, values: [] });
  }

  run(sql: string, ...values: SqlValue[]): void {
    this.#inner.run(sql, ...values);
    this.#note({ sql, values: values.map((value) => (value instanceof Uint8Array ? value.slice() : value)) });
  }

  get(sql: string, ...values: SqlValue[]): ReturnType<Database['get']> {
    return this.#inner.get(sql, ...values);
  }

  all(sql: string, ...values: SqlValue[]): ReturnType<Database['all']> {
    return this.#inner.all(sql, ...values);
  }

  transaction<Value>(work: () => Value): Value {
    this.#open = [];
    try {
      const value = this.#inner.transaction(work);
      this.#kept.push(this.#open);
      if (this.#isFull) this.#keptForSure = this.#kept.length;
      return value;
    } finally {
      this.#open = null;
    }
  }

  close(): void {
    this.#inner.close();
  }

  losePower(prng: Prng): void {
    const kept = this.#keptForSure + prng.below(this.#kept.length - this.#keptForSure + 1);
    this.#kept = this.#kept.slice(0, kept);
    this.#keptForSure = kept;
    this.#inner.close();
    this.#inner = createDatabases().open(':memory:');
    for (const { sql, values } of this.#kept.flat())
      if (values.length === 0) this.#inner.exec(sql);
      else this.#inner.run(sql, ...values);
  }

  #note(statement: Statement): void {
    if (this.#open !== null) this.#open.push(statement);
    else this.#kept.push([statement]);
  }
}

/** A process's way to the database, which ends with it. */
class Handle implements Database {
  readonly #database: Database;
  isDead = false;

  constructor(database: Database) {
    this.#database = database;
  }

  exec(sql: string): void {
    this.#alive().exec(sql);
  }

  run(sql: string, ...values: SqlValue[]): void {
    this.#alive().run(sql, ...values);
  }

  get(sql: string, ...values: SqlValue[]): ReturnType<Database['get']> {
    return this.#alive().get(sql, ...values);
  }

  all(sql: string, ...values: SqlValue[]): ReturnType<Database['all']> {
    return this.#alive().all(sql, ...values);
  }

  transaction<Value>(work: () => Value): Value {
    return this.#alive().transaction(work);
  }

  close(): void {}

  #alive(): Database {
    if (this.isDead) throw new Error('the process is dead');
    return this.#database;
  }
}

export class StoreWorld {
  readonly world: World;
  readonly ports: HostPorts;
  readonly volume = new SimulatedVolume();
  readonly database = new FragileDatabase();
  readonly #options: Partial<BlockStoreOptions>;
  #disk: SimulatedDisk | null = null;
  #handle: Handle | null = null;
  /** Processes that have died. */
  deathCount = 0;
  #boot = 1;
  store!: BlockStore;
  pins!: Pins;
  collector!: BlockCollector;
  /** As MFS would have it. */
  partialRoots: CID[] = [];

  private constructor(seed: number, options: Partial<BlockStoreOptions>) {
    this.world = new World({ seed });
    this.ports = this.world.addHost();
    this.#options = options;
  }

  static async start(seed: number, options: Partial<BlockStoreOptions> = {}): Promise<StoreWorld> {
    const made = new StoreWorld(seed, options);
    await made.open();
    return made;
  }

  get disk(): SimulatedDisk {
    return this.#disk!;
  }

  async open(): Promise<void> {
    this.#disk = new SimulatedDisk(this.world.clock, { volume: this.volume });
    const options = { folder: storeFolder, quotaBytes: null, bootId: `boot ${this.#boot}`, ...this.#options };
    const files = { walk: async (folder: string) => this.#walk(folder) };
    this.#handle = new Handle(this.database);
    const ports = { ...this.ports, disk: this.#disk, files, database: this.#handle };
    this.store = await this.run(BlockStore.open(options, ports));
    const pins = new Pins(this.store);
    const roots = (): Roots => ({ ...pins.roots(), partial: this.partialRoots });
    this.pins = pins;
    this.collector = new BlockCollector(this.store, roots);
  }

  /** Lets time go on until the promise has settled. */
  async run<Value>(promise: Promise<Value>): Promise<Value> {
    let isSettled = false;
    const mark = (): void => {
      isSettled = true;
    };
    promise.then(mark, mark);
    // Chains of promises are longer than what the world waits for when nothing else is to come.
    const tick = (): void => {
      if (!isSettled) this.world.clock.setTimer(1, tick);
    };
    tick();
    await this.world.run(() => isSettled);
    return promise;
  }

  /** The process dies at once. */
  async kill(): Promise<void> {
    this.#die();
    await this.open();
  }

  async losePower(): Promise<void> {
    this.#die();
    this.volume.losePower();
    this.database.losePower(this.world.prng);
    this.#boot++;
    await this.open();
  }

  #die(): void {
    this.disk.crash();
    this.#handle!.isDead = true;
    this.deathCount++;
  }

  #walk(folder: string): { files: []; leftOut: [] } {
    const files = this.volume.files(folder);
    if (files.length === 0) throw new NodeError('FILE_MISSING', `"${folder}" does not exist.`);
    const walked = files.map(({ path, bytes }) => ({
      path: path.slice(folder.length + 1),
      bytes,
      modifiedMs: 0,
      executable: false,
    }));
    return { files: walked as unknown as [], leftOut: [] };
  }

  /** A block of raw bytes. */
  leaf(bytes: Uint8Array): Block {
    return { cid: this.#cid(0x55, bytes), bytes };
  }

  /** A block of DAG-CBOR that links to others. */
  node(links: readonly CID[], name = ''): Block {
    const bytes = new Uint8Array(encodeDagCbor({ name, links }));
    return { cid: this.#cid(0x71, bytes), bytes };
  }

  #cid(codec: number, bytes: Uint8Array): CID {
    return CID.createV1(codec, createDigest(0x12, new Uint8Array(this.ports.hashes.sha256(bytes))));
  }
}

/** What the segments say of themselves is what the blocks say of them. @returns what is wrong, or null */
export function wrongCounts(store: BlockStore): string | null {
  for (const { id, usedBytes, usedCount, bytes } of store.index.segments.values()) {
    const rows = store.index.blocksIn(id);
    const wanted = rows.reduce((sum, row) => sum + 20 + row.key.length + row.bytes, 0);
    if (rows.length !== usedCount) return `segment ${id}: ${usedCount} blocks, but ${rows.length}`;
    if (wanted !== usedBytes) return `segment ${id}: ${usedBytes} bytes in use, but ${wanted}`;
    if (usedBytes > bytes) return `segment ${id}: ${usedBytes} in use of ${bytes}`;
  }
  return null;
}
