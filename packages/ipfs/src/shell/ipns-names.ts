import { type Clock, type Hashes, type Log, NodeError, type OverlayPort, type Timer } from '@tequio/kernel';
import { RecordCache } from '../core/record-cache.ts';
import {
  type IpfsPublicKey,
  ipnsNameOf,
  ipnsRoutingKey,
  ipnsTopic,
  nameInRoutingKey,
} from '../wire/ipns-name.ts';
import {
  compareIpnsRecords,
  encodeIpnsRecord,
  type IpnsRecord,
  readIpnsRecord,
  type VerifySignature,
} from '../wire/ipns-record.ts';
import { readDnslink } from './dnslink.ts';
import type { NameSource } from './name-resolver.ts';

/** Records of names that are followed by pubsub. */
const followedMax = 256;
/** The DHT forgets records after two days. */
const republishMs = 4 * 3_600_000;

export type IpnsKey = {
  readonly key: IpfsPublicKey;
  sign(message: Uint8Array): Uint8Array;
};

export type IpnsNamesDeps = {
  readonly overlay: Pick<OverlayPort, 'getValue' | 'putValue' | 'publish' | 'subscribe' | 'acceptRecords'>;
  readonly clock: Clock;
  readonly hashes: Hashes;
  readonly log: Log;
  readonly verify: VerifySignature;
  /** TXT records of a name in DNS; empty: none. */
  readonly lookUpText: (name: string, signal?: AbortSignal) => Promise<readonly string[]>;
  /** Other places with records (delegated routing); checked here. */
  readonly moreRecords?: (name: Uint8Array, signal?: AbortSignal) => Promise<readonly Uint8Array[]>;
};

export type PublishOptions = {
  readonly lifetimeMs: number;
  readonly ttlMs: number;
  readonly viaPubsub: boolean;
};

export const defaultPublishOptions: PublishOptions = {
  lifetimeMs: 48 * 3_600_000,
  ttlMs: 5 * 60_000,
  viaPubsub: false,
};

type Published = { readonly owner: IpnsKey; readonly value: string; readonly options: PublishOptions };

/** Names of keys: looked up in the DHT, over pubsub and by HTTP routers; published, and published again in time. */
export class IpnsNames implements NameSource {
  readonly #deps: IpnsNamesDeps;
  readonly #cache: RecordCache;
  readonly #published = new Map<string, Published>();
  readonly #followed = new Map<string, { close(): void }>();
  #endRules: (() => void) | null = null;
  #timer: Timer | null = null;

  constructor(deps: IpnsNamesDeps) {
    this.#deps = deps;
    this.#cache = new RecordCache(10_000);
  }

  /** From now on this node keeps others' records too, and checks each. */
  start(): void {
    this.#endRules = this.#deps.overlay.acceptRecords('ipns', {
      isValid: (key, value) => {
        const record = this.#read(nameInRoutingKey(key), value);
        return record !== null && record.validUntilMs > this.#deps.clock.wallMs();
      },
      pickBest: (key, values) => this.#pickBest(nameInRoutingKey(key), values),
    });
    this.#timer = this.#deps.clock.setTimer(republishMs, () => void this.#republish());
  }

  close(): void {
    this.#endRules?.();
    this.#timer?.cancel();
    for (const subscription of this.#followed.values()) subscription.close();
    this.#followed.clear();
  }

  /** The newest record that can be had; from memory as long as its own time to live. */
  async ipns(name: Uint8Array, signal?: AbortSignal): Promise<IpnsRecord | null> {
    const nowMs = this.#deps.clock.wallMs();
    const known = this.#cache.tryGet(name, nowMs);
    if (known !== null) return known;
    const { overlay, moreRecords } = this.#deps;
    const found = await Promise.all([
      overlay.getValue(ipnsRoutingKey(name), signal).catch(() => null),
      moreRecords?.(name, signal).catch(() => []) ?? [],
    ]);
    const candidates = [found[0] === null ? [] : [found[0]], found[1]].flat();
    let best: IpnsRecord | null = this.#cache.tryGetAny(name, nowMs);
    let brokenCount = 0;
    for (const bytes of candidates) {
      const record = this.#read(name, bytes);
      if (record === null || record.validUntilMs <= nowMs) brokenCount++;
      else if (best === null || compareIpnsRecords(record, best) > 0) best = record;
    }
    if (best !== null) this.#cache.add(name, best, nowMs);
    else if (brokenCount > 0)
      throw new NodeError(
        'IPFS_IPNS_RECORD',
        'All records of this name that were found are broken or have ended.',
        {
          op: 'resolve',
          retry: true,
        },
      );
    return best;
  }

  dnslink(domain: string, signal?: AbortSignal): ReturnType<NameSource['dnslink']> {
    return readDnslink(this.#deps.lookUpText, domain, signal);
  }

  /**
   * Signs and spreads what a name points to, and does so again until the process ends. @returns the record
   * @throws NodeError `IPFS_PUBLISH` when no peer took it
   */
  async publish(
    owner: IpnsKey,
    value: string,
    options: PublishOptions = defaultPublishOptions,
  ): Promise<IpnsRecord> {
    const { hashes, overlay, clock } = this.#deps;
    const name = ipnsNameOf(owner.key, hashes);
    // Another copy of this key may have published since: its sequence is passed, not repeated.
    const before = await this.ipns(name).catch(() => null);
    const sequence = before === null ? 0n : before.sequence + (before.value === value ? 0n : 1n);
    const nowMs = clock.wallMs();
    const fields = { value, sequence, validUntilMs: nowMs + options.lifetimeMs, ttlMs: options.ttlMs };
    const bytes = encodeIpnsRecord(fields, owner.key, (message) => owner.sign(message));
    const record = this.#read(name, bytes);
    if (record === null)
      throw new NodeError('IPFS_PUBLISH', 'The key does not sign as it should.', { op: 'publish' });
    this.#cache.add(name, record, nowMs);
    this.#published.set(String.fromCharCode(...name), { owner, value, options });
    if (options.viaPubsub) await overlay.publish(ipnsTopic(name), bytes);
    const peerCount = await overlay.putValue(ipnsRoutingKey(name), bytes);
    if (peerCount === 0 && !options.viaPubsub)
      throw new NodeError('IPFS_PUBLISH', 'No peer took the record: the name is known to this node alone.', {
        op: 'publish',
        retry: true,
      });
    return record;
  }

  /** Hears of new records of a name as they are published. */
  follow(name: Uint8Array): void {
    const id = String.fromCharCode(...name);
    if (this.#followed.has(id) || this.#followed.size >= followedMax) return;
    const subscription = this.#deps.overlay.subscribe(ipnsTopic(name), ({ bytes }) => {
      const nowMs = this.#deps.clock.wallMs();
      const record = this.#read(name, bytes);
      if (record === null || record.validUntilMs <= nowMs) return;
      const known = this.#cache.tryGetAny(name, nowMs);
      if (known === null || compareIpnsRecords(record, known) > 0) this.#cache.add(name, record, nowMs);
    });
    this.#followed.set(id, subscription);
  }

  async #republish(): Promise<void> {
    for (const { owner, value, options } of [...this.#published.values()])
      await this.publish(owner, value, options).catch((error: unknown) =>
        this.#deps.log.debug('ipns.republish-failed', { reason: String(error) }),
      );
    if (this.#endRules !== null)
      this.#timer = this.#deps.clock.setTimer(republishMs, () => void this.#republish());
  }

  #read(name: Uint8Array, bytes: Uint8Array): IpnsRecord | null {
    const result = readIpnsRecord(name, bytes, this.#deps);
    return result.ok ? result.value : null;
  }

  #pickBest(name: Uint8Array, values: readonly Uint8Array[]): number {
    let best = 0;
    let bestRecord: IpnsRecord | null = null;
    for (const [index, value] of values.entries()) {
      const record = this.#read(name, value);
      if (record === null || (bestRecord !== null && compareIpnsRecords(record, bestRecord) <= 0)) continue;
      best = index;
      bestRecord = record;
    }
    return best;
  }
}
