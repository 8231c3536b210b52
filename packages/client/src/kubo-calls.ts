/** Calls of a running node in the words of kubo's RPC: for a command line that has kubo's verbs. */
import { NodeError } from '@tequio/kernel';

export type KuboCall = {
  /** `files/ls`. */
  readonly verb: string;
  /** Arguments and options as they go over the wire: `[['arg', '/'], ['long', 'true']]`. */
  readonly query: readonly (readonly [string, string])[];
  /** The one file of verbs that take one. */
  readonly content?: Uint8Array;
};

export type KuboReply = {
  /** Content, or else lines of JSON. */
  readonly isContent: boolean;
  readonly body: AsyncIterable<Uint8Array>;
};

/** @throws NodeError `HTTP_UNREACHABLE`; `IPFS_CALL` with the node's sentence */
export async function callKubo(
  at: { readonly url: string; readonly token: string },
  { verb, query, content }: KuboCall,
  signal: AbortSignal,
): Promise<KuboReply> {
  const base = at.url.split('#')[0]!.replace(/\/*$/, '');
  const url = `${base}/api/v0/${verb}?${new URLSearchParams(query.map(([name, value]): [string, string] => [name, value]))}`;
  let body: FormData | null = null;
  if (content !== undefined) {
    body = new FormData();
    body.set('file', new Blob([content.slice()]), 'file');
  }
  const headers = { authorization: `Bearer ${at.token}` };
  const answer = await fetch(url, { method: 'POST', headers, body, signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new NodeError('HTTP_UNREACHABLE', `The node does not answer at ${base}/.`, { op: 'call', cause });
  });
  if (!answer.ok) throw new NodeError('IPFS_CALL', sentenceOf(await answer.text()), { op: verb });
  return {
    isContent: answer.headers.has('x-stream-output'),
    body: answer.body ?? new ReadableStream<Uint8Array>({ start: (stream) => stream.close() }),
  };
}

/** Values of an answer, a line each. A last line with nothing but an error is thrown. @throws NodeError `IPFS_CALL` */
export async function* jsonLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true });
    const whole = rest.split('\n');
    rest = whole.pop()!;
    for (const line of whole) if (line !== '') yield readValue(line);
  }
  if (rest.trim() !== '') yield readValue(rest);
}

function readValue(line: string): unknown {
  const value: unknown = JSON.parse(line);
  const { Message, Type } = (value ?? {}) as { readonly Message?: unknown; readonly Type?: unknown };
  if (Type === 'error' && typeof Message === 'string')
    throw new NodeError('IPFS_CALL', Message, { op: 'call' });
  return value;
}

function sentenceOf(text: string): string {
  try {
    const { Message } = JSON.parse(text) as { readonly Message?: unknown };
    if (typeof Message === 'string') return Message;
  } catch {
    // Not from the node's RPC.
  }
  return text.slice(0, 500).trim();
}
