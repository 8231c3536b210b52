/** Two programs' answers to the same question, field by field. */

/** `same`: type and value; `type`: the type, and the value is the program's own; `missing`: only the other has it. */
export type Verdict = 'same' | 'type' | 'other-type' | 'other-value' | 'missing' | 'more';

export type FieldComparison = {
  /** As `torrents[].files[].name`. */
  readonly field: string;
  readonly type: string;
  readonly verdict: Verdict;
};

export type ComparedCall = { readonly call: string; readonly fields: readonly FieldComparison[] };

/** Leaves of an answer: path to value. Of an array its elements together, for they are alike. */
function leavesOf(value: unknown, path: string, found: Map<string, unknown[]>): void {
  if (Array.isArray(value)) {
    if (value.length === 0) add(found, `${path}[]`, undefined);
    for (const item of value) leavesOf(item, `${path}[]`, found);
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    if (entries.length === 0) add(found, `${path}{}`, undefined);
    for (const [key, inner] of entries) leavesOf(inner, path === '' ? key : `${path}.${key}`, found);
  } else add(found, path, value);
}

function add(found: Map<string, unknown[]>, path: string, value: unknown): void {
  found.set(path, [...(found.get(path) ?? []), value]);
}

function typeOf(values: readonly unknown[]): string {
  const types = values
    .filter((value) => value !== undefined)
    .map((value) => (value === null ? 'null' : typeof value));
  return [...new Set(types)].sort().join(' or ');
}

/**
 * @param sameValue fields whose value must be the same in both, for the same torrent in the same state
 * @param ours may hold fields that the other program is too old for; they are told of as `more`
 */
export function compareAnswers(
  theirs: unknown,
  ours: unknown,
  sameValue: (field: string) => boolean,
): readonly FieldComparison[] {
  const [their, our] = [new Map<string, unknown[]>(), new Map<string, unknown[]>()];
  leavesOf(theirs, '', their);
  leavesOf(ours, '', our);
  const comparisons: FieldComparison[] = [];
  for (const [field, values] of their) {
    const known = our.get(field);
    if (known !== undefined)
      comparisons.push({ field, type: typeOf(values), verdict: verdictOf(values, known, sameValue(field)) });
    else if (!isSaidElsewhere(field, our))
      comparisons.push({ field, type: typeOf(values), verdict: 'missing' });
  }
  for (const [field, values] of our)
    if (!their.has(field) && !isSaidElsewhere(field, their))
      comparisons.push({ field, type: typeOf(values), verdict: 'more' });
  return comparisons.sort((a, b) => a.field.localeCompare(b.field));
}

/** One of the two lists is empty: it is there, and of its elements nothing can be said. */
function isSaidElsewhere(field: string, leaves: ReadonlyMap<string, unknown>): boolean {
  const list = /(?:\[\]|\{\})$/.exec(field);
  const base = list === null ? null : field.slice(0, list.index);
  return [...leaves.keys()].some(
    (key) =>
      (/(?:\[\]|\{\})$/.test(key) && field.startsWith(key.slice(0, -2))) ||
      (base !== null && (key.startsWith(`${base}[]`) || key.startsWith(`${base}.`))),
  );
}

function verdictOf(theirs: readonly unknown[], ours: readonly unknown[], mustEqual: boolean): Verdict {
  const [their, our] = [typeOf(theirs), typeOf(ours)];
  const isEmpty = their === '' || our === '';
  if (!isEmpty && their !== our && !our.split(' or ').every((type) => their.includes(type)))
    return 'other-type';
  // Where values may differ it means nothing that they happen to be the same this time.
  if (!mustEqual) return 'type';
  return JSON.stringify(theirs) === JSON.stringify(ours) ? 'same' : 'other-value';
}
