/** What an action gives back, as it goes over the wire. */
import type { WebResponse } from '@tequio/kernel';

/** An answer with another status than 200, or one that is found elsewhere. */
export class ApiAnswer {
  readonly response: WebResponse;

  constructor(response: WebResponse) {
    this.response = response;
  }

  /** It has been begun: the same call, made later, gives the whole. */
  static begun(value: unknown): ApiAnswer {
    return new ApiAnswer({ ...json(value), status: 202 });
  }

  static at(url: string): ApiAnswer {
    return new ApiAnswer({
      status: 307,
      headers: { location: url, 'cache-control': 'no-store' },
      body: null,
    });
  }
}

/** Bytes are a torrent file, text is text, nothing is an empty answer; all else is JSON. */
export function answerOf(result: unknown): WebResponse {
  if (result instanceof ApiAnswer) return result.response;
  if (result === undefined) return text(200, '');
  if (typeof result === 'string') return text(200, result);
  if (!(result instanceof Uint8Array)) return json(result);
  return { status: 200, headers: { 'content-type': 'application/x-bittorrent' }, body: result };
}

export function json(value: unknown): WebResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(value),
  };
}

export function text(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): WebResponse {
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=UTF-8', 'cache-control': 'no-store', ...headers },
    body,
  };
}
