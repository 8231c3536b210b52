/** `/api/v1`: the table of routes at work. Finds the route, lets in who may, checks what comes, answers. */
import type { Management, NodeStatus } from '@tequio/api';
import {
  decodeRouteInput,
  openApiDocument,
  type Route,
  type RouteName,
  routeSchemas,
  routes,
} from '@tequio/api/http';
import { tryDecodeUtf8, type WebResponse } from '@tequio/kernel';
import { jsonResponse } from './answers.ts';
import { existing, handlers, type PlainRoute } from './api-handlers.ts';
import { allows, type Caller } from './caller.ts';
import type { ManagedNode, RouteContext, RouteRequest } from './compat-route.ts';
import type { ContentLinks } from './content-links.ts';
import type { EventStreams, StreamQuery } from './event-streams.ts';
import { HttpError } from './http-fault.ts';
import { httpLimits } from './http-limits.ts';
import { IpfsRequests } from './ipfs-requests.ts';
import { encodePlaylist } from './playlist.ts';
import { problemResponse } from './problem.ts';
import type { Asked, Handler } from './route-handler.ts';
import { Router } from './router.ts';
import type { Sessions } from './sessions.ts';

/** What the API needs to know of one request besides what every route is given. */
export type ApiRequest = RouteRequest & {
  /** Undecoded. */
  readonly rawPath: string;
  readonly cookieName: string;
  /** `Path`, and `Secure` where it is. */
  readonly cookieAttributes: string;
  /** Id of the page's session; null: it has none. */
  readonly sessionId: string | null;
  /** `http://127.0.0.1:40001`: where content is served. */
  readonly contentOrigin: string;
};

export type ApiDeps = {
  readonly node: ManagedNode;
  readonly version: string;
  readonly sessions: Sessions;
  readonly links: ContentLinks;
  readonly streams: EventStreams;
  nowMs(): number;
};

const noContent: WebResponse = { status: 204, headers: {}, body: null };

export class ApiServer {
  readonly #deps: ApiDeps;
  readonly #router = new Router();
  readonly #ipfs = new IpfsRequests();
  #openApi: string | null = null;
  #largeCount = 0;

  constructor(deps: ApiDeps) {
    this.#deps = deps;
  }

  async handle(request: ApiRequest, context: RouteContext): Promise<WebResponse> {
    if (request.rawPath === '/api/v1/openapi.json') return this.#describe(request);
    const match = this.#router.match(request.method, request.rawPath);
    if (match === null) throw new HttpError(404, 'HTTP_PATH', 'There is nothing here.');
    if ('allow' in match)
      throw new HttpError(405, 'HTTP_METHOD', `${request.method} is not possible here.`, {
        headers: { allow: match.allow.join(', ') },
      });
    const route: Route = routes[match.route];
    const caller = await context.caller();
    if (route.scope !== 'none') {
      if (caller === null)
        throw new HttpError(401, 'HTTP_UNKNOWN_CALLER', 'Show a key, or log in first.', {
          headers: { 'www-authenticate': 'Bearer realm="Tequio"' },
        });
      if (!allows(caller, route.scope))
        throw new HttpError(
          403,
          'USER_RIGHT',
          `This needs the scope ${route.scope}; this one is ${caller.scope}.`,
        );
    }
    const decoded = decodeRouteInput(routeSchemas[match.route], {
      params: match.params,
      query: request.query,
      body: await this.#readJson(match.route, route, request),
    });
    if (!decoded.ok) {
      const [first] = decoded.mistakes;
      throw new HttpError(400, 'HTTP_INPUT', `${first?.path ?? ''} ${first?.message ?? ''}.`, {
        data: { errors: decoded.mistakes },
      });
    }
    return this.#answer(match.route, request, caller, decoded, context);
  }

  /** Undefined: the route takes none. */
  async #readJson(name: RouteName, route: Route, request: ApiRequest): Promise<unknown> {
    if (!('body' in routeSchemas[name])) return undefined;
    const type = request.headers['content-type'] ?? '';
    // A form can be sent by any page without asking first; this type cannot.
    if (!/^application\/(?:[\w.-]+\+)?json(?:\s*;|$)/i.test(type))
      throw new HttpError(415, 'HTTP_CONTENT_TYPE', 'The body must be JSON: content-type: application/json.');
    const isLarge =
      route.large === true && !(Number(request.headers['content-length']) <= httpLimits.bodyBytes);
    if (isLarge && this.#largeCount >= httpLimits.largeBodyCount)
      throw new HttpError(503, 'HTTP_BUSY', 'Too many torrents are being sent at once.', {
        headers: { 'retry-after': '2' },
      });
    if (isLarge) this.#largeCount++;
    try {
      const usual = route.scope === 'none' ? httpLimits.loginBodyBytes : httpLimits.bodyBytes;
      const bytes = await request.readBody(isLarge ? httpLimits.torrentBodyBytes : usual);
      const text = tryDecodeUtf8(bytes);
      if (text === null) throw new SyntaxError('not UTF-8');
      return JSON.parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new HttpError(400, 'HTTP_JSON', `The body is no JSON: ${error.message}.`);
    } finally {
      if (isLarge) this.#largeCount--;
    }
  }

  async #answer(
    name: RouteName,
    request: ApiRequest,
    caller: Caller | null,
    input: { readonly params: unknown; readonly query: unknown; readonly body: unknown },
    context: RouteContext,
  ): Promise<WebResponse> {
    if (name.startsWith('session.')) return this.#session(name, request, caller, input.body, context);
    const node = this.#deps.node.management.as(caller!);
    if (name === 'events.stream') return this.#stream(node, request, caller!, input.query, context);
    if (name === 'torrents.export' || name === 'torrents.content' || name === 'torrents.playlist')
      return this.#file(name, node, request, input.params as { id: string; file: number });
    if (name === 'ipfs.addFile')
      return this.#ipfs.addFile(node, (input.query as { path: string }).path, request);
    if (name === 'ipfs.content') {
      const { path } = input.query as { path: string };
      return this.#ipfs.content(node, path, request.contentOrigin, this.#deps.links, this.#deps.nowMs());
    }
    const handler = handlers[name as PlainRoute] as Handler<PlainRoute>;
    const asked: Asked = { node, readSource: (text) => this.#deps.node.readSource(text) };
    const result = await handler(asked, input as never);
    this.#closeSessions(name, request, input.body);
    // Null is an answer; nothing is none.
    return result === undefined ? noContent : jsonResponse(result);
  }

  /** Whoever has come in with a password that is no longer one, or with rights that are others now, must come again. */
  #closeSessions(name: RouteName, { sessionId }: ApiRequest, body: unknown): void {
    const { sessions } = this.#deps;
    if (name === 'users.setPassword') sessions.closeOf((body as { user: string | null }).user, sessionId);
    if (name === 'users.put' || name === 'users.remove')
      sessions.closeOf((body as { name: string }).name, sessionId);
  }

  async #session(
    name: RouteName,
    request: ApiRequest,
    caller: Caller | null,
    body: unknown,
    context: RouteContext,
  ): Promise<WebResponse> {
    const { sessions } = this.#deps;
    if (name === 'session.get')
      return jsonResponse(caller === null ? null : { user: caller.user, scope: caller.scope });
    if (name === 'session.oneTime')
      return jsonResponse({ token: sessions.makeOneTime(caller!, this.#deps.nowMs()) });
    const cookie = (value: string, age: number): string =>
      `${request.cookieName}=${value}; Max-Age=${age}; HttpOnly; SameSite=Strict; ${request.cookieAttributes}`;
    if (name === 'session.close') {
      if (request.sessionId !== null) sessions.close(request.sessionId);
      return { status: 204, headers: { 'set-cookie': cookie('', 0) }, body: null };
    }
    const login = body as { token: string } | { user: string; password: string };
    const identity =
      'token' in login
        ? sessions.takeOneTime(login.token, this.#deps.nowMs())
        : await context.checkPassword(login.user, login.password);
    if (identity === null)
      throw new HttpError(
        401,
        'HTTP_LOGIN',
        'token' in login
          ? 'This link was used before, or is too old. `tequio open` gives a new one.'
          : 'The name or the password is wrong.',
      );
    const id = context.openSession({ ...identity, by: 'session' });
    const answer = jsonResponse({ user: identity.user, scope: identity.scope });
    const age = Math.floor(httpLimits.sessionIdleMs / 1000);
    return { ...answer, headers: { ...answer.headers, 'set-cookie': cookie(id, age) } };
  }

  #stream(
    node: Management,
    request: ApiRequest,
    caller: Caller,
    query: unknown,
    context: RouteContext,
  ): WebResponse {
    const body = this.#deps.streams.open(
      node,
      caller,
      query as StreamQuery,
      request.headers['last-event-id'] ?? '',
      request.signal,
      async () => (await context.caller()) !== null,
    );
    return {
      status: 200,
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        // nginx would keep events back until it has a pageful.
        'x-accel-buffering': 'no',
      },
      body,
    };
  }

  async #file(
    name: 'torrents.export' | 'torrents.content' | 'torrents.playlist',
    node: Management,
    request: ApiRequest,
    { id, file }: { readonly id: string; readonly file: number },
  ): Promise<WebResponse> {
    const torrent = await existing(node, id);
    if (name === 'torrents.export') {
      const bytes = await node.torrents.exportTorrent(id);
      if (bytes === null)
        throw new HttpError(409, 'TORRENT_METADATA', 'Its description has not come from the peers yet.');
      return {
        status: 200,
        headers: {
          'content-type': 'application/x-bittorrent',
          'content-disposition': attachment(torrent.name),
        },
        body: bytes,
      };
    }
    const urlOf = (index: number, path: string): string =>
      request.contentOrigin + this.#deps.links.pathOf({ torrent: id, file: index }, path, this.#deps.nowMs());
    const files = await node.torrents.files(id);
    if (name === 'torrents.playlist')
      return {
        status: 200,
        headers: { 'content-type': 'application/vnd.apple.mpegurl', 'cache-control': 'no-store' },
        body: encodePlaylist(files, ({ index }, path) => urlOf(index, path)),
      };
    const found = files.find(({ index }) => index === file);
    if (found === undefined) throw new HttpError(404, 'FILE_MISSING', 'The torrent has no such file.');
    return {
      status: 307,
      headers: { location: urlOf(file, found.path.split('/').at(-1) ?? ''), 'cache-control': 'no-store' },
      body: null,
    };
  }

  #describe({ method }: ApiRequest): WebResponse {
    if (method !== 'GET' && method !== 'HEAD')
      return problemResponse(405, 'HTTP_METHOD', 'This can only be read.', {}, { allow: 'GET, HEAD' });
    this.#openApi ??= JSON.stringify(openApiDocument(this.#deps.version));
    return { ...jsonResponse(null), body: this.#openApi };
  }
}

function attachment(name: string): string {
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16)}`,
  );
  return `attachment; filename*=UTF-8''${encoded}.torrent`;
}

/** For a proxy or a supervisor: whether the node lives, and whether it can be used. */
export function readinessOf(status: NodeStatus): WebResponse {
  const isReady = status.troubles.every(({ part }) => part !== 'bittorrent');
  return jsonResponse(
    { ready: isReady, troubles: status.troubles.map(({ part, code }) => ({ part, code })) },
    isReady ? 200 : 503,
  );
}
