/** Changes of a list, and what of it one text may be. */

/** Of the list as it is when its turn comes: somebody else may have changed it meanwhile. */
export type ListEdit<Item = string> = (now: readonly Item[]) => readonly Item[];

/** What a setting that is a list wants of each text in it. */
export type ListRules = {
  readonly pattern: RegExp | null;
  readonly lengthMax: number;
  readonly countMax: number;
};

/** Lines of their own become items of their own, as somebody pastes them. */
export function itemsIn(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

export function isItem(text: string, rules: ListRules): boolean {
  return text !== '' && isText(text, rules);
}

export function isText(text: string, { pattern, lengthMax }: ListRules): boolean {
  return text.length <= lengthMax && (pattern?.test(text) ?? true);
}

export function add<Item>(items: readonly Item[]): ListEdit<Item> {
  return (now) => [...now, ...items];
}

/** An item that has gone meanwhile is written at the end. */
export function replace<Item>(index: number, before: Item, item: Item): ListEdit<Item> {
  return (now) => {
    const at = placeOf(now, index, before);
    return at === -1 ? [...now, item] : now.with(at, item);
  };
}

export function remove<Item>(index: number, item: Item): ListEdit<Item> {
  return (now) => {
    const at = placeOf(now, index, item);
    return now.filter((_, place) => place !== at);
  };
}

/** A change of an item that was itself changed a moment ago is of the one in its place. */
export function change<Item>(index: number, before: Item, next: (item: Item) => Item): ListEdit<Item> {
  return (now) => {
    const found = placeOf(now, index, before);
    const at = found === -1 ? index : found;
    return at < now.length ? now.with(at, next(now[at]!)) : now;
  };
}

/** Where it was seen, if it is still there, for a list may say a thing twice. -1: nowhere. */
function placeOf(now: readonly unknown[], index: number, item: unknown): number {
  const wanted = JSON.stringify(item);
  const isIt = (other: unknown): boolean => JSON.stringify(other) === wanted;
  return isIt(now[index]) ? index : now.findIndex(isIt);
}
