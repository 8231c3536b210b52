/** `pin/…`: what the user wants to keep. */
import type { Pin } from '@tequio/ipfs';
import { NodeError } from '@tequio/kernel';
import { value, values } from './kubo-answer.ts';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import { type Cid, cidWriter, resolveCid } from './kubo-path.ts';
import type { KuboDeps, KuboVerbs } from './kubo-verb.ts';

const types = ['all', 'direct', 'indirect', 'recursive'] as const;

export const pinVerbs: KuboVerbs = {
  'pin/add': {
    scope: 'write',
    run: (call, deps) =>
      call.flag('progress') ? values(addWithProgress(call, deps)) : add(call, deps).then(value),
  },
  'pin/rm': { scope: 'write', run: async (call, deps) => value(await remove(call, deps)) },
  'pin/update': { scope: 'write', run: async (call, deps) => value(await update(call, deps)) },
  'pin/ls': {
    scope: 'read',
    run: async (call, deps) =>
      call.flag('stream') ? values(list(call, deps)) : value(await listAll(call, deps)),
  },
  'pin/verify': { scope: 'read', run: (call, deps) => values(verify(call, deps)) },
};

async function add(
  call: KuboCall,
  deps: KuboDeps,
  onProgress?: (blockCount: number) => void,
): Promise<unknown> {
  call.arg(0, 'ipfs-path');
  const mode = call.flag('recursive', true) ? 'recursive' : 'direct';
  const [name, { signal }, write] = [call.text('name'), call, cidWriter(call)];
  const pins: string[] = [];
  for (const path of call.args) {
    const cid = await resolveCid(deps, path, signal);
    await deps.repository.pin(cid, {
      mode,
      signal,
      source: deps.reader,
      ...(name === null ? null : { name }),
      ...(onProgress === undefined ? null : { onProgress }),
    });
    pins.push(write(cid));
  }
  return { Pins: pins };
}

/** Kubo tells twice a second how many blocks it has. */
async function* addWithProgress(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  let blockCount = 0;
  const work = add(call, deps, (count) => {
    blockCount = count;
  });
  for (;;) {
    const done = await Promise.race([work, new Promise<null>((resolve) => setTimeout(resolve, 500, null))]);
    if (done !== null) return yield done;
    yield { Progress: blockCount };
  }
}

async function remove(call: KuboCall, deps: KuboDeps): Promise<unknown> {
  call.arg(0, 'ipfs-path');
  const mode = call.flag('recursive', true) ? 'recursive' : 'direct';
  const write = cidWriter(call);
  const cids = await Promise.all(call.args.map((path) => resolveCid(deps, path, call.signal)));
  for (const cid of cids) {
    if (deps.repository.pins.find(cid) === null) {
      const root = (await indirectOf(deps, [cid]))[0]?.root;
      const message =
        root === undefined ? 'not pinned or pinned indirectly' : `${cid} is pinned indirectly under ${root}`;
      throw new NodeError('IPFS_PIN_NONE', message, { op: 'unpin' });
    }
    deps.repository.unpin(cid, mode);
  }
  return { Pins: cids.map(write) };
}

async function update(call: KuboCall, deps: KuboDeps): Promise<unknown> {
  const [from, to] = [
    await resolveCid(deps, call.arg(0, 'from-path'), call.signal),
    await resolveCid(deps, call.arg(1, 'to-path'), call.signal),
  ];
  await deps.repository.updatePin(from, to, {
    keepOld: !call.flag('unpin', true),
    signal: call.signal,
    source: deps.reader,
  });
  const write = cidWriter(call);
  return { Pins: [write(from), write(to)] };
}

type Listed = { readonly cid: Cid; readonly type: string; readonly name: string };

async function* listed(call: KuboCall, deps: KuboDeps): AsyncGenerator<Listed> {
  const type = call.text('type', 'all');
  if (!types.some((known) => known === type))
    throw new KuboUsageError(`invalid type '${type}', must be one of {direct, indirect, recursive, all}`);
  const wantsName = call.text('name');
  const [pins, { signal }] = [deps.repository.pins, call];
  if (call.args.length > 0) return yield* listedOf(call, deps, type);
  for (const { cid, mode, name } of pins.list())
    if ((type === 'all' || type === mode) && (wantsName === null || name.includes(wantsName)))
      yield { cid, type: mode, name };
  if (type !== 'all' && type !== 'indirect') return;
  if (wantsName !== null) return;
  const found: Cid[] = [];
  await pins.indirect((cid) => void found.push(cid), signal);
  for (const cid of found) yield { cid, type: 'indirect', name: '' };
}

async function* listedOf(call: KuboCall, deps: KuboDeps, type: string): AsyncGenerator<Listed> {
  const cids = await Promise.all(call.args.map((path) => resolveCid(deps, path, call.signal)));
  const indirect = type === 'all' || type === 'indirect' ? await indirectOf(deps, cids) : [];
  for (const [index, cid] of cids.entries()) {
    const pin: Pin | null = deps.repository.pins.find(cid);
    const root = indirect.find(({ cid: kept }) => kept.equals(cid))?.root;
    if (pin !== null && (type === 'all' || type === pin.mode)) yield { cid, type: pin.mode, name: pin.name };
    else if (root !== undefined) yield { cid, type: `indirect through ${root}`, name: '' };
    else throw new KuboUsageError(`path '${call.args[index]}' is not pinned`);
  }
}

async function indirectOf(
  { repository }: KuboDeps,
  cids: readonly Cid[],
): Promise<{ cid: Cid; root: Cid }[]> {
  const found: { cid: Cid; root: Cid }[] = [];
  await repository.pins.indirect((cid, root) => {
    if (cids.some((wanted) => wanted.equals(cid))) found.push({ cid, root });
  });
  return found;
}

async function* list(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  const [write, names, quiet] = [cidWriter(call), hasNames(call), call.flag('quiet')];
  for await (const { cid, type, name } of listed(call, deps))
    yield { Type: quiet ? '' : type, Cid: write(cid), ...(names && name !== '' ? { Name: name } : {}) };
}

async function listAll(call: KuboCall, deps: KuboDeps): Promise<unknown> {
  const [write, names] = [cidWriter(call), hasNames(call)];
  const keys: Record<string, { Type: string; Name: string }> = {};
  for await (const { cid, type, name } of listed(call, deps))
    keys[write(cid)] = { Type: type, Name: names ? name : '' };
  return { Keys: keys };
}

function hasNames(call: KuboCall): boolean {
  return call.flag('names') || call.isGiven('name');
}

async function* verify(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  const [verbose, write] = [call.flag('verbose'), cidWriter(call)];
  for await (const { pin, missing } of deps.repository.pins.verify(call.signal)) {
    const bad = missing.map((cid) => ({ Cid: write(cid), Err: 'it is missing or broken' }));
    if (verbose || bad.length > 0)
      yield { Cid: write(pin.cid), Ok: bad.length === 0, ...(bad.length > 0 ? { BadNodes: bad } : {}) };
  }
}
