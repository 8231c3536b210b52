/**
 * The naive twin of bencode.ts: recursive descent over a text of one character a byte, everything made at
 * once.
 */

export type ModelValue =
  | { readonly kind: 'integer'; readonly value: bigint; readonly end: number }
  | { readonly kind: 'string'; readonly text: string; readonly end: number }
  | { readonly kind: 'list'; readonly items: readonly ModelValue[]; readonly end: number }
  | {
      readonly kind: 'dictionary';
      readonly entries: readonly { readonly key: string; readonly value: ModelValue }[];
      readonly end: number;
    };

/**
 * The value that `text` has at `from`. @throws when there is none, or when it is nested deeper than
 * `depthLeft`
 */
export function modelDecode(text: string, from: number, depthLeft: number): ModelValue {
  const rest = text.slice(from);
  const integer = /^i(-?\d{1,24})e/.exec(rest);
  if (integer !== null) {
    const value = BigInt(integer[1]!);
    if (value < -(2n ** 63n) || value >= 2n ** 64n) throw new Error('beyond 64 bits');
    return { kind: 'integer', value, end: from + integer[0].length };
  }
  if (/^\d/.test(rest)) return modelString(text, from);
  if (!/^[ld]/.test(rest) || depthLeft === 0) throw new Error('no value');
  return rest[0] === 'l' ? modelList(text, from, depthLeft) : modelDictionary(text, from, depthLeft);
}

function modelString(text: string, from: number): Extract<ModelValue, { kind: 'string' }> {
  const head = /^(\d{1,24}):/.exec(text.slice(from));
  if (head === null) throw new Error('no string');
  const start = from + head[0].length;
  const end = start + Number(head[1]);
  if (end > text.length) throw new Error('too long');
  return { kind: 'string', text: text.slice(start, end), end };
}

function modelList(text: string, from: number, depthLeft: number): ModelValue {
  const items: ModelValue[] = [];
  let at = from + 1;
  while (text[at] !== 'e') {
    const item = modelDecode(text, at, depthLeft - 1);
    items.push(item);
    at = item.end;
  }
  return { kind: 'list', items, end: at + 1 };
}

function modelDictionary(text: string, from: number, depthLeft: number): ModelValue {
  const entries: { key: string; value: ModelValue }[] = [];
  let at = from + 1;
  while (text[at] !== 'e') {
    const key = modelString(text, at);
    const value = modelDecode(text, key.end, depthLeft - 1);
    entries.push({ key: key.text, value });
    at = value.end;
  }
  return { kind: 'dictionary', entries, end: at + 1 };
}

/** How many tokens a value has: itself, what is inside it, keys too. */
export function modelTokenCount(value: ModelValue): number {
  if (value.kind === 'list') return value.items.reduce((sum, item) => sum + modelTokenCount(item), 1);
  if (value.kind !== 'dictionary') return 1;
  return value.entries.reduce((sum, entry) => sum + 1 + modelTokenCount(entry.value), 1);
}
