/**
 * Questions to UDP trackers (BEP 15): connection ids, transactions, retransmission.
 *
 * A question is sent up to four times, after 3, 6, 12 and 24 seconds (45 in all). BEP 15 has 15 * 2^n seconds and nine
 * tries, over an hour: by then the announcer has long gone on to the next tracker, and comes back by its own rules.
 * An answer counts when it comes from the asked address and port with the transaction that was asked, and the
 * transaction is a secret number: nobody off the path can guess one.
 */
import {
  type Clock,
  type Endpoint,
  type Entropy,
  type Fault,
  failed,
  formatEndpoint,
  type IpAddress,
  isIpv6,
  ok,
  type Result,
  readUint32,
  type UdpPort,
  type UdpSocket,
} from '@tequio/kernel';
import type { AddressFamily } from '../wire/compact-peers.ts';
import { decodeUdpTrackerResponse, encodeUdpConnect, type UdpTrackerResponse } from '../wire/tracker-udp.ts';

export const udpClientLimits = {
  firstTryMs: 3_000,
  tryCountMax: 4,
  /** BEP 15: an id may be used for a minute after it came. */
  connectionIdMs: 60_000,
  /** Trackers whose ids are kept. */
  connectionCountMax: 1000,
} as const;

export type UdpTrackerDeps = {
  readonly udp: UdpPort;
  readonly clock: Clock;
  readonly entropy: Entropy;
};

/** What is asked: the bytes for a connection id and a transaction. */
export type UdpQuestion = (connectionId: Uint8Array, transaction: number) => Uint8Array;

type Waiting = { readonly from: string; readonly done: (response: UdpTrackerResponse | null) => void };
type Connection = { readonly id: Uint8Array; readonly untilMs: number };

export class UdpTrackers {
  readonly #deps: UdpTrackerDeps;
  readonly #bind: IpAddress | null;
  readonly #sockets = new Map<AddressFamily, Promise<UdpSocket>>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #connections = new Map<string, Connection>();
  readonly #connecting = new Map<string, Promise<Uint8Array | null>>();
  #closed = false;

  /** @param bind address to send from; null: any */
  constructor(deps: UdpTrackerDeps, bind: IpAddress | null) {
    this.#deps = deps;
    this.#bind = bind;
  }

  /** True when this host can send to such an address at all. */
  async canReach(family: AddressFamily): Promise<boolean> {
    return (await this.#trySocket(family)) !== null;
  }

  /** Asks until there is an answer, at most `timeoutMs`. The tracker's own error is an answer. */
  async ask(
    to: Endpoint,
    question: UdpQuestion,
    timeoutMs: number,
    signal: AbortSignal | null,
  ): Promise<Result<UdpTrackerResponse>> {
    const { clock } = this.#deps;
    const endMs = clock.nowMs() + timeoutMs;
    let forgivenCount = 0;
    for (let tries = 0; tries < udpClientLimits.tryCountMax; tries++) {
      const tryEndMs = Math.min(endMs, clock.nowMs() + udpClientLimits.firstTryMs * 2 ** tries);
      const isOld = this.#tryConnectionId(to) !== null;
      const id = this.#tryConnectionId(to) ?? (await this.#connect(to, tryEndMs, signal));
      if (isAborted(signal)) return failed(calledOff);
      if (id !== null) {
        const transaction = this.#newTransaction();
        const reply = await this.#roundTrip(to, question(id, transaction), transaction, tryEndMs, signal);
        if (isAborted(signal)) return failed(calledOff);
        // An error on an id from before may only mean that the tracker has started anew.
        const isForgiven = reply?.type === 'error' && isOld && forgivenCount++ === 0;
        if (isForgiven) this.#connections.delete(formatEndpoint(to));
        else if (reply !== null && reply.type !== 'connect') return ok(reply);
      }
      if (clock.nowMs() >= endMs || this.#closed) break;
    }
    return failed(silent(to));
  }

  /** Ends what is under way as if the trackers were silent; after this nothing is sent. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { done } of [...this.#waiting.values()]) done(null);
    const sockets = [...this.#sockets.values()];
    this.#sockets.clear();
    for (const socket of sockets)
      await socket.then(
        (open) => open.close(),
        () => {},
      );
  }

  #tryConnectionId(to: Endpoint): Uint8Array | null {
    const known = this.#connections.get(formatEndpoint(to));
    return known !== undefined && this.#deps.clock.nowMs() < known.untilMs ? known.id : null;
  }

  /** One connect at a time for each tracker, shared by all who wait for it. */
  #connect(to: Endpoint, endMs: number, signal: AbortSignal | null): Promise<Uint8Array | null> {
    const key = formatEndpoint(to);
    const running = this.#connecting.get(key);
    if (running !== undefined) return Promise.race([running, this.#timeoutAt(endMs, signal)]);
    const connecting = this.#connectOnce(to, key, endMs).finally(() => this.#connecting.delete(key));
    this.#connecting.set(key, connecting);
    return signal === null ? connecting : Promise.race([connecting, this.#timeoutAt(endMs, signal)]);
  }

  async #connectOnce(to: Endpoint, key: string, endMs: number): Promise<Uint8Array | null> {
    const transaction = this.#newTransaction();
    const reply = await this.#roundTrip(to, encodeUdpConnect(transaction), transaction, endMs, null);
    if (reply?.type !== 'connect') return null;
    if (this.#connections.size >= udpClientLimits.connectionCountMax) this.#connections.clear();
    const untilMs = this.#deps.clock.nowMs() + udpClientLimits.connectionIdMs;
    this.#connections.set(key, { id: reply.connectionId, untilMs });
    return reply.connectionId;
  }

  /** Sends once and waits; null: silence. */
  async #roundTrip(
    to: Endpoint,
    bytes: Uint8Array,
    transaction: number,
    endMs: number,
    signal: AbortSignal | null,
  ): Promise<UdpTrackerResponse | null> {
    const socket = await this.#trySocket(isIpv6(to.address) ? 6 : 4);
    if (socket === null || isAborted(signal)) return null;
    return new Promise((resolve) => {
      const done = (response: UdpTrackerResponse | null): void => {
        timer.cancel();
        signal?.removeEventListener('abort', silence);
        this.#waiting.delete(transaction);
        resolve(response);
      };
      const silence = (): void => done(null);
      const timer = this.#deps.clock.setTimer(Math.max(0, endMs - this.#deps.clock.nowMs()), silence);
      signal?.addEventListener('abort', silence);
      this.#waiting.set(transaction, { from: formatEndpoint(to), done });
      socket.send(bytes, to);
    });
  }

  #timeoutAt(endMs: number, signal: AbortSignal | null): Promise<null> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', done);
        resolve(null);
      };
      const timer = this.#deps.clock.setTimer(Math.max(0, endMs - this.#deps.clock.nowMs()), done);
      signal?.addEventListener('abort', done);
    });
  }

  #handleDatagram(bytes: Uint8Array, from: Endpoint, family: AddressFamily): void {
    if (bytes.length < 8) return;
    const waiting = this.#waiting.get(readUint32(bytes, 4));
    if (waiting === undefined || waiting.from !== formatEndpoint(from)) return;
    const response = decodeUdpTrackerResponse(bytes, family);
    if (response.ok) waiting.done(response.value);
  }

  /** Bound when first needed; a family that this host has not stays absent until asked again. */
  async #trySocket(family: AddressFamily): Promise<UdpSocket | null> {
    const { udp } = this.#deps;
    const bind = this.#bind;
    if (this.#closed || (bind !== null && isIpv6(bind) !== (family === 6))) return null;
    let socket = this.#sockets.get(family);
    if (socket === undefined) {
      socket = udp.bind({ address: bind, port: 0, ipv6: family === 6 }, (bytes, from) =>
        this.#handleDatagram(bytes, from, family),
      );
      this.#sockets.set(family, socket);
    }
    try {
      return await socket;
    } catch {
      this.#sockets.delete(family);
      return null;
    }
  }

  #newTransaction(): number {
    for (;;) {
      const transaction = readUint32(this.#deps.entropy.bytes(4), 0);
      if (!this.#waiting.has(transaction)) return transaction;
    }
  }
}

/** A call, so that the compiler does not take an earlier answer for the present one. */
function isAborted(signal: AbortSignal | null): boolean {
  return signal?.aborted === true;
}

const calledOff: Fault = {
  code: 'BITTORRENT_TRACKER_CALLED_OFF',
  message: 'The announce was called off.',
  blame: 'none',
  penalty: 0,
};

function silent(to: Endpoint): Fault {
  return {
    code: 'BITTORRENT_TRACKER_SILENT',
    message: `The tracker at ${formatEndpoint(to)} does not answer.`,
    blame: 'tracker',
    penalty: 0,
  };
}
