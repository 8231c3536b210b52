/**
 * Changes single values in the text of a TOML file, so that what its owner has written around them stays: comments,
 * order and spaces. Knows sections of one level and values on any number of lines; the caller checks the result by
 * reading it.
 */
import { stringify } from 'smol-toml';

/** A value of a section; undefined takes it away. */
export type TomlChange = { readonly section: string; readonly key: string; readonly value: unknown };

/** @returns the new text; wrong where the file is written in a way that is not understood here */
export function editToml(text: string, changes: readonly TomlChange[]): string {
  return changes.reduce(editOne, text);
}

function editOne(text: string, { section, key, value }: TomlChange): string {
  const bare = withoutTables(text, section, key);
  if (!isTables(value)) return editValue(bare, { section, key, value });
  const rest = editValue(bare, { section, key, value: undefined }).trimEnd();
  const tables = stringify(section === '' ? { [key]: value } : { [section]: { [key]: value } });
  return `${rest}\n\n${tables.trim()}\n`;
}

function editValue(text: string, { section, key, value }: TomlChange): string {
  const lines = text.split('\n');
  const head = section === '' ? -1 : lines.findIndex((line) => headName(line) === section);
  if (section !== '' && head < 0)
    return value === undefined ? text : appendSection(text, section, key, value);
  const end = endOfSection(lines, head);
  const at = lines.findIndex((line, index) => index > head && index < end && keyName(line) === key);
  const written = value === undefined ? [] : [stringify({ [key]: value }).trimEnd()];
  if (at < 0) lines.splice(endOfContent(lines, head, end), 0, ...written);
  else lines.splice(at, valueLineCount(lines, at), ...written);
  return lines.join('\n');
}

/** Of a list of tables, as `[[watch]]` and `[[altLimits.schedule]]`, none is left. */
function withoutTables(text: string, section: string, key: string): string {
  const name = [section, key].filter((part) => part !== '').join('\\s*\\.\\s*');
  const head = new RegExp(`^\\s*\\[\\[\\s*${name}\\s*\\]\\]`);
  const lines = text.split('\n');
  if (!lines.some((line) => head.test(line))) return text;
  let isInside = false;
  const kept = lines.filter((line) => {
    if (/^\s*\[/.test(line)) isInside = head.test(line);
    return !isInside;
  });
  return `${kept.join('\n').trimEnd()}\n`;
}

function isTables(value: unknown): boolean {
  return Array.isArray(value) && value.some((item) => typeof item === 'object' && item !== null);
}

function appendSection(text: string, section: string, key: string, value: unknown): string {
  const before = text.trimEnd();
  return `${before === '' ? '' : `${before}\n\n`}[${section}]\n${stringify({ [key]: value }).trimEnd()}\n`;
}

function headName(line: string): string | null {
  return /^\s*\[\s*([\w-]+)\s*\]\s*(?:#.*)?$/.exec(line)?.[1] ?? null;
}

function keyName(line: string): string | null {
  return /^\s*"?([\w-]+)"?\s*=/.exec(line)?.[1] ?? null;
}

function endOfSection(lines: readonly string[], head: number): number {
  const next = lines.findIndex((line, index) => index > head && /^\s*\[/.test(line));
  return next < 0 ? lines.length : next;
}

/** After the last line of a section that says something. */
function endOfContent(lines: readonly string[], head: number, end: number): number {
  let at = end;
  while (at > head + 1 && lines[at - 1]!.trim() === '') at--;
  return at;
}

/** Of a value that begins here: an array goes on until its brackets are closed. */
function valueLineCount(lines: readonly string[], at: number): number {
  let depth = 0;
  for (let index = at; index < lines.length; index++) {
    const bare = lines[index]!.replace(/"(?:\\.|[^"\\])*"|'[^']*'/g, '').replace(/#.*$/, '');
    for (const c of bare) depth += c === '[' ? 1 : c === ']' ? -1 : 0;
    if (depth <= 0) return index - at + 1;
  }
  return lines.length - at;
}
