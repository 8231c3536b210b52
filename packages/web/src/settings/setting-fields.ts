/** The settings' JSON Schema as a list of fields that a screen can show. */

import type { SettingsPatch } from '@tequio/api';
import { isText, type ListRules } from './list-edits.ts';

/** `list`: of texts; `things`: of things that have parts; `time`: minutes since midnight; `days`: of the week, 0 is Sunday. */
export type FieldKind =
  | 'switch'
  | 'number'
  | 'rate'
  | 'text'
  | 'choice'
  | 'time'
  | 'days'
  | 'list'
  | 'things';

export type SettingField = {
  /** As `bittorrent.port`; of a part of a thing in a list, as `watch.path`. */
  readonly key: string;
  readonly kind: FieldKind;
  readonly description: string;
  readonly choices: readonly string[];
  readonly isOptional: boolean;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly unit: string | null;
  /** Holds only after a restart. */
  readonly isLate: boolean;
  /** Of a text, or each text of a list. */
  readonly rules: ListRules | null;
  /** Of things alone: what each of them has. */
  readonly parts: readonly SettingField[];
  /** Things at most. */
  readonly countMax: number;
  /** What it is when nothing is said; undefined: it must be said. */
  readonly usual: unknown;
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
  readonly default?: unknown;
  readonly const?: unknown;
};

/** A field for each setting; those of a list's things stand in its field. */
export function fieldsOf(schema: Readonly<Record<string, unknown>>): readonly SettingField[] {
  const sections = Object.entries((schema as Schema).properties ?? {});
  return sections.flatMap(([section, part]) =>
    part.properties === undefined ? fieldOf(section, part) : fieldsIn(section, part),
  );
}

function fieldsIn(key: string, { properties = {} }: Schema): readonly SettingField[] {
  return Object.entries(properties).flatMap(([name, part]) => fieldOf(`${key}.${name}`, part));
}

function fieldOf(key: string, schema: Schema): readonly SettingField[] {
  const isOptional = schema.anyOf?.some(({ type }) => type === 'null') ?? false;
  const inner = schema.anyOf?.find(({ type }) => type !== 'null') ?? schema;
  const unit = schema.unit ?? inner.unit ?? null;
  const kind = kindOf(inner, unit);
  if (kind === null) return [];
  return [
    {
      key,
      kind,
      description: schema.description ?? inner.description ?? '',
      choices: inner.enum ?? [],
      isOptional,
      min: inner.minimum,
      max: inner.maximum,
      unit,
      isLate: (schema.restart ?? inner.restart) === true,
      rules: kind === 'list' || kind === 'text' ? rulesOf(inner) : null,
      parts: kind === 'things' ? fieldsIn(key, inner.items!) : [],
      countMax: inner.maxItems ?? Number.POSITIVE_INFINITY,
      usual: schema.default ?? (isOptional ? null : undefined),
    },
  ];
}

function kindOf({ type, enum: choices, items, const: only }: Schema, unit: string | null): FieldKind | null {
  if (only !== undefined) return null;
  if (choices !== undefined) return 'choice';
  if (type === 'boolean') return 'switch';
  if (type === 'integer' || type === 'number')
    return unit === 'B/s' ? 'rate' : unit === 'minute of the day' ? 'time' : 'number';
  if (type === 'string') return 'text';
  return type === 'array' ? listKindOf(items) : null;
}

function listKindOf(items: Schema | undefined): FieldKind | null {
  if (items?.type === 'string') return 'list';
  if (items?.type === 'object') return 'things';
  return items?.type === 'integer' && items.maximum === 6 ? 'days' : null;
}

/** Upper and lower case are the node's to tell apart: a schema cannot say whether they matter. */
function rulesOf({ type, items, pattern, maxLength, maxItems }: Schema): ListRules {
  const text = type === 'array' ? (items ?? {}) : { pattern, maxLength };
  return {
    pattern: text.pattern === undefined ? null : new RegExp(text.pattern, 'iu'),
    lengthMax: text.maxLength ?? Number.POSITIVE_INFINITY,
    countMax: maxItems ?? Number.POSITIVE_INFINITY,
  };
}

/** The change of one setting. */
export function changeOf(key: string, value: unknown): SettingsPatch {
  const [section = '', name] = key.split('.');
  return { [section]: name === undefined ? value : { [name]: value } } as SettingsPatch;
}

/** The value at a key like `bittorrent.port`. */
export function valueAt(settings: unknown, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], settings);
}

/** What the user wrote, as the setting wants it; undefined: it is no such value. */
export function readField({ kind, isOptional, rules }: SettingField, text: string): unknown {
  if (text.trim() === '' && isOptional) return null;
  if (rules !== null) return isText(text, rules) ? text : undefined;
  const value = Number(text.replace(',', '.'));
  if (text.trim() === '' || !Number.isFinite(value)) return undefined;
  return kind === 'rate' ? Math.round(value * 1024) : value;
}

export type FieldProps = {
  readonly field: SettingField;
  readonly value: unknown;
  /** A flag or a variable says what it is. */
  readonly isFixed: boolean;
  /** @returns whether it was taken */
  readonly change: (next: (now: unknown) => unknown) => Promise<boolean>;
};
