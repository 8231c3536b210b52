/** All that a node has to do with the DHT: the machine's driver, the torrents that use it, the user's questions. */
import type { Database, Endpoint, Ports } from '@tequio/kernel';
import type { CompleteOptions } from '../options.ts';
import { DhtQueries } from './dht-queries.ts';
import { type DhtPort, DhtService } from './dht-service.ts';
import { createDhtStore } from './dht-store.ts';
import { DhtTorrents } from './dht-torrents.ts';

export class NodeDht {
  readonly torrents: DhtTorrents;
  readonly queries: DhtQueries;
  readonly #service: DhtService;

  constructor(
    { dht, transport }: Pick<CompleteOptions, 'dht' | 'transport'>,
    ports: Ports,
    port: DhtPort,
    database: Database | null,
  ) {
    const { clock, entropy, hashes, signatures, resolver, log } = ports;
    const store = database === null ? null : createDhtStore(database);
    this.#service = new DhtService(
      {
        bootstrap: dht.bootstrap,
        isReadOnly: dht.readOnly ?? false,
        ...(dht.replyBytesPerSecond === undefined ? {} : { replyBytesPerSecond: dht.replyBytesPerSecond }),
      },
      { port, clock, entropy, hashes, signatures, resolver, log, store },
    );
    this.torrents = new DhtTorrents(this.#service, ports, transport !== 'tcp');
    this.queries = new DhtQueries(this.#service, ports);
  }

  /** Once the shared port is open. */
  start(): void {
    this.#service.start();
  }

  async close(): Promise<void> {
    this.torrents.close();
    await this.#service.close();
  }

  /** What a torrent's session gets of it. */
  get forSession(): {
    readonly dht: DhtTorrents;
    readonly dhtPort: () => number;
    readonly foundDhtNode: (endpoint: Endpoint) => void;
  } {
    return {
      dht: this.torrents,
      dhtPort: () => this.#service.port,
      foundDhtNode: (endpoint) => this.#service.addNode(endpoint),
    };
  }
}
