/** `repo/…`, `version` and what else a node says of itself. */
import { cidOfKey, verifyBlocks } from '@tequio/ipfs';
import { value, values } from './kubo-answer.ts';
import type { KuboCall } from './kubo-call.ts';
import type { KuboDeps, KuboVerbs } from './kubo-verb.ts';

/** The version of kubo whose interface this is: clients compare it. */
const interfaceVersion = '0.42.0';

export const repoVerbs: KuboVerbs = {
  version: {
    scope: 'read',
    run: (_, { version }) =>
      value({
        Version: interfaceVersion,
        Commit: `tequio-${version}`,
        Repo: '18',
        System: 'tequio',
        Golang: '',
      }),
  },
  'repo/version': { scope: 'read', run: () => value({ Version: 'fs-repo@18' }) },
  'repo/stat': { scope: 'read', run: (call, deps) => value(stat(call, deps)) },
  'stats/repo': { scope: 'read', run: (call, deps) => value(stat(call, deps)) },
  'repo/gc': { scope: 'write', run: (call, deps) => values(collect(call, deps)) },
  'repo/verify': { scope: 'read', run: (call, deps) => values(verify(call, deps)) },
};

function stat(call: KuboCall, { repository, node }: KuboDeps): unknown {
  const { blockCount, diskBytes, quotaBytes } = repository.blocks.state();
  const sizes = { RepoSize: diskBytes, StorageMax: quotaBytes ?? Number.MAX_SAFE_INTEGER };
  if (call.flag('size-only')) return sizes;
  return { ...sizes, NumObjects: blockCount, RepoPath: node.repositoryFolder, Version: 'fs-repo@18' };
}

async function* collect(call: KuboCall, { repository }: KuboDeps): AsyncGenerator<unknown> {
  const removed: string[] = [];
  await repository.collect({
    signal: call.signal,
    onRemoved: (key) => void removed.push(cidOfKey(key).toString()),
  });
  if (call.flag('silent')) return;
  for (const cid of removed) yield { Key: { '/': cid } };
}

async function* verify(call: KuboCall, { repository }: KuboDeps): AsyncGenerator<unknown> {
  const { checkedCount, corrupt } = await verifyBlocks(repository.blocks, { signal: call.signal });
  for (const cid of corrupt) yield { Msg: `block ${cid} was corrupt and is dropped`, Progress: 0 };
  // No error at the end: an answer that is cut takes the names with it that were just written.
  const found =
    corrupt.length === 0
      ? 'all blocks validated.'
      : `${corrupt.length} of ${checkedCount} blocks were corrupt and are dropped: fetch them again.`;
  yield { Msg: `verify complete, ${found}`, Progress: checkedCount };
}
