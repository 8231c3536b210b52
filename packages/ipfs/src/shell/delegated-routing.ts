/** Delegated Routing V1: asking a router over HTTP who has what, and being such a router for others. */
import { type HttpClient, type OverlayPort, toHex, type WebResponse } from '@tequio/kernel';
import { CID } from 'multiformats/cid';
import { decode as decodeDigest } from 'multiformats/hashes/digest';
import { codecs, tryParseCid } from '../wire/cid.ts';
import { ipnsNameText, ipnsPeerText, tryParseIpnsName } from '../wire/ipns-name.ts';
import { ipnsRecordBytesMax } from '../wire/ipns-record.ts';
import {
  decodeRoutingAnswer,
  encodeRoutingRecord,
  type RoutingRecord,
  routingLimits,
} from '../wire/routing-json.ts';
import { tryFetch } from './http-fetch.ts';
import type { NameSource } from './name-resolver.ts';

const timeoutMs = 30_000;

/** Asks routers, all at once; the user has named them. */
export class DelegatedRouting {
  readonly #urls: readonly string[];
  readonly #http: HttpClient;

  /** @param urls of routers, without `/routing/v1` */
  constructor(urls: readonly string[], http: HttpClient) {
    this.#urls = urls.map((url) => url.replace(/\/+$/, ''));
    this.#http = http;
  }

  /** Who has it. Resolves when all routers have answered or given up. */
  async findProviders(
    cid: CID,
    onProvider: (record: RoutingRecord) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#ask(`providers/${cid}`, 'Providers', onProvider, signal);
  }

  async findPeer(peer: string, signal?: AbortSignal): Promise<RoutingRecord | null> {
    const name = tryParseIpnsName(peer);
    const id = name === null ? peer : CID.createV1(codecs['libp2p-key'], decodeDigest(name)).toString();
    const found: RoutingRecord[] = [];
    await this.#ask(`peers/${id}`, 'Peers', (record) => void found.push(record), signal);
    // The answer that knows most of where it is.
    return found.sort((one, other) => other.addresses.length - one.addresses.length)[0] ?? null;
  }

  /** Records of a name as they came, checked by nobody. */
  async getRecords(name: Uint8Array, signal?: AbortSignal): Promise<readonly Uint8Array[]> {
    const answers = await Promise.all(
      this.#urls.map((url) =>
        tryFetch(this.#http, `${url}/routing/v1/ipns/${ipnsNameText(name)}`, {
          headers: { accept: 'application/vnd.ipfs.ipns-record' },
          timeoutMs,
          bytesMax: ipnsRecordBytesMax,
          ...(signal === undefined ? null : { signal }),
        }),
      ),
    );
    return answers.flatMap((answer) => (answer?.status === 200 ? [answer.body] : []));
  }

  async #ask(
    path: string,
    list: 'Providers' | 'Peers',
    take: (record: RoutingRecord) => void,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await Promise.all(
      this.#urls.map(async (url) => {
        const answer = await tryFetch(this.#http, `${url}/routing/v1/${path}`, {
          headers: { accept: 'application/x-ndjson, application/json' },
          timeoutMs,
          bytesMax: routingLimits.answerBytesMax,
          ...(signal === undefined ? null : { signal }),
        });
        if (answer?.status !== 200) return;
        for (const record of decodeRoutingAnswer(answer.body, answer.headers['content-type'] ?? '', list))
          take(record);
      }),
    );
  }
}

export type RoutingServerDeps = {
  readonly overlay: Pick<OverlayPort, 'find' | 'findPeer'>;
  readonly names: Pick<NameSource, 'ipns'>;
};

/** Providers of one answer. */
const answeredMax = 100;

/** Answers `/routing/v1/…`; null: the path is another one. Read only. */
export async function answerRouting(
  deps: RoutingServerDeps,
  request: {
    readonly method: string;
    readonly target: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): Promise<WebResponse | null> {
  const match = /^\/routing\/v1\/(providers|peers|ipns)\/([^/?]+)(?:\?.*)?$/.exec(request.target);
  if (match === null) return null;
  const [, kind, key] = match as unknown as [string, 'providers' | 'peers' | 'ipns', string];
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, headers: { allow: 'GET, HEAD' }, body: 'Routing is only asked here.\n' };
  if (kind === 'ipns') return await answerRecord(deps, key, request.signal);
  const records: RoutingRecord[] = [];
  if (kind === 'providers') {
    const cid = tryParseCid(key);
    if (cid === null) return badRequest(`"${key.slice(0, 100)}" is no CID`);
    const end = new AbortController();
    const seen = new Set<string>();
    await deps.overlay
      .find(
        cid.multihash.bytes,
        ({ peer, addresses }) => {
          if (seen.has(peer)) return;
          seen.add(peer);
          records.push({ peer, addresses, protocols: ['transport-bitswap'] });
          if (records.length >= answeredMax) end.abort();
        },
        AbortSignal.any([request.signal, end.signal]),
      )
      .catch(() => undefined);
  } else {
    const name = tryParseIpnsName(key);
    if (name === null) return badRequest(`"${key.slice(0, 100)}" is no peer id`);
    const found = await deps.overlay.findPeer(ipnsPeerText(name), request.signal).catch(() => null);
    if (found !== null) records.push({ ...found, protocols: [] });
  }
  return recordsAnswer(
    records,
    kind === 'providers' ? 'Providers' : 'Peers',
    request.headers['accept'] ?? '',
  );
}

function recordsAnswer(records: readonly RoutingRecord[], list: string, accept: string): WebResponse {
  const lines = accept.includes('application/x-ndjson');
  const encoded = records.map(encodeRoutingRecord);
  return {
    // Nobody is an answer too, and is kept for less long.
    status: 200,
    headers: {
      'content-type': lines ? 'application/x-ndjson' : 'application/json',
      'cache-control': `public, max-age=${records.length > 0 ? 300 : 15}`,
      'access-control-allow-origin': '*',
      vary: 'Accept',
    },
    body: lines ? encoded.map((line) => `${line}\n`).join('') : `{"${list}":[${encoded.join(',')}]}`,
  };
}

async function answerRecord(deps: RoutingServerDeps, key: string, signal: AbortSignal): Promise<WebResponse> {
  const name = tryParseIpnsName(key);
  if (name === null) return badRequest(`"${key.slice(0, 100)}" is no IPNS name`);
  const record = await deps.names.ipns(name, signal).catch(() => null);
  if (record === null)
    return { status: 404, headers: { 'access-control-allow-origin': '*' }, body: 'No record.\n' };
  return {
    status: 200,
    headers: {
      'content-type': 'application/vnd.ipfs.ipns-record',
      'cache-control': `public, max-age=${Math.floor(record.ttlMs / 1000)}`,
      etag: `"${toHex(record.bytes.subarray(-16))}"`,
      'access-control-allow-origin': '*',
    },
    body: record.bytes,
  };
}

function badRequest(reason: string): WebResponse {
  return { status: 400, headers: { 'access-control-allow-origin': '*' }, body: `${reason}\n` };
}
