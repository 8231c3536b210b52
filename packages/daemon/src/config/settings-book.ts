/** The settings in force: defaults, then the config file, the environment, flags; and how they are changed. */
import type { PatchedSettings, SettingsApi, SettingsPatch } from '@tequio/api';
import { type Settings, settingsSchema } from '@tequio/api/settings';
import { type FilesPort, NodeError } from '@tequio/kernel';
import { z } from 'zod';
import { checkSettings, parseConfig, readConfigFile, type Sections, writeConfigFile } from './config-file.ts';
import { settingsOfEnvironment } from './environment.ts';
import { isSame, mergeSections, type SettingPath, settingPaths } from './setting-paths.ts';
import { editToml } from './toml-edit.ts';

export type SettingsSources = {
  /** Absolute; need not be there. */
  readonly path: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: SettingsPatch;
};

const hidden = '***';

export class SettingsBook implements SettingsApi {
  readonly #files: FilesPort;
  readonly #path: string;
  readonly #env: Sections;
  readonly #flags: Sections;
  #text: string;
  #file: Sections;
  #settings: Settings;
  #listeners: ((changed: readonly string[]) => void)[] = [];
  #patching: Promise<unknown> = Promise.resolve();

  private constructor(
    files: FilesPort,
    sources: SettingsSources,
    read: { text: string; sections: Sections },
  ) {
    this.#files = files;
    this.#path = sources.path;
    this.#env = settingsOfEnvironment(sources.env);
    this.#flags = sources.flags as Sections;
    this.#text = read.text;
    this.#file = read.sections;
    // Each by itself first, so that the sentence says where the mistake is.
    checkSettings(this.#file, sources.path);
    checkSettings(this.#env, 'the environment');
    this.#settings = this.#merged(this.#file);
  }

  /** @throws NodeError `CONFIG_SYNTAX`, `CONFIG_VERSION`, `CONFIG_ENVIRONMENT`, `SETTINGS_VALUE` */
  static async open(sources: SettingsSources, files: FilesPort): Promise<SettingsBook> {
    return new SettingsBook(files, sources, await readConfigFile(sources.path, files));
  }

  /** In force now. */
  get current(): Settings {
    return this.#settings;
  }

  /** Calls back with the names of settings that are other ones now, as `bittorrent.limitDown`. */
  onChange(listener: (changed: readonly string[]) => void): void {
    this.#listeners.push(listener);
  }

  async get(): Promise<Settings> {
    const { url } = this.#settings.proxy;
    const shown = url === null ? null : url.replace(/(:\/\/[^:@/]*:)[^@/]*@/, `$1${hidden}@`);
    return { ...this.#settings, proxy: { ...this.#settings.proxy, url: shown } };
  }

  async origins(): ReturnType<SettingsApi['origins']> {
    const origins: Record<string, 'file' | 'environment' | 'flag'> = {};
    const layers = [
      [this.#file, 'file'],
      [this.#env, 'environment'],
      [this.#flags, 'flag'],
    ] as const;
    for (const [layer, origin] of layers) {
      for (const { name } of settingPaths(layer)) origins[name] = origin;
    }
    return origins;
  }

  patch(changes: SettingsPatch): Promise<PatchedSettings> {
    const done = this.#patching.then(() => this.#patch(changes));
    this.#patching = done.catch(() => undefined);
    return done;
  }

  async schema(): Promise<Readonly<Record<string, unknown>>> {
    return z.toJSONSchema(settingsSchema, { io: 'input' }) as Readonly<Record<string, unknown>>;
  }

  async #patch(changes: SettingsPatch): Promise<PatchedSettings> {
    const asked = settingPaths(changes as Sections).filter(({ name, value }) => !this.#isShown(name, value));
    for (const { name } of asked) this.#checkFree(name);
    const file = mergeSections(this.#file, sectionsOf(asked));
    const merged = this.#merged(file);
    const changed = asked.filter((path) => !isSame(valueAt(this.#settings, path), valueAt(merged, path)));
    if (changed.length === 0) return { changed: [], restartNeeded: [] };
    const text = this.#written(file, changed);
    await writeConfigFile(this.#path, text, this.#files);
    this.#text = text;
    this.#file = parseConfig(text, this.#path);
    this.#settings = merged;
    const names = changed.map(({ name }) => name);
    for (const listener of this.#listeners) listener(names);
    return { changed: names, restartNeeded: names.filter(needsRestart) };
  }

  /** What stands there by itself is left as it is; where that cannot be done the file is written anew. */
  #written(file: Sections, changed: readonly SettingPath[]): string {
    const edits = changed.map((path) => ({ ...path, value: writtenValue(path) }));
    const text = editToml(this.#text, edits);
    if (this.#reads(text, file)) return text;
    const fresh = editToml(
      'version = 1\n',
      settingPaths(file)
        .filter(({ name }) => name !== 'version')
        .map((path) => ({ ...path, value: writtenValue(path) })),
    );
    if (this.#reads(fresh, file)) return fresh;
    throw new NodeError('SETTINGS_VALUE', 'This cannot be written into the config file.', { op: 'write' });
  }

  #reads(text: string, file: Sections): boolean {
    try {
      return isSame(checkSettings(parseConfig(text, this.#path), ''), checkSettings(file, ''));
    } catch {
      return false;
    }
  }

  #merged(file: Sections): Settings {
    const sections = mergeSections(mergeSections(file, this.#env), this.#flags);
    return checkSettings(sections, 'the settings');
  }

  /** The text that `get` gives for a secret leaves it as it is. */
  #isShown(name: string, value: unknown): boolean {
    return name === 'proxy.url' && typeof value === 'string' && value.includes(`:${hidden}@`);
  }

  /** @throws NodeError `SETTINGS_FIXED` */
  #checkFree(name: string): void {
    for (const [layer, where] of [
      [this.#flags, 'a flag'],
      [this.#env, 'the environment'],
    ] as const) {
      if (settingPaths(layer).some((path) => path.name === name))
        throw new NodeError('SETTINGS_FIXED', `${name} is set by ${where}, and cannot be changed from here.`);
    }
  }
}

function sectionsOf(paths: readonly SettingPath[]): Sections {
  const sections: Record<string, unknown> = {};
  for (const { section, key, value } of paths) {
    if (section === '') sections[key] = value;
    else sections[section] = { ...(sections[section] as object | undefined), [key]: value };
  }
  return sections;
}

function valueAt(settings: Settings, { section, key }: SettingPath): unknown {
  const table = (section === '' ? settings : settings[section as keyof Settings]) as Record<string, unknown>;
  return table[key];
}

/** What has no value is left out; unless that would mean something, as in the queue: there 0 stands for all. */
function writtenValue(path: SettingPath): unknown {
  if (path.value !== null) return path.value;
  return valueAt(defaults, path) === null ? undefined : 0;
}

const defaults: Settings = settingsSchema.parse({});

function needsRestart(name: string): boolean {
  const [section, key] = name.split('.') as [string, string | undefined];
  const json = z.toJSONSchema(settingsSchema, { io: 'input' });
  const part = json.properties?.[section] as
    | { properties?: Record<string, { restart?: boolean }> }
    | undefined;
  return key !== undefined && part?.properties?.[key]?.restart === true;
}
