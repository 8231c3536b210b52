import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One origin of two servers: a foreign page's files from one, its API from the other. */
export class PageProxy {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param apiPath what begins so goes to `api`, all else to `page`; both are origins */
  static async listen(page: string, api: string, apiPath: string): Promise<PageProxy> {
    const server = createServer((incoming, outgoing) => {
      const isApi = incoming.url!.startsWith(apiPath);
      forward(incoming, outgoing, new URL(isApi ? api : page), isApi);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new PageProxy(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, to: URL, isApi: boolean): void {
  const there = request(
    {
      host: to.hostname,
      port: to.port,
      path: incoming.url,
      method: incoming.method,
      headers: incoming.headers,
    },
    (reply) => {
      const headers = { ...reply.headers };
      // The page's own server must not say who is logged in.
      if (!isApi) delete headers['set-cookie'];
      outgoing.writeHead(reply.statusCode!, headers);
      reply.pipe(outgoing);
    },
  );
  there.on('error', () => outgoing.destroy());
  incoming.pipe(there);
}
