/** The settings' JSON Schema as a list of fields that a screen can show. */

import type { SettingsPatch } from '@tequio/api';
import type { ListRules } from './list-edits.ts';

export type FieldKind = 'switch' | 'number' | 'rate' | 'text' | 'choice' | 'list';

export type SettingField = {
  /** As `bittorrent.port`. */
  readonly key: string;
  readonly section: string;
  readonly kind: FieldKind;
  readonly description: string;
  readonly choices: readonly string[];
  readonly isOptional: boolean;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly unit: string | null;
  /** Holds only after a restart. */
  readonly isLate: boolean;
  /** Of a list alone. */
  readonly rules: ListRules | null;
};

type Schema = {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly unit?: string;
  readonly restart?: boolean;
};

/** Lists of things with parts of their own (folders that are watched, times) have no field here. */
export function fieldsOf(schema: Readonly<Record<string, unknown>>): readonly SettingField[] {
  const sections = Object.entries((schema as Schema).properties ?? {});
  return sections.flatMap(([section, part]) =>
    Object.entries(part.properties ?? {}).flatMap(([name, field]) => fieldOf(section, name, field)),
  );
}

function fieldOf(section: string, name: string, schema: Schema): SettingField[] {
  const isOptional = schema.anyOf?.some(({ type }) => type === 'null') ?? false;
  const inner = schema.anyOf?.find(({ type }) => type !== 'null') ?? schema;
  const unit = schema.unit ?? inner.unit ?? null;
  const kind = kindOf(inner, unit);
  if (kind === null) return [];
  return [
    {
      key: `${section}.${name}`,
      section,
      kind,
      description: schema.description ?? inner.description ?? '',
      choices: inner.enum ?? [],
      isOptional,
      min: inner.minimum,
      max: inner.maximum,
      unit,
      isLate: (schema.restart ?? inner.restart) === true,
      rules: kind === 'list' ? rulesOf(inner) : null,
    },
  ];
}

function kindOf({ type, enum: choices, items }: Schema, unit: string | null): FieldKind | null {
  if (choices !== undefined) return 'choice';
  if (type === 'boolean') return 'switch';
  if (type === 'integer' || type === 'number') return unit === 'B/s' ? 'rate' : 'number';
  if (type === 'string') return 'text';
  return type === 'array' && items?.type === 'string' ? 'list' : null;
}

function rulesOf({ items, maxItems = Number.POSITIVE_INFINITY }: Schema): ListRules {
  const { pattern, maxLength = Number.POSITIVE_INFINITY } = items ?? {};
  return {
    pattern: pattern === undefined ? null : new RegExp(pattern, 'u'),
    lengthMax: maxLength,
    countMax: maxItems,
  };
}

/** The change of one setting. */
export function changeOf(key: string, value: unknown): SettingsPatch {
  const [section = '', name = ''] = key.split('.');
  return { [section]: { [name]: value } } as SettingsPatch;
}

/** The value at a key like `bittorrent.port`. */
export function valueAt(settings: unknown, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], settings);
}

/** What the user wrote, as the setting wants it; undefined: it is no such value. */
export function readField({ kind, isOptional }: SettingField, text: string): unknown {
  if (text.trim() === '' && isOptional) return null;
  if (kind !== 'number' && kind !== 'rate') return text;
  const value = Number(text.replace(',', '.'));
  if (text.trim() === '' || !Number.isFinite(value)) return undefined;
  return kind === 'rate' ? Math.round(value * 1024) : value;
}
