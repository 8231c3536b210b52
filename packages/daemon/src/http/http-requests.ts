/** The way of a request, from the socket to a route and back; see `http-front.ts`. */
import type { Settings } from '@tequio/api';
import {
  type Log,
  tryParseAddress,
  type WebRequest,
  type WebResponse,
  type WebUpgrade,
} from '@tequio/kernel';
import { jsonResponse } from './answers.ts';
import { type ApiServer, readinessOf } from './api-server.ts';
import { allows, type Caller } from './caller.ts';
import { type ClientView, viewOf } from './client-view.ts';
import type { CompatRoute, ManagedNode, RouteContext, RouteRequest } from './compat-route.ts';
import type { ContentLinks } from './content-links.ts';
import type { ContentServer } from './content-server.ts';
import { type Credentials, readCookie } from './credentials.ts';
import type { EventStreams } from './event-streams.ts';
import type { ForeignPage } from './foreign-page.ts';
import { isSafeMethod, refusalOf, splitHost } from './host-guard.ts';
import type { Refusal } from './http-fault.ts';
import { httpLimits } from './http-limits.ts';
import { encodeMetrics, type Metric, nodeMetrics, processMetrics } from './metrics-text.ts';
import type { PageFiles } from './page-files.ts';
import { problemOf, problemResponse, problemType } from './problem.ts';
import type { RefusalLog } from './refusal-log.ts';
import { tryDecode } from './router.ts';
import { answerHeaders, dataPolicy, pagePolicy } from './security-headers.ts';
import type { Sessions } from './sessions.ts';
import type { StrangerLimits } from './stranger-limits.ts';

type Deps = {
  readonly node: ManagedNode;
  readonly settings: Settings['http'];
  readonly page: PageFiles;
  readonly foreignPage: ForeignPage | null;
  readonly routes: readonly CompatRoute[];
  readonly sessions: Sessions;
  readonly strangers: StrangerLimits;
  readonly refusals: RefusalLog;
  readonly streams: EventStreams;
  readonly content: ContentServer;
  readonly links: ContentLinks;
  readonly credentials: Credentials;
  readonly api: ApiServer;
  readonly log: Log;
  readonly version: string;
  nowMs(): number;
};

/** A request that the guard has let through. */
type Guarded = {
  readonly request: WebRequest;
  readonly view: ClientView;
  /** Without base path, undecoded, without query. */
  readonly path: string;
  readonly query: string;
};

export class HttpRequests {
  /** Of the second origin; known once it listens. */
  contentPort = 0;
  readonly #deps: Deps;
  #settings: Settings['http'];
  #trustedProxies: readonly string[] = [];
  #openCount = 0;
  readonly #statusCounts = new Map<number, number>();

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#settings = deps.settings;
    this.handleSettings(deps.settings);
  }

  /** What may change while we run: names that are ours, and proxies that are trusted. */
  handleSettings(settings: Settings['http']): void {
    this.#settings = settings;
    this.#trustedProxies = settings.trustedProxies.map((text) => tryParseAddress(text) ?? text);
  }

  async handle(request: WebRequest): Promise<WebResponse | WebUpgrade> {
    const answer = await this.#guarded(request, 'page', (guarded) => this.#route(guarded));
    return 'webSocket' in answer ? answer : this.#finish(answer, answerHeaders);
  }

  async handleContent(request: WebRequest): Promise<WebResponse | WebUpgrade> {
    const answer = await this.#guarded(request, 'content', ({ path, view }) =>
      this.#deps.content.handle(request, path, view),
    );
    return 'webSocket' in answer ? answer : this.#finish(answer, {});
  }

  async #guarded(
    request: WebRequest,
    kind: 'page' | 'content',
    next: (guarded: Guarded) => Promise<WebResponse | WebUpgrade>,
  ): Promise<WebResponse | WebUpgrade> {
    const view = viewOf(request, this.#trustedProxies);
    const answer = await this.#answerGuarded(request, view, kind, next);
    if (!('webSocket' in answer)) this.#logTooMuch(answer, view);
    return answer;
  }

  async #answerGuarded(
    request: WebRequest,
    view: ClientView,
    kind: 'page' | 'content',
    next: (guarded: Guarded) => Promise<WebResponse | WebUpgrade>,
  ): Promise<WebResponse | WebUpgrade> {
    if (request.target.length > httpLimits.targetCharacters)
      return problemResponse(414, 'HTTP_TARGET_LONG', 'The address is too long.');
    const { allowedHosts: named, streamOrigin } = this.#settings;
    const isShownElsewhere = kind === 'content' && streamOrigin !== null;
    const allowedHosts = isShownElsewhere ? [...named, new URL(streamOrigin).host] : named;
    const refusal = refusalOf(
      { method: request.method, headers: request.headers, view },
      { allowedHosts, kind },
    );
    if (refusal !== null) return this.#refuse(refusal, view);
    if (this.#openCount >= httpLimits.requestCount)
      return problemResponse(503, 'HTTP_BUSY', 'Too much is asked at once.', {}, { 'retry-after': '1' });
    this.#openCount++;
    try {
      const [path = '', query = ''] = splitQuery(this.#withoutBase(request.target));
      return await next({ request, view, path, query });
    } catch (error) {
      const problem = problemOf(error);
      if (problem === null) throw error;
      if (problem.status === 401) return this.#strange(view) ?? problem;
      return problem;
    } finally {
      this.#openCount--;
    }
  }

  /** A proxy may take the base path away, or leave it: both are understood. */
  #withoutBase(target: string): string {
    const { basePath } = this.#settings;
    if (basePath === '' || !target.startsWith(basePath)) return target;
    const rest = target.slice(basePath.length);
    return rest === '' ? '/' : rest.startsWith('/') ? rest : rest.startsWith('?') ? `/${rest}` : target;
  }

  async #route(guarded: Guarded): Promise<WebResponse | WebUpgrade> {
    const { path, request, view } = guarded;
    if (path === '/health') return this.#strange(view) ?? jsonResponse({ status: 'alive' });
    if (path === '/ready')
      return this.#strange(view) ?? readinessOf(await this.#deps.node.management.status.status());
    const decoded = tryDecode(path);
    if (decoded === null || decoded.includes('\0'))
      return problemResponse(400, 'HTTP_PATH', 'The path is not written as it should be.');
    const routed = this.#routeRequest(guarded, decoded);
    const compat = this.#deps.routes.find(
      ({ prefix }) => decoded === prefix || decoded.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`),
    );
    if (compat !== undefined) return compat.handle(routed, this.#context(guarded, compat.prefix));
    const context = this.#context(guarded, null);
    if (path === '/metrics') return this.#metrics(context, view);
    if (path.startsWith('/api/')) {
      const answer = await this.#deps.api.handle(
        {
          ...routed,
          rawPath: path,
          cookieName: this.#cookieName(request),
          cookieAttributes: `Path=${this.#settings.basePath || '/'}${view.scheme === 'https' ? '; Secure' : ''}`,
          sessionId: readCookie(request.headers['cookie'] ?? '', this.#cookieName(request)),
          contentOrigin: this.#contentOrigin(view),
        },
        context,
      );
      return withHeaders(answer, { 'content-security-policy': dataPolicy });
    }
    return this.#page(guarded, decoded);
  }

  #page({ request, view }: Guarded, path: string): WebResponse {
    const { page, foreignPage, version } = this.#deps;
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return problemResponse(405, 'HTTP_METHOD', 'This can only be read.', {}, { allow: 'GET, HEAD' });
    const strange = this.#strange(view);
    // A page is a dozen files: who is known by a cookie is not counted, and need not be looked up for them.
    if (strange !== null && request.headers['cookie'] === undefined) return strange;
    const foreign = foreignPage?.tryAnswer(path, request.headers, this.#settings.basePath) ?? null;
    const file = foreign ?? page.answer(path, request.headers, pagePolicy(this.#contentOrigin(view)));
    if (file !== null) return file;
    if (path !== '/' || !page.isEmpty) return problemResponse(404, 'HTTP_PATH', 'There is nothing here.');
    return {
      status: 200,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'content-security-policy': dataPolicy },
      body: `Tequio ${version} is running. This installation has no page; the API is described at api/v1/openapi.json.\n`,
    };
  }

  async #metrics(context: RouteContext, view: ClientView): Promise<WebResponse> {
    const caller = await context.caller();
    if (caller === null || !allows(caller, 'read'))
      return (
        this.#strange(view) ??
        problemResponse(
          401,
          'HTTP_UNKNOWN_CALLER',
          'Show a key, or a password.',
          {},
          {
            'www-authenticate': 'Basic realm="Tequio"',
          },
        )
      );
    const status = await this.#deps.node.management.status.status();
    return {
      status: 200,
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' },
      body: encodeMetrics([
        ...nodeMetrics(status),
        ...processMetrics(process.memoryUsage(), cpuSeconds()),
        ...this.#ownMetrics(),
      ]),
    };
  }

  #ownMetrics(): Metric[] {
    const { streams, content, refusals } = this.#deps;
    return [
      {
        name: 'tequio_http_responses_total',
        help: 'Answers by status.',
        type: 'counter',
        samples: [...this.#statusCounts].map(([status, value]) => ({
          labels: { status: String(status) },
          value,
        })),
      },
      {
        name: 'tequio_http_refusals_total',
        help: 'Requests that were refused before a route saw them, by reason.',
        type: 'counter',
        samples: [...refusals.counts].map(([code, value]) => ({ labels: { code }, value })),
      },
      {
        name: 'tequio_http_event_streams',
        help: 'Open event streams.',
        type: 'gauge',
        samples: [{ value: streams.streamCount }],
      },
      {
        name: 'tequio_http_content_streams',
        help: 'Files that are being played or fetched.',
        type: 'gauge',
        samples: [{ value: content.streamCount }],
      },
    ];
  }

  #routeRequest({ request, view, query }: Guarded, path: string): RouteRequest {
    return {
      method: request.method,
      path,
      query: new URLSearchParams(query),
      headers: request.headers,
      clientAddress: view.address,
      origin: `${view.scheme}://${view.host}`,
      get signal() {
        return request.signal;
      },
      readBody: (bytesMax) => request.readBody(bytesMax),
      readBodyParts: () => request.readBodyParts(),
    };
  }

  /** @param prefix of a compatible route; null: our own */
  #context({ request, view }: Guarded, prefix: string | null): RouteContext {
    const { credentials, sessions, links, node, nowMs, log } = this.#deps;
    const look = async (): Promise<Caller | null> => {
      const found = await credentials.callerOf(request.headers, view.address, this.#cookieName(request));
      if (found?.by === 'session' && !this.#isOurPage(request)) return null;
      return found;
    };
    return {
      node,
      log,
      caller: look,
      checkPassword: (name, password) => credentials.checkPassword(name, password, view.address),
      checkToken: (token) => credentials.checkToken(token, view.address),
      openSession: (identity) => sessions.open(identity, nowMs()),
      findSession: (id) => (this.#isOurPage(request) || prefix !== null ? sessions.find(id, nowMs()) : null),
      closeSession: (id) => sessions.close(id),
      contentUrl: (torrent, file, name) =>
        this.#contentOrigin(view) + links.pathOf({ torrent, file }, name, nowMs()),
    };
  }

  /**
   * Every browser says `Origin` with what changes something. A cookie without it comes from no page of ours; the guard
   * has looked at the origin itself.
   */
  #isOurPage({ method, headers }: WebRequest): boolean {
    return (
      isSafeMethod(method) || headers['origin'] !== undefined || headers['sec-fetch-site'] === 'same-origin'
    );
  }

  /** Cookies know no port: two nodes of one machine have two. */
  #cookieName({ local }: WebRequest): string {
    return `tequio-${local.port}`;
  }

  #contentOrigin({ host }: ClientView): string {
    if (this.#settings.streamOrigin !== null) return this.#settings.streamOrigin;
    return `http://${splitHost(host)?.name ?? '127.0.0.1'}:${this.contentPort}`;
  }

  /** Null: somebody who has not shown who they are may ask this once more. */
  #strange({ address }: ClientView): WebResponse | null {
    const waitMs = this.#deps.strangers.tryRequest(address, this.#deps.nowMs());
    if (waitMs === null) return null;
    const seconds = Math.ceil(waitMs / 1000);
    this.#deps.refusals.add(
      {
        code: 'HTTP_TOO_MANY',
        value: address,
        remedy: 'A program asks very often without a key: give it one.',
      },
      address,
    );
    return problemResponse(
      429,
      'HTTP_TOO_MANY',
      `Too many requests. Try again in ${seconds} s.`,
      {},
      {
        'retry-after': String(seconds),
      },
    );
  }

  /** Whoever wonders why a program gets no answer finds it in the log. */
  #logTooMuch({ status, headers }: WebResponse, { address }: ClientView): void {
    const known = tooMuch.get(status);
    if (known !== undefined && headers['content-type'] === problemType)
      this.#deps.refusals.add({ ...known, value: address }, address);
  }

  #refuse(refusal: Refusal, view: ClientView): WebResponse {
    this.#deps.refusals.add(refusal, view.address);
    return this.#strange(view) ?? problemResponse(refusal.status, refusal.code, refusal.message);
  }

  #finish(answer: WebResponse, defaults: Readonly<Record<string, string>>): WebResponse {
    this.#statusCounts.set(answer.status, (this.#statusCounts.get(answer.status) ?? 0) + 1);
    return withHeaders(answer, defaults);
  }
}

/** Refusals of what is too much, by status. */
const tooMuch: ReadonlyMap<number, { readonly code: string; readonly remedy: string }> = new Map([
  [413, { code: 'HTTP_BODY_LONG', remedy: 'A program sends more at once than the node takes there.' }],
  [414, { code: 'HTTP_TARGET_LONG', remedy: 'A program asks for an address that is longer than any here.' }],
  [
    503,
    { code: 'HTTP_BUSY', remedy: 'More is asked at once than the node serves: close pages or programs.' },
  ],
]);

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The answer with these headers, where it does not say otherwise. */
function withHeaders(answer: WebResponse, defaults: Readonly<Record<string, string>>): WebResponse {
  return { ...answer, headers: { ...defaults, ...answer.headers } };
}

function splitQuery(target: string): [string, string] {
  const at = target.indexOf('?');
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}
