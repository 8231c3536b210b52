import { contentFiles, ownFileNumbers } from '../content-files.ts';
import { isAbsolutePath } from '../paths.ts';
import { invalidParams, RpcError, rpcCodes } from './rpc-error.ts';
import { chooseTorrents, type RpcCall, type RpcMethod, torrentsOf } from './session.ts';

const nothing: Readonly<Record<string, unknown>> = {};

/** `torrent_start` and the like: one verb for the chosen torrents. */
function onChosen(act: (call: RpcCall, ids: readonly string[]) => Promise<void>): RpcMethod {
  return async (call) => {
    const { ids } = await chooseTorrents(call, call.args.raw('ids'));
    if (ids.length > 0) await act(call, ids);
    return nothing;
  };
}

export const torrentStart = onChosen((call, ids) => torrentsOf(call).resume(ids));
/** Whatever the queue says. */
export const torrentStartNow = onChosen(async (call, ids) => {
  await torrentsOf(call).patch(ids, { forced: true });
  await torrentsOf(call).resume(ids);
});
export const torrentStop = onChosen((call, ids) => torrentsOf(call).pause(ids));
export const torrentVerify = onChosen((call, ids) => torrentsOf(call).recheck(ids));
export const torrentReannounce = onChosen((call, ids) => torrentsOf(call).announce(ids));
export const torrentRemove = onChosen((call, ids) =>
  torrentsOf(call).remove(ids, { removeContent: call.args.flag('delete_local_data') ?? false }),
);
export const queueMoveTop = onChosen((call, ids) => torrentsOf(call).moveInQueue(ids, 'top'));
export const queueMoveUp = onChosen((call, ids) => torrentsOf(call).moveInQueue(ids, 'up'));
export const queueMoveDown = onChosen((call, ids) => torrentsOf(call).moveInQueue(ids, 'down'));
export const queueMoveBottom = onChosen((call, ids) => torrentsOf(call).moveInQueue(ids, 'bottom'));

/** Content that lies at the new place already is taken as it is; what is at the old one is moved, never left behind. */
export const torrentSetLocation: RpcMethod = (call) => {
  const location = call.args.text('location');
  if (location === null) throw invalidParams('no location');
  if (!isAbsolutePath(location))
    throw new RpcError(rpcCodes.pathNotAbsolute, 'new location path is not absolute');
  return onChosen((inner, ids) => torrentsOf(inner).move(ids, location))(call);
};

/** `torrent_rename_path`: a file or folder inside the torrent, or the torrent itself by its topmost name. */
export const torrentRenamePath: RpcMethod = async (call) => {
  const { ids } = await chooseTorrents(call, call.args.raw('ids'));
  const [id, ...others] = ids;
  if (id === undefined || others.length > 0) throw invalidParams('torrent-rename-path requires 1 torrent');
  const path = call.args.text('path') ?? '';
  const name = call.args.text('name') ?? '';
  if (path === '' || name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name))
    throw invalidParams('Invalid argument');
  const torrents = torrentsOf(call);
  const row = await torrents.get(id);
  const target = [...path.split('/').slice(0, -1), name].join('/');
  const file = (await torrents.files(id)).find((known) => known.path === path);
  if (file !== undefined) await torrents.renameFile(id, file.index, target);
  else await torrents.renameFolder(id, path, target);
  // What the whole torrent is called follows its topmost name.
  if (path === row?.name) await torrents.patch([id], { name });
  return { path, name, id: call.session.numbers.numberOf(id) };
};

/** Sets what `priority_high` and the like say; an empty list means all files. */
export async function setFileWishes(call: RpcCall, id: string): Promise<void> {
  const { args } = call;
  const keys = [
    'files_unwanted',
    'files_wanted',
    'priority_high',
    'priority_low',
    'priority_normal',
  ] as const;
  if (!keys.some((key) => args.has(key))) return;
  const torrents = torrentsOf(call);
  const row = await torrents.get(id);
  if (row === null) return;
  const files = contentFiles(await torrents.files(id), row);
  const chosen = (key: (typeof keys)[number]): readonly number[] => {
    const indices = args.indices(key);
    if (indices === null) return [];
    const wanted = indices.length === 0 ? files.map((_, index) => index) : indices;
    const own = ownFileNumbers(files, wanted);
    if (own === null) throw new RpcError(rpcCodes.fileOutOfRange);
    return own;
  };
  // One priority a file: the latest wish counts, and a file that is not wanted stays so, whatever its priority.
  const priorities = new Map(files.map(({ file }) => [file.index, file.priority]));
  const skipped = new Set(chosen('files_unwanted'));
  for (const index of chosen('files_wanted')) if (priorities.get(index) === 0) priorities.set(index, 4);
  for (const [key, priority] of [
    ['priority_low', 2],
    ['priority_normal', 4],
    ['priority_high', 6],
  ] as const)
    for (const index of chosen(key)) if (priorities.get(index) !== 0) priorities.set(index, priority);
  for (const index of skipped) priorities.set(index, 0);
  const groups = Map.groupBy(
    files.filter(({ file }) => priorities.get(file.index) !== file.priority),
    ({ file }) => priorities.get(file.index)!,
  );
  for (const [priority, group] of groups)
    await torrents.setFilePriorities(
      id,
      group.map(({ file }) => file.index),
      priority,
    );
}
