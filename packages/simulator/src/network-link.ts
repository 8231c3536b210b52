import type { VirtualClock } from './clock.ts';

/** One direction of a connection, as the line sees it. */
export interface Flow {
  /** Bytes (or the end mark) that may be sent now. */
  readonly ready: boolean;
  /** There is no way to the other side at present. */
  readonly cut: boolean;
  /**
   * Takes up to `bytesMax` bytes off the queue and sends them on their way; the last of them leaves at
   * `departMs(count)`. Returns how many.
   */
  depart(bytesMax: number, departMs: (bytes: number) => number): number;
}

/** Each chunk also costs so much (headers). */
const chunkOverheadBytes = 40;

/**
 * The line from a host to the network. Flows take turns, a quantum at a time, so that all of them get the same share;
 * datagrams go before them but take their time from the same line. Never sends from inside `wake`, so that what is
 * written in one go travels together.
 */
export class Uplink {
  readonly #clock: VirtualClock;
  /** Bytes a second. */
  readonly rate: number;
  readonly #quantumBytes: number;
  /** A ring would do; a list with a moving head is simpler and as fast. */
  #turns: Flow[] = [];
  #head = 0;
  readonly #waiting = new Set<Flow>();
  /** Flows that have something to send and no way to send it. */
  readonly #stalled = new Set<Flow>();
  #busyUntilMs = 0;
  #serving = false;

  constructor(clock: VirtualClock, rate: number) {
    this.#clock = clock;
    this.rate = rate;
    // Two milliseconds of a fast line: fewer events than one for each 16 KiB, and still fair.
    this.#quantumBytes = Math.min(256 * 1024, Math.max(16 * 1024, Math.floor(rate / 500)));
  }

  /** This flow has something to send, or may send again. */
  wake(flow: Flow): void {
    if (this.#waiting.has(flow) || !flow.ready) return;
    if (flow.cut) this.#stalled.add(flow);
    else {
      this.#waiting.add(flow);
      this.#turns.push(flow);
      this.#serve();
    }
  }

  /** Ways may be open again: flows that could not send are looked at anew. */
  restart(): void {
    const stalled = [...this.#stalled];
    this.#stalled.clear();
    for (const flow of stalled) this.wake(flow);
  }

  /** When a datagram that is sent now has left, or null when the line is so far behind that it is dropped. */
  tryDepartDatagram(bytes: number): number | null {
    const nowMs = this.#clock.nowMs();
    if (this.#busyUntilMs - nowMs > 500) return null;
    this.#busyUntilMs = Math.max(nowMs, this.#busyUntilMs) + (bytes * 1000) / this.rate;
    return this.#busyUntilMs;
  }

  #serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    this.#clock.setTimerAt(this.#busyUntilMs, () => this.#handleTurn());
  }

  #handleTurn(): void {
    this.#serving = false;
    const nowMs = this.#clock.nowMs();
    while (this.#head < this.#turns.length && this.#busyUntilMs <= nowMs) this.#serveOne(nowMs);
    if (this.#head < this.#turns.length) this.#serve();
    else {
      this.#turns = [];
      this.#head = 0;
    }
  }

  #serveOne(nowMs: number): void {
    const flow = this.#turns[this.#head++]!;
    if (this.#head > 1024) {
      this.#turns = this.#turns.slice(this.#head);
      this.#head = 0;
    }
    this.#waiting.delete(flow);
    const startMs = Math.max(nowMs, this.#busyUntilMs);
    if (flow.ready && !flow.cut) {
      const departMs = (bytes: number): number => startMs + ((bytes + chunkOverheadBytes) * 1000) / this.rate;
      this.#busyUntilMs = departMs(flow.depart(this.#quantumBytes, departMs));
    }
    this.wake(flow);
  }
}
