/**
 * Globs over a torrent's file paths, as `--select` takes them: `*` and `?` within a folder, `**` across folders,
 * `[abc]`, `[!a-z]`, `{one,two}`. A glob without `/` is matched against the file's name; one with `/` against the path,
 * with or without the torrent's own folder. Letters match in either case.
 *
 * A glob becomes a small program of steps, and a path is read once with all places in it that it may have reached. So
 * the cost is at most steps x characters, whatever the glob: an expression that goes back and tries again would take
 * for ever over `*a*a*a*a*b`. Input: the user's own text, at most `globCharsMax` characters.
 */
export const globCharsMax = 1000;

/** True when any of the globs names the file; no globs name all files. */
export function isSelected(path: string, globs: readonly string[]): boolean {
  return globs.length === 0 || globs.some((glob) => matchesGlob(path, glob));
}

/** @param path with `/` */
export function matchesGlob(path: string, glob: string): boolean {
  if (glob.length > globCharsMax) return false;
  const steps = tryCompile(glob.replace(/^\//, ''));
  if (steps === null) return false;
  if (!glob.includes('/')) return matches(steps, path.slice(path.lastIndexOf('/') + 1));
  return matches(steps, path) || matches(steps, path.slice(path.indexOf('/') + 1));
}

type Step =
  /** One character that passes, then the step `next`. */
  | { readonly kind: 'character'; readonly passes: (char: string) => boolean; next: number }
  /** Any of these steps, without a character. */
  | { readonly kind: 'fork'; readonly ways: number[] };

const notSlash = (char: string): boolean => char !== '/';
const anything = (): boolean => true;

/** The last step is the end. Null for what names nothing, such as a range that runs backwards. */
function tryCompile(glob: string): readonly Step[] | null {
  const chars = [...glob];
  const steps: Step[] = [];
  /** Open braces: where each begins, and the ends of the alternatives so far. */
  const open: { readonly fork: number[]; readonly ends: number[][] }[] = [];
  const fork = (...ways: number[]): number[] => {
    steps.push({ kind: 'fork', ways });
    return ways;
  };
  const character = (passes: (char: string) => boolean): void => {
    steps.push({ kind: 'character', passes, next: steps.length + 1 });
  };
  /** Characters that pass, as many as there are, or none. */
  const repeat = (passes: (char: string) => boolean): void => {
    const at = steps.length;
    fork(at + 1, at + 2);
    steps.push({ kind: 'character', passes, next: at });
  };
  const close = (): void => {
    for (const end of open.pop()!.ends) end.push(steps.length);
  };
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at]!;
    if (char === '*') {
      const isDeep = chars[at + 1] === '*';
      while (chars[at + 1] === '*') at++;
      if (isDeep && chars[at + 1] === '/') {
        at++;
        // Nothing, or anything that ends with a slash.
        const past = fork(steps.length + 1);
        repeat(anything);
        character((one) => one === '/');
        past.push(steps.length);
      } else repeat(isDeep ? anything : notSlash);
    } else if (char === '?') character(notSlash);
    else if (char === '[') {
      const set = /^\[(!?)([^\]/]+)\]/u.exec(chars.slice(at).join(''));
      if (set === null) character(sameAs('['));
      else {
        const passes = trySet(set[1] === '!', set[2]!);
        if (passes === null) return null;
        character(passes);
        at += [...set[0]].length - 1;
      }
    } else if (char === '{' && chars.includes('}', at)) {
      open.push({ fork: fork(steps.length + 1), ends: [] });
    } else if (char === '}' && open.length > 0) close();
    else if (char === ',' && open.length > 0) {
      const { fork: begin, ends } = open[open.length - 1]!;
      ends.push(fork());
      begin.push(steps.length);
    } else character(sameAs(char));
  }
  while (open.length > 0) close();
  return steps;
}

/** In either case. */
function sameAs(wanted: string): (char: string) => boolean {
  const [lower, upper] = [wanted.toLowerCase(), wanted.toUpperCase()];
  return (char) => char === wanted || char.toLowerCase() === lower || char.toUpperCase() === upper;
}

function trySet(isNegative: boolean, inside: string): ((char: string) => boolean) | null {
  try {
    const set = new RegExp(`^[${isNegative ? '^' : ''}${inside.replace(/[\\^[&|~]/g, '\\$&')}]$`, 'iu');
    return (char) => set.test(char);
  } catch {
    return null;
  }
}

function matches(steps: readonly Step[], text: string): boolean {
  let reached = new Set<number>();
  arrive(steps, 0, reached);
  for (const char of text) {
    const next = new Set<number>();
    for (const at of reached) {
      const step = steps[at];
      if (step?.kind === 'character' && step.passes(char)) arrive(steps, step.next, next);
    }
    if (next.size === 0) return false;
    reached = next;
  }
  return reached.has(steps.length);
}

/** This step, and all that are reached from it without a character. */
function arrive(steps: readonly Step[], first: number, reached: Set<number>): void {
  const waiting = [first];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (reached.has(at)) continue;
    reached.add(at);
    const step = steps[at];
    if (step?.kind === 'fork') waiting.push(...step.ways);
  }
}
