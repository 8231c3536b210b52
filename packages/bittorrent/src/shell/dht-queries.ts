/** Questions that the user asks the DHT: the machine's searches as promises of plain data. */
import {
  type Clock,
  type Endpoint,
  type Entropy,
  formatEndpoint,
  type Hashes,
  NodeError,
  type Resolver,
  type Signatures,
  toHex,
  tryFromHex,
  tryParseAddress,
} from '@tequio/kernel';
import type { DhtApi, DhtItemSnapshot, DhtNodeSnapshot, DhtPutOptions, DhtSearch } from '../contract.ts';
import type { SearchReport, SearchRequest } from '../core/dht/dht-effect.ts';
import { decodeBencode } from '../wire/bencode.ts';
import { type DhtItem, dhtItemLimits, mutableTargetOf, signItem } from '../wire/dht-item.ts';
import type { NodeInfo } from '../wire/dht-node-info.ts';
import type { DhtService } from './dht-service.ts';
import { MutableTorrents, mutableTimes } from './mutable-torrents.ts';

export type DhtQueriesDeps = {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly hashes: Hashes;
  readonly signatures: Signatures;
  readonly resolver: Resolver;
};

const noSalt = new Uint8Array(0);

export class DhtQueries implements DhtApi {
  readonly #dht: DhtService;
  readonly #deps: DhtQueriesDeps;
  readonly #mutable: MutableTorrents;

  constructor(dht: DhtService, deps: DhtQueriesDeps) {
    this.#dht = dht;
    this.#deps = deps;
    this.#mutable = new MutableTorrents(dht, deps);
  }

  status(): ReturnType<DhtApi['status']> {
    return this.#dht.status();
  }

  ready(timeoutMs: number): Promise<boolean> {
    return this.#dht.waitForContacts(timeoutMs);
  }

  async ping(hostPort: string): ReturnType<DhtApi['ping']> {
    const endpoint = await this.#resolve(hostPort);
    return new Promise((resolve) => {
      this.#dht.ping(endpoint, (node, elapsedMs) =>
        resolve(node === null ? null : { ...snapshotOf(node), elapsedMs }),
      );
    });
  }

  async lookup(infoHash: string): ReturnType<DhtApi['lookup']> {
    const peers = new Set<string>();
    const target = targetOfHex(infoHash, [20, 32]).subarray(0, 20);
    const report = await this.#search(
      { kind: 'peers', target, announce: null, scrape: true, noSeed: false },
      (found) => {
        for (const peer of found) peers.add(formatEndpoint(peer));
      },
    );
    return { ...searchOf(report), peers: [...peers], estimate: report.estimate };
  }

  async get(target: string, salt: Uint8Array = noSalt): ReturnType<DhtApi['get']> {
    const bytes = targetOfHex(target, [20, 32]);
    const at = bytes.length === 20 ? bytes : mutableTargetOf(bytes, salt, this.#deps.hashes);
    const report = await this.#search({ kind: 'get', target: at, salt });
    return { ...searchOf(report), item: report.item === null ? null : itemSnapshotOf(report.item) };
  }

  async put(options: DhtPutOptions): ReturnType<DhtApi['put']> {
    const item = await this.#itemOf(options);
    const report = await this.#search({ kind: 'put', item, cas: options.cas ?? null });
    return {
      ...searchOf(report),
      storedCount: report.storedCount,
      item: itemSnapshotOf(item),
      refusal: report.refusal?.text ?? null,
    };
  }

  async sample(target: string | null): ReturnType<DhtApi['sample']> {
    const bytes = target === null ? this.#deps.entropy.bytes(20) : targetOfHex(target, [20]);
    const report = await this.#search({ kind: 'sample', target: bytes });
    return { ...searchOf(report), infoHashes: report.samples.map(toHex) };
  }

  publish(secretKey: Uint8Array, salt: Uint8Array, infoHash: string): ReturnType<DhtApi['publish']> {
    return this.#mutable.publish(secretKey, salt, targetOfHex(infoHash, [20]));
  }

  follow(
    publicKey: Uint8Array,
    salt: Uint8Array,
    updated: Parameters<DhtApi['follow']>[2],
    pollMs: number = mutableTimes.pollMs,
  ): () => void {
    return this.#mutable.follow({ publicKey, salt }, pollMs, updated);
  }

  async #itemOf({ value, secretKey, salt = noSalt, sequence = null }: DhtPutOptions): Promise<DhtItem> {
    if (value.length > dhtItemLimits.valueBytesMax || salt.length > dhtItemLimits.saltBytesMax)
      throw new NodeError('BITTORRENT_DHT_VALUE', 'Values have at most 1000 bytes, salts 64.');
    if (!decodeBencode(value).ok) throw new NodeError('BITTORRENT_DHT_VALUE', 'The value is not bencoded.');
    if (secretKey === null) return { type: 'immutable', value };
    const { signatures } = this.#deps;
    const publicKey = toHex(signatures.publicKeyOf(secretKey));
    const next = sequence ?? ((await this.get(publicKey, salt)).item?.sequence ?? 0n) + 1n;
    return signItem(secretKey, { value, salt, sequence: next }, signatures);
  }

  #search(request: SearchRequest, peers?: (peers: readonly Endpoint[]) => void): Promise<SearchReport> {
    return new Promise((resolve, reject) => {
      this.#dht.search(request, {
        ...(peers === undefined ? {} : { peers }),
        done: (report) => {
          if (report !== null) resolve(report);
          else reject(new NodeError('BITTORRENT_DHT_CLOSED', 'The DHT node is not running.'));
        },
      });
    });
  }

  async #resolve(hostPort: string): Promise<Endpoint> {
    const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(hostPort);
    const host = match?.[1] ?? match?.[2] ?? '';
    const port = Number(match?.[3] ?? 0);
    if (port < 1 || port > 65_535) throw badTarget(`"${hostPort}" is not HOST:PORT.`);
    const literal = tryParseAddress(host);
    const address = literal ?? (await this.#deps.resolver.resolve(host))[0];
    if (address === undefined) throw badTarget(`${host} has no address.`);
    return { address, port };
  }
}

function targetOfHex(text: string, lengths: readonly number[]): Uint8Array {
  const bytes = tryFromHex(text);
  if (bytes === null || !lengths.includes(bytes.length)) {
    const digits = lengths.map((length) => length * 2).join(' or ');
    throw badTarget(`"${text.slice(0, 100)}" does not have ${digits} hex digits.`);
  }
  return bytes;
}

function badTarget(message: string): NodeError {
  return new NodeError('BITTORRENT_DHT_TARGET', message);
}

function snapshotOf({ id, endpoint }: NodeInfo): DhtNodeSnapshot {
  return { id: toHex(id), endpoint: formatEndpoint(endpoint) };
}

function searchOf({ target, nodes, queryCount, answerCount, hopCount, elapsedMs }: SearchReport): DhtSearch {
  return {
    target: toHex(target),
    nodes: nodes.map(snapshotOf),
    queryCount,
    answerCount,
    hopCount,
    elapsedMs,
  };
}

function itemSnapshotOf(item: DhtItem): DhtItemSnapshot {
  if (item.type === 'immutable') return { value: item.value, publicKey: null, salt: null, sequence: null };
  const { value, publicKey, salt, sequence } = item;
  return { value, publicKey: toHex(publicKey), salt, sequence };
}
