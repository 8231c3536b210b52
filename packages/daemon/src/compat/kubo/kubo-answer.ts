/** What verbs answer, as kubo's clients expect it on the wire. */
import { NodeError, type WebResponse } from '@tequio/kernel';
import { closedAfter } from '../../http/closed-after.ts';
import { KuboUsageError } from './kubo-call.ts';

export type KuboAnswer =
  /** One JSON value, with a line's end. */
  | { readonly kind: 'value'; readonly value: unknown }
  /** JSON values as they come, a line each. */
  | {
      readonly kind: 'values';
      readonly values: AsyncIterable<unknown>;
      /** The client is told at once that it is being answered, and waits for values as long as it likes. */
      readonly isLive?: boolean;
    }
  /** Bytes as they come. */
  | {
      readonly kind: 'bytes';
      readonly bytes: AsyncIterable<Uint8Array>;
      readonly type?: string;
      readonly length?: number;
    }
  | { readonly kind: 'nothing' };

export const nothing: KuboAnswer = { kind: 'nothing' };

export function value(of: unknown): KuboAnswer {
  return { kind: 'value', value: of };
}

export function values(of: AsyncIterable<unknown>): KuboAnswer {
  return { kind: 'values', values: of };
}

/** A list of values that has none. */
export function noValues(): KuboAnswer {
  return values(none());
}

async function* none(): AsyncGenerator<unknown> {}

/** Values that come when something happens; see `isLive`. */
export function live(of: AsyncIterable<unknown>): KuboAnswer {
  return { kind: 'values', values: of, isLive: true };
}

export function bytes(
  of: AsyncIterable<Uint8Array>,
  more: { readonly type?: string; readonly length?: number } = {},
): KuboAnswer {
  return { kind: 'bytes', bytes: of, ...more };
}

const common = {
  'cache-control': 'no-store',
  server: 'tequio',
  'x-content-type-options': 'nosniff',
  vary: 'Origin',
};

/** The response to a verb; `close` is called when all of it is written, or when it fails. */
export async function closing(
  run: () => KuboAnswer | Promise<KuboAnswer>,
  close: () => void,
): Promise<WebResponse> {
  let isStream = false;
  try {
    const answer = await run();
    const until = <Item>(items: AsyncIterable<Item>): AsyncIterable<Item> => {
      isStream = true;
      return closedAfter(items, close);
    };
    if (answer.kind === 'values') return await responseOf({ ...answer, values: until(answer.values) });
    if (answer.kind === 'bytes') return await responseOf({ ...answer, bytes: until(answer.bytes) });
    return await responseOf(answer);
  } finally {
    if (!isStream) close();
  }
}

/** Waits for the first value or bytes, so that what fails at once has its own status. */
export async function responseOf(answer: KuboAnswer): Promise<WebResponse> {
  switch (answer.kind) {
    case 'nothing':
      return { status: 200, headers: { ...common, 'content-type': 'text/plain' }, body: '' };
    case 'value':
      return {
        status: 200,
        headers: { ...common, 'content-type': 'application/json' },
        body: line(answer.value),
      };
    case 'values':
      return {
        status: 200,
        headers: { ...common, 'content-type': 'application/json', 'x-chunked-output': '1' },
        body: answer.isLive === true ? lines(answer.values) : await begun(lines(answer.values)),
      };
    case 'bytes':
      return {
        status: 200,
        headers: {
          ...common,
          'content-type': answer.type ?? 'application/octet-stream',
          'x-stream-output': '1',
          ...(answer.length === undefined ? {} : { 'x-content-length': String(answer.length) }),
        },
        body: await begun(answer.bytes),
      };
  }
}

/** Words of kubo's that programs look for, by our codes; our sentence stands behind them. */
const kuboWords: Readonly<Record<string, string>> = {
  IPFS_BLOCK_MISSING: 'block was not found locally (offline): ipld: could not find it',
  IPFS_FILES_EXISTS: 'directory already has entry by that name',
  IPFS_FILES_MISSING: 'file does not exist',
  IPFS_NOT_A_FOLDER: 'Not a directory',
  IPFS_NAME: 'could not resolve name: not found',
  IPFS_PIN_RECURSIVE: 'already pinned recursively',
  IPFS_PIN_NONE: 'not pinned, or not recursively pinned',
};

/** What went wrong, for somebody who reads it and for programs that know kubo. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const words = error instanceof NodeError ? kuboWords[error.code] : undefined;
  return words === undefined ? error.message : `${words}: ${error.message}`;
}

export function errorResponse(error: unknown): WebResponse | null {
  if (error instanceof KuboUsageError) return problem(400, error.message, 1);
  if (error instanceof NodeError)
    return problem(error.code === 'HTTP_MULTIPART' ? 400 : 500, sentenceOf(error), 0);
  if (error instanceof DOMException)
    return problem(500, error.name === 'TimeoutError' ? 'context deadline exceeded' : 'context canceled', 0);
  return null;
}

export function problem(status: number, message: string, code: number): WebResponse {
  const body = line({ Message: message, Code: code, Type: 'error' });
  return { status, headers: { ...common, 'content-type': 'application/json' }, body };
}

function line(of: unknown): string {
  return `${JSON.stringify(of)}\n`;
}

async function* lines(of: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const one of of) yield line(one);
}

async function begun<Item>(items: AsyncIterable<Item>): Promise<AsyncIterable<Item>> {
  const iterator = items[Symbol.asyncIterator]();
  let first: IteratorResult<Item> | null = await iterator.next();
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const next = first ?? (await iterator.next());
        first = null;
        return next;
      },
      async return() {
        await iterator.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
}
