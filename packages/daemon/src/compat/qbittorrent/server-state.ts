/** What `transfer/info` and the `server_state` of `sync/maindata` say of the node. */
import type { NodeStatus, Settings } from '@tequio/api';

/** How others reach the node. */
function connectionOf({ reachability, totals }: NodeStatus): string {
  if (reachability.some(({ state }) => state === 'open' || state === 'mapped')) return 'connected';
  return reachability.some(({ state }) => state === 'closed') || totals.connectionCount === 0
    ? 'firewalled'
    : 'connected';
}

/** The limits that hold now; 0: none. */
export function limitsNow(
  { altLimits: isAlt }: NodeStatus,
  settings: Settings,
): { down: number; up: number } {
  const { limitDown, limitUp } = isAlt ? settings.altLimits : settings.bittorrent;
  return { down: limitDown ?? 0, up: limitUp ?? 0 };
}

export function transferInfo(
  status: NodeStatus,
  settings: Settings,
): Readonly<Record<string, string | number>> {
  const { totals, dht } = status;
  const limits = limitsNow(status, settings);
  const external = (family: 4 | 6): string =>
    dht?.families.find((known) => known.family === family)?.externalAddress ?? '';
  return {
    dl_info_speed: totals.downRate,
    dl_info_data: totals.downloadedBytes,
    up_info_speed: totals.upRate,
    up_info_data: totals.uploadedBytes,
    dl_rate_limit: limits.down,
    up_rate_limit: limits.up,
    dht_nodes: totals.dhtNodeCount,
    connection_status: connectionOf(status),
    last_external_address_v4: external(4),
    last_external_address_v6: external(6),
  };
}

export type ServerState = Readonly<Record<string, string | number | boolean>>;

/** Counters of a disk cache stand at 0: there is none besides the system's. */
export function serverState(status: NodeStatus, settings: Settings): ServerState {
  const { allTime, totals } = status;
  const { activeDownloads, activeSeeds, activeTotal } = settings.queue;
  return {
    ...transferInfo(status, settings),
    alltime_dl: allTime.downloadedBytes,
    alltime_ul: allTime.uploadedBytes,
    global_ratio:
      allTime.downloadedBytes > 0 && allTime.uploadedBytes > 0
        ? (allTime.uploadedBytes / allTime.downloadedBytes).toFixed(2)
        : '-',
    total_peer_connections: totals.connectionCount,
    total_wasted_session: 0,
    average_time_queue: 0,
    queued_io_jobs: 0,
    read_cache_hits: '0',
    read_cache_overload: '0',
    total_buffers_size: 0,
    total_queued_size: 0,
    write_cache_overload: '0',
    free_space_on_disk: status.freeBytes ?? 0,
    queueing: activeDownloads !== null || activeSeeds !== null || activeTotal !== null,
    use_alt_speed_limits: status.altLimits,
    use_subcategories: true,
    refresh_interval: 1500,
  };
}
