/**
 * Keeps other people's web pages away from the node, on every route and before anything else is looked at.
 *
 *   1. `Host` must be a name of ours. A page that lets its own name lead to 127.0.0.1 (DNS rebinding) still says its
 *      own name here. Addresses cannot be rebound, so they and `localhost` are always good.
 *   2. `Origin`, where a browser says one, must be the very host that the request went to.
 *   3. `Sec-Fetch-Site` must not be another site's. One exception: a person may follow a link to the page.
 *   4. Something that changes state, and comes with nothing but a cookie, must say its origin.
 */
import { tryParseAddress } from '@tequio/kernel';
import type { ClientView } from './client-view.ts';
import type { Refusal } from './http-fault.ts';

export type GuardPolicy = {
  /** Names besides addresses and localhost, with or without a port, in lower case; `*.example.org` for all below. */
  readonly allowedHosts: readonly string[];
  /** `page`: requests of our own page; `content`: files of torrents, which the page shows from another port. */
  readonly kind: 'page' | 'content';
};

export type GuardedRequest = {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly view: ClientView;
};

/** Null: may pass. */
export function refusalOf(request: GuardedRequest, policy: GuardPolicy): Refusal | null {
  return refuseHost(request, policy) ?? refuseOrigin(request, policy) ?? refuseSite(request, policy);
}

export function isSafeMethod(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

/** `Example.org:80` -> name and port; null: this is no host. */
export function splitHost(host: string): { readonly name: string; readonly port: string } | null {
  const match = /^(\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/.exec(host);
  if (match === null) return null;
  return { name: match[1]!.toLowerCase().replace(/\.$/, ''), port: match[2] ?? '' };
}

function refuseHost({ view }: GuardedRequest, { allowedHosts }: GuardPolicy): Refusal | null {
  const host = splitHost(view.host);
  if (host !== null && isOwnHost(host, allowedHosts)) return null;
  return {
    status: 421,
    code: 'HTTP_HOST',
    message: 'This node is not called by that host name. Its log says how to allow it.',
    value: view.host,
    remedy: `If this name is yours, add it to http.allowedHosts: ["${host?.name ?? 'NAME'}"].`,
  };
}

function isOwnHost(host: { name: string; port: string }, allowedHosts: readonly string[]): boolean {
  if (host.name === 'localhost' || host.name.endsWith('.localhost')) return true;
  if (tryParseAddress(host.name.replace(/^\[(.*)\]$/, '$1')) !== null) return true;
  return isNamed(host, allowedHosts);
}

function isNamed(host: { name: string; port: string }, allowedHosts: readonly string[]): boolean {
  return allowedHosts.some((allowed) => {
    const [name = '', port] = allowed.toLowerCase().split(':');
    if (port !== undefined && port !== host.port) return false;
    return name.startsWith('*.') ? host.name.endsWith(name.slice(1)) : host.name === name;
  });
}

function refuseOrigin(
  { headers, view, method }: GuardedRequest,
  { kind, allowedHosts }: GuardPolicy,
): Refusal | null {
  const origin = headers['origin'];
  // Followed links have none; a page inside a sandbox says `null`, and is never ours.
  if (origin === undefined) return null;
  const isContent = kind === 'content' && isSafeMethod(method);
  if (isContent ? isOwnOrigin(origin, view.host, allowedHosts) : isOriginOfHost(origin, view.host))
    return null;
  return {
    status: 403,
    code: 'HTTP_ORIGIN',
    message: 'Another web page has asked for this, and it may not.',
    value: origin,
    remedy: view.proxied
      ? `The proxy must hand on the host that the browser was told (X-Forwarded-Host), here it was ${printable(view.host)}.`
      : `The page must be of the same host and port as the API (${printable(view.host)}). Behind a reverse proxy: name its address in http.trustedProxies and let it send X-Forwarded-Host, or let it leave Host as it was.`,
  };
}

/** Our page is on another port than content, or behind a proxy under another of our names. */
function isOwnOrigin(origin: string, host: string, allowedHosts: readonly string[]): boolean {
  const theirs = splitHost(/^https?:\/\/([^/]+)$/i.exec(origin)?.[1] ?? '');
  if (theirs === null) return false;
  return theirs.name === splitHost(host)?.name || isNamed(theirs, allowedHosts);
}

function isOriginOfHost(origin: string, host: string): boolean {
  const match = /^(https?):\/\/([^/]+)$/i.exec(origin);
  const [theirs, ours] = [splitHost(match?.[2] ?? ''), splitHost(host)];
  if (match === null || theirs === null || ours === null || theirs.name !== ours.name) return false;
  const usual = match[1]!.toLowerCase() === 'https' ? '443' : '80';
  return (theirs.port || usual) === (ours.port || usual);
}

function refuseSite({ method, headers, view }: GuardedRequest, { kind }: GuardPolicy): Refusal | null {
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return null;
  if (kind === 'content' && isSafeMethod(method)) {
    // Of an address, another port is another site to some browsers. An origin says it better, and was looked at.
    if (site === 'same-site' || headers['origin'] !== undefined) return null;
  }
  const isFollowedLink =
    (method === 'GET' || method === 'HEAD') &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document' &&
    kind === 'page';
  if (isFollowedLink) return null;
  return {
    status: 403,
    code: 'HTTP_FETCH_SITE',
    message: 'Another web page has asked for this, and it may not.',
    value: site,
    remedy: `Open the node's own page at ${printable(view.host)} instead of letting another site call it.`,
  };
}

/** What somebody else wrote, as it may stand in a log. */
export function printable(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]/g, '?');
  return clean.length > 200 ? `${clean.slice(0, 200)}…` : clean;
}
