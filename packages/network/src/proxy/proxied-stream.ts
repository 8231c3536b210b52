/**
 * A connection that a proxy makes for us:
 *
 *   finding the proxy -> dialling it -> asking it -> open -> closed
 *           |                |             |                  ^
 *           +----------------+-------------+-- a fault, the time limit
 *
 * From `open` on every byte is the other side's, handed on as it is.
 */
import {
  type Endpoint,
  type IpAddress,
  isIpv6,
  type StreamConnection,
  type StreamHandler,
  type Timer,
} from '@tequio/kernel';
import type { ProxyHandshake, ProxyTarget } from './proxy-handshake.ts';
import type { ProxyServer } from './proxy-server.ts';

export class ProxiedStream implements StreamConnection {
  readonly remote: Endpoint;
  readonly #server: ProxyServer;
  readonly #handler: StreamHandler;
  readonly #machine: ProxyHandshake;
  readonly #timer: Timer;
  readonly #endMs: number;
  readonly #from: IpAddress | null;
  #under: StreamConnection | null = null;
  #isOpen = false;
  #isPaused = false;
  #error: string | null = null;
  #isClosed = false;

  /** @param remote what the connection says it goes to */
  constructor(
    server: ProxyServer,
    remote: Endpoint,
    target: ProxyTarget,
    options: { readonly timeoutMs: number; readonly from?: IpAddress | null },
    handler: StreamHandler,
  ) {
    const { clock } = server.ports;
    this.remote = remote;
    this.#server = server;
    this.#handler = handler;
    this.#machine = server.createHandshake(target);
    this.#endMs = clock.nowMs() + options.timeoutMs;
    this.#from = options.from ?? null;
    this.#timer = clock.setTimer(options.timeoutMs, () => this.#fail('timed out'));
    const known = server.tryEndpoint();
    if (known !== null) this.#dial(known);
    else
      server.findEndpoint().then(
        (endpoint) => this.#dial(endpoint),
        () => this.#fail('the name of the proxy is not known'),
      );
  }

  get local(): Endpoint {
    const unspecified = (isIpv6(this.remote.address) ? '::' : '0.0.0.0') as IpAddress;
    return this.#under?.local ?? { address: unspecified, port: 0 };
  }

  get queuedBytes(): number {
    return this.#under?.queuedBytes ?? 0;
  }

  write(parts: readonly Uint8Array[], sent?: () => void): void {
    if (this.#isOpen) this.#under?.write(parts, sent);
  }

  pause(): void {
    this.#isPaused = true;
    if (this.#isOpen) this.#under?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#isOpen) this.#under?.resume();
  }

  end(): void {
    if (this.#isOpen) this.#under?.end();
    else this.destroy();
  }

  destroy(): void {
    if (this.#under !== null) this.#under.destroy();
    // Never from inside this call.
    else this.#server.ports.clock.setTimer(0, () => this.#handleClose(null));
  }

  /** finding -> dialling */
  #dial(endpoint: Endpoint): void {
    if (this.#isClosed || this.#error !== null) return;
    const timeoutMs = Math.max(1, this.#endMs - this.#server.ports.clock.nowMs());
    this.#under = this.#server.dial(
      endpoint,
      { timeoutMs, from: this.#from },
      {
        onOpen: () => this.#flush(),
        onBytes: (bytes) => {
          if (this.#isOpen) this.#handler.onBytes(bytes);
          else this.#ask(bytes);
        },
        onClose: (error) => {
          const early = this.#isOpen ? error : `the proxy: ${error ?? 'hung up'}`;
          this.#handleClose(this.#error ?? early);
        },
      },
    );
  }

  /** asking -> open */
  #ask(bytes: Uint8Array): void {
    if (this.#error !== null) return;
    const fault = this.#machine.handleBytes(bytes);
    if (fault !== null) {
      this.#fail(fault.message);
      return;
    }
    this.#flush();
    const { result } = this.#machine;
    if (result === null) return;
    this.#timer.cancel();
    this.#isOpen = true;
    if (this.#isPaused) this.#under!.pause();
    this.#handler.onOpen?.();
    if (result.rest.length > 0 && !this.#isClosed) this.#handler.onBytes(result.rest);
  }

  #flush(): void {
    const out: Uint8Array[] = [];
    this.#machine.drain(out);
    if (out.length > 0) this.#under!.write(out);
  }

  #fail(error: string): void {
    this.#error ??= error;
    if (this.#under === null) this.#handleClose(this.#error);
    else this.#under.destroy();
  }

  #handleClose(error: string | null): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer.cancel();
    this.#handler.onClose(error);
  }
}
