import type { Settings } from './settings-schema.ts';

/** Every part may be left out. Lists are replaced whole. */
export type DeepPartial<Value> = Value extends readonly unknown[]
  ? Value
  : Value extends object
    ? { readonly [Key in keyof Value]?: DeepPartial<Value[Key]> }
    : Value;

export type SettingsPatch = DeepPartial<Omit<Settings, 'version'>>;

export type PatchedSettings = {
  /** What is different now, as `bittorrent.port`. */
  readonly changed: readonly string[];
  /** Of these, what holds only after the node was started again. */
  readonly restartNeeded: readonly string[];
};

/** Where a value comes from; the later ones win. A flag or a variable cannot be changed from here. */
export type SettingOrigin = 'default' | 'file' | 'environment' | 'flag';

export interface SettingsApi {
  get(): Promise<Settings>;
  /** Only what is not a default. */
  origins(): Promise<Readonly<Record<string, Exclude<SettingOrigin, 'default'>>>>;
  /**
   * Checked whole, written to the config file, then put in force.
   * @throws NodeError `SETTINGS_VALUE`, `SETTINGS_FIXED`
   */
  patch(changes: SettingsPatch): Promise<PatchedSettings>;
  /** JSON Schema 2020-12 of the settings, with a sentence, a default and a unit for each. */
  schema(): Promise<Readonly<Record<string, unknown>>>;
}
