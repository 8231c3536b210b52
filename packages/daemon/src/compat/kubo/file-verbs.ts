/** `cat`, `get` and `ls`: files and folders out. */
import { pipeline } from 'node:stream';
import { createGzip } from 'node:zlib';
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
  get: { scope: 'read', run: (call, deps) => bytes(...get(call, deps)) },
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

/** A tape archive; or, compressed and not asked for as one, the file alone. */
function get(call: KuboCall, deps: KuboDeps): [AsyncIterable<Uint8Array>, { readonly type: string }] {
  call.arg(0, 'ipfs-path');
  const level = call.count('compression-level');
  if (level !== null && (level < 1 || level > 9))
    throw new KuboUsageError('compression level must be between 1 and 9');
  const isCompressed = call.flag('compress') || level !== null;
  if (!isCompressed) return [archive(call, deps), { type: 'application/x-tar' }];
  const plain = call.flag('archive') ? archive(call, deps) : regularFile(call, deps);
  const zip = createGzip({ level: level ?? 6 });
  // What goes wrong reaches whoever reads the compressed bytes.
  return [pipeline(plain, zip, () => {}), { type: 'application/gzip' }];
}

async function* archive(call: KuboCall, deps: KuboDeps): AsyncGenerator<Uint8Array> {
  const path = call.arg(0, 'ipfs-path');
  const cid = await resolveCid(deps, path, call.signal);
  yield* exportTar(deps.reader, cid, path.replace(/\/+$/, '').split('/').at(-1)!, call.signal);
}

async function* regularFile(call: KuboCall, deps: KuboDeps): AsyncGenerator<Uint8Array> {
  const cid = await resolveCid(deps, call.arg(0, 'ipfs-path'), call.signal);
  if (isFolder(await getUnixfsNode(deps.reader, cid, call.signal)))
    throw new KuboUsageError('file is not regular');
  yield* exportFile(deps.reader, cid, { signal: call.signal });
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
