/**
 * As much XML as routers write: elements, text, CDATA, the five entities and numeric ones. Names lose their prefix,
 * attributes, comments and processing instructions are passed over, wrongly nested end tags are forgiven (routers have
 * been seen to write them). Nothing is fetched and no entity can be declared.
 *
 * Attacker: whoever answers a search on the local network. Cost: one pass, O(text), with ceilings on depth, elements
 * and the text itself.
 */
import { type Fault, failed, ok, type Result } from '@tequio/kernel';
import { routerFault } from './mapping.ts';

export const xmlLimits = {
  textCharacters: 256 * 1024,
  depth: 32,
  elementCount: 8000,
  nameCharacters: 128,
} as const;

export type XmlElement = {
  /** Without its prefix, as written. */
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** All text directly in it, put together. */
  readonly text: string;
};

type OpenElement = { name: string; children: XmlElement[]; text: string };

/** The root element. Faults: `NETWORK_XML_SYNTAX`, `NETWORK_XML_TOO_LARGE`. */
export function parseXml(text: string): Result<XmlElement> {
  if (text.length > xmlLimits.textCharacters) return failed(tooLarge);
  const top: OpenElement = { name: '', children: [], text: '' };
  const open: OpenElement[] = [top];
  let elementCount = 0;
  let at = 0;
  while (at < text.length) {
    const tagAt = text.indexOf('<', at);
    const end = tagAt < 0 ? text.length : tagAt;
    if (end > at) open.at(-1)!.text += decodeEntities(text.slice(at, end));
    if (tagAt < 0) break;
    const special = specialAt(text, tagAt);
    if (special !== null) {
      if (special.endAt < 0) return failed(badSyntax);
      open.at(-1)!.text += special.text;
      at = special.endAt;
      continue;
    }
    const closeAt = tagEnd(text, tagAt);
    if (closeAt < 0) return failed(badSyntax);
    const fault = handleTag(text.slice(tagAt + 1, closeAt), open);
    if (fault !== null) return failed(fault);
    if (++elementCount > 2 * xmlLimits.elementCount) return failed(tooLarge);
    at = closeAt + 1;
  }
  const root = top.children[0];
  return root === undefined ? failed(badSyntax) : ok(root);
}

/** A start or end tag, without its brackets. */
function handleTag(tag: string, open: OpenElement[]): Fault | null {
  const isEnd = tag.startsWith('/');
  const name = nameOf(isEnd ? tag.slice(1) : tag);
  if (name === null) return badSyntax;
  if (isEnd) {
    // An end tag of an element that is not open is passed over; one of an outer element closes the inner ones too.
    const depth = open.findLastIndex((element, i) => i > 0 && element.name === name);
    if (depth > 0) open.length = depth;
    return null;
  }
  if (open.length > xmlLimits.depth) return tooLarge;
  const element: OpenElement = { name, children: [], text: '' };
  open.at(-1)!.children.push(element);
  if (!tag.endsWith('/')) open.push(element);
  return null;
}

/** A comment, CDATA section, instruction or declaration: its text (only CDATA has some), and where it ends. */
function specialAt(text: string, at: number): { readonly text: string; readonly endAt: number } | null {
  const next = text[at + 1];
  if (next !== '!' && next !== '?') return null;
  const [opening, closing] = text.startsWith('<!--', at)
    ? ['<!--', '-->']
    : text.startsWith('<![CDATA[', at)
      ? ['<![CDATA[', ']]>']
      : next === '?'
        ? ['<?', '?>']
        : ['<!', '>'];
  const closeAt = text.indexOf(closing, at + opening.length);
  if (closeAt < 0) return { text: '', endAt: -1 };
  const inside = opening === '<![CDATA[' ? text.slice(at + opening.length, closeAt) : '';
  return { text: inside, endAt: closeAt + closing.length };
}

/** The bracket that ends a tag, past quoted values; -1: none. */
function tagEnd(text: string, from: number): number {
  let quote = '';
  for (let at = from + 1; at < text.length; at++) {
    const c = text[at]!;
    if (quote !== '') {
      if (c === quote) quote = '';
    } else if (c === '"' || c === "'") quote = c;
    else if (c === '>') return at;
    else if (c === '<') return -1;
  }
  return -1;
}

function nameOf(tag: string): string | null {
  const end = tag.search(/[\s/]/);
  const full = end < 0 ? tag : tag.slice(0, end);
  const name = full.slice(full.indexOf(':') + 1);
  return /^[\w.-]+$/.test(name) && full.length <= xmlLimits.nameCharacters ? name : null;
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));/g,
    (whole, name, dec, hex) => {
      if (name !== undefined) return entities[name]!;
      const code = dec === undefined ? Number.parseInt(hex, 16) : Number(dec);
      return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
        ? String.fromCodePoint(code)
        : whole;
    },
  );
}

/** Text for inside an element. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The first element of that name at or below `root`, document order; null: none. */
export function findElement(root: XmlElement, name: string): XmlElement | null {
  if (root.name === name) return root;
  for (const child of root.children) {
    const found = findElement(child, name);
    if (found !== null) return found;
  }
  return null;
}

/** The trimmed text of the child of that name; '' when there is none. */
export function childText(element: XmlElement, name: string): string {
  return element.children.find((child) => child.name === name)?.text.trim() ?? '';
}

const badSyntax = routerFault('NETWORK_XML_SYNTAX', 'The answer is no XML.');
const tooLarge = routerFault('NETWORK_XML_TOO_LARGE', 'The answer is too large.');
