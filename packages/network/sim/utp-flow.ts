/** A uTP connection that sends as much as it may through a bottleneck. */
import { addressFromBytes, type Prng } from '@tequio/kernel';
import type { VirtualClock } from '@tequio/simulator';
import type { UtpConnection } from '../src/utp/utp-connection.ts';
import { UtpHost } from '../src/utp/utp-pair.fixture.ts';
import type { Bottleneck } from './bottleneck.ts';

const chunkBytes = 64 * 1024;
const chunk = new Uint8Array(chunkBytes);

let nextHost = 1;

export class UtpFlow {
  readonly #clock: VirtualClock;
  readonly #from: UtpHost;
  readonly #to: UtpHost;
  #connection: UtpConnection | null = null;
  #isStopped = false;

  constructor(clock: VirtualClock, path: Bottleneck, prng: Prng) {
    this.#clock = clock;
    const endpointOf = (n: number) => ({
      address: addressFromBytes(Uint8Array.of(20, 1, n >> 8, n & 255)),
      port: 1000,
    });
    this.#from = new UtpHost(clock, endpointOf(nextHost++), prng);
    this.#to = new UtpHost(clock, endpointOf(nextHost++), prng);
    this.#from.transmit = (bytes) => {
      const copy = bytes.slice();
      path.send(bytes.length, () => this.#to.receive(copy, this.#from.endpoint));
    };
    this.#to.transmit = (bytes) => {
      const copy = bytes.slice();
      path.sendBack(() => this.#from.receive(copy, this.#to.endpoint));
    };
  }

  start(): void {
    const end = this.#from.dial(this.#to.endpoint);
    this.#connection = end.connection;
    end.onReady = () => this.#feed();
    this.#feed();
    this.#from.drive();
  }

  stop(): void {
    this.#isStopped = true;
  }

  get deliveredBytes(): number {
    const [far] = this.#to.ends;
    if (far === undefined) return 0;
    far.keepsBytes = false;
    return far.receivedBytes;
  }

  get connection(): UtpConnection {
    if (this.#connection === null) throw new Error('the flow has not been started');
    return this.#connection;
  }

  get error(): string | null | undefined {
    return this.#from.ends[0]?.error;
  }

  #feed(): void {
    const connection = this.#connection;
    if (connection === null || this.#isStopped) return;
    while (connection.queuedBytes < 4 * chunkBytes) {
      if (!connection.write([chunk], this.#clock.nowMs())) break;
    }
  }
}
