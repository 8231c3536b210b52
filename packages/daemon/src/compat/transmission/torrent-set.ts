import type { ShareGoal, TorrentPatch, TrackerSnapshot } from '@tequio/api';
import { isAbsolutePath } from '../paths.ts';
import { invalidParams, RpcError, rpcCodes } from './rpc-error.ts';
import { chooseTorrents, type RpcCall, torrentsOf } from './session.ts';
import { setFileWishes } from './torrent-actions.ts';
import { goalModes } from './torrent-fields.ts';
import { isTrackerUrl, parseTrackerList } from './tracker-rows.ts';

/** `torrent_set`: docs/rpc-spec.md, section 3.2. */
export async function torrentSet(call: RpcCall): Promise<Record<string, unknown>> {
  const { args } = call;
  const { ids } = await chooseTorrents(call, args.raw('ids'));
  if (ids.length === 0) return {};
  const torrents = torrentsOf(call);
  const location = args.text('location');
  if (location !== null && !isAbsolutePath(location))
    throw new RpcError(rpcCodes.pathNotAbsolute, 'new location path is not absolute');
  const patch = simplePatch(call);
  if (Object.keys(patch).length > 0) await torrents.patch(ids, patch);
  for (const id of ids) {
    await setOwnLimits(call, id);
    await setShareGoal(call, id);
    await setFileWishes(call, id);
    await setTrackers(call, id);
  }
  const place = args.number('queue_position');
  if (place !== null) await moveTo(call, ids, place);
  if (location !== null) await torrents.move(ids, location);
  return {};
}

/** What is the same for all chosen torrents, whatever they were. */
function simplePatch({ args }: RpcCall): TorrentPatch {
  const labels = args.texts('labels');
  const sequential = args.flag('sequential_download');
  return {
    ...(labels === null ? {} : { tags: checkedLabels(labels) }),
    ...(sequential === null ? {} : { sequential }),
  };
}

/** @throws RpcError as Transmission does for one that is empty or holds a comma */
export function checkedLabels(labels: readonly string[]): readonly string[] {
  const trimmed = labels.map((label) => label.trim());
  if (trimmed.includes('')) throw invalidParams('labels cannot be empty');
  if (trimmed.some((label) => label.includes(',')))
    throw invalidParams('labels cannot contain comma (,) character');
  return [...new Set(trimmed)];
}

/** A limit in kB/s and whether it holds are two arguments, and either may come alone. */
async function setOwnLimits({ args, ...call }: RpcCall, id: string): Promise<void> {
  const keys = ['download_limit', 'download_limited', 'upload_limit', 'upload_limited'];
  if (!keys.some((key) => args.has(key))) return;
  const { torrents } = call.caller.management;
  const row = await torrents.get(id);
  const merged = (
    limit: number | null,
    limited: boolean | null,
    now: number | null,
  ): number | null | undefined => {
    if (limited === false) return null;
    // A limit that does not hold is remembered by Transmission, and by nobody here.
    if (limit !== null && (limited === true || now !== null)) return Math.max(1, Math.round(limit * 1000));
    return undefined;
  };
  const limitDown = merged(
    args.number('download_limit'),
    args.flag('download_limited'),
    row?.limitDown ?? null,
  );
  const limitUp = merged(args.number('upload_limit'), args.flag('upload_limited'), row?.limitUp ?? null);
  const patch = {
    ...(limitDown === undefined ? {} : { limitDown }),
    ...(limitUp === undefined ? {} : { limitUp }),
  };
  if (Object.keys(patch).length > 0) await torrents.patch([id], patch);
}

async function setShareGoal({ args, caller }: RpcCall, id: string): Promise<void> {
  const [ratio, ratioMode] = [args.number('seed_ratio_limit'), args.number('seed_ratio_mode')];
  const [idle, idleMode] = [args.number('seed_idle_limit'), args.number('seed_idle_mode')];
  if (ratio === null && ratioMode === null && idle === null && idleMode === null) return;
  const { torrents, settings } = caller.management;
  const [row, { sharing }] = [await torrents.get(id), await settings.get()];
  const was = row?.shareGoal ?? null;
  const wasMode = (limit: number | null | undefined): number =>
    was === null ? goalModes.session : limit == null ? goalModes.unlimited : goalModes.own;
  const modes = {
    // A limit without a word on whether it holds: Transmission remembers it and goes on as before.
    ratio: ratioMode ?? wasMode(was?.ratio),
    idle: idleMode ?? wasMode(was?.idleMinutes),
  };
  if (modes.ratio === goalModes.session && modes.idle === goalModes.session) {
    if (was !== null) await torrents.patch([id], { shareGoal: null });
    return;
  }
  const measure = (
    mode: number,
    given: number | null,
    own: number | null | undefined,
    node: number | null,
  ) => (mode === goalModes.unlimited ? null : mode === goalModes.session ? node : (given ?? own ?? node));
  const shareGoal: ShareGoal = {
    ratio: measure(modes.ratio, ratio, was?.ratio, sharing.ratio),
    idleMinutes: measure(modes.idle, idle, was?.idleMinutes, sharing.idleMinutes),
    seedingMinutes: was?.seedingMinutes ?? null,
    action: was?.action ?? 'pause',
  };
  await torrents.patch([id], { shareGoal });
}

/** `tracker_list` whole, or the older `tracker_add`, `tracker_remove` (by id), `tracker_replace` (id, URL, …). */
async function setTrackers({ args, caller }: RpcCall, id: string): Promise<void> {
  const { torrents } = caller.management;
  const list = args.text('tracker_list');
  if (list !== null) {
    const tiers = parseTrackerList(list);
    if (tiers === null) throw new RpcError(rpcCodes.invalidTrackerList);
    return torrents.setTrackers(id, tiers);
  }
  const [added, removed, replaced] = [
    args.texts('tracker_add'),
    args.indices('tracker_remove'),
    args.list('tracker_replace'),
  ];
  if (added === null && removed === null && replaced === null) return;
  const trackers = await torrents.trackers(id);
  const urls: (string | null)[] = trackers.map(({ url }) => url);
  for (let at = 0; at + 1 < (replaced?.length ?? 0); at += 2) {
    const [index, url] = [replaced![at], replaced![at + 1]];
    if (
      typeof index !== 'number' ||
      typeof url !== 'string' ||
      urls[index] === undefined ||
      !isTrackerUrl(url)
    )
      throw new RpcError(rpcCodes.setAnnounceList);
    urls[index] = url;
  }
  for (const index of removed ?? []) {
    if (urls[index] === undefined) throw new RpcError(rpcCodes.setAnnounceList);
    urls[index] = null;
  }
  const tiers = keptTiers(trackers, urls);
  for (const url of added ?? []) {
    if (!isTrackerUrl(url)) throw new RpcError(rpcCodes.setAnnounceList);
    if (!tiers.flat().includes(url)) tiers.push([url]);
  }
  return torrents.setTrackers(id, tiers);
}

function keptTiers(trackers: readonly TrackerSnapshot[], urls: readonly (string | null)[]): string[][] {
  const tiers = Map.groupBy(
    trackers.map(({ tier }, index) => ({ tier, url: urls[index] })),
    ({ tier }) => tier,
  );
  return [...tiers.values()]
    .map((tier) => tier.map(({ url }) => url).filter((url) => url != null))
    .filter((tier) => tier.length > 0);
}

/** The queue knows steps, so as many are made as it takes. */
async function moveTo(call: RpcCall, ids: readonly string[], place: number): Promise<void> {
  const torrents = torrentsOf(call);
  const row = await torrents.get(ids[0]!);
  if (row?.queuePosition == null) return;
  await torrents.moveInQueue(ids, 'top');
  for (let step = 0; step < Math.min(place, 10_000); step++) await torrents.moveInQueue(ids, 'down');
}
