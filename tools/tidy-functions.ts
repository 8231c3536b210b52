import { posix } from 'node:path';
import type { SourceCode } from './source-code.ts';

export type FunctionOf = {
  /** Its name; for a function without one that of the call that it is given to; else empty. */
  readonly name: string;
  readonly at: number;
  /** From the line with its opening brace to that with its closing one, without the lines of functions inside. */
  readonly lineCount: number;
};

/** A function's head is not longer than this; nothing before it is looked at. */
const headChars = 2000;

const controlWords = new Set(['if', 'for', 'while', 'switch', 'catch', 'with']);

/** Every function with a body in braces: declarations, methods, accessors and arrows. */
export function functionsOf({ code }: SourceCode): readonly FunctionOf[] {
  const found: { name: string; at: number; end: number; lineCount: number }[] = [];
  const open: (typeof found)[number][] = [];
  for (let at = code.indexOf('{'); at >= 0; at = code.indexOf('{', at + 1)) {
    const name = headName(code, at);
    if (name === null) continue;
    const end = closingOf(code, at);
    while (open.length > 0 && open.at(-1)!.end < at) open.pop();
    const lineCount = countLines(code, at, end);
    // The first and last line of the inner function are lines of the outer one too.
    const outer = open.at(-1);
    if (outer !== undefined) outer.lineCount -= Math.max(0, lineCount - 2);
    const entry = { name, at, end, lineCount };
    found.push(entry);
    open.push(entry);
  }
  return found;
}

/** The name of the function whose body begins at this brace, or null when no body does. */
function headName(code: string, at: number): string | null {
  const before = code.slice(Math.max(0, at - headChars), at).trimEnd();
  if (before.endsWith('=>')) return arrowName(before.slice(0, -2));
  // Behind a function with a result type a class would look like the rest of that type.
  if (/\bclass\s+[\w$]+[\w\s$<>,.]*$/.test(before.slice(-300))) return null;
  const parameters = endOfParameters(before);
  if (parameters < 0) return null;
  const name =
    /([\w#$]*)(?:<[^()]*>)?$/.exec(tailOf(before.slice(0, openingOf(before, parameters))))?.[1] ?? '';
  return controlWords.has(name) ? null : name;
}

/** The closing parenthesis of a parameter list at the end of `before`, past a result type; -1 when there is none. */
function endOfParameters(before: string): number {
  if (before.endsWith(')')) return before.length - 1;
  // An object type inside the result type.
  if (/[:|&,<]$/.test(before)) return -1;
  // A result type: walk back over balanced groups to the colon that follows a parenthesis.
  for (let i = before.length - 1; i >= 0 && before.length - i < 400; i--) {
    const c = before[i]!;
    if (c === '}' || c === ']' || c === ')') i = openingOf(before, i);
    else if (c === ':') {
      const head = before.slice(0, i).trimEnd();
      return head.endsWith(')') ? head.length - 1 : -1;
    } else if (!/[\w\s.<>|&,'"`$[\]]/.test(c)) return -1;
    if (i < 0) return -1;
  }
  return -1;
}

/** `const f = (…) =>` is named f; `describe('…', () =>` is named describe. */
function arrowName(before: string): string {
  const head = before.trimEnd();
  const end = head.endsWith(')') || /[\w$]$/.test(head) ? head.length - 1 : endOfParameters(head);
  const start = head[end] === ')' ? openingOf(head, end) : head.search(/[\w$]+$/);
  const left = tailOf(tailOf(head.slice(0, Math.max(0, start))).replace(/\basync$/, ''));
  const assigned = /([\w#$]+)\s*(?::[^=;]*)?=$/.exec(left);
  if (assigned !== null) return assigned[1]!;
  return /([\w$]+)\s*\([^()]*,$/.exec(left)?.[1] ?? '';
}

/** The end of a text without the white space that follows it; short, for patterns that are anchored there. */
function tailOf(text: string): string {
  return text.trimEnd().slice(-300);
}

const pairs: Readonly<Record<string, string>> = { ')': '(', '}': '{', ']': '[' };

function openingOf(code: string, at: number): number {
  const [close, open] = [code[at]!, pairs[code[at]!]!];
  let depth = 0;
  for (let i = at; i >= 0; i--) {
    if (code[i] === close) depth++;
    else if (code[i] === open && --depth === 0) return i;
  }
  return -1;
}

function closingOf(code: string, at: number): number {
  let depth = 0;
  for (let i = at; i < code.length; i++) {
    if (code[i] === '{') depth++;
    else if (code[i] === '}' && --depth === 0) return i;
  }
  return code.length;
}

function countLines(code: string, from: number, to: number): number {
  let count = 1;
  for (let i = code.indexOf('\n', from); i >= 0 && i < to; i = code.indexOf('\n', i + 1)) count++;
  return count;
}

export type PublicExport = FunctionOf & { readonly path: string; readonly documented: boolean };

/** Exported functions and classes of these files and of those that they pass on with `export … from`. */
export function publicExportsOf(
  doors: readonly string[],
  sources: ReadonlyMap<string, SourceCode>,
): readonly PublicExport[] {
  const found: PublicExport[] = [];
  const seen = new Set<string>();
  const visit = (path: string, wanted: ReadonlySet<string> | null): void => {
    const source = sources.get(path);
    if (source === undefined || seen.has(path)) return;
    seen.add(path);
    const { text, code } = source;
    const declaration = /^export (?:async )?(?:function\*?|(?:abstract )?class) ([\w$]+)/gm;
    for (const match of code.matchAll(declaration)) {
      if (wanted !== null && !wanted.has(match[1]!)) continue;
      const body = code.indexOf('{', match.index);
      found.push({
        path,
        name: match[1]!,
        at: match.index,
        lineCount: countLines(code, match.index, closingOf(code, body)),
        documented: text.slice(0, match.index).trimEnd().endsWith('*/'),
      });
    }
    const passedOn = /^export (?:type )?(\*|\{[^}]*\})(?: as \w+)? from '/gm;
    for (const match of code.matchAll(passedOn)) {
      const start = match.index + match[0].length;
      const specifier = text.slice(start, text.indexOf("'", start));
      if (!specifier.startsWith('.')) continue;
      const names = match[1] === '*' ? null : new Set(match[1]!.match(/[\w$]+/g));
      visit(posix.join(posix.dirname(path), specifier), names);
    }
  };
  for (const door of doors) visit(door, null);
  return found;
}
