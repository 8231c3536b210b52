/**
 * Which addresses strangers may make this node ask over HTTP and UDP (server-side request forgery).
 *
 * Attacker: whoever writes a torrent or magnet link chooses its tracker and web-seed URLs, and a tracker or web seed
 * chooses where it redirects to. Our requests come from inside the user's network, where routers, printers and local
 * services trust them. The attacker never sees an answer, but a request alone can do harm.
 *
 * Rules, applied to the URL as written, to every address its name resolves to (the one that passed is the one
 * dialled), and again at every redirect:
 *  1. http and https; udp for trackers; ipfs for web seeds, which leads to a CID and to no address. No credentials
 *     inside the URL, and no `info_hash=` or `peer_id=` set in advance (it would let a URL's author choose what we say
 *     of ourselves).
 *  2. Loopback, link-local and private addresses are only for HTTP trackers that announce, for UDP trackers (a fixed
 *     binary datagram commands nothing else), and for web seeds without a query string. "Announces" is a path that
 *     starts with `/announce`; on private addresses, where trackers of a house or office put a user's key or a folder
 *     in front, one whose last part does.
 *  3. Multicast, broadcast and unspecified addresses are never asked.
 *  4. A redirect never leads from a public address to a local one, nor from https to http, and there are at most five.
 * IPv4-mapped, NAT64 and 6to4 forms count as the IPv4 address inside them (kernel address.ts).
 *
 * Cost: one URL parse a request. A tracker on this machine whose path starts otherwise has to be moved; what the user
 * types himself is bound by the same rules, because torrents and typed links end in the same list.
 */
import { addressScope, type Fault, failed, type IpAddress, ok, type Result } from '@tequio/kernel';

export const urlLimits = {
  /** Characters of a tracker or web-seed URL: servers refuse longer ones, and torrents carry thousands of URLs. */
  urlCharsMax: 4096,
  redirectCountMax: 5,
} as const;

export type UrlPurpose = 'tracker' | 'web-seed';

/** A URL that passed rule 1. */
export type CheckedUrl = {
  readonly purpose: UrlPurpose;
  readonly scheme: 'http' | 'https' | 'udp' | 'ipfs';
  /** Name or address, without brackets, lower case. */
  readonly host: string;
  readonly port: number;
  /** Starts with `/`. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
  /** The whole URL without fragment. */
  readonly href: string;
};

/** Query fields that only we may set in an announce. */
const ownFields = ['info_hash', 'peer_id'];

/** Rule 1. */
export function checkUrl(text: string, purpose: UrlPurpose): Result<CheckedUrl> {
  return check(text, purpose, true);
}

function check(text: string, purpose: UrlPurpose, isOriginal: boolean): Result<CheckedUrl> {
  if (text.length > urlLimits.urlCharsMax) return refuse(purpose, 'is too long');
  const scheme = /^\s*(https?|udp|ipfs):\/\//i.exec(text)?.[1]?.toLowerCase() as
    | CheckedUrl['scheme']
    | undefined;
  const only = scheme === 'udp' ? 'tracker' : scheme === 'ipfs' ? 'web-seed' : purpose;
  if (scheme === undefined || only !== purpose)
    return refuse(purpose, `is not ${purpose === 'tracker' ? 'http, https or udp' : 'http, https or ipfs'}`);
  // The URL standard normalises hosts (0x7f.1 is 127.0.0.1) only for schemes it knows, and udp is none of them.
  const url = tryParseUrl(scheme === 'udp' ? text.replace(/^\s*udp:/i, 'http:') : text);
  if (url === null || url.hostname === '') return refuse(purpose, 'cannot be read');
  if (url.username !== '' || url.password !== '') return refuse(purpose, 'holds a name or password');
  const port = portOf(url, scheme, text);
  if (port === 0) return refuse(purpose, 'has no port');
  if (isOriginal && purpose === 'tracker' && setsOwnField(url))
    return refuse(purpose, 'says in advance what only the asker may say');
  url.hash = '';
  return ok({
    purpose,
    scheme,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    path: url.pathname,
    query: url.search,
    href: scheme === 'udp' ? `udp://${url.hostname}:${port}${url.pathname}${url.search}` : url.href,
  });
}

/** Rules 2 and 3 for one resolved address; `localAllowed` is false once a public address has redirected us. */
export function allowsAddress(url: CheckedUrl, address: IpAddress, localAllowed: boolean): boolean {
  switch (addressScope(address)) {
    case 'global':
      return true;
    case 'private':
      return localAllowed && (allowsLocal(url) || announcesPrivately(url));
    case 'multicast':
    case 'unspecified':
      return false;
    default:
      return localAllowed && allowsLocal(url);
  }
}

/**
 * Rule 4: the next URL of a redirect, checked. `count` is how many were followed before this one; `location` may be
 * relative to `from`. Whether its address is local is asked later of {@link allowsAddress}.
 */
export function checkRedirect(
  from: CheckedUrl,
  location: string | undefined,
  count: number,
): Result<CheckedUrl> {
  if (count >= urlLimits.redirectCountMax) return refuse(from.purpose, 'redirects too often');
  const next = location === undefined ? null : tryParseUrl(location, from.href);
  if (next === null) return refuse(from.purpose, 'redirects to nowhere');
  if (from.scheme === 'https' && next.protocol !== 'https:')
    return refuse(from.purpose, 'redirects from https to something less safe');
  if (next.protocol === 'udp:' || next.protocol === 'ipfs:')
    return refuse(from.purpose, `redirects from http to ${next.protocol.slice(0, -1)}`);
  // A redirect may carry our own query along, so what it sets in advance is not looked at again.
  return check(next.href, from.purpose, false);
}

/** The reason why no address of a name may be asked. */
export function addressRefused(url: CheckedUrl): Fault {
  return {
    code: 'BITTORRENT_URL_LOCAL',
    message: `The ${purposeName(url.purpose)} at ${url.host} has no address that it may send us to.`,
    blame: url.purpose,
    penalty: 0,
  };
}

function allowsLocal(url: CheckedUrl): boolean {
  if (url.scheme === 'udp') return true;
  return url.purpose === 'tracker' ? url.path.startsWith('/announce') : url.query === '';
}

function announcesPrivately(url: CheckedUrl): boolean {
  return url.purpose === 'tracker' && /\/announce[^/]*$/.test(url.path);
}

/** BEP 15 has no default port, and the URL standard drops `:80` from what it takes for http. */
function portOf(url: URL, scheme: CheckedUrl['scheme'], text: string): number {
  if (url.port !== '') return Number(url.port);
  if (scheme !== 'udp') return scheme === 'http' ? 80 : 443;
  return /^\s*udp:\/\/[^/?#]*:0*80(?:[/?#]|\s*$)/i.test(text) ? 80 : 0;
}

function setsOwnField(url: URL): boolean {
  return [...url.searchParams.keys()].some((name) => ownFields.includes(name.trim().toLowerCase()));
}

function tryParseUrl(text: string, base?: string): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}

function purposeName(purpose: UrlPurpose): string {
  return purpose === 'tracker' ? 'tracker' : 'web seed';
}

function refuse(purpose: UrlPurpose, why: string): Result<never> {
  return failed({
    code: 'BITTORRENT_URL_REFUSED',
    message: `The address of a ${purposeName(purpose)} ${why}.`,
    blame: purpose,
    penalty: 0,
  });
}
