/**
 * uTP as a StreamPort, over a shared UDP port: the driver of `UtpSocket` (takes input, drains effects, arms one timer).
 *
 *   datagram -> socket -> effects -> datagrams out, handlers called
 *
 * As with TCP, handlers are called from datagrams and timers, never from inside a call to a connection: what such a
 * call brings about (memory that is free again, a close) is told a moment later.
 */
import {
  assert,
  type Clock,
  type Endpoint,
  type Entropy,
  type IpAddress,
  isIpv6,
  NodeError,
  type StreamConnection,
  type StreamHandler,
  type StreamListener,
  type StreamPort,
  type Timer,
  type UdpSocket,
} from '@tequio/kernel';
import type { SharedUdp } from '../shared-udp.ts';
import type { UtpConnection } from './utp-connection.ts';
import type { UtpEffect } from './utp-shared.ts';
import { type UtpCounts, UtpSocket } from './utp-socket.ts';

type Accept = (connection: StreamConnection) => StreamHandler | null;

const ignoredHandler: StreamHandler = { onBytes() {}, onClose() {} };

/** One port's uTP. Dials and listens on the number of the shared port, which must have been started. */
export class UtpStreams implements StreamPort {
  readonly #shared: SharedUdp;
  readonly #clock: Clock;
  readonly #machine: UtpSocket;
  readonly #udp: UdpSocket;
  /** Drained, not applied yet. */
  #effects: UtpEffect<UtpConnection>[] = [];
  #spare: UtpEffect<UtpConnection>[] = [];
  #accept: Accept | null = null;
  #timer: Timer | null = null;
  #timerAtMs = 0;
  #later: (() => void)[] = [];
  #isDriving = false;
  #isClosed = false;

  constructor(deps: { readonly shared: SharedUdp; readonly clock: Clock; readonly entropy: Entropy }) {
    this.#shared = deps.shared;
    this.#clock = deps.clock;
    this.#machine = new UtpSocket({
      entropy: deps.entropy,
      dontFragment: (to) => deps.shared.dontFragment(to),
    });
    this.#udp = deps.shared.claim('utp', (bytes, from) => {
      this.#machine.handleDatagram(bytes, from, this.#clock.nowMs());
      this.drive();
      this.#machine.release();
    });
  }

  get counts(): UtpCounts {
    return this.#machine.counts;
  }

  /** The port must be the shared one's, or 0. One listener at a time. */
  async listen(
    at: { readonly address: IpAddress | null; readonly port: number },
    accept: Accept,
  ): Promise<StreamListener> {
    const port = this.#shared.localPort;
    if (this.#accept !== null || this.#isClosed || (at.port !== 0 && at.port !== port)) {
      const reason = at.port === port ? 'another program uses it' : 'it is not the port of this node';
      throw new NodeError('NET_LISTEN', `Cannot listen on uTP port ${at.port}: ${reason}.`, {
        op: 'listen',
        retry: at.port === port,
      });
    }
    this.#accept = accept;
    this.#machine.isListening = true;
    const local = at.address === null ? this.#udp.local : { address: at.address, port };
    return {
      local,
      close: async () => {
        if (this.#accept !== accept) return;
        this.#accept = null;
        this.#machine.isListening = false;
      },
    };
  }

  dial(
    to: Endpoint,
    options: { readonly timeoutMs: number; readonly from?: IpAddress | null },
    handler: StreamHandler,
  ): StreamConnection {
    const local = this.#shared.localFor(to.address);
    const stream = new UtpStream(this, to, local, handler);
    const machine = this.#tryDial(to, options);
    if (typeof machine === 'string') this.runLater(() => stream.handleClose(machine));
    else stream.attach(machine);
    this.flush();
    return stream;
  }

  /** Ends every connection at once, and receives nothing more. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#accept = null;
    this.#machine.isListening = false;
    this.#machine.close(this.#clock.nowMs());
    this.flush();
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#udp.close();
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  /** Calls `work` from a timer, in order with others. */
  runLater(work: () => void): void {
    this.#later.push(work);
    if (this.#later.length > 1) return;
    this.#clock.setTimer(0, () => {
      const list = this.#later;
      this.#later = [];
      for (const one of list) one();
      this.drive();
    });
  }

  /** Sends what is to be sent and tells handlers what has happened, until all is still. */
  drive(): void {
    this.#isDriving = true;
    try {
      for (;;) {
        const effects = this.#effects;
        this.#machine.drain(effects);
        if (effects.length === 0) break;
        this.#effects = this.#spare;
        for (const effect of effects) this.#apply(effect);
        effects.length = 0;
        this.#spare = effects;
      }
    } finally {
      this.#isDriving = false;
    }
    this.#arm();
  }

  /** After a call from outside: only sends; what there is to tell is told a moment later. */
  flush(): void {
    if (this.#isDriving) return;
    const effects = this.#effects;
    const waitingCount = effects.length;
    this.#machine.drain(effects);
    let keptCount = waitingCount;
    for (let i = waitingCount; i < effects.length; i++) {
      const effect = effects[i]!;
      if (effect.kind === 'send') this.#udp.send(effect.bytes, effect.to, true);
      else effects[keptCount++] = effect;
    }
    effects.length = keptCount;
    if (keptCount > waitingCount) this.runLater(() => {});
    this.#arm();
  }

  #tryDial(
    to: Endpoint,
    options: { readonly timeoutMs: number; readonly from?: IpAddress | null },
  ): UtpConnection | string {
    if (this.#isClosed || !this.#shared.hasFamily(isIpv6(to.address) ? 6 : 4)) return 'network unreachable';
    const from = options.from ?? null;
    if (from !== null && isIpv6(from) !== isIpv6(to.address)) return 'network unreachable';
    if (to.port < 1 || to.port > 65_535) return 'not a valid address';
    return this.#machine.dial(to, options.timeoutMs, this.nowMs()) ?? 'too many connections';
  }

  #apply(effect: UtpEffect<UtpConnection>): void {
    switch (effect.kind) {
      case 'send':
        this.#udp.send(effect.bytes, effect.to, true);
        return;
      case 'accept':
        this.#handleAccept(effect.connection);
        return;
      case 'open':
        streamOf(effect.connection)?.handleOpen();
        return;
      case 'ready':
        streamOf(effect.connection)?.handleReady();
        return;
      case 'close':
        streamOf(effect.connection)?.handleClose(effect.error);
    }
  }

  #handleAccept(machine: UtpConnection): void {
    const { remote } = machine;
    const stream = new UtpStream(this, remote, this.#shared.localFor(remote.address), ignoredHandler);
    stream.attach(machine);
    const handler = this.#accept === null ? null : this.#accept(stream);
    if (handler === null) stream.destroy();
    else stream.accept(handler);
  }

  #arm(): void {
    const next = this.#machine.nextTimeoutMs();
    if (next === null || this.#isClosed) return;
    // A timer that comes too early only looks again; arming one for every packet would cost more.
    if (this.#timer !== null && this.#timerAtMs <= next) return;
    this.#timer?.cancel();
    this.#timerAtMs = next;
    this.#timer = this.#clock.setTimer(Math.max(0, next - this.nowMs()), () => {
      this.#timer = null;
      this.#machine.handleTimeout(this.nowMs());
      this.drive();
    });
  }
}

function streamOf(connection: UtpConnection): UtpStream | null {
  return connection.user instanceof UtpStream ? connection.user : null;
}

/** One connection as the rest of the program sees it. */
class UtpStream implements StreamConnection {
  readonly transport = 'utp';
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly #port: UtpStreams;
  #machine: UtpConnection | null = null;
  #handler: StreamHandler;
  /** What waits for its bytes to be taken: how many must have been, since the beginning, and whom to tell. */
  #sent: { readonly afterBytes: number; readonly call: () => void }[] = [];
  #sentAt = 0;
  #writtenBytes = 0;
  #isPaused = false;
  #isReading = true;
  #isWriting = true;
  #isLookAsked = false;

  constructor(port: UtpStreams, remote: Endpoint, local: Endpoint, handler: StreamHandler) {
    this.#port = port;
    this.remote = remote;
    this.local = local;
    this.#handler = handler;
  }

  attach(machine: UtpConnection): void {
    assert(this.#machine === null, 'a stream has one connection');
    this.#machine = machine;
    machine.user = this;
  }

  accept(handler: StreamHandler): void {
    this.#handler = handler;
  }

  get queuedBytes(): number {
    return this.#machine?.queuedBytes ?? 0;
  }

  write(parts: readonly Uint8Array[], sent?: () => void): void {
    const machine = this.#machine;
    if (!this.#isWriting || machine === null || !machine.write(parts, this.#port.nowMs())) return;
    for (const part of parts) this.#writtenBytes += part.length;
    if (sent !== undefined) {
      this.#sent.push({ afterBytes: this.#writtenBytes, call: sent });
      if (machine.takenBytes >= this.#writtenBytes) this.#lookLater();
    }
    this.#port.flush();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#lookLater();
  }

  end(): void {
    if (!this.#isWriting) return;
    this.#isWriting = false;
    this.#isReading = false;
    this.#machine?.end(this.#port.nowMs());
    this.#port.flush();
  }

  destroy(): void {
    this.#isWriting = false;
    this.#isReading = false;
    this.#sent = [];
    this.#machine?.destroy(this.#port.nowMs());
    this.#port.flush();
  }

  // From the driver.

  handleOpen(): void {
    if (this.#isReading) this.#handler.onOpen?.();
  }

  /** Bytes were taken, or there are some to read. */
  handleReady(): void {
    this.#callSent();
    const machine = this.#machine;
    if (machine === null) return;
    const nowMs = this.#port.nowMs();
    while (this.#isReading && !this.#isPaused) {
      const bytes = machine.read(nowMs);
      if (bytes === null) break;
      this.#handler.onBytes(bytes);
    }
    machine.markRead(this.#port.nowMs());
  }

  handleClose(error: string | null): void {
    const handler = this.#handler;
    this.#callSent();
    this.#handler = ignoredHandler;
    this.#machine = null;
    this.#isWriting = false;
    this.#isReading = false;
    this.#sent = [];
    handler.onClose(error);
  }

  #callSent(): void {
    const takenBytes = this.#machine?.takenBytes ?? 0;
    while (this.#sentAt < this.#sent.length && this.#sent[this.#sentAt]!.afterBytes <= takenBytes) {
      this.#sent[this.#sentAt++]!.call();
    }
    if (this.#sentAt === this.#sent.length) {
      this.#sent = [];
      this.#sentAt = 0;
    }
  }

  /** Looks what there is to tell, once, soon. */
  #lookLater(): void {
    if (this.#isLookAsked) return;
    this.#isLookAsked = true;
    this.#port.runLater(() => {
      this.#isLookAsked = false;
      this.handleReady();
    });
  }
}
