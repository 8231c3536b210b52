/**
 * A program on a simulated host: the host's ports as long as it lives. `kill` ends it as the system ends a killed
 * process: its connections close, its timers and callbacks never come, and what it had not given to the disk is lost.
 */
import type {
  DatabasePort,
  DiskPort,
  FilesPort,
  HttpClient,
  Ports,
  StreamConnection,
  StreamHandler,
  StreamListener,
  StreamPort,
  UdpPort,
  UdpSocket,
} from '@tequio/kernel';
import type { HostPorts } from '@tequio/simulator';
import type { Tamper } from './tamper.ts';
import { tamperWith } from './tamper.ts';

/** What a simulated program does not have, and a use of which is a mistake of the scenario. */
const absent = new Proxy(
  {},
  {
    get: (_target, name) => {
      throw new Error(`the simulated host has no ${String(name)}`);
    },
  },
);

export class HostProcess {
  readonly ports: Ports;
  readonly #tamper: Tamper | null;
  readonly #connections = new Set<StreamConnection>();
  readonly #listeners = new Set<StreamListener>();
  readonly #sockets = new Set<UdpSocket>();
  #isAlive = true;

  constructor(host: HostPorts, disk: DiskPort, tamper: Tamper | null) {
    this.#tamper = tamper;
    this.ports = {
      ...host,
      clock: {
        nowMs: () => host.clock.nowMs(),
        wallMs: () => host.clock.wallMs(),
        setTimer: (delayMs, callback) => host.clock.setTimer(delayMs, () => this.#isAlive && callback()),
      },
      tcp: this.#tcp(host.tcp),
      udp: this.#udp(host.udp),
      http: this.#http(host.http),
      disk,
      files: absent as FilesPort,
      database: absent as DatabasePort,
    };
  }

  /** Bytes that were written to connections and have not left. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const connection of this.#connections) bytes += connection.queuedBytes;
    return bytes;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** The process is killed. The disk is the caller's. */
  kill(): void {
    this.#isAlive = false;
    for (const connection of this.#connections) connection.destroy();
    for (const listener of this.#listeners) void listener.close();
    for (const socket of this.#sockets) void socket.close();
  }

  #tcp(tcp: StreamPort): StreamPort {
    return {
      listen: async (at, accept) => {
        const listener = await tcp.listen(at, (connection) => {
          const shown = this.#shown(connection);
          const handler = accept(shown);
          return handler === null ? null : this.#adopt(shown, handler);
        });
        this.#listeners.add(listener);
        return listener;
      },
      dial: (to, options, handler) => {
        const adopted: { handler: StreamHandler | null } = { handler: null };
        const connection = tcp.dial(to, options, {
          onOpen: () => adopted.handler?.onOpen?.(),
          onBytes: (bytes) => adopted.handler?.onBytes(bytes),
          onClose: (error) => adopted.handler?.onClose(error),
        });
        const shown = this.#shown(connection);
        adopted.handler = this.#adopt(shown, handler);
        return shown;
      },
    };
  }

  #shown(connection: StreamConnection): StreamConnection {
    return this.#tamper === null ? connection : tamperWith(connection, this.#tamper);
  }

  #adopt(connection: StreamConnection, handler: StreamHandler): StreamHandler {
    this.#connections.add(connection);
    return {
      onOpen: () => {
        if (this.#isAlive) handler.onOpen?.();
      },
      onBytes: (bytes) => {
        if (this.#isAlive) handler.onBytes(bytes);
      },
      onClose: (error) => {
        this.#connections.delete(connection);
        if (this.#isAlive) handler.onClose(error);
      },
    };
  }

  #udp(udp: UdpPort): UdpPort {
    return {
      bind: async (at, onDatagram) => {
        const socket = await udp.bind(at, (bytes, from) => {
          if (this.#isAlive) onDatagram(bytes, from);
        });
        this.#sockets.add(socket);
        return socket;
      },
    };
  }

  #http(http: HttpClient): HttpClient {
    return {
      open: (request, handler) =>
        http.open(request, {
          onHead: (head) => {
            if (this.#isAlive) handler.onHead(head);
          },
          onBytes: (bytes) => {
            if (this.#isAlive) handler.onBytes(bytes);
          },
          onEnd: (error) => {
            if (this.#isAlive) handler.onEnd(error);
          },
        }),
    };
  }
}
