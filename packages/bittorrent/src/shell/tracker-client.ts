/**
 * Asks trackers: one announce or scrape a call, over UDP or HTTP(S), with the request-forgery rules of
 * core/url-rules.ts applied to every URL, every resolved address and every redirect. When to ask whom is decided in
 * core/announcer.ts. Nothing here throws or rejects for what a tracker does.
 */
import {
  type Clock,
  concatBytes,
  type Entropy,
  type Fault,
  type HttpClient,
  type IpAddress,
  isIpv6,
  isLocalAddress,
  type Log,
  type Resolver,
  toLatin1,
  type UdpPort,
} from '@tequio/kernel';
import type { TrackerFailure } from '../core/announcer-tracker.ts';
import {
  addressRefused,
  allowsAddress,
  type CheckedUrl,
  checkRedirect,
  checkUrl,
} from '../core/url-rules.ts';
import type { AddressFamily } from '../wire/compact-peers.ts';
import {
  encodeHttpAnnounceUrl,
  encodeHttpScrapeUrl,
  type HttpAnnounceRequest,
} from '../wire/tracker-http.ts';
import {
  decodeHttpAnnounceResponse,
  decodeHttpScrapeResponse,
  httpAnswerLimits,
  type TrackerAnswer,
  type TrackerRefusal,
} from '../wire/tracker-http-response.ts';
import {
  encodeUdpAnnounce,
  encodeUdpScrape,
  type SwarmCounts,
  type UdpTrackerResponse,
} from '../wire/tracker-udp.ts';
import { type UdpQuestion, UdpTrackers } from './tracker-client-udp.ts';

export const trackerClientLimits = {
  /** From the first byte out to the last byte in, redirects included. */
  announceMs: 45_000,
  /** HTTP requests at the same time, all torrents together; others wait for their turn. */
  httpCountMax: 100,
} as const;

export type TrackerClientDeps = {
  readonly http: HttpClient;
  readonly udp: UdpPort;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
};

export type TrackerClientOptions = {
  /** What HTTP trackers are told that we are: `Tequio/0.1.0`. */
  readonly userAgent: string;
  /** Address to ask from; null: any. */
  readonly bind?: IpAddress | null;
};

/** What to ask, and how. */
export type TrackerTarget = {
  readonly url: string;
  /** BEP 7: the same tracker is asked over both families. */
  readonly family: AddressFamily;
  /** Null: {@link trackerClientLimits.announceMs}. */
  readonly timeoutMs: number | null;
};

export type AnnounceRequest = TrackerTarget & HttpAnnounceRequest;
export type ScrapeRequest = TrackerTarget & { readonly infoHashes: readonly Uint8Array[] };

export type TrackerOutcome<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: TrackerFailure };

export class TrackerClient {
  readonly #deps: TrackerClientDeps;
  readonly #options: TrackerClientOptions;
  readonly #udp: UdpTrackers;
  readonly #queue: (() => void)[] = [];
  #httpCount = 0;

  constructor(options: TrackerClientOptions, deps: TrackerClientDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#udp = new UdpTrackers(deps, options.bind ?? null);
  }

  /** One announce. Ends early when `signal` says so. */
  async announce(
    request: AnnounceRequest,
    signal: AbortSignal | null = null,
  ): Promise<TrackerOutcome<TrackerAnswer>> {
    const outcome = await this.#announce(request, signal);
    const log = { url: request.url, family: request.family, event: request.event };
    if (outcome.ok) this.#deps.log.debug('tracker.answered', { ...log, peers: outcome.value.peers.length });
    else this.#deps.log.debug('tracker.failed', { ...log, code: outcome.failure.fault.code });
    return outcome;
  }

  /** Counts of up to 74 swarms, in the order of the info-hashes; zeros for those that the tracker does not know. */
  async scrape(
    request: ScrapeRequest,
    signal: AbortSignal | null = null,
  ): Promise<TrackerOutcome<readonly SwarmCounts[]>> {
    const url = checkUrl(request.url, 'tracker');
    if (!url.ok) return failure(url.fault, 'unreachable');
    if (url.value.scheme === 'udp') {
      const question: UdpQuestion = (id, transaction) => encodeUdpScrape(id, transaction, request.infoHashes);
      const reply = await this.#askUdp(url.value, request, question, signal);
      if (!reply.ok) return reply;
      if (reply.value.type !== 'scrape') return otherAnswer;
      const { swarms } = reply.value;
      return { ok: true, value: request.infoHashes.map((_, i) => swarms[i] ?? noCounts) };
    }
    const target = encodeHttpScrapeUrl(url.value.href, request.infoHashes);
    if (target === null) return failure(noScrape, 'unreachable');
    const body = await this.#fetch(url.value, target, request, signal);
    if (!body.ok) return body;
    const response = decodeHttpScrapeResponse(body.value.bytes);
    if (response.ok && response.value.type === 'refusal') return refused(response.value.refusal);
    if (!isGood(body.value.status)) return failure(badStatus(body.value.status), 'unreachable');
    if (!response.ok) return failure(response.fault, 'unreachable');
    if (response.value.type !== 'swarms') return otherAnswer;
    const { swarms } = response.value;
    return { ok: true, value: request.infoHashes.map((hash) => swarms.get(toLatin1(hash)) ?? noCounts) };
  }

  async close(): Promise<void> {
    await this.#udp.close();
  }

  async #announce(
    request: AnnounceRequest,
    signal: AbortSignal | null,
  ): Promise<TrackerOutcome<TrackerAnswer>> {
    const url = checkUrl(request.url, 'tracker');
    if (!url.ok) return failure(url.fault, 'unreachable');
    if (url.value.scheme === 'udp') return this.#announceUdp(url.value, request, signal);
    const target = encodeHttpAnnounceUrl(url.value.href, request);
    const body = await this.#fetch(url.value, target, request, signal);
    if (!body.ok) return body;
    const response = decodeHttpAnnounceResponse(body.value.bytes);
    const { status } = body.value;
    // A refusal is more telling than the status that some trackers send with it.
    if (response.ok && response.value.type === 'refusal') return refused(response.value.refusal);
    if (!isGood(status)) return failure(badStatus(status), status < 500 ? 'refused' : 'unreachable');
    if (!response.ok) return failure(response.fault, 'unreachable');
    return response.value.type === 'answer' ? { ok: true, value: response.value.answer } : otherAnswer;
  }

  async #announceUdp(
    url: CheckedUrl,
    request: AnnounceRequest,
    signal: AbortSignal | null,
  ): Promise<TrackerOutcome<TrackerAnswer>> {
    // BEP 41: what stands after the host, for trackers that tell their users apart by it.
    const urlData = url.path === '/' && url.query === '' ? '' : url.path + url.query;
    const question: UdpQuestion = (connectionId, transaction) =>
      encodeUdpAnnounce({ ...request, connectionId, transaction, urlData });
    const reply = await this.#askUdp(url, request, question, signal);
    if (!reply.ok) return reply;
    if (reply.value.type !== 'announce') return otherAnswer;
    const { intervalS, seedCount, leechCount, peers } = reply.value;
    return {
      ok: true,
      value: {
        intervalMs: intervalS > 0 && intervalS < 2 ** 31 ? intervalS * 1000 : null,
        minIntervalMs: null,
        seedCount,
        leechCount,
        completedCount: null,
        peers,
        externalAddress: null,
        trackerId: null,
        warning: null,
      },
    };
  }

  async #askUdp(
    url: CheckedUrl,
    target: TrackerTarget,
    question: UdpQuestion,
    signal: AbortSignal | null,
  ): Promise<TrackerOutcome<UdpTrackerResponse>> {
    const address = await this.#resolve(url, target.family);
    if (!address.ok) return address;
    if (!(await this.#udp.canReach(target.family))) return failure(noFamily(target.family), 'family');
    const to = { address: address.value, port: url.port };
    const timeoutMs = target.timeoutMs ?? trackerClientLimits.announceMs;
    const reply = await this.#udp.ask(to, question, timeoutMs, signal);
    if (!reply.ok) return failure(reply.fault, 'unreachable');
    if (reply.value.type === 'error') return refused({ message: reply.value.message, retryInMs: null });
    return { ok: true, value: reply.value };
  }

  async #resolve(url: CheckedUrl, family: AddressFamily): Promise<TrackerOutcome<IpAddress>> {
    let addresses: readonly IpAddress[];
    try {
      addresses = await this.#deps.resolver.resolve(url.host);
    } catch (error) {
      return failure(unreachable(error instanceof Error ? error.message : 'no such name'), 'unreachable');
    }
    const ofFamily = addresses.filter((address) => isIpv6(address) === (family === 6));
    if (ofFamily.length === 0) return failure(noFamily(family), 'family');
    const allowed = ofFamily.find((address) => allowsAddress(url, address, true));
    return allowed === undefined ? failure(addressRefused(url), 'unreachable') : { ok: true, value: allowed };
  }

  /** The body of `target`, whose rules are those of `url`; redirects are followed. */
  async #fetch(
    url: CheckedUrl,
    target: string,
    request: TrackerTarget,
    signal: AbortSignal | null,
  ): Promise<TrackerOutcome<Body>> {
    const { bind = null } = this.#options;
    if (bind !== null && isIpv6(bind) !== (request.family === 6))
      return failure(noFamily(request.family), 'family');
    await this.#enter();
    try {
      const endMs = this.#deps.clock.nowMs() + (request.timeoutMs ?? trackerClientLimits.announceMs);
      let [hop, hopTarget, localAllowed] = [url, target, true];
      for (let count = 0; ; count++) {
        const page = await this.#get(hop, hopTarget, request.family, localAllowed, endMs, signal);
        if (!page.ok) return page;
        const { status, location, isLocal, bytes } = page.value;
        if (!isRedirect(status)) return { ok: true, value: { bytes, status } };
        const next = checkRedirect({ ...hop, href: hopTarget }, location, count);
        if (!next.ok) return failure(next.fault, 'unreachable');
        localAllowed = localAllowed && isLocal;
        [hop, hopTarget] = [next.value, next.value.href];
      }
    } finally {
      this.#leave();
    }
  }

  #get(
    url: CheckedUrl,
    target: string,
    family: AddressFamily,
    localAllowed: boolean,
    endMs: number,
    signal: AbortSignal | null,
  ): Promise<TrackerOutcome<Page>> {
    const { clock, http } = this.#deps;
    const timeoutMs = Math.max(1, endMs - clock.nowMs());
    if (signal?.aborted === true) return Promise.resolve(failure(unreachable('called off'), 'unreachable'));
    return new Promise((resolve) => {
      const parts: Uint8Array[] = [];
      const page = { status: 0, location: undefined as string | undefined, isLocal: true };
      let familySeen = false;
      const done = (outcome: TrackerOutcome<Page>): void => {
        timer.cancel();
        signal?.removeEventListener('abort', stop);
        resolve(outcome);
      };
      const stop = (): void => {
        exchange.abort();
        done(failure(unreachable('no answer in time'), 'unreachable'));
      };
      const timer = clock.setTimer(timeoutMs, stop);
      signal?.addEventListener('abort', stop);
      const exchange = http.open(
        {
          method: 'GET',
          url: target,
          headers: { 'user-agent': this.#options.userAgent, accept: '*/*', 'accept-encoding': 'gzip' },
          timeoutMs,
          bytesMax: httpAnswerLimits.bytesMax,
          family,
          from: this.#options.bind ?? null,
          allowAddress: (address) => {
            if (isIpv6(address) !== (family === 6)) return false;
            familySeen = true;
            return allowsAddress(url, address, localAllowed);
          },
        },
        {
          onHead: (head) => {
            page.status = head.status;
            page.location = head.headers['location'];
            page.isLocal = isLocalAddress(head.remote);
          },
          onBytes: (bytes) => void parts.push(bytes.slice()),
          onEnd: (error) => {
            if (error === null) done({ ok: true, value: { ...page, bytes: concatBytes(parts) } });
            else if (error.code !== 'HTTP_ADDRESS_REFUSED')
              done(failure(unreachable(error.message), 'unreachable'));
            else if (familySeen) done(failure(addressRefused(url), 'unreachable'));
            else done(failure(noFamily(family), 'family'));
          },
        },
      );
    });
  }

  async #enter(): Promise<void> {
    if (this.#httpCount >= trackerClientLimits.httpCountMax)
      await new Promise<void>((resolve) => void this.#queue.push(resolve));
    else this.#httpCount++;
  }

  /** The place goes to the next in the queue. */
  #leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#httpCount--;
    else next();
  }
}

type Page = {
  readonly status: number;
  readonly location: string | undefined;
  /** It came from a local address. */
  readonly isLocal: boolean;
  readonly bytes: Uint8Array;
};
type Body = { readonly bytes: Uint8Array; readonly status: number };

const noCounts: SwarmCounts = { seedCount: 0, completedCount: 0, leechCount: 0 };
const otherAnswer = failure(
  fault('BITTORRENT_TRACKER_ANSWER', 'The tracker answered something else than was asked.'),
  'unreachable',
);
const noScrape = fault('BITTORRENT_TRACKER_NO_SCRAPE', 'The tracker has no address for scrapes.');

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

function isGood(status: number): boolean {
  return status >= 200 && status < 300;
}

function fault(code: string, message: string): Fault {
  return { code, message, blame: 'tracker', penalty: 0 };
}

function failure(
  why: Fault,
  kind: TrackerFailure['kind'],
): { readonly ok: false; readonly failure: TrackerFailure } {
  return { ok: false, failure: { fault: why, kind, retryInMs: null } };
}

function refused(refusal: TrackerRefusal): { readonly ok: false; readonly failure: TrackerFailure } {
  const why = fault('BITTORRENT_TRACKER_REFUSED', `The tracker says: ${refusal.message}`);
  return { ok: false, failure: { fault: why, kind: 'refused', retryInMs: refusal.retryInMs } };
}

function unreachable(why: string): Fault {
  return fault('BITTORRENT_TRACKER_UNREACHABLE', `The tracker cannot be reached: ${why}`);
}

function noFamily(family: AddressFamily): Fault {
  return fault('BITTORRENT_TRACKER_FAMILY', `The tracker cannot be reached over IPv${family}.`);
}

function badStatus(status: number): Fault {
  return fault('BITTORRENT_TRACKER_STATUS', `The tracker answered with HTTP status ${status}.`);
}
