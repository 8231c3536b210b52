/**
 * The plain HTTP server on the system's own sockets, through {@link Libc}: for clients that connect, ask once and
 * leave, as those of a tracker do. Node's sockets cost more than all the rest there.
 *
 *   libuv: the epoll has something ─> epoll_wait, many at once ─> accept4 ─> recv at once: mostly all is there
 *                                                              └> recv of who was slower
 *   head complete ─> handle ─> send ─> closed, or kept for the next request
 *
 * Attackers send half a head and wait, ask and do not read, connect and say nothing: each connection has one deadline,
 * which bytes alone do not move, and there are never more than `connectionCount`.
 */
import type { HttpServerPort, HttpServerRequest, HttpServerResponse, StreamListener } from '@tequio/kernel';
import { isIpv6 } from '@tequio/kernel';
import { EpollHttpConnection, type EpollHttpDeps } from './http-connection-epoll.ts';
import { type HttpServerLimits, httpServerLimits } from './http-server-limits.ts';
import type { Libc, Watch } from './libc.ts';
import {
  acceptedPlace,
  openListener,
  type StreamCalls,
  streamCallsOf,
  streamNumbers,
} from './libc-streams.ts';
import { listenError } from './tcp-errors.ts';

type Place = Parameters<HttpServerPort['listen']>[0];
type Handle = (request: HttpServerRequest) => HttpServerResponse;

/** Events that one call tells of, and calls of one turn: after that others have their turn. */
const eventCount = 256;
const callsPerTurn = 4;
/** Connections taken by one event. */
const acceptCount = 64;

export function createEpollHttpServer(
  libc: Libc,
  limits: HttpServerLimits = httpServerLimits,
): HttpServerPort {
  const calls = streamCallsOf(libc);
  return {
    listen: async (at, handle) => {
      try {
        return new EpollHttpServer(libc, calls, limits, at, handle);
      } catch (error) {
        throw listenError('HTTP', at, error);
      }
    },
  };
}

/** True where the system lets this process make these calls. */
export function canServe(libc: Libc): boolean {
  const epoll = streamCallsOf(libc).epollCreate(streamNumbers.closeOnExec);
  return epoll >= 0 && libc.close(epoll) === 0;
}

class EpollHttpServer implements StreamListener {
  readonly local: StreamListener['local'];
  readonly #libc: Libc;
  readonly #calls: StreamCalls;
  readonly #limits: HttpServerLimits;
  readonly #deps: EpollHttpDeps;
  readonly #listener: number;
  readonly #isIpv6: boolean;
  readonly #epoll: number;
  readonly #watch: Watch;
  readonly #timer: NodeJS.Timeout;
  readonly #connections = new Map<number, EpollHttpConnection>();
  readonly #events = new DataView(new ArrayBuffer(eventCount * streamNumbers.eventBytes));
  readonly #eventsAt: number;
  /** The listener is not among what is waited for: the system had no room for another connection. */
  #isFull = false;
  #isClosed = false;

  constructor(libc: Libc, calls: StreamCalls, limits: HttpServerLimits, at: Place, handle: Handle) {
    this.#libc = libc;
    this.#calls = calls;
    this.#limits = limits;
    const { fd, local } = openListener(libc, calls, at);
    this.#listener = fd;
    this.local = local;
    this.#isIpv6 = isIpv6(local.address);
    this.#epoll = calls.epollCreate(streamNumbers.closeOnExec);
    this.#deps = { libc, calls, epoll: this.#epoll, limits, handle };
    this.#eventsAt = libc.addressOf(new Uint8Array(this.#events.buffer));
    calls.epollSet('add', this.#epoll, fd, streamNumbers.readable);
    this.#watch = libc.watch(this.#epoll, this.#handleReady);
    this.#timer = setInterval(() => this.#check(), limits.checkEveryMs);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#watch.close();
    for (const connection of this.#connections.values()) connection.close();
    this.#libc.close(this.#listener);
    this.#libc.close(this.#epoll);
  }

  /** An exception here would end in the foreign function interface: it is thrown where others are. */
  readonly #handleReady = (status: number): void => {
    if (this.#isClosed) return;
    try {
      if (status < 0) this.#watch.start({ readable: true }, this.#handleReady);
      this.#takeEvents();
    } catch (error) {
      setImmediate(() => {
        throw error;
      });
    }
  };

  #takeEvents(): void {
    for (let call = 0; call < callsPerTurn && !this.#isClosed; call++) {
      const count = this.#calls.epollWait(this.#epoll, this.#eventsAt, eventCount, 0);
      for (let i = 0; i < count && !this.#isClosed; i++) {
        const at = i * streamNumbers.eventBytes;
        const fd = this.#events.getUint32(at + streamNumbers.eventDataAt, true);
        // A number may have gone to a new connection meanwhile: that one only looks, and finds nothing.
        if (fd === this.#listener) this.#accept();
        else this.#connections.get(fd)?.handleReady();
      }
      if (count < eventCount) return;
    }
  }

  #accept(): void {
    const nowMs = performance.now();
    for (let i = 0; i < acceptCount && !this.#isClosed; i++) {
      const fd = this.#calls.accept(this.#listener);
      if (fd < 0) {
        if (!streamNumbers.fullErrors.has(this.#libc.errno())) return;
        // It stays readable: without this the loop would never rest again.
        this.#isFull = true;
        this.#calls.epollSet('remove', this.#epoll, this.#listener, 0);
        return;
      }
      if (this.#connections.size >= this.#limits.connectionCount) {
        this.#libc.close(fd);
        continue;
      }
      const connection = new EpollHttpConnection(
        this.#deps,
        { fd, remote: acceptedPlace(this.#calls, this.#isIpv6) },
        () => this.#connections.delete(fd),
        nowMs,
      );
      this.#connections.set(fd, connection);
      connection.receive();
    }
  }

  #check(): void {
    const nowMs = performance.now();
    for (const connection of this.#connections.values()) connection.expire(nowMs);
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#calls.epollSet('add', this.#epoll, this.#listener, streamNumbers.readable);
  }
}
