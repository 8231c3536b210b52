/** `object/patch/…`, all that kubo has left of `object`: links of dag-pb nodes, one at a time. */
import {
  codecs,
  type DagPbLink,
  type DagPbNode,
  decodeDagPb,
  encodeDagPb,
  makeCid,
  tryDigest,
} from '@tequio/ipfs';
import { mustGet } from './block-verbs.ts';
import { value } from './kubo-answer.ts';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import { type Cid, cidWriter, resolveCid } from './kubo-path.ts';
import type { KuboDeps, KuboVerbs } from './kubo-verb.ts';

const sha256Code = 0x12;
const depthMax = 256;
/** A folder without anything in it, as UnixFS writes it. */
const emptyFolder: DagPbNode = { links: [], data: Uint8Array.of(0x08, 0x01) };

export const objectVerbs: KuboVerbs = {
  'object/patch/add-link': {
    scope: 'write',
    run: async (call, deps) => {
      const root = await resolveCid(deps, call.arg(0, 'root'), call.signal);
      const child = await resolveCid(deps, call.arg(2, 'ref'), call.signal);
      const dagBytes = await dagBytesOf(child, call, deps);
      const edit: Edit = (links, name) => [
        ...links.filter((link) => link.name !== name),
        { cid: child, name, dagBytes },
      ];
      return value(await patch(root, edit, call.flag('create'), call, deps));
    },
  },
  'object/patch/rm-link': {
    scope: 'write',
    run: async (call, deps) => {
      const root = await resolveCid(deps, call.arg(0, 'root'), call.signal);
      const edit: Edit = (links, name) => {
        const left = links.filter((link) => link.name !== name);
        if (left.length === links.length) throw new KuboUsageError(`no link by that name: "${name}"`);
        return left;
      };
      return value(await patch(root, edit, false, call, deps));
    },
  },
  ...Object.fromEntries(
    ['data', 'diff', 'get', 'links', 'new', 'put', 'stat', 'patch/append-data', 'patch/set-data'].map(
      (name) => [
        `object/${name}`,
        {
          scope: 'read' as const,
          run: () => {
            throw new KuboUsageError(`removed, use 'ipfs dag' or 'ipfs files' instead`);
          },
        },
      ],
    ),
  ),
};

type Edit = (links: readonly DagPbLink[], name: string) => readonly DagPbLink[];

async function patch(
  root: Cid,
  edit: Edit,
  create: boolean,
  call: KuboCall,
  deps: KuboDeps,
): Promise<unknown> {
  const segments = call
    .arg(1, 'name')
    .split('/')
    .filter((segment) => segment !== '');
  if (segments.length === 0 || segments.length > depthMax) throw new KuboUsageError('the link needs a name');
  const { cid } = await deps.repository.holding(async (keep) => {
    const made = await changed(root, segments, edit, create, call, deps);
    await keep(made.cid);
    return made;
  });
  return { Hash: cidWriter(call)(cid), Links: [] };
}

type Made = { readonly cid: Cid; readonly dagBytes: number };

/** @param at null: it does not exist yet */
async function changed(
  at: Cid | null,
  [name, ...below]: readonly string[],
  edit: Edit,
  create: boolean,
  call: KuboCall,
  deps: KuboDeps,
): Promise<Made> {
  const node = at === null ? emptyFolder : await nodeOf(at, call, deps);
  if (below.length === 0) return store(at, { ...node, links: edit(node.links, name!) }, deps);
  const old = node.links.find((link) => link.name === name);
  if (old === undefined && !create) throw new KuboUsageError(`no link by that name: "${name}"`);
  const child = await changed(old?.cid ?? null, below, edit, create, call, deps);
  const links = node.links.filter((link) => link !== old);
  return store(at, { ...node, links: [...links, { ...child, name: name! }] }, deps);
}

async function nodeOf(cid: Cid, call: KuboCall, deps: KuboDeps): Promise<DagPbNode> {
  if (cid.code !== codecs['dag-pb']) throw new KuboUsageError(`${cid} has no links with names (dag-pb)`);
  const node = decodeDagPb(await mustGet(deps, cid, call.signal));
  if (!node.ok) throw new KuboUsageError(node.fault.message);
  return node.value;
}

/** Of the version that the changed one had. */
async function store(old: Cid | null, node: DagPbNode, deps: KuboDeps): Promise<Made> {
  const block = encodeDagPb(node.links, node.data);
  const named = makeCid(codecs['dag-pb'], sha256Code, tryDigest(deps.hashes, sha256Code, block, 32)!);
  const cid = old?.version === 1 ? named : named.toV0();
  await deps.repository.blocks.put([{ cid, bytes: block }]);
  return { cid, dagBytes: sizeOf(node, block) };
}

async function dagBytesOf(cid: Cid, call: KuboCall, deps: KuboDeps): Promise<number> {
  const block = await mustGet(deps, cid, call.signal);
  if (cid.code !== codecs['dag-pb']) return block.length;
  const node = decodeDagPb(block);
  return node.ok ? sizeOf(node.value, block) : block.length;
}

function sizeOf({ links }: DagPbNode, block: Uint8Array): number {
  return links.reduce((sum, { dagBytes }) => sum + (dagBytes ?? 0), block.length);
}
