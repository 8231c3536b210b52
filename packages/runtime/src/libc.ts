/**
 * The few functions of the system's C library that Node.js has nothing for: datagrams in batches, and a socket's
 * options. Reached through a foreign function interface that is an optional package (docs/decisions/0010); where it is
 * absent, on another system or refused by the environment (`TEQUIO_DATAGRAMS=single`), there is none of this.
 *
 * Numbers are Linux's, the same on x64 and arm64. Every address that is passed points into memory that its owner
 * keeps alive, and no descriptor is used after `close`: whoever calls these functions answers for both.
 */
import { createRequire } from 'node:module';
import { constants, endianness } from 'node:os';

export const libcNumbers = {
  familyIpv4: 2,
  familyIpv6: 10,
  /** SOCK_DGRAM, SOCK_NONBLOCK, SOCK_CLOEXEC */
  datagramSocket: 2 | 0o4000 | 0o2000000,
  socketLevel: 1,
  sendBuffer: 7,
  receiveBuffer: 8,
  receiveLowWater: 18,
  ipLevel: 0,
  ipMtuDiscover: 10,
  ipv6Level: 41,
  ipv6MtuDiscover: 23,
  ipv6Only: 26,
  ipv6DontFragment: 62,
  /** IP_PMTUDISC_PROBE, for both families: nothing is cut up, and what routers have said before is not asked. */
  mtuProbe: 3,
  /** IP_PMTUDISC_DONT: what is too long is cut up. */
  mtuAny: 0,
  udpLevel: 17,
  udpSegment: 103,
  udpJoin: 104,
} as const;

/** Told of a descriptor: what is possible now. After `close` nothing more is told. */
export type Watch = {
  /** @param status 0, or below it an error after which nothing more is told until this is called again */
  start(wants: { readable?: boolean; writable?: boolean }, ready: WatchReady): void;
  close(): void;
};
type WatchReady = (
  status: number,
  events: { readonly readable: boolean; readonly writable: boolean },
) => void;

/** Functions answer -1 where they fail; `errno` tells why. */
export type Libc = {
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: number, length: number): number;
  getsockname(fd: number, address: number, length: number): number;
  setsockopt(fd: number, level: number, name: number, value: number, length: number): number;
  recvmmsg(fd: number, messages: number, count: number, flags: number, timeout: number): number;
  sendmmsg(fd: number, messages: number, count: number, flags: number): number;
  close(fd: number): number;
  /** Another function, by its prototype in C: addresses are `uintptr_t`. */
  func(prototype: string): (...args: number[]) => number;
  /**
   * The same, called on a thread of libuv's pool; `done` comes later, with null when it could not be called. What `done`
   * refers to is kept alive until then.
   */
  laterFunc(prototype: string): (args: readonly number[], done: (result: number | null) => void) => void;
  /** Of the call before. */
  errno(): number;
  /** Where these bytes lie, for as long as somebody holds them. */
  addressOf(bytes: Uint8Array): number;
  watch(fd: number, ready: WatchReady): Watch;
};

type KoffiFunction = {
  (...args: number[]): number;
  async(...args: [...number[], (error: unknown, result: number) => void]): void;
};

/** The part of the package that is used. */
type Koffi = {
  load(path: null): { func(prototype: string): KoffiFunction };
  errno(): number;
  address(bytes: Uint8Array): bigint;
  readonly node: {
    poll(fd: number, wants: { readable: boolean }, ready: WatchReady): Watch;
  };
};

const packageOf: Readonly<Record<string, string>> = {
  'linux-x64': '@koromix/koffi-linux-x64',
  'linux-arm64': '@koromix/koffi-linux-arm64',
};

let loaded: Libc | null | undefined;

/** Null where there is none. Loaded once. */
export function tryLoadLibc(): Libc | null {
  loaded ??= load();
  return loaded;
}

function load(): Libc | null {
  const name = packageOf[`${process.platform}-${process.arch}`];
  if (name === undefined || endianness() !== 'LE' || process.env['TEQUIO_DATAGRAMS'] === 'single')
    return null;
  // Not in one expression: bundlers would take the package in, and its native part is a file of its own.
  const require = createRequire(import.meta.url);
  try {
    return libcOf(require(name) as Koffi);
  } catch {
    // Not installed, or for another system: everything works without it.
    return null;
  }
}

function libcOf(koffi: Koffi): Libc {
  const library = koffi.load(null);
  const func = (prototype: string) => library.func(prototype);
  return {
    socket: func('int socket(int family, int type, int protocol)'),
    bind: func('int bind(int fd, uintptr_t address, uint32_t length)'),
    getsockname: func('int getsockname(int fd, uintptr_t address, uintptr_t length)'),
    setsockopt: func('int setsockopt(int fd, int level, int name, uintptr_t value, uint32_t length)'),
    recvmmsg: func('int recvmmsg(int fd, uintptr_t messages, uint32_t count, int flags, uintptr_t timeout)'),
    sendmmsg: func('int sendmmsg(int fd, uintptr_t messages, uint32_t count, int flags)'),
    close: func('int close(int fd)'),
    func,
    laterFunc: (prototype) => {
      const called = func(prototype);
      return (args, done) => called.async(...args, (error, result) => done(error == null ? result : null));
    },
    errno: () => koffi.errno(),
    addressOf: (bytes) => Number(koffi.address(bytes)),
    watch: (fd, ready) => koffi.node.poll(fd, { readable: true }, ready),
  };
}

/** The system's name of an error number: `EADDRINUSE`. */
export function errnoName(errno: number): string {
  return errorNames.get(errno) ?? `ERRNO_${errno}`;
}

const errorNames = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));
