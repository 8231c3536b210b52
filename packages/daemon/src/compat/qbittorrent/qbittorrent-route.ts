/** `/api/v2` in the node's web server. */
import type { WebResponse } from '@tequio/kernel';
import type { Caller } from '../../http/caller.ts';
import type { CompatRoute, RouteContext, RouteRequest } from '../../http/compat-route.ts';
import { type CompatCaller, type CompatPorts, callerKey, compatCaller } from '../compat-caller.ts';
import { compatLimits } from '../compat-limits.ts';
import { answerOf, json, text } from './api-answer.ts';
import { ApiError } from './api-error.ts';
import { ClientData } from './app.ts';
import { type ApiCall, CallerState, type SharedState } from './caller-state.ts';
import { type Form, formOfQuery, readForm } from './form.ts';
import { MainData } from './main-data.ts';
import { apiErrorOf, apiLooks, apiVerbs } from './qbittorrent-api.ts';
import { ReadTorrents } from './read-torrents.ts';
import { TorrentCreations } from './torrent-creations.ts';
import { TorrentPeers } from './torrent-peers.ts';

const prefix = '/api/v2';
const cookieName = 'SID';
const keyLengthMin = 32;

export function createQbittorrentRoute(ports: CompatPorts): CompatRoute {
  const api = new QbittorrentApi(ports);
  return { prefix, handle: (request, context) => api.handle(request, context) };
}

/** What one client is told bit by bit. */
type ClientState = { readonly main: MainData; readonly peers: TorrentPeers; usedAtMs: number };

class QbittorrentApi {
  readonly #ports: CompatPorts;
  readonly #states = new Map<string, CallerState>();
  readonly #clients = new Map<string, ClientState>();
  readonly #clientData = new ClientData();
  readonly #shared: SharedState = { torrents: new ReadTorrents(), creations: new TorrentCreations() };

  constructor(ports: CompatPorts) {
    this.#ports = ports;
  }

  async handle(request: RouteRequest, context: RouteContext): Promise<WebResponse> {
    const action = request.path.slice(prefix.length + 1);
    try {
      if (action === 'auth/login') return await this.#login(request, context);
      const session = sessionOf(request);
      const who = (session === null ? null : context.findSession(session)) ?? (await context.caller());
      if (who === null) throw new ApiError(403, 'Forbidden');
      const caller = compatCaller(context.node, who);
      if (action === 'auth/logout') return this.#logout(request, context, session);
      return await this.#run(action, request, context, caller, session ?? callerKey(caller));
    } catch (error) {
      const { status, message } = apiErrorOf(error);
      return text(status, message);
    }
  }

  async #run(
    action: string,
    request: RouteRequest,
    context: RouteContext,
    caller: CompatCaller,
    client: string,
  ): Promise<WebResponse> {
    const isPost = request.method === 'POST';
    if (!isPost && request.method !== 'GET') throw new ApiError(405, 'Method Not Allowed');
    const form: Form = isPost
      ? await readForm(
          request.headers['content-type'] ?? '',
          await request.readBody(compatLimits.bodyBytesMax),
        )
      : formOfQuery(request.query);
    const call: ApiCall = {
      form,
      caller,
      ports: this.#ports,
      state: this.#stateOf(callerKey(caller)),
      shared: this.#shared,
      contentUrl: (...file) => context.contentUrl(...file),
    };
    if (action === 'sync/maindata') return json(await this.#clientOf(client).main.next(call));
    if (action === 'sync/torrentPeers') return json(await this.#clientOf(client).peers.next(call));
    if (action === 'clientdata/load') return json(this.#clientData.load(call));
    if (action === 'clientdata/store' && isPost) return answerOf(this.#clientData.store(call));
    const look = Object.hasOwn(apiLooks, action) ? apiLooks[action]! : null;
    if (look !== null) return answerOf(await look(call));
    const verb = Object.hasOwn(apiVerbs, action) ? apiVerbs[action]! : null;
    if (verb === null) throw new ApiError(404, 'Endpoint does not exist');
    if (!isPost) throw new ApiError(405, 'Method Not Allowed');
    return answerOf(await verb(call));
  }

  /** A wrong password is status 200 with `Fails.`, as it was until 5.2 and as every client knows it. */
  async #login(request: RouteRequest, context: RouteContext): Promise<WebResponse> {
    if (request.method !== 'POST') throw new ApiError(405, 'Method Not Allowed');
    const form = await readForm(request.headers['content-type'] ?? '', await request.readBody(64 << 10));
    const [name, password] = [form.text('username'), form.text('password')];
    // Who has no password logs in with the token or a key, which are longer than what people type.
    const byKey = password.length < keyLengthMin ? null : await context.checkToken(password);
    const who: Caller | null = byKey ?? (await context.checkPassword(name, password));
    if (who === null) return text(200, 'Fails.');
    const id = context.openSession({ ...who, by: 'session' });
    return text(200, 'Ok.', { 'set-cookie': cookieOf(request, id) });
  }

  #logout(request: RouteRequest, context: RouteContext, session: string | null): WebResponse {
    if (request.method !== 'POST') throw new ApiError(405, 'Method Not Allowed');
    if (session !== null) {
      context.closeSession(session);
      this.#clients.delete(session);
    }
    return text(200, '', { 'set-cookie': `${cookieOf(request, '')}; Max-Age=0` });
  }

  #stateOf(key: string): CallerState {
    const known = this.#states.get(key) ?? new CallerState();
    keep(this.#states, key, known);
    return known;
  }

  #clientOf(key: string): ClientState {
    const nowMs = this.#ports.wallMs();
    for (const [other, { usedAtMs }] of this.#clients)
      if (nowMs - usedAtMs > compatLimits.sessionIdleMs) this.#clients.delete(other);
    const known = this.#clients.get(key) ?? {
      main: new MainData(),
      peers: new TorrentPeers(),
      usedAtMs: nowMs,
    };
    known.usedAtMs = nowMs;
    keep(this.#clients, key, known);
    return known;
  }
}

/** Becomes the latest; the one that was silent longest goes when there are too many. */
function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  const [oldest] = map.keys();
  if (oldest !== undefined && map.size >= compatLimits.sessionCountMax) map.delete(oldest);
  map.set(key, value);
}

function sessionOf({ headers }: RouteRequest): string | null {
  const cookie = (headers['cookie'] ?? '').split(';').map((part) => part.trim());
  const own = cookie.find((part) => part.startsWith(`${cookieName}=`));
  return own === undefined ? null : own.slice(cookieName.length + 1);
}

function cookieOf({ origin }: RouteRequest, id: string): string {
  const secure = origin.startsWith('https:') ? '; Secure' : '';
  return `${cookieName}=${id}; HttpOnly; SameSite=Strict; Path=/${secure}`;
}
