/**
 * Server-sent events (WHATWG HTML, section 9.2): what happens, and what changes in the client's view of the torrents.
 * A turn is made only when the client has taken the one before, so a slow client costs one turn, not a queue. Each
 * message's id says how far the client is; with it (`Last-Event-ID`) a stream goes on where it was cut, exactly, or
 * says that something was lost.
 *
 *   id: RUN.EVENT.VIEW.STEP
 */
import type { LogLine, Management, NodeStatus } from '@tequio/api';
import type { RouteInput } from '@tequio/api/http';
import { toListQuery } from './api-handlers.ts';
import { allows, type Caller } from './caller.ts';
import { HttpError } from './http-fault.ts';
import { httpLimits } from './http-limits.ts';
import { TorrentView, type ViewSource } from './torrent-view.ts';

/** Without any other word a client hears this often that we are there. */
export const heartbeatMs = 15_000;
const statusIntervalMs = 2000;
const logLinesMax = 200;
/** Views of streams that were cut wait so long, and so many, for their client to come back. */
const restMs = 60_000;
const restCount = 256;
/** How often it is looked whether the client may still listen. */
const recheckMs = 60_000;
const viewRowsUsual = 100;

export type StreamQuery = RouteInput<'events.stream'>['query'];

type Rested = {
  readonly view: TorrentView;
  readonly key: string;
  readonly step: number;
  readonly untilMs: number;
};

export class EventStreams {
  readonly #runId: string;
  readonly #nowMs: () => number;
  readonly #rested = new Map<string, Rested>();
  readonly #memo = new Map<string, { readonly atMs: number; readonly value: Promise<unknown> }>();
  #streamCount = 0;
  #rowCount = 0;
  #viewCount = 0;
  #isClosing = false;
  readonly #alarms = new Set<Alarm>();

  /** @param runId of this run, as part of an id: letters and digits */
  constructor(runId: string, nowMs: () => number) {
    this.#runId = runId;
    this.#nowMs = nowMs;
  }

  get streamCount(): number {
    return this.#streamCount;
  }

  /** Ends all streams with a last word. */
  close(): void {
    this.#isClosing = true;
    for (const alarm of this.#alarms) alarm.end();
  }

  /** @throws HttpError `HTTP_BUSY`, `USER_RIGHT` */
  open(
    node: Management,
    caller: Caller,
    query: StreamQuery,
    lastEventId: string,
    signal: AbortSignal,
    mayGoOn: () => Promise<boolean>,
  ): AsyncIterable<string> {
    const channels = query.channels ?? ['events'];
    if (channels.includes('log') && !allows(caller, 'admin'))
      throw new HttpError(403, 'USER_RIGHT', 'Only an administrator reads the log.');
    const rows = channels.includes('torrents') ? (query.limit ?? viewRowsUsual) : 0;
    if (
      this.#streamCount >= httpLimits.eventStreamCount ||
      this.#rowCount + rows > httpLimits.eventViewRowCount
    )
      throw new HttpError(503, 'HTTP_BUSY', 'There are too many event streams.', {
        headers: { 'retry-after': '10' },
      });
    return this.#run({ node, caller, query, lastEventId, signal, mayGoOn, rows, channels });
  }

  async *#run(stream: {
    readonly node: Management;
    readonly caller: Caller;
    readonly query: StreamQuery;
    readonly lastEventId: string;
    readonly signal: AbortSignal;
    mayGoOn(): Promise<boolean>;
    readonly rows: number;
    readonly channels: readonly string[];
  }): AsyncGenerator<string> {
    const { signal, rows, query } = stream;
    this.#streamCount++;
    this.#rowCount += rows;
    const alarm = new Alarm(signal);
    this.#alarms.add(alarm);
    const turns = new StreamTurns(this.#begin(stream), stream, this.#runId, alarm.wake, this.#nowMs);
    let spokenMs = this.#nowMs();
    let checkedMs = spokenMs;
    try {
      yield ': hello\n\n';
      while (!signal.aborted && !this.#isClosing) {
        const text = await turns.take();
        const nowMs = this.#nowMs();
        if (text !== '' || nowMs - spokenMs >= heartbeatMs) {
          spokenMs = nowMs;
          yield text === '' ? ':\n\n' : text;
        }
        if (nowMs - checkedMs >= recheckMs) {
          checkedMs = nowMs;
          if (!(await stream.mayGoOn())) return;
        }
        await alarm.wait(query.intervalMs ?? 1000, turns.isTimed ? 0 : spokenMs + heartbeatMs - nowMs);
      }
      if (!signal.aborted) yield 'event: closing\ndata: {}\n\n';
    } finally {
      this.#alarms.delete(alarm);
      turns.close();
      this.#rest(turns, stream);
      this.#streamCount--;
      this.#rowCount -= rows;
    }
  }

  /** Where the stream goes on, or a beginning. */
  #begin(stream: {
    readonly node: Management;
    readonly caller: Caller;
    readonly query: StreamQuery;
    readonly lastEventId: string;
  }): Beginning {
    const [run, seq, viewId = '', step] = stream.lastEventId.split('.');
    const isOurs = run === this.#runId && /^\d+$/.test(seq ?? '');
    const found = isOurs ? this.#rested.get(viewId) : undefined;
    const isSame =
      found !== undefined &&
      found.step === Number(step) &&
      found.key === keyOf(stream) &&
      found.untilMs >= this.#nowMs();
    if (isSame) this.#rested.delete(viewId);
    const { fields, channels: _, intervalMs: _i, level: _l, ...list } = stream.query;
    return {
      // Of another run no number means anything: only what happens from now on.
      seq: isOurs ? Number(seq) : stream.lastEventId === '' ? null : -1,
      view: isSame ? found.view : new TorrentView(toListQuery(list), fields),
      viewId: isSame ? viewId : (++this.#viewCount).toString(36),
      step: isSame ? found.step : 0,
      source: this.#shared(stream.node, stream.caller),
    };
  }

  #rest(turns: StreamTurns, stream: { readonly caller: Caller; readonly query: StreamQuery }): void {
    const { view, viewId, step } = turns.state;
    if (step === 0) return;
    this.#rested.set(viewId, { view, key: keyOf(stream), step, untilMs: this.#nowMs() + restMs });
    for (const [id, { untilMs }] of this.#rested) {
      if (this.#rested.size <= restCount && untilMs >= this.#nowMs()) break;
      this.#rested.delete(id);
    }
  }

  /** The same question of the same caller within a moment is asked once: a thousand pages cost little more than one. */
  #shared(node: Management, { user, scope }: Caller): ViewSource {
    const who = JSON.stringify([user, scope]);
    const ask = <Value>(what: unknown, answer: () => Promise<Value>): Promise<Value> => {
      const key = `${who}${JSON.stringify(what)}`;
      const nowMs = this.#nowMs();
      const known = this.#memo.get(key);
      if (known !== undefined && nowMs - known.atMs < shareMs) return known.value as Promise<Value>;
      const value = answer();
      this.#memo.delete(key);
      this.#memo.set(key, { atMs: nowMs, value });
      for (const [old, { atMs }] of this.#memo) {
        if (nowMs - atMs < shareMs && this.#memo.size <= memoCount) break;
        this.#memo.delete(old);
      }
      return value;
    };
    return {
      list: (query) => ask(query, () => node.torrents.list(query)),
      changes: (since) => ask(since, () => node.torrents.changes(since)),
    };
  }
}

const shareMs = 200;
const memoCount = 64;

function keyOf({ caller, query }: { readonly caller: Caller; readonly query: StreamQuery }): string {
  return JSON.stringify([caller.user, caller.scope, query]);
}

type Beginning = {
  /** Null: from now on; -1: something was lost. */
  readonly seq: number | null;
  readonly view: TorrentView;
  readonly viewId: string;
  readonly step: number;
  readonly source: ViewSource;
};

/** What one stream has to say, turn by turn. */
class StreamTurns {
  /** Something here changes without waking us. */
  readonly isTimed: boolean;
  readonly #node: Management;
  readonly #query: StreamQuery;
  readonly #channels: readonly string[];
  readonly #beginning: Beginning;
  readonly #runId: string;
  readonly #nowMs: () => number;
  readonly #subscriptions: (() => void)[] = [];
  #log: LogLine[] = [];
  #logLostCount = 0;
  #seq: number | null;
  #step: number;
  #status: Readonly<Record<string, string>> = {};
  #statusMs = Number.NEGATIVE_INFINITY;

  constructor(
    beginning: Beginning,
    stream: { readonly node: Management; readonly query: StreamQuery; readonly channels: readonly string[] },
    runId: string,
    wake: () => void,
    nowMs: () => number,
  ) {
    this.#beginning = beginning;
    this.#node = stream.node;
    this.#query = stream.query;
    this.#channels = stream.channels;
    this.#runId = runId;
    this.#nowMs = nowMs;
    this.#seq = beginning.seq;
    this.#step = beginning.step;
    this.isTimed = this.#has('torrents') || this.#has('status');
    if (this.#has('events')) this.#subscriptions.push(this.#node.events.subscribe(wake));
    if (this.#has('log')) this.#subscriptions.push(this.#followLog(wake));
  }

  get state(): { readonly view: TorrentView; readonly viewId: string; readonly step: number } {
    return { view: this.#beginning.view, viewId: this.#beginning.viewId, step: this.#step };
  }

  close(): void {
    for (const end of this.#subscriptions) end();
  }

  /** Messages, ready to be sent; '': nothing is new. */
  async take(): Promise<string> {
    const messages = this.#has('events') ? await this.#takeEvents() : [];
    if (this.#has('torrents')) {
      const { view, source } = this.#beginning;
      const step = await view.step(source, this.#nowMs);
      if (step !== null) {
        this.#step++;
        messages.push(this.#message('torrents', step));
      }
    }
    if (this.#has('status') && this.#nowMs() - this.#statusMs >= statusIntervalMs) {
      this.#statusMs = this.#nowMs();
      const changed = this.#changedStatus(await this.#node.status.status());
      if (changed !== null) messages.push(this.#message('status', changed));
    }
    for (const line of this.#log.splice(0)) messages.push(this.#message('log', line));
    if (this.#logLostCount > 0)
      messages.push(this.#message('lost', { channel: 'log', count: this.#logLostCount }));
    this.#logLostCount = 0;
    return messages.join('');
  }

  #has(channel: string): boolean {
    return this.#channels.includes(channel);
  }

  async #takeEvents(): Promise<string[]> {
    if (this.#seq === null || this.#seq < 0) {
      const isLost = this.#seq !== null;
      this.#seq = (await this.#node.events.since(Number.MAX_SAFE_INTEGER, 1)).seq;
      return isLost ? [this.#message('lost', { channel: 'events' })] : [];
    }
    const { events, lost, seq } = await this.#node.events.since(this.#seq);
    const messages: string[] = [];
    if (lost) messages.push(this.#message('lost', { channel: 'events' }));
    for (const event of events) {
      this.#seq = event.seq;
      messages.push(this.#message('event', event));
    }
    this.#seq = events.at(-1)?.seq ?? seq;
    return messages;
  }

  /** The parts of the status that are different from what was said last. */
  #changedStatus(status: NodeStatus): Partial<NodeStatus> | null {
    const texts = Object.fromEntries(
      Object.entries(status).map(([key, value]) => [key, JSON.stringify(value)]),
    );
    const changed = Object.entries(status).filter(([key]) => texts[key] !== this.#status[key]);
    this.#status = texts;
    return changed.length === 0 ? null : (Object.fromEntries(changed) as Partial<NodeStatus>);
  }

  #followLog(wake: () => void): () => void {
    const levels = ['debug', 'info', 'warn', 'error'];
    const least = levels.indexOf(this.#query.level ?? 'info');
    return this.#node.log.subscribe((line) => {
      if (levels.indexOf(line.level) < least) return;
      if (this.#log.length < logLinesMax) this.#log.push(line);
      else this.#logLostCount++;
      wake();
    });
  }

  #message(type: string, data: unknown): string {
    const id = `${this.#runId}.${Math.max(0, this.#seq ?? 0)}.${this.#beginning.viewId}.${this.#step}`;
    // JSON has no line end in it.
    return `event: ${type}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}

/** A pause that ends when something has happened, but is not shorter than the client wishes. */
class Alarm {
  #isRung = false;
  #isEnded = false;
  #ring: (() => void) | null = null;

  constructor(signal: AbortSignal) {
    signal.addEventListener('abort', () => this.end(), { once: true });
    if (signal.aborted) this.end();
  }

  /** No pause from now on. */
  end(): void {
    this.#isEnded = true;
    this.#ring?.();
  }

  readonly wake = (): void => {
    this.#isRung = true;
    this.#ring?.();
  };

  /** @param restMs nothing can happen by itself before that; 0: it can at any time */
  async wait(intervalMs: number, restMs: number): Promise<void> {
    // What comes in a burst is told in one turn.
    await this.#sleep(Math.min(intervalMs, burstMs), false);
    if (this.#isRung) await this.#sleep(Math.max(0, intervalMs - burstMs), false);
    else await this.#sleep(Math.max(0, (restMs > 0 ? restMs : intervalMs) - burstMs), true);
    this.#isRung = false;
  }

  #sleep(delayMs: number, endsWhenRung: boolean): Promise<void> {
    if (this.#isEnded) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(done, delayMs);
      const ring = (): void => {
        if (endsWhenRung || this.#isEnded) done();
      };
      const self = this;
      function done(): void {
        clearTimeout(timer);
        self.#ring = null;
        resolve();
      }
      this.#ring = ring;
    });
  }
}

const burstMs = 50;
