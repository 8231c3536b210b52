/** A whole answer over the HTTP port, in memory. */
import type { HttpClient, HttpRequest } from '@tequio/kernel';

export type FetchedAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};

export type FetchOptions = Pick<HttpRequest, 'headers' | 'timeoutMs' | 'bytesMax' | 'allowAddress'> & {
  readonly signal?: AbortSignal;
};

/** Null: no answer came (or one that is too long), or `signal` was first. Redirects are not followed. */
export function tryFetch(
  http: HttpClient,
  url: string,
  options: FetchOptions,
): Promise<FetchedAnswer | null> {
  const { signal, ...request } = options;
  if (signal?.aborted === true) return Promise.resolve(null);
  return new Promise((resolve) => {
    let head: { readonly status: number; readonly headers: Readonly<Record<string, string>> } | null = null;
    const parts: Uint8Array[] = [];
    let bytes = 0;
    const finish = (answer: FetchedAnswer | null): void => {
      signal?.removeEventListener('abort', onAbort);
      resolve(answer);
    };
    const exchange = http.open(
      { method: 'GET', url, ...request },
      {
        onHead: (got) => {
          head = got;
        },
        onBytes: (part) => {
          bytes += part.length;
          parts.push(part.slice());
        },
        onEnd: (error) => {
          if (error !== null || head === null) return finish(null);
          const body = new Uint8Array(bytes);
          let at = 0;
          for (const part of parts) {
            body.set(part, at);
            at += part.length;
          }
          finish({ ...head, body });
        },
      },
    );
    const onAbort = (): void => {
      exchange.abort();
      finish(null);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
