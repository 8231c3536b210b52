/** TCP sockets and epoll of the system's C library, as http-server-epoll.ts needs them. Linux, x64 and arm64. */
import type { Endpoint, IpAddress } from '@tequio/kernel';
import { isIpv6 } from '@tequio/kernel';
import { errnoName, type Libc, libcNumbers } from './libc.ts';
import { readSocketAddress, socketAddressBytes, writeSocketAddress } from './socket-address.ts';

const isX64 = process.arch === 'x64';

export const streamNumbers = {
  closeOnExec: 0o2000000,
  /** SOCK_STREAM, SOCK_NONBLOCK, SOCK_CLOEXEC */
  streamSocket: 1 | 0o4000 | 0o2000000,
  reuseAddress: 2,
  backlog: 511,
  readable: 1,
  writable: 4,
  /** `struct epoll_event`: without a gap on x64 alone. */
  eventBytes: isX64 ? 12 : 16,
  eventDataAt: isX64 ? 4 : 8,
  /** MSG_NOSIGNAL */
  noSignal: 0x4000,
  shutSending: 1,
  /** EAGAIN, EINTR */
  laterErrors: new Set([11, 4]),
  /** ENFILE, EMFILE, ENOMEM, ENOBUFS */
  fullErrors: new Set([23, 24, 12, 105]),
} as const;

const epollActions = { add: 1, remove: 2, change: 3 } as const;

/** One buffer for all: what is received is read before the next call. */
const receiveBytes = 16 * 1024;
/** An answer with 200 peers of both families has 5 KB. */
const outgoingBytes = 16 * 1024;

/** Numbers below 0 say that a call failed; `Libc.errno` tells why. */
export type StreamCalls = {
  listen(fd: number, backlog: number): number;
  /** A new socket, whose other side {@link acceptedPlace} tells until the next one. */
  accept(fd: number): number;
  /** Bytes received into `received`; 0: the other side has ended. */
  receive(fd: number): number;
  send(fd: number, bytesAt: number, bytes: number): number;
  shutdown(fd: number): number;
  epollCreate(flags: number): number;
  epollSet(action: keyof typeof epollActions, epoll: number, fd: number, events: number): void;
  epollWait(epoll: number, eventsAt: number, count: number, timeoutMs: number): number;
  readonly received: Buffer;
  /** Room for an answer, and where it lies. */
  readonly outgoing: Buffer;
  readonly outgoingAt: number;
  /** Of the last socket that was accepted. */
  readonly peer: Uint32Array;
};

const madeFor = new WeakMap<Libc, StreamCalls>();

/** Made once: they, and the memory that the system writes to, stay for ever. */
export function streamCallsOf(libc: Libc): StreamCalls {
  const known = madeFor.get(libc);
  if (known !== undefined) return known;
  const made = makeStreamCalls(libc);
  madeFor.set(libc, made);
  keptForEver.push(made);
  return made;
}

/** The system holds addresses of this memory and nobody else does. */
const keptForEver: unknown[] = [];

function makeStreamCalls(libc: Libc): StreamCalls {
  const received = Buffer.alloc(receiveBytes);
  const outgoing = Buffer.alloc(outgoingBytes);
  const peer = new Uint32Array(8);
  const peerBytes = new Uint32Array(1);
  const event = new DataView(new ArrayBuffer(streamNumbers.eventBytes));
  keptForEver.push(peerBytes, event);
  const receivedAt = libc.addressOf(received);
  const peerAt = libc.addressOf(new Uint8Array(peer.buffer));
  const peerBytesAt = libc.addressOf(new Uint8Array(peerBytes.buffer));
  const eventAt = libc.addressOf(new Uint8Array(event.buffer));
  const accept4 = libc.func('int accept4(int fd, uintptr_t address, uintptr_t length, int flags)');
  const recv = libc.func('int64_t recv(int fd, uintptr_t bytes, uint64_t length, int flags)');
  const send = libc.func('int64_t send(int fd, uintptr_t bytes, uint64_t length, int flags)');
  const shutdown = libc.func('int shutdown(int fd, int how)');
  const control = libc.func('int epoll_ctl(int epoll, int action, int fd, uintptr_t event)');
  return {
    listen: libc.func('int listen(int fd, int backlog)'),
    accept: (fd) => {
      peerBytes[0] = peer.byteLength;
      return accept4(fd, peerAt, peerBytesAt, streamNumbers.streamSocket & ~1);
    },
    receive: (fd) => recv(fd, receivedAt, receiveBytes, 0),
    send: (fd, bytesAt, bytes) => send(fd, bytesAt, bytes, streamNumbers.noSignal),
    shutdown: (fd) => shutdown(fd, streamNumbers.shutSending),
    epollCreate: libc.func('int epoll_create1(int flags)'),
    epollSet: (action, epoll, fd, events) => {
      event.setUint32(0, events, true);
      event.setUint32(streamNumbers.eventDataAt, fd, true);
      control(epoll, epollActions[action], fd, eventAt);
    },
    epollWait: libc.func('int epoll_wait(int epoll, uintptr_t events, int count, int timeout)'),
    received,
    outgoing,
    outgoingAt: libc.addressOf(outgoing),
    peer,
  };
}

/** Who was accepted last; whoever came by IPv4 to a socket for both has an IPv4 address. */
export function acceptedPlace({ peer }: StreamCalls, ipv6: boolean): Endpoint {
  return readSocketAddress(peer, 0, ipv6);
}

/**
 * A socket that listens. Without an address it takes IPv6 and IPv4, or IPv4 alone where there is no IPv6.
 * @throws an error with the system's code
 */
export function openListener(
  libc: Libc,
  calls: StreamCalls,
  at: { readonly address: IpAddress | null; readonly port: number },
): { readonly fd: number; readonly local: Endpoint } {
  if (at.address !== null) return open(libc, calls, at.address, at.port);
  try {
    return open(libc, calls, '::' as IpAddress, at.port);
  } catch (error) {
    if (!['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'].includes((error as { code?: string }).code ?? ''))
      throw error;
    return open(libc, calls, '0.0.0.0' as IpAddress, at.port);
  }
}

function open(
  libc: Libc,
  calls: StreamCalls,
  address: IpAddress,
  port: number,
): { readonly fd: number; readonly local: Endpoint } {
  const ipv6 = isIpv6(address);
  const memory = new DataView(new ArrayBuffer(64));
  const memoryAt = libc.addressOf(new Uint8Array(memory.buffer));
  const fd = libc.socket(
    ipv6 ? libcNumbers.familyIpv6 : libcNumbers.familyIpv4,
    streamNumbers.streamSocket,
    0,
  );
  if (fd < 0) throw systemError(libc);
  memory.setInt32(40, 1, true);
  libc.setsockopt(fd, libcNumbers.socketLevel, streamNumbers.reuseAddress, memoryAt + 40, 4);
  memory.setInt32(40, 0, true);
  if (ipv6) libc.setsockopt(fd, libcNumbers.ipv6Level, libcNumbers.ipv6Only, memoryAt + 40, 4);
  const bytes = ipv6 ? socketAddressBytes.ipv6 : socketAddressBytes.ipv4;
  writeSocketAddress(memory, 0, { address, port }, ipv6, 0);
  memory.setUint32(32, bytes, true);
  const isOpen =
    libc.bind(fd, memoryAt, bytes) === 0 &&
    calls.listen(fd, streamNumbers.backlog) === 0 &&
    libc.getsockname(fd, memoryAt, memoryAt + 32) === 0;
  if (isOpen) return { fd, local: readSocketAddress(new Uint32Array(memory.buffer), 0, ipv6) };
  const error = systemError(libc);
  libc.close(fd);
  throw error;
}

function systemError(libc: Libc): Error {
  const code = errnoName(libc.errno());
  return Object.assign(new Error(code), { code });
}
