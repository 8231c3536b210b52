/**
 * A web seed (BEP 19) as a peer that has everything: given a run of bytes that may span pieces and files, it asks an
 * HTTP server for byte ranges, checks what comes and hands the bytes on. No I/O, no clock.
 *
 * Life:  idle ── start ──> busy ── run delivered ──> idle
 *          ^                 └── failed ──> waiting (back-off) ── time ──> idle
 *          └────────────────────────────────┘        └── nothing left to hope for ──> dead
 *
 * Rules:
 *  1. One request at a time, one file a request; zeros of pad files are made here.
 *  2. 206 must be the range that was asked (or a beginning of it) of a file of the right length. 200 is taken for the
 *     whole file: what comes before the wanted bytes is skipped if it is short (servers without ranges), else the file
 *     is not to be had here. More bytes than announced, or fewer, are a failure.
 *  3. 401, 403, 404, 410, 416 or a wrong length: that file is not to be had here; its pieces are taken off
 *     `pieces`. When no piece is left the seed is dead. 429, 503 and other errors: back-off from 10 s doubling to 1 h,
 *     or as `Retry-After` says. Redirects by the rules of url-rules.ts.
 *     504 of an ipfs address: nobody has just these bytes now; the pieces with them are left to others.
 *  4. Whether the bytes are right only their hash says: the owner blames this seed as any peer; `handleBan` ends it.
 *
 * Attacker: the torrent's author chooses the URL (url-rules.ts), the server chooses every byte. It costs one request
 * at a time, and no memory: bytes are passed on as they come, never gathered.
 */
import { Bitfield, type Fault, type IpAddress, isLocalAddress } from '@tequio/kernel';
import type { TorrentFile } from '../wire/torrent-info.ts';
import type { FeedRun, FeedSource } from './block-feeder.ts';
import { addressRefused, type CheckedUrl, checkRedirect, checkUrl } from './url-rules.ts';
import { type WebSeedInfo, WebSeedMap, type WebSeedSegment } from './web-seed-map.ts';

export const webSeedLimits = {
  /** Bytes of one request: amortises a round trip, and is what a stalled server can hold back from other peers. */
  requestBytesMax: 8 * 1024 * 1024,
  /** Of one on IPFS, where a part can be missing: no more than one of its blocks has. */
  ipfsRequestBytesMax: 1 << 20,
  /** What a server without ranges may make us skip. */
  skipBytesMax: 4 * 1024 * 1024,
  retryMsMin: 10_000,
  retryMsMax: 3_600_000,
  /** From the request to the head, and the longest silence after it. */
  silenceMs: 30_000,
  /** Failures in a row after which a seed is given up that never gave a byte. */
  hopelessCount: 8,
} as const;

/** Called with bytes that are borrowed until it returns; never across a piece's end. */
export type WebSeedSink = (piece: number, offset: number, bytes: Uint8Array) => void;

export type WebSeedRequest = {
  readonly id: number;
  readonly url: CheckedUrl;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** The body may not be longer. */
  readonly bytesMax: number;
  /** False once a public address has redirected us: local addresses are then refused. */
  readonly localAllowed: boolean;
};

export type WebSeedEffect =
  | { readonly type: 'open'; readonly request: WebSeedRequest }
  /** The request with this id is not wanted any more. */
  | { readonly type: 'abort'; readonly id: number }
  /** All bytes of the run were handed on. */
  | { readonly type: 'done' }
  /** The run broke off; what was handed on counts. `retryAtMs` null: never again. */
  | { readonly type: 'failed'; readonly fault: Fault; readonly retryAtMs: number | null }
  /** These pieces, both ends included, are not to be had here any more. */
  | { readonly type: 'lost'; readonly firstPiece: number; readonly lastPiece: number };

export type WebSeedHead = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly remote: IpAddress;
};

type Request = {
  readonly id: number;
  readonly segment: WebSeedSegment;
  readonly url: CheckedUrl;
  readonly redirectCount: number;
  readonly localAllowed: boolean;
  /** `whole`: the server knows no ranges and sends the file from its beginning. */
  mode: 'no-head' | 'range' | 'whole';
  /** Bytes before the wanted ones, still to come. */
  skipBytes: number;
  /** Wanted bytes still to come. */
  dueBytes: number;
};

type State =
  | { readonly kind: 'idle' }
  /** `at` and `end` are linear bytes. */
  | { readonly kind: 'busy'; at: number; readonly end: number; request: Request | null }
  | { readonly kind: 'waiting'; readonly untilMs: number }
  | { readonly kind: 'dead'; readonly fault: Fault };

const zeros = new Uint8Array(16384);

export class WebSeed implements FeedSource {
  readonly url: string;
  readonly isLocal = false;
  /** 4 MiB, so that a request's round trip costs little. */
  readonly runBlockCountMax = 256;
  /** Pieces that may be asked for; they only get fewer. */
  readonly pieces: Bitfield;
  readonly #info: WebSeedInfo;
  readonly #userAgent: string;
  readonly #map: WebSeedMap | null;
  readonly #requestBytesMax: number;
  #state: State = { kind: 'idle' };
  #effects: WebSeedEffect[] = [];
  #failCount = 0;
  #everGave = false;
  #nextId = 1;

  constructor(options: { readonly url: string; readonly info: WebSeedInfo; readonly userAgent: string }) {
    this.url = options.url;
    this.#info = options.info;
    this.#userAgent = options.userAgent;
    this.pieces = Bitfield.full(options.info.pieceCount);
    const checked = checkUrl(options.url, 'web-seed');
    const isIpfs = checked.ok && checked.value.scheme === 'ipfs';
    this.#requestBytesMax = isIpfs ? webSeedLimits.ipfsRequestBytesMax : webSeedLimits.requestBytesMax;
    this.#map = checked.ok ? new WebSeedMap(checked.value, options.info) : null;
    if (!checked.ok) this.#die(checked.fault);
  }

  /** `idle`: `start` may be called. */
  get state(): State['kind'] {
    return this.#state.kind;
  }

  /** Why it is dead; null while it is not. */
  get fault(): Fault | null {
    return this.#state.kind === 'dead' ? this.#state.fault : null;
  }

  /** idle -> busy. The run's pieces must be in `pieces` and its bytes in the torrent. */
  start(run: FeedRun, sink: WebSeedSink, nowMs: number): void {
    if (this.#state.kind !== 'idle') return;
    const at = run.piece * this.#info.pieceBytes + run.offset;
    const end = Math.min(at + run.bytes, this.#info.totalBytes);
    this.#state = { kind: 'busy', at, end, request: null };
    this.#continue(sink, nowMs);
  }

  /** busy -> idle: the owner needs it no more. */
  stop(): void {
    if (this.#state.kind !== 'busy') return;
    this.#abort();
    this.#state = { kind: 'idle' };
  }

  /** any -> dead: it sent wrong bytes. */
  handleBan(fault: Fault): void {
    this.#abort();
    this.#die(fault);
  }

  /** The head of an answer. */
  handleHead(id: number, head: WebSeedHead, nowMs: number): void {
    const request = this.#tryRequest(id);
    if (request === null || request.mode !== 'no-head') return;
    if ([301, 302, 303, 307, 308].includes(head.status)) this.#redirect(request, head, nowMs);
    else if (head.status === 206) this.#checkRange(request, head.headers['content-range'], nowMs);
    else if (head.status === 200) this.#checkWhole(request, head.headers, nowMs);
    else if (head.status === 504 && request.url.scheme === 'ipfs') this.#loseRange(request.segment, nowMs);
    else if ([401, 403, 404, 410, 416].includes(head.status))
      this.#loseFile(request.segment.file, `it answered with HTTP status ${head.status}`, nowMs);
    else {
      const fault = faultOf('STATUS', `answered with HTTP status ${head.status}`);
      this.#fail(fault, nowMs, tryRetryAfterMs(head.headers));
    }
  }

  /** Bytes of an answer's body, borrowed; those that are wanted go to `sink`. */
  handleBytes(id: number, bytes: Uint8Array, sink: WebSeedSink, nowMs: number): void {
    const request = this.#tryRequest(id);
    if (request === null || request.mode === 'no-head') return;
    const skipped = Math.min(request.skipBytes, bytes.length);
    request.skipBytes -= skipped;
    const wanted = Math.min(bytes.length - skipped, request.dueBytes);
    request.dueBytes -= wanted;
    if (wanted > 0) this.#everGave = true;
    this.#deliver(bytes, skipped, wanted, sink);
    // The sink may have stopped or banned us.
    if (this.#tryRequest(id) === null || request.dueBytes > 0) return;
    if (request.mode === 'whole') {
      // The rest of the file is not wanted.
      this.#abort();
      this.#failCount = 0;
      this.#continue(sink, nowMs);
    } else if (skipped + wanted < bytes.length)
      this.#fail(faultOf('TOO_LONG', 'sent more bytes than it announced'), nowMs, null);
  }

  /** The end of an answer: `error` null when its body is complete. */
  handleEnd(
    id: number,
    error: { readonly code: string; readonly message: string } | null,
    sink: WebSeedSink,
    nowMs: number,
  ): void {
    const request = this.#tryRequest(id);
    if (request === null || this.#state.kind !== 'busy') return;
    this.#state.request = null;
    if (error?.code === 'HTTP_ADDRESS_REFUSED') this.#giveUp(addressRefused(request.url));
    else if (error !== null) this.#fail(faultOf('BROKEN', `cannot be read: ${error.message}`), nowMs, null);
    else if (request.mode === 'no-head' || request.dueBytes > 0)
      this.#fail(faultOf('TOO_SHORT', 'sent fewer bytes than it announced'), nowMs, null);
    else {
      this.#failCount = 0;
      this.#continue(sink, nowMs);
    }
  }

  /** waiting -> idle, when it is time. */
  handleTimeout(nowMs: number): void {
    if (this.#state.kind === 'waiting' && nowMs >= this.#state.untilMs) this.#state = { kind: 'idle' };
  }

  nextTimeoutMs(): number | null {
    return this.#state.kind === 'waiting' ? this.#state.untilMs : null;
  }

  drain(out: WebSeedEffect[]): void {
    for (const effect of this.#effects) out.push(effect);
    this.#effects.length = 0;
  }

  /** Goes on with the run: zeros at once, files by a request; at its end busy -> idle. */
  #continue(sink: WebSeedSink, nowMs: number): void {
    const state = this.#state;
    while (this.#state === state && state.kind === 'busy' && state.at < state.end) {
      const bytesMax = Math.min(state.end - state.at, this.#requestBytesMax);
      const segment = this.#map!.segmentAt(state.at, bytesMax);
      if (!segment.file.pad) {
        this.#ask(segment, nowMs);
        return;
      }
      const count = Math.min(segment.bytes, zeros.length);
      this.#deliver(zeros, 0, count, sink);
    }
    // A sink that has stopped or banned us, or started the next run, has decided already.
    if (this.#state !== state) return;
    this.#state = { kind: 'idle' };
    this.#effects.push({ type: 'done' });
  }

  #ask(segment: WebSeedSegment, nowMs: number): void {
    const text = this.#map!.tryUrlOf(segment.file);
    const url = text === null ? null : checkUrl(text, 'web-seed');
    if (url === null) this.#loseFile(segment.file, 'its name cannot stand in a URL', nowMs);
    else if (!url.ok) this.#loseFile(segment.file, url.fault.message, nowMs);
    else this.#open(segment, url.value, 0, true);
  }

  #open(segment: WebSeedSegment, url: CheckedUrl, redirectCount: number, localAllowed: boolean): void {
    if (this.#state.kind !== 'busy') return;
    const id = this.#nextId++;
    const dueBytes = segment.bytes;
    this.#state.request = {
      id,
      segment,
      url,
      redirectCount,
      localAllowed,
      mode: 'no-head',
      skipBytes: 0,
      dueBytes,
    };
    const range = `bytes=${segment.offset}-${segment.offset + segment.bytes - 1}`;
    // Compressed bytes have other ranges.
    const headers = { range, 'user-agent': this.#userAgent, 'accept-encoding': 'identity' };
    const timeoutMs = webSeedLimits.silenceMs;
    this.#effects.push({
      type: 'open',
      request: { id, url, headers, timeoutMs, bytesMax: segment.file.bytes, localAllowed },
    });
  }

  #redirect(request: Request, head: WebSeedHead, nowMs: number): void {
    const next = checkRedirect(request.url, head.headers['location'], request.redirectCount);
    if (!next.ok) {
      this.#fail(next.fault, nowMs, null);
      return;
    }
    this.#abort();
    const localAllowed = request.localAllowed && isLocalAddress(head.remote);
    this.#open(request.segment, next.value, request.redirectCount + 1, localAllowed);
  }

  /** `bytes 0-499/1234`, or `*` for the length (RFC 9110, section 14.4). */
  #checkRange(request: Request, contentRange: string | undefined, nowMs: number): void {
    const { file, offset, bytes } = request.segment;
    const match = /^\s*bytes\s+(\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)\s*$/i.exec(contentRange ?? '');
    if (match === null) {
      this.#fail(faultOf('RANGE', 'does not say which bytes it sends'), nowMs, null);
      return;
    }
    const [first, last] = [Number(match[1]), Number(match[2])];
    if (match[3] !== '*' && Number(match[3]) !== file.bytes)
      this.#loseFile(file, `it has ${match[3]} bytes there, not ${file.bytes}`, nowMs);
    else if (first !== offset || last < first || last >= offset + bytes)
      this.#fail(faultOf('RANGE', 'sends other bytes than were asked'), nowMs, null);
    else {
      request.mode = 'range';
      request.dueBytes = last - first + 1;
    }
  }

  #checkWhole(request: Request, headers: Readonly<Record<string, string>>, nowMs: number): void {
    const { file, offset } = request.segment;
    const length = headers['content-length'];
    if (length !== undefined && headers['content-encoding'] === undefined && Number(length) !== file.bytes)
      this.#loseFile(file, `it has ${length.slice(0, 20)} bytes there, not ${file.bytes}`, nowMs);
    else if (offset > webSeedLimits.skipBytesMax)
      this.#loseFile(file, 'the server does not send parts of files', nowMs);
    else {
      request.mode = 'whole';
      request.skipBytes = offset;
    }
  }

  /** Hands on `count` bytes from `from`, cut at the ends of pieces. */
  #deliver(bytes: Uint8Array, from: number, count: number, sink: WebSeedSink): void {
    const state = this.#state;
    const { pieceBytes } = this.#info;
    const end = from + count;
    for (let at = from; at < end && this.#state === state && state.kind === 'busy'; ) {
      const piece = Math.floor(state.at / pieceBytes);
      const offset = state.at - piece * pieceBytes;
      const partBytes = Math.min(end - at, pieceBytes - offset);
      state.at += partBytes;
      sink(piece, offset, bytes.subarray(at, at + partBytes));
      at += partBytes;
    }
  }

  /** busy -> waiting, or dead when there is no hope. */
  #fail(fault: Fault, nowMs: number, retryAfterMs: number | null): void {
    this.#abort();
    this.#failCount++;
    if (!this.#everGave && this.#failCount >= webSeedLimits.hopelessCount) {
      this.#giveUp(fault);
      return;
    }
    const doubledMs = webSeedLimits.retryMsMin * 2 ** Math.min(this.#failCount - 1, 20);
    const waitMs = Math.min(Math.max(doubledMs, retryAfterMs ?? 0), webSeedLimits.retryMsMax);
    const retryAtMs = nowMs + waitMs;
    this.#state = { kind: 'waiting', untilMs: retryAtMs };
    this.#effects.push({ type: 'failed', fault, retryAtMs });
  }

  /** busy -> idle, or dead when no piece is left. */
  #loseFile(file: TorrentFile, why: string, nowMs: number): void {
    const [firstPiece, lastPiece] = this.#map!.piecesOf(file);
    this.#losePieces(firstPiece, lastPiece, `does not have ${file.path}: ${why}`, nowMs);
  }

  #loseRange({ file, offset, bytes }: WebSeedSegment, nowMs: number): void {
    const { pieceBytes } = this.#info;
    const from = file.offset + offset;
    const [first, last] = [Math.floor(from / pieceBytes), Math.floor((from + bytes - 1) / pieceBytes)];
    this.#losePieces(first, last, `does not have a part of ${file.path} at present`, nowMs);
  }

  #losePieces(firstPiece: number, lastPiece: number, what: string, nowMs: number): void {
    this.#abort();
    for (let piece = firstPiece; piece <= lastPiece; piece++) this.pieces.clear(piece);
    this.#effects.push({ type: 'lost', firstPiece, lastPiece });
    const fault = faultOf('FILE', what);
    if (this.pieces.isEmpty) {
      this.#giveUp(fault);
      return;
    }
    this.#state = { kind: 'idle' };
    this.#effects.push({ type: 'failed', fault, retryAtMs: nowMs });
  }

  /** busy -> dead. */
  #giveUp(fault: Fault): void {
    this.#die(fault);
    this.#effects.push({ type: 'failed', fault, retryAtMs: null });
  }

  #die(fault: Fault): void {
    this.#state = { kind: 'dead', fault };
    this.pieces.clearAll();
  }

  #abort(): void {
    if (this.#state.kind !== 'busy' || this.#state.request === null) return;
    this.#effects.push({ type: 'abort', id: this.#state.request.id });
    this.#state.request = null;
  }

  #tryRequest(id: number): Request | null {
    const request = this.#state.kind === 'busy' ? this.#state.request : null;
    return request?.id === id ? request : null;
  }
}

/** Seconds, or a date, which is compared with the server's own (RFC 9110, section 10.2.3): its clock may be wrong. */
function tryRetryAfterMs(headers: Readonly<Record<string, string>>): number | null {
  const text = headers['retry-after'];
  if (text === undefined) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const waitMs = Date.parse(text) - Date.parse(headers['date'] ?? '');
  return Number.isFinite(waitMs) && waitMs > 0 ? waitMs : null;
}

function faultOf(code: string, what: string): Fault {
  return {
    code: `BITTORRENT_WEB_SEED_${code}`,
    message: `The web seed ${what}.`,
    blame: 'web-seed',
    penalty: 0,
  };
}
