/** `app/…`, `transfer/…`, `log/…`, `search/…`, `clientdata/…`. */
import type { LogLine } from '@tequio/api';
import { compatLimits } from '../compat-limits.ts';
import { splitEndpoint } from '../endpoint.ts';
import { isAbsolutePath } from '../paths.ts';
import { badParams, conflict, notFound } from './api-error.ts';
import type { ApiCall } from './caller-state.ts';
import { preferences, preferencesPatch } from './preferences.ts';
import { limitsNow, transferInfo } from './server-state.ts';

/** What this API behaves as: the last whose answers every older client reads, with keys of 5.2 besides. */
export const qbittorrentVersion = { version: 'v5.1.4', webApi: '2.11.4' } as const;

type Action = (call: ApiCall) => Promise<unknown>;

const statusOf = ({ caller }: ApiCall) => caller.management.status.status();
const settingsOf = ({ caller }: ApiCall) => caller.management.settings.get();

function jsonOf(call: ApiCall, name: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(call.form.required(name));
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw badParams(`${name} is no JSON object`);
}

/** A key that is only this API's, as there is one at a time. */
const keyName = 'qBittorrent Web API';

async function deleteKey({ caller }: ApiCall): Promise<void> {
  const { users } = caller.management;
  for (const { id, name } of await users.keys()) if (name === keyName) await users.removeKey(id);
}

export const appLooks: Readonly<Record<string, Action>> = {
  version: async () => qbittorrentVersion.version,
  webapiVersion: async () => qbittorrentVersion.webApi,
  buildInfo: async () => ({
    qt: '',
    libtorrent: '',
    boost: '',
    openssl: '',
    zlib: '',
    bitness: 64,
    platform: process.platform === 'win32' ? 'windows' : process.platform === 'darwin' ? 'macos' : 'linux',
  }),
  processInfo: async (call) => ({ launch_time: Math.floor((await statusOf(call)).startedAtMs / 1000) }),
  preferences: async (call) => preferences(await settingsOf(call), await statusOf(call)),
  defaultSavePath: async (call) => (await statusOf(call)).downloadFolder,
  cookies: async () => [],
  networkInterfaceList: async () => [{ name: 'Any interface', value: '' }],
  networkInterfaceAddressList: async () => [],
  getFreeSpaceAtPath: async ({ form, caller }) => {
    const path = form.required('path');
    if (!isAbsolutePath(path)) throw badParams('path is no absolute path');
    const free = await caller.management.status.freeBytes(path);
    if (free === null) throw notFound();
    return String(free);
  },
};

export const appVerbs: Readonly<Record<string, Action>> = {
  setPreferences: async (call) => {
    const patch = preferencesPatch(jsonOf(call, 'json'), await settingsOf(call));
    if (Object.keys(patch).length > 0) await call.caller.management.settings.patch(patch);
  },
  shutdown: ({ caller }) => caller.management.status.shutdown(),
  setCookies: async () => {},
  sendTestEmail: async () => {
    throw conflict('This node sends no mail.');
  },
  rotateAPIKey: async (call) => {
    await deleteKey(call);
    const { user, scope } = call.caller.identity;
    const made = await call.caller.management.users.makeKey({ name: keyName, scope, user });
    return { apiKey: made.key };
  },
  deleteAPIKey: deleteKey,
};

export const transferLooks: Readonly<Record<string, Action>> = {
  info: async (call) => transferInfo(await statusOf(call), await settingsOf(call)),
  speedLimitsMode: async (call) => ((await statusOf(call)).altLimits ? '1' : '0'),
  downloadLimit: async (call) => String(limitsNow(await statusOf(call), await settingsOf(call)).down),
  uploadLimit: async (call) => String(limitsNow(await statusOf(call), await settingsOf(call)).up),
  getSpeedLimits: async (call) => {
    const { bittorrent, altLimits } = await settingsOf(call);
    return {
      dl_limit: bittorrent.limitDown ?? 0,
      up_limit: bittorrent.limitUp ?? 0,
      alt_dl_limit: altLimits.limitDown ?? 0,
      alt_up_limit: altLimits.limitUp ?? 0,
    };
  },
};

/** Sets the limit that holds now. */
async function setLimit(call: ApiCall, key: 'limitDown' | 'limitUp'): Promise<void> {
  const limit = call.form.number('limit');
  if (limit === null) throw badParams('limit is not a number');
  const section = (await statusOf(call)).altLimits ? 'altLimits' : 'bittorrent';
  await call.caller.management.settings.patch({ [section]: { [key]: limit > 0 ? Math.floor(limit) : null } });
}

export const transferVerbs: Readonly<Record<string, Action>> = {
  setDownloadLimit: (call) => setLimit(call, 'limitDown'),
  setUploadLimit: (call) => setLimit(call, 'limitUp'),
  setSpeedLimits: async (call) => {
    const names = ['dl_limit', 'up_limit', 'alt_dl_limit', 'alt_up_limit'];
    for (const name of names) call.form.required(name);
    const patch = preferencesPatch(
      Object.fromEntries(names.map((name) => [name, call.form.number(name)])),
      await settingsOf(call),
    );
    await call.caller.management.settings.patch(patch);
  },
  setSpeedLimitsMode: async (call) => {
    const mode = call.form.number('mode');
    if (mode === null) throw badParams("'mode': invalid argument");
    await call.caller.management.status.setAltLimits(mode !== 0);
  },
  toggleSpeedLimitsMode: async (call) => {
    await call.caller.management.status.setAltLimits(!(await statusOf(call)).altLimits);
  },
  banPeers: async ({ form, caller }) => {
    for (const peer of form
      .required('peers')
      .split('|')
      .filter((text) => text.trim() !== ''))
      await caller.management.network.ban(splitEndpoint(peer.trim()).address, 'Banned by hand.');
  },
};

/** `type` of a line. */
const lineTypes: Readonly<Record<LogLine['level'], number>> = { debug: 1, info: 2, warn: 4, error: 8 };
const typeNames = { normal: 1, info: 2, warning: 4, critical: 8 } as const;

export const logLooks: Readonly<Record<string, Action>> = {
  main: async ({ form, caller }) => {
    const since = Math.max(0, form.number('last_known_id') ?? -1);
    const wanted = Object.entries(typeNames).filter(([name]) => form.flag(name) ?? true);
    const lines = await caller.management.log.lines({ since, level: 'debug' });
    return lines
      .filter(({ level }) => wanted.some(([, type]) => type === lineTypes[level]))
      .map(({ seq, atMs, level, name, fields }) => ({
        id: seq,
        message: [name, ...Object.entries(fields).map(([key, value]) => `${key}=${value}`)].join(' '),
        timestamp: Math.floor(atMs / 1000),
        type: lineTypes[level],
      }));
  },
  peers: async ({ form, caller }) => {
    const since = form.number('last_known_id') ?? -1;
    return (await caller.management.network.bans())
      .map(({ address, message }, id) => ({ id, ip: address, timestamp: 0, blocked: true, reason: message }))
      .filter(({ id }) => id > since);
  },
};

/** There are no search plug-ins, and so no searches. */
export const searchLooks: Readonly<Record<string, Action>> = {
  plugins: async () => [],
  status: async ({ form }) => {
    if (form.has('id')) throw notFound();
    return [];
  },
  results: async () => {
    throw notFound();
  },
};
export const searchVerbs: Readonly<Record<string, Action>> = {
  start: async () => {
    throw conflict('This node has no search plug-ins.');
  },
  stop: async () => {
    throw notFound();
  },
  delete: async () => {
    throw notFound();
  },
  installPlugin: async () => {
    throw conflict('This node takes no search plug-ins.');
  },
  uninstallPlugin: async () => {},
  enablePlugin: async () => {},
  updatePlugins: async () => {},
};

/** What user interfaces keep with the server, until it ends. */
export class ClientData {
  readonly #values = new Map<string, unknown>();

  load({ form }: ApiCall): Record<string, unknown> {
    const keys: unknown = form.has('keys') ? JSON.parse(form.text('keys')) : [...this.#values.keys()];
    if (!Array.isArray(keys)) throw badParams('keys is no array');
    return Object.fromEntries(
      keys.filter((key) => this.#values.has(key)).map((key) => [key, this.#values.get(key)]),
    );
  }

  store(call: ApiCall): void {
    const given = jsonOf(call, 'data');
    const next = new Map([...this.#values, ...Object.entries(given)]);
    if (JSON.stringify([...next]).length > compatLimits.clientDataBytesMax)
      throw conflict('There is no room for so much.');
    for (const [key, value] of Object.entries(given))
      if (value === null) this.#values.delete(key);
      else this.#values.set(key, value);
  }
}
