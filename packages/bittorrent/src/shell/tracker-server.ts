/**
 * A tracker of our own: HTTP and UDP over one store. The ports are the only shell in it; what is answered is decided
 * in core/tracker-store.ts, core/tracker-server-udp.ts and tracker-server-http.ts.
 */
import {
  type Clock,
  type Entropy,
  type HttpServerPort,
  type IpAddress,
  isIpv6,
  type Log,
  NodeError,
  Prng,
  readUint32,
  type StreamListener,
  type Timer,
  type UdpPort,
  type UdpSocket,
} from '@tequio/kernel';
import { UdpTrackerServer } from '../core/tracker-server-udp.ts';
import { type TrackerAccess, TrackerStore, type trackerStoreLimits } from '../core/tracker-store.ts';
import { HttpTrackerServer } from './tracker-server-http.ts';

export type TrackerServerOptions = {
  /** 0: any free port; null: no HTTP. */
  readonly httpPort: number | null;
  /** 0: any free port; null: no UDP. */
  readonly udpPort: number | null;
  /** Address to listen on; null: all of them. */
  readonly bind?: IpAddress | null;
  /** Which torrents are served; all by default. */
  readonly access?: TrackerAccess;
  /** How often clients shall come back. Default 1800, at least 60. */
  readonly intervalS?: number;
  /** How soon they may come back for more peers. Default 30. */
  readonly minIntervalS?: number;
  /** See tracker-server-http.ts. Default true. */
  readonly believesLocalClaims?: boolean;
  readonly limits?: Partial<Record<keyof typeof trackerStoreLimits, number>>;
};

export type TrackerServerDeps = {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly udp: UdpPort;
  readonly httpServer: HttpServerPort;
  readonly log: Log;
};

/** What it holds now, and counts since the start. */
export type TrackerServerStats = {
  readonly torrentCount: number;
  readonly seedCount: number;
  readonly leechCount: number;
  readonly peer4Count: number;
  readonly peer6Count: number;
  readonly announceCount: number;
  readonly httpAnnounceCount: number;
  readonly udpAnnounceCount: number;
  readonly udpConnectCount: number;
  readonly scrapeCount: number;
  /** Answered with an error: malformed, not served, full, old connection id. */
  readonly refusedCount: number;
  /** Datagrams that were not answered. */
  readonly droppedCount: number;
  readonly memoryBytes: number;
  readonly uptimeS: number;
};

export interface TrackerServer {
  /** @throws NodeError `NET_LISTEN` when a port is taken or not allowed; nothing listens then */
  start(): Promise<void>;
  close(): Promise<void>;
  stats(): TrackerServerStats;
  /** The ports in use; null before `start` and where there is none. */
  readonly httpPort: number | null;
  readonly udpPort: number | null;
}

const sweepMs = 1000;
const intervalSMin = 60;

/** Does nothing outside itself until `start`. */
export function createTracker(options: TrackerServerOptions, deps: TrackerServerDeps): TrackerServer {
  return new OwnTracker(options, deps);
}

class OwnTracker implements TrackerServer {
  readonly #options: TrackerServerOptions;
  readonly #deps: TrackerServerDeps;
  readonly #store: TrackerStore;
  readonly #udp: UdpTrackerServer;
  readonly #http: HttpTrackerServer;
  readonly #sockets: UdpSocket[] = [];
  #listener: StreamListener | null = null;
  #sweepTimer: Timer | null = null;
  #startedMs = 0;

  constructor(options: TrackerServerOptions, deps: TrackerServerDeps) {
    this.#options = options;
    this.#deps = deps;
    const prng = new Prng(readUint32(deps.entropy.bytes(4), 0));
    const intervalS = Math.max(intervalSMin, options.intervalS ?? 1800);
    this.#store = new TrackerStore({
      prng: prng.fork(),
      access: options.access ?? { mode: 'all' },
      // A peer that misses one announce is still there.
      limits: { peerTtlS: 2 * intervalS + 300, emptyTtlS: 2 * intervalS + 300, ...options.limits },
    });
    const secret = deps.entropy.bytes(16);
    this.#udp = new UdpTrackerServer({ store: this.#store, secret, intervalS, prng: prng.fork() });
    this.#http = new HttpTrackerServer({
      store: this.#store,
      intervalS,
      minIntervalS: Math.min(intervalS, options.minIntervalS ?? 30),
      believesLocalClaims: options.believesLocalClaims ?? true,
      prng: prng.fork(),
      stats: () => this.stats(),
    });
  }

  get httpPort(): number | null {
    return this.#listener?.local.port ?? null;
  }

  get udpPort(): number | null {
    return this.#sockets[0]?.local.port ?? null;
  }

  async start(): Promise<void> {
    const { httpPort, udpPort, bind = null } = this.#options;
    const { clock, httpServer, log } = this.#deps;
    this.#startedMs = clock.nowMs();
    try {
      if (httpPort !== null)
        this.#listener = await httpServer.listen({ address: bind, port: httpPort }, (request) =>
          this.#http.handle(request, clock.nowMs()),
        );
      if (udpPort !== null) await this.#startUdp(bind, udpPort);
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#sweep();
    log.info('tracker.started', { httpPort: this.httpPort, udpPort: this.udpPort });
  }

  async close(): Promise<void> {
    this.#sweepTimer?.cancel();
    this.#sweepTimer = null;
    await Promise.all(this.#sockets.splice(0).map((socket) => socket.close()));
    const listener = this.#listener;
    this.#listener = null;
    await listener?.close();
  }

  stats(): TrackerServerStats {
    const held = this.#store.stats();
    const [udp, http] = [this.#udp.stats, this.#http.stats];
    return {
      torrentCount: held.swarmCount,
      seedCount: held.seedCount,
      leechCount: held.leechCount,
      peer4Count: held.peer4Count,
      peer6Count: held.peer6Count,
      announceCount: udp.announceCount + http.announceCount,
      httpAnnounceCount: http.announceCount,
      udpAnnounceCount: udp.announceCount,
      udpConnectCount: udp.connectCount,
      scrapeCount: udp.scrapeCount + http.scrapeCount,
      refusedCount: udp.refusedCount + http.refusedCount,
      droppedCount: udp.droppedCount,
      memoryBytes: held.memoryBytes,
      uptimeS: Math.floor((this.#deps.clock.nowMs() - this.#startedMs) / 1000),
    };
  }

  /** Both families on the same port, unless one address is given; a host without IPv6 has IPv4 alone. */
  async #startUdp(bind: IpAddress | null, port: number): Promise<void> {
    const first = await this.#bind(bind, port, bind !== null && isIpv6(bind));
    if (bind !== null) return;
    try {
      await this.#bind(null, first.local.port, true);
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      this.#deps.log.warn('tracker.no-ipv6', { port: first.local.port, code: error.code });
    }
  }

  async #bind(address: IpAddress | null, port: number, ipv6: boolean): Promise<UdpSocket> {
    let socket: UdpSocket | null = null;
    const bound = await this.#deps.udp.bind({ address, port, ipv6 }, (bytes, from) => {
      const reply = this.#udp.handle(bytes, from, this.#deps.clock.nowMs());
      if (reply !== null) socket?.send(reply, from);
    });
    socket = bound;
    this.#sockets.push(bound);
    return bound;
  }

  #sweep(): void {
    this.#store.sweep(Math.floor(this.#deps.clock.nowMs() / 1000));
    this.#sweepTimer = this.#deps.clock.setTimer(sweepMs, () => this.#sweep());
  }
}
