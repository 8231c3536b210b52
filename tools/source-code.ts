/**
 * A small lexer for TypeScript, for the checks in this folder: it tells code from comments, strings and regular
 * expressions, and that is all it knows. (The compiler that the project uses has no interface for JavaScript.)
 */

export type SourceCode = {
  readonly text: string;
  /** `text` with comments, and what is inside strings, templates and regular expressions, as spaces: same offsets. */
  readonly code: string;
  /** String literals in order; of a template with expressions what stands before the first, and `${`. */
  readonly strings: readonly { readonly at: number; readonly value: string }[];
};

/** Words after which a `/` begins a regular expression, not a division. */
const beforeRegex =
  /(?:^|[=(,;:[!&|?{}+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else|void|delete|await|yield))\s*$/;

/** Never fails: unfinished strings and comments end with the text. */
export function lexSource(text: string): SourceCode {
  const out = [...text.replace(/[^\n]/g, ' ')];
  const strings: { at: number; value: string }[] = [];
  /** For each `${` that is open: the depth of braces at which it closes. */
  const templates: number[] = [];
  let depth = 0;
  let at = 0;

  const keep = (count: number): void => {
    for (const end = at + count; at < end; at++) out[at] = text[at]!;
  };
  /** From just after the opening backtick, or after the `}` of an expression, to the next `${` or the end. */
  const passTemplate = (): boolean => {
    for (; at < text.length; at++) {
      if (text[at] === '\\') at++;
      else if (text[at] === '`') {
        keep(1);
        return true;
      } else if (text.startsWith('${', at)) {
        keep(2);
        templates.push(depth++);
        return false;
      }
    }
    return false;
  };

  while (at < text.length) {
    const c = text[at]!;
    if (text.startsWith('//', at)) at = indexOrEnd(text, '\n', at);
    else if (text.startsWith('/*', at)) at = indexOrEnd(text, '*/', at + 2) + 2;
    else if (c === "'" || c === '"') {
      const end = endOfString(text, at, c);
      strings.push({ at, value: text.slice(at + 1, end) });
      keep(1);
      at = end;
      if (at < text.length) keep(1);
    } else if (c === '`') {
      const start = at;
      keep(1);
      const whole = passTemplate();
      strings.push({ at: start, value: text.slice(start + 1, whole ? at - 1 : at) });
    } else if (c === '/' && beforeRegex.test(codeBefore(out, at))) {
      keep(1);
      at = endOfRegex(text, at);
      if (at < text.length) keep(1);
    } else {
      if (c === '{') depth++;
      if (c === '}') depth--;
      keep(1);
      if (c === '}' && templates.at(-1) === depth) {
        templates.pop();
        passTemplate();
      }
    }
  }
  return { text, code: out.join(''), strings };
}

/** The line of an offset, from 1. */
export function lineOf(text: string, at: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i >= 0 && i < at; i = text.indexOf('\n', i + 1)) line++;
  return line;
}

export type ImportOf = { readonly at: number; readonly specifier: string };

/**
 * What a file imports or re-exports, also with `import()`, and the sources that it names with `new URL('./x.ts')`
 * (or with the ending as an expression, for sources that are also built).
 */
export function importsOf(source: SourceCode): readonly ImportOf[] {
  return source.strings
    .filter(({ at, value }) => {
      const before = source.code.slice(Math.max(0, at - 60), at);
      if (/\bnew\s+URL\s*\(\s*$/.test(before)) return /^\..*\.(?:ts|\$\{)$/.test(value);
      return /(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\()\s*$/.test(before);
    })
    .map(({ at, value }) => ({ at, specifier: value.replace(/\$\{$/, 'ts') }));
}

function codeBefore(out: readonly string[], at: number): string {
  return out.slice(Math.max(0, at - 40), at).join('');
}

function indexOrEnd(text: string, what: string, from: number): number {
  const found = text.indexOf(what, from);
  return found < 0 ? text.length : found;
}

function endOfString(text: string, at: number, quote: string): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === quote || text[i] === '\n') return i;
  }
  return text.length;
}

/** @param at just after the opening slash */
function endOfRegex(text: string, at: number): number {
  let inClass = false;
  for (let i = at; i < text.length; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (c === '[') inClass = true;
    else if (c === ']') inClass = false;
    else if (c === '\n' || (c === '/' && !inClass)) return i;
  }
  return text.length;
}
