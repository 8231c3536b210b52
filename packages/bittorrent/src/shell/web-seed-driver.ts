/**
 * Carries one {@link WebSeed} over HTTP: opens what it asks for, feeds it heads and bytes as they come, arms one timer.
 * Bytes go through to the owner's sink in the same call and are never kept. `pause` and `resume` are the owner's
 * back-pressure (slow disk, rate limit): the server's bytes then wait in the socket.
 */
import type { Clock, HttpClient, HttpExchange, IpAddress, Timer } from '@tequio/kernel';
import type { FeedRun } from '../core/block-feeder.ts';
import { allowsAddress } from '../core/url-rules.ts';
import type { WebSeed, WebSeedEffect, WebSeedRequest, WebSeedSink } from '../core/web-seed.ts';

export type WebSeedDriverDeps = { readonly http: HttpClient; readonly clock: Clock };

export type WebSeedDriverOptions = {
  readonly seed: WebSeed;
  /** Takes the bytes, borrowed until it returns. */
  readonly sink: WebSeedSink;
  /** Told of `done`, `failed` and `lost`, and with null when back-off is over and the seed idle again. */
  readonly notify: (effect: Exclude<WebSeedEffect, { type: 'open' | 'abort' }> | null) => void;
  readonly bind?: IpAddress | null;
};

export class WebSeedDriver {
  readonly seed: WebSeed;
  readonly #options: WebSeedDriverOptions;
  readonly #deps: WebSeedDriverDeps;
  readonly #effects: WebSeedEffect[] = [];
  #exchange: { readonly id: number; readonly http: HttpExchange } | null = null;
  #timer: Timer | null = null;
  #paused = false;
  #draining = false;
  #closed = false;

  constructor(options: WebSeedDriverOptions, deps: WebSeedDriverDeps) {
    this.seed = options.seed;
    this.#options = options;
    this.#deps = deps;
  }

  /** Fetches a run; the seed must be idle. */
  start(run: FeedRun): void {
    this.seed.start(run, this.#options.sink, this.#deps.clock.nowMs());
    this.#settle();
  }

  /** Breaks off the run, if any. */
  stop(): void {
    this.seed.stop();
    this.#settle();
  }

  pause(): void {
    this.#paused = true;
    this.#exchange?.http.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#exchange?.http.resume();
  }

  /** After this nothing is called any more. */
  close(): void {
    this.#closed = true;
    this.seed.stop();
    this.#timer?.cancel();
    this.#exchange?.http.abort();
    this.#exchange = null;
  }

  /** Carries out what the seed wants, until it is still. `notify` may call back in. */
  #settle(): void {
    if (this.#draining || this.#closed) return;
    this.#draining = true;
    for (;;) {
      this.seed.drain(this.#effects);
      const effect = this.#effects.shift();
      if (effect === undefined || this.#closed) break;
      if (effect.type === 'open') this.#open(effect.request);
      else if (effect.type === 'abort') this.#abort(effect.id);
      else this.#options.notify(effect);
    }
    this.#draining = false;
    this.#arm();
  }

  #open(request: WebSeedRequest): void {
    const { clock, http } = this.#deps;
    const { id, url, localAllowed } = request;
    const exchange = http.open(
      {
        method: 'GET',
        url: url.href,
        headers: request.headers,
        timeoutMs: request.timeoutMs,
        bytesMax: request.bytesMax,
        allowAddress: (address) => allowsAddress(url, address, localAllowed),
        from: this.#options.bind ?? null,
      },
      {
        onHead: (head) => {
          this.seed.handleHead(id, head, clock.nowMs());
          this.#settle();
        },
        onBytes: (bytes) => {
          this.seed.handleBytes(id, bytes, this.#options.sink, clock.nowMs());
          this.#settle();
        },
        onEnd: (error) => {
          if (this.#exchange?.id === id) this.#exchange = null;
          this.seed.handleEnd(id, error, this.#options.sink, clock.nowMs());
          this.#settle();
        },
      },
    );
    this.#exchange = { id, http: exchange };
    if (this.#paused) exchange.pause();
  }

  #abort(id: number): void {
    if (this.#exchange?.id !== id) return;
    this.#exchange.http.abort();
    this.#exchange = null;
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const at = this.seed.nextTimeoutMs();
    if (at === null || this.#closed) return;
    this.#timer = this.#deps.clock.setTimer(Math.max(0, at - this.#deps.clock.nowMs()), () => {
      this.#timer = null;
      this.seed.handleTimeout(this.#deps.clock.nowMs());
      if (this.seed.state === 'idle') this.#options.notify(null);
      this.#settle();
    });
  }
}
