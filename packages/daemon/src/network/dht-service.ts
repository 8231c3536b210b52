/** Questions that somebody asks the DHT through the node: of its DHT node, a few at a time. */
import type { DhtApi, DhtQuestions } from '@tequio/api';
import { NodeError } from '@tequio/kernel';

export const dhtServiceLimits = {
  /** At once, of all who ask: each sends some hundred datagrams. */
  questionCountMax: 16,
  /** How long a node that has just started may take to find others. */
  readyMs: 30_000,
} as const;

export class DhtService implements DhtQuestions {
  readonly #dht: () => DhtApi | null;
  #askedCount = 0;

  /** @param dht null: the node takes no part */
  constructor(dht: () => DhtApi | null) {
    this.#dht = dht;
  }

  /** Of one that is named nobody else need be known. */
  ping(hostPort: string): ReturnType<DhtQuestions['ping']> {
    return this.#ask((dht) => dht.ping(hostPort), false);
  }

  lookup(infoHash: string): ReturnType<DhtQuestions['lookup']> {
    return this.#ask((dht) => dht.lookup(infoHash));
  }

  get(...args: Parameters<DhtQuestions['get']>): ReturnType<DhtQuestions['get']> {
    return this.#ask((dht) => dht.get(...args));
  }

  put(options: Parameters<DhtQuestions['put']>[0]): ReturnType<DhtQuestions['put']> {
    return this.#ask((dht) => dht.put(options));
  }

  sample(target: string | null): ReturnType<DhtQuestions['sample']> {
    return this.#ask((dht) => dht.sample(target));
  }

  async #ask<Answer>(question: (dht: DhtApi) => Promise<Answer>, needsNodes = true): Promise<Answer> {
    const dht = this.#dht();
    if (dht === null)
      throw new NodeError('DHT_OFF', 'This node takes no part in the DHT: turn `bittorrent.dht` on.');
    if (this.#askedCount >= dhtServiceLimits.questionCountMax)
      throw new NodeError('DHT_BUSY', 'The node is asking the DHT much already; try again in a moment.', {
        retry: true,
      });
    this.#askedCount++;
    try {
      if (needsNodes && !(await dht.ready(dhtServiceLimits.readyMs)))
        throw new NodeError('DHT_UNREACHABLE', 'No node of the DHT has answered yet.', { retry: true });
      return await question(dht);
    } finally {
      this.#askedCount--;
    }
  }
}
