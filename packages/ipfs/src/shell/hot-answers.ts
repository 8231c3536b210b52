/**
 * Whole answers of the gateway that are asked for again and again, in memory: content under a CID never changes, so
 * what was answered once is the answer as long as its blocks are here and no list denies them.
 *
 *   find ─> kept, nothing has left the store, same list : made anew ─> asked for twice of late, small, all here? kept
 *
 * Nothing is looked up for an answer that is kept: the store counts what leaves it, and one look at that number stands
 * for one at each block. When it has changed, everything is forgotten.
 */
import type { WebResponse } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import type { DenyList } from '../core/deny-list.ts';
import { RecentKeys } from '../core/recent-keys.ts';
import { gatewayLimits } from '../limits.ts';
import { type AnswerRequest, type GatewayAnswer, sendAnswer } from './gateway-answer.ts';

/** What of the store an answer that is kept depends on. */
export type AnswerStore = {
  /** Another number when a block has left the store, or is from now on read out of a file of the user. */
  readonly lossCount: number;
  /** Whether the block lies in the store's own files. */
  keeps(cid: CID): boolean;
};

export type HotRequest = AnswerRequest & { readonly target: string };

/** What is answered, to whom it may concern: conditions and ranges are the request's own. */
type Kept = { readonly answer: GatewayAnswer; readonly sharesOrigin: boolean; readonly plain: WebResponse };

/** See the top of the file. */
export class HotAnswers {
  readonly #store: AnswerStore;
  readonly #denyList: () => DenyList | null;
  /** The one that was not asked for the longest comes first. */
  readonly #kept = new Map<string, Kept>();
  readonly #seen = new RecentKeys(gatewayLimits.hotSeenCount);
  #bytes = 0;
  #lossCount = -1;
  #rules: readonly [DenyList | null, number] = [null, 0];

  constructor(store: AnswerStore, denyList: () => DenyList | null) {
    this.#store = store;
    this.#denyList = denyList;
  }

  /** Of the bodies that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Null: it must be made. Who gets an answer changes nothing of it. */
  find(request: HotRequest): WebResponse | Promise<WebResponse> | null {
    const key = keyOf(request);
    if (key === null) return null;
    this.#forgetOld();
    const kept = this.#kept.get(key);
    if (kept === undefined) return null;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const { headers, method } = request;
    const isPlain =
      method === 'GET' &&
      headers['range'] === undefined &&
      headers['if-none-match'] === undefined &&
      headers['if-range'] === undefined;
    return isPlain ? kept.plain : sendAnswer(request, kept.answer, kept.sharesOrigin);
  }

  /** Whether an answer to this would be kept, should it turn out to be one that can be. */
  wants(request: HotRequest): boolean {
    const key = keyOf(request);
    if (key === null) return false;
    const isSeen = this.#seen.has(key);
    if (!isSeen) this.#seen.add(key);
    return isSeen;
  }

  /** @param blocks all that it was made of */
  async keep(
    request: HotRequest,
    answer: GatewayAnswer,
    { sharesOrigin, blocks }: { readonly sharesOrigin: boolean; readonly blocks: readonly CID[] },
  ): Promise<void> {
    const key = keyOf(request);
    const { bytes } = answer;
    if (key === null || answer.status !== 200 || bytes === null || bytes > gatewayLimits.hotAnswerBytesMax)
      return;
    const body = answer.read(0, bytes);
    if (!(body instanceof Uint8Array)) return;
    this.#forgetOld();
    if (blocks.length > gatewayLimits.hotBlocksMax || !blocks.every((cid) => this.#store.keeps(cid))) return;
    // A part of a block would keep all of it in memory.
    const own = body.slice();
    const copy: GatewayAnswer = { ...answer, read: (from, to) => own.subarray(from, to) };
    const plain = await sendAnswer(
      { method: 'GET', headers: {}, signal: request.signal },
      copy,
      sharesOrigin,
    );
    this.#drop(key);
    this.#kept.set(key, { answer: copy, sharesOrigin, plain });
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= gatewayLimits.hotBytesMax && this.#kept.size <= gatewayLimits.hotCountMax) return;
      this.#drop(oldest);
    }
  }

  #forgetOld(): void {
    const { lossCount } = this.#store;
    const list = this.#denyList();
    const ruleCount = list?.ruleCount ?? 0;
    const [knownList, knownCount] = this.#rules;
    if (lossCount === this.#lossCount && list === knownList && ruleCount === knownCount) return;
    this.#lossCount = lossCount;
    this.#rules = [list, ruleCount];
    this.#kept.clear();
    this.#bytes = 0;
  }

  #drop(key: string): void {
    this.#bytes -= this.#kept.get(key)?.answer.bytes ?? 0;
    this.#kept.delete(key);
  }
}

/** All that an answer is made of, besides conditions and ranges. Null: it is made for the request alone. */
function keyOf({ method, target, headers }: HotRequest): string | null {
  if ((method !== 'GET' && method !== 'HEAD') || headers['service-worker'] !== undefined) return null;
  if (target.length > gatewayLimits.hotTargetChars) return null;
  return `${headers['host'] ?? ''} ${target} ${headers['accept'] ?? ''}`;
}
