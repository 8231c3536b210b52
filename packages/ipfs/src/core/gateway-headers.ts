/** Headers of the gateway's answers (specs.ipfs.tech/http-gateways/path-gateway, RFC 9110, RFC 6266). */

/** Content under a CID never changes. */
export const immutableCaching = 'public, max-age=29030400, immutable';
/** Pages made here change with the program. */
export const pageCaching = 'public, max-age=604800, stale-while-revalidate=2678400';

/** Any page may read what any gateway would give it: content is public, and has no credentials. */
export const crossOriginHeaders: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, HEAD, OPTIONS',
  'access-control-allow-headers': 'Content-Type, Range, User-Agent, X-Requested-With',
  'access-control-expose-headers':
    'Content-Length, Content-Range, X-Chunked-Output, X-Ipfs-Path, X-Ipfs-Roots, X-Stream-Output',
};

/**
 * Strangers' pages that share one origin: they run, but each in an origin that nobody else has, so that none can read
 * what another has kept, or speak in its name.
 */
export const sandboxPolicy =
  'sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads allow-top-navigation-by-user-activation';
/** For the pages that are made here: no script, nothing from elsewhere. */
export const ownPagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/** `If-None-Match`: weakly compared, as RFC 9110 asks. */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const bare = etag.replace(/^W\//, '');
  return header
    .split(',')
    .map((part) => part.trim())
    .some((part) => part === '*' || part.replace(/^W\//, '') === bare);
}

/** With a name for old readers (ASCII) and, where that is not all of it, one for others (RFC 8187). */
export function contentDisposition(kind: 'inline' | 'attachment', name: string): string {
  const clean = name.replace(/[\r\n\0/\\]/g, '_').slice(0, 255);
  const ascii = clean.replace(/[^\x20-\x7e]/gu, '_').replace(/"/g, '_');
  if (ascii === clean) return `${kind}; filename="${ascii}"`;
  const encoded = encodeURIComponent(clean).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

export type RangeAnswer = { readonly from: number; readonly to: number } | 'unsatisfiable' | null;

/**
 * The first of the ranges that are asked for (`to` exclusive); several are answered with their first, which RFC 9110
 * lets a server do. Null: everything.
 */
export function readRange(header: string | undefined, bytes: number): RangeAnswer {
  const match = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*(?:,.*)?$/i.exec(header ?? '');
  if (match === null) return null;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return null;
  if (first === '') {
    const length = Math.min(Number(last), bytes);
    return length === 0 ? 'unsatisfiable' : { from: bytes - length, to: bytes };
  }
  const from = Number(first);
  if (last !== '' && Number(last) < from) return null;
  if (from >= bytes) return 'unsatisfiable';
  return { from, to: last === '' ? bytes : Math.min(bytes, Number(last) + 1) };
}
