/** `app/preferences` and `app/setPreferences`. */
import type { NodeStatus, Settings, SettingsPatch, ShareGoal } from '@tequio/api';
import { isAbsolutePath } from '../paths.ts';
import { badParams } from './api-error.ts';
import { fixedPreferences } from './preferences-fixed.ts';

type Values = Readonly<Record<string, unknown>>;

/** `encryption`, `bittorrent_protocol`, `max_ratio_act` count these. */
const encryptions = ['allow', 'require', 'off'] as const;
const encryptionNumbers = { allow: 0, prefer: 0, require: 1, off: 2 } as const;
const transports = ['both', 'tcp', 'utp'] as const;
const goalActions: readonly ShareGoal['action'][] = ['pause', 'remove', 'super-seed', 'remove-with-content'];

/** `scheduler_days`: every day, weekdays, weekends, then one day a number from Monday. */
const everyDay = [0, 1, 2, 3, 4, 5, 6];
const dayGroups: readonly (readonly number[])[] = [
  everyDay,
  [1, 2, 3, 4, 5],
  [0, 6],
  ...[1, 2, 3, 4, 5, 6, 0].map((day) => [day]),
];
const sameDays = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((day) => b.includes(day));

export function preferences(settings: Settings, status: NodeStatus): Values {
  const { bittorrent, folders, altLimits, queue, sharing, addressFilter, rss, completion } = settings;
  const [rule] = altLimits.schedule;
  const minute = (at: number | undefined, fallback: number): [number, number] => [
    Math.floor((at ?? fallback) / 60),
    (at ?? fallback) % 60,
  ];
  const [fromHour, fromMinute] = minute(rule?.fromMinute, 480);
  const [toHour, toMinute] = minute(rule?.toMinute, 1200);
  return {
    ...fixedPreferences,
    ...serverPreferences(settings),
    locale: settings.node.language === 'es' ? 'es' : 'en',
    app_instance_name: settings.node.name === 'Tequio' ? '' : settings.node.name,
    save_path: status.downloadFolder,
    temp_path_enabled: folders.incomplete !== null,
    temp_path: folders.incomplete ?? status.downloadFolder,
    export_dir: folders.torrentFiles ?? '',
    preallocate_all: bittorrent.preallocate,
    autorun_enabled: completion.program.length > 0,
    autorun_program: completion.program.join(' '),
    listen_port: status.port,
    random_port: bittorrent.port === 0,
    upnp: bittorrent.portMapping,
    ip_filter_enabled: addressFilter.source !== null,
    ip_filter_path: addressFilter.source ?? '',
    dl_limit: bittorrent.limitDown ?? 0,
    up_limit: bittorrent.limitUp ?? 0,
    alt_dl_limit: altLimits.limitDown ?? 0,
    alt_up_limit: altLimits.limitUp ?? 0,
    bittorrent_protocol: transports.indexOf(bittorrent.transport),
    scheduler_enabled: rule !== undefined,
    schedule_from_hour: fromHour,
    schedule_from_min: fromMinute,
    schedule_to_hour: toHour,
    schedule_to_min: toMinute,
    scheduler_days: Math.max(
      0,
      dayGroups.findIndex((days) => sameDays(days, rule?.days ?? everyDay)),
    ),
    dht: bittorrent.dht,
    pex: bittorrent.pex,
    lsd: bittorrent.lsd,
    encryption: encryptionNumbers[bittorrent.encryption],
    queueing_enabled:
      queue.activeDownloads !== null || queue.activeSeeds !== null || queue.activeTotal !== null,
    max_active_downloads: queue.activeDownloads ?? -1,
    max_active_uploads: queue.activeSeeds ?? -1,
    max_active_torrents: queue.activeTotal ?? -1,
    dont_count_slow_torrents: queue.slowRate > 0,
    slow_torrent_dl_rate_threshold: Math.max(1, Math.round(queue.slowRate / 1024)),
    slow_torrent_ul_rate_threshold: Math.max(1, Math.round(queue.slowRate / 1024)),
    max_ratio_enabled: sharing.ratio !== null,
    max_ratio: sharing.ratio ?? -1,
    max_seeding_time_enabled: sharing.seedingMinutes !== null,
    max_seeding_time: sharing.seedingMinutes ?? -1,
    max_inactive_seeding_time_enabled: sharing.idleMinutes !== null,
    max_inactive_seeding_time: sharing.idleMinutes ?? -1,
    max_ratio_act: goalActions.indexOf(sharing.action),
    rss_processing_enabled: rss.enabled,
    rss_refresh_interval: rss.refreshMinutes,
    rss_max_articles_per_feed: rss.itemCountMax,
    rss_auto_downloading_enabled: rss.addByRules,
    current_network_interface: bittorrent.bind ?? '',
    current_interface_name: bittorrent.bind ?? '',
  };
}

/** Of the proxy, and of this server itself. */
function serverPreferences({ proxy: { url, peers }, http }: Settings): Values {
  const proxy = URL.parse(url ?? '');
  return {
    proxy_type: proxy === null ? 'None' : proxy.protocol === 'http:' ? 'HTTP' : 'SOCKS5',
    proxy_ip: proxy?.hostname ?? '0.0.0.0',
    proxy_port: Number(proxy?.port || 8080),
    proxy_auth_enabled: (proxy?.username ?? '') !== '',
    proxy_peer_connections: peers,
    web_ui_address: http.address.slice(0, http.address.lastIndexOf(':')),
    web_ui_port: Number(http.address.slice(http.address.lastIndexOf(':') + 1)) || 0,
    web_ui_domain_list: http.allowedHosts.join(';'),
  };
}

/** Reads values of a type, and takes note of nothing that is not there. */
class Wishes {
  readonly #values: Values;

  constructor(values: Values) {
    this.#values = values;
  }

  flag(key: string): boolean | undefined {
    const value = this.#values[key];
    return typeof value === 'boolean' ? value : undefined;
  }

  number(key: string): number | undefined {
    const value = this.#values[key];
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
  }

  text(key: string): string | undefined {
    const value = this.#values[key];
    return typeof value === 'string' ? value : undefined;
  }

  path(key: string): string | undefined {
    const path = this.text(key)?.trim();
    if (path !== undefined && path !== '' && !isAbsolutePath(path))
      throw badParams(`${key} is no absolute path`);
    return path;
  }

  /** 0 and below: none. */
  rate(key: string): number | null | undefined {
    const rate = this.number(key);
    return rate === undefined ? undefined : rate > 0 ? Math.floor(rate) : null;
  }

  /** A number that a switch of its own turns on and off; below 0: off. */
  switched(key: string, switchKey: string): number | null | undefined {
    const [value, isOn] = [this.number(key), this.flag(switchKey)];
    if (isOn === false) return null;
    return value === undefined ? undefined : value < 0 ? null : value;
  }
}

const present = <Value>(key: string, value: Value | undefined): Record<string, Value> =>
  value === undefined ? {} : { [key]: value };

/** What the named preferences mean for the settings; those without a counterpart change nothing. */
export function preferencesPatch(values: Values, now: Settings): SettingsPatch {
  const wishes = new Wishes(values);
  const encryption = encryptions[wishes.number('encryption') ?? -1];
  const isSame = wishes.number('encryption') === encryptionNumbers[now.bittorrent.encryption];
  const transport = transports[wishes.number('bittorrent_protocol') ?? -1];
  const filter =
    wishes.flag('ip_filter_enabled') === false ? null : wishes.text('ip_filter_path') || undefined;
  const isTemporary = wishes.flag('temp_path_enabled');
  const incomplete = isTemporary === false ? null : wishes.path('temp_path') || undefined;
  const patch: SettingsPatch = {
    folders: {
      ...present('download', wishes.path('save_path') || undefined),
      ...present(
        'incomplete',
        isTemporary === undefined && now.folders.incomplete === null ? undefined : incomplete,
      ),
    },
    bittorrent: {
      ...present('port', wishes.flag('random_port') ? 0 : wishes.number('listen_port')),
      ...present('portMapping', wishes.flag('upnp')),
      ...present('limitDown', wishes.rate('dl_limit')),
      ...present('limitUp', wishes.rate('up_limit')),
      ...present('dht', wishes.flag('dht')),
      ...present('pex', wishes.flag('pex')),
      ...present('lsd', wishes.flag('lsd')),
      // Programs write back what they were told: there are two kinds of 0.
      ...(isSame ? {} : present('encryption', encryption)),
      ...present('transport', transport),
      ...present('preallocate', wishes.flag('preallocate_all')),
    },
    altLimits: {
      ...present('limitDown', wishes.rate('alt_dl_limit')),
      ...present('limitUp', wishes.rate('alt_up_limit')),
      ...present('schedule', scheduleOf(wishes, now)),
    },
    addressFilter: present('source', filter),
    queue: queueOf(wishes),
    sharing: {
      ...present('ratio', wishes.switched('max_ratio', 'max_ratio_enabled')),
      ...present('seedingMinutes', wishes.switched('max_seeding_time', 'max_seeding_time_enabled')),
      ...present(
        'idleMinutes',
        wishes.switched('max_inactive_seeding_time', 'max_inactive_seeding_time_enabled'),
      ),
      ...present('action', goalActions[wishes.number('max_ratio_act') ?? -1]),
    },
    rss: {
      ...present('enabled', wishes.flag('rss_processing_enabled')),
      ...present('refreshMinutes', wishes.number('rss_refresh_interval')),
      ...present('itemCountMax', wishes.number('rss_max_articles_per_feed')),
      ...present('addByRules', wishes.flag('rss_auto_downloading_enabled')),
    },
  };
  return Object.fromEntries(Object.entries(patch).filter(([, section]) => Object.keys(section).length > 0));
}

function queueOf(wishes: Wishes): Record<string, number | null> {
  if (wishes.flag('queueing_enabled') === false)
    return { activeDownloads: null, activeSeeds: null, activeTotal: null };
  const isSlowLeftOut = wishes.flag('dont_count_slow_torrents');
  const slow = wishes.number('slow_torrent_dl_rate_threshold');
  return {
    ...present('activeDownloads', wishes.rate('max_active_downloads')),
    ...present('activeSeeds', wishes.rate('max_active_uploads')),
    ...present('activeTotal', wishes.rate('max_active_torrents')),
    ...present(
      'slowRate',
      isSlowLeftOut === false ? 0 : slow === undefined ? undefined : Math.round(slow * 1024),
    ),
  };
}

/** qBittorrent knows one rule; the node's other ones go when it is changed from here. */
function scheduleOf(wishes: Wishes, { altLimits }: Settings): Settings['altLimits']['schedule'] | undefined {
  const isOn = wishes.flag('scheduler_enabled');
  if (isOn === false) return [];
  const [rule] = altLimits.schedule;
  const at = (way: 'from' | 'to'): number | undefined => {
    const [hour, minute] = [wishes.number(`schedule_${way}_hour`), wishes.number(`schedule_${way}_min`)];
    return hour === undefined && minute === undefined ? undefined : (hour ?? 0) * 60 + (minute ?? 0);
  };
  const [from, to, days] = [at('from'), at('to'), wishes.number('scheduler_days')];
  if (isOn === undefined && (rule === undefined || (from ?? to ?? days) === undefined)) return undefined;
  return [
    {
      fromMinute: from ?? rule?.fromMinute ?? 480,
      toMinute: to ?? rule?.toMinute ?? 1200,
      days: [...(dayGroups[days ?? -1] ?? rule?.days ?? everyDay)],
    },
  ];
}
