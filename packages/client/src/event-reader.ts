import type { RouteInput } from '@tequio/api/routes';
import { NodeError } from '@tequio/kernel';
import type { HttpCalls } from './http-calls.ts';

export type EventMessage = { readonly event: string; readonly data: unknown };
type StreamQuery = RouteInput<'events.stream'>['query'];

const retryMsMin = 500;
const retryMsMax = 30_000;
/** A message is never longer; what is, is no event stream of ours. */
const messageCharactersMax = 64 << 20;

/**
 * Server-sent events until `close`: after a cut it comes back by itself, later each time, and the node goes on where
 * the last message ended.
 */
export class EventReader {
  readonly #calls: HttpCalls;
  readonly #query: StreamQuery;
  readonly #onMessage: (message: EventMessage) => void;
  readonly #onState: (error: NodeError | null) => void;
  readonly #closed = new AbortController();
  #lastId = '';
  #retryMs = retryMsMin;

  /** @param onState null: connected; else why not, at the moment */
  constructor(
    calls: HttpCalls,
    query: StreamQuery,
    onMessage: (message: EventMessage) => void,
    onState: (error: NodeError | null) => void = () => {},
  ) {
    this.#calls = calls;
    this.#query = query;
    this.#onMessage = onMessage;
    this.#onState = onState;
    void this.#run();
  }

  close(): void {
    this.#closed.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        await this.#read();
      } catch (error) {
        if (signal.aborted) return;
        const known = error instanceof NodeError ? error : new NodeError('HTTP_UNREACHABLE', String(error));
        this.#onState(known);
        // Who may not listen now may not in a moment either.
        if (/^(?:HTTP_UNKNOWN_CALLER|USER_RIGHT|HTTP_INPUT)$/.test(known.code)) return;
      }
      await sleep(this.#retryMs, signal);
      this.#retryMs = Math.min(retryMsMax, this.#retryMs * 2);
    }
  }

  async #read(): Promise<void> {
    const { signal } = this.#closed;
    const headers = this.#lastId === '' ? {} : { 'last-event-id': this.#lastId };
    const answer = await this.#calls.send(
      'events.stream',
      { query: this.#query },
      { signal, headers, endless: true },
    );
    this.#onState(null);
    let text = '';
    const decoder = new TextDecoder();
    for await (const bytes of piecesOf(answer.body!)) {
      text += decoder.decode(bytes, { stream: true });
      for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
        this.#handle(text.slice(0, at));
        text = text.slice(at + 2);
        this.#retryMs = retryMsMin;
      }
      if (text.length > messageCharactersMax) throw new NodeError('HTTP_ANSWER', 'An event without an end.');
    }
  }

  #handle(message: string): void {
    let [event, data] = ['message', ''];
    for (const line of message.split('\n')) {
      const [field = '', value = ''] = [
        line.slice(0, line.indexOf(':')),
        line.slice(line.indexOf(':') + 1).trimStart(),
      ];
      if (field === 'event') event = value;
      else if (field === 'data') data += value;
      else if (field === 'id') this.#lastId = value;
    }
    if (data !== '') this.#onMessage({ event, data: JSON.parse(data) });
  }
}

async function* piecesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}

function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, delayMs);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
}
