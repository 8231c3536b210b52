import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { IpAddress, StreamListener, WebResponse, WebServerPort, WebUpgrade } from '@tequio/kernel';
import { closeServer, localOf, startListening } from './http-server.ts';
import { http } from './node-http.ts';
import { createIncoming } from './web-request.ts';
import { sendResponse } from './web-response.ts';
import { WebSockets } from './web-sockets.ts';

/** Ceilings of this port. */
export const webServerLimits = {
  /** Request line and headers together, and how many headers. */
  headBytes: 16 * 1024,
  headerCount: 100,
  headTimeoutMs: 10_000,
  /** How long an idle connection may wait for its next request. */
  idleMs: 30_000,
  connectionCount: 4096,
  /** Of one address: a page with its event stream needs two or three, a proxy brings everybody's. */
  connectionsPerAddress: 1536,
} as const;

type Handlers = Parameters<WebServerPort['listen']>[1];

/** HTTP/1.1 over Node's server, with a time limit wherever the other side could let us wait. */
export function createWebServer(): WebServerPort {
  return {
    listen: async (at, handlers) => {
      const server = new WebServer(handlers);
      await server.start(at);
      return server;
    },
  };
}

class WebServer implements StreamListener {
  readonly #handlers: Handlers;
  readonly #server: Server;
  readonly #sockets = new WebSockets();
  readonly #connections = new Map<string, number>();

  constructor(handlers: Handlers) {
    this.#handlers = handlers;
    const server = http.createServer(
      {
        maxHeaderSize: webServerLimits.headBytes,
        headersTimeout: webServerLimits.headTimeoutMs,
        // Bodies have a time limit of their own, which knows those that are taken piece by piece.
        requestTimeout: 0,
        keepAliveTimeout: webServerLimits.idleMs,
        connectionsCheckingInterval: 2000,
        noDelay: true,
        // Any other wish to change the protocol (h2c) may be passed over, and is.
        shouldUpgradeCallback: isForWebSocket,
      } as Parameters<typeof http.createServer>[0],
      (request, response) => void this.#answer(request, response),
    );
    server.maxConnections = webServerLimits.connectionCount;
    server.maxHeadersCount = webServerLimits.headerCount;
    server.on('connection', (socket) => this.#handleConnection(socket));
    server.on('drop', (drop) => handlers.onRefused?.('HTTP_CONNECTIONS', drop?.remoteAddress ?? ''));
    server.on('clientError', (error, socket) => this.#refuseBroken(error, socket));
    server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
    this.#server = server;
  }

  async start(at: { readonly address: IpAddress | null; readonly port: number }): Promise<void> {
    await startListening(this.#server, at);
    this.#server.on('error', (error) => this.#handlers.onFault?.(error));
  }

  get local(): StreamListener['local'] {
    return localOf(this.#server);
  }

  close(): Promise<void> {
    this.#sockets.close();
    return closeServer(this.#server);
  }

  #handleConnection(socket: Duplex & { readonly remoteAddress?: string | undefined }): void {
    const remote = socket.remoteAddress ?? '';
    const count = (this.#connections.get(remote) ?? 0) + 1;
    this.#connections.set(remote, count);
    socket.once('close', () => {
      const left = (this.#connections.get(remote) ?? 1) - 1;
      if (left > 0) this.#connections.set(remote, left);
      else this.#connections.delete(remote);
    });
    if (count <= webServerLimits.connectionsPerAddress) return;
    this.#handlers.onRefused?.('HTTP_CONNECTIONS', remote);
    socket.destroy();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The other side may be gone before its answer is.
    response.on('error', () => {});
    const answer = await this.#decide(request, response);
    if (answer === null) return;
    if ('webSocket' in answer) await sendResponse(request, response, upgradeMissing);
    else await sendResponse(request, response, answer, this.#handlers.onFault);
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    const response = new http.ServerResponse(request);
    response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0]);
    response.on('error', () => {});
    response.on('finish', () => socket.end());
    response.shouldKeepAlive = false;
    const answer = await this.#decide(request, response);
    if (answer === null) return;
    if (!('webSocket' in answer)) return sendResponse(request, response, answer, this.#handlers.onFault);
    response.detachSocket(socket as Parameters<ServerResponse['detachSocket']>[0]);
    await this.#sockets.accept(request, socket, head, answer);
  }

  /** Null: nobody is there to be answered. */
  async #decide(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<WebResponse | WebUpgrade | null> {
    const incoming = createIncoming(request, response, () => {
      this.#handlers.onRefused?.('HTTP_SLOW', request.socket.remoteAddress ?? '');
      response.destroy();
      request.destroy();
    });
    if (incoming === null) {
      response.destroy();
      return null;
    }
    if ('refusal' in incoming) {
      this.#handlers.onRefused?.(incoming.refusal, request.socket.remoteAddress ?? '');
      return plainAnswer(400, incoming.sentence);
    }
    // From here on the client waits for us, not we for it.
    request.socket.setTimeout(0);
    try {
      return await this.#handlers.handle(incoming.request);
    } catch (error) {
      if (response.destroyed) return null;
      this.#handlers.onFault?.(error);
      return plainAnswer(500, 'The node made a mistake; its log says more.');
    }
  }

  /** What Node could not read as a request, or did not get in time. */
  #refuseBroken(
    error: Error & { code?: string },
    socket: Duplex & { readonly remoteAddress?: string; readonly bytesRead?: number },
  ): void {
    // Browsers connect ahead of need: one that has said nothing has done nothing wrong.
    if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesRead === 0)
      return void socket.destroy();
    const [status, code] = brokenRequests[error.code ?? ''] ?? ['400 Bad Request', 'HTTP_MALFORMED'];
    this.#handlers.onRefused?.(code, socket.remoteAddress ?? '');
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () =>
      socket.destroy(),
    );
  }
}

const brokenRequests: Readonly<Record<string, readonly [string, string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'HTTP_HEAD_LONG'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'HTTP_SLOW'],
};

const upgradeMissing = plainAnswer(426, 'Only a WebSocket is offered here.', { upgrade: 'websocket' });

function plainAnswer(status: number, text: string, more: Readonly<Record<string, string>> = {}): WebResponse {
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', connection: 'close', ...more },
    body: `${text}\n`,
  };
}

function isForWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}
