/** The methods of aria2's RPC interface: aria2c's manual, section RPC interface. */
import type { ListedTorrent } from '@tequio/api';
import { tryFromBase64 } from '../base64.ts';
import { contentFiles } from '../content-files.ts';
import { readTorrentSource } from '../torrent-source.ts';
import { Aria2Error } from './aria2-error.ts';
import * as options from './aria2-options.ts';
import * as params from './aria2-session.ts';
import { type Aria2Call, type Aria2Method, allRows, learnGids, rowParam } from './aria2-session.ts';
import { type Aria2Struct, filesOf, peersOf, statusOf, tellStatus } from './aria2-status.ts';

/** What this API behaves as. */
export const aria2Version = '1.37.0';

const tell = (call: Aria2Call, row: ListedTorrent, wanted: readonly string[]): Promise<Aria2Struct> =>
  tellStatus(call.caller.management.torrents, row, call.session.gids.gidOf(row.id), wanted);

/** From an offset, or from the end backwards when it is below 0. */
function page<Item>(items: readonly Item[], offset: number, count: number): readonly Item[] {
  if (count < 0) throw new Aria2Error('The integer parameter at 1 must be greater than or equal to 0.');
  if (offset >= 0) return items.slice(offset, offset + count);
  const end = items.length + offset + 1;
  return end <= 0 ? [] : items.slice(Math.max(0, end - count), end).reverse();
}

const tellGroup =
  (isIn: (row: ListedTorrent) => boolean): Aria2Method =>
  async (call) => {
    const rows = (await allRows(call)).filter(isIn);
    const some = page(rows, params.numberParam(call, 0), params.numberParam(call, 1));
    return Promise.all(some.map((row) => tell(call, row, params.namesParam(call, 2))));
  };

const tellStopped: Aria2Method = async (call) => {
  const wanted = params.namesParam(call, 2);
  const rows = (await allRows(call)).filter((row) => ['complete', 'error'].includes(statusOf(row)));
  const all: (() => Promise<Aria2Struct>)[] = [
    ...rows.map((row) => () => tell(call, row, wanted)),
    ...[...call.session.removed.values()].map((status) => async () => chosen(status, wanted)),
  ];
  return Promise.all(
    page(all, params.numberParam(call, 0), params.numberParam(call, 1)).map((read) => read()),
  );
};

const chosen = (status: Aria2Struct, wanted: readonly string[]): Aria2Struct =>
  wanted.length === 0
    ? status
    : Object.fromEntries(Object.entries(status).filter(([key]) => wanted.includes(key)));

export const aria2Looks: Readonly<Record<string, Aria2Method>> = {
  'aria2.tellStatus': async (call) => {
    const gid = params.textParam(call, 0);
    const wanted = params.namesParam(call, 1);
    const removed = call.session.removed.get(gid);
    if (removed !== undefined && (await params.idOf(call, gid)) === null) return chosen(removed, wanted);
    return tell(call, await rowParam(call), wanted);
  },
  'aria2.tellActive': async (call) => {
    const rows = (await allRows(call)).filter((row) => statusOf(row) === 'active');
    return Promise.all(rows.map((row) => tell(call, row, params.namesParam(call, 0))));
  },
  'aria2.tellWaiting': tellGroup((row) => ['waiting', 'paused'].includes(statusOf(row))),
  'aria2.tellStopped': tellStopped,
  'aria2.getFiles': async (call) => filesOf(call.caller.management.torrents, await rowParam(call)),
  'aria2.getPeers': async (call) => peersOf(call.caller.management.torrents, await rowParam(call)),
  'aria2.getUris': async (call) =>
    (await call.caller.management.torrents.webSeeds((await rowParam(call)).id)).map(({ url, state }) => ({
      uri: url,
      status: state === 'working' ? 'used' : 'waiting',
    })),
  'aria2.getServers': async (call) => {
    const seeds = await call.caller.management.torrents.webSeeds((await rowParam(call)).id);
    const working = seeds.filter(({ state }) => state === 'working');
    if (working.length === 0) return [];
    const servers = working.map(({ url, downRate }) => ({
      uri: url,
      currentUri: url,
      downloadSpeed: String(Math.floor(downRate)),
    }));
    return [{ index: '1', servers }];
  },
  'aria2.getOption': async (call) => {
    const { settings, status } = call.caller.management;
    const now = await settings.get();
    // Those of the node hold where the download has none of its own.
    const general = options.globalOptions(now, await status.status());
    return { ...general, ...options.torrentOptions(await rowParam(call), now.sharing) };
  },
  'aria2.getGlobalOption': async ({ caller }) =>
    options.globalOptions(await caller.management.settings.get(), await caller.management.status.status()),
  'aria2.getGlobalStat': async (call) => {
    const { totals } = await call.caller.management.status.status();
    const groups = Map.groupBy(await allRows(call), statusOf);
    const countOf = (...names: ReturnType<typeof statusOf>[]): number =>
      names.reduce((sum, name) => sum + (groups.get(name)?.length ?? 0), 0);
    const stopped = String(countOf('complete', 'error') + call.session.removed.size);
    return {
      downloadSpeed: String(Math.floor(totals.downRate)),
      uploadSpeed: String(Math.floor(totals.upRate)),
      numActive: String(countOf('active')),
      numWaiting: String(countOf('waiting', 'paused')),
      numStopped: stopped,
      numStoppedTotal: stopped,
    };
  },
  'aria2.getVersion': async () => ({
    version: aria2Version,
    enabledFeatures: ['Async DNS', 'BitTorrent', 'GZip', 'HTTPS', 'Message Digest'],
  }),
};

/** Adds a torrent and sets what can be set only when its files are known. */
async function add(
  call: Aria2Call,
  source: Parameters<typeof call.caller.management.torrents.add>[0]['source'],
  wishes: options.Aria2Options,
  position: unknown,
  webSeeds: readonly string[],
): Promise<string> {
  const { torrents, settings } = call.caller.management;
  const { sharing } = await settings.get();
  const gid = wishes['gid']?.toLowerCase();
  if (gid !== undefined && !/^[0-9a-f]{16}$/.test(gid)) throw new Aria2Error('Invalid GID.');
  const selected = wishes['select-file'];
  const given = options.addOptions(wishes, sharing);
  const waits = selected !== undefined && given.paused !== true && 'torrent' in source;
  const { id, known } = await torrents.add({
    ...given,
    source,
    paused: given.paused === true || waits,
    ...(position === 0 ? { toTopOfQueue: true } : {}),
  });
  await learnGids(call);
  if (known) throw new Aria2Error(`InfoHash ${id.slice(0, 40)} is already registered.`);
  if (gid !== undefined && !call.session.gids.choose(id, gid))
    throw new Aria2Error(`GID#${gid} is not unique.`);
  if (webSeeds.length > 0) await torrents.setWebSeeds(id, webSeeds);
  if (selected !== undefined) await selectFiles(call, id, selected);
  if (waits) await torrents.resume([id]);
  return call.session.gids.gidOf(id);
}

async function selectFiles({ caller }: Aria2Call, id: string, text: string): Promise<void> {
  const { torrents } = caller.management;
  const row = await torrents.get(id);
  if (row === null || row.state === 'metadata') return;
  const numbers = new Set(options.fileNumbers(text));
  const files = contentFiles(await torrents.files(id), row);
  const [wanted, others] = [true, false].map((isWanted) =>
    files
      .filter((_, index) => (numbers.size === 0 || numbers.has(index + 1)) === isWanted)
      .map(({ file }) => file.index),
  ) as [number[], number[]];
  if (others.length > 0) await torrents.setFilePriorities(id, others, 0);
  if (wanted.length > 0) await torrents.setFilePriorities(id, wanted, 4);
}

/** Acts on one download and says its gid. */
const onOne =
  (act: (call: Aria2Call, row: ListedTorrent, gid: string) => Promise<void>): Aria2Method =>
  async (call) => {
    const row = await rowParam(call);
    const gid = call.session.gids.gidOf(row.id);
    await act(call, row, gid);
    return gid;
  };

const pause = onOne(async (call, row, gid) => {
  const status = statusOf(row);
  if (status !== 'active' && status !== 'waiting') throw new Aria2Error(`GID#${gid} cannot be paused now`);
  await call.caller.management.torrents.pause([row.id]);
  call.session.tell('aria2.onDownloadPause', gid);
});

const remove = onOne(async (call, row, gid) => {
  const status = await tell(call, row, []);
  await call.caller.management.torrents.remove([row.id]);
  call.session.rememberRemoved(gid, status);
});

/** All of some kind. */
const onAll =
  (isMeant: (row: ListedTorrent) => boolean, verb: 'pause' | 'resume'): Aria2Method =>
  async (call) => {
    const rows = (await allRows(call)).filter(isMeant);
    if (rows.length > 0) await call.caller.management.torrents[verb](rows.map(({ id }) => id));
    const name = verb === 'pause' ? 'aria2.onDownloadPause' : 'aria2.onDownloadStart';
    for (const { id } of rows) call.session.tell(name, call.session.gids.gidOf(id));
    return 'OK';
  };

const pauseAll = onAll((row) => ['active', 'waiting'].includes(statusOf(row)), 'pause');

const changePosition: Aria2Method = async (call) => {
  const row = await rowParam(call);
  const [place, how] = [params.numberParam(call, 1), params.textParam(call, 2)];
  const waiting = (await allRows(call)).filter(
    ({ id, queuePosition }) => id === row.id || queuePosition !== null,
  );
  const now = waiting.findIndex(({ id }) => id === row.id);
  const last = waiting.length - 1;
  const base = new Map([
    ['POS_SET', 0],
    ['POS_CUR', now],
    ['POS_END', last],
  ]).get(how);
  if (base === undefined) throw new Aria2Error('Illegal argument.');
  const target = Math.min(last, Math.max(0, base + place));
  const { torrents } = call.caller.management;
  for (let at = now; at !== target; at += target < now ? -1 : 1)
    await torrents.moveInQueue([row.id], target < now ? 'up' : 'down');
  return target;
};

const changeUri: Aria2Method = async (call) => {
  const { torrents } = call.caller.management;
  const { id } = await rowParam(call);
  const [gone, come] = [params.namesParam(call, 2), params.namesParam(call, 3)];
  const now = (await torrents.webSeeds(id)).map(({ url }) => url);
  const kept = now.filter((url) => !gone.includes(url));
  await torrents.setWebSeeds(id, [...kept, ...come]);
  return [now.length - kept.length, come.length];
};

export const aria2Verbs: Readonly<Record<string, Aria2Method>> = {
  'aria2.addUri': async (call) => {
    const [uri, ...others] = params.namesParam(call, 0);
    if (uri === undefined) throw new Aria2Error('URI is not provided.');
    if (others.length > 0) throw new Aria2Error('This node downloads torrents: give one link to one.');
    const source = await readTorrentSource(uri, call.caller, call.ports);
    return add(call, source, options.readOptions(call.params[1]), call.params[2], []);
  },
  'aria2.addTorrent': async (call) => {
    const torrent = tryFromBase64(params.textParam(call, 0));
    if (torrent === null) throw new Aria2Error('The torrent is no base64.');
    const wishes = options.readOptions(call.params[2]);
    return add(call, { torrent }, wishes, call.params[3], params.namesParam(call, 1));
  },
  'aria2.addMetalink': async () => {
    throw new Aria2Error('This node knows no Metalink.');
  },
  'aria2.remove': remove,
  'aria2.forceRemove': remove,
  'aria2.pause': pause,
  'aria2.forcePause': pause,
  'aria2.pauseAll': pauseAll,
  'aria2.forcePauseAll': pauseAll,
  'aria2.unpause': onOne(async (call, row, gid) => {
    if (row.state !== 'paused') throw new Aria2Error(`GID#${gid} cannot be unpaused now`);
    await call.caller.management.torrents.resume([row.id]);
    call.session.tell('aria2.onDownloadStart', gid);
  }),
  'aria2.unpauseAll': onAll((row) => statusOf(row) === 'paused', 'resume'),
  'aria2.changePosition': changePosition,
  'aria2.changeUri': changeUri,
  'aria2.changeOption': async (call) => {
    const { torrents, settings } = call.caller.management;
    const row = await rowParam(call);
    const wishes = options.readOptions(call.params[1]);
    const patch = options.torrentPatch(wishes, (await settings.get()).sharing);
    if (Object.keys(patch).length > 0) await torrents.patch([row.id], patch);
    if (wishes['select-file'] !== undefined) await selectFiles(call, row.id, wishes['select-file']);
    const folder = options.folderOf(wishes);
    if (folder !== undefined && folder !== row.folder) await torrents.move([row.id], folder);
    return 'OK';
  },
  'aria2.changeGlobalOption': async ({ caller, params: [given] }) => {
    const { settings } = caller.management;
    const patch = options.globalPatch(options.readOptions(given), await settings.get());
    if (Object.keys(patch).length > 0) await settings.patch(patch);
    return 'OK';
  },
  // What has ended stays on this node until it is removed by its gid: others may look at it too.
  'aria2.purgeDownloadResult': async ({ session }) => {
    session.removed.clear();
    return 'OK';
  },
  'aria2.removeDownloadResult': async (call) => {
    const gid = params.textParam(call, 0);
    if (call.session.removed.delete(gid)) return 'OK';
    const row = await rowParam(call);
    if (!['complete', 'error'].includes(statusOf(row)))
      throw new Aria2Error(`Could not remove download result of GID#${gid}`);
    await call.caller.management.torrents.remove([row.id]);
    return 'OK';
  },
  'aria2.saveSession': async () => 'OK',
  'aria2.shutdown': async ({ caller }) => {
    await caller.management.status.shutdown();
    return 'OK';
  },
  'aria2.forceShutdown': async ({ caller }) => {
    await caller.management.status.shutdown();
    return 'OK';
  },
};

export const aria2Notifications = [
  'aria2.onDownloadStart',
  'aria2.onDownloadPause',
  'aria2.onDownloadStop',
  'aria2.onDownloadComplete',
  'aria2.onDownloadError',
  'aria2.onBtDownloadComplete',
] as const;
