import {
  apiPrefix,
  encodeQuery,
  type Route,
  type RouteInput,
  type RouteName,
  type RouteResult,
  routes,
} from '@tequio/api/routes';
import { NodeError } from '@tequio/kernel';

export type CallOptions = {
  /** Of the node, with its base path: `http://127.0.0.1:27270/`. */
  readonly url: string;
  /** The node's token or a key; null: the browser's cookie says who asks. */
  readonly token: string | null;
};

/** How long an answer may take; some calls do work that takes its time. */
const answerMs = 60_000;
const slowAnswerMs = 10 * 60_000;
const slowRoutes: ReadonlySet<RouteName> = new Set([
  'torrents.add',
  'torrents.create',
  'torrents.verify',
  'torrents.preview',
  'torrents.move',
  'torrents.makeTwin',
  'torrents.remove',
  'ipfs.pin',
  'ipfs.collect',
  'dht.lookup',
  'dht.get',
  'dht.put',
  'dht.sample',
  'bridge.torrentToIpfs',
  'bridge.ipfsToTorrent',
  'bridge.share',
]);

type Given<Name extends RouteName> = {
  readonly [Part in keyof RouteInput<Name> as RouteInput<Name>[Part] extends undefined
    ? never
    : Part]: RouteInput<Name>[Part];
};

/** Requests to one node. */
export class HttpCalls {
  readonly #base: string;
  readonly #token: string | null;

  constructor({ url, token }: CallOptions) {
    this.#base = url.replace(/[?#].*$/, '').replace(/\/+$/, '');
    this.#token = token;
  }

  /** @throws NodeError with the node's code; `HTTP_UNREACHABLE` when there is no answer */
  async call<Name extends RouteName>(
    name: Name,
    ...[given]: keyof Given<Name> extends never ? [] : [Given<Name>]
  ): Promise<RouteResult<Name>> {
    const answer = await this.send(name, given);
    if (answer.status === 204) return undefined as RouteResult<Name>;
    return (await answer.json()) as RouteResult<Name>;
  }

  /** The answer itself, of a request that went well. @throws NodeError */
  async send(
    name: RouteName,
    given: {
      readonly params?: unknown;
      readonly query?: unknown;
      readonly body?: unknown;
      /** The body as it is, whatever its length. */
      readonly bytes?: ReadableStream<Uint8Array>;
    } = {},
    more: {
      readonly signal?: AbortSignal;
      readonly headers?: Readonly<Record<string, string>>;
      readonly endless?: boolean;
    } = {},
  ): Promise<Response> {
    const { method }: Route = routes[name];
    const timeout = AbortSignal.timeout(slowRoutes.has(name) ? slowAnswerMs : answerMs);
    const signals = [
      ...(more.endless === true ? [] : [timeout]),
      ...(more.signal === undefined ? [] : [more.signal]),
    ];
    let answer: Response;
    try {
      answer = await fetch(this.urlOf(name, given), {
        method,
        headers: {
          ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
          ...(given.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(given.bytes === undefined ? {} : { 'content-type': 'application/octet-stream' }),
          ...more.headers,
        },
        ...(given.body === undefined ? {} : { body: JSON.stringify(given.body) }),
        ...(given.bytes === undefined ? {} : { body: given.bytes, duplex: 'half' }),
        signal: AbortSignal.any(signals),
      });
    } catch (cause) {
      throw new NodeError('HTTP_UNREACHABLE', `The node does not answer at ${this.#base}/.`, {
        op: 'call',
        retry: true,
        cause,
      });
    }
    if (answer.ok) return answer;
    throw await errorOf(answer);
  }

  urlOf(
    name: RouteName,
    { params = {}, query = {} }: { readonly params?: unknown; readonly query?: unknown },
  ): string {
    const { path }: Route = routes[name];
    const filled = path.replace(/\{(\w+)\}/g, (_, key: string) =>
      encodeURIComponent(String((params as Record<string, unknown>)[key])),
    );
    const text = encodeQuery(query as Parameters<typeof encodeQuery>[0]);
    return `${this.#base}${apiPrefix}${filled}${text === '' ? '' : `?${text}`}`;
  }
}

async function errorOf(answer: Response): Promise<NodeError> {
  const text = await answer.text().catch(() => '');
  let problem: { code?: unknown; detail?: unknown; retry?: unknown } = {};
  try {
    problem = JSON.parse(text);
  } catch {
    // A proxy between us and the node speaks for itself.
  }
  if (typeof problem.code === 'string')
    return new NodeError(problem.code, String(problem.detail ?? ''), {
      op: 'call',
      retry: problem.retry === true,
    });
  return new NodeError(
    'HTTP_ANSWER',
    `Something that is no Tequio node answered with status ${answer.status}.`,
  );
}
