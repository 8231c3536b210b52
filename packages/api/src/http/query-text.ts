/** Queries as text: `?groups=seeding,paused&tag=&descending=true`. */

type QueryValue = string | number | boolean | null | readonly (string | number)[] | undefined;

/** Lists with commas between, null as nothing; what is undefined is left out. */
export function encodeQuery(query: Readonly<Record<string, QueryValue>>): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    pairs.set(name, Array.isArray(value) ? value.join(',') : value === null ? '' : String(value));
  }
  return pairs.toString();
}

/** What kind of value a text stands for; null: what it is none of stays a text, for the schema to refuse. */
export type QueryKind = {
  readonly type: 'number' | 'boolean' | 'array' | 'string';
  readonly nullable: boolean;
  readonly item: 'number' | 'string';
};

export function decodeQueryValue(text: string, kind: QueryKind): unknown {
  if (text === '' && kind.nullable) return null;
  if (kind.type === 'number') return toNumber(text);
  if (kind.type === 'boolean')
    return text === 'true' || text === '1' || (text === 'false' || text === '0' ? false : text);
  if (kind.type === 'array') {
    const items = text === '' ? [] : text.split(',');
    return kind.item === 'number' ? items.map(toNumber) : items;
  }
  return text;
}

function toNumber(text: string): number | string {
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
}
