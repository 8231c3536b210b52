/** `session_get` and `session_set`: docs/rpc-spec.md, section 4.1. */
import type { NodeStatus, Settings, SettingsPatch } from '@tequio/api';
import { isAbsolutePath } from '../paths.ts';
import type { Arguments } from './arguments.ts';
import { RpcError, rpcCodes } from './rpc-error.ts';

/** What this API behaves as. */
export const transmissionVersion = {
  version: '4.1.1',
  rpcVersion: 19,
  rpcVersionMinimum: 14,
  semver: '6.0.1',
} as const;

const kilobytes = (rate: number | null): number => (rate === null ? 0 : Math.ceil(rate / 1000));

/** `alt_speed_time_day` is a bit a day from Sunday. */
const dayBits = (days: readonly number[]): number => days.reduce((bits, day) => bits | (1 << day), 0);
const daysOf = (bits: number): number[] => [0, 1, 2, 3, 4, 5, 6].filter((day) => (bits >> day) & 1);
const everyDay = [0, 1, 2, 3, 4, 5, 6];

const encryptionWords = {
  allow: 'allowed',
  prefer: 'preferred',
  require: 'required',
  off: 'allowed',
} as const;
const encryptions: Readonly<Record<string, 'allow' | 'prefer' | 'require'>> = {
  preferred: 'prefer',
  required: 'require',
  allowed: 'allow',
  tolerated: 'allow',
};

/** A list from the web can be fetched again; one on the node's machine has no address to show. */
const isWebAddress = (source: string | null): boolean => /^https?:/i.test(source ?? '');

export type SessionFacts = {
  readonly settings: Settings;
  readonly status: NodeStatus;
  /** Ranges of the address filter. */
  readonly rangeCount: number;
  readonly sessionId: string;
};

/** Every field, in the modern dialect. */
export function sessionFields(facts: SessionFacts): Record<string, unknown> {
  return { ...settingFields(facts), ...fixedFields(facts) };
}

/** Those that are settings of the node. */
function settingFields({ settings, status, rangeCount }: SessionFacts): Record<string, unknown> {
  const { bittorrent, folders, altLimits, queue, sharing, addressFilter, completion } = settings;
  const [rule] = altLimits.schedule;
  return {
    alt_speed_down: kilobytes(altLimits.limitDown),
    alt_speed_enabled: status.altLimits,
    alt_speed_time_begin: rule?.fromMinute ?? 540,
    alt_speed_time_day: dayBits(rule?.days ?? everyDay),
    alt_speed_time_enabled: rule !== undefined,
    alt_speed_time_end: rule?.toMinute ?? 1020,
    alt_speed_up: kilobytes(altLimits.limitUp),
    blocklist_enabled: addressFilter.source !== null,
    blocklist_size: rangeCount,
    blocklist_url: isWebAddress(addressFilter.source) ? addressFilter.source : '',
    dht_enabled: bittorrent.dht,
    download_dir: status.downloadFolder,
    download_dir_free_space: status.freeBytes ?? -1,
    download_queue_enabled: queue.activeDownloads !== null,
    download_queue_size: queue.activeDownloads ?? 5,
    encryption: encryptionWords[bittorrent.encryption],
    idle_seeding_limit: sharing.idleMinutes ?? 30,
    idle_seeding_limit_enabled: sharing.idleMinutes !== null,
    incomplete_dir: folders.incomplete ?? status.downloadFolder,
    incomplete_dir_enabled: folders.incomplete !== null,
    lpd_enabled: bittorrent.lsd,
    peer_port: status.port,
    peer_port_random_on_start: bittorrent.port === 0,
    pex_enabled: bittorrent.pex,
    port_forwarding_enabled: bittorrent.portMapping,
    preferred_transports: bittorrent.transport === 'both' ? ['utp', 'tcp'] : [bittorrent.transport],
    queue_stalled_enabled: queue.slowRate > 0,
    script_torrent_done_enabled: completion.program.length > 0,
    script_torrent_done_filename: completion.program[0] ?? '',
    seed_queue_enabled: queue.activeSeeds !== null,
    seed_queue_size: queue.activeSeeds ?? 10,
    seed_ratio_limit: sharing.ratio ?? 2,
    seed_ratio_limited: sharing.ratio !== null,
    speed_limit_down: kilobytes(bittorrent.limitDown),
    speed_limit_down_enabled: bittorrent.limitDown !== null,
    speed_limit_up: kilobytes(bittorrent.limitUp),
    speed_limit_up_enabled: bittorrent.limitUp !== null,
    tcp_enabled: bittorrent.transport !== 'utp',
    utp_enabled: bittorrent.transport !== 'tcp',
  };
}

/** What describes the node, and what cannot be chosen. */
function fixedFields({ status, sessionId }: SessionFacts): Record<string, unknown> {
  return {
    anti_brute_force_enabled: true,
    cache_size_mib: 0,
    config_dir: status.dataFolder,
    default_trackers: '',
    peer_limit_global: 1000,
    peer_limit_per_torrent: 200,
    queue_stalled_minutes: 1,
    rename_partial_files: false,
    reqq: 2000,
    rpc_version: transmissionVersion.rpcVersion,
    rpc_version_minimum: transmissionVersion.rpcVersionMinimum,
    rpc_version_semver: transmissionVersion.semver,
    script_torrent_added_enabled: false,
    script_torrent_added_filename: '',
    script_torrent_done_seeding_enabled: false,
    script_torrent_done_seeding_filename: '',
    sequential_download: false,
    session_id: sessionId,
    start_added_torrents: true,
    trash_original_torrent_files: false,
    version: `${transmissionVersion.version} (Tequio ${status.version})`,
    units: {
      speed_units: ['B/s', 'kB/s', 'MB/s', 'GB/s', 'TB/s'],
      speed_bytes: 1000,
      size_units: ['B', 'kB', 'MB', 'GB', 'TB'],
      size_bytes: 1000,
      memory_units: ['B', 'KiB', 'MiB', 'GiB', 'TiB'],
      memory_bytes: 1024,
    },
  };
}

/**
 * A number and whether it holds are two arguments, and either may come alone. @returns undefined: nothing was said
 */
function switched(
  args: Arguments,
  [valueKey, switchKey]: readonly [string, string],
  now: number | null,
  fallback: number,
): number | null | undefined {
  const [value, isOn] = [args.number(valueKey), args.flag(switchKey)];
  if (value === null && isOn === null) return undefined;
  if (isOn === false) return null;
  if (isOn === null && now === null) return undefined;
  return value ?? now ?? fallback;
}

const rateOf = (kb: number | null | undefined): number | null | undefined =>
  kb == null ? kb : Math.max(1, Math.round(kb * 1000));
const present = <Value>(key: string, value: Value | undefined): Record<string, Value> =>
  value === undefined ? {} : { [key]: value };
const given = <Value>(value: Value | null): Value | undefined => value ?? undefined;
const countOf = (value: number | null | undefined): number | null | undefined =>
  value == null ? value : Math.max(1, Math.round(value));

/** What the named arguments mean for the node's settings. Those that have no counterpart here change nothing. */
export function sessionPatch(args: Arguments, settings: Settings): SettingsPatch {
  const { bittorrent, altLimits, queue, sharing } = settings;
  const inKilobytes = (rate: number | null): number | null => (rate === null ? null : rate / 1000);
  return {
    bittorrent: {
      ...present(
        'limitDown',
        rateOf(
          switched(
            args,
            ['speed_limit_down', 'speed_limit_down_enabled'],
            inKilobytes(bittorrent.limitDown),
            100,
          ),
        ),
      ),
      ...present(
        'limitUp',
        rateOf(
          switched(args, ['speed_limit_up', 'speed_limit_up_enabled'], inKilobytes(bittorrent.limitUp), 100),
        ),
      ),
      ...present('dht', given(args.flag('dht_enabled'))),
      ...present('pex', given(args.flag('pex_enabled'))),
      ...present('lsd', given(args.flag('lpd_enabled'))),
      ...present('portMapping', given(args.flag('port_forwarding_enabled'))),
      ...present('port', args.flag('peer_port_random_on_start') ? 0 : given(args.number('peer_port'))),
      ...present('encryption', encryptions[args.text('encryption') ?? '']),
      ...present('transport', transportOf(args, bittorrent.transport)),
    },
    altLimits: {
      ...present('limitDown', rateOf(given(args.number('alt_speed_down')))),
      ...present('limitUp', rateOf(given(args.number('alt_speed_up')))),
      ...present('schedule', scheduleOf(args, altLimits.schedule)),
    },
    queue: {
      ...present(
        'activeDownloads',
        countOf(switched(args, ['download_queue_size', 'download_queue_enabled'], queue.activeDownloads, 5)),
      ),
      ...present(
        'activeSeeds',
        countOf(switched(args, ['seed_queue_size', 'seed_queue_enabled'], queue.activeSeeds, 10)),
      ),
    },
    sharing: {
      ...present('ratio', switched(args, ['seed_ratio_limit', 'seed_ratio_limited'], sharing.ratio, 2)),
      ...present(
        'idleMinutes',
        countOf(
          switched(args, ['idle_seeding_limit', 'idle_seeding_limit_enabled'], sharing.idleMinutes, 30),
        ),
      ),
    },
    folders: {
      ...present('download', pathOf(args, 'download_dir', 'download directory path is not absolute')),
      ...present('incomplete', incompleteOf(args, settings)),
    },
    addressFilter: present('source', filterOf(args, settings.addressFilter.source)),
  };
}

function pathOf(args: Arguments, key: string, refusal: string): string | undefined {
  const path = args.text(key);
  if (path === null) return undefined;
  if (!isAbsolutePath(path)) throw new RpcError(rpcCodes.pathNotAbsolute, refusal);
  return path;
}

function incompleteOf(args: Arguments, { folders }: Settings): string | null | undefined {
  const path = pathOf(args, 'incomplete_dir', 'incomplete torrents directory path is not absolute');
  const isOn = args.flag('incomplete_dir_enabled');
  if (isOn === false) return null;
  if (isOn === true) return path ?? folders.incomplete ?? undefined;
  return folders.incomplete === null ? undefined : path;
}

function transportOf(args: Arguments, now: Settings['bittorrent']['transport']): typeof now | undefined {
  const wanted = args.texts('preferred_transports');
  if (wanted !== null) return wanted.includes('utp') ? (wanted.includes('tcp') ? 'both' : 'utp') : 'tcp';
  const utp = args.flag('utp_enabled');
  if (utp === null) return undefined;
  return utp ? (now === 'tcp' ? 'both' : now) : 'tcp';
}

/** Transmission knows one rule; the node's other ones go when it is changed from here. */
function scheduleOf(
  args: Arguments,
  schedule: Settings['altLimits']['schedule'],
): Settings['altLimits']['schedule'] | undefined {
  const isOn = args.flag('alt_speed_time_enabled');
  const [from, to, days] = ['begin', 'end', 'day'].map((key) => args.number(`alt_speed_time_${key}`));
  if (isOn === false) return [];
  const [rule] = schedule;
  if (isOn === null && (rule === undefined || (from === null && to === null && days === null)))
    return undefined;
  return [
    {
      fromMinute: from ?? rule?.fromMinute ?? 540,
      toMinute: to ?? rule?.toMinute ?? 1020,
      days: days == null ? (rule?.days ?? everyDay) : daysOf(days),
    },
  ];
}

function filterOf(args: Arguments, now: string | null): string | null | undefined {
  const [isOn, url] = [args.flag('blocklist_enabled'), args.text('blocklist_url')];
  if (isOn === false) return null;
  if (url !== null && isWebAddress(url) && (isOn === true || now !== null)) return url;
  return undefined;
}
