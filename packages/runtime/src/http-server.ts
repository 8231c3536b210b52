import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type {
  Endpoint,
  HttpServerPort,
  HttpServerRequest,
  HttpServerResponse,
  IpAddress,
  StreamListener,
} from '@tequio/kernel';
import { tryParseAddress } from '@tequio/kernel';
import { canServe, createEpollHttpServer } from './http-server-epoll.ts';
import { httpServerLimits } from './http-server-limits.ts';
import { tryLoadLibc } from './libc.ts';
import { http } from './node-http.ts';
import { listenError } from './tcp-errors.ts';

/**
 * A plain HTTP/1.1 server whose answers are made in one synchronous call. Request bodies are not read. Where the
 * system's sockets can be used without Node's (http-server-epoll.ts), they are: a request costs a tenth.
 */
export function createHttpServer(): HttpServerPort {
  let epoll: HttpServerPort | null | undefined;
  return {
    listen: (at, handle) => {
      if (epoll === undefined) {
        const libc = tryLoadLibc();
        epoll = libc !== null && canServe(libc) ? createEpollHttpServer(libc) : null;
      }
      return (epoll ?? nodeHttpServer).listen(at, handle);
    },
  };
}

/** The same by `node:http`, for every system. */
export const nodeHttpServer: HttpServerPort = { listen };

async function listen(
  at: { readonly address: IpAddress | null; readonly port: number },
  handle: (request: HttpServerRequest) => HttpServerResponse,
): Promise<StreamListener> {
  const server = http.createServer(
    {
      maxHeaderSize: httpServerLimits.headBytes,
      headersTimeout: httpServerLimits.headTimeoutMs,
      requestTimeout: httpServerLimits.requestTimeoutMs,
      keepAliveTimeout: httpServerLimits.idleMs,
      connectionsCheckingInterval: 2000,
      noDelay: true,
    },
    (request, response) => answer(request, response, handle),
  );
  server.maxConnections = httpServerLimits.connectionCount;
  // Also for who asks and does not read the answer.
  server.setTimeout(httpServerLimits.silenceMs);
  server.maxRequestsPerSocket = httpServerLimits.requestsPerConnection;
  // Not HTTP, too long, or too slow: nothing is owed to it.
  server.on('clientError', (_, socket) => socket.destroy());
  await startListening(server, at);
  server.on('error', () => {});
  return { local: localOf(server), close: () => closeServer(server) };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (request: HttpServerRequest) => HttpServerResponse,
): void {
  const remote = remoteOf(request);
  if (remote === null) return void response.destroy();
  // The other side may be gone before its answer is.
  response.on('error', () => {});
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length']) > 0;
  const { status, headers, body } = handle({
    method: request.method ?? '',
    target: request.url ?? '',
    headers: flattenHeaders(request.headers),
    remote,
  });
  response.writeHead(status, {
    ...headers,
    'content-length': body.length,
    // A body that nobody reads would stand in the way of the next request.
    ...(hasBody ? { connection: 'close' } : {}),
  });
  if (request.method === 'HEAD') response.end();
  else response.end(body);
}

/** One string a name; the few that Node keeps as lists are joined. */
export function flattenHeaders(headers: IncomingMessage['headers']): Readonly<Record<string, string>> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

/** @throws NodeError `NET_LISTEN` */
export function startListening(
  server: Server,
  at: { readonly address: IpAddress | null; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => reject(listenError('HTTP', at, error));
    server.once('error', refuse);
    const where = at.address === null ? { port: at.port } : { port: at.port, host: at.address };
    server.listen({ ...where, exclusive: true }, () => {
      server.off('error', refuse);
      resolve();
    });
  });
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

export function localOf(server: Server): Endpoint {
  const bound = server.address();
  const address = typeof bound === 'object' && bound !== null ? tryParseAddress(bound.address) : null;
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return { address: address ?? ('::' as IpAddress), port };
}

function remoteOf(request: IncomingMessage): Endpoint | null {
  const address = tryParseAddress(request.socket.remoteAddress ?? '');
  return address === null ? null : { address, port: request.socket.remotePort ?? 0 };
}
