/**
 * Older config files, brought up to date step by step. Each step is written once and never changed again, and has a
 * golden file of its own that shows what it does.
 */
import { settingsVersion } from '@tequio/api/settings';
import { NodeError } from '@tequio/kernel';

type Table = Record<string, unknown>;

/** From version `index` to the next one. Files without a version are of version 0: flat, as flags are called. */
const steps: readonly ((old: Table) => Table)[] = [fromFlat];

export function migrateConfig(read: Table): Table {
  const version = read['version'] ?? (isFlat(read) ? 0 : settingsVersion);
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 0)
    throw new NodeError('CONFIG_VERSION', 'The config file’s version must be a whole number.', {
      op: 'read',
    });
  if (version > settingsVersion) {
    throw new NodeError(
      'CONFIG_VERSION',
      `The config file is of version ${version}, and this program knows ${settingsVersion}: it is of a newer program.`,
      { op: 'read' },
    );
  }
  let table = read;
  for (let at = version; at < settingsVersion; at++) table = { ...steps[at]!(table), version: at + 1 };
  return table;
}

/** Flags of the command line, written down as they are: what people do who have no documentation at hand. */
const flatNames: Readonly<Record<string, readonly [section: string, key: string]>> = {
  port: ['bittorrent', 'port'],
  bind: ['bittorrent', 'bind'],
  transport: ['bittorrent', 'transport'],
  encryption: ['bittorrent', 'encryption'],
  dht: ['bittorrent', 'dht'],
  pex: ['bittorrent', 'pex'],
  lsd: ['bittorrent', 'lsd'],
  'port-mapping': ['bittorrent', 'portMapping'],
  'limit-down': ['bittorrent', 'limitDown'],
  'limit-up': ['bittorrent', 'limitUp'],
  proxy: ['proxy', 'url'],
  'address-filter': ['addressFilter', 'source'],
  download: ['folders', 'download'],
  http: ['http', 'address'],
};

function isFlat(read: Table): boolean {
  return Object.entries(read).some(
    ([key, value]) => flatNames[key] !== undefined && typeof value !== 'object',
  );
}

function fromFlat(old: Table): Table {
  const made: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(old)) {
    // `proxy` and `http` are sections too.
    const place = typeof value === 'object' ? undefined : flatNames[name];
    if (name === 'version') continue;
    if (place === undefined) made[name] = value;
    else made[place[0]] = { ...(made[place[0]] as Table | undefined), [place[1]]: value };
  }
  return made;
}
