/** `refs`: what links to what. */
import { linksOf } from '@tequio/ipfs';
import { mustGet } from './block-verbs.ts';
import { values } from './kubo-answer.ts';
import { type KuboCall, KuboUsageError } from './kubo-call.ts';
import { type Cid, cidWriter, resolveCid } from './kubo-path.ts';
import type { KuboDeps, KuboVerbs } from './kubo-verb.ts';

export const refVerbs: KuboVerbs = {
  refs: { scope: 'read', run: (call, deps) => values(refs(call, deps)) },
  'refs/local': { scope: 'read', run: (_, deps) => values(local(deps)) },
};

type Place = { readonly cid: Cid; readonly depth: number };

/** Each link in the order of a walk that goes down first. */
async function* refs(call: KuboCall, deps: KuboDeps): AsyncGenerator<unknown> {
  call.arg(0, 'ipfs-path');
  const [write, unique, format] = [cidWriter(call), call.flag('unique'), formatOf(call)];
  const depthMax = depthOf(call);
  const told = new Set<string>();
  for (const path of call.args) {
    // A block that was looked into at this depth or higher has nothing new below it.
    const seenAt = new Map<string, number>();
    const waiting: Place[] = [{ cid: await resolveCid(deps, path, call.signal), depth: 0 }];
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      if (depthMax !== null && place.depth >= depthMax) continue;
      const { cid, depth } = place;
      const key = cid.toString();
      if (unique && (seenAt.get(key) ?? Number.POSITIVE_INFINITY) <= depth) continue;
      seenAt.set(key, depth);
      const links = linksOf(cid, await mustGet(deps, cid, call.signal));
      if (!links.ok) throw new KuboUsageError(links.fault.message);
      for (const child of links.value) {
        const text = write(child);
        if (unique && told.has(text)) continue;
        if (unique) told.add(text);
        yield { Ref: format(write(cid), text), Err: '' };
      }
      waiting.push(...links.value.toReversed().map((child) => ({ cid: child, depth: depth + 1 })));
    }
  }
}

function depthOf(call: KuboCall): number | null {
  if (!call.flag('recursive')) return 1;
  const text = call.text('max-depth', '-1');
  if (text === '-1') return null;
  return call.count('max-depth');
}

function formatOf(call: KuboCall): (from: string, to: string) => string {
  const format = call.text('format', call.flag('edges') ? '<src> -> <dst>' : '<dst>');
  if (call.flag('edges') && call.isGiven('format'))
    throw new KuboUsageError('using format argument with edges is not allowed');
  return (from, to) => format.replaceAll('<src>', from).replaceAll('<dst>', to).replaceAll('<linkname>', '');
}

async function* local({ repository }: KuboDeps): AsyncGenerator<unknown> {
  for await (const cid of repository.blocks.list()) yield { Ref: cid.toString(), Err: '' };
}
