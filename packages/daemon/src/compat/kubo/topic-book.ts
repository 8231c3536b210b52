import type { OverlayMessage, OverlayPort } from '@tequio/kernel';

/** Messages that wait for a client that reads slowly; above it the oldest go. */
const waitingMax = 1024;

/** Topics that clients have subscribed to: each as long as somebody reads it. */
export class TopicBook {
  readonly #counts = new Map<string, number>();

  get names(): readonly string[] {
    return [...this.#counts.keys()];
  }

  /** Subscribes at once, and ends it when nobody iterates any more. @throws NodeError `OVERLAY_TOPIC` */
  messages(overlay: OverlayPort, topic: string, signal: AbortSignal): AsyncIterable<OverlayMessage> {
    const waiting: OverlayMessage[] = [];
    let wake = (): void => {};
    const subscription = overlay.subscribe(topic, (message) => {
      if (waiting.length >= waitingMax) waiting.shift();
      waiting.push(message);
      wake();
    });
    this.#counts.set(topic, (this.#counts.get(topic) ?? 0) + 1);
    let isOpen = true;
    const end = (): void => {
      if (!isOpen) return;
      isOpen = false;
      subscription.close();
      const left = (this.#counts.get(topic) ?? 1) - 1;
      if (left === 0) this.#counts.delete(topic);
      else this.#counts.set(topic, left);
      wake();
    };
    // Also where nobody has begun to iterate.
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    return iterate();

    async function* iterate(): AsyncGenerator<OverlayMessage> {
      try {
        while (isOpen) {
          yield* waiting.splice(0);
          if (isOpen && waiting.length === 0)
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        end();
      }
    }
  }
}
