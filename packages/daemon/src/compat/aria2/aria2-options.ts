/** Options of a download and of the node, in aria2's words; all values are texts. */
import type {
  AddTorrent,
  ListedTorrent,
  NodeStatus,
  Settings,
  SettingsPatch,
  ShareGoal,
  TorrentPatch,
} from '@tequio/api';
import { isAbsolutePath } from '../paths.ts';
import { Aria2Error } from './aria2-error.ts';

export type Aria2Options = Readonly<Record<string, string>>;

/** An options struct; aria2 takes arrays for some, joined by lines. */
export function readOptions(value: unknown): Aria2Options {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Aria2Error('The parameter at options has wrong type.');
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, Array.isArray(item) ? item.join('\n') : String(item)]),
  );
}

/** `10K`, `2M`, `0`: bytes, null for none. @throws Aria2Error */
function rateOf(name: string, text: string): number | null {
  const match = /^(\d+)([km]?)$/i.exec(text.trim());
  if (match === null)
    throw new Aria2Error(`We encountered a problem while processing the option '--${name}'.`);
  const unit = { '': 1, k: 1024, m: 1024 * 1024 }[match[2]!.toLowerCase()]!;
  return Number(match[1]) * unit || null;
}

const rateText = (rate: number | null): string => String(rate ?? 0);

/** `1,3-5`: numbers of files from 1. */
export function fileNumbers(text: string): readonly number[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .flatMap((part) => {
      const match = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(part);
      if (match === null)
        throw new Aria2Error("We encountered a problem while processing the option '--select-file'.");
      const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
      if (to - from > 1_000_000) throw new Aria2Error('select-file names too many files.');
      return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
    });
}

/** `seed-ratio` (0.0: for ever) and `seed-time` in minutes; undefined: neither is said. */
function shareGoalOf(options: Aria2Options, node: ShareGoal): ShareGoal | undefined {
  const [ratio, minutes] = [options['seed-ratio'], options['seed-time']];
  if (ratio === undefined && minutes === undefined) return undefined;
  const [ratioNumber, minuteNumber] = [Number(ratio), Number(minutes)];
  return {
    ratio: ratio === undefined ? node.ratio : ratioNumber > 0 ? ratioNumber : null,
    seedingMinutes: minutes === undefined ? node.seedingMinutes : Math.max(0, Math.floor(minuteNumber || 0)),
    idleMinutes: node.idleMinutes,
    action: node.action,
  };
}

export function folderOf(options: Aria2Options): string | undefined {
  const folder = options['dir'];
  if (folder !== undefined && !isAbsolutePath(folder)) throw new Aria2Error('dir must be an absolute path.');
  return folder;
}

const trackersOf = (options: Aria2Options): readonly string[] =>
  (options['bt-tracker'] ?? '')
    .split(/[,\n]/)
    .map((url) => url.trim())
    .filter((url) => url !== '');

/** What the options mean for a torrent that is added. */
export function addOptions(options: Aria2Options, node: ShareGoal): Omit<AddTorrent, 'source'> {
  const folder = folderOf(options);
  const shareGoal = shareGoalOf(options, node);
  const [down, up] = [options['max-download-limit'], options['max-upload-limit']];
  const trackers = trackersOf(options);
  return {
    paused: options['pause'] === 'true',
    ...(folder === undefined ? {} : { folder }),
    ...(shareGoal === undefined ? {} : { shareGoal }),
    ...(down === undefined ? {} : { limitDown: rateOf('max-download-limit', down) }),
    ...(up === undefined ? {} : { limitUp: rateOf('max-upload-limit', up) }),
    ...(trackers.length === 0 ? {} : { trackers }),
    ...(options['out'] === undefined ? {} : { name: options['out'] }),
    ...(options['bt-prioritize-piece'] === undefined ? {} : { edgesFirst: true }),
  };
}

/** Of one that is there. */
export function torrentPatch(options: Aria2Options, node: ShareGoal): TorrentPatch {
  const shareGoal = shareGoalOf(options, node);
  const [down, up] = [options['max-download-limit'], options['max-upload-limit']];
  return {
    ...(shareGoal === undefined ? {} : { shareGoal }),
    ...(down === undefined ? {} : { limitDown: rateOf('max-download-limit', down) }),
    ...(up === undefined ? {} : { limitUp: rateOf('max-upload-limit', up) }),
    ...(options['bt-prioritize-piece'] === undefined
      ? {}
      : { edgesFirst: options['bt-prioritize-piece'] !== '' }),
  };
}

export function torrentOptions(row: ListedTorrent, node: ShareGoal): Aria2Options {
  const goal = row.shareGoal ?? node;
  return {
    dir: row.folder,
    'max-download-limit': rateText(row.limitDown),
    'max-upload-limit': rateText(row.limitUp),
    'seed-ratio': (goal.ratio ?? 0).toFixed(1),
    ...(goal.seedingMinutes === null ? {} : { 'seed-time': String(goal.seedingMinutes) }),
    'bt-prioritize-piece': row.edgesFirst ? 'head,tail' : '',
    pause: String(row.state === 'paused'),
  };
}

const yes = (isSo: boolean): string => String(isSo);

export function globalOptions(settings: Settings, status: NodeStatus): Aria2Options {
  const { bittorrent, queue, sharing } = settings;
  return {
    dir: status.downloadFolder,
    'max-overall-download-limit': rateText(bittorrent.limitDown),
    'max-overall-upload-limit': rateText(bittorrent.limitUp),
    'max-download-limit': '0',
    'max-upload-limit': '0',
    'max-concurrent-downloads': String(queue.activeDownloads ?? 0),
    'listen-port': String(status.port),
    'dht-listen-port': String(status.port),
    'enable-dht': yes(bittorrent.dht),
    'enable-dht6': yes(bittorrent.dht),
    'enable-peer-exchange': yes(bittorrent.pex),
    'bt-enable-lpd': yes(bittorrent.lsd),
    'bt-require-crypto': yes(bittorrent.encryption === 'require'),
    'bt-min-crypto-level': bittorrent.encryption === 'require' ? 'arc4' : 'plain',
    'bt-max-peers': '200',
    'file-allocation': bittorrent.preallocate ? 'prealloc' : 'none',
    'seed-ratio': (sharing.ratio ?? 0).toFixed(1),
    ...(sharing.seedingMinutes === null ? {} : { 'seed-time': String(sharing.seedingMinutes) }),
    continue: 'true',
    'enable-rpc': 'true',
    'rpc-secure': 'false',
    'follow-torrent': 'true',
    'check-integrity': 'true',
  };
}

/** What has no counterpart changes nothing. */
export function globalPatch(options: Aria2Options, settings: Settings): SettingsPatch {
  const flag = (name: string, key: string): Record<string, boolean> =>
    options[name] === undefined ? {} : { [key]: options[name] === 'true' };
  const rate = (name: string, key: string): Record<string, number | null> =>
    options[name] === undefined ? {} : { [key]: rateOf(name, options[name]) };
  const folder = folderOf(options);
  const concurrent = options['max-concurrent-downloads'];
  const goal = shareGoalOf(options, settings.sharing);
  const crypto = options['bt-require-crypto'];
  const patch: SettingsPatch = {
    folders: folder === undefined ? {} : { download: folder },
    bittorrent: {
      ...rate('max-overall-download-limit', 'limitDown'),
      ...rate('max-overall-upload-limit', 'limitUp'),
      ...flag('enable-dht', 'dht'),
      ...flag('enable-peer-exchange', 'pex'),
      ...flag('bt-enable-lpd', 'lsd'),
      ...(crypto === undefined ? {} : { encryption: crypto === 'true' ? 'require' : 'allow' }),
    },
    queue:
      concurrent === undefined ? {} : { activeDownloads: Math.max(1, Math.floor(Number(concurrent)) || 1) },
    sharing: goal ?? {},
  };
  return Object.fromEntries(Object.entries(patch).filter(([, section]) => Object.keys(section).length > 0));
}
