/** The naive twin of globs: a regular expression, which goes back and tries again. For short globs and paths. */

/** @param path with `/` */
export function matchesGlobNaively(path: string, glob: string): boolean {
  const pattern = tryPattern(expressionOf(glob.replace(/^\//, '')));
  if (pattern === null) return false;
  if (!glob.includes('/')) return pattern.test(path.slice(path.lastIndexOf('/') + 1));
  return pattern.test(path) || pattern.test(path.slice(path.indexOf('/') + 1));
}

/** Null for what names nothing, such as a range that runs backwards. */
function tryPattern(expression: string): RegExp | null {
  try {
    return new RegExp(`^${expression}$`, 'iu');
  } catch {
    return null;
  }
}

function expressionOf(glob: string): string {
  let expression = '';
  let depth = 0;
  for (let at = 0; at < glob.length; at++) {
    const char = glob[at]!;
    if (char === '*') {
      const isDeep = glob[at + 1] === '*';
      while (glob[at + 1] === '*') at++;
      if (isDeep && glob[at + 1] === '/') {
        at++;
        expression += '(?:.*/)?';
      } else expression += isDeep ? '.*' : '[^/]*';
    } else if (char === '?') expression += '[^/]';
    else if (char === '[') {
      const set = /^\[(!?)([^\]/]+)\]/.exec(glob.slice(at));
      expression +=
        set === null ? '\\[' : `[${set[1] === '' ? '' : '^'}${set[2]!.replace(/[\\^[&|~]/g, '\\$&')}]`;
      if (set !== null) at += set[0].length - 1;
    } else if (char === '{' && glob.includes('}', at)) {
      depth++;
      expression += '(?:';
    } else if (char === '}' && depth > 0) {
      depth--;
      expression += ')';
    } else if (char === ',' && depth > 0) expression += '|';
    else expression += char.replace(/[\\^$.|+(){}[\]/]/g, '\\$&');
  }
  return expression + ')'.repeat(depth);
}
