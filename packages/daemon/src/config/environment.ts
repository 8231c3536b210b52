/** Settings from the environment: `TEQUIO_BITTORRENT_LIMIT_DOWN=1000000` is `bittorrent.limitDown`. */
import { settingsSchema } from '@tequio/api/settings';
import { NodeError } from '@tequio/kernel';
import type { z } from 'zod';

/** Variables with this beginning that are no settings. */
const others: ReadonlySet<string> = new Set(['TEQUIO_DATA', 'TEQUIO_CONFIG', 'TEQUIO_DATAGRAMS']);
/** Of test runs and the like: ours, and nothing that a user sets. */
const reserved = /^TEQUIO_(?:REQUIRE|CRASH|FIGURES|TEST|BENCH|LAB)_?/;

type Sections = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** @throws NodeError `CONFIG_ENVIRONMENT` for a variable that is no setting, or whose value is of another kind */
export function settingsOfEnvironment(env: Readonly<Record<string, string | undefined>>): Sections {
  const found: Record<string, Record<string, unknown>> = {};
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('TEQUIO_') || text === undefined) continue;
    if (others.has(variable) || reserved.test(variable)) continue;
    const place = places.get(variable);
    if (place === undefined) throw unknown(variable);
    const section = (found[place.section] ??= {});
    section[place.key] = readValue(variable, text);
  }
  return found;
}

type Place = { readonly section: string; readonly key: string };

const places: ReadonlyMap<string, Place> = new Map(
  Object.entries(settingsSchema.shape).flatMap(([section, schema]) =>
    keysOf(schema).map((key) => [variableOf(section, key), { section, key }] as const),
  ),
);

/** How a setting is called in the environment. */
export function variableOf(section: string, key: string): string {
  const upper = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  return `TEQUIO_${upper(section)}_${upper(key)}`;
}

/** Keys of a section; none where it is no table. */
export function keysOf(schema: unknown): readonly string[] {
  let inner = schema as { readonly shape?: object; readonly def?: { readonly innerType?: z.ZodType } };
  while (inner.shape === undefined && inner.def?.innerType !== undefined)
    inner = inner.def.innerType as typeof inner;
  return Object.keys(inner.shape ?? {});
}

/** A number, a truth value, a list or table as JSON, `none`; all else is text. */
function readValue(variable: string, text: string): unknown {
  if (text === 'none') return null;
  if (!/^(?:-?\d+(?:\.\d+)?|true|false|[[{].*)$/s.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    throw new NodeError('CONFIG_ENVIRONMENT', `${variable} begins like a list, and is no JSON: ${text}`, {
      op: 'read',
    });
  }
}

function unknown(variable: string): NodeError {
  const near = [...places.keys()].filter((name) => name.startsWith(variable.slice(0, 12))).slice(0, 3);
  const hint = near.length === 0 ? '' : ` Did you mean ${near.join(', ')}?`;
  return new NodeError('CONFIG_ENVIRONMENT', `${variable} is no setting.${hint}`, { op: 'read' });
}
