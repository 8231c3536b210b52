import type { IncomingMessage, ServerResponse } from 'node:http';
import { concatBytes, NodeError, tryParseAddress, type WebRequest } from '@tequio/kernel';
import { flattenHeaders } from './http-server.ts';

/** Two of these would let a proxy before us and ourselves read different ones. */
const singleHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'content-type',
  'cookie',
  'host',
  'origin',
  'range',
  'sec-fetch-site',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

export type Incoming =
  | { readonly request: WebRequest }
  | { readonly refusal: string; readonly sentence: string };

/**
 * A request as the port describes it; null: the client is gone already.
 * @param onSlow the rest of the body does not come; called at most once
 */
export function createIncoming(
  request: IncomingMessage,
  response: ServerResponse,
  onSlow: () => void,
): Incoming | null {
  const { socket, url: target = '', rawHeaders } = request;
  const remote = tryParseAddress(socket.remoteAddress ?? '');
  const local = tryParseAddress(socket.localAddress ?? '');
  if (remote === null || local === null) return null;
  const twice = repeatedHeader(rawHeaders);
  if (twice !== null)
    return { refusal: 'HTTP_HEADER_TWICE', sentence: `The header ${twice} may come once only.` };
  if (!target.startsWith('/'))
    return { refusal: 'HTTP_TARGET', sentence: 'A request line names a path that begins with /.' };
  let gone: AbortController | null = null;
  const wait = hasBody(request) ? new BodyWait(request, onSlow) : null;
  return {
    request: {
      method: request.method ?? '',
      target,
      headers: flattenHeaders(request.headers),
      remote: { address: remote, port: socket.remotePort ?? 0 },
      local: { address: local, port: socket.localPort ?? 0 },
      get signal() {
        if (gone === null) {
          const controller = new AbortController();
          gone = controller;
          response.once('close', () => {
            if (!response.writableFinished) controller.abort();
          });
          if (response.destroyed) controller.abort();
        }
        return gone.signal;
      },
      readBody: (bytesMax) => readBody(request, bytesMax),
      readBodyParts: () => readBodyParts(request, wait),
    },
  };
}

function repeatedHeader(rawHeaders: readonly string[]): string | null {
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    if (!singleHeaders.has(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return null;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** How long the whole body, or the next piece of one that is taken piece by piece, may let us wait. */
export const bodyTimeoutMs = 120_000;

class BodyWait {
  readonly #onSlow: () => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(request: IncomingMessage, onSlow: () => void) {
    this.#onSlow = onSlow;
    this.begin();
    request.once('end', () => this.end());
    request.once('close', () => this.end());
  }

  begin(): void {
    this.end();
    this.#timer = setTimeout(this.#onSlow, bodyTimeoutMs).unref();
  }

  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

async function* readBodyParts(request: IncomingMessage, wait: BodyWait | null): AsyncGenerator<Uint8Array> {
  // The connection must outlive a reader that has seen enough: it is still to be answered.
  const pieces = request.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      wait?.begin();
      const next = await pieces.next();
      wait?.end();
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    throw new NodeError('HTTP_CLIENT_GONE', 'The client went before its request was complete.', {
      cause: error,
    });
  } finally {
    wait?.end();
    await pieces.return?.();
  }
}

function readBody(request: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  const long = (): NodeError =>
    new NodeError('HTTP_BODY_LONG', `A request's body may have ${bytesMax} bytes here.`, { op: 'read' });
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return Promise.reject(long());
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    request.on('data', (part: Uint8Array) => {
      bytes += part.length;
      if (bytes <= bytesMax) return void parts.push(part);
      parts.length = 0;
      request.pause();
      reject(long());
    });
    request.on('end', () => resolve(concatBytes(parts)));
    const lost = (): void =>
      reject(new NodeError('HTTP_CLIENT_GONE', 'The client went before its request was complete.'));
    request.on('error', lost);
    request.on('close', lost);
  });
}
