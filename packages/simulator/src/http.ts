import type {
  HttpClient,
  HttpExchange,
  HttpHandler,
  HttpRequest,
  HttpServerPort,
  HttpServerResponse,
  IpAddress,
  Timer,
} from '@tequio/kernel';
import { isIpv6, tryParseAddress } from '@tequio/kernel';
import { bindsTo, endpoint, type Host, type HttpListening, type Network } from './network.ts';
import { listenerOn } from './tcp.ts';

/** Bytes of a body that arrive in one event. */
const chunkBytes = 16 * 1024;

/** HTTP of one host, by direct calls with the network's delays; no bytes of HTTP are made, and lines are not shared. */
export function createSimulatedHttp(
  network: Network,
  host: Host,
): { readonly http: HttpClient; readonly httpServer: HttpServerPort } {
  return {
    http: { open: (request, handler) => new SimulatedExchange(network, host, request, handler) },
    httpServer: {
      async listen(at, handle) {
        const port = host.placeFor(
          at,
          (taken) => host.tcpListeners.has(taken) || host.httpListeners.has(taken),
        );
        host.httpListeners.set(port, { address: at.address, handle });
        network.settled();
        return listenerOn(network, endpoint(at.address ?? ('::' as IpAddress), port), () => {
          host.httpListeners.delete(port);
        });
      },
    },
  };
}

class SimulatedExchange implements HttpExchange {
  readonly #network: Network;
  readonly #host: Host;
  readonly #request: HttpRequest;
  readonly #handler: HttpHandler;
  #timeout: Timer;
  #ended = false;
  #paused = false;
  #stopped = false;
  #body: Uint8Array = new Uint8Array(0);
  #at = 0;
  #chunkMs = 0;

  constructor(network: Network, host: Host, request: HttpRequest, handler: HttpHandler) {
    this.#network = network;
    this.#host = host;
    this.#request = request;
    this.#handler = handler;
    this.#timeout = network.clock.setTimer(request.timeoutMs, () =>
      this.#finish('HTTP_TIMEOUT', 'no answer in time'),
    );
    network.clock.setTimer(0, () => this.#start());
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#stopped) this.#after(0, () => this.#giveChunk());
    this.#stopped = false;
  }

  abort(): void {
    this.#ended = true;
    this.#timeout.cancel();
  }

  #start(): void {
    if (this.#ended) return;
    const url = URL.canParse(this.#request.url) ? new URL(this.#request.url) : null;
    if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') {
      this.#finish('HTTP_BAD_URL', 'not an http or https address');
      return;
    }
    if (this.#request.dialler !== undefined) {
      this.#finish('HTTP_CONNECT', 'simulated requests go to simulated servers, not over streams');
      return;
    }
    const address = this.#chooseAddress(url.hostname.replace(/^\[(.*)\]$/, '$1'));
    if (address === null) return;
    const server = this.#network.hostAt(address, this.#host);
    if (server === null || (server.nat && server !== this.#host)) return;
    const port = Number(url.port) || (url.protocol === 'http:' ? 80 : 443);
    const latencyMs = this.#network.latencyMs(this.#host, server);
    // The connection takes a round trip, the request half of one.
    this.#travel(server, 2 * latencyMs, () => {
      const listening = server.httpListeners.get(port);
      if (listening === undefined || !bindsTo(listening.address, address)) {
        this.#finish('HTTP_CONNECT', 'connection refused');
        return;
      }
      this.#travel(server, latencyMs, () => this.#ask(server, latencyMs, listening, url, address));
    });
  }

  #chooseAddress(name: string): IpAddress | null {
    const { allowAddress, family, from } = this.#request;
    const literal = tryParseAddress(name);
    const found = literal === null ? this.#network.addressesOf(name) : [literal];
    const allowed = found.filter((address) => allowAddress?.(address) ?? true);
    if (found.length > 0 && allowed.length === 0) {
      this.#finish('HTTP_ADDRESS_REFUSED', `not allowed to connect to ${found[0]}`);
      return null;
    }
    const reachable = from == null ? allowed : allowed.filter((address) => isIpv6(address) === isIpv6(from));
    const wanted = reachable.filter((address) => isIpv6(address) === (family === 6));
    const chosen = (family === undefined ? undefined : wanted[0]) ?? reachable[0] ?? null;
    if (chosen === null) this.#finish('HTTP_RESOLVE', `Cannot find the address of ${name}: no such host.`);
    return chosen;
  }

  #ask(server: Host, latencyMs: number, listening: HttpListening, url: URL, address: IpAddress): void {
    const headers: Record<string, string> = { host: url.host };
    for (const [name, value] of Object.entries(this.#request.headers ?? {}))
      headers[name.toLowerCase()] = value;
    const response = listening.handle({
      method: this.#request.method,
      target: url.pathname + url.search,
      headers,
      remote: endpoint(this.#request.from ?? this.#host.addressLike(address), this.#host.takePort()),
    });
    this.#travel(server, latencyMs, () => this.#handleAnswer(server, response, address));
  }

  #handleAnswer(server: Host, response: HttpServerResponse, remote: IpAddress): void {
    const headers: Record<string, string> = { 'content-length': String(response.body.length) };
    for (const [name, value] of Object.entries(response.headers)) headers[name.toLowerCase()] = value;
    this.#timeout.cancel();
    this.#handler.onHead({ status: response.status, headers, remote });
    if (this.#request.method !== 'HEAD') this.#body = response.body;
    this.#chunkMs = (chunkBytes * 1000) / Math.min(server.uplink.rate, this.#host.downRate);
    this.#giveChunk();
  }

  #giveChunk(): void {
    if (this.#ended) return;
    if (this.#paused) {
      this.#stopped = true;
      return;
    }
    const chunk = this.#body.subarray(this.#at, this.#at + chunkBytes);
    this.#at += chunk.length;
    if (this.#at > this.#request.bytesMax) {
      this.#finish('HTTP_TOO_LONG', `the answer is longer than ${this.#request.bytesMax} bytes`);
      return;
    }
    if (chunk.length > 0) this.#handler.onBytes(chunk);
    if (this.#at < this.#body.length) this.#after(this.#chunkMs, () => this.#giveChunk());
    else if (this.#paused) this.#stopped = true;
    else this.#finish(null);
  }

  /** Half a round trip to or from the server, when there is a way; else only the time limit ends it. */
  #travel(server: Host, delayMs: number, work: () => void): void {
    if (this.#network.canReach(this.#host, server)) this.#after(delayMs, work);
  }

  #after(delayMs: number, work: () => void): void {
    this.#network.clock.setTimer(delayMs, () => {
      if (!this.#ended) work();
    });
  }

  #finish(code: string | null, message = ''): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timeout.cancel();
    this.#handler.onEnd(code === null ? null : { code, message });
  }
}
