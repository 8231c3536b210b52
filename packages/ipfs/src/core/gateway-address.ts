/**
 * What a request to the gateway is for: by its host (a gateway, a CID or a name under a gateway, a domain of its own)
 * and its path. Source: specs.ipfs.tech/http-gateways/{path,subdomain,dnslink}-gateway.
 *
 *   path       http://127.0.0.1:8080/ipfs/CID/a          everything shares one origin
 *   subdomain  http://CID.ipfs.localhost:8080/a          each root is an origin of its own
 *   dnslink    http://docs.example.org/a                 the domain says in DNS what it shows
 */
import { base32 } from 'multiformats/bases/base32';
import { base36 } from 'multiformats/bases/base36';
import { codecs, tryParseCid } from '../wire/cid.ts';
import { ipnsNameText, tryParseIpnsName } from '../wire/ipns-name.ts';

export type GatewayNamespace = 'ipfs' | 'ipns';

/** A content path, and where on its origin it is mounted. */
export type GatewayAddress = {
  readonly namespace: GatewayNamespace;
  /** The CID or the name, as it stood in the request. */
  readonly root: string;
  /** Decoded elements below it. */
  readonly segments: readonly string[];
  readonly hasTrailingSlash: boolean;
  /** How the origin was chosen; `path` shares one with all other content. */
  readonly mode: 'path' | 'subdomain' | 'dnslink';
  /** In front of the segments in links to siblings: `/ipfs/CID`, or nothing. */
  readonly mount: string;
  /** Of the gateway, for links to other content: `localhost:8080`; null: none that could show it. */
  readonly gatewayHost: string | null;
};

export type GatewayRoute =
  | { readonly kind: 'content'; readonly address: GatewayAddress }
  | { readonly kind: 'redirect'; readonly status: 301 | 302; readonly location: string }
  | { readonly kind: 'refuse'; readonly status: 400 | 404; readonly message: string };

export type GatewayHosts = {
  /** Names, without port, under which CIDs and names are subdomains: `localhost`. */
  readonly subdomainHosts: readonly string[];
};

export type GatewayTarget = {
  /** With its port, in lower case. */
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly path: string;
  /** Without `?`; empty: none. */
  readonly query: string;
};

const labelMax = 63;
const tooLong = 'CID incompatible with DNS label length limit of 63';

/** Where the request goes. @param isDnslink whether the host is a domain that says in DNS what it shows */
export function routeGateway(target: GatewayTarget, hosts: GatewayHosts, isDnslink: boolean): GatewayRoute {
  const name = hostName(target.host);
  const gateway = hosts.subdomainHosts.find((host) => name === host || name.endsWith(`.${host}`));
  if (gateway !== undefined && name !== gateway) return routeSubdomain(target, gateway);
  if (isDnslink) return routeDnslink(target);
  const byUri = redirectByUri(target);
  if (byUri !== null) return byUri;
  const split = splitContentPath(target.path);
  if (split === null)
    return { kind: 'refuse', status: 404, message: 'Content is at /ipfs/CID and /ipns/NAME.' };
  const refusal = checkRoot(split.namespace, split.root, target.path);
  if (refusal !== null) return refusal;
  if (gateway !== undefined) return redirectToSubdomain(target, split, gateway);
  const canonical = split.namespace === 'ipns' ? tryParseIpnsName(split.root) : null;
  if (canonical !== null && ipnsNameText(canonical) !== split.root)
    return {
      kind: 'redirect',
      status: 302,
      location: withQuery(`/ipns/${ipnsNameText(canonical)}${split.rest}`, target),
    };
  return contentOf(target, split.namespace, split.root, split.rest, {
    mode: 'path',
    mount: `/${split.namespace}/${split.root}`,
    gatewayHost: target.host,
  });
}

/** Of a host with a port, also of an IPv6 literal. */
export function hostName(host: string): string {
  return host.replace(/:\d*$/, '');
}

/** A host that may be a domain of its own: one that is wanted, not an address, not a single label. */
export function mayBeDnslink(
  host: string,
  hosts: GatewayHosts & { readonly dnslinkDomains: readonly string[] },
): boolean {
  const name = hostName(host).replace(/\.$/, '');
  return (
    hosts.dnslinkDomains.some((domain) => isWithin(name, domain.toLowerCase())) &&
    isDomain(name) &&
    !hosts.subdomainHosts.some((gateway) => name === gateway || name.endsWith(`.${gateway}`))
  );
}

/** @param domain `docs.example.org`, `*.example.org`, `*` */
function isWithin(name: string, domain: string): boolean {
  return domain === '*' || (domain.startsWith('*.') ? name.endsWith(domain.slice(1)) : name === domain);
}

export function isDomain(name: string): boolean {
  return (
    name.length <= 253 &&
    /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]\.?$/i.test(name)
  );
}

type Split = { readonly namespace: GatewayNamespace; readonly root: string; readonly rest: string };

/** `/ipfs/ROOT/rest`; `rest` as it stood, with its first slash. */
function splitContentPath(path: string): Split | null {
  const match = /^\/(ipfs|ipns)\/([^/]+)(\/.*)?$/s.exec(path);
  if (match === null) return null;
  const [, namespace, root, rest = ''] = match;
  const decoded = tryDecode(root!);
  return decoded === null ? null : { namespace: namespace as GatewayNamespace, root: decoded, rest };
}

function checkRoot(namespace: GatewayNamespace, root: string, path: string): GatewayRoute | null {
  const isGood =
    namespace === 'ipfs'
      ? tryParseCid(root) !== null
      : tryParseIpnsName(root) !== null || isDomain(root) || tryInlined(root) !== null;
  if (isGood) return null;
  const what = namespace === 'ipfs' ? 'is no CID' : 'is no IPNS name and no domain';
  return { kind: 'refuse', status: 400, message: `invalid path "${path}": "${root}" ${what}` };
}

function contentOf(
  target: GatewayTarget,
  namespace: GatewayNamespace,
  root: string,
  rest: string,
  where: Pick<GatewayAddress, 'mode' | 'mount' | 'gatewayHost'>,
): GatewayRoute {
  const segments: string[] = [];
  for (const part of rest.split('/')) {
    if (part === '') continue;
    const segment = tryDecode(part);
    if (segment === null)
      return {
        kind: 'refuse',
        status: 400,
        message: `invalid path "${target.path}": a % that encodes nothing`,
      };
    segments.push(segment);
  }
  const hasTrailingSlash = rest.endsWith('/');
  return { kind: 'content', address: { namespace, root, segments, hasTrailingSlash, ...where } };
}

/** `CID.ipfs.gateway`, `name.ipns.gateway`, `a.domain.ipns.gateway`. */
function routeSubdomain(target: GatewayTarget, gateway: string): GatewayRoute {
  const name = hostName(target.host);
  const match = /^(.+)\.(ipfs|ipns)$/.exec(name.slice(0, -gateway.length - 1));
  if (match === null) return { kind: 'refuse', status: 404, message: `There is nothing at ${name}.` };
  const [, label, space] = match as unknown as [string, string, GatewayNamespace];
  if (label.length > labelMax && !label.includes('.'))
    return { kind: 'refuse', status: 400, message: tooLong };
  const gatewayHost = target.host.slice(name.length - gateway.length);
  const where = { mode: 'subdomain', mount: '', gatewayHost } as const;
  if (space === 'ipfs') {
    if (tryParseCid(label) === null)
      return { kind: 'refuse', status: 400, message: `invalid path "/ipfs/${label}": no CID` };
    return contentOf(target, 'ipfs', label, target.path, where);
  }
  const key = tryParseIpnsName(label);
  if (key === null) {
    const domain = isDomain(label) ? label : tryInlined(label);
    if (domain === null)
      return { kind: 'refuse', status: 400, message: `invalid path "/ipns/${label}": no name` };
    return contentOf(target, 'ipns', domain, target.path, where);
  }
  const canonical = ipnsNameText(key);
  if (canonical !== label && tryParseCid(label)?.code !== codecs['libp2p-key']) {
    const location = `${target.scheme}://${canonical}.ipns.${gatewayHost}${target.path}`;
    return { kind: 'redirect', status: 301, location: withQuery(location, target) };
  }
  return contentOf(target, 'ipns', label, target.path, where);
}

function routeDnslink(target: GatewayTarget): GatewayRoute {
  const name = hostName(target.host);
  return contentOf(target, 'ipns', name, target.path, { mode: 'dnslink', mount: '', gatewayHost: null });
}

/** Content gets an origin of its own. */
function redirectToSubdomain(target: GatewayTarget, split: Split, gateway: string): GatewayRoute {
  const label = split.namespace === 'ipfs' ? labelOfCid(split.root) : labelOfName(split.root);
  if (label === null) return { kind: 'refuse', status: 400, message: tooLong };
  const port = target.host.slice(gateway.length);
  const origin = `${target.scheme}://${label}.${split.namespace}.${gateway}${port}`;
  const rest = split.rest === '' ? '/' : encodePath(split.rest);
  return { kind: 'redirect', status: 301, location: withQuery(`${origin}${rest}`, target) };
}

/** Letters of a host have no case: base 32, or base 36 where that is too long. */
function labelOfCid(text: string): string | null {
  const cid = tryParseCid(text)!.toV1();
  const label = cid.toString(base32);
  if (label.length <= labelMax) return label;
  const shorter = cid.toString(base36);
  return shorter.length <= labelMax ? shorter : null;
}

function labelOfName(root: string): string | null {
  const key = tryParseIpnsName(root);
  const label = key === null ? (isDomain(root) ? inlined(root) : root) : ipnsNameText(key);
  return label.length <= labelMax ? label : null;
}

/** A domain as one label, so that one wildcard certificate covers it: `-` twice, `.` as `-`. */
export function inlined(domain: string): string {
  return domain.replaceAll('-', '--').replaceAll('.', '-');
}

/** The domain that a label stands for; null: none. */
export function tryInlined(label: string): string | null {
  const domain = label.replaceAll('--', '\0').replaceAll('-', '.').replaceAll('\0', '-');
  return domain.includes('.') && isDomain(domain) ? domain : null;
}

/** `/ipfs/?uri=ipfs://CID/a`: what a browser sends that was told to open such links here. */
function redirectByUri(target: GatewayTarget): GatewayRoute | null {
  if (target.path !== '/ipfs/' && target.path !== '/ipns/') return null;
  const uri = new URLSearchParams(target.query).get('uri');
  const match = /^(ipfs|ipns):\/\/([^?#]+)([?#].*)?$/.exec(uri ?? '');
  if (match === null) return null;
  const [, namespace, path, rest = ''] = match;
  return { kind: 'redirect', status: 301, location: `/${namespace}/${encodePath(path!)}${rest}` };
}

function withQuery(location: string, target: GatewayTarget): string {
  return target.query === '' ? location : `${location}?${target.query}`;
}

function tryDecode(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

/** A path that is partly encoded: what must be is, what is stays. */
export function encodePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]/gu, encodeURIComponent);
}

/** Decoded elements as a path, without its first slash. */
export function encodeSegments(segments: readonly string[]): string {
  return segments
    .map((segment) =>
      encodeURIComponent(segment).replace(/%(?:24|26|2B|2C|3B|3D|3A|40)/g, decodeURIComponent),
    )
    .join('/');
}

/** A folder's own address: with a slash at the end, so that links in it are below it. */
export function folderLocation(address: GatewayAddress, target: GatewayTarget): string {
  const below = address.segments.length === 0 ? '' : `/${encodeSegments(address.segments)}`;
  return `${address.mount}${below}/${target.query === '' ? '' : `?${target.query}`}`;
}
