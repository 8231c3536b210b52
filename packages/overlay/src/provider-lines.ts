/**
 * Tells peers who has what: one stream for each, on which messages follow each other. They are not answered themselves
 * (libp2p specs, kad-dht: ADD_PROVIDER), so behind some of them comes a question that is: peers work through a stream
 * in order, and what was before the question has been taken when its answer comes. What comes meanwhile gathers.
 *
 *   tell ─> opening: waits ─> open: all that waits, and a question ─> answered: told ─> what gathered, and so on
 *              │                                └── no answer, or another one ──┐       └─> nothing: closed soon
 *              └── no stream ─────────────────────────────────────────────> not told, and the peer rests
 */
import type { Stream } from '@libp2p/interface';
import { type Clock, concatBytes, type Timer } from '@tequio/kernel';
import { limits } from './limits.ts';
import { AnswerEnd } from './provider-message.ts';

type Waiting = { readonly message: Uint8Array; readonly done: (isTold: boolean) => void };

/** A stream of the DHT's protocol with a peer. @throws when there is none to be had */
export type OpenLine = (signal: AbortSignal) => Promise<Stream>;

/** See the top of the file. One for each DHT. */
export class ProviderLines {
  readonly #clock: Clock;
  readonly #question: Uint8Array;
  readonly #lines = new Map<string, ProviderLine>();
  /** When peers failed; the first comes first. */
  readonly #failed = new Map<string, number>();
  #isClosed = false;

  /** @param question framed; something short that is answered shortly */
  constructor(clock: Clock, question: Uint8Array) {
    this.#clock = clock;
    this.#question = question;
  }

  /** Whether the peer could not be told something of late. */
  isResting(peer: string): boolean {
    const atMs = this.#failed.get(peer);
    if (atMs === undefined) return false;
    if (this.#clock.nowMs() - atMs < limits.lines.failedMs) return true;
    this.#failed.delete(peer);
    return false;
  }

  /** @param message framed @returns whether the peer has taken it */
  tell(peer: string, message: Uint8Array, open: OpenLine): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false);
    let line = this.#lines.get(peer);
    if (line === undefined) {
      const made = new ProviderLine(this.#clock, this.#question, (hasFailed) => {
        if (this.#lines.get(peer) === made) this.#lines.delete(peer);
        if (hasFailed && !this.#isClosed) this.#rest(peer);
      });
      line = made;
      this.#lines.set(peer, line);
      line.open(open);
    }
    return line.tell(message);
  }

  close(): void {
    this.#isClosed = true;
    for (const line of [...this.#lines.values()]) line.fail();
  }

  #rest(peer: string): void {
    this.#failed.delete(peer);
    this.#failed.set(peer, this.#clock.nowMs());
    const [oldest] = this.#failed.keys();
    if (this.#failed.size > limits.lines.failedCount && oldest !== undefined) this.#failed.delete(oldest);
  }
}

class ProviderLine {
  readonly #clock: Clock;
  readonly #question: Uint8Array;
  readonly #onClosed: (hasFailed: boolean) => void;
  readonly #end = new AbortController();
  #stream: Stream | null = null;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Written, and the answer behind it has not come. */
  #asked: { readonly told: readonly Waiting[]; readonly answer: AnswerEnd } | null = null;
  /** Ends what takes too long; when nothing is under way, the line. */
  #timer: Timer;
  #isClosed = false;

  constructor(clock: Clock, question: Uint8Array, onClosed: (hasFailed: boolean) => void) {
    this.#clock = clock;
    this.#question = question;
    this.#onClosed = onClosed;
    this.#timer = clock.setTimer(limits.lines.openMs, () => this.fail());
  }

  open(open: OpenLine): void {
    open(this.#end.signal).then(
      (stream) => {
        if (this.#isClosed) stream.abort(new Error('nobody waits for it any more'));
        else this.#handleOpen(stream);
      },
      () => this.fail(),
    );
  }

  tell(message: Uint8Array): Promise<boolean> {
    if (this.#isClosed || this.#waitingBytes + message.length > limits.lines.queuedBytes)
      return Promise.resolve(false);
    return new Promise((done) => {
      this.#waiting.push({ message, done });
      this.#waitingBytes += message.length;
      // Others of this turn go with it.
      if (this.#waiting.length === 1) queueMicrotask(() => this.#write());
    });
  }

  /** Nothing that was not told is told any more. */
  fail(): void {
    this.#stream?.abort(new Error('broken off'));
    this.#close(true);
  }

  #handleOpen(stream: Stream): void {
    this.#stream = stream;
    stream.addEventListener('close', () => this.#close(this.#asked !== null || this.#waiting.length > 0));
    stream.addEventListener('message', ({ data }) => {
      for (const part of data instanceof Uint8Array ? [data] : data) this.#receive(part);
    });
    this.#write();
  }

  #write(): void {
    const stream = this.#stream;
    if (stream === null || this.#isClosed || this.#asked !== null || this.#waiting.length === 0) return;
    if (stream.writeStatus !== 'writable') {
      this.fail();
      return;
    }
    let count = 0;
    let bytes = 0;
    for (const { message } of this.#waiting) {
      if (count > 0 && bytes + message.length > limits.lines.writeBytes) break;
      count++;
      bytes += message.length;
    }
    const told = this.#waiting.splice(0, count);
    this.#waitingBytes -= bytes;
    this.#asked = { told, answer: new AnswerEnd() };
    this.#arm(limits.lines.answerMs, () => this.fail());
    stream.send(concatBytes([...told.map(({ message }) => message), this.#question]));
  }

  #receive(bytes: Uint8Array): void {
    if (this.#isClosed || bytes.length === 0) return;
    const isOver = this.#asked?.answer.take(bytes) ?? 'broken';
    if (isOver === false) return;
    if (isOver === 'broken') {
      this.fail();
      return;
    }
    const told = this.#asked?.told ?? [];
    this.#asked = null;
    this.#arm(limits.lines.idleMs, () => {
      this.#stream?.close().catch(() => this.#stream?.abort(new Error('it does not end')));
      this.#close(false);
    });
    for (const { done } of told) done(true);
    this.#write();
  }

  #arm(delayMs: number, onTime: () => void): void {
    this.#timer.cancel();
    this.#timer = this.#clock.setTimer(delayMs, onTime);
  }

  #close(hasFailed: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#end.abort();
    this.#timer.cancel();
    this.#onClosed(hasFailed);
    const left = [...(this.#asked?.told ?? []), ...this.#waiting.splice(0)];
    this.#asked = null;
    for (const { done } of left) done(false);
  }
}
