import type { PortMapper } from '@tequio/network/port-mapping';
import type { Transport } from '../contract.ts';

/** The node's port mapping, as far as this application uses it. */
export type PortMapping = Pick<PortMapper, 'want' | 'externalPortOf' | 'subscribe'>;

/**
 * The port that others are told: the one that a router has given us, or else the one that we listen on. Routers
 * usually give the same number; where they do not, trackers, the DHT and peers must hear of theirs.
 */
export class AnnouncedPort {
  readonly #mapping: PortMapping | null;
  readonly #localPort: () => number;
  #leave = (): void => {};

  constructor(mapping: PortMapping | null, localPort: () => number) {
    this.#mapping = mapping;
    this.#localPort = localPort;
  }

  get port(): number {
    const port = this.#localPort();
    if (this.#mapping === null) return port;
    return (
      this.#mapping.externalPortOf({ transport: 'tcp', port }) ??
      this.#mapping.externalPortOf({ transport: 'udp', port }) ??
      port
    );
  }

  /** Asks for the mappings; `changed` is called whenever `port` is another than before. */
  start(transport: Transport, changed: (port: number) => void): void {
    if (this.#mapping === null) return;
    const port = this.#localPort();
    // UDP in any case: the DHT lives there.
    const wanted = [{ transport: 'udp', port } as const];
    const release = this.#mapping.want(
      transport === 'utp' ? wanted : [{ transport: 'tcp', port }, ...wanted],
    );
    let last = this.port;
    const unsubscribe = this.#mapping.subscribe(() => {
      const { port } = this;
      if (port === last) return;
      last = port;
      changed(port);
    });
    this.#leave = () => {
      unsubscribe();
      release();
    };
  }

  /** Gives the mappings back. */
  close(): void {
    this.#leave();
  }
}
