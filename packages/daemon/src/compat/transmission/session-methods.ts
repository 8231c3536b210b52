import { isAbsolutePath } from '../paths.ts';
import { modernWord } from './dialect.ts';
import { invalidParams, RpcError, rpcCodes } from './rpc-error.ts';
import type { RpcMethod } from './session.ts';
import { sessionFields, sessionPatch } from './session-fields.ts';

export const sessionGet: RpcMethod = async (call) => {
  const { management } = call.caller;
  const [settings, status, filter] = await Promise.all([
    management.settings.get(),
    management.status.status(),
    management.network.addressFilter(),
  ]);
  const { isOlder, sessionId } = call;
  const all = sessionFields({ settings, status, rangeCount: filter?.rangeCount ?? 0, sessionId });
  if (isOlder && all['encryption'] === 'allowed') all['encryption'] = 'tolerated';
  const wanted = call.args.texts('fields')?.map((name) => (isOlder ? modernWord(name) : name));
  if (wanted === undefined) return all;
  return Object.fromEntries(Object.entries(all).filter(([key]) => wanted.includes(key)));
};

export const sessionSet: RpcMethod = async ({ args, caller }) => {
  const { settings, status } = caller.management;
  const patch = sessionPatch(args, await settings.get());
  const named = Object.entries(patch).filter(([, section]) => Object.keys(section ?? {}).length > 0);
  if (named.length > 0) await settings.patch(Object.fromEntries(named));
  const altSpeed = args.flag('alt_speed_enabled');
  if (altSpeed !== null) await status.setAltLimits(altSpeed);
  return {};
};

export const sessionStats: RpcMethod = async ({ caller, ports }) => {
  const { management } = caller;
  const status = await management.status.status();
  const { counts, totalCount } = await management.torrents.list({ limit: 1, counts: true });
  const paused = counts?.groups.paused ?? 0;
  const runSeconds = Math.floor((ports.wallMs() - status.startedAtMs) / 1000);
  return {
    active_torrent_count: totalCount - paused,
    download_speed: status.totals.downRate,
    paused_torrent_count: paused,
    torrent_count: totalCount,
    upload_speed: status.totals.upRate,
    cumulative_stats: {
      uploaded_bytes: status.allTime.uploadedBytes,
      downloaded_bytes: status.allTime.downloadedBytes,
      files_added: totalCount,
      seconds_active: Math.floor(status.allTime.runMs / 1000),
      session_count: status.allTime.runCount,
    },
    current_stats: {
      uploaded_bytes: status.totals.uploadedBytes,
      downloaded_bytes: status.totals.downloadedBytes,
      files_added: totalCount,
      seconds_active: runSeconds,
      session_count: 1,
    },
  };
};

export const sessionClose: RpcMethod = async ({ caller }) => {
  await caller.management.status.shutdown();
  return {};
};

export const blocklistUpdate: RpcMethod = async ({ caller }) => {
  const { rangeCount } = await caller.management.network.refreshAddressFilter();
  return { blocklist_size: rangeCount };
};

/** Nobody else's service is asked: what the node knows by itself is what it says. */
export const portTest: RpcMethod = async ({ caller, args }) => {
  const protocol = args.text('ip_protocol');
  if (protocol !== null && protocol !== 'ipv4' && protocol !== 'ipv6')
    throw invalidParams('ip_protocol is not ipv4 or ipv6');
  const { reachability } = await caller.management.status.status();
  const known = reachability.filter(
    ({ transport, family }) => transport === 'tcp' && (protocol === null || protocol === `ipv${family}`),
  );
  return {
    port_is_open: known.some(({ state }) => state === 'open' || state === 'mapped'),
    ...(protocol === null ? {} : { ip_protocol: protocol }),
  };
};

export const freeSpace: RpcMethod = async ({ caller, args }) => {
  const path = args.text('path');
  if (path === null) throw invalidParams('directory path argument is missing');
  if (!isAbsolutePath(path)) throw new RpcError(rpcCodes.pathNotAbsolute, 'directory path is not absolute');
  const free = await caller.management.status.freeBytes(path);
  const said = { path, size_bytes: free ?? -1, total_size: -1 };
  if (free === null) throw new RpcError(rpcCodes.systemError, 'No such file or directory', said);
  return said;
};
