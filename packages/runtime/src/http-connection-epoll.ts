/**
 * One connection of http-server-epoll.ts:
 *
 *   reading ── head complete ──> answering ── all sent ──> reading
 *      │                            └── the last answer ──> ending ──> closed
 *      └── the other side's end, an error, no HTTP, the deadline ─────────^
 *
 * Only an answer moves the deadline, and its going out: a byte sent to us now and then does not. Nothing is read while
 * an answer waits to be sent: who does not take answers asks for no more of them.
 */
import type { Endpoint, HttpServerRequest, HttpServerResponse } from '@tequio/kernel';
import { type HttpRequestHead, parseRequestHead } from './http-request-head.ts';
import type { HttpServerLimits } from './http-server-limits.ts';
import type { Libc } from './libc.ts';
import { type StreamCalls, streamNumbers } from './libc-streams.ts';
import { http } from './node-http.ts';

export type EpollHttpDeps = {
  readonly libc: Libc;
  readonly calls: StreamCalls;
  readonly epoll: number;
  readonly limits: HttpServerLimits;
  readonly handle: (request: HttpServerRequest) => HttpServerResponse;
};

const headEnd = '\r\n\r\n';
const emptyBody = new Uint8Array(0);
const badRequest: HttpServerResponse = { status: 400, headers: {}, body: emptyBody };

export class EpollHttpConnection {
  /** When it is closed, unless a request is answered before. */
  #deadlineMs: number;
  readonly #deps: EpollHttpDeps;
  readonly #remote: Endpoint;
  readonly #closed: () => void;
  /** -1: closed. The system may give the number to somebody else at once. */
  #fd: number;
  /** What it waits for; 0: the epoll does not know it yet. */
  #events = 0;
  /** Received and not used, as Latin-1. */
  #text = '';
  #requestCount = 0;
  /** What the system has not taken of an answer. */
  #unsent: Uint8Array | null = null;
  /** The answer under way is the last one. */
  #isLast = false;
  /** After the head comes something that nobody reads. */
  #hasBody = false;
  #isEnding = false;

  constructor(
    deps: EpollHttpDeps,
    { fd, remote }: { readonly fd: number; readonly remote: Endpoint },
    closed: () => void,
    nowMs: number,
  ) {
    this.#deps = deps;
    this.#fd = fd;
    this.#remote = remote;
    this.#closed = closed;
    this.#deadlineMs = nowMs + deps.limits.headTimeoutMs;
  }

  /** It can be read or written, or has an error, which the next call tells. */
  handleReady(): void {
    const unsent = this.#unsent;
    if (unsent === null) {
      this.receive();
      return;
    }
    this.#unsent = null;
    this.#send(unsent, this.#deps.libc.addressOf(unsent), unsent.length);
    this.#work();
  }

  /** Takes what is there, once: who sends without end has his turn like others. */
  receive(): void {
    const { calls, libc } = this.#deps;
    const bytes = calls.receive(this.#fd);
    if (bytes < 0 && streamNumbers.laterErrors.has(libc.errno())) this.#wait();
    else if (bytes <= 0) this.close();
    else if (!this.#isEnding) {
      this.#text += calls.received.toString('latin1', 0, bytes);
      this.#work();
    }
  }

  /** Its time may be over. What has come meanwhile counts: the delay may be ours. */
  expire(nowMs: number): void {
    if (nowMs < this.#deadlineMs) return;
    this.handleReady();
    if (nowMs >= this.#deadlineMs) this.close();
  }

  close(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    this.#unsent = null;
    this.#closed();
    this.#deps.libc.close(fd);
  }

  /** Answers what is complete, one after the other. */
  #work(): void {
    while (this.#fd >= 0 && this.#unsent === null && !this.#isEnding && this.#tryAnswer()) {}
    if (this.#fd >= 0) this.#wait();
  }

  /** False: there is no whole head, or the connection is closed. */
  #tryAnswer(): boolean {
    // Empty lines before a request are none of it (RFC 9112, section 2.2).
    let start = 0;
    while (this.#text.startsWith('\r\n', start)) start += 2;
    const end = this.#text.indexOf(headEnd, start);
    if (end < 0) this.#text = this.#text.slice(start);
    const isLong = (end < 0 ? this.#text.length : end - start) > this.#deps.limits.headBytes;
    const head = end < 0 || isLong ? null : parseRequestHead(this.#text.slice(start, end));
    if (isLong || (end >= 0 && head === null)) this.close();
    if (head === null) return false;
    this.#text = this.#text.slice(end + headEnd.length);
    this.#answer(head);
    return true;
  }

  #answer(head: HttpRequestHead): void {
    const { calls, handle, limits } = this.#deps;
    const { method, target, headers, hasBody } = head;
    const isLast = !head.keepsAlive || ++this.#requestCount >= limits.requestsPerConnection;
    this.#hasBody = hasBody;
    this.#isLast = isLast || hasBody || head.lacksHost;
    this.#deadlineMs = performance.now() + limits.silenceMs;
    const response = head.lacksHost ? badRequest : handle({ method, target, headers, remote: this.#remote });
    const body = method === 'HEAD' ? emptyBody : response.body;
    const text = answerHead(response, this.#isLast);
    const bytes = text.length + body.length;
    // The usual answer has its place, whose address is known; a long one gets memory of its own.
    const isUsual = bytes <= calls.outgoing.length;
    const memory = isUsual ? calls.outgoing : Buffer.allocUnsafeSlow(bytes);
    memory.write(text, 0, 'latin1');
    memory.set(body, text.length);
    this.#send(memory, isUsual ? calls.outgoingAt : this.#deps.libc.addressOf(memory), bytes);
  }

  /** Sends, and keeps what the system does not take. @param at where the bytes lie */
  #send(bytes: Uint8Array, at: number, length: number): void {
    const { calls, libc } = this.#deps;
    let done = 0;
    while (done < length) {
      const sent = calls.send(this.#fd, at + done, length - done);
      if (sent >= 0) {
        done += sent;
        this.#deadlineMs = performance.now() + this.#deps.limits.silenceMs;
      } else if (!streamNumbers.laterErrors.has(libc.errno())) return void this.close();
      else {
        // The usual place is needed for the next answer to anybody.
        this.#unsent = bytes === calls.outgoing ? bytes.slice(done, length) : bytes.subarray(done, length);
        return;
      }
    }
    if (this.#isLast) this.#end();
    else this.#deadlineMs = performance.now() + this.#deps.limits.idleMs;
  }

  /** Closing with something unread would be a reset, which takes the answer away from the other side. */
  #end(): void {
    if (!this.#hasBody && this.#text === '') return void this.close();
    this.#isEnding = true;
    this.#text = '';
    this.#deps.calls.shutdown(this.#fd);
    this.#deadlineMs = performance.now() + this.#deps.limits.lingerMs;
  }

  /** Waits to read, or to write when there is something to write. */
  #wait(): void {
    const { calls, epoll } = this.#deps;
    const events = this.#unsent === null ? streamNumbers.readable : streamNumbers.writable;
    if (this.#events === events) return;
    calls.epollSet(this.#events === 0 ? 'add' : 'change', epoll, this.#fd, events);
    this.#events = events;
  }
}

/** What is the same in all answers with these headers: servers give the same object again and again. */
const fixedHeads = new WeakMap<
  HttpServerResponse['headers'],
  { readonly status: number; readonly text: string }
>();

function answerHead({ status, headers, body }: HttpServerResponse, isLast: boolean): string {
  let fixed = fixedHeads.get(headers);
  if (fixed?.status !== status) {
    let text = `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? ''}\r\n`;
    for (const name in headers) text += `${name}: ${headers[name]}\r\n`;
    fixed = { status, text };
    fixedHeads.set(headers, fixed);
  }
  const connection = isLast ? 'close' : 'keep-alive';
  return `${fixed.text}content-length: ${body.length}\r\ndate: ${dateText()}\r\nconnection: ${connection}${headEnd}`;
}

let dateOfMs = 0;
let dateOf = '';

/** Made once a second. */
function dateText(): string {
  const nowMs = Date.now();
  if (nowMs - dateOfMs >= 1000 || nowMs < dateOfMs) {
    dateOfMs = nowMs - (nowMs % 1000);
    dateOf = new Date(nowMs).toUTCString();
  }
  return dateOf;
}
