/** What the cases of the disk suite share: the fixture, short calls on it, and digests written plainly. */
import { notEqual, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import {
  type DigestRequest,
  type DiskDigests,
  type DiskJob,
  type DiskPort,
  type DiskResult,
  type FileId,
  type FileSpan,
  Prng,
  type Slab,
} from '@tequio/kernel';

/** A port over an empty root, and the same world seen past the port. Made anew for each test. */
export type DiskFixture = {
  readonly disk: DiskPort;
  /** Does not exist yet. */
  readonly root: string;
  /** Another root on the same device; does not exist yet. */
  readonly otherRoot: string;
  /** A root on another device of `capacityBytes` that can be made read-only; null: cannot be had here. */
  readonly smallRoot: string | null;
  readonly capacityBytes: number;
  setReadOnly(on: boolean): void;
  /** Lets the world go on until the promise settles. */
  wait<Value>(promise: Promise<Value>): Promise<Value>;
  /** Lets more time pass than a port may believe an open file unseen. */
  passCheckTime(): Promise<void>;
  put(path: string, bytes: Uint8Array): void;
  /** Null: no file is there. */
  get(path: string): Uint8Array | null;
  kind(path: string): 'file' | 'folder' | 'link' | null;
  link(path: string, target: string): void;
  remove(path: string): void;
  close(): Promise<void>;
};

export const blockBytes = 16384;

/** The fixture with the few calls that every test makes. */
export class World {
  readonly fixture: DiskFixture;
  readonly disk: DiskPort;
  readonly root: string;

  constructor(fixture: DiskFixture) {
    this.fixture = fixture;
    this.disk = fixture.disk;
    this.root = fixture.root;
  }

  file(path: string, root = this.root): FileId {
    return this.disk.register({ root, path });
  }

  slabOf(bytes: Uint8Array): Slab {
    const slab = this.disk.allocateSlab(bytes.length);
    slab.bytes.set(bytes);
    return slab;
  }

  run(job: DiskJob): Promise<DiskResult> {
    return this.fixture.wait(new Promise((resolve) => this.disk.submit(job, resolve)));
  }

  async store(
    bytes: Uint8Array,
    spans: FileSpan[],
    digest: DigestRequest | null = null,
  ): Promise<DiskResult> {
    const slab = this.slabOf(bytes);
    const result = await this.run({ kind: 'store', slab, slabOffset: 0, bytes: bytes.length, spans, digest });
    this.disk.freeSlab(slab);
    return result;
  }

  async load(bytes: number, spans: FileSpan[]): Promise<Uint8Array | DiskResult> {
    const slab = this.slabOf(new Uint8Array(bytes).fill(0xee));
    const result = await this.run({ kind: 'load', slab, slabOffset: 0, bytes, spans });
    const copy = slab.bytes.slice(0, bytes);
    this.disk.freeSlab(slab);
    return result.ok ? copy : result;
  }

  get(path: string, root = this.root): Uint8Array | null {
    return this.fixture.get(`${root}/${path}`);
  }

  kind(path: string, root = this.root): 'file' | 'folder' | 'link' | null {
    return this.fixture.kind(`${root}/${path}`);
  }
}

export type DiskCase = readonly [title: string, body: (world: World, context: TestContext) => Promise<void>];

export const plain: DigestRequest = { sha1: true, merkle: null, stream: null, expect: null };

export function expecting(sha1: Uint8Array): DigestRequest {
  return { ...plain, expect: { sha1, root: null } };
}

export function randomBytes(length: number, seed = 1): Uint8Array {
  return new Prng(seed).bytes(length).slice(0, length);
}

export function sha(algorithm: 'sha1' | 'sha256', ...parts: Uint8Array[]): Uint8Array {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

export function span(file: FileId | null, offset: number, bytes: number): FileSpan {
  return { file, offset, bytes };
}

export function blocksOf(bytes: Uint8Array): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += blockBytes) blocks.push(bytes.subarray(at, at + blockBytes));
  return blocks;
}

/** BEP 52, as simply as it can be written. */
export function merkleRootOf(bytes: Uint8Array, leafCount: number): Uint8Array {
  let level = blocksOf(bytes).map((block) => sha('sha256', block));
  while (level.length < leafCount) level.push(new Uint8Array(32));
  while (level.length > 1) {
    level = level.filter((_, i) => i % 2 === 0).map((left, i) => sha('sha256', left, level[2 * i + 1]!));
  }
  return level[0]!;
}

export function digestsOf(result: DiskResult): DiskDigests {
  ok(result.ok, result.ok ? '' : result.fault.message);
  notEqual(result.digests, null);
  return result.digests!;
}

export function codeOf(result: DiskResult | Uint8Array): string {
  if (result instanceof Uint8Array) return 'loaded';
  return result.ok ? 'ok' : result.fault.code;
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
