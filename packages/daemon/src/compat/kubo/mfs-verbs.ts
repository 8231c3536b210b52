/** `files/…`: the tree of files that can be changed (MFS). */
import {
  contentBytesOf,
  type DagRoot,
  exportFile,
  getBlock,
  getUnixfsNode,
  type ImportProfile,
  linksOf,
  listFolder,
  type MfsStat,
} from '@tequio/ipfs';
import { NodeError } from '@tequio/kernel';
import { readMode } from './add-verbs.ts';
import { isFolder } from './file-verbs.ts';
import { readImportProfile } from './import-profile.ts';
import { bytes, nothing, value, values } from './kubo-answer.ts';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import { type Cid, cidWriter, resolveCid } from './kubo-path.ts';
import type { KuboDeps, KuboVerb, KuboVerbs } from './kubo-verb.ts';

export const mfsVerbs: KuboVerbs = {
  'files/stat': { scope: 'read', run: async (call, deps) => value(await stat(call, deps)) },
  'files/ls': {
    scope: 'read',
    run: async (call, deps) => {
      const entries = await list(call, deps);
      return call.flag('stream')
        ? values(each(entries.map((entry) => ({ Entries: [entry] }))))
        : value({ Entries: entries });
    },
  },
  'files/read': { scope: 'read', run: (call, deps) => bytes(read(call, deps), { type: 'text/plain' }) },
  'files/write': change(write),
  'files/mkdir': change(async (call, deps) => deps.mfs.mkdir(pathOf(call), await options(call, deps))),
  'files/cp': change(copy),
  'files/mv': change(move),
  'files/rm': change(remove),
  'files/chmod': change(async (call, deps) =>
    deps.mfs.chmod(pathOf(call, 1), readMode(call.arg(0, 'mode')), await options(call, deps)),
  ),
  'files/touch': change(async (call, deps) =>
    deps.mfs.touch(pathOf(call), timeOf(call), await options(call, deps)),
  ),
  'files/flush': {
    scope: 'write',
    run: async (call, { mfs, repository }) => {
      const cid = await repository.holding(() => mfs.flush(call.args[0] ?? '/'));
      return value({ Cid: cidWriter(call)(cid) });
    },
  },
};

/** No collection comes between a change's blocks and the root that names them. */
function change(work: (call: KuboCall, deps: KuboDeps) => Promise<void>): KuboVerb {
  return {
    scope: 'write',
    run: async (call, deps) => {
      await deps.repository.holding(() => work(call, deps));
      return nothing;
    },
  };
}

type Options = { readonly flush: boolean; readonly parents: boolean; readonly profile: ImportProfile };

/** Files that are written here are laid out for appending, as kubo does. */
async function options(call: KuboCall, { config }: KuboDeps): Promise<Options> {
  const profile = await readImportProfile(call, config);
  return {
    flush: call.flag('flush', true),
    parents: call.flag('parents'),
    profile: { ...profile, layout: 'trickle' },
  };
}

/** @throws KuboUsageError */
function pathOf(call: KuboCall, index = 0): string {
  const path = call.arg(index, 'path');
  if (!path.startsWith('/')) throw new KuboUsageError('paths must start with a leading slash');
  return path;
}

/** Paths that begin with `/ipfs/` are somebody's content, all others lie in the tree. */
function isContent(path: string): boolean {
  return path.startsWith('/ipfs/');
}

async function stat(call: KuboCall, deps: KuboDeps): Promise<unknown> {
  const path = pathOf(call);
  const found = isContent(path) ? await statContent(path, call, deps) : await deps.mfs.stat(path);
  const isDirectory = found.kind === 'directory' || found.kind === 'hamt-shard';
  const { mode, modified } = found;
  const locality = call.flag('with-local') ? { WithLocality: true, ...(await localOf(found.cid, deps)) } : {};
  return {
    Hash: cidWriter(call)(found.cid),
    Size: found.fileBytes,
    CumulativeSize: found.dagBytes,
    Blocks: found.linkCount,
    Type: isDirectory ? 'directory' : found.kind === 'symlink' ? 'symlink' : 'file',
    ...(mode === null ? {} : { Mode: mode.toString(8).padStart(4, '0') }),
    ...(modified === null
      ? {}
      : {
          Mtime: modified.seconds,
          ...(modified.nanoseconds > 0 ? { MtimeNsecs: modified.nanoseconds } : {}),
        }),
    ...locality,
  };
}

async function statContent(path: string, call: KuboCall, deps: KuboDeps): Promise<MfsStat> {
  const cid = await resolveCid(deps, path, call.signal);
  const node = await getUnixfsNode(deps.reader, cid, call.signal);
  const { dagBytes } = await rootOf(cid, call, deps);
  const { kind, mode, modified, links } = node;
  return {
    cid,
    kind,
    fileBytes: isFolder(node) ? 0 : contentBytesOf(node),
    dagBytes,
    linkCount: links.length,
    mode,
    modified,
  };
}

/** How much of a graph is here already. */
async function localOf(
  root: Cid,
  { repository }: KuboDeps,
): Promise<{ readonly Local: boolean; readonly SizeLocal: number }> {
  let [isWhole, size] = [true, 0];
  const seen = new Set<string>();
  const waiting = [root];
  for (let cid = waiting.pop(); cid !== undefined; cid = waiting.pop()) {
    if (seen.has(cid.toString())) continue;
    seen.add(cid.toString());
    const block = await repository.blocks.get(cid);
    if (block === null) isWhole = false;
    else {
      size += block.length;
      const links = linksOf(cid, block);
      if (links.ok) waiting.push(...links.value);
    }
  }
  return { Local: isWhole, SizeLocal: size };
}

type Entry = { readonly Name: string; readonly Type: number; readonly Size: number; readonly Hash: string };

async function list(call: KuboCall, deps: KuboDeps): Promise<readonly Entry[]> {
  if (call.hasEmptyArg) throw new KuboUsageError('paths must start with a leading slash');
  const path = call.args[0] ?? '/';
  const [isLong, write] = [call.flag('long'), cidWriter(call)];
  const entries = isContent(path) ? await listContent(path, call, deps) : await deps.mfs.list(path);
  const found: Entry[] = [];
  for (const { name, cid } of entries) {
    if (!isLong) found.push({ Name: name, Type: 0, Size: 0, Hash: '' });
    else {
      const node = await getUnixfsNode(deps.mfs.blocks, cid, call.signal);
      found.push({
        Name: name,
        Type: isFolder(node) ? 1 : 0,
        Size: isFolder(node) ? 0 : contentBytesOf(node),
        Hash: write(cid),
      });
    }
  }
  return found;
}

async function listContent(
  path: string,
  call: KuboCall,
  deps: KuboDeps,
): Promise<{ name: string; cid: Cid }[]> {
  const cid = await resolveCid(deps, path, call.signal);
  const node = await getUnixfsNode(deps.reader, cid, call.signal);
  if (!isFolder(node)) return [{ name: path.split('/').at(-1)!, cid }];
  const entries: { name: string; cid: Cid }[] = [];
  for await (const entry of listFolder(deps.reader, cid, call.signal)) entries.push(entry);
  return entries;
}

async function* read(call: KuboCall, deps: KuboDeps): AsyncGenerator<Uint8Array> {
  const path = pathOf(call);
  const [from, count] = [call.count('offset') ?? 0, call.count('count')];
  const range = { from, ...(count === null ? {} : { to: from + count }), signal: call.signal };
  if (isContent(path))
    return yield* exportFile(deps.reader, await resolveCid(deps, path, call.signal), range);
  const { kind } = await deps.mfs.stat(path);
  if (kind === 'directory' || kind === 'hamt-shard') throw new KuboUsageError(`${path} is not a file`);
  yield* deps.mfs.read(path, range);
}

async function write(call: KuboCall, deps: KuboDeps): Promise<void> {
  const path = pathOf(call);
  const count = call.count('count');
  const change = await options(call, deps);
  await deps.mfs.write(path, limited(call.content('data'), count), {
    ...change,
    offset: call.count('offset') ?? 0,
    create: call.flag('create'),
    truncate: call.flag('truncate'),
  });
  const mode = call.text('mode');
  if (mode !== null) await deps.mfs.chmod(path, readMode(mode), change);
  if (call.isGiven('mtime')) await deps.mfs.touch(path, timeOf(call), change);
}

/** The first bytes, and no more is read. */
async function* limited(pieces: AsyncIterable<Uint8Array>, count: number | null): AsyncGenerator<Uint8Array> {
  if (count === null) return yield* pieces;
  let left = count;
  for await (const piece of pieces) {
    if (left <= 0) return;
    yield piece.length <= left ? piece : piece.subarray(0, left);
    left -= piece.length;
  }
}

async function copy(call: KuboCall, deps: KuboDeps): Promise<void> {
  const { args } = call;
  if (args.length < 2) throw new KuboUsageError('argument "dest" is required');
  const target = pathOf(call, args.length - 1);
  for (const [index, source] of args.slice(0, -1).entries()) {
    pathOf(call, index);
    if (!isContent(source)) await deps.mfs.copy(source, target, await options(call, deps));
    else {
      const root = await rootOf(await resolveCid(deps, source, call.signal), call, deps);
      const name = source.replace(/\/+$/, '').split('/').at(-1)!;
      await deps.mfs.copy(
        root,
        target.endsWith('/') ? `${target}${name}` : target,
        await options(call, deps),
      );
    }
  }
}

async function move(call: KuboCall, deps: KuboDeps): Promise<void> {
  const { args } = call;
  if (args.length < 2) throw new KuboUsageError('argument "dest" is required');
  const target = pathOf(call, args.length - 1);
  for (const index of args.slice(0, -1).keys())
    await deps.mfs.move(pathOf(call, index), target, await options(call, deps));
}

async function remove(call: KuboCall, deps: KuboDeps): Promise<void> {
  call.arg(0, 'path');
  const [recursive, force] = [call.flag('recursive') || call.flag('force'), call.flag('force')];
  const change = await options(call, deps);
  for (const index of call.args.keys()) {
    const path = pathOf(call, index);
    if (path === '/') throw new KuboUsageError('cannot delete root');
    await deps.mfs.remove(path, { ...change, recursive }).catch((error: unknown) => {
      if (error instanceof NodeError && error.code === 'IPFS_FILES_FOLDER')
        throw new KuboUsageError(`${path} is a directory, use -r to remove directories`);
      if (!force) throw error;
    });
  }
}

/** A block with the size of all that hangs on it, as its own links say. */
async function rootOf(cid: Cid, call: KuboCall, deps: KuboDeps): Promise<DagRoot> {
  const block = await getBlock(deps.reader, cid, call.signal);
  const node = await getUnixfsNode(deps.reader, cid, call.signal);
  const dagBytes = node.links.reduce((sum, link) => sum + (link.dagBytes ?? 0), block.length);
  return { cid, dagBytes, fileBytes: isFolder(node) ? 0 : contentBytesOf(node) };
}

function timeOf(call: KuboCall): { readonly seconds: number; readonly nanoseconds: number } | null {
  const text = call.text('mtime');
  if (text === null) return null;
  if (!/^-?\d{1,12}$/.test(text))
    throw new KuboUsageError(`option "mtime" is seconds since 1970, not "${text}"`);
  return { seconds: Number(text), nanoseconds: call.count('mtime-nsecs') ?? 0 };
}

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}
