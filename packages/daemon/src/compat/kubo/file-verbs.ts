/** `cat`, `get` and `ls`: files and folders out. */
import {
  contentBytesOf,
  exportFile,
  exportTar,
  getUnixfsNode,
  listFolder,
  type UnixfsNode,
} from '@tequio/ipfs';
import { bytes, value, values } from './kubo-answer.ts';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import { type Cid, cidWriter, resolveCid } from './kubo-path.ts';
import type { KuboDeps, KuboVerbs } from './kubo-verb.ts';

export const fileVerbs: KuboVerbs = {
  cat: { scope: 'read', run: (call, deps) => bytes(cat(call, deps), { type: 'text/plain' }) },
  get: { scope: 'read', run: (call, deps) => bytes(get(call, deps), { type: 'application/x-tar' }) },
  ls: {
    scope: 'read',
    run: async (call, deps) =>
      call.flag('stream') ? values(list(call, deps)) : value(await listAll(call, deps)),
  },
};

async function* cat(call: KuboCall, deps: KuboDeps): AsyncGenerator<Uint8Array> {
  call.arg(0, 'ipfs-path');
  let [skip, left] = [call.count('offset') ?? 0, call.count('length') ?? Number.POSITIVE_INFINITY];
  for (const path of call.args) {
    const cid = await resolveCid(deps, path, call.signal);
    const node = await getUnixfsNode(deps.reader, cid, call.signal);
    if (isFolder(node)) throw new KuboUsageError('this dag node is a directory');
    const size = contentBytesOf(node);
    const from = Math.min(skip, size);
    const to = Math.min(size, from + left);
    skip -= from;
    if (to <= from) continue;
    left -= to - from;
    yield* exportFile(deps.reader, cid, { from, to, signal: call.signal });
  }
}

async function* get(call: KuboCall, deps: KuboDeps): AsyncGenerator<Uint8Array> {
  const path = call.arg(0, 'ipfs-path');
  if (call.flag('compress')) throw new KuboUsageError('option "compress" is not offered by this node');
  const cid = await resolveCid(deps, path, call.signal);
  const name = path.replace(/\/+$/, '').split('/').at(-1)!;
  yield* exportTar(deps.reader, cid, name, call.signal);
}

type Link = {
  Name: string;
  Hash: string;
  Size: number;
  Type: number;
  Target: string;
  Mode?: string;
  ModTime?: string;
};

async function* links(call: KuboCall, deps: KuboDeps, cid: Cid): AsyncGenerator<Link> {
  const [withSizes, withTypes] = [call.flag('size', true), call.flag('resolve-type', true)];
  const write = cidWriter(call);
  for await (const { name, cid: child } of listFolder(deps.reader, cid, call.signal)) {
    const link = { Name: name, Hash: write(child), Size: 0, Type: 0, Target: '' };
    if (!withSizes && !withTypes) yield link;
    else yield { ...link, ...describe(await getUnixfsNode(deps.reader, child, call.signal)) };
  }
}

/** Numbers of the type as UnixFS counts them. */
function describe(node: UnixfsNode): Pick<Link, 'Size' | 'Type' | 'Target'> & Partial<Link> {
  const { mode, modified } = node;
  return {
    Size: isFolder(node) ? 0 : contentBytesOf(node),
    Type: isFolder(node) ? 1 : node.kind === 'symlink' ? 4 : 2,
    Target: node.kind === 'symlink' ? new TextDecoder().decode(node.data ?? new Uint8Array()) : '',
    ...(mode === null ? {} : { Mode: mode.toString(8).padStart(4, '0') }),
    ...(modified === null
      ? {}
      : { ModTime: new Date(modified.seconds * 1000 + modified.nanoseconds / 1e6).toISOString() }),
  };
}

async function* list(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  call.arg(0, 'ipfs-path');
  for (const path of call.args) {
    const cid = await resolveCid(deps, path, call.signal);
    const node = await getUnixfsNode(deps.reader, cid, call.signal);
    if (!isFolder(node)) yield { Objects: [{ Hash: path, Links: [] }] };
    else for await (const link of links(call, deps, cid)) yield { Objects: [{ Hash: path, Links: [link] }] };
  }
}

async function listAll(call: KuboCall, deps: KuboDeps): Promise<unknown> {
  call.arg(0, 'ipfs-path');
  const objects: unknown[] = [];
  for (const path of call.args) {
    const cid = await resolveCid(deps, path, call.signal);
    const found: Link[] = [];
    const node = await getUnixfsNode(deps.reader, cid, call.signal);
    if (isFolder(node)) for await (const link of links(call, deps, cid)) found.push(link);
    objects.push({ Hash: path, Links: found });
  }
  return { Objects: objects };
}

export function isFolder({ kind }: UnixfsNode): boolean {
  return kind === 'directory' || kind === 'hamt-shard';
}
