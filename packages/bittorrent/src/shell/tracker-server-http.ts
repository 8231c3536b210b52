/**
 * The HTTP side of our tracker: a request line in, a whole response out. `/announce` (BEP 3, 7, 23, 24, 31),
 * `/scrape` (BEP 48), `/stats` (plain text) and `/stats.json`.
 *
 * Whose address: the connection's. What a client claims (`ip`, `ipv4`, `ipv6`) is believed only from loopback and
 * private addresses, so that a tracker at home can hand out the address under which its neighbours are seen from
 * outside; anybody else could put a victim into swarms. Behind a reverse proxy everybody comes from a local address:
 * there `believesLocalClaims` must be off.
 * Peer ids are not kept, so `compact=0` gets dictionaries without them, as with `no_peer_id`.
 */
import {
  addressScope,
  addressToBytes,
  encodeUtf8,
  type HttpServerRequest,
  type HttpServerResponse,
  type IpAddress,
  type Prng,
  tryParseAddress,
  tryParseEndpoint,
} from '@tequio/kernel';
import { announceRefusal, type TrackerStore } from '../core/tracker-store.ts';
import {
  decodeHttpAnnounceQuery,
  decodeHttpScrapeQuery,
  type HttpAnnounceQuery,
} from '../wire/tracker-http.ts';
import {
  encodeHttpAnnounceReply,
  encodeHttpFailure,
  encodeHttpScrapeReply,
} from '../wire/tracker-http-response.ts';
import { announceEvents } from '../wire/tracker-udp.ts';

export const httpServerTrackerLimits = {
  /** Peers in one answer, of each family. */
  peerCountMax: 200,
  /** When the client does not say how many it wants. */
  peerCountDefault: 50,
} as const;

export type HttpTrackerOptions = {
  readonly store: TrackerStore;
  readonly intervalS: number;
  readonly minIntervalS: number;
  readonly believesLocalClaims: boolean;
  readonly prng: Prng;
  /** What `/stats` shows. */
  readonly stats: () => Readonly<Record<string, number>>;
};

/** Counts since the start. */
export type HttpTrackerStats = { announceCount: number; scrapeCount: number; refusedCount: number };

export class HttpTrackerServer {
  readonly stats: HttpTrackerStats = { announceCount: 0, scrapeCount: 0, refusedCount: 0 };
  readonly #options: HttpTrackerOptions;
  /** Peers of an answer before they are encoded: {@link httpServerTrackerLimits.peerCountMax} of each family. */
  readonly #peers4 = new Uint8Array(httpServerTrackerLimits.peerCountMax * 6);
  readonly #peers6 = new Uint8Array(httpServerTrackerLimits.peerCountMax * 18);

  constructor(options: HttpTrackerOptions) {
    this.#options = options;
  }

  handle(request: HttpServerRequest, nowMs: number): HttpServerResponse {
    if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'Only GET.\n');
    const [path, query] = splitTarget(request.target);
    switch (path) {
      case '/announce':
        return this.#announce(query, request.remote.address, nowMs);
      case '/scrape':
        return this.#scrape(query);
      case '/stats':
        return text(200, statsText(this.#options.stats()));
      case '/stats.json':
        return {
          status: 200,
          headers: jsonHeaders,
          body: encodeUtf8(`${JSON.stringify(this.#options.stats())}\n`),
        };
      case '/':
        return text(200, 'A BitTorrent tracker: /announce, /scrape, /stats, /stats.json\n');
      default:
        return text(404, 'There is nothing here.\n');
    }
  }

  #announce(query: string, remote: IpAddress, nowMs: number): HttpServerResponse {
    this.stats.announceCount++;
    const decoded = decodeHttpAnnounceQuery(query);
    if (!decoded.ok) return this.#refuse(decoded.fault.message, null);
    const { store, intervalS, minIntervalS, prng } = this.#options;
    const asked = decoded.value;
    const isSeed = asked.leftBytes === 0;
    const swarm = store.announce(
      asked.infoHash,
      0,
      addressToBytes(this.#addressOf(asked, remote)),
      asked.port,
      announceEvents.indexOf(asked.event),
      isSeed,
      Math.floor(nowMs / 1000),
    );
    if (swarm === announceRefusal.denied) return this.#refuse('torrent not served here', 'never');
    if (swarm === announceRefusal.full) return this.#refuse('tracker is full', Math.ceil(intervalS / 60));
    const countMax =
      swarm < 0 || asked.event === 'stopped'
        ? 0
        : Math.min(
            asked.numWant < 0 ? httpServerTrackerLimits.peerCountDefault : asked.numWant,
            httpServerTrackerLimits.peerCountMax,
          );
    const reply = encodeHttpAnnounceReply({
      ...store.counts(swarm),
      // A tenth more or less, so that clients that began together do not come back together.
      intervalS: intervalS + prng.below(1 + Math.floor(intervalS / 10)),
      minIntervalS,
      peers4: this.#peers4.subarray(0, store.pickPeers(swarm, 4, isSeed, countMax, this.#peers4, 0)),
      peers6: this.#peers6.subarray(0, store.pickPeers(swarm, 6, isSeed, countMax, this.#peers6, 0)),
      compact: asked.compact,
      externalAddress: remote,
    });
    return bencoded(reply);
  }

  #scrape(query: string): HttpServerResponse {
    this.stats.scrapeCount++;
    const decoded = decodeHttpScrapeQuery(query);
    if (!decoded.ok) return this.#refuse(decoded.fault.message, null);
    if (decoded.value.length === 0) return this.#refuse('name the torrents to scrape', null);
    const { store } = this.#options;
    return bencoded(
      encodeHttpScrapeReply(decoded.value.map((hash) => [hash, store.counts(store.find(hash, 0))] as const)),
    );
  }

  #addressOf(asked: HttpAnnounceQuery, remote: IpAddress): IpAddress {
    const scope = addressScope(remote);
    if (!this.#options.believesLocalClaims || scope === 'global') return remote;
    for (const claim of asked.claimedAddresses) {
      const claimed = tryParseAddress(claim) ?? tryParseEndpoint(claim)?.address ?? null;
      if (claimed === null) continue;
      const claimedScope = addressScope(claimed);
      if (claimedScope !== 'multicast' && claimedScope !== 'unspecified') return claimed;
    }
    return remote;
  }

  /** Refusals are answers too: clients read their reason only with status 200. */
  #refuse(reason: string, retryInMinutes: number | 'never' | null): HttpServerResponse {
    this.stats.refusedCount++;
    return bencoded(encodeHttpFailure(reason, retryInMinutes));
  }
}

function splitTarget(target: string): [string, string] {
  const at = target.indexOf('?');
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}

function statsText(stats: Readonly<Record<string, number>>): string {
  const width = Math.max(...Object.keys(stats).map((name) => name.length));
  return Object.entries(stats)
    .map(([name, value]) => `${name.padEnd(width)}  ${value}\n`)
    .join('');
}

function bencoded(body: Uint8Array): HttpServerResponse {
  return { status: 200, headers: bencodedHeaders, body };
}

function text(status: number, body: string): HttpServerResponse {
  return { status, headers: textHeaders, body: encodeUtf8(body) };
}

const bencodedHeaders = headersOf('text/plain; charset=iso-8859-1');
const textHeaders = headersOf('text/plain; charset=utf-8');
const jsonHeaders = headersOf('application/json');

function headersOf(contentType: string): HttpServerResponse['headers'] {
  return { 'content-type': contentType, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
}
