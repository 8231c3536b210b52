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
        if (!this.push(Buffer.from(bytes))) this.#connection.pause();
      },
      onClose: (error) => {
        this.#isClosed = true;
        this.#begin = null;
        if (error !== null || !this.#isOpen) this.destroy(new Error(error ?? 'closed at once'));
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
    const write = (): void => this.#connection.write([plainBytes(chunk)], () => done());
    if (this.#isOpen) write();
    else this.#begin = write;
  }

  override _final(done: () => void): void {
    this.#connection.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#isClosed) this.#connection.destroy();
    done(error);
  }

  /** Node's HTTP asks for these of every socket; the connection has its own ways. */
  setTimeout(): this {
    return this;
  }

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
