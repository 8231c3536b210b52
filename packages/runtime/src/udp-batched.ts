/**
 * UDP over the system's sockets, many datagrams a call: `recvmmsg` and `sendmmsg` through {@link Libc}, and libuv to
 * tell when there is something to receive.
 *
 *   readable -> one recvmmsg -> onDatagram for each -> one sendmmsg with what was sent meanwhile
 *   send elsewhere -> batch -> end of the turn of the event loop: sendmmsg
 *   the system takes no more -> the rest waits, writable -> sendmmsg
 *
 * Packets say "don't fragment". A datagram that is longer than the network card's packets leaves in fragments all the
 * same, unless it was to be whole.
 */
import { networkInterfaces } from 'node:os';
import type { Endpoint, IpAddress, UdpPort, UdpSocket } from '@tequio/kernel';
import { addressScope, isIpv6, tryParseAddress } from '@tequio/kernel';
import { ReceiveBatch, SendBatch } from './datagram-batch.ts';
import { errnoName, type Libc, libcNumbers as numbers, type Watch } from './libc.ts';
import { readSocketAddress, socketAddressBytes, writeSocketAddress } from './socket-address.ts';
import { listenError } from './tcp-errors.ts';
import { udpLimits } from './udp-limits.ts';

type Place = Parameters<UdpPort['bind']>[0];
type OnDatagram = (bytes: Uint8Array, from: Endpoint) => void;

/** For places without a group. */
export function createBatchedUdp(libc: Libc): UdpPort {
  const received = new ReceiveBatch(libc);
  return { bind: async (at, onDatagram) => bind(libc, received, at, onDatagram) };
}

function bind(libc: Libc, received: ReceiveBatch, at: Place, onDatagram: OnDatagram): UdpSocket {
  const ipv6 = at.address === null ? at.ipv6 === true : isIpv6(at.address);
  const fd = libc.socket(ipv6 ? numbers.familyIpv6 : numbers.familyIpv4, numbers.datagramSocket, 0);
  if (fd < 0) throw listenError('UDP', at, systemError(libc));
  try {
    const able = configure(libc, fd, ipv6);
    const scope = ipv6 ? scopeOf(at.address) : 0;
    const local = bindTo(libc, fd, at, ipv6, scope);
    return new BatchedUdpSocket({ libc, fd, received, local, scope, able, onDatagram });
  } catch (error) {
    libc.close(fd);
    throw listenError('UDP', at, error);
  }
}

/** What this system can do: join datagrams into messages and cut those up again; refuse to cut up datagrams. */
type Able = { readonly join: boolean; readonly dontFragment: boolean };

function configure(libc: Libc, fd: number, ipv6: boolean): Able {
  const set = optionSetter(libc, fd);
  set(numbers.socketLevel, numbers.receiveBuffer, udpLimits.socketBufferBytes);
  set(numbers.socketLevel, numbers.sendBuffer, udpLimits.socketBufferBytes);
  if (ipv6) {
    set(numbers.ipv6Level, numbers.ipv6Only, 1);
    set(numbers.ipv6Level, numbers.ipv6MtuDiscover, numbers.mtuProbe);
  }
  return {
    join: set(numbers.udpLevel, numbers.udpJoin, 1),
    dontFragment: setFragments(libc, fd, ipv6, false),
  };
}

function setFragments(libc: Libc, fd: number, ipv6: boolean, areAllowed: boolean): boolean {
  const set = optionSetter(libc, fd);
  if (ipv6) return set(numbers.ipv6Level, numbers.ipv6DontFragment, areAllowed ? 0 : 1);
  return set(numbers.ipLevel, numbers.ipMtuDiscover, areAllowed ? numbers.mtuAny : numbers.mtuProbe);
}

/** @returns sets an option; false: the system does not know it */
function optionSetter(libc: Libc, fd: number): (level: number, name: number, value: number) => boolean {
  const memory = new Int32Array(1);
  const address = libc.addressOf(new Uint8Array(memory.buffer));
  return (level, name, value) => {
    memory[0] = value;
    return libc.setsockopt(fd, level, name, address, 4) === 0;
  };
}

/** @throws an error with the system's code */
function bindTo(libc: Libc, fd: number, at: Place, ipv6: boolean, scope: number): Endpoint {
  const memory = new Uint8Array(64);
  const view = new DataView(memory.buffer);
  const address = libc.addressOf(memory);
  const any = (ipv6 ? '::' : '0.0.0.0') as IpAddress;
  const length = ipv6 ? socketAddressBytes.ipv6 : socketAddressBytes.ipv4;
  writeSocketAddress(view, 0, { address: at.address ?? any, port: at.port }, ipv6, scope);
  if (libc.bind(fd, address, length) !== 0) throw systemError(libc);
  view.setUint32(32, length, true);
  if (libc.getsockname(fd, address, address + 32) !== 0) throw systemError(libc);
  return readSocketAddress(new Uint32Array(memory.buffer), 0, ipv6);
}

function systemError(libc: Libc): Error {
  const code = errnoName(libc.errno());
  return Object.assign(new Error(code), { code });
}

/** The number of the interface that has this link-local address; 0: none. */
function scopeOf(ours: IpAddress | null): number {
  if (ours === null) return 0;
  for (const addresses of Object.values(networkInterfaces())) {
    const found = addresses?.find((own) => tryParseAddress(own.address) === ours);
    if (found?.family === 'IPv6') return found.scopeid ?? 0;
  }
  return 0;
}

type Parts = {
  readonly libc: Libc;
  readonly fd: number;
  readonly received: ReceiveBatch;
  readonly local: Endpoint;
  readonly scope: number;
  readonly able: Able;
  readonly onDatagram: OnDatagram;
};

class BatchedUdpSocket implements UdpSocket {
  readonly local: Endpoint;
  readonly dontFragment: boolean;
  readonly #libc: Libc;
  readonly #received: ReceiveBatch;
  readonly #onDatagram: OnDatagram;
  readonly #isIpv6: boolean;
  readonly #scope: number;
  readonly #batch: SendBatch;
  readonly #watch: Watch;
  /** -1: closed. The system may give the number to somebody else at once. */
  #fd: number;
  /** What has no room in the batch while the system takes nothing. */
  readonly #backlog: { readonly bytes: Uint8Array; readonly to: Endpoint; readonly whole: boolean }[] = [];
  #backlogBytes = 0;
  #isBlocked = false;
  #isFlushAsked = false;
  #isReceiving = false;

  constructor({ libc, fd, received, local, scope, able, onDatagram }: Parts) {
    this.#libc = libc;
    this.#fd = fd;
    this.#received = received;
    this.local = local;
    this.dontFragment = able.dontFragment;
    this.#scope = scope;
    this.#onDatagram = onDatagram;
    this.#isIpv6 = isIpv6(local.address);
    this.#batch = new SendBatch(libc, this.#isIpv6, able.join, (of, areAllowed) =>
      setFragments(libc, of, this.#isIpv6, areAllowed),
    );
    this.#watch = libc.watch(fd, this.#handleReady);
  }

  send(bytes: Uint8Array, to: Endpoint, whole = false): void {
    if (this.#fd < 0 || to.port < 1 || to.port > 65_535 || isIpv6(to.address) !== this.#isIpv6) return;
    if (bytes.length > udpLimits.payloadBytes) return;
    if (this.#isBlocked) this.#keep(bytes, to, whole);
    else if (!this.#tryAdd(bytes, to, whole)) {
      this.#flush();
      if (this.#isBlocked) this.#keep(bytes, to, whole);
      else this.#tryAdd(bytes, to, whole);
    }
    if (this.#isReceiving || this.#isFlushAsked) return;
    this.#isFlushAsked = true;
    setImmediate(this.#flushLater);
  }

  async close(): Promise<void> {
    if (this.#fd < 0) return;
    if (!this.#isBlocked) this.#flush();
    const fd = this.#fd;
    this.#fd = -1;
    this.#backlog.length = 0;
    this.#watch.close();
    this.#libc.close(fd);
  }

  #tryAdd(bytes: Uint8Array, to: Endpoint, whole: boolean): boolean {
    const scope = this.#scope !== 0 && addressScope(to.address) === 'link' ? this.#scope : 0;
    return this.#batch.tryAdd(bytes, to, scope, whole);
  }

  #keep(bytes: Uint8Array, to: Endpoint, whole: boolean): void {
    if (this.#backlogBytes + bytes.length > udpLimits.backlogBytes) return;
    if (this.#backlog.length >= udpLimits.backlogCount) return;
    this.#backlogBytes += bytes.length;
    this.#backlog.push({ bytes, to, whole });
  }

  readonly #flushLater = (): void => {
    this.#isFlushAsked = false;
    if (this.#fd >= 0 && !this.#isBlocked) this.#flush();
  };

  #flush(): void {
    let taken = 0;
    for (;;) {
      if (!this.#batch.flush(this.#fd)) {
        this.#setBlocked(true);
        break;
      }
      if (taken === this.#backlog.length) {
        this.#setBlocked(false);
        break;
      }
      for (; taken < this.#backlog.length; taken++) {
        const { bytes, to, whole } = this.#backlog[taken]!;
        if (!this.#tryAdd(bytes, to, whole)) break;
        this.#backlogBytes -= bytes.length;
      }
    }
    if (taken > 0) this.#backlog.splice(0, taken);
  }

  #setBlocked(isBlocked: boolean): void {
    if (this.#isBlocked === isBlocked) return;
    this.#isBlocked = isBlocked;
    this.#watch.start({ readable: true, writable: isBlocked }, this.#handleReady);
  }

  /** An exception here would end in the foreign function interface: it is thrown where others are. */
  readonly #handleReady = (status: number, events: { readable: boolean; writable: boolean }): void => {
    if (this.#fd < 0) return;
    try {
      if (status < 0) this.#watch.start({ readable: true, writable: this.#isBlocked }, this.#handleReady);
      if (events.writable && this.#isBlocked) this.#flush();
      // An error of the socket is told once, to whoever receives next.
      if (events.readable || status < 0) this.#receive();
      if (this.#fd >= 0 && !this.#isBlocked && !this.#batch.isEmpty) this.#flush();
    } catch (error) {
      setImmediate(() => {
        throw error;
      });
    }
  };

  #receive(): void {
    const received = this.#received;
    const count = received.receive(this.#fd);
    this.#isReceiving = true;
    try {
      for (let i = 0; i < count; i++) {
        const from = received.senderOf(i, this.#isIpv6);
        const start = received.startOf(i);
        const length = received.lengthOf(i);
        const segment = received.segmentOf(i);
        let done = 0;
        do {
          // Who is told may close this socket, and then hears no more.
          if (this.#fd < 0) return;
          const part = segment === 0 ? length : Math.min(segment, length - done);
          this.#onDatagram(received.bytes(start + done, part), from);
          done += part;
        } while (done < length);
      }
    } finally {
      this.#isReceiving = false;
    }
  }
}

/** True where the system has these calls at all and lets this process make them. */
export function canBatch(libc: Libc): boolean {
  const fd = libc.socket(numbers.familyIpv4, numbers.datagramSocket, 0);
  // Without IPv4 sockets nothing can be told, and node:dgram does as well.
  if (fd < 0) return false;
  const nothing = new Uint8Array(8);
  const isRead = libc.recvmmsg(fd, libc.addressOf(nothing), 0, 0, 0) === 0;
  const isSent = libc.sendmmsg(fd, libc.addressOf(nothing), 0, 0) === 0;
  libc.close(fd);
  return isRead && isSent;
}
