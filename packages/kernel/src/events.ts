/** A typed emitter for facts that leave a service. It informs; it never steers (no control flow by event bus). */
export class Emitter<Events extends { readonly type: string }> {
  readonly #listeners = new Set<(event: Events) => void>();

  /** Calls `listener` for every event from now on; the returned function ends that. */
  subscribe(listener: (event: Events) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls `listener` for events of one type. */
  on<Type extends Events['type']>(
    type: Type,
    listener: (event: Extract<Events, { type: Type }>) => void,
  ): () => void {
    return this.subscribe((event) => {
      if (event.type === type) listener(event as Extract<Events, { type: Type }>);
    });
  }

  emit(event: Events): void {
    for (const listener of this.#listeners) listener(event);
  }
}
