import type { GossipSub, Message } from '@libp2p/gossipsub';
import { encodeUtf8, NodeError, type OverlayMessage, type OverlaySubscription } from '@tequio/kernel';
import { limits } from './limits.ts';

type OnMessage = (message: OverlayMessage) => void;

/** Topics of gossipsub: how many, how long and how large is bounded, and each is left when nobody here listens. */
export class Topics {
  readonly #pubsub: GossipSub;
  readonly #listeners = new Map<string, Set<OnMessage>>();

  constructor(pubsub: GossipSub) {
    this.#pubsub = pubsub;
    pubsub.addEventListener('message', ({ detail }) => this.#handleMessage(detail));
  }

  get names(): readonly string[] {
    return [...this.#listeners.keys()];
  }

  /** @throws NodeError `OVERLAY_TOPIC` */
  async publish(topic: string, bytes: Uint8Array): Promise<void> {
    checkTopic(topic);
    if (bytes.length > limits.topics.messageBytes)
      throw new NodeError(
        'OVERLAY_TOPIC',
        `A message of ${bytes.length} bytes is too large for a topic; ${limits.topics.messageBytes} is the most.`,
        { op: 'publish' },
      );
    await this.#pubsub.publish(topic, bytes);
  }

  /** @throws NodeError `OVERLAY_TOPIC` */
  subscribe(topic: string, onMessage: OnMessage): OverlaySubscription {
    checkTopic(topic);
    // Each subscription has a function of its own, also where one is given twice.
    const listener: OnMessage = (message) => onMessage(message);
    const listeners = this.#listeners.get(topic);
    if (listeners === undefined) {
      if (this.#listeners.size >= limits.topics.count)
        throw new NodeError(
          'OVERLAY_TOPIC',
          `There are ${limits.topics.count} topics already; leave one first.`,
          {
            op: 'subscribe',
          },
        );
      this.#listeners.set(topic, new Set([listener]));
      this.#pubsub.subscribe(topic);
    } else listeners.add(listener);
    const pubsub = this.#pubsub;
    return {
      topic,
      get peers() {
        return pubsub.getSubscribers(topic).map((peer) => peer.toString());
      },
      close: () => this.#leave(topic, listener),
    };
  }

  subscribersOf(topic: string | null): readonly string[] {
    const peers = topic === null ? this.#pubsub.getPeers() : this.#pubsub.getSubscribers(topic);
    return peers.map((peer) => peer.toString());
  }

  #leave(topic: string, listener: OnMessage): void {
    const listeners = this.#listeners.get(topic);
    if (listeners === undefined || !listeners.delete(listener) || listeners.size > 0) return;
    this.#listeners.delete(topic);
    try {
      this.#pubsub.unsubscribe(topic);
    } catch {
      // It has been stopped, and all topics are left.
    }
  }

  #handleMessage(message: Message): void {
    // What nobody has signed is never passed on by the policy that is set.
    if (message.type !== 'signed') return;
    const { topic, data: bytes, sequenceNumber: sequence } = message;
    const told = { topic, from: message.from.toString(), bytes, sequence };
    for (const listener of [...(this.#listeners.get(topic) ?? [])]) listener(told);
  }
}

function checkTopic(topic: string): void {
  const length = encodeUtf8(topic).length;
  if (length > 0 && length <= limits.topics.nameBytes) return;
  throw new NodeError('OVERLAY_TOPIC', `A topic's name has 1 to ${limits.topics.nameBytes} bytes.`, {
    op: 'topic',
  });
}
