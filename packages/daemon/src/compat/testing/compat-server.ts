import { randomBytes } from 'node:crypto';
import {
  NodeError,
  silentLog,
  tryParseAddress,
  type WebRequest,
  type WebResponse,
  type WebUpgrade,
} from '@tequio/kernel';
import { createWebServer } from '@tequio/runtime';
import type { Caller } from '../../http/caller.ts';
import type { CompatRoute, RouteContext, RouteRequest } from '../../http/compat-route.ts';
import type { TwinNode } from './twin-node.ts';

export type CompatServer = { readonly origin: string; readonly port: number; close(): Promise<void> };

/**
 * The routes on a free port of this machine, with the twin behind them and no check besides their own.
 * @param onCall is told of each call by its name, as `torrents/info`
 */
export async function openCompatServer(
  twin: TwinNode,
  routes: readonly CompatRoute[],
  onCall: (name: string) => void,
): Promise<CompatServer> {
  const sessions = new Map<string, Caller>();
  const listener = await createWebServer().listen(
    { address: tryParseAddress('127.0.0.1'), port: 0 },
    {
      handle: async (web) => {
        const request = told(routeRequest(web), onCall);
        const content = contentPath.exec(request.path);
        if (content !== null) return contentOf(twin, content[1]!, Number(content[2]));
        const route = routes.find(
          ({ prefix }) => request.path === prefix || request.path.startsWith(`${prefix}/`),
        );
        if (route === undefined) return { status: 404, headers: {}, body: 'no route' };
        return answer(route, request, contextOf(twin, request, sessions));
      },
      onFault: (error) => console.error(error),
    },
  );
  return {
    origin: `http://127.0.0.1:${listener.local.port}`,
    port: listener.local.port,
    close: () => listener.close(),
  };
}

/** Where the twin serves content; the node's own is on another port. */
const contentPath = /^\/content\/([0-9a-f]+)\/(\d+)$/;

async function contentOf({ torrents }: TwinNode, id: string, index: number): Promise<WebResponse> {
  const { bytes } = (await torrents.files(id)).find((file) => file.index === index)!;
  return { status: 200, headers: {}, body: torrents.readContent(id, index, 0, bytes) };
}

async function answer(
  route: CompatRoute,
  request: RouteRequest,
  context: RouteContext,
): Promise<WebResponse | WebUpgrade> {
  try {
    return await route.handle(request, context);
  } catch (error) {
    if (!(error instanceof NodeError)) throw error;
    return { status: 500, headers: {}, body: `${error.code}: ${error.message}` };
  }
}

function routeRequest(web: WebRequest): RouteRequest {
  const url = new URL(web.target, 'http://localhost');
  return {
    method: web.method,
    path: decodeURIComponent(url.pathname),
    query: url.searchParams,
    headers: web.headers,
    clientAddress: '127.0.0.1',
    origin: `http://${web.headers['host']}`,
    signal: web.signal,
    readBody: (bytesMax) => web.readBody(bytesMax),
    readBodyParts: () => web.readBodyParts(),
  };
}

function contextOf(
  twin: TwinNode,
  { headers, origin }: RouteRequest,
  sessions: Map<string, Caller>,
): RouteContext {
  const { users } = twin.node.management!;
  const checkToken = async (token: string): Promise<Caller | null> => {
    const identity = await users.tryKey(token);
    return identity === null ? null : { ...identity, by: 'key' };
  };
  const checkPassword = async (name: string, password: string): Promise<Caller | null> => {
    const identity = await users.tryPassword(name, password);
    return identity === null ? checkToken(password) : { ...identity, by: 'password' };
  };
  return {
    node: { ...twin.node, management: twin.node.management! },
    log: silentLog,
    caller: async () => {
      const [scheme, value = ''] = (headers['authorization'] ?? '').split(' ');
      if (scheme === 'Bearer') return checkToken(value);
      if (scheme !== 'Basic') return null;
      const [name = '', ...password] = Buffer.from(value, 'base64').toString().split(':');
      return checkPassword(name, password.join(':'));
    },
    checkPassword,
    checkToken,
    openSession: (caller) => {
      const id = randomBytes(16).toString('hex');
      sessions.set(id, caller);
      return id;
    },
    findSession: (id) => sessions.get(id) ?? null,
    closeSession: (id) => void sessions.delete(id),
    contentUrl: (torrent, file) => `${origin}/content/${torrent}/${file}`,
  };
}

/** Names of calls: of qBittorrent's API in the path, of the others in the body. */
function told(request: RouteRequest, onCall: (name: string) => void): RouteRequest {
  if (request.path.startsWith('/api/v2/')) onCall(request.path.slice('/api/v2/'.length));
  const inBody = request.path.startsWith('/transmission') || request.path === '/jsonrpc';
  const readBody = async (bytesMax: number): Promise<Uint8Array> => {
    const body = await request.readBody(bytesMax);
    const text = inBody ? Buffer.from(body).toString() : '';
    for (const [, name] of text.matchAll(/"method(?:Name)?":\s*"([\w.-]+)"/g)) onCall(name!);
    return body;
  };
  return { ...request, readBody };
}
