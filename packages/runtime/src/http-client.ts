import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Agent as TlsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import { urlToHttpOptions } from 'node:url';
import type {
  HttpClient,
  HttpDialler,
  HttpExchange,
  HttpHandler,
  HttpRequest,
  IpAddress,
  Resolver,
} from '@tequio/kernel';
import { isIpv6, tryParseAddress } from '@tequio/kernel';
import { DialledSocket } from './dialled-socket.ts';
import { type BodyReader, createBodyReader } from './http-client-body.ts';
import { flattenHeaders } from './http-server.ts';
import { http } from './node-http.ts';
import { describeSocketError, errorCodeOf } from './tcp-errors.ts';

/** Ceilings of this port. */
export const httpClientLimits = {
  /** To one host at once; more wait. */
  connectionsPerHost: 8,
  connectionCount: 256,
  /** Kept open, unused, for the next request. */
  idleConnectionCount: 32,
  idleMs: 20_000,
  headBytes: 16 * 1024,
  urlCharacters: 8192,
} as const;

/**
 * HTTP/1.1 over Node's client. Certificates are verified. A name is resolved once for a request; only addresses that
 * `allowAddress` passed are dialled, and kept connections are shared only between requests with the same addresses,
 * so a name that changes its address between the check and the dial (DNS rebinding) gains nothing.
 * With `family`, only addresses of that family are dialled if the name has any.
 */
export function createHttpClient(resolver: Resolver): HttpClient & { close(): void } {
  const agents = new Agents();
  return {
    open: (request, handler) => new Exchange(request, handler, resolver, agents),
    endIdle: () => agents.endIdle(),
    close: () => agents.close(),
  };
}

/** `http:` and `https:` pools. TLS is loaded by the first request that needs it: it is slow to load. */
class Agents {
  #http: Agent | null = null;
  #https: TlsAgent | null = null;

  of(protocol: string): Agent | TlsAgent {
    const options = {
      keepAlive: true,
      maxSockets: httpClientLimits.connectionsPerHost,
      maxTotalSockets: httpClientLimits.connectionCount,
      maxFreeSockets: httpClientLimits.idleConnectionCount,
      timeout: httpClientLimits.idleMs,
    };
    if (protocol === 'http:') {
      this.#http ??= pinByWay(new http.Agent(options));
      return this.#http;
    }
    this.#https ??= pinByWay(new (loadHttps().Agent)(options));
    return this.#https;
  }

  endIdle(): void {
    for (const pool of [this.#http, this.#https]) {
      for (const kept of Object.values(pool?.freeSockets ?? {}))
        for (const socket of kept ?? []) socket.destroy();
    }
  }

  close(): void {
    this.#http?.destroy();
    this.#https?.destroy();
  }
}

function loadHttps(): typeof import('node:https') {
  return process.getBuiltinModule('node:https');
}

/** How the connection of a request is made; `pinned` is part of the name of a kept one. */
type Way = RequestOptions & {
  readonly autoSelectFamily?: boolean;
  readonly pinned: string;
  /** Made elsewhere, in place of the pool's own. */
  readonly connectElsewhere?: () => Duplex;
};

/** Makes the way part of the name under which the pool keeps a connection, and lets others make connections. */
function pinByWay<Pool extends Agent>(pool: Pool): Pool {
  const nameOf = pool.getName.bind(pool);
  pool.getName = (options) => `${nameOf(options)}|${(options as Partial<Way> | undefined)?.pinned ?? ''}`;
  const connect = pool.createConnection.bind(pool);
  pool.createConnection = (options, done) =>
    (options as Partial<Way>).connectElsewhere?.() ?? connect(options, done);
  return pool;
}

/** Whom a connection that was made elsewhere goes to. */
const remotes = new WeakMap<Duplex, IpAddress>();

type HttpError = { readonly code: string; readonly message: string };

/**
 * One request:
 *
 *   resolving ──> sending ── head ──> receiving ──> ended
 *       └─────────────┴── an error, the time limit ──^        abort() leads there in silence
 */
class Exchange implements HttpExchange {
  readonly #request: HttpRequest;
  readonly #handler: HttpHandler;
  readonly #agents: Agents;
  #message: ClientRequest | null = null;
  #body: BodyReader | null = null;
  #timer: NodeJS.Timeout;
  #ended = false;
  #paused = false;
  #retried = false;

  constructor(request: HttpRequest, handler: HttpHandler, resolver: Resolver, agents: Agents) {
    this.#request = request;
    this.#handler = handler;
    this.#agents = agents;
    this.#timer = setTimeout(() => this.#finish(timedOut), request.timeoutMs);
    void this.#start(resolver);
  }

  pause(): void {
    this.#paused = true;
    this.#body?.pause();
    // From the head on, silence is measured; while paused it is ours.
    if (this.#body !== null) clearTimeout(this.#timer);
  }

  resume(): void {
    if (!this.#paused || this.#ended) return;
    this.#paused = false;
    this.#body?.resume();
    if (this.#body !== null) this.#restartTimer();
  }

  abort(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#body?.destroy();
    this.#message?.destroy();
  }

  async #start(resolver: Resolver): Promise<void> {
    // Never calls the handler from inside `open`.
    await null;
    if (this.#ended) return;
    const url = tryParseUrl(this.#request.url);
    if (url === null) return this.#finish({ code: 'HTTP_BAD_URL', message: 'not an http or https address' });
    const { dialler } = this.#request;
    if (dialler !== undefined) return this.#sendThrough(url, dialler);
    const addresses = await this.#findAddresses(url, resolver);
    if (addresses !== null && !this.#ended) this.#send(url, addresses);
  }

  async #findAddresses(url: URL, resolver: Resolver): Promise<readonly IpAddress[] | null> {
    const { allowAddress, family, from } = this.#request;
    let found: readonly IpAddress[];
    try {
      found = await resolver.resolve(url.hostname.replace(/^\[(.*)\]$/, '$1'));
    } catch (error) {
      const message = error instanceof Error ? error.message : 'the name could not be resolved';
      this.#finish({ code: 'HTTP_RESOLVE', message });
      return null;
    }
    const allowed = found.filter((address) => allowAddress?.(address) ?? true);
    if (found.length > 0 && allowed.length === 0) {
      this.#finish({ code: 'HTTP_ADDRESS_REFUSED', message: `not allowed to connect to ${found[0]}` });
      return null;
    }
    const reachable = from == null ? allowed : allowed.filter((address) => isIpv6(address) === isIpv6(from));
    const wanted = reachable.filter((address) => isIpv6(address) === (family === 6));
    const chosen = family === undefined || wanted.length === 0 ? reachable : wanted;
    if (chosen.length > 0) return chosen;
    this.#finish({ code: 'HTTP_RESOLVE', message: 'the name has no address that can be reached from here' });
    return null;
  }

  /** Over a connection that is made elsewhere, or was for an earlier request. */
  #sendThrough(url: URL, dialler: HttpDialler): void {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const literal = tryParseAddress(host);
    if (literal !== null && this.#request.allowAddress?.(literal) === false) {
      this.#finish({ code: 'HTTP_ADDRESS_REFUSED', message: `not allowed to connect to ${literal}` });
      return;
    }
    const isTls = url.protocol === 'https:';
    const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
    const { timeoutMs } = this.#request;
    this.#begin(url, () => this.#sendThrough(url, dialler), {
      agent: this.#agents.of(url.protocol),
      pinned: dialler.name,
      connectElsewhere: () => {
        const socket = new DialledSocket((handler) => dialler.dial(host, port, timeoutMs, handler));
        const { remote } = socket;
        const made = isTls ? startTls(socket, host, literal !== null) : socket;
        remotes.set(made, remote);
        return made;
      },
    });
  }

  #send(url: URL, addresses: readonly IpAddress[]): void {
    const { from } = this.#request;
    this.#begin(url, () => this.#send(url, addresses), {
      agent: this.#agents.of(url.protocol),
      lookup: lookupAmong(addresses),
      autoSelectFamily: addresses.length > 1,
      pinned: `${addresses.join()} ${from ?? ''}`,
      ...(from == null ? {} : { localAddress: from }),
    });
  }

  /** @param again tries a second time, over a new connection */
  #begin(url: URL, again: () => void, way: Way): void {
    const { method, headers = {} } = this.#request;
    const names = Object.keys(headers).map((name) => name.toLowerCase());
    // A range counts bytes of what is sent, so what is sent must be the file itself.
    const encoding = names.includes('range') ? 'identity' : 'gzip, deflate';
    const options = {
      ...urlToHttpOptions(url),
      method,
      headers: names.includes('accept-encoding') ? headers : { ...headers, 'accept-encoding': encoding },
      maxHeaderSize: httpClientLimits.headBytes,
      ...way,
    };
    try {
      const message = url.protocol === 'http:' ? http.request(options) : loadHttps().request(options);
      this.#message = message;
      message.on('response', (response) => this.#handleHead(response));
      message.on('error', (error) => this.#handleError(message, again, error));
      message.end();
    } catch (error) {
      // A header that may not be sent.
      this.#finish({
        code: 'HTTP_BAD_REQUEST',
        message: `the request cannot be sent (${errorCodeOf(error)})`,
      });
    }
  }

  #handleError(message: ClientRequest, again: () => void, error: unknown): void {
    if (this.#ended || this.#message !== message) return;
    // A kept connection that the server closed while this request was on its way: nothing has been answered.
    const unlucky = message.reusedSocket && this.#body === null && errorCodeOf(error) === 'ECONNRESET';
    if (unlucky && !this.#retried) {
      this.#retried = true;
      again();
    } else this.#finish(describeError(error));
  }

  #handleHead(response: IncomingMessage): void {
    if (this.#ended) return void response.destroy();
    const headers = flattenHeaders(response.headers);
    const bodiless =
      this.#request.method === 'HEAD' || response.statusCode === 204 || response.statusCode === 304;
    this.#restartTimer();
    this.#body = createBodyReader(response, bodiless ? '' : (headers['content-encoding'] ?? ''), {
      bytesMax: this.#request.bytesMax,
      onBytes: (bytes) => {
        if (this.#ended) return;
        if (!this.#paused) this.#timer.refresh();
        this.#handler.onBytes(bytes);
      },
      onEnd: (error) => this.#finish(error),
    });
    const address = response.socket.remoteAddress ?? '';
    const remote = remotes.get(response.socket) ?? tryParseAddress(address) ?? ('0.0.0.0' as IpAddress);
    this.#handler.onHead({ status: response.statusCode ?? 0, headers, remote });
    if (this.#ended) return;
    if (this.#paused) clearTimeout(this.#timer);
    else this.#body.resume();
  }

  #restartTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#finish(timedOut), this.#request.timeoutMs);
  }

  #finish(error: HttpError | null): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    if (error !== null) {
      this.#body?.destroy();
      this.#message?.destroy();
    }
    this.#handler.onEnd(error);
  }
}

const timedOut: HttpError = { code: 'HTTP_TIMEOUT', message: 'no answer in time' };

function startTls(socket: Duplex, host: string, isLiteral: boolean): Duplex {
  const { connect } = process.getBuiltinModule('node:tls');
  return connect({ socket, ...(isLiteral ? { host } : { servername: host }) });
}

function tryParseUrl(text: string): URL | null {
  if (text.length > httpClientLimits.urlCharacters || !URL.canParse(text)) return null;
  const url = new URL(text);
  return (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '' ? url : null;
}

/** Answers with addresses that have been checked already, whatever the name. */
function lookupAmong(addresses: readonly IpAddress[]): LookupFunction {
  return (_name, options, callback) => {
    const answers = addresses.map((address) => ({ address, family: isIpv6(address) ? 6 : 4 }));
    if (options.all) callback(null, answers);
    else callback(null, answers[0]!.address, answers[0]!.family);
  };
}

function describeError(error: unknown): HttpError {
  const code = errorCodeOf(error);
  if (code.startsWith('HPE_')) return { code: 'HTTP_BAD_RESPONSE', message: 'the answer is not HTTP' };
  if (/CERT|^ERR_TLS|^ERR_SSL|^EPROTO|SELF_SIGNED|UNABLE_TO|ISSUER/.test(code)) {
    return { code: 'HTTP_TLS', message: `the server could not prove who it is, or speaks no TLS (${code})` };
  }
  if (code === 'AggregateError' || code === 'ERR_SOCKET_CONNECTION_TIMEOUT') {
    return { code: 'HTTP_CONNECT', message: 'none of its addresses answers' };
  }
  return { code: 'HTTP_CONNECT', message: describeSocketError(error) };
}
