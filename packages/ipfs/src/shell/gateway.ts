import { type Clock, type Log, NodeError, type WebResponse } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import type { DenyList } from '../core/deny-list.ts';
import {
  encodePath,
  type GatewayAddress,
  type GatewayTarget,
  hostName,
  mayBeDnslink,
  routeGateway,
} from '../core/gateway-address.ts';
import { type GatewayFormat, readFormat } from '../core/gateway-format.ts';
import { crossOriginHeaders } from '../core/gateway-headers.ts';
import { parseRedirects, pickRedirect, redirectsBytesMax } from '../core/redirects-file.ts';
import type { BlockReader } from './blocks.ts';
import { type AnswerRequest, plainAnswer, sendAnswer } from './gateway-answer.ts';
import { answerContent, type GatewayContext, redirectToFolder } from './gateway-content.ts';
import { findPlace, type GatewayPlace, walkPath } from './gateway-place.ts';
import { answerIpnsRecord } from './gateway-record.ts';
import type { HotAnswers } from './hot-answers.ts';
import { mustBe } from './ipfs-errors.ts';
import type { NameResolver } from './name-resolver.ts';
import { exportBytes, getUnixfsNode } from './unixfs-export.ts';

export type GatewayOptions = {
  /** Hosts (without port) under which each root gets an origin of its own: `localhost`. */
  readonly subdomainHosts: readonly string[];
  /**
   * Domains that show what they say in DNS when they are the host that is asked for: `docs.example.org`,
   * `*.example.org` (all below it), `*` (any). Others are not looked up: whoever sends a request chooses its host.
   */
  readonly dnslinkDomains: readonly string[];
  /** A proxy in front says which host and scheme its reader asked for. Without one anybody could say so. */
  readonly trustForwarded: boolean;
  /** Until the first byte; then the network is asked no longer. */
  readonly timeoutMs: number;
};

export const defaultGatewayOptions: GatewayOptions = {
  subdomainHosts: ['localhost'],
  dnslinkDomains: [],
  trustForwarded: false,
  timeoutMs: 60_000,
};

export type GatewayDeps = {
  /** What is here, and what others have. */
  readonly blocks: BlockReader;
  /** What is here. */
  readonly local: BlockReader;
  readonly names: NameResolver;
  readonly clock: Clock;
  readonly log: Log;
  /** What is not shown; null: there is no list. */
  readonly denyList: () => DenyList | null;
  /** Where answers that are asked for again are kept. Not behind a proxy that is trusted. Absent: nowhere. */
  readonly hot?: HotAnswers;
};

export type GatewayRequest = AnswerRequest & { readonly target: string };

/** Of a refusal that has its own status. */
const statusOfCode: Readonly<Record<string, number>> = {
  IPFS_NO_LINK: 404,
  IPFS_PATH: 400,
  IPFS_DENIED: 410,
  IPFS_TAR_PATH: 400,
  IPFS_NOT_UNIXFS: 406,
  IPFS_BLOCK_MISSING: 504,
};

/**
 * IPFS content over HTTP (specs.ipfs.tech/http-gateways): requests in, answers out, no server inside. Path, subdomain
 * and DNSLink gateways, trustless answers (block, CAR, IPNS record), tar, ranges, `_redirects`.
 *
 * Safety: pages of strangers on a shared origin (path gateway) are sandboxed; on subdomains each root has an origin of
 * its own. Service workers on a shared origin are refused. Nothing but GET, HEAD and OPTIONS. Every page that is made
 * here is escaped and may run nothing.
 */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #deps: GatewayDeps;

  constructor(options: GatewayOptions, deps: GatewayDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Never throws; an answer's body may, which cuts the connection. */
  async handle(request: GatewayRequest): Promise<WebResponse> {
    if (request.method === 'OPTIONS') return { status: 200, headers: crossOriginHeaders, body: '' };
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return plainAnswer(405, 'Content is read with GET and HEAD.', { allow: 'GET, HEAD, OPTIONS' });
    const known = this.#hot?.find(request) ?? null;
    if (known !== null) return known;
    const target = this.#targetOf(request);
    const end = new AbortController();
    const timer = this.#deps.clock.setTimer(this.#options.timeoutMs, () => end.abort());
    const signal = AbortSignal.any([request.signal, end.signal]);
    try {
      return await this.#route(request, target, signal);
    } catch (error) {
      return this.#refuse(error, isOnlyIfCached(request), end.signal.aborted);
    } finally {
      timer.cancel();
    }
  }

  get #hot(): HotAnswers | null {
    // Whose header says where it came from would have to be a part of the question.
    return this.#options.trustForwarded ? null : (this.#deps.hot ?? null);
  }

  #targetOf({ target, headers }: GatewayRequest): GatewayTarget {
    const { trustForwarded } = this.#options;
    const [, scheme = '', authority = '', rest = target] = /^(https?):\/\/([^/?]*)(.*)$/i.exec(target) ?? [];
    const forwarded = trustForwarded ? headers['x-forwarded-host']?.split(',')[0]?.trim() : undefined;
    const proto = trustForwarded ? headers['x-forwarded-proto'] : undefined;
    const at = rest.indexOf('?');
    const path = at < 0 ? rest : rest.slice(0, at);
    return {
      host: (forwarded ?? (authority === '' ? (headers['host'] ?? '') : authority)).toLowerCase(),
      scheme: (proto ?? scheme) === 'https' ? 'https' : 'http',
      path: path === '' ? '/' : path,
      query: at < 0 ? '' : rest.slice(at + 1),
    };
  }

  async #route(request: GatewayRequest, target: GatewayTarget, signal: AbortSignal): Promise<WebResponse> {
    const route = routeGateway(target, this.#options, await this.#isDnslink(target, signal));
    if (route.kind === 'refuse') return plainAnswer(route.status, route.message);
    if (route.kind === 'redirect') return redirect(route.status, route.location);
    const { address } = route;
    if (address.mode === 'path' && request.headers['service-worker'] === 'script')
      return plainAnswer(
        400,
        'A service worker would rule over all content of this origin; use a subdomain.',
      );
    const query = new URLSearchParams(target.query);
    const format = readFormat(query, request.headers['accept']);
    if (format === 'unknown')
      return plainAnswer(400, `There is no format "${(query.get('format') ?? '').slice(0, 50)}".`);
    this.#allowName(address);
    if (format === 'ipns-record') return await this.#answerRecord(request, address, query, signal);
    return await this.#serve(request, { target, address, query, format, signal });
  }

  async #isDnslink(target: GatewayTarget, signal: AbortSignal): Promise<boolean> {
    if (!mayBeDnslink(target.host, this.#options)) return false;
    return (await this.#deps.names.source.dnslink(hostName(target.host), signal)) !== null;
  }

  async #serve(
    request: GatewayRequest,
    asked: {
      readonly target: GatewayTarget;
      readonly address: GatewayAddress;
      readonly query: URLSearchParams;
      readonly format: GatewayFormat | null;
      readonly signal: AbortSignal;
    },
  ): Promise<WebResponse> {
    const { address, signal } = asked;
    const source = isOnlyIfCached(request) ? this.#deps.local : this.#deps.blocks;
    const blocks: CID[] | null =
      address.namespace === 'ipfs' && this.#hot?.wants(request) === true ? [] : null;
    const reader = blocks === null ? source : noting(source, blocks);
    const base = { ...asked, reader, request, status: 200 };
    let place: GatewayPlace;
    try {
      place = await findPlace(
        this.#deps.names,
        reader,
        address,
        (root, path) => this.#allow(root, path),
        signal,
      );
    } catch (error) {
      if (codeOf(error) !== 'IPFS_NO_LINK' || address.mode === 'path') throw error;
      const redirected = await this.#followRedirects(base);
      if (redirected === null) throw error;
      return redirected;
    }
    this.#allow(place.cid, []);
    return await this.#answer({ ...base, place }, blocks);
  }

  /** @param blocks those that were read for it; null: the answer is not to be kept */
  async #answer(context: GatewayContext, blocks: readonly CID[] | null): Promise<WebResponse> {
    const folder = await redirectToFolder(context);
    if (folder !== null) return redirect(301, folder);
    const answer = await answerContent(context);
    if ('refusal' in answer) return plainAnswer(answer.status, answer.refusal);
    const { address, place } = context;
    const path = `/${address.namespace}/${[address.root, ...address.segments].join('/')}`;
    const slash = address.hasTrailingSlash && address.segments.length >= 0 && !path.endsWith('/') ? '/' : '';
    const headers = {
      'x-ipfs-path': encodePath(`${path}${slash}`),
      'x-ipfs-roots': place.roots.join(','),
      ...answer.headers,
    };
    const whole = { ...answer, headers };
    const sharesOrigin = address.mode === 'path';
    if (blocks !== null) await this.#hot?.keep(context.request, whole, { sharesOrigin, blocks });
    return await sendAnswer(context.request, whole, sharesOrigin);
  }

  /** `_redirects` of the site's root, for a path that it does not have. Null: nothing is said of it. */
  async #followRedirects(base: Omit<GatewayContext, 'place'>): Promise<WebResponse | null> {
    const { address, reader, signal } = base;
    const { names } = this.#deps;
    const site = await names.resolve(address.namespace, address.root, [], signal);
    const file = await walkPath(reader, site.root, [...site.segments, '_redirects'], signal).catch(noLink);
    if (file === null) return null;
    const node = await getUnixfsNode(reader, file.cid, signal);
    if ((node.fileBytes ?? 0) > redirectsBytesMax) {
      const why = `redirects file size cannot exceed ${redirectsBytesMax} bytes`;
      return plainAnswer(500, `could not parse _redirects: ${why}`);
    }
    const bytes = await exportBytes(reader, file.cid, redirectsBytesMax, { signal });
    const rule = pickRedirect(mustBe(parseRedirects(new TextDecoder().decode(bytes))), address.segments);
    if (rule === null) return null;
    if (rule.status >= 300 && rule.status < 400) return redirect(rule.status, rule.to);
    const segments = rule.to
      .split('/')
      .filter((part) => part !== '')
      .map((part) => decodeURIComponent(part));
    const hasTrailingSlash = rule.to.endsWith('/');
    const shown: GatewayAddress = { ...address, segments, hasTrailingSlash };
    const place = await findPlace(names, reader, shown, (root, path) => this.#allow(root, path), signal);
    return await this.#answer({ ...base, address: shown, place, status: rule.status }, null);
  }

  async #answerRecord(
    request: GatewayRequest,
    address: GatewayAddress,
    query: URLSearchParams,
    signal: AbortSignal,
  ): Promise<WebResponse> {
    const answer = await answerIpnsRecord(this.#deps.names.source, address, query, signal);
    if ('refusal' in answer) return plainAnswer(answer.status, answer.refusal);
    return await sendAnswer(request, answer, address.mode === 'path');
  }

  #allowName(address: GatewayAddress): void {
    if (
      address.namespace === 'ipns' &&
      this.#deps.denyList()?.deniesName(address.root, address.segments) === true
    )
      throw denied(`/ipns/${address.root}`);
  }

  #allow(root: CID, segments: readonly string[]): void {
    if (this.#deps.denyList()?.deniesCid(root, segments) === true) throw denied(root.toString());
  }

  #refuse(error: unknown, onlyIfCached: boolean, timedOut: boolean): WebResponse {
    const code = codeOf(error);
    const message = error instanceof Error ? error.message : String(error);
    if (code === 'IPFS_BLOCK_MISSING' && onlyIfCached) return plainAnswer(412, message);
    if (timedOut) return plainAnswer(504, 'Nobody who has this content was found in time.');
    const status = statusOfCode[code] ?? 500;
    this.#deps.log.debug('gateway.refused', { code, status });
    return plainAnswer(status, message);
  }
}

function isOnlyIfCached({ headers }: GatewayRequest): boolean {
  return /(?:^|,)\s*only-if-cached\s*(?:,|$)/i.test(headers['cache-control'] ?? '');
}

/** The same, and which blocks were asked for. */
function noting(reader: BlockReader, blocks: CID[]): BlockReader {
  return {
    has: (cid) => reader.has(cid),
    get: (cid, options) => {
      blocks.push(cid);
      return reader.get(cid, options);
    },
  };
}

function redirect(status: number, location: string): WebResponse {
  return plainAnswer(status, `See ${location}`, { location });
}

function denied(what: string): NodeError {
  return new NodeError('IPFS_DENIED', `${what} is on a list of content that this node does not show.`, {
    op: 'gateway',
  });
}

function codeOf(error: unknown): string {
  return error instanceof NodeError ? error.code : '';
}

function noLink(error: unknown): null {
  if (codeOf(error) === 'IPFS_NO_LINK') return null;
  throw error;
}
