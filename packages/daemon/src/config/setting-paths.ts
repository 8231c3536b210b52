import { isDeepStrictEqual } from 'node:util';

type Sections = Readonly<Record<string, unknown>>;

/** A value in a tree of settings. */
export type SettingPath = {
  /** Empty: the value stands outside of all sections. */
  readonly section: string;
  readonly key: string;
  /** `section.key`. */
  readonly name: string;
  readonly value: unknown;
};

/** Every value that is given. */
export function settingPaths(sections: Sections): readonly SettingPath[] {
  return Object.entries(sections).flatMap(([section, table]): readonly SettingPath[] => {
    if (!isTable(table)) return [{ section: '', key: section, name: section, value: table }];
    return Object.entries(table).map(([key, value]) => ({ section, key, name: `${section}.${key}`, value }));
  });
}

/** The values of `over` in place of those of `under`. */
export function mergeSections(under: Sections, over: Sections): Sections {
  const merged: Record<string, unknown> = { ...under };
  for (const [section, table] of Object.entries(over)) {
    const before = merged[section];
    merged[section] = isTable(table) && isTable(before) ? { ...before, ...table } : table;
  }
  return merged;
}

export function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(a, b);
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
