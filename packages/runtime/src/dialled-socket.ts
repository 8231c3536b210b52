import { Duplex } from 'node:stream';
import type { IpAddress, StreamConnection, StreamHandler } from '@tequio/kernel';
import { plainBytes } from './plain-bytes.ts';

/** A connection of the stream port, as Node's HTTP and TLS take it. */
export class DialledSocket extends Duplex {
  readonly #connection: StreamConnection;
  /** What is written before the connection is open. */
  #begin: (() => void) | null = null;
  #isOpen = false;
  #isClosed = false;
  /** Of Node's pool, which closes what was idle for so long. */
  #idleMs = 0;
  #idleTimer: NodeJS.Timeout | null = null;

  constructor(dial: (handler: StreamHandler) => StreamConnection) {
    super({ allowHalfOpen: false });
    this.#connection = dial({
      onOpen: () => {
        this.#isOpen = true;
        this.emit('connect');
        this.#begin?.();
        this.#begin = null;
      },
      onBytes: (bytes) => {
        // Lent to us; the stream may keep it until somebody reads.
        this.#idleTimer?.refresh();
        if (!this.push(Buffer.from(bytes))) this.#connection.pause();
      },
      onClose: (error) => {
        this.#isClosed = true;
        this.#begin = null;
        if (!this.#isOpen) this.destroy(new Error(error ?? 'closed at once'));
        else if (error !== null) this.destroy(Object.assign(new Error(error), { code: 'ECONNRESET' }));
        else this.push(null);
      },
    });
  }

  get remote(): IpAddress {
    return this.#connection.remote.address;
  }

  override _read(): void {
    if (this.#isOpen && !this.#isClosed) this.#connection.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#idleTimer?.refresh();
    const write = (): void => this.#connection.write([plainBytes(chunk)], () => done());
    if (this.#isOpen) write();
    else this.#begin = write;
  }

  override _final(done: () => void): void {
    this.#connection.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#idleTimer ?? undefined);
    if (!this.#isClosed) this.#connection.destroy();
    done(error);
  }

  /** As of Node's own sockets: `timeout` is told once nothing has come or gone for so long; 0 ends that. */
  get timeout(): number {
    return this.#idleMs;
  }

  setTimeout(idleMs: number, callback?: () => void): this {
    this.#idleMs = idleMs;
    clearTimeout(this.#idleTimer ?? undefined);
    this.#idleTimer = idleMs === 0 ? null : setTimeout(() => this.emit('timeout'), idleMs);
    if (callback !== undefined) {
      if (idleMs === 0) this.off('timeout', callback);
      else this.once('timeout', callback);
    }
    return this;
  }

  /** Node's HTTP asks for these of every socket; the connection has its own ways. */

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
