import { connect, createServer, type Server, Socket } from 'node:net';
import type {
  Endpoint,
  IpAddress,
  StreamConnection,
  StreamHandler,
  StreamListener,
  StreamPort,
} from '@tequio/kernel';
import { emptyBytes, tryParseAddress } from '@tequio/kernel';
import { GatheredReads, trySetGathered } from './gathered-reads.ts';
import { tryLoadLibc } from './libc.ts';
import { plainBytes } from './plain-bytes.ts';
import { describeSocketError, listenError } from './tcp-errors.ts';

/** Ceilings of this port. */
export const tcpLimits = {
  /**
   * One read takes at most this many bytes: twice what is gathered of a fast connection (gathered-reads.ts), and small
   * enough to stay in the processor's cache.
   */
  receiveBufferBytes: 512 * 1024,
  /** The same where every socket needs a buffer of its own. */
  ownReceiveBufferBytes: 64 * 1024,
  /** After `end`, how long the other side may take to close as well. */
  lingerMs: 10_000,
} as const;

/**
 * On POSIX the event loop reads into the buffer and calls back before it reads anything else, so all sockets can
 * share one. On Windows a read is handed to the system beforehand, so every socket needs its own.
 */
const sharedReceiveBuffer =
  process.platform === 'win32' ? null : Buffer.allocUnsafeSlow(tcpLimits.receiveBufferBytes);

/** TCP over the system's sockets. Received bytes are lent from one buffer; nothing is allocated for them. */
export function createTcp(): StreamPort {
  return { listen, dial };
}

function dial(
  to: Endpoint,
  options: { readonly timeoutMs: number; readonly from?: IpAddress | null },
  handler: StreamHandler,
): StreamConnection {
  const connection = new SocketConnection(to);
  connection.dial(options, handler);
  return connection;
}

async function listen(
  at: { readonly address: IpAddress | null; readonly port: number },
  accept: (connection: StreamConnection) => StreamHandler | null,
): Promise<StreamListener> {
  // Paused, so that nothing has been read when the handle is taken over.
  const server = createServer({ pauseOnConnect: true, noDelay: true });
  server.on('connection', (socket) => acceptSocket(socket, accept));
  await startListening(server, at);
  // An accept that failed (too many open files) is lost; the listener goes on.
  server.on('error', () => {});
  return {
    local: endpointOf(server.address()),
    close: () =>
      new Promise((resolve) => {
        // The port is free at once; the server's own callback would also wait for connections that stay open.
        server.close();
        setImmediate(resolve);
      }),
  };
}

/** Without an address the system takes IPv6 and IPv4 on one socket, or IPv4 alone where there is no IPv6. */
function startListening(
  server: Server,
  at: { readonly address: IpAddress | null; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => reject(listenError('TCP', at, error));
    server.once('error', refuse);
    const where = at.address === null ? { port: at.port } : { port: at.port, host: at.address };
    server.listen({ ...where, exclusive: true }, () => {
      server.off('error', refuse);
      resolve();
    });
  });
}

function acceptSocket(
  accepted: Socket,
  accept: (connection: StreamConnection) => StreamHandler | null,
): void {
  const remote = tryEndpoint(accepted.remoteAddress, accepted.remotePort);
  // No address: the other side has gone between its dial and our accept.
  if (remote === null) return void accepted.on('error', () => {}).destroy();
  const connection = new SocketConnection(remote);
  connection.adopt(accepted, accept);
}

/** The few things of a socket's system handle that taking it over needs; not part of Node's documented interface. */
type OnRead = { buffer: Uint8Array; callback: (bytes: number, buffer: Uint8Array) => boolean };
type SocketHandle = { useUserBuffer(buffer: Uint8Array): void; readStart(): number };

/**
 * Only sockets made with `onread` read into a buffer of ours, and a server makes its sockets without. So the handle
 * of an accepted socket is moved into a new socket: `handle` is the option with which Node's own server makes its
 * sockets, undocumented but the same since Node 0.x. Where it is missing this returns null, and the accepted
 * socket is used as it is: then each chunk costs an allocation, and nothing else changes.
 */
function tryTakeHandle(accepted: Socket): SocketHandle | null {
  const holder = accepted as unknown as { _handle?: Partial<SocketHandle> | null };
  const handle = holder._handle;
  if (typeof handle?.useUserBuffer !== 'function' || typeof handle.readStart !== 'function') return null;
  holder._handle = null;
  // What is left is an empty shell; destroying it lets the server forget it.
  accepted.on('error', () => {}).destroy();
  return handle as SocketHandle;
}

function socketOn(handle: SocketHandle, onread: OnRead): Socket {
  const options: object = { handle, onread };
  return new Socket(options);
}

const ignoredHandler: StreamHandler = { onBytes() {}, onClose() {} };

/**
 * One connection:
 *
 *   dialling ── connected ──> open ── end() or the other side's end ──> ending ──> closed
 *       └──────────── destroy(), an error, the time limit ────────────────────────────^
 *
 * `onClose` is called from the socket's 'close' alone, which comes once and after everything else.
 */
class SocketConnection implements StreamConnection {
  readonly remote: Endpoint;
  #local: Endpoint | null = null;
  #socket!: Socket;
  #handler: StreamHandler = ignoredHandler;
  #error: string | null = null;
  /** Bytes are still wanted: not after `end` or `destroy`. */
  #reading = true;
  /** Bytes can still be sent. */
  #writing = true;
  #timer: NodeJS.Timeout | null = null;
  readonly #gathered = new GatheredReads((bytes) => this.#tryGather(bytes));

  constructor(remote: Endpoint) {
    this.remote = remote;
  }

  dial(
    options: { readonly timeoutMs: number; readonly from?: IpAddress | null },
    handler: StreamHandler,
  ): void {
    this.#handler = handler;
    this.#timer = setTimeout(() => this.#fail('timed out'), options.timeoutMs);
    try {
      this.#attach(
        connect({
          host: this.remote.address,
          port: this.remote.port,
          noDelay: true,
          autoSelectFamily: false,
          onread: this.#onread(),
          ...(options.from == null ? {} : { localAddress: options.from }),
        }),
      );
      this.#socket.once('connect', () => this.#handleConnect());
    } catch (error) {
      // A port or local address that the system's call does not even take.
      this.#attach(new Socket());
      this.#fail(describeSocketError(error));
    }
  }

  /** Takes over a socket that a server has accepted, and asks who handles it. */
  adopt(accepted: Socket, accept: (connection: StreamConnection) => StreamHandler | null): void {
    const local = tryEndpoint(accepted.localAddress, accepted.localPort);
    const handle = tryTakeHandle(accepted);
    if (handle === null) this.#attach(accepted);
    else this.#attach(socketOn(handle, this.#onread()));
    this.#local = local;
    const handler = accept(this);
    if (handler === null) {
      this.destroy();
      return;
    }
    this.#handler = handler;
    if (handle === null) {
      this.#socket.on('data', (bytes) => this.#handleBytes(plainBytes(bytes)));
      this.#socket.resume();
    }
  }

  get local(): Endpoint {
    this.#local ??= tryEndpoint(this.#socket.localAddress, this.#socket.localPort);
    return this.#local ?? { address: tryParseAddress('0.0.0.0')!, port: 0 };
  }

  get queuedBytes(): number {
    return this.#socket.destroyed ? 0 : this.#socket.writableLength;
  }

  write(parts: readonly Uint8Array[], sent?: () => void): void {
    if (!this.#writing) return;
    const whenDone =
      sent === undefined
        ? undefined
        : (error?: Error | null): void => {
            if (error == null) sent();
          };
    const last = parts.length - 1;
    if (last > 0) this.#socket.cork();
    for (let i = 0; i < last; i++) this.#socket.write(parts[i]!);
    this.#socket.write(parts[last] ?? emptyBytes, whenDone);
    if (last > 0) this.#socket.uncork();
  }

  pause(): void {
    if (this.#reading) this.#socket.pause();
  }

  resume(): void {
    if (this.#reading) this.#socket.resume();
  }

  end(): void {
    if (!this.#writing) return;
    this.#reading = false;
    this.#writing = false;
    this.#socket.end();
    // Reads on, into nothing: else the other side's end would never be seen.
    this.#socket.resume();
    this.#startLinger();
  }

  destroy(): void {
    this.#reading = false;
    this.#writing = false;
    this.#gathered.close();
    this.#socket.destroy();
  }

  reset(): void {
    this.#reading = false;
    this.#writing = false;
    this.#gathered.close();
    this.#socket.resetAndDestroy();
  }

  #attach(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', (error) => {
      this.#error ??= describeSocketError(error);
    });
    socket.on('end', () => {
      // The socket now sends what is queued, and closes by itself.
      this.#writing = false;
      this.#startLinger();
    });
    socket.on('close', () => this.#handleClose());
  }

  #onread(): OnRead {
    return {
      buffer: sharedReceiveBuffer ?? Buffer.allocUnsafeSlow(tcpLimits.ownReceiveBufferBytes),
      callback: (bytes, buffer) => {
        this.#handleBytes(plainBytes(buffer.subarray(0, bytes)));
        return true;
      },
    };
  }

  /** dialling -> open */
  #handleConnect(): void {
    this.#stopTimer();
    if (this.#reading) this.#handler.onOpen?.();
  }

  #handleBytes(bytes: Uint8Array): void {
    if (!this.#reading) return;
    this.#gathered.handleRead(bytes.length);
    this.#handler.onBytes(bytes);
  }

  /** The descriptor is asked for each time: it is a number that others get when this connection has ended. */
  #tryGather(bytes: number): boolean {
    const libc = tryLoadLibc();
    const { _handle: handle } = this.#socket as { _handle?: { readonly fd?: number } | null };
    const fd = handle?.fd ?? -1;
    return libc !== null && fd >= 0 && trySetGathered(libc, fd, bytes);
  }

  #handleClose(): void {
    this.#stopTimer();
    this.#gathered.close();
    this.#reading = false;
    this.#writing = false;
    const handler = this.#handler;
    this.#handler = ignoredHandler;
    handler.onClose(this.#error);
  }

  #fail(reason: string): void {
    this.#error ??= reason;
    this.destroy();
  }

  #startLinger(): void {
    this.#stopTimer();
    this.#timer = setTimeout(() => this.#fail('timed out'), tcpLimits.lingerMs);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

function endpointOf(address: ReturnType<Server['address']>): Endpoint {
  const found =
    typeof address === 'object' && address !== null ? tryEndpoint(address.address, address.port) : null;
  return found ?? { address: tryParseAddress('0.0.0.0')!, port: 0 };
}

function tryEndpoint(address: string | undefined, port: number | undefined): Endpoint | null {
  const parsed = address === undefined ? null : tryParseAddress(address);
  return parsed === null || port === undefined ? null : { address: parsed, port };
}
