/**
 * `_redirects` (specs.ipfs.tech/http-gateways/web-redirects-file): what a site wants to happen to paths that it does
 * not have. One rule a line, the first that fits counts:
 *
 *   /from/:year/*   /to/:year/:splat   301        # status: 200, 301, 302, 303, 307, 308, 404, 410 or 451
 *
 * Attacker: a site's author. So: 64 KiB, no regular expressions, one pass over a path's elements.
 */
import { ok, type Result } from '@tequio/kernel';
import { refused } from '../faults.ts';

export const redirectsBytesMax = 64 * 1024;

const statuses: ReadonlySet<number> = new Set([200, 301, 302, 303, 307, 308, 404, 410, 451]);

export type RedirectRule = {
  readonly from: readonly string[];
  /** The path ends in `*`. */
  readonly hasSplat: boolean;
  readonly to: string;
  readonly status: number;
};

export type Redirect = { readonly to: string; readonly status: number };

/** Faults (`IPFS_REDIRECTS`) as the specification wants them told to the reader. */
export function parseRedirects(text: string): Result<readonly RedirectRule[]> {
  if (text.length > redirectsBytesMax)
    return broken(`redirects file size cannot exceed ${redirectsBytesMax} bytes`);
  const rules: RedirectRule[] = [];
  for (const [index, raw] of text.split(/\r\n|\n|\r/).entries()) {
    const line = raw.replace(/(^|\s)#.*$/, '').trim();
    if (line === '') continue;
    const rule = parseLine(line, index + 1);
    if (!rule.ok) return rule;
    rules.push(rule.value);
  }
  return ok(rules);
}

function parseLine(line: string, number: number): Result<RedirectRule> {
  const parts = line.split(/\s+/);
  const [from, to, statusText = '301'] = parts;
  if (to === undefined || parts.length > 3) return broken(`line ${number}: a rule is FROM TO [STATUS]`);
  if (from === undefined || !from.startsWith('/')) return broken(`line ${number}: FROM begins with /`);
  const status = /^\d{3}$/.test(statusText) ? Number(statusText) : 0;
  if (!statuses.has(status)) return broken(`line ${number}: unsupported redirect status "${statusText}"`);
  if (!to.startsWith('/') && !/^https?:\/\//.test(to))
    return broken(`line ${number}: TO is a path or a web address`);
  if (!to.startsWith('/') && (status === 200 || status >= 400))
    return broken(`line ${number}: status ${status} shows a path of this site`);
  const elements = from.split('/').filter((element) => element !== '');
  const star = elements.indexOf('*');
  if (star >= 0 && star < elements.length - 1) return broken(`line ${number}: * stands at the end`);
  if (from.replace(/\/\*$/, '').includes('*')) return broken(`line ${number}: * stands for itself alone`);
  const names = elements.filter((element) => element.startsWith(':'));
  if (new Set(names).size < names.length) return broken(`line ${number}: a placeholder twice`);
  return ok({ from: star >= 0 ? elements.slice(0, -1) : elements, hasSplat: star >= 0, to, status });
}

function broken(message: string): Result<never> {
  return refused('REDIRECTS', `could not parse _redirects: ${message}`);
}

/** The first rule that fits, with its placeholders filled in. @param segments decoded elements of the path */
export function pickRedirect(rules: readonly RedirectRule[], segments: readonly string[]): Redirect | null {
  for (const { from, hasSplat, to, status } of rules) {
    const values = matchRule(from, hasSplat, segments);
    if (values !== null)
      return {
        to: to.replace(/:([A-Za-z][A-Za-z0-9_]*)/g, (whole, name) => values.get(name) ?? whole),
        status,
      };
  }
  return null;
}

function matchRule(
  from: readonly string[],
  hasSplat: boolean,
  segments: readonly string[],
): ReadonlyMap<string, string> | null {
  if (segments.length < from.length || (!hasSplat && segments.length > from.length)) return null;
  const values = new Map<string, string>();
  for (const [index, element] of from.entries()) {
    const segment = segments[index]!;
    if (element.startsWith(':')) values.set(element.slice(1), encodeURIComponent(segment));
    else if (element !== segment) return null;
  }
  if (hasSplat) values.set('splat', segments.slice(from.length).map(encodeURIComponent).join('/'));
  return values;
}
