/** `dag/…`: data of every codec, and archives of graphs. */
import {
  codecs,
  createSelection,
  decodeValue,
  encodeValue,
  exportCar,
  hashCodes,
  type IpldValue,
  importCar,
  makeCid,
  tryDigest,
  walkDag,
} from '@tequio/ipfs';
import { collect, mustGet, once } from './block-verbs.ts';
import { bytes, sentenceOf, value, values } from './kubo-answer.ts';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import { type Cid, cidWriter, readCodec, resolve, resolveCid } from './kubo-path.ts';
import type { KuboDeps, KuboVerbs } from './kubo-verb.ts';

const blockBytesMax = 2 << 20;
const bigBlockBytesMax = 32 << 20;

export const dagVerbs: KuboVerbs = {
  'dag/get': { scope: 'read', run: get },
  'dag/put': { scope: 'write', run: (call, deps) => values(put(call, deps)) },
  'dag/resolve': {
    scope: 'read',
    run: async (call, deps) => {
      const { cid, remainder } = await resolve(deps, call.arg(0, 'ref'), call.signal, 'data');
      return value({
        Cid: link(cidWriter(call)(cid)),
        RemPath: remainder.map((element) => `/${element}`).join(''),
      });
    },
  },
  'dag/stat': { scope: 'read', run: (call, deps) => values(stat(call, deps)) },
  'dag/export': {
    scope: 'read',
    run: async (call, deps) => {
      const root = await resolveCid(deps, call.arg(0, 'root'), call.signal);
      return bytes(exportCar(deps.reader, [root], { signal: call.signal, identities: true }), {
        type: 'application/vnd.ipld.car',
      });
    },
  },
  'dag/import': { scope: 'write', run: (call, deps) => values(load(call, deps)) },
};

async function get(call: KuboCall, deps: KuboDeps): Promise<ReturnType<typeof bytes>> {
  const codec = readCodec(call.text('output-codec', 'dag-json'));
  const found = await resolve(deps, call.arg(0, 'ref'), call.signal, 'data');
  let content: IpldValue | undefined = found.value;
  if (found.remainder.length === 0) {
    const block = await mustGet(deps, found.cid, call.signal);
    if (codec === found.cid.code) return bytes(once(block));
    content = must(decodeValue(found.cid.code, block));
  }
  return bytes(once(must(encodeValue(codec, content ?? null))), {
    type: codec === codecs['dag-json'] ? 'application/json' : 'application/octet-stream',
  });
}

async function* put(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  const [input, store] = [
    readCodec(call.text('input-codec', 'dag-json')),
    readCodec(call.text('store-codec', 'dag-cbor')),
  ];
  const hashName = call.text('hash', 'sha2-256');
  const [hashCode, write] = [hashCodes.get(hashName), cidWriter(call)];
  if (hashCode === undefined) throw new KuboUsageError(`unknown hash: "${hashName}"`);
  for await (const part of call.parts()) {
    const given = await collect(part.body, call.flag('allow-big-block') ? bigBlockBytesMax : blockBytesMax);
    const content = must(decodeValue(input, given));
    const block = must(encodeValue(store, content));
    const digest = tryDigest(deps.hashes, hashCode, block, 64);
    if (digest === null) throw new KuboUsageError(`"${hashName}" cannot name this block`);
    const cid = makeCid(store, hashCode, digest);
    await deps.repository.holding(async (keep) => {
      await deps.repository.blocks.put([{ cid, bytes: block }]);
      await keep(cid);
      if (call.flag('pin')) await deps.repository.pin(cid, { signal: call.signal, source: deps.reader });
    });
    yield { Cid: link(write(cid)) };
  }
}

type Stat = { readonly Cid: string; readonly Size: number; readonly NumBlocks: number };

/** Of each root alone, and of all together, in which a block counts once. */
async function* stat(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  call.arg(0, 'root');
  const write = cidWriter(call);
  const all = new Map<string, number>();
  const stats: Stat[] = [];
  for (const root of call.args) {
    const cid = await resolveCid(deps, root, call.signal);
    let [size, count] = [0, 0];
    for await (const block of walkDag(deps.reader, createSelection(cid), call.signal)) {
      size += block.bytes.length;
      count++;
      all.set(block.cid.toString(), block.bytes.length);
    }
    stats.push({ Cid: write(cid), Size: size, NumBlocks: count });
  }
  const sum = stats.reduce((bytesOfAll, { Size }) => bytesOfAll + Size, 0);
  const unique = [...all.values()].reduce((bytesOfAll, size) => bytesOfAll + size, 0);
  yield {
    UniqueBlocks: all.size,
    TotalSize: sum,
    SharedSize: sum - unique,
    Ratio: unique === 0 ? 1 : sum / unique,
    DagStats: stats,
  };
}

async function* load(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  const { repository } = deps;
  const [pinRoots, withStats, write] = [call.flag('pin-roots', true), call.flag('stats'), cidWriter(call)];
  let [blockCount, blockBytes] = [0, 0];
  const lines: unknown[] = [];
  await repository.holding(async (keep) => {
    const roots = new Map<string, Cid>();
    for await (const part of call.parts()) {
      const imported = await importCar(
        { blocks: repository.blocks, hashes: deps.hashes, leafHasher: deps.leafHasher },
        part.body,
      );
      blockCount += imported.blockCount;
      blockBytes += imported.blockBytes;
      for (const root of imported.roots) {
        await keep(root);
        roots.set(root.toString(), root);
      }
    }
    if (pinRoots) for (const root of roots.values()) lines.push(await pinLine(deps, root, call, write));
  });
  yield* lines;
  if (withStats) yield { Stats: { BlockCount: blockCount, BlockBytesCount: blockBytes } };
}

/** A root whose graph is not whole here stays unpinned, and the answer says so. */
async function pinLine(
  { repository }: KuboDeps,
  root: Cid,
  call: KuboCall,
  write: (cid: Cid) => string,
): Promise<unknown> {
  try {
    await repository.pin(root, { signal: call.signal });
    return { Root: { Cid: link(write(root)), PinErrorMsg: '' } };
  } catch (error) {
    call.signal.throwIfAborted();
    return {
      Root: { Cid: link(write(root)), PinErrorMsg: sentenceOf(error) },
    };
  }
}

function link(cid: string): { readonly '/': string } {
  return { '/': cid };
}

type Result<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly fault: { readonly message: string } };

function must<Value>(result: Result<Value>): Value {
  if (!result.ok) throw new KuboUsageError(result.fault.message);
  return result.value;
}
