/** `torrents/…`: what is done. */
import type { Category, TorrentId, TorrentPatch } from '@tequio/api';
import { contentFiles } from '../content-files.ts';
import { isAbsolutePath } from '../paths.ts';
import { isTrackerUrl } from '../transmission/tracker-rows.ts';
import { badParams, conflict, notFound } from './api-error.ts';
import { type ApiCall, shareGoalOf, torrentOf, torrentsOf } from './caller-state.ts';
import { ownPriority } from './torrent-looks.ts';

type Verb = (call: ApiCall) => Promise<unknown>;
type Torrents = ApiCall['caller']['management']['torrents'];

/** One call for all that are named; none: nothing to do. */
const onAll =
  (act: (torrents: Torrents, ids: readonly TorrentId[], call: ApiCall) => Promise<unknown>): Verb =>
  async (call) => {
    const ids = await torrentsOf(call);
    if (ids.length > 0) await act(call.caller.management.torrents, ids, call);
  };

const patchAll = (patchOf: (call: ApiCall) => TorrentPatch): Verb =>
  onAll((torrents, ids, call) => torrents.patch(ids, patchOf(call)));

/** Each by itself is turned to the other side. */
const toggle = (key: 'sequential' | 'edgesFirst'): Verb =>
  onAll(async (torrents, ids) => {
    for (const id of ids) {
      const row = await torrents.get(id);
      if (row !== null) await torrents.patch([id], { [key]: !row[key] });
    }
  });

/** 0 and below: none. */
const rateOf = (call: ApiCall): number | null => {
  const limit = call.form.number('limit');
  if (limit === null) throw badParams('limit is not a number');
  return limit > 0 ? Math.floor(limit) : null;
};

const tagsOf = (call: ApiCall): readonly string[] => call.form.list('tags', ',');

function folderOf(call: ApiCall, name: string): string {
  const folder = call.form.required(name).trim();
  if (folder === '') throw badParams('Save path cannot be empty');
  if (!isAbsolutePath(folder)) throw conflict('Save path must be absolute');
  return folder;
}

export const torrentVerbs: Readonly<Record<string, Verb>> = {
  start: onAll((torrents, ids) => torrents.resume(ids)),
  stop: onAll((torrents, ids) => torrents.pause(ids)),
  recheck: onAll((torrents, ids) => torrents.recheck(ids)),
  reannounce: onAll((torrents, ids) => torrents.announce(ids)),
  delete: onAll((torrents, ids, { form }) =>
    torrents.remove(ids, { removeContent: form.flag('deleteFiles') ?? false }),
  ),
  topPrio: onAll((torrents, ids) => torrents.moveInQueue(ids, 'top')),
  bottomPrio: onAll((torrents, ids) => torrents.moveInQueue(ids, 'bottom')),
  increasePrio: onAll((torrents, ids) => torrents.moveInQueue(ids, 'up')),
  decreasePrio: onAll((torrents, ids) => torrents.moveInQueue(ids, 'down')),
  setDownloadLimit: patchAll((call) => ({ limitDown: rateOf(call) })),
  setUploadLimit: patchAll((call) => ({ limitUp: rateOf(call) })),
  setForceStart: onAll(async (torrents, ids, { form }) => {
    const forced = form.flag('value') ?? false;
    await torrents.patch(ids, { forced });
    if (forced) await torrents.resume(ids);
  }),
  setSuperSeeding: patchAll(({ form }) => ({ superSeed: form.flag('value') ?? false })),
  setComment: patchAll(({ form }) => ({ comment: form.required('comment') })),
  toggleSequentialDownload: toggle('sequential'),
  toggleFirstLastPiecePrio: toggle('edgesFirst'),
  setShareLimits: onAll(async (torrents, ids, { form, caller }) => {
    const { sharing } = await caller.management.settings.get();
    const shareGoal = shareGoalOf(form, sharing);
    if (shareGoal === undefined) throw badParams('Missing required parameters: ratioLimit, seedingTimeLimit');
    await torrents.patch(ids, { shareGoal });
  }),
  setLocation: onAll((torrents, ids, call) => torrents.move(ids, folderOf(call, 'location'))),
  // There is no automatic management to turn on: a category's folder holds when a torrent is added.
  setAutoManagement: onAll(async () => {}),
  setCategory: onAll((torrents, ids, call) => setCategory(torrents, ids, call)),
  addTags: onAll((torrents, ids, call) => torrents.addTags(ids, tagsOf(call))),
  removeTags: onAll((torrents, ids, call) => torrents.removeTags(ids, tagsOf(call))),
  setTags: patchAll((call) => ({ tags: tagsOf(call) })),
  addPeers,
  setSavePath: async (call) => {
    const ids = await torrentsOf(call, 'id');
    await call.caller.management.torrents.move(ids, folderOf(call, 'path'));
  },
  setDownloadPath: async (call) => {
    await torrentsOf(call, 'id');
    throw conflict('Unfinished content has one place for all torrents: see the folders in the settings.');
  },
  rename: async (call) => {
    const name = call.form.required('name').trim();
    if (name === '') throw conflict('Incorrect torrent name');
    const { id } = await torrentOf(call);
    await call.caller.management.torrents.patch([id], { name });
  },
  renameFile,
  renameFolder: async (call) => {
    const { id } = await torrentOf(call);
    const [from, to] = [call.form.required('oldPath'), call.form.required('newPath')];
    await call.caller.management.torrents.renameFolder(id, from, to);
    call.state.forgetExtras([id]);
  },
  filePrio,
  createCategory: async (call) => putCategory(call, false),
  editCategory: async (call) => putCategory(call, true),
  removeCategories: async ({ form, caller }) => {
    for (const name of form.list('categories', '\n')) await caller.management.torrents.removeCategory(name);
  },
  createTags: (call) => call.caller.management.torrents.putTags(tagsOf(call)),
  deleteTags: (call) => call.caller.management.torrents.dropTags(tagsOf(call)),
};

async function setCategory(torrents: Torrents, ids: readonly TorrentId[], { form }: ApiCall): Promise<void> {
  const name = form.required('category').trim();
  if (name !== '' && !(await torrents.categories()).some((category) => category.name === name))
    throw conflict('Incorrect category name');
  await torrents.patch(ids, { category: name === '' ? null : name });
}

async function putCategory({ form, caller }: ApiCall, isThere: boolean): Promise<void> {
  const { torrents } = caller.management;
  const name = form.required('category').trim();
  if (name === '') throw badParams('Category cannot be empty');
  if (/^\/|\/$|\/\/|\\/.test(name)) throw conflict('Incorrect category name');
  const known = (await torrents.categories()).find((category) => category.name === name);
  if (isThere && known === undefined) throw conflict('Unable to edit category');
  if (!isThere && known !== undefined) throw conflict('Unable to create category');
  const folder = form.text('savePath').trim();
  if (folder !== '' && !isAbsolutePath(folder)) throw conflict('Save path must be absolute');
  const category: Category = {
    name,
    folder: folder === '' ? null : folder,
    finishedFolder: known?.finishedFolder ?? null,
    limits: known?.limits ?? { down: null, up: null },
    shareGoal: known?.shareGoal ?? null,
  };
  await torrents.putCategory(category);
}

/** @returns for each torrent how many were taken and how many were not */
async function addPeers(call: ApiCall): Promise<unknown> {
  const peers = call.form
    .required('peers')
    .split('|')
    .map((peer) => peer.trim());
  const good = peers.filter((peer) => /^(?:\[[0-9a-f:.]+\]|[\w.-]+):\d{1,5}$/i.test(peer));
  if (good.length === 0) throw badParams('No valid peers were specified');
  const ids = await torrentsOf(call);
  const { torrents } = call.caller.management;
  await torrents.addPeers(ids, good);
  const entries = ids.map((id) => [id, { added: good.length, failed: peers.length - good.length }]);
  return Object.fromEntries(entries);
}

async function filePrio(call: ApiCall): Promise<void> {
  const priority = ownPriority(call.form.number('priority') ?? -1);
  if (priority === null) throw badParams('Priority is not valid');
  const row = await torrentOf(call);
  if (row.state === 'metadata') throw conflict("Torrent's metadata has not yet downloaded");
  const { torrents } = call.caller.management;
  const files = contentFiles(await torrents.files(row.id), row);
  const indices = call.form
    .required('id')
    .split('|')
    .map((text) => {
      if (!/^\d+$/.test(text)) throw badParams('File IDs must be integers');
      const own = files[Number(text)]?.file.index;
      if (own === undefined) throw conflict('File ID is not valid');
      return own;
    });
  await torrents.setFilePriorities(row.id, indices, priority);
}

/** By the path of before, or, as programs for 4.0 do it, by its number. */
async function renameFile(call: ApiCall): Promise<void> {
  const { form, caller, state } = call;
  const row = await torrentOf(call);
  const files = contentFiles(await caller.management.torrents.files(row.id), row);
  const path = form.text('oldPath');
  const file = form.has('id')
    ? files[form.number('id') ?? -1]
    : files.find((known) => known.file.path === path);
  if (file === undefined) throw conflict('There is no such file in the torrent');
  const name = form.text('name');
  const folder = file.file.path.slice(0, file.file.path.lastIndexOf('/') + 1);
  await caller.management.torrents.renameFile(
    row.id,
    file.file.index,
    name === '' ? form.required('newPath') : folder + name,
  );
  state.forgetExtras([row.id]);
}

/** The tiers of a torrent's trackers, to be changed. */
async function tiersOf(call: ApiCall, id: TorrentId): Promise<string[][]> {
  const trackers = await call.caller.management.torrents.trackers(id);
  return [...Map.groupBy(trackers, ({ tier }) => tier).values()].map((tier) => tier.map(({ url }) => url));
}

async function setTiers(call: ApiCall, id: TorrentId, tiers: readonly (readonly string[])[]): Promise<void> {
  const kept = tiers.filter((tier) => tier.length > 0);
  await call.caller.management.torrents.setTrackers(id, kept);
  call.state.forgetExtras([id]);
}

/** A line a tracker, an empty line between tiers. */
export async function addTrackers(call: ApiCall): Promise<void> {
  const tiers = call.form
    .required('urls')
    .replaceAll('\r', '')
    .split(/\n\s*\n/)
    .map((tier) =>
      tier
        .split('\n')
        .map((url) => url.trim())
        .filter(isTrackerUrl),
    );
  const ids = await torrentsOf(call, 'hash');
  if (ids.length === 0) throw notFound();
  for (const id of ids) {
    const now = await tiersOf(call, id);
    const added = tiers.map((tier) => tier.filter((url) => !now.flat().includes(url)));
    await setTiers(call, id, [...now, ...added]);
  }
}

export async function removeTrackers(call: ApiCall): Promise<void> {
  const urls = call.form
    .required('urls')
    .split('|')
    .map((url) => decoded(url.trim()));
  const ids = await torrentsOf(call, 'hash');
  if (ids.length === 0) throw notFound();
  let found = false;
  for (const id of ids) {
    const now = await tiersOf(call, id);
    found ||= now.flat().some((url) => urls.includes(url));
    await setTiers(
      call,
      id,
      now.map((tier) => tier.filter((url) => !urls.includes(url))),
    );
  }
  if (!found) throw conflict('No trackers were removed');
}

/** `origUrl` was called `url` later. */
export async function editTracker(call: ApiCall): Promise<void> {
  const { form } = call;
  const was = form.text('origUrl') || form.required('url');
  const { id } = await torrentOf(call);
  const is = form.text('newUrl') || was;
  if (!isTrackerUrl(is)) throw badParams('New tracker URL is invalid');
  const tiers = await tiersOf(call, id);
  if (!tiers.flat().includes(was)) throw conflict('Tracker not found');
  if (is !== was && tiers.flat().includes(is)) throw conflict('New tracker URL already exists');
  await setTiers(
    call,
    id,
    tiers.map((tier) => tier.map((url) => (url === was ? is : url))),
  );
}

/** Clients percent-encode what stands between `|`; what is not encoded right stands for itself. */
function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}

const webUrls = (call: ApiCall): readonly string[] =>
  call.form
    .required('urls')
    .split('|')
    .map((url) => decoded(url.trim()))
    .map((url) => {
      if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) throw badParams(`"${url}" is not a valid URL`);
      return url;
    });

/** What is there, changed. */
async function changeWebSeeds(
  call: ApiCall,
  change: (urls: readonly string[]) => readonly string[],
): Promise<void> {
  const { torrents } = call.caller.management;
  const { id } = await torrentOf(call);
  const now = (await torrents.webSeeds(id)).map(({ url }) => url);
  await torrents.setWebSeeds(id, [...new Set(change(now))]);
}

export const addWebSeeds: Verb = (call) => changeWebSeeds(call, (urls) => [...urls, ...webUrls(call)]);
export const removeWebSeeds: Verb = (call) =>
  changeWebSeeds(call, (urls) => urls.filter((url) => !webUrls(call).includes(url)));
export const editWebSeed: Verb = (call) =>
  changeWebSeeds(call, (urls) => {
    const [was, is] = [call.form.required('origURL'), call.form.required('newURL')];
    if (!urls.includes(was)) throw conflict(`"${was}" is not an existing URL`);
    return urls.map((url) => (url === was ? is : url));
  });
