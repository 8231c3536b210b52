/**
 * As much HTTP/1.1 as talking to a router's UPnP server takes: one request, one answer, then the connection ends.
 * More forgiving than a strict parser, for these servers are often made badly: bare line feeds, no length (the end of
 * the connection is the end of the body), a reason phrase that is missing.
 */
import { concatBytes, decodeUtf8Lossy, encodeUtf8, type Fault, toLatin1 } from '@tequio/kernel';
import { routerFault } from './mapping.ts';

export const httpMessageLimits = {
  headBytes: 16 * 1024,
  /** Of a description or an answer; those seen are under 40 KiB. */
  bodyBytes: 192 * 1024,
  chunkHeadCharacters: 64,
} as const;

export type HttpMessage = { readonly status: number; readonly body: string };

export function encodeHttpRequest(request: {
  readonly method: 'GET' | 'POST';
  /** Of the URL: `192.168.1.1:5000`. */
  readonly host: string;
  /** With its query, beginning with `/`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}): Uint8Array {
  const body = encodeUtf8(request.body);
  const lines = [
    `${request.method} ${request.path} HTTP/1.1`,
    `Host: ${request.host}`,
    'Connection: close',
    ...Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`),
    ...(request.method === 'POST' ? [`Content-Length: ${body.length}`] : []),
  ];
  return concatBytes([encodeUtf8(`${lines.join('\r\n')}\r\n\r\n`), body]);
}

type Head = { readonly status: number; readonly bodyBytes: number | null; readonly isChunked: boolean };

/**
 * Gathers the bytes of one answer:
 *
 *   head -> body (by length, in chunks, or until the end) -> done
 */
export class HttpMessageReader {
  readonly #parts: Uint8Array[] = [];
  #receivedBytes = 0;
  #head: Head | null = null;
  #result: HttpMessage | Fault | null = null;

  /** The message or why there is none; null: more is needed. Once decided it stays. */
  get result(): HttpMessage | Fault | null {
    return this.#result;
  }

  /** Takes the next bytes, which are copied. */
  handleBytes(bytes: Uint8Array): void {
    if (this.#result !== null) return;
    this.#receivedBytes += bytes.length;
    if (this.#receivedBytes > httpMessageLimits.headBytes + httpMessageLimits.bodyBytes) {
      this.#result = tooLong;
      return;
    }
    this.#parts.push(new Uint8Array(bytes));
    this.#read(false);
  }

  /** The connection has ended. */
  handleEnd(): void {
    if (this.#result === null) this.#read(true);
    this.#result ??= badSyntax;
  }

  #read(isEnded: boolean): void {
    const whole = this.#parts.length === 1 ? this.#parts[0]! : concatBytes(this.#parts);
    this.#parts.length = 0;
    this.#parts.push(whole);
    while (this.#head === null) {
      const rest = this.#tryReadHead(this.#parts[0]!);
      if (rest === null) return;
      this.#parts[0] = rest;
    }
    const body = this.#parts[0]!;
    const { status, bodyBytes, isChunked } = this.#head;
    if (isChunked) {
      const joined = joinChunks(body);
      if (joined !== null)
        this.#result = 'code' in joined ? joined : { status, body: decodeUtf8Lossy(joined.body) };
    } else if (bodyBytes !== null && body.length >= bodyBytes) {
      this.#result = { status, body: decodeUtf8Lossy(body.subarray(0, bodyBytes)) };
    } else if (isEnded) {
      // Also when the length promised more: some count wrongly, and XML shows by itself whether it is whole.
      this.#result = { status, body: decodeUtf8Lossy(body) };
    } else if (body.length > httpMessageLimits.bodyBytes) this.#result = tooLong;
  }

  /** The bytes behind the head; null: it is not whole yet, or bad. Heads of 1xx answers are passed over. */
  #tryReadHead(bytes: Uint8Array): Uint8Array | null {
    const text = toLatin1(bytes.subarray(0, httpMessageLimits.headBytes));
    const end = /\r?\n\r?\n/.exec(text);
    if (end === null) {
      if (bytes.length >= httpMessageLimits.headBytes) this.#result = tooLong;
      return null;
    }
    const [first = '', ...lines] = text.slice(0, end.index).split(/\r?\n/);
    const status = Number(/^HTTP\/1\.[01] (\d{3})\b/.exec(first)?.[1] ?? Number.NaN);
    if (Number.isNaN(status)) {
      this.#result = badSyntax;
      return null;
    }
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
    }
    if (status >= 200) this.#head = headOf(status, headers);
    return bytes.subarray(end.index + end[0].length);
  }
}

function headOf(status: number, headers: ReadonlyMap<string, string>): Head {
  const length = headers.get('content-length') ?? '';
  return {
    status,
    isChunked: /\bchunked$/i.test(headers.get('transfer-encoding') ?? ''),
    bodyBytes: status === 204 || status === 304 ? 0 : /^\d{1,9}$/.test(length) ? Number(length) : null,
  };
}

/** The body of whole chunks; null: the last one is not there yet. */
function joinChunks(bytes: Uint8Array): { readonly body: Uint8Array } | Fault | null {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (;;) {
    const head = toLatin1(bytes.subarray(at, at + httpMessageLimits.chunkHeadCharacters));
    const lineEnd = head.indexOf('\n');
    if (lineEnd < 0) return head.length < httpMessageLimits.chunkHeadCharacters ? null : badSyntax;
    const length = Number.parseInt(/^[0-9a-fA-F]{1,6}(?=[;\s])/.exec(head)?.[0] ?? '', 16);
    if (Number.isNaN(length)) return badSyntax;
    if (length === 0) return { body: concatBytes(parts) };
    const start = at + lineEnd + 1;
    if (start + length > bytes.length) return null;
    parts.push(bytes.subarray(start, start + length));
    at = start + length;
    if (bytes[at] === 13) at++;
    if (at >= bytes.length) return null;
    if (bytes[at] !== 10) return badSyntax;
    at++;
  }
}

const badSyntax = routerFault('NETWORK_ROUTER_HTTP', 'The router’s answer is no HTTP.');
const tooLong = routerFault('NETWORK_ROUTER_HTTP_TOO_LONG', 'The router’s answer is too long.');
