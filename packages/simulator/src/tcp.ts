import type {
  Endpoint,
  IpAddress,
  StreamConnection,
  StreamHandler,
  StreamListener,
  StreamPort,
  Timer,
} from '@tequio/kernel';
import { isIpv6 } from '@tequio/kernel';
import { bindsTo, endpoint, type Host, type Network } from './network.ts';
import type { Flow } from './network-link.ts';
import { type Chunk, SendQueue } from './tcp-queue.ts';

/** Ceilings of the simulated TCP. */
export const simulatedTcpLimits = {
  /** Bytes on their way or not yet read: what the system's buffers hold. */
  windowBytes: 256 * 1024,
  /** After `end`, how long the other side may take to close as well. */
  lingerMs: 10_000,
} as const;

/** TCP of one host of the simulated network. */
export function createSimulatedTcp(network: Network, host: Host): StreamPort {
  return {
    async listen(at, accept) {
      const port = host.placeFor(
        at,
        (taken) => host.tcpListeners.has(taken) || host.httpListeners.has(taken),
      );
      host.tcpListeners.set(port, { address: at.address, accept });
      network.settled();
      return listenerOn(network, endpoint(at.address ?? ('::' as IpAddress), port), () => {
        host.tcpListeners.delete(port);
      });
    },
    dial(to, options, handler) {
      const connection = new SimulatedConnection(network, host, to);
      connection.dial(options, handler);
      return connection;
    },
  };
}

export function listenerOn(network: Network, local: Endpoint, stop: () => void): StreamListener {
  return {
    local,
    async close() {
      stop();
      network.settled();
    },
  };
}

const ignoredHandler: StreamHandler = { onBytes() {}, onClose() {} };

/**
 * One end of a connection:
 *
 *   dialling ── half a round trip there, half back ──> open ──> (our end sent, their end seen) ──> closed
 *       └── refused, timed out ──> closed                └── destroy, reset ──> closed
 *
 * What one end sends travels as chunks over both hosts' lines and arrives in order. A chunk counts against the
 * window until the news that it was read has come back, so a paused reader stops the writer.
 */
class SimulatedConnection implements StreamConnection, Flow {
  readonly remote: Endpoint;
  local: Endpoint;
  readonly #network: Network;
  readonly #host: Host;
  #peerHost: Host | null = null;
  #peer: SimulatedConnection | null = null;
  #handler: StreamHandler = ignoredHandler;
  #state: 'dialling' | 'open' | 'closed' = 'dialling';
  #timer: Timer | null = null;
  #forgetResetter: (() => void) | null = null;

  readonly #queue = new SendQueue();
  #writing = true;
  #endAsked = false;
  #endSent = false;
  #inFlightBytes = 0;
  /** Times and byte counts, in turn, of acknowledgements that are on their way. */
  #acks: number[] = [];
  #ackHead = 0;
  #ackTimer: Timer | null = null;

  #reading = true;
  #paused = false;
  #held: Chunk[] = [];
  #endSeen = false;
  #endHeld = false;

  constructor(network: Network, host: Host, remote: Endpoint) {
    this.#network = network;
    this.#host = host;
    this.remote = remote;
    this.local = endpoint(host.addressLike(remote.address), 0);
  }

  dial(
    options: { readonly timeoutMs: number; readonly from?: IpAddress | null },
    handler: StreamHandler,
  ): void {
    this.#handler = handler;
    const address = options.from ?? this.#host.addressLike(this.remote.address);
    this.local = endpoint(address, this.#host.takePort());
    const error = !this.#host.addresses.includes(address)
      ? 'this machine does not have that address'
      : isIpv6(address) !== isIpv6(this.remote.address)
        ? 'network unreachable'
        : null;
    this.#timer = this.#network.clock.setTimer(error === null ? options.timeoutMs : 0, () =>
      this.#close(error ?? 'timed out'),
    );
    const to = this.#network.hostAt(this.remote.address, this.#host);
    if (error !== null || to === null) return;
    this.#peerHost = to;
    this.#after(() => this.#knock(to));
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  write(parts: readonly Uint8Array[], sent?: () => void): void {
    if (!this.#writing) return;
    this.#queue.add(parts, sent);
    if (this.#queue.bytes > 0) this.#wake();
    else this.#network.clock.setTimer(0, () => this.#queue.callSent());
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#held.length > 0 || this.#endHeld) this.#network.clock.setTimer(0, () => this.#giveHeld());
  }

  end(): void {
    if (!this.#writing) return;
    this.#reading = false;
    this.#writing = false;
    this.#endAsked = true;
    this.#startLinger();
    this.resume();
    this.#wake();
  }

  destroy(): void {
    if (this.#state === 'closed') return;
    const unread = this.#held.length > 0;
    const wasOpen = this.#state === 'open';
    this.#release();
    this.#network.clock.setTimer(0, () => this.#tellClosed(null));
    const peer = this.#peer;
    if (wasOpen && peer !== null && !this.#endSent) {
      this.#after(() => (unread ? peer.#handleReset() : peer.#handleEnd()), true);
    }
  }

  // Flow: how the host's line sees what we send.

  get ready(): boolean {
    if (this.#state !== 'open' || this.#endSent) return false;
    if (this.#queue.bytes === 0) return this.#endAsked;
    this.#countAcks();
    return this.#inFlightBytes < simulatedTcpLimits.windowBytes;
  }

  get cut(): boolean {
    return this.#peerHost === null || !this.#network.canReach(this.#host, this.#peerHost);
  }

  depart(bytesMax: number, departMs: (bytes: number) => number): number {
    const [to, peer] = [this.#peerHost!, this.#peer!];
    const chunk = this.#queue.take(Math.min(bytesMax, simulatedTcpLimits.windowBytes - this.#inFlightBytes));
    const arriveMs = departMs(chunk.bytes) + this.#network.latencyMs(this.#host, to);
    if (chunk.bytes > 0) {
      this.#inFlightBytes += chunk.bytes;
      this.#host.sentBytes += chunk.bytes;
      this.#network.clock.setTimerAt(arriveMs, () =>
        this.#network.receive(to, chunk.bytes, () => peer.#handleChunk(chunk)),
      );
      this.#waitForAck();
    }
    if (this.#queue.bytes === 0 && this.#endAsked) {
      this.#endSent = true;
      this.#network.clock.setTimerAt(arriveMs, () => this.#network.receive(to, 0, () => peer.#handleEnd()));
      if (this.#endSeen) this.#close(null);
    }
    return chunk.bytes;
  }

  // The other side's doing, when it arrives here.

  /** A dial reaches its host. Runs in the dialling end. */
  #knock(to: Host): void {
    if (this.#state === 'closed') return;
    const listener = to.tcpListeners.get(this.remote.port);
    const hidden = to.nat && to !== this.#host;
    if (hidden) return;
    if (listener === undefined || !bindsTo(listener.address, this.remote.address)) {
      this.#after(() => this.#close('connection refused'));
      return;
    }
    const other = new SimulatedConnection(this.#network, to, this.local);
    other.local = this.remote;
    other.#peerHost = this.#host;
    other.#peer = this;
    this.#peer = other;
    this.#after(() => this.#handleOpen());
    other.#open();
    const handler = listener.accept(other);
    if (handler === null) other.destroy();
    else other.#handler = handler;
  }

  /** dialling -> open, in the dialling end. */
  #handleOpen(): void {
    if (this.#state === 'closed') {
      const peer = this.#peer;
      this.#after(() => {
        if (peer !== null) peer.#handleReset();
      });
      return;
    }
    if (!this.#endAsked) this.#stopTimer();
    this.#open();
    if (this.#reading) this.#handler.onOpen?.();
    this.#wake();
  }

  #open(): void {
    this.#state = 'open';
    this.#forgetResetter ??= this.#network.addResetter(() => this.#reset());
  }

  #handleChunk(chunk: Chunk): void {
    if (this.#state === 'closed') {
      const peer = this.#peer;
      if (peer !== null && peer.#state === 'open') this.#after(() => peer.#handleReset());
    } else if (this.#paused || this.#held.length > 0) this.#held.push(chunk);
    else if (!this.#give(chunk)) this.#held.push(chunk);
  }

  #handleEnd(): void {
    if (this.#state === 'closed' || this.#endSeen) return;
    if (this.#held.length > 0 || this.#paused) {
      this.#endHeld = true;
      return;
    }
    this.#endSeen = true;
    this.#writing = false;
    this.#endAsked = true;
    if (this.#endSent) this.#close(null);
    else {
      this.#startLinger();
      this.#wake();
    }
  }

  #handleReset(): void {
    this.#close('reset by the other side');
  }

  /** Somebody between the two cut the connection off: both see a reset. */
  #reset(): void {
    const peer = this.#peer;
    this.#handleReset();
    if (peer !== null) peer.#handleReset();
  }

  /** Gives the handler a chunk, or as much of it as it takes before it pauses; true when that was all. */
  #give(chunk: Chunk): boolean {
    while (!chunk.isRead && !this.#paused) {
      const part = chunk.readPart();
      if (this.#reading) this.#handler.onBytes(part);
    }
    const peer = this.#peer;
    if (chunk.isRead && peer !== null) peer.#handleRead(chunk);
    return chunk.isRead;
  }

  #giveHeld(): void {
    while (!this.#paused && this.#state === 'open') {
      const chunk = this.#held[0];
      if (chunk === undefined || !this.#give(chunk)) break;
      this.#held.shift();
    }
    if (this.#endHeld && !this.#paused && this.#held.length === 0) {
      this.#endHeld = false;
      this.#handleEnd();
    }
  }

  // The window.

  /** The other side has read a chunk; the news takes half a round trip to get here. */
  #handleRead(chunk: Chunk): void {
    if (this.#state !== 'open') return;
    const ackMs = this.#network.clock.nowMs() + this.#network.latencyMs(this.#host, this.#peerHost!);
    this.#acks.push(ackMs, chunk.bytes);
    this.#waitForAck();
    this.#queue.markRead(chunk);
  }

  /** Most acknowledgements are only counted when somebody asks; a full window is worth an event. */
  #waitForAck(): void {
    if (this.#ackTimer !== null || this.#queue.bytes === 0) return;
    if (this.#inFlightBytes < simulatedTcpLimits.windowBytes || this.#ackHead >= this.#acks.length) return;
    this.#ackTimer = this.#network.clock.setTimerAt(this.#acks[this.#ackHead]!, () => {
      this.#ackTimer = null;
      this.#wake();
      this.#waitForAck();
    });
  }

  #countAcks(): void {
    const nowMs = this.#network.clock.nowMs();
    while (this.#ackHead < this.#acks.length && this.#acks[this.#ackHead]! <= nowMs) {
      this.#inFlightBytes -= this.#acks[this.#ackHead + 1]!;
      this.#ackHead += 2;
    }
    if (this.#ackHead > 64) {
      this.#acks = this.#acks.slice(this.#ackHead);
      this.#ackHead = 0;
    }
  }

  // Ends.

  #close(error: string | null): void {
    if (this.#state === 'closed') return;
    this.#release();
    this.#tellClosed(error);
  }

  #release(): void {
    this.#state = 'closed';
    this.#reading = false;
    this.#writing = false;
    this.#stopTimer();
    this.#ackTimer?.cancel();
    this.#forgetResetter?.();
    this.#queue.clear();
    this.#held = [];
  }

  #tellClosed(error: string | null): void {
    const handler = this.#handler;
    this.#handler = ignoredHandler;
    handler.onClose(error);
  }

  #wake(): void {
    if (this.#state === 'open') this.#host.uplink.wake(this);
  }

  /**
   * Does something half a round trip later, if there is a way now. `inOrder`: behind the chunks that are waiting in
   * the other side's line.
   */
  #after(work: () => void, inOrder = false): void {
    const to = this.#peerHost;
    if (to === null || this.cut) return;
    const arrive = inOrder ? () => this.#network.receive(to, 0, work) : work;
    this.#network.clock.setTimer(this.#network.latencyMs(this.#host, to), arrive);
  }

  #startLinger(): void {
    this.#stopTimer();
    const { lingerMs } = simulatedTcpLimits;
    this.#timer = this.#network.clock.setTimer(lingerMs, () => this.#close('timed out'));
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
