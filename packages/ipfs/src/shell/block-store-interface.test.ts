/** The suite that block stores of the JavaScript libraries pass, on this one through a thin adapter. */
import { ok } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { createRuntimePorts, type RuntimePorts } from '@tequio/runtime';
import type { Blockstore, InputPair, Pair } from 'interface-blockstore';
import type { CID } from 'multiformats/cid';
import { IpfsRepository } from '../repository.ts';

const words = new URL('./expect-words.fixture.ts', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) => next(specifier === 'aegir/chai' ? words : specifier, context),
});
Object.assign(globalThis, { after, afterEach, before, beforeEach, describe, it });
const { interfaceBlockstoreTests } = await import('interface-blockstore-tests');

type Options = { readonly signal?: AbortSignal };

async function joined(bytes: InputPair['bytes']): Promise<Uint8Array> {
  if (bytes instanceof Uint8Array) return bytes;
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

class NotFoundError extends Error {
  override readonly name = 'NotFoundError';
}

class Adapter implements Blockstore {
  readonly repository: IpfsRepository;

  constructor(repository: IpfsRepository) {
    this.repository = repository;
  }

  async put(cid: CID, bytes: InputPair['bytes'], options?: Options): Promise<CID> {
    options?.signal?.throwIfAborted();
    await this.repository.blocks.put([{ cid, bytes: await joined(bytes) }]);
    return cid;
  }

  async *get(cid: CID, options?: Options): AsyncGenerator<Uint8Array> {
    options?.signal?.throwIfAborted();
    const bytes = await this.repository.blocks.get(cid);
    if (bytes === null) throw new NotFoundError(`${cid} is not here`);
    yield bytes;
  }

  async has(cid: CID, options?: Options): Promise<boolean> {
    options?.signal?.throwIfAborted();
    return this.repository.blocks.has(cid);
  }

  async delete(cid: CID, options?: Options): Promise<void> {
    options?.signal?.throwIfAborted();
    this.repository.blocks.remove([cid]);
  }

  async *putMany(
    pairs: Iterable<InputPair> | AsyncIterable<InputPair>,
    options?: Options,
  ): AsyncGenerator<CID> {
    for await (const { cid, bytes } of pairs) yield await this.put(cid, bytes, options);
  }

  async *getMany(cids: Iterable<CID> | AsyncIterable<CID>, options?: Options): AsyncGenerator<Pair> {
    for await (const cid of cids) yield { cid, bytes: this.get(cid, options) };
  }

  async *deleteMany(cids: Iterable<CID> | AsyncIterable<CID>, options?: Options): AsyncGenerator<CID> {
    for await (const cid of cids) {
      await this.delete(cid, options);
      yield cid;
    }
  }

  async *getAll(options?: Options): AsyncGenerator<Pair> {
    for await (const cid of this.repository.blocks.list()) {
      options?.signal?.throwIfAborted();
      yield { cid, bytes: this.get(cid, options) };
    }
  }
}

describe('block store, by the shared suite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-blockstore-'));
  let [ports, opened]: [RuntimePorts | null, number] = [null, 0];
  before(() => {
    ports = createRuntimePorts();
  });
  after(async () => {
    await ports?.close();
    rmSync(folder, { recursive: true, force: true });
    ok(opened > 0);
  });
  interfaceBlockstoreTests({
    setup: async () => {
      const options = { folder: join(folder, String(++opened)), quotaBytes: null, bootId: null };
      return new Adapter(await IpfsRepository.open(options, ports!));
    },
    teardown: (store) => (store as Adapter).repository.close(),
  });
});
