/** Which route of the table a request is for. */
import { apiPrefix, type Route, type RouteName, routeNames, routes } from '@tequio/api/http';

export type Match =
  | { readonly route: RouteName; readonly params: Readonly<Record<string, string>> }
  /** The path is known, with these methods. */
  | { readonly allow: readonly string[] };

type Pattern = { readonly name: RouteName; readonly method: string; readonly parts: readonly string[] };

export class Router {
  /** By number of parts, those with fewer parts to fill in first: a fixed word wins. */
  readonly #patterns = new Map<number, Pattern[]>();

  constructor() {
    for (const name of routeNames) {
      const { method, path }: Route = routes[name];
      const parts = path.slice(1).split('/');
      const pattern = { name, method, parts };
      this.#patterns.set(parts.length, [...(this.#patterns.get(parts.length) ?? []), pattern]);
    }
    for (const patterns of this.#patterns.values()) patterns.sort((a, b) => blanksOf(a) - blanksOf(b));
  }

  /** @param path undecoded, with the API's prefix; null: there is no such path */
  match(method: string, path: string): Match | null {
    if (!path.startsWith(`${apiPrefix}/`)) return null;
    const parts = path.slice(apiPrefix.length + 1).split('/');
    const allow: string[] = [];
    let blankCount = 0;
    for (const pattern of this.#patterns.get(parts.length) ?? []) {
      const params = matchParts(pattern.parts, parts);
      if (params === null) continue;
      // What a fixed word has matched is not also the name of something.
      if (allow.length > 0 && Object.keys(params).length > blankCount) break;
      blankCount = Object.keys(params).length;
      if (pattern.method === method || (method === 'HEAD' && pattern.method === 'GET'))
        return { route: pattern.name, params };
      allow.push(pattern.method);
    }
    return allow.length === 0 ? null : { allow };
  }
}

function blanksOf({ parts }: Pattern): number {
  return parts.filter((part) => part.startsWith('{')).length;
}

function matchParts(pattern: readonly string[], parts: readonly string[]): Record<string, string> | null {
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const part = parts[index]!;
    if (!expected.startsWith('{')) {
      if (part !== expected) return null;
      continue;
    }
    const decoded = tryDecode(part);
    if (decoded === null || decoded === '') return null;
    params[expected.slice(1, -1)] = decoded;
  }
  return params;
}

/** Null: `%` without two hex digits, or bytes that are no UTF-8. */
export function tryDecode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
