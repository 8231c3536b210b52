import type { Clock, HttpClient, IpAddress } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { SourceScores } from '../core/source-scores.ts';
import { ipfsLimits } from '../limits.ts';
import { tryFetch } from './http-fetch.ts';

const timeoutMs = 15_000;
/** Asked for one block, one after the other fails; the next one is asked besides when one is slow. */
const tryCountMax = 3;
const gatewayCountMax = 64;

export type TrustlessGatewaysDeps = {
  readonly http: HttpClient;
  readonly clock: Clock;
  /** Where a gateway that others named may be; the user's own may be anywhere. */
  readonly allowAddress: (address: IpAddress) => boolean;
  readonly onWrong?: (url: string) => void;
};

/**
 * Gateways over HTTP that give blocks as they are (specs.ipfs.tech/http-gateways/trustless-gateway). Nothing that they
 * send is believed before it is hashed; who sends something else is not asked again.
 */
export class TrustlessGateways {
  readonly #deps: TrustlessGatewaysDeps;
  readonly #scores = new SourceScores();
  /** Base address, without a slash at its end, to whether the user named it. */
  readonly #own = new Map<string, boolean>();
  readonly #waiting = new Set<() => void>();

  constructor(urls: readonly string[], deps: TrustlessGatewaysDeps) {
    this.#deps = deps;
    for (const url of urls) this.#own.set(url.replace(/\/+$/, ''), true);
  }

  get isEmpty(): boolean {
    return this.#own.size === 0;
  }

  /** For the page: each with what it delivered. */
  get sources(): SourceScores {
    return this.#scores;
  }

  /** A gateway that a routing answer named. */
  add(url: string): void {
    if (this.#own.size < gatewayCountMax && /^https?:\/\/[^/?#\s]+$/.test(url) && !this.#own.has(url))
      this.#own.set(url, false);
    for (const wake of [...this.#waiting]) wake();
  }

  /** Until a router has named one; false: `signal` came first. */
  untilAny(signal: AbortSignal): Promise<boolean> {
    if (!this.isEmpty || signal.aborted) return Promise.resolve(!signal.aborted);
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve(!signal.aborted);
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  /** The block, of which `isRight` was true; null: none of those that were asked had it. */
  async get(
    cid: CID,
    isRight: (bytes: Uint8Array) => boolean,
    signal: AbortSignal,
  ): Promise<Uint8Array | null> {
    const urls = this.#scores.pickBest([...this.#own.keys()], tryCountMax, this.#deps.clock.nowMs());
    for (const url of urls) {
      if (signal.aborted) return null;
      const bytes = await this.#ask(url, cid, isRight, signal);
      if (bytes !== null) return bytes;
    }
    return null;
  }

  async #ask(
    url: string,
    cid: CID,
    isRight: (bytes: Uint8Array) => boolean,
    signal: AbortSignal,
  ): Promise<Uint8Array | null> {
    const { http, clock, allowAddress, onWrong } = this.#deps;
    const startMs = clock.nowMs();
    const answer = await tryFetch(http, `${url}/ipfs/${cid}?format=raw`, {
      headers: { accept: 'application/vnd.ipld.raw' },
      timeoutMs,
      bytesMax: ipfsLimits.blockBytesMax,
      signal,
      ...(this.#own.get(url) === true ? null : { allowAddress }),
    });
    if (signal.aborted) return null;
    if (answer === null || answer.status !== 200) {
      // That it has not this block says little; that it does not answer says more.
      this.#scores.markFailure(url, clock.nowMs(), answer === null);
      return null;
    }
    if (!isRight(answer.body)) {
      this.#own.delete(url);
      this.#scores.markWrong(url);
      onWrong?.(url);
      return null;
    }
    this.#scores.markBlock(url, answer.body.length, clock.nowMs() - startMs);
    return answer.body;
  }
}
