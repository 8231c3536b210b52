import type { EventPage, EventsApi, ManagementEvent, NodeEvent } from '@tequio/api';

const eventCountMax = 10_000;
const pageCount = 1000;

/** The node's facts in the past tense: the latest are kept, so that whoever was away for a moment misses none. */
export class EventRing implements EventsApi {
  readonly #wallMs: () => number;
  readonly #events: NodeEvent[] = [];
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  #seq = 0;

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  emit(event: ManagementEvent | NodeEvent['event']): void {
    const kept: NodeEvent = { seq: ++this.#seq, atMs: this.#wallMs(), event };
    this.#events[(kept.seq - 1) % eventCountMax] = kept;
    for (const listener of this.#listeners) listener(kept);
  }

  async since(seq: number, limit = pageCount): Promise<EventPage> {
    const oldest = Math.max(1, this.#seq - eventCountMax + 1);
    const lost = seq > this.#seq || seq + 1 < oldest;
    const first = lost ? oldest : seq + 1;
    const last = Math.min(this.#seq, first + Math.max(0, limit) - 1);
    const events: NodeEvent[] = [];
    for (let at = first; at <= last; at++) events.push(this.#events[(at - 1) % eventCountMax]!);
    return { events, lost, seq: events.at(-1)?.seq ?? this.#seq };
  }

  subscribe(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
