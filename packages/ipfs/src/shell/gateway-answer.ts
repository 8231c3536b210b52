/** An answer of the gateway before it is sent: what it is, how it is named and kept, and how its bytes are had. */
import { emptyBytes, type WebResponse } from '@tequio/kernel';
import { crossOriginHeaders, matchesEtag, readRange, sandboxPolicy } from '../core/gateway-headers.ts';

/** What of the request an answer depends on. */
export type AnswerRequest = {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborted when the reader has gone. */
  readonly signal: AbortSignal;
};

export type GatewayAnswer = {
  readonly status: number;
  readonly type: string;
  readonly etag: string;
  /** Absent: not to be kept. */
  readonly caching?: string;
  readonly disposition?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Null: as long as it turns out to be; then there are no ranges. */
  readonly bytes: number | null;
  /** The bytes from `from` to `to` (exclusive). */
  read(from: number, to: number): AsyncIterable<Uint8Array> | Uint8Array;
};

const activeTypes = /^(?:text\/html|application\/xhtml\+xml|image\/svg\+xml|text\/xml|application\/xml)/;

/** @param sharesOrigin strangers' pages are to be kept apart from each other */
export async function sendAnswer(
  request: AnswerRequest,
  answer: GatewayAnswer,
  sharesOrigin: boolean,
): Promise<WebResponse> {
  const headers: Record<string, string> = {
    ...crossOriginHeaders,
    etag: answer.etag,
    'content-type': answer.type,
    'accept-ranges': answer.bytes === null ? 'none' : 'bytes',
    ...(answer.caching === undefined ? null : { 'cache-control': answer.caching }),
    ...(answer.disposition === undefined ? null : { 'content-disposition': answer.disposition }),
    ...(sharesOrigin && activeTypes.test(answer.type) ? { 'content-security-policy': sandboxPolicy } : null),
    ...answer.headers,
  };
  if (matchesEtag(request.headers['if-none-match'], answer.etag)) return { status: 304, headers, body: null };
  const isHead = request.method === 'HEAD';
  if (answer.bytes === null) {
    const body = isHead ? noPieces : await primed(answer.read(0, Number.POSITIVE_INFINITY));
    return { status: answer.status, headers, body };
  }
  const ifRange = request.headers['if-range'];
  const mayRange = answer.status === 200 && (ifRange === undefined || ifRange === answer.etag);
  const range = mayRange ? readRange(request.headers['range'], answer.bytes) : null;
  if (range === 'unsatisfiable')
    return {
      status: 416,
      headers: { ...headers, 'content-range': `bytes */${answer.bytes}` },
      body: emptyBytes,
    };
  const { from, to } = range ?? { from: 0, to: answer.bytes };
  if (range !== null) headers['content-range'] = `bytes ${from}-${to - 1}/${answer.bytes}`;
  headers['content-length'] = String(to - from);
  const body = isHead ? null : await primed(answer.read(from, to));
  return { status: range === null ? answer.status : 206, headers, body };
}

/** Of an answer whose length is not known, and is not said. */
const noPieces: AsyncIterable<Uint8Array> = { async *[Symbol.asyncIterator]() {} };

/** Waits for the first piece, so that what fails at once fails with a status of its own. */
async function primed(
  body: AsyncIterable<Uint8Array> | Uint8Array,
): Promise<AsyncIterable<Uint8Array> | Uint8Array> {
  if (body instanceof Uint8Array) return body;
  const iterator = body[Symbol.asyncIterator]();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  // A few headers of an archive say nothing of what comes; some bytes more do.
  while (bytes < 4096) {
    const next = await iterator.next();
    if (next.done === true) return concatenate(pieces);
    pieces.push(next.value);
    bytes += next.value.length;
  }
  return {
    async *[Symbol.asyncIterator]() {
      try {
        yield* pieces;
        for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
          yield next.value;
      } finally {
        await iterator.return?.();
      }
    },
  };
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** A short answer in words, which nobody keeps. */
export function plainAnswer(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): WebResponse {
  return {
    status,
    headers: { ...crossOriginHeaders, 'content-type': 'text/plain; charset=utf-8', ...headers },
    body: `${text}\n`,
  };
}
