/** `block/…`: blocks as they are. */
import { hashCodes, makeCid, tryDigest } from '@tequio/ipfs';
import { bytes, value, values } from './kubo-answer.ts';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import { type Cid, cidWriter, readCid, readCodec, resolveCid } from './kubo-path.ts';
import type { KuboDeps, KuboVerbs } from './kubo-verb.ts';

/** What bitswap carries, and kubo without being asked twice. */
const usualBytesMax = 2 << 20;

export const blockVerbs: KuboVerbs = {
  'block/get': {
    scope: 'read',
    run: async (call, deps) => {
      const block = await mustGet(deps, await resolveCid(deps, call.arg(0, 'cid'), call.signal), call.signal);
      return bytes(once(block), { length: block.length });
    },
  },
  'block/stat': {
    scope: 'read',
    run: async (call, deps) => {
      const cid = await resolveCid(deps, call.arg(0, 'cid'), call.signal);
      const block = await mustGet(deps, cid, call.signal);
      return value({ Key: cidWriter(call)(cid), Size: block.length });
    },
  },
  'block/put': { scope: 'write', run: (call, deps) => values(put(call, deps)) },
  'block/rm': { scope: 'write', run: (call, deps) => values(remove(call, deps)) },
};

async function* put(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  const { repository } = deps;
  const format = call.text('format');
  const isV0 = format === 'v0' || (call.text('version') === '0' && format === null);
  const codec = isV0 ? 0x70 : readCodec(format ?? call.text('cid-codec', 'raw'));
  const hashName = call.text('mhtype', 'sha2-256');
  const hashCode = hashCodes.get(hashName);
  if (hashCode === undefined) throw new KuboUsageError(`unknown hash: "${hashName}"`);
  const write = cidWriter(call);
  for await (const part of call.parts()) {
    const block = await collect(part.body, call.flag('allow-big-block') ? 32 << 20 : usualBytesMax);
    const digest = tryDigest(deps.hashes, hashCode, block, mhlenOf(call));
    if (digest === null) throw new KuboUsageError(`"${hashName}" cannot name this block`);
    const named = makeCid(codec, hashCode, digest);
    const cid = isV0 ? named.toV0() : named;
    await repository.holding(async (keep) => {
      await repository.blocks.put([{ cid, bytes: block }]);
      await keep(cid);
      if (call.flag('pin')) await repository.pin(cid, { signal: call.signal });
    });
    yield { Key: write(cid), Size: block.length };
  }
}

/** Kubo's own client says -1 when it means nothing. */
function mhlenOf(call: KuboCall): number {
  return call.text('mhlen') === '-1' ? 64 : (call.count('mhlen') ?? 64);
}

async function* remove(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  const [force, quiet] = [call.flag('force'), call.flag('quiet')];
  for (const text of call.args) {
    const cid = readCid(text);
    const error = await removeOne(deps, cid, force);
    if (error !== null) yield { Hash: cid.toString(), Error: error };
    else if (!quiet) yield { Hash: cid.toString() };
  }
}

async function removeOne({ repository }: KuboDeps, cid: Cid, force: boolean): Promise<string | null> {
  if (!(await repository.blocks.has(cid))) return force ? null : `blockstore: block not found: ${cid}`;
  const how = await pinnedHow(repository, cid);
  if (how !== null) return `pinned: ${how}`;
  repository.blocks.remove([cid]);
  return null;
}

async function pinnedHow(repository: KuboDeps['repository'], cid: Cid): Promise<string | null> {
  const pin = repository.pins.find(cid);
  if (pin !== null) return pin.mode;
  let root: Cid | null = null;
  await repository.pins.indirect((kept, by) => {
    if (root === null && kept.equals(cid)) root = by;
  });
  return root === null ? null : `via ${String(root)}`;
}

/** @throws NodeError when it cannot be had */
export async function mustGet(deps: KuboDeps, cid: Cid, signal: AbortSignal): Promise<Uint8Array> {
  const block = await deps.reader.get(cid, { signal });
  signal.throwIfAborted();
  if (block === null)
    throw new KuboUsageError(`block was not found locally (offline): ipld: could not find ${cid}`);
  return block;
}

export async function* once(block: Uint8Array): AsyncGenerator<Uint8Array> {
  yield block;
}

/** @throws KuboUsageError when it is longer, with a block's sentence unless there is another */
export async function collect(
  pieces: AsyncIterable<Uint8Array>,
  bytesMax: number,
  tooLong = `produced block is over ${bytesMax >> 20}MiB: big blocks can't be exchanged with other peers. consider using UnixFS for automatic chunking of bigger files, or pass --allow-big-block to override`,
): Promise<Uint8Array> {
  const kept: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > bytesMax) throw new KuboUsageError(tooLong);
    kept.push(piece.slice());
  }
  return Buffer.concat(kept);
}
