/** Changes of a list of texts, and what of it one text may be. */

/** Of the list as it is when its turn comes: somebody else may have changed it meanwhile. */
export type ListEdit = (now: readonly string[]) => readonly string[];

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

export function isItem(text: string, { pattern, lengthMax }: ListRules): boolean {
  return text !== '' && text.length <= lengthMax && (pattern?.test(text) ?? true);
}

export function add(items: readonly string[]): ListEdit {
  return (now) => [...now, ...items];
}

/** An empty text takes the item away. An item that has gone meanwhile is written at the end. */
export function replace(index: number, before: string, text: string): ListEdit {
  if (text === '') return remove(index, before);
  return (now) => {
    const at = placeOf(now, index, before);
    return at === -1 ? [...now, text] : now.with(at, text);
  };
}

export function remove(index: number, item: string): ListEdit {
  return (now) => {
    const at = placeOf(now, index, item);
    return now.filter((_, place) => place !== at);
  };
}

/** Where it was seen, if it is still there, for a list may say a thing twice. -1: nowhere. */
function placeOf(now: readonly string[], index: number, item: string): number {
  return now[index] === item ? index : now.indexOf(item);
}
